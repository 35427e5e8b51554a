"""The cache: the same bits, never an old or damaged entry, several processes, a bounded size."""

import inspect
import multiprocessing
import os
import pickle
import shutil
import sys
import time
from pathlib import Path

import hrsnn_rs
import numpy as np
import pytest
from hrsnn_rs.datasets.doctor import KNOWN
from hrsnn_rs.datasets.event_folder import EventFolder
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.encoding.contrast import FrameDifference
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.recordings import cache as cache_module
from hrsnn_rs.recordings.cache import EventCache, checked_cache
from hrsnn_rs.recordings.cache_entry import pack, unpack
from hypothesis import given, settings
from hypothesis import strategies as st
from video_files import moving_square, write_video


def some_events(n: int = 50, seed: int = 0) -> Events:
    rng = np.random.default_rng(seed)
    return Events(np.sort(rng.integers(0, 1000, n)), rng.integers(0, 7, n), 7, duration=1000)


@pytest.fixture
def videos(tmp_path) -> Path:
    root = tmp_path / "videos"
    for number in range(3):
        (root / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        path = root / f"class{number % 2}" / f"person{number}.avi"
        write_video(path, moving_square(10, 48, 64, seed=number))
        # Long ago: what has just changed is hashed again.
        os.utime(path, (1e9, 1e9))
    return root


@pytest.fixture
def n_decoded(monkeypatch) -> list[Path]:
    """Files that were decoded."""
    decoded: list[Path] = []
    video = VideoFolder._video

    def counted(self, one):
        decoded.append(one.path)
        return video(self, one)

    monkeypatch.setattr(VideoFolder, "_video", counted)
    return decoded


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(0, 2**32), st.booleans(), st.integers(0, 2**32))
def test_bytes_give_the_same_events_or_none(n, seed, is_sensor, place):
    rng = np.random.default_rng(seed)
    events: Events | SensorEvents = some_events(n, seed)
    if is_sensor:
        x, y, p = (rng.integers(0, high, n) for high in (9, 5, 2))
        events = SensorEvents(events.t, x, y, p, height=5, width=9, duration=events.duration)
    data = pack("key", events, {"dataset": "some"})
    again = unpack(data, "key")
    assert again == events
    assert again is not None
    for name in type(events).__slots__:
        one, other = getattr(events, name), getattr(again, name)
        assert type(one) is type(other)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            assert not other.flags.writeable
    assert pickle.loads(pickle.dumps(again)) == events
    assert unpack(data, "other") is None
    assert unpack(data[: place % len(data)], "key") is None
    damaged = bytearray(data)
    damaged[place % len(data)] ^= 1 << seed % 8
    assert unpack(bytes(damaged), "key") is None


def test_second_pass_decodes_nothing(videos, tmp_path, n_decoded):
    for encoder in (None, EventEncoder(48, 64), FrameDifference(48, 64, dt=None)):
        n_decoded.clear()
        plain = [events for events, _ in VideoFolder(videos, encoder=encoder)]
        n_decoded.clear()
        for n_expected in (3, 0):
            samples = VideoFolder(videos, encoder=encoder, cache=tmp_path / "cache")
            assert [events for events, _ in samples] == plain
            assert len(n_decoded) == n_expected
            n_decoded.clear()
        copy = pickle.loads(pickle.dumps(samples))
        assert [events for events, _ in copy] == plain
        assert not n_decoded
    table = EventCache(tmp_path / "cache").list()
    assert table["entries"].to_list() == [3, 3, 3]
    assert table["dataset"].unique().to_list() == ["VideoFolder"]


def test_recordings_of_sensors_are_kept_too(tmp_path, monkeypatch):
    root = tmp_path / "data"
    (root / "wave").mkdir(parents=True)
    for number in range(3):
        np.savez(root / "wave" / f"{number}.npz", t=[1, 5 + number], x=[0, 9], y=[3, 4], p=[0, 1])
    plain = [events for events, _ in EventFolder(root)]
    cached = EventFolder(root, cache=tmp_path / "cache")
    assert [events for events, _ in cached] == plain

    def read(self, sample):
        raise AssertionError("read again")

    monkeypatch.setattr(EventFolder, "_sensor_events", read)
    assert [events for events, _ in cached] == plain
    with pytest.raises(AssertionError, match="read again"):
        EventFolder(root, cache=tmp_path / "cache", sensor_size=(20, 20))[0]


def test_every_known_data_set_takes_a_cache():
    for one in KNOWN:
        assert "cache" in inspect.signature(one).parameters, one


def test_content_counts_not_names(videos, tmp_path, n_decoded):
    cache = tmp_path / "cache"
    list(VideoFolder(videos, cache=cache))
    n_decoded.clear()
    shutil.copytree(videos, tmp_path / "elsewhere")
    list(VideoFolder(tmp_path / "elsewhere", cache=cache))
    assert not n_decoded
    list(VideoFolder(videos, cache=cache, frame_size=(24, 32)))
    assert len(n_decoded) == 3


@pytest.mark.parametrize("keep_time", [False, True])
def test_a_changed_file_is_read_again(videos, tmp_path, keep_time):
    # Uncompressed, so that both have the same size.
    old, new = (
        write_video(
            tmp_path / f"{seed}.avi",
            moving_square(5, 48, 64, seed=seed),
            codec="rawvideo",
            pixels="gray",
        ).read_bytes()
        for seed in (8, 9)
    )
    assert len(old) == len(new)
    path = videos / "class0" / "person0.avi"
    path.write_bytes(old)
    os.utime(path, (1e9, 1e9))
    samples = VideoFolder(videos, cache=tmp_path / "cache")
    before = [events for events, _ in samples]
    time.sleep(0.02)  # a tick of the clock of coarse file systems
    path.write_bytes(new)
    if keep_time:
        os.utime(path, (1e9, 1e9))
    assert samples[0][0] == VideoFolder(videos)[0][0] != before[0]
    assert VideoFolder(videos, cache=tmp_path / "cache")[0][0] == samples[0][0]
    assert samples[1][0] == before[1]


def test_hashes_are_remembered_but_not_of_files_that_just_changed(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_bytes(b"1")
    cache = EventCache(tmp_path / "cache")
    first = cache.key(source, {})
    assert not list((tmp_path / "cache").rglob("*.hash"))
    monkeypatch.setattr(cache_module, "_FRESH", 0)
    assert cache.key(source, {}) == first
    assert len(list((tmp_path / "cache").rglob("*.hash"))) == 1

    def not_again(*_):
        raise AssertionError("hashed again")

    monkeypatch.setattr("hashlib.file_digest", not_again)
    assert cache.key(source, {}) == EventCache(tmp_path / "cache").key(source, {}) == first
    with pytest.raises(AssertionError, match="hashed again"):
        EventCache(tmp_path / "other").key(source, {})


def test_another_encoder_or_code_is_another_entry(videos, tmp_path, monkeypatch, n_decoded):
    cache = EventCache(tmp_path / "cache")
    for threshold in (0.2, 0.2000001):
        list(VideoFolder(videos, encoder=FrameDifference(48, 64, threshold=threshold), cache=cache))
    assert len(n_decoded) == 6
    monkeypatch.setattr(cache_module, "code_fingerprint", lambda: "newer")
    list(VideoFolder(videos, encoder=FrameDifference(48, 64), cache=cache))
    assert len(n_decoded) == 9
    assert cache.list()["entries"].sum() == 9


def test_damaged_entries_are_made_again(videos, tmp_path, n_decoded):
    cache = EventCache(tmp_path / "cache")
    samples = VideoFolder(videos, cache=cache)
    plain = [events for events, _ in samples]
    for damage in (lambda data: data[:-1], lambda data: b"", lambda data: data[:-8] + b"hellohel"):
        n_decoded.clear()
        for path in (tmp_path / "cache").glob("events/*/*"):
            path.write_bytes(damage(path.read_bytes()))
        assert [events for events, _ in samples] == plain
        assert len(n_decoded) == 3
        n_decoded.clear()
        assert [events for events, _ in samples] == plain
        assert not n_decoded


def test_what_became_of_a_damaged_file_is_not_kept(videos, tmp_path):
    path = next(videos.glob("*/person0.avi"))
    data = path.read_bytes()
    path.write_bytes(data[: (data.index(b"movi") + data.index(b"idx1")) // 2])
    samples = VideoFolder(videos, damaged="warn", cache=tmp_path / "cache")
    place = samples.paths.index(path)
    for _ in range(2):
        with pytest.warns(DataWarning, match="person0"):
            samples[place]
    with pytest.raises(FormatError, match="person0"):
        VideoFolder(videos, cache=tmp_path / "cache")[place]


def test_size_is_bounded_and_the_least_used_goes(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"1")
    events = some_events(1000)
    size = len(pack("k" * 64, events, {"dataset": "", "encoder": ""}))
    cache = EventCache(tmp_path / "cache", max_bytes=10 * size)
    keys = [cache.key(source, {"number": number}) for number in range(30)]
    for number, key in enumerate(keys):
        cache.store(key, events)
        now = 1e9 + number
        os.utime(cache._entry(key), (now, now))
        if number == 9:
            assert cache.load(keys[0]) == events  # now it is the one used last
    left = [key for key in keys if cache.load(key) is not None]
    assert keys[0] in left
    assert keys[1] not in left
    assert keys[-1] in left
    assert 5 <= len(left) <= 10
    assert cache.list()["bytes"].sum() <= 10 * size
    cache.store(keys[1], some_events(100_000))
    assert cache.load(keys[1]) is None  # larger than the cache
    (tmp_path / "cache" / "mine.txt").write_text("not of the cache")
    n, n_bytes = cache.clear()
    assert n == len(left)
    assert n_bytes == len(left) * size
    names = {path.name for path in (tmp_path / "cache").rglob("*")}
    assert names == {"CACHEDIR.TAG", "mine.txt"}
    assert cache.list().height == 0


def fill(path: str, root: str) -> list[int]:
    samples = VideoFolder(root, cache=path)
    return [len(events) for events, _ in samples]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_share_a_cache(videos, tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("no such start method here")
    plain = [len(events) for events, _ in VideoFolder(videos)]
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        found = pool.starmap(fill, [(str(tmp_path / "cache"), str(videos))] * 4)
    assert found == [plain] * 4
    assert EventCache(tmp_path / "cache").list()["entries"].to_list() == [3]
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_cache_that_cannot_be_written_is_a_warning(videos, tmp_path, monkeypatch):
    cache = EventCache(tmp_path / "cache")

    def full(self, data):
        raise OSError(28, "No space left on device")

    samples = VideoFolder(videos, cache=cache)
    plain = [events for events, _ in VideoFolder(videos)]
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.warns(DataWarning, match="nothing is cached: No space left") as caught:
        assert [events for events, _ in samples] == plain
    assert len(caught) == 1


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "named"))
    assert EventCache().path == tmp_path / "named"
    assert not (tmp_path / "named").exists()
    monkeypatch.delenv("HRSNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert checked_cache(True).path == tmp_path / "xdg" / "hrsnn_rs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert EventCache().path == Path.home() / ".cache" / "hrsnn_rs"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert EventCache().path == Path.home() / "Library" / "Caches" / "hrsnn_rs"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert EventCache().path == tmp_path / "local" / "hrsnn_rs" / "Cache"
    assert checked_cache(False) is checked_cache(None) is None


def test_nonsense(videos, tmp_path):
    with pytest.raises(ParameterError, match="cache must be a folder, True, False or None; got 5"):
        VideoFolder(videos, cache=5)
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match=r"cache must be a folder; .* is a file"):
        VideoFolder(videos, cache=tmp_path / "file")
    with pytest.raises(ParameterError, match="max_bytes must be at least 1"):
        EventCache(tmp_path, max_bytes=0)
    with pytest.raises(ParameterError, match="encoder must be of this package or have"):
        VideoFolder(videos, encoder=lambda events: events, cache=tmp_path / "cache")
    with pytest.raises(FormatError, match=r"gone\.avi: cannot be read: No such file"):
        EventCache(tmp_path).key(tmp_path / "gone.avi", {})


class Own:
    """An encoder of a user, who says what its output depends on."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, events: SensorEvents) -> Events:
        return EventEncoder(events.height, events.width, size=(self.size, self.size))(events)

    def cache_key(self) -> str:
        return str(self.size)


def test_an_encoder_of_the_user_can_be_cached(videos, tmp_path, n_decoded):
    for size, n_expected in ((4, 3), (4, 0), (5, 3)):
        n_decoded.clear()
        samples = VideoFolder(videos, encoder=Own(size), cache=tmp_path / "cache")
        assert {events.n_channels for events, _ in samples} == {2 * size * size}
        assert len(n_decoded) == n_expected


def test_the_fingerprint_is_of_all_code_of_the_package(monkeypatch):
    package = Path(hrsnn_rs.__file__).parent
    read = set()
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.add(path) or whole(path))
    cache_module.code_fingerprint.__wrapped__()
    assert set(package.rglob("*.py")) <= read

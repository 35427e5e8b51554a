"""Formats that faery decodes: same events, and every failure is ours."""

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.datasets.event_folder import load_folder
from hrsnn_rs.errors import FormatError, MissingDependencyError
from hrsnn_rs.recordings import foreign_files
from hrsnn_rs.recordings.event_files import read_events

N = 300


def test_a_missing_faery_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_files, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "hrsnn_rs\[events\]"'):
        read_events(tmp_path / "a.raw")


def test_a_decoder_that_ends_its_process_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.es"
    path.touch()
    monkeypatch.setattr(foreign_files, "find_spec", lambda _: True)
    monkeypatch.setattr(foreign_files, "_DECODER", "import os; os.abort()")
    with pytest.raises(FormatError, match=r"a\.es: cannot be decoded: it ended with -6"):
        read_events(path)
    monkeypatch.setattr(foreign_files, "_DECODER", "raise BaseException('thread panicked')")
    with pytest.raises(FormatError, match="cannot be decoded: BaseException: thread panicked"):
        read_events(path)


def written(folder: Path) -> dict[str, Path]:
    faery = pytest.importorskip("faery")
    random = np.random.default_rng(0)
    events = np.zeros(N, faery.EVENTS_DTYPE)
    events["t"] = np.sort(random.integers(0, 100_000, N))
    events["x"], events["y"] = random.integers(0, 100, (2, N))
    events["on"] = random.integers(0, 2, N)
    np.save(folder / "truth.npy", events)
    paths = {}
    for name, options in (
        ("0.aedat4", {}),
        ("1.dat", {}),
        ("2.raw", {"version": "evt2"}),
        ("3.raw", {"version": "evt3"}),
        ("4.es", {}),
    ):
        paths[name] = folder / "wave" / name
        paths[name].parent.mkdir(exist_ok=True)
        faery.events_stream_from_array(events, (120, 100)).to_file(str(paths[name]), **options)
    return paths


def test_the_same_events_come_from_every_format(tmp_path: Path) -> None:
    paths = written(tmp_path)
    truth = np.load(tmp_path / "truth.npy")
    for name, path in paths.items():
        events = read_events(path)
        # ES counts from its first event.
        start = truth["t"][0] - events.t[0]
        np.testing.assert_array_equal(events.t + start, truth["t"], err_msg=name)
        np.testing.assert_array_equal(events.x, truth["x"])
        np.testing.assert_array_equal(events.y, truth["y"])
        np.testing.assert_array_equal(events.p, truth["on"])
        assert (events.height, events.width) == (100, 120)
    assert len(load_folder(tmp_path)[3][0]) == N
    with pytest.raises(FormatError, match=r"recorded with \(100, 120\) pixels, sensor_size is"):
        read_events(path, sensor_size=(128, 128))
    path.write_bytes(b"nonsense")
    with pytest.raises(FormatError, match=r"4\.es: cannot be decoded"):
        read_events(path)
    path.unlink()
    with pytest.raises(FormatError, match="no such file"):
        read_events(path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="takes minutes there")
def test_mutants_are_errors_of_ours_or_events(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for path in written(tmp_path).values():
        whole = path.read_bytes()
        for _ in range(6):
            changed = bytearray(whole)
            for place in random.integers(0, len(whole), 8):
                changed[place] = random.integers(256)
            path.write_bytes(changed[: random.integers(1, len(whole))])
            with contextlib.suppress(FormatError):
                read_events(path)

"""Checkpoints: what was stopped goes on with the same bits, whatever stopped it."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hrsnn_rs as hr
import killed_training
import numpy as np
import pytest
from hrsnn_rs.network.checkpoint import Checkpoints, Progress, chained, digest

N_SAMPLES = killed_training.N_SAMPLES


class Stop(Exception):  # noqa: N818 - not an error of the library
    """Raised by samples that end too early."""


def stopping(samples, after):
    """Samples that stop training after some of them."""
    yield from itertools.islice(samples, after)
    raise Stop


def state(net) -> str:
    return digest(net._assembly(), net._gain)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def counts(stats) -> tuple:
    values = stats.to_dict()
    del values["wall_time"]
    return tuple(values.items())


@pytest.fixture(scope="module")
def samples():
    return killed_training.samples()


@pytest.fixture(scope="module")
def whole(samples):
    """The state after one pass, and its counts, without any checkpoint."""
    net = killed_training.network()
    stats = net.train(samples)
    return state(net), counts(stats)


@pytest.mark.parametrize(
    ("after", "every"), [(0, None), (1, 1), (5, 1), (5, 4), (5, None), (N_SAMPLES, 4)]
)
def test_a_stopped_training_goes_on(tmp_path, samples, whole, after, every):
    folder = tmp_path / "a" / "b"
    net = killed_training.network()
    options = {"checkpoint": folder, "checkpoint_every": every}
    with pytest.raises(Stop):
        net.train(stopping(samples, after), **options)
    # In the same process with the same object, and anew.
    again = killed_training.network()
    for one in (net, again):
        stats = one.train(iter(samples), **options)
        assert (state(one), counts(stats)) == whole
    assert len(files(folder)) <= 2
    assert files(folder)[-1] == f"checkpoint-{N_SAMPLES:012d}.safetensors"


def test_a_training_of_many_epochs_goes_on_within_each(tmp_path, samples):
    right = killed_training.network()
    stats = right.train(samples, epochs=3)
    net = killed_training.network()

    class Samples(list):
        left = 0

        def __iter__(self):
            for sample in super().__iter__():
                if Samples.left == 0:
                    raise Stop
                Samples.left -= 1
                yield sample

    several = Samples(samples)
    n_stops = 0
    while True:
        # Samples that are done are looked at again, so the stops must come ever later.
        Samples.left = 4 + 3 * n_stops
        try:
            ended = net.train(several, epochs=3, checkpoint=tmp_path, checkpoint_every=2)
            break
        except Stop:
            n_stops += 1
            net = killed_training.network()
    assert n_stops > 3
    assert state(net) == state(right)
    assert counts(ended) == counts(stats)


def test_a_finished_training_is_not_repeated(tmp_path, samples, whole):
    net = killed_training.network()
    net.train(samples, checkpoint=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    stats = killed_training.network().train(samples, checkpoint=tmp_path)
    assert counts(stats) == whole[1]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_stats_are_those_of_the_training_alone(tmp_path, samples):
    net = killed_training.network()
    net.train(samples[:3])
    twin = net.copy()
    stats = net.train(samples[3:6], checkpoint=tmp_path)
    assert counts(stats) == counts(twin.train(samples[3:6]))


def test_a_checkpoint_is_a_model_file(tmp_path, samples, whole):
    net = killed_training.network()
    net.train(samples, checkpoint=tmp_path)
    loaded = hr.Network.load(tmp_path / files(tmp_path)[-1])
    assert state(loaded) == whole[0]


def test_a_calibrated_network_and_a_variant_go_on(tmp_path, samples, whole):
    net = killed_training.network()
    net.calibrate(samples, rate=20.0)
    twin = net.copy()
    with pytest.raises(Stop):
        net.train(stopping(samples, 4), checkpoint=tmp_path)
    net = killed_training.network()
    net.calibrate(samples, rate=20.0)
    net.train(iter(samples), checkpoint=tmp_path)
    twin.train(samples)
    assert state(net) == state(twin)
    assert net.input_gain == twin.input_gain
    net.variant("HoNHoS")  # still knows what it was made of


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "no training"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, samples, whole, damage):
    net = killed_training.network()
    with pytest.raises(Stop):
        net.train(stopping(samples, 6), checkpoint=tmp_path, checkpoint_every=2)
    older, newest = sorted(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) * 2 // 3] ^= 4
    elif damage == "empty":
        content = b""
    elif damage == "foreign":
        content = b"GIF89a" * 100
    else:
        killed_training.network().save(newest)
        content = newest.read_bytes()
    newest.write_bytes(content)
    net = killed_training.network()
    with pytest.warns(hr.CheckpointWarning, match=f"{newest.name}.*goes on from {older.name}"):
        stats = net.train(iter(samples), checkpoint=tmp_path, checkpoint_every=2)
    assert (state(net), counts(stats)) == whole


def test_where_all_checkpoints_are_damaged_nothing_begins_anew(tmp_path, samples):
    net = killed_training.network()
    net.train(samples, checkpoint=tmp_path, checkpoint_every=2)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    before = files(tmp_path)
    with pytest.raises(hr.FormatError, match="checkpoint must hold a readable checkpoint"):
        killed_training.network().train(samples, checkpoint=tmp_path)
    assert files(tmp_path) == before


def test_parts_of_killed_processes_and_strangers(tmp_path, samples):
    part = tmp_path / "checkpoint-000000000001.safetensors.77-0.part"
    stranger = tmp_path / "notes.txt"
    part.write_bytes(b"half")
    stranger.write_text("mine")
    killed_training.network().train(samples[:2], checkpoint=tmp_path)
    assert not part.exists()
    assert stranger.read_text() == "mine"


def test_another_training_is_refused(tmp_path, samples):
    net = killed_training.network()
    with pytest.raises(Stop):
        net.train(stopping(samples, 5), checkpoint=tmp_path)
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    other_seed = hr.Network(killed_training.N_INPUTS, 5, plasticity=hr.STDP())
    learned = killed_training.network()
    learned.run(samples[0], learn=True)
    changed = [*samples[:3], samples[7], *samples[4:]]
    for network, given, named in (
        (other_seed, iter(samples), "another network"),
        (learned, iter(samples), "another network"),
        (killed_training.network(), iter(changed), "samples must be those"),
        (killed_training.network(), iter(samples[:3]), "samples must be those"),
        (killed_training.network(), samples, "the number of samples is None, not 12"),
    ):
        with pytest.raises(hr.ParameterError, match=named):
            network.train(given, checkpoint=tmp_path)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == before
    killed_training.network().train(iter(samples), checkpoint=tmp_path)
    with pytest.raises(hr.ParameterError, match="got more"):
        killed_training.network().train(iter([*samples, samples[0]]), checkpoint=tmp_path)


def test_other_epochs_are_refused(tmp_path, samples):
    killed_training.network().train(samples, epochs=2, checkpoint=tmp_path)
    with pytest.raises(hr.ParameterError, match="epochs is 2, not 3"):
        killed_training.network().train(samples, epochs=3, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"checkpoint": 3}, "checkpoint"),
        ({"checkpoint": ""}, "checkpoint"),
        ({"checkpoint": b"a" * 3, "checkpoint_every": 1}, "checkpoint"),
        ({"checkpoint_every": 3}, "checkpoint_every"),
        ({"checkpoint": "x", "checkpoint_every": 0}, "checkpoint_every"),
        ({"checkpoint": "x", "checkpoint_every": 1.5}, "checkpoint_every"),
    ],
)
def test_nonsense_is_refused_by_name(tmp_path, monkeypatch, samples, options, named):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(hr.ParameterError, match=named):
        killed_training.network().train(samples, **options)
    assert files(tmp_path) == []


def test_when_a_checkpoint_is_due(tmp_path, monkeypatch, samples):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    net = killed_training.network()
    made = net._assembly(), net._gain, Progress("a", 1, None)
    by_time = Checkpoints(tmp_path / "time")
    assert by_time.due(0)
    by_time.write(*made)
    clock[0] += 29.0
    assert not by_time.due(1000)
    clock[0] += 1.0
    assert by_time.due(1)
    by_count = Checkpoints(tmp_path / "count", 10)
    by_count.write(*made)
    clock[0] += 1000.0
    assert not by_count.due(9)
    assert by_count.due(10)


def test_writing_that_takes_long_happens_rarely(tmp_path, monkeypatch):
    times = iter([0.0, 10.0, 10.0, 209.0, 210.0])  # writing takes 10 s
    net = killed_training.network()
    checkpoints = Checkpoints(tmp_path)
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    checkpoints.write(net._assembly(), net._gain, Progress("a", 1, None))
    assert not checkpoints.due(1)
    assert checkpoints.due(1)


def test_the_digest_of_samples_knows_order_times_channels_and_length():
    def sample(t=5, channel=1, n_channels=3, duration=10):
        return hr.Events([t], [channel], n_channels, duration)

    first = chained("", sample())
    others = [sample(t=6), sample(channel=2), sample(n_channels=4), sample(duration=11)]
    assert len({first, *(chained("", one) for one in others), chained(first, sample())}) == 6


# --- Ctrl-C ---------------------------------------------------------------------------------


# Python may be hit between opening a folder and remembering to close it; the next collection does.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_ctrl_c_leaves_the_state_before_the_sample_it_hit(tmp_path, samples, whole):
    # The signals come from a timer, at any line of the training and of the writing.
    net, n_hits, attempt = killed_training.network(), 0, 0
    while True:
        attempt += 1
        delay = 0.003 + 0.0031 * attempt
        signal.setitimer(signal.ITIMER_REAL, delay)
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            stats = net.train(samples, checkpoint=tmp_path, checkpoint_every=1)
            signal.setitimer(signal.ITIMER_REAL, 0)
            break
        except KeyboardInterrupt:
            n_hits += 1
            if attempt % 2:
                net = killed_training.network()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert n_hits >= 3
    assert (state(net), counts(stats)) == whole


# --- kill -9 --------------------------------------------------------------------------------

KILLER = str(Path(killed_training.__file__))


def killed(folder: Path, n_kills: int, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, KILLER, str(folder), str(n_kills), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] >= n_kills
    assert told["ends"] >= 1
    assert told["wrong"] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_sigkill_at_random_instants_changes_no_bit(tmp_path):
    killed(tmp_path, 20, seed=1)


# --- disk full, read-only folders -----------------------------------------------------------

FULL = """if True:
    import os, resource, signal, sys
    from pathlib import Path
    import killed_training as made
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    samples = made.samples()
    net = made.network()
    net.train(samples[:2], checkpoint=folder)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    size = max(map(len, whole.values()))
    n_refused = 0
    for k in range(int(sys.argv[2])):
        limit = size * k // int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            net.save(folder / sorted(whole)[-1])
        except OSError as error:
            assert error.errno == 27 and sorted(whole)[-1] in str(error), repr(error)
            n_refused += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    print(n_refused)
"""


def run_code(code: str, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes here")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    assert run_code(FULL, tmp_path, 50) == "50\n"


def test_a_training_whose_disk_fills_up_goes_on_from_what_was_kept(tmp_path, samples, whole):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    net = killed_training.network()
    with pytest.raises(Stop):
        net.train(stopping(samples, 4), checkpoint=tmp_path, checkpoint_every=1)
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hrsnn_rs._hrsnn.save_arrays", full)
        with pytest.raises(OSError, match="No space left") as caught:
            net.train(iter(samples), checkpoint=tmp_path, checkpoint_every=1)
    assert "No checkpoint of this moment was written" in caught.value.__notes__[0]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == before
    stats = killed_training.network().train(iter(samples), checkpoint=tmp_path)
    assert counts(stats) == whole[1]
    # And with the network that was left in memory, one sample ahead of the file: told apart.
    with pytest.raises(hr.ParameterError, match="another network"):
        net.train(iter(samples), checkpoint=tmp_path)


@pytest.mark.parametrize("place", ["/proc/hrsnn", "file/below", "file"])
def test_a_folder_that_cannot_be_is_an_os_error(tmp_path, samples, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"hrsnn|file"):
        killed_training.network().train(samples[:1], checkpoint=tmp_path / place)


def test_a_folder_that_allows_no_writing_is_an_os_error_at_the_start(samples):
    folder = Path("/sys/kernel")
    if not folder.is_dir():
        pytest.skip("no file system here that even root may not write to")
    net = killed_training.network()
    before = state(net)
    with pytest.raises(OSError, match="checkpoint-000000000000"):
        net.train(samples[:1], checkpoint=folder)
    assert state(net) == before


def test_the_state_left_behind_by_a_bad_sample_is_kept(tmp_path, samples, whole):
    bad = hr.Events([1], [0], n_channels=3)
    with pytest.raises(hr.ShapeError, match="channels"):
        killed_training.network().train(iter([*samples[:4], bad]), checkpoint=tmp_path)
    assert f"checkpoint-{4:012d}.safetensors" in files(tmp_path)
    net = killed_training.network()
    net.train(iter(samples), checkpoint=tmp_path)
    assert state(net) == whole[0]


def test_two_threads_may_not_teach_in_turns(tmp_path, samples):
    net = killed_training.network()

    def meddled():
        for k, sample in enumerate(samples):
            if k == 3:
                net.run(sample, learn=True)
            yield sample

    with pytest.raises(hr.ParameterError, match="one training at a time"):
        net.train(meddled(), checkpoint=tmp_path)
    assert np.isfinite(net.recurrent_weights.data).all()


def test_another_training_in_the_same_folder_is_refused(tmp_path, samples, whole):
    pytest.importorskip("fcntl")

    def met():
        yield from samples[:3]
        with pytest.raises(hr.ParameterError, match=r"another training is at work in .*\.$"):
            killed_training.network().train(samples, checkpoint=tmp_path)
        yield from samples[3:]

    # What a killed process left behind keeps nobody out.
    (tmp_path / "checkpoint.lock").touch()
    net = killed_training.network()
    net.train(met(), checkpoint=tmp_path, checkpoint_every=1)
    assert state(net) == whole[0]
    assert all(name.endswith(".safetensors") for name in files(tmp_path))

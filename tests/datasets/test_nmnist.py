"""N-MNIST: five-byte events, the digits' folders, and official numbers as far as they go."""

import os
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.datasets.doctor import inspect, open_dataset
from hrsnn_rs.datasets.nmnist import NMNIST
from hrsnn_rs.datasets.tonic_samples import from_tonic
from hrsnn_rs.errors import DataWarning, FormatError
from nmnist_files import write_bin


def sample(number: int, n: int = 50) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(number)
    t = np.sort(random.integers(0, 300_000, n))
    t[-1] = 305_000
    return t, *random.integers(0, 34, (2, n)), random.integers(0, 2, n)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, per_digit in (("Train", 3), ("Test", 2)):
        for digit in range(10):
            place = tmp_path / "NMNIST" / part / str(digit)
            place.mkdir(parents=True)
            for n in range(per_digit):
                write_bin(place / f"{10 * n + digit + 1:05d}.bin", *sample(10 * n + digit))
    return tmp_path


def test_samples_are_read_by_digit_and_part(folder: Path) -> None:
    training, test = NMNIST(folder, "train"), NMNIST(folder / "NMNIST", "test")
    assert (len(training), len(test), len(NMNIST(folder))) == (30, 20, 50)
    np.testing.assert_array_equal(training.labels, np.repeat(np.arange(10), 3))
    assert training.classes[:2] == ["zero", "one"]
    events, label = training[4]
    assert label == 1
    t, x, y, p = sample(11)
    for read, written in zip((events.t, events.x, events.y, events.p), (t, x, y, p), strict=True):
        np.testing.assert_array_equal(read, written)
    assert (events.height, events.width, events.duration) == (34, 34, 305_001)
    assert not training.subjects_known
    with pytest.warns(DataWarning, match="may leak: it is not recorded"):
        training.split(n_test=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:-1], r"byte 245: the file is cut: events have 5 bytes, 4 are left"),
        (lambda b: b[:100], r"the file is cut: it ends after \d+ µs, of some 300000"),
        (lambda _: b"", "the file is cut: it ends before its first event"),
        (lambda b: b[:50] + b"\x22" + b[51:], "byte 50: event at x 34, y"),
        (lambda b: b[:51] + b"\xf0" + b[52:], r"byte 50: event at x \d+, y 240, outside"),
        (lambda b: b[-5:] + b[5:], "t must not decrease; .* at event 1"),
    ],
)
def test_wrong_samples_are_named(folder: Path, change: object, message: str) -> None:
    training = NMNIST(folder, "train")
    path = training.paths[7]
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(FormatError, match=rf"{path.name}: {message}"):
        training[7]


def test_doctor_counts_digits(folder: Path) -> None:
    assert isinstance(open_dataset(folder), NMNIST)
    path = folder / "NMNIST" / "Train" / "3" / "00004.bin"
    path.write_bytes(path.read_bytes()[:-2])
    found = inspect(folder)
    assert (found.dataset, found.found["train samples"]) == ("NMNIST", 30)
    assert found.expected == {"train samples": 60_000, "test samples": 10_000}
    said = {(one.kind, one.path) for one in found.problems}
    assert ("truncated", "NMNIST/Train/3/00004.bin") in said
    assert ("missing", "NMNIST/Train/3") in said
    words = [one.words for one in found.problems if one.path == "NMNIST/Test/1"]
    assert words == ["1133 of 1135 samples are missing"]
    assert any("mendeley" in sentence for sentence in found.advice)


def test_folders_without_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no samples of N-MNIST"):
        NMNIST(tmp_path)
    (tmp_path / "Train" / "0").mkdir(parents=True)
    with pytest.raises(FormatError, match="no samples"):
        NMNIST(tmp_path)


def test_real_samples_survive_their_format(tmp_path: Path) -> None:
    real = Path(os.environ.get("HRSNN_DATA", "")) / "nmnist" / "nmnist.npz"
    if "HRSNN_DATA" not in os.environ or not real.is_file():
        pytest.skip("HRSNN_DATA names no folder with nmnist")
    data = dict(np.load(real))
    for n in range(0, 1000, 50):
        part = slice(data["offsets"][n], data["offsets"][n + 1])
        place = tmp_path / "Test" / str(data["label"][n])
        place.mkdir(parents=True, exist_ok=True)
        columns = [data[name][part].astype(np.int64) for name in "txyp"]
        write_bin(place / f"{n:05d}.bin", *columns)
    samples = NMNIST(tmp_path)
    assert len(samples) == 20
    for (events, label), path in zip(samples, samples.paths, strict=True):
        n = int(path.stem)
        part = slice(data["offsets"][n], data["offsets"][n + 1])
        assert label == data["label"][n]
        np.testing.assert_array_equal(events.t, data["t"][part])
        np.testing.assert_array_equal(events.y, data["y"][part])


@pytest.mark.external
def test_tonic_gives_the_same_events(folder: Path) -> None:
    tonic = pytest.importorskip("tonic")
    (folder / "NMNIST" / "test.zip").touch()
    # tonic believes nothing below 10,000 files.
    for n in range(10_000):
        (folder / "NMNIST" / "Test" / "0" / f"x{n}.bin.bin").touch()
    theirs = tonic.datasets.NMNIST(str(folder), train=False)
    kept = [n for n, name in enumerate(theirs.data) if "bin.bin" not in name]
    theirs.data, theirs.targets = (
        [column[n] for n in kept] for column in (theirs.data, theirs.targets)
    )
    ours, through = NMNIST(folder, "test"), from_tonic(theirs)
    assert len(through) == len(ours) == 20
    for n in range(20):
        assert through[n] == ours[n]

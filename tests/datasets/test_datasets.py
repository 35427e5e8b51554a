"""Data sets: same bits in any order, disjoint subjects, and files that are not what they say."""

import contextlib
import hashlib
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.datasets.event_folder import load_folder
from hrsnn_rs.datasets.gesture_set import make_gestures
from hrsnn_rs.datasets.samples import EventSamples, reversed_pairs
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.events import SensorEvents
from hrsnn_rs.made_up.gestures import CLASSES
from numpy.typing import NDArray

T, X, Y, P = [5, 10, 10], [1, 2, 127], [0, 5, 3], [0, 1, 1]


def digest(events: SensorEvents) -> str:
    columns = (events.t, events.x, events.y, events.p)
    return hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()


def digests(samples: Iterable[tuple[SensorEvents, int]]) -> list[str]:
    return [digest(events) for events, _ in samples]


def small(**arguments: int) -> EventSamples:
    options = {"n_subjects": 2, "n_repeats": 1, "size": 32, "duration": 300_000}
    return make_gestures(**(options | arguments))


# Gestures


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    first = digests(small(seed=4))
    assert digests(small(seed=4)) == first
    assert set(first).isdisjoint(digests(small(seed=5)))
    assert len(set(first)) == len(first)


def test_a_sample_does_not_depend_on_order_threads_or_size_of_the_set() -> None:
    forward = digests(small())
    backward = small()
    assert [digest(backward[i][0]) for i in reversed(range(22))] == forward[::-1]
    threaded = make_gestures(2, 1, size=32, duration=300_000)
    threaded.prepare(n_threads=4)
    assert digests(threaded) == forward
    larger = small(n_subjects=3, n_repeats=2)
    assert [digest(larger[i][0]) for i in range(11)] == forward[:11]
    assert [digest(larger[i][0]) for i in range(22, 33)] == forward[11:]


def test_every_class_and_subject_is_there_equally_often() -> None:
    samples = make_gestures(n_subjects=3, n_repeats=2)
    assert samples.classes == list(CLASSES)
    assert len(samples) == 66
    np.testing.assert_array_equal(np.bincount(samples.labels), 6)
    np.testing.assert_array_equal(np.bincount(samples.groups), 22)


def test_full_clips_have_as_many_events_as_a_recording_would() -> None:
    # DVS128 recordings: 44 to 125 thousand events a second on 4 times as many pixels.
    samples = make_gestures(n_subjects=2, n_repeats=1, seed=9)
    for row in samples.index.iter_rows(named=True):
        assert 2_000 < row["n_events"] < 60_000, row
    for events, _ in samples:
        assert (events.height, events.width, events.duration) == (64, 64, 1_200_000)
        assert 0.3 < events.p.mean() < 0.7
        # Something happens in every fifth of the clip.
        assert (np.bincount(events.t * 5 // events.duration, minlength=5) > 100).all()


def test_index_has_one_row_per_sample() -> None:
    samples = small()
    index = samples.index
    assert index.schema == {
        "sample": pl.Int64,
        "label": pl.Int64,
        "class_name": pl.String,
        "subject": pl.Int64,
        "n_events": pl.Int64,
        "duration": pl.Int64,
    }
    assert index["sample"].to_list() == list(range(22))
    assert index["n_events"].to_list() == [len(events) for events, _ in samples]
    assert index["class_name"].to_list() == [CLASSES[label] for _, label in samples]
    assert index["duration"].unique().to_list() == [300_000]


def test_access_is_that_of_a_sequence() -> None:
    samples = small()
    assert digest(samples[-1][0]) == digest(samples[21][0])
    assert samples[np.int64(3)][1] == 3
    assert samples[0][0] is samples[0][0]
    for sample in (22, -23):
        with pytest.raises(IndexError, match=f"sample must be below 22; got {sample}"):
            samples[sample]
    for wrong in (1.0, "a", slice(2)):
        with pytest.raises(ParameterError, match="sample must be a whole number"):
            samples[wrong]  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        samples.labels[0] = 3
    assert digests(pickle.loads(pickle.dumps(samples))) == digests(samples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_subjects": 0}, "n_subjects must be at least 1; got 0"),
        ({"n_repeats": 1.5}, "n_repeats must be a whole number; got 1.5"),
        ({"n_repeats": None}, "n_repeats must be a whole number; got None"),
        ({"seed": -1}, "seed must be at least 0; got -1"),
        ({"seed": 2**64}, "seed must be at most"),
        ({"size": 15}, "size must be at least 16; got 15"),
        ({"duration": 4000}, "duration must be at least 4001 µs; got 4000"),
        ({"n_threads": 0}, "n_threads must be at least 1; got 0"),
    ],
)
def test_arguments_of_gestures_are_checked(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make_gestures(**arguments)


# Splits, subsets, pairs


def test_splits_are_disjoint_by_subject_and_cover_everything() -> None:
    samples = make_gestures(n_subjects=5, n_repeats=2)
    seen = set()
    for seed in range(10):
        train, test = samples.split(n_test=2, seed=seed)
        assert set(samples.groups[train]).isdisjoint(samples.groups[test])
        assert len(set(samples.groups[test])) == 2
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(110))
        np.testing.assert_array_equal(test, samples.split(n_test=2, seed=seed)[1])
        seen.add(tuple(test))
    assert len(seen) > 3
    _, test = samples.split(test_groups=[0, 3])
    assert set(samples.groups[test].tolist()) == {0, 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Exactly one of test_groups and n_test"),
        ({"test_groups": [0], "n_test": 1}, "Exactly one of test_groups and n_test"),
        ({"test_groups": [7]}, "test_groups must be subjects of these samples; 7 is not"),
        ({"test_groups": []}, "at least one of 2 subjects on each side; got 0"),
        ({"n_test": 2}, "at least one of 2 subjects on each side; got 2"),
        ({"n_test": 9}, "at least one of 2 subjects on each side; got 9"),
        ({"n_test": 0}, "n_test must be at least 1"),
        ({"n_test": 1, "seed": 0.5}, "seed must be a whole number"),
    ],
)
def test_impossible_splits_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        small().split(**arguments)  # type: ignore[arg-type]


def test_subsets_are_views_and_can_be_nested() -> None:
    samples = small()
    part = samples.subset([20, 3, 3]).subset([2, 0])
    np.testing.assert_array_equal(part.labels, [3, 9])
    np.testing.assert_array_equal(part.groups, [0, 1])
    assert part[0][0] is samples[3][0]
    assert part.index["n_events"].to_list() == [len(samples[3][0]), len(samples[20][0])]
    assert part.index["sample"].to_list() == [0, 1]
    with pytest.raises(ParameterError, match="indices must be below 22; got 22 at index 1"):
        samples.subset([0, 22])


def test_reversed_pairs_have_the_same_counts_in_the_other_order() -> None:
    samples = small()
    pairs = reversed_pairs(samples)
    assert len(pairs) == 44
    assert len(pairs.classes) == 22
    np.testing.assert_array_equal(pairs.labels, 2 * pairs.gestures + pairs.directions)
    np.testing.assert_array_equal(pairs.groups, np.repeat(samples.groups, 2))
    for sample in (0, 7):
        (forward, label), (backward, other) = pairs[2 * sample], pairs[2 * sample + 1]
        assert (label, other) == (2 * samples.labels[sample], 2 * samples.labels[sample] + 1)
        assert digest(forward) == digest(samples[sample][0])
        assert digest(backward.reversed()) == digest(forward)
        np.testing.assert_array_equal(backward.t, 299_999 - forward.t[::-1])
        np.testing.assert_array_equal(backward.p, forward.p[::-1])
    train, test = pairs.split(n_test=1)
    assert set(pairs.groups[train]).isdisjoint(pairs.groups[test])
    with pytest.raises(ParameterError, match="samples must be a data set"):
        reversed_pairs([samples[0]])  # type: ignore[arg-type]


# Folders of npz files


def write(path: Path, **arrays: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = {"t": T, "x": X, "y": Y, "p": P} | arrays
    given: dict[str, Any] = {k: np.asarray(v) for k, v in contents.items() if v is not None}
    np.savez(path, **given)
    return path


def test_classes_and_files_are_in_numerical_order(tmp_path: Path) -> None:
    for name in ("10", "9", "2"):
        for n in (10, 9, 1):
            write(tmp_path / name / f"{n}.npz", t=[n], x=[0], y=[0], p=[0])
    (tmp_path / "README.md").touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / "2" / "notes.txt").touch()
    samples = load_folder(tmp_path)
    assert samples.classes == ["2", "9", "10"]
    assert [path.name for path in samples.paths[:3]] == ["1.npz", "9.npz", "10.npz"]
    np.testing.assert_array_equal(samples.labels, [0, 0, 0, 1, 1, 1, 2, 2, 2])
    tens = load_folder(tmp_path, clips_per_subject=10)
    np.testing.assert_array_equal(tens.groups[:3], [0, 0, 1])
    assert [int(events.t[0]) for events, _ in samples][:3] == [1, 9, 10]


def test_named_classes_are_in_alphabetical_order(tmp_path: Path) -> None:
    for name in ("wave", "1", "clap"):
        write(tmp_path / name / "0.npz")
    assert load_folder(tmp_path).classes == ["1", "clap", "wave"]


def test_one_class_is_enough_and_size_comes_from_file_or_argument(tmp_path: Path) -> None:
    write(tmp_path / "a" / "0.npz")
    write(tmp_path / "a" / "1.npz", height=240, width=180, duration=999, x=[1, 2, 179])
    samples = load_folder(tmp_path)
    first, second = samples[0][0], samples[1][0]
    assert (first.height, first.width, first.duration) == (128, 128, 11)
    assert (second.height, second.width, second.duration) == (240, 180, 999)
    given = load_folder(tmp_path, sensor_size=(128, 200))
    assert given[0][0].width == 200
    with pytest.raises(FormatError, match=r"1\.npz: recorded with \(240, 180\) pixels"):
        given[1]
    for size in ((128,), 128, (128, 0), (1.5, 3)):
        with pytest.raises(ParameterError, match="sensor_size"):
            load_folder(tmp_path, sensor_size=size)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="clips_per_subject must be at least 1"):
        load_folder(tmp_path, clips_per_subject=0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"t": [5, 4, 10]}, "t must not decrease; .*event 1"),
        ({"t": [-5, 4, 10]}, "t must .*-5 at event 0"),
        ({"x": [1, 2, 128]}, r"x is 128 at event 2, outside .* give sensor_size"),
        ({"y": [1, -2, 8]}, "y must .*-2 at event 1"),
        ({"p": [0, 2, 1]}, "p must .*2 at event 1"),
        ({"p": None}, r"array 'p' is missing; it has \['t', 'x', 'y'\]"),
        ({"t": [0.5, 1.0, 2.0]}, "array 't' must hold integers; got float64"),
        ({"x": ["a", "b", "c"]}, "array 'x' must hold integers; got <U1"),
        ({"x": [True, True, False]}, "array 'x' must hold integers; got bool"),
        ({"x": np.array([1, None, 2], object)}, "array 'x' holds Python objects"),
        ({"x": [1, 2]}, "length"),
        ({"x": [[1, 2, 3]]}, "x must have 1 dimension"),
        ({"t": np.zeros(0, int)}, "x must have the length of t"),
        ({"height": 10}, "height and width must be given both"),
        ({"height": 1.0, "width": 1.0}, "array '(height|width)' must hold integers"),
        ({"duration": [1, 2]}, r"duration must be one number; got shape \(2,\)"),
        ({"duration": 7}, "duration"),
    ],
)
def test_files_with_wrong_contents_are_named(
    tmp_path: Path, arrays: dict[str, object], message: str
) -> None:
    path = write(tmp_path / "a" / "3.npz", **arrays)
    samples = load_folder(tmp_path)
    with pytest.raises(FormatError, match=message) as caught:
        samples[0]
    assert str(path) in str(caught.value)
    assert "allow_pickle" not in str(caught.value)


def test_any_cut_of_a_file_is_refused_or_harmless(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "3.npz")
    whole = path.read_bytes()
    samples = load_folder(tmp_path)
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"3\.npz"):
            samples[0]


def test_any_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "3.npz")
    whole = path.read_bytes()
    samples = load_folder(tmp_path)
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        with contextlib.suppress(FormatError):
            samples[0]


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a" / "3.npz"
    path.parent.mkdir()
    samples = None
    for contents in (b"", b"not an archive", pickle.dumps({"t": [1]})):
        path.write_bytes(contents)
        samples = load_folder(tmp_path)
        with pytest.raises(FormatError, match=r"3\.npz: cannot be read") as caught:
            samples[0]
        assert "allow_pickle" not in str(caught.value)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert samples is not None
    with pytest.raises(FormatError, match="must be an npz archive; it holds a single array"):
        samples[0]
    path.unlink()
    with pytest.raises(FormatError, match="No such file"):
        samples[0]


def test_folders_without_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such folder"):
        load_folder(tmp_path / "missing")
    with pytest.raises(FormatError, match=r"no samples; expected <class>/<clip>\.npz"):
        load_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match="must be a folder"):
        load_folder(tmp_path / "file")
    (tmp_path / "wave").mkdir()
    with pytest.raises(FormatError, match="no samples"):
        load_folder(tmp_path)
    (tmp_path / "user01_lab").mkdir()
    np.save(tmp_path / "user01_lab" / "first.npy", recording())
    with pytest.raises(FormatError, match=r"first\.npy: the name must be a number"):
        load_folder(tmp_path)


# Folders as tonic writes DVSGesture


def recording(**columns: list[float]) -> NDArray[np.float64]:
    values = {"x": X, "y": Y, "p": P, "t": [0.25, 1.0, 1.5]} | columns
    return np.array([values[name] for name in "xypt"], np.float64).T


@pytest.mark.parametrize("below", ["", "ibmGestureTest"])
def test_tonic_folders_are_read_by_user_and_label(tmp_path: Path, below: str) -> None:
    for user, labels in (("user24_led", (10, 2)), ("user02_fluorescent_led", (0,))):
        folder = tmp_path / below / user
        folder.mkdir(parents=True)
        for label in labels:
            np.save(folder / f"{label}.npy", recording())
    samples = load_folder(tmp_path)
    assert samples.classes == list(CLASSES)
    np.testing.assert_array_equal(samples.labels, [0, 2, 10])
    np.testing.assert_array_equal(samples.groups, [2, 24, 24])
    events, _ = samples[0]
    np.testing.assert_array_equal(events.t, [250, 1000, 1500])
    np.testing.assert_array_equal(events.x, X)
    np.testing.assert_array_equal(events.y, Y)
    np.testing.assert_array_equal(events.p, P)
    assert (events.height, events.width, events.duration) == (128, 128, 1501)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (recording(t=[1.0, 0.5, 2.0]), "t must .*at event 1"),
        (recording(t=[1.0, np.nan, 2.0]), "t must .*nan at event 1"),
        (recording(x=[1.0, 1.5, 2.0]), "x must .*1.5 at event 1"),
        (recording(y=[1.0, 1.0, 128.0]), "y must .*128.* at event 2"),
        (recording(p=[-1.0, 1.0, 1.0]), "p must .*-1"),
        (recording().astype(int), "must hold floats; got int64"),
        (recording().T, r"must have the columns x, y, p, t; got shape \(4, 3\)"),
        (np.zeros((0, 4)), "holds no events: remove it"),
        (np.zeros(4), r"got shape \(4,\)"),
        (np.array([{}]), "holds Python objects"),
    ],
)
def test_wrong_tonic_files_are_named(
    tmp_path: Path, table: NDArray[np.generic], message: str
) -> None:
    path = tmp_path / "user01_lab" / "4.npy"
    path.parent.mkdir()
    np.save(path, table)
    samples = load_folder(tmp_path)
    with pytest.raises(FormatError, match=message) as caught:
        samples[0]
    assert str(path) in str(caught.value)


def test_tonic_labels_out_of_range_are_refused(tmp_path: Path) -> None:
    (tmp_path / "user01_lab").mkdir()
    np.save(tmp_path / "user01_lab" / "11.npy", recording())
    with pytest.raises(FormatError, match=r"11\.npy: the name must be a label below 11; got 11"):
        load_folder(tmp_path)


# Real recordings


@pytest.fixture(scope="module")
def real() -> Path:
    folder = os.environ.get("HRSNN_DATA")
    if not folder:
        pytest.skip("HRSNN_DATA names no folder of recordings")
    path = Path(folder) / "sign_gestures" / "train"
    if not path.is_dir():
        pytest.skip(f"{path} is absent")
    return path


def test_sign_gestures_are_indexed_and_read(real: Path) -> None:
    assert not load_folder(real).subjects_known
    samples = load_folder(real, clips_per_subject=5)
    assert samples.subjects_known
    assert len(samples) == 600
    assert samples.classes == [str(n) for n in range(15)]
    np.testing.assert_array_equal(np.bincount(samples.labels), 40)
    np.testing.assert_array_equal(np.bincount(samples.groups), 75)
    for sample in range(0, 600, 60):
        events, label = samples[sample]
        assert label == sample // 40
        assert len(events) > 1000
        assert 1_000_000 < events.duration < 8_000_000
    train, test = samples.split(test_groups=[0, 1])
    assert (len(train), len(test)) == (450, 150)

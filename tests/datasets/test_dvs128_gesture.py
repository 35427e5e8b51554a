"""DVS128 Gesture: official numbers in both layouts, and what is said when files are not right."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from aedat_files import write_aedat
from dvs128_folders import (
    copy,
    events_of,
    labels_of,
    real_files,
    write_ibm,
    write_recording,
    write_tonic,
)
from hrsnn_rs.datasets.doctor import inspect, open_dataset, told
from hrsnn_rs.datasets.dvs128_files import RECORDINGS, read_labels, read_list
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import load_folder
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
from hrsnn_rs.made_up.gestures import CLASSES

KNOWN_MISTAKE = "user22_led_labels.csv: line 11: class 9 is said to end at 104500"


@pytest.fixture(scope="module")
def ibm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ibm") / "DvsGesture"
    write_ibm(folder)
    return folder


@pytest.fixture(scope="module")
def tonic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tonic") / "DVSGesture"
    write_tonic(folder)
    return folder


# As IBM ships it


def test_numbers_classes_and_persons_are_the_official_ones(ibm: Path) -> None:
    assert len(RECORDINGS) == 122
    with pytest.warns(DataWarning, match=KNOWN_MISTAKE):
        training = DVS128Gesture(ibm, "train")
    test = DVS128Gesture(ibm, "test")
    assert (len(training), len(test)) == (1176, 288)
    assert training.classes == list(CLASSES)
    assert len(set(training.paths)) == 98
    assert len(set(test.paths)) == 24
    assert set(training.groups.tolist()) == set(range(1, 24))
    assert set(test.groups.tolist()) == set(range(24, 30))
    np.testing.assert_array_equal(np.bincount(test.labels), [24] * 7 + [48] + [24] * 3)
    assert test.index["split"].unique().to_list() == ["test"]
    assert test.split_warning is None
    with pytest.warns(DataWarning, match=KNOWN_MISTAKE):
        everything = DVS128Gesture(ibm.parent)
    assert len(everything) == 1464
    once = DVS128Gesture(ibm, "test", one_per_class=True)
    assert len(once) == 264
    np.testing.assert_array_equal(np.bincount(once.labels), [24] * 11)
    with pytest.warns(DataWarning):
        assert len(DVS128Gesture(ibm, "train", one_per_class=True)) == 1078


def test_clips_have_the_events_between_their_times(ibm: Path) -> None:
    test = DVS128Gesture(ibm, "test")
    for sample in (0, 100, 287):
        recording = test.recordings[sample]
        name = recording.path.stem
        rows = [row for row in labels_of(name) if row[1] == recording.start]
        assert [(row[0] - 1, row[2]) for row in rows] == [(recording.label, recording.stop)]
        t, x, y, p = events_of(name, labels_of(name)[-1][2] + 10_000)
        inside = (t >= rows[0][1]) & (t < rows[0][2])
        events, label = test[sample]
        assert label == recording.label
        np.testing.assert_array_equal(events.t, t[inside] - rows[0][1])
        np.testing.assert_array_equal(events.x, x[inside])
        np.testing.assert_array_equal(events.y, y[inside])
        np.testing.assert_array_equal(events.p, p[inside])
        assert events.duration == rows[0][2] - rows[0][1]
    encoded = DVS128Gesture(ibm, "test", EventEncoder(128, 128))
    again = pickle.loads(pickle.dumps(encoded))
    assert again[3][0] == EventEncoder(128, 128)(test[3][0])


def test_the_known_mistake_ends_where_the_next_clip_begins(ibm: Path) -> None:
    with pytest.warns(DataWarning):
        training = DVS128Gesture(ibm, "train")
    clips = {one.label: one for one in training.recordings if one.path.stem == "user22_led"}
    assert clips[8].stop == clips[9].start
    other = [one for one in training.recordings if one.path.stem == "user22_lab" and one.label == 8]
    assert other[0].stop != clips[8].stop


def test_missing_recordings_are_said_and_lists_are_obeyed(ibm: Path, tmp_path: Path) -> None:
    folder = copy(ibm, tmp_path / "copy")
    (folder / "user24_led.aedat").unlink()
    (folder / "user25_led_labels.csv").unlink()
    with pytest.warns(DataWarning, match="2 of 24 recordings are missing, user24_led among them"):
        test = DVS128Gesture(folder, "test")
    assert len(test) == 264
    (folder / "trials_to_test.txt").unlink()
    with pytest.warns(DataWarning, match="2 of 24 recordings are missing"):
        assert len(DVS128Gesture(folder, "test")) == 264


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12,1,2", r"line 2: class must be from 1 to 11; got 12"),
        ("0,1,2", r"line 2: class must be from 1 to 11; got 0"),
        ("1,5,5", r"line 2: the end must be after the start; got 5 to 5"),
        ("1,5", r"line 2 must be class,startTime_usec,endTime_usec; got '1,5'"),
        ("1,-5,9", r"line 2 must be"),
        ("1,2.5,9", r"line 2 must be"),
        ("", "no clips"),
        ("\xff\xfe", "line 2 must be"),
    ],
)
def test_wrong_label_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "user01_led_labels.csv"
    path.write_text(f"class,startTime_usec,endTime_usec\r\n{text}\r\n", encoding="utf-8")
    with pytest.raises(FormatError, match=rf"user01_led_labels\.csv: {message}"):
        read_labels(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(FormatError, match="must be a text file"):
        read_labels(path)
    path.write_text("user01_led.aedat\nmovie.avi\n")
    with pytest.raises(FormatError, match=r"line 2 must be userNN_light\.aedat; got 'movie\.avi'"):
        read_list(path)


def test_a_recording_that_ends_early_is_refused(tmp_path: Path) -> None:
    write_recording(tmp_path, "user24_led")
    t, x, y, p = events_of("user24_led", 60_000)
    write_aedat(tmp_path / "user24_led.aedat", t, x, y, p)
    with pytest.warns(DataWarning, match="23 of 24 recordings are missing"):
        test = DVS128Gesture(tmp_path, "test", allowed_gap=1000)
    assert len(test[4][0]) > 0
    with pytest.raises(FormatError, match=r"the recording ends at .* the file may be cut"):
        test[8]
    with pytest.raises(ParameterError, match="split must be one of 'train', 'test'; got 'val'"):
        DVS128Gesture(tmp_path, "val")
    with pytest.raises(FormatError, match=r"no samples of the split 'train'"):
        DVS128Gesture(tmp_path, "train")
    with pytest.raises(FormatError, match="no recordings of DVS128 Gesture"):
        DVS128Gesture(tmp_path / "elsewhere")


def test_real_labels_and_lists_are_read() -> None:
    folder = real_files()
    if folder is None:
        pytest.skip("HRSNN_DATA names no folder with dvs128_gesture")
    clips = read_labels(folder / "user01_natural_labels.csv")
    assert [clip.label + 1 for clip in clips] == [1, 2, 3, 5, 4, 6, 7, 8, 8, 9, 10, 11]
    assert clips[0][:3] == (0, 53036986, 59508469)
    for part in ("train", "test"):
        names = read_list(folder / f"trials_to_{part}.reconstructed.txt")
        assert names == [name for name, its in RECORDINGS.items() if its == part]


# As tonic unpacks it


def test_tonic_numbers_are_the_official_ones(tonic_folder: Path) -> None:
    training, test = (DVS128Gesture(tonic_folder, split) for split in ("train", "test"))
    assert (len(training), len(test)) == (1077, 264)
    assert set(training.groups.tolist()) == set(range(1, 24))
    assert set(test.groups.tolist()) == set(range(24, 30))
    assert len(DVS128Gesture(tonic_folder.parent)) == 1341
    alone = DVS128Gesture(tonic_folder / "ibmGestureTest")
    assert alone.index["split"].unique().to_list() == ["test"]
    assert len(alone) == 264
    as_folder = load_folder(tonic_folder)
    events, label = as_folder[100]
    same = [n for n, path in enumerate(test.paths) if path == as_folder.paths[100]]
    assert test[same[0]] == (events, label)


@pytest.mark.external
def test_tonic_gives_the_same_events(tonic_folder: Path) -> None:
    tonic = pytest.importorskip("tonic")
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        (tonic_folder / f"{part}.tar.gz").touch()
    for train, split in ((True, "train"), (False, "test")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = tonic.datasets.DVSGesture(str(tonic_folder.parent), train=train)
        ours = DVS128Gesture(tonic_folder.parent, split)
        assert len(theirs) == len(ours)
        place = {str(path): sample for sample, path in enumerate(ours.paths)}
        for sample in range(0, len(theirs), 10):
            array, target = theirs[sample]
            events, label = ours[place[theirs.data[sample]]]
            assert label == target
            for name in "txyp":
                np.testing.assert_array_equal(getattr(events, name), array[name])


# The doctor


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in inspect(folder).problems]


def test_whole_folders_are_found_whole(ibm: Path, tonic_folder: Path) -> None:
    found = inspect(ibm.parent)
    assert (found.dataset, found.root) == ("DVS128Gesture", str(ibm))
    assert found.is_complete, found.found
    assert found.is_sound
    assert [(one.kind, one.path) for one in found.problems] == [
        ("note", "DvsGesture/user22_led_labels.csv")
    ]
    assert found.found["recordings"] == 122
    assert found.advice == ()
    assert "recordings: 122 of 122" in told(found)
    found = inspect(tonic_folder)
    assert found.is_complete, found.found
    assert found.problems == ()
    assert found.found["samples"] == 1341
    with pytest.warns(DataWarning):
        assert len(open_dataset(ibm.parent)) == 1464
    assert len(open_dataset(tonic_folder, "test")) == 264


def test_what_is_wrong_with_ibm_s_folder_is_found(ibm: Path, tmp_path: Path) -> None:
    folder = copy(ibm, tmp_path / "copy")
    (folder / "user03_led.aedat").unlink()
    (folder / "user04_led_labels.csv").unlink()
    (folder / "trials_to_train.txt").unlink()
    (folder / "more").mkdir()
    (folder / "user05_led.aedat").rename(folder / "more" / "user05_led.aedat")
    (folder / "user06_led.aedat").rename(folder / "user99_led.aedat")
    for name, change in (
        ("user07_led", lambda whole: whole[:-9]),
        ("user08_led", lambda whole: b"PK" + whole),
        ("user09_led", lambda whole: whole[: len(whole) // 2 // 828 * 828 + 111]),
        ("user10_led", lambda _: (folder / "user11_natural.aedat").read_bytes()),
    ):
        path = folder / f"{name}.aedat"
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(change(whole))
    (folder / "user12_led_labels.csv").unlink()
    (folder / "user12_led_labels.csv").write_text("class\nnonsense\n")
    found = inspect(folder)
    said = {(one.kind, one.path) for one in found.problems}
    assert said == {
        ("note", "trials_to_train.txt"),
        ("note", "user22_led_labels.csv"),
        ("missing", "user03_led.aedat"),
        ("missing", "user04_led_labels.csv"),
        ("missing", "user05_led.aedat"),
        ("misplaced", "more/user05_led.aedat"),
        ("missing", "user06_led.aedat"),
        ("misplaced", "user99_led.aedat"),
        ("truncated", "user07_led.aedat"),
        ("unreadable", "user08_led.aedat"),
        ("truncated", "user09_led.aedat"),
        ("duplicated", "user11_natural.aedat"),
        ("unreadable", "user12_led_labels.csv"),
    }
    assert found.found["recordings"] == 119
    assert not found.is_complete
    assert any("DvsGesture.tar.gz" in sentence for sentence in found.advice)
    words = told(found)
    assert "recordings: 119 of 122" in words
    assert "Not complete: 119 of 122 recordings" in words


def test_what_is_wrong_with_tonic_s_folder_is_found(tonic_folder: Path, tmp_path: Path) -> None:
    folder = copy(tonic_folder, tmp_path / "copy")
    training, test = folder / "ibmGestureTrain", folder / "ibmGestureTest"
    (training / "user01_led" / "3.npy").unlink()
    (test / "user24_led").rename(training / "user24_led")
    path = training / "user02_led" / "4.npy"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-32])
    path = training / "user03_led" / "4.npy"
    path.unlink()
    path.write_bytes((training / "user03_led" / "5.npy").read_bytes())
    assert set(problems(folder)) == {
        ("missing", "ibmGestureTrain/user01_led/3.npy"),
        ("misplaced", "ibmGestureTrain/user24_led"),
        ("missing", "ibmGestureTest/user24_led"),
        ("truncated", "ibmGestureTrain/user02_led/4.npy"),
        ("duplicated", "ibmGestureTrain/user03_led/5.npy"),
    }
    assert any("figshare" in sentence for sentence in inspect(folder).advice)
    found = inspect(test)
    assert found.found["test samples"] == 253

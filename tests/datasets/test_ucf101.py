"""UCF101: 13,320 clips of 101 classes and three official splits, as people have them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.datasets import ucf101
from hrsnn_rs.datasets.ucf101 import UCF101
from hrsnn_rs.errors import FormatError, ParameterError
from video_files import link_all, moving_square, write_video

CLASSES = ucf101._CLASSES
# Official sizes of the lists; a fold tests on seven groups: 1-7, 8-14 or 15-21.
N_TEST = (3783, 3734, 3696)
N_CLIPS = 13_320


def names(folders: bool = True) -> list[str]:
    """As many clips as there are, four to seven in each group of each class."""
    found = []
    quotas = [*N_TEST, N_CLIPS - sum(N_TEST)]
    for fold, quota in enumerate(quotas):
        groups = range(7 * fold + 1, min(7 * fold + 8, 26))
        cells = list(itertools.product(CLASSES, groups))
        base, extra = divmod(quota, len(cells))
        for place, (name, group) in enumerate(cells):
            spelt = name.replace("HandstandPushups", "HandStandPushups")
            for number in range(1, base + (place < extra) + 1):
                clip = f"v_{spelt}_g{group:02}_c{number:02}.avi"
                found.append(f"{name}/{clip}" if folders else clip)
    return found


def write_lists(folder: Path, every: list[str]) -> None:
    """The six lists, in the form of the official ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for fold in (1, 2, 3):
        tested = {f"g{group:02}" for group in range(7 * fold - 6, 7 * fold + 1)}
        sides: dict[str, list[str]] = {"train": [], "test": []}
        for name in every:
            is_test = name.split("_")[2] in tested
            number = "" if is_test else f" {CLASSES.index(name.split('/')[0]) + 1}"
            sides["test" if is_test else "train"].append(name + number)
        for side, lines in sides.items():
            (folder / f"{side}list{fold:02}.txt").write_text("\r\n".join(lines) + "\r\n")


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_video(tmp_path / "clip.avi", moving_square(5, 240, 320))


@pytest.mark.parametrize("layout", ["classes", "flat"])
def test_official_numbers_in_each_layout(tmp_path, clip, layout):
    every = names()
    assert len(every) == N_CLIPS
    root = tmp_path / "UCF-101"
    if layout == "classes":
        link_all(clip, [root / name for name in every])
        # The zip of the lists is unpacked next to the rar of the clips.
        write_lists(tmp_path / "ucfTrainTestlist", every)
    else:
        link_all(clip, [root / name for name in names(folders=False)])
        write_lists(root, every)
    whole = UCF101(root)
    assert len(whole) == N_CLIPS
    assert whole.classes == list(CLASSES) == sorted(CLASSES, key=str.lower)
    assert len(whole.classes) == 101
    assert np.bincount(whole.labels).min() >= 100
    for fold in (1, 2, 3) if layout == "classes" else (3,):
        train, test = (UCF101(root, split, fold=fold) for split in ("train", "test"))
        assert (len(train), len(test)) == (N_CLIPS - N_TEST[fold - 1], N_TEST[fold - 1])
        assert len(set(test.labels.tolist())) == 101
        assert not set(train.groups.tolist()) & set(test.groups.tolist())
        assert train.split_warning is None
    inspection = UCF101.inspect(root)
    assert inspection is not None
    assert inspection.is_complete
    assert inspection.is_sound
    seen, label = test[0]
    assert (seen.height, seen.width, seen.duration, label) == (240, 320, 200_000, 0)


def test_lists_that_leak_or_are_wrong(tmp_path, clip):
    root = tmp_path / "ucf101"
    some = ["v_YoYo_g01_c01.avi", "v_YoYo_g01_c02.avi", "v_TaiChi_g09_c01.avi"]
    link_all(clip, [root / name for name in some])
    with pytest.raises(FormatError, match=r"no trainlist01\.txt; unpack UCF101TrainTestSplits"):
        UCF101(root, "train")
    (root / "trainlist01.txt").write_text("YoYo/v_YoYo_g01_c01.avi 101\n")
    (root / "testlist01.txt").write_text("YoYo/v_YoYo_g01_c02.avi\nTaiChi/v_TaiChi_g09_c01.avi\n")
    test = UCF101(root, "test")
    assert test.split_warning == "group 1 of YoYo is on both sides of the lists of fold 1"
    assert test.index["class_name"].to_list() == ["TaiChi", "YoYo"]
    (root / "testlist01.txt").write_text("YoYo/v_YoYo_g01_c01.avi\n")
    with pytest.raises(FormatError, match=r"testlist01\.txt, line 1 names a clip for training"):
        UCF101(root, "test")
    (root / "testlist01.txt").write_text("\nYoYo/g01.avi\n")
    with pytest.raises(FormatError, match=r"testlist01\.txt, line 2 names no clip"):
        UCF101(root, "test")
    for wrong in (0, 4, "1"):
        with pytest.raises(ParameterError, match="fold must be"):
            UCF101(root, fold=wrong)


def test_what_is_wrong_is_said(tmp_path, clip):
    root = tmp_path / "ucf101"
    some = ["YoYo/v_TaiChi_g01_c01.avi", "YoYo/v_YoYo_g01_c01.avi", "v_YoYo_g01_c01.avi"]
    link_all(clip, [root / name for name in [*some, "Other/v_Cooking_g01_c01.avi"]])
    (root / "v_Typing_g02_c01.avi").write_bytes(clip.read_bytes()[:5000])
    inspection = UCF101.inspect(root)
    assert inspection is not None
    assert inspection.found == {"recordings": 3, "samples": 3, "classes": 3, "lists": 0}
    said = {(problem.kind, problem.path) for problem in inspection.problems}
    assert ("misplaced", "YoYo/v_TaiChi_g01_c01.avi") in said
    assert ("duplicated", "YoYo/v_YoYo_g01_c01.avi") in said
    assert ("truncated", "v_Typing_g02_c01.avi") in said
    assert ("missing", "Archery") in said
    assert ("missing", "trainlist01.txt, testlist01.txt") in said
    assert len(inspection.advice) == 2
    (tmp_path / "empty").mkdir()
    assert UCF101.inspect(tmp_path / "empty") is None
    with pytest.raises(FormatError, match="no clips; expected v_ApplyEyeMakeup_g01_c01"):
        UCF101(tmp_path / "empty")

"""UCF11: 1,600 clips of 11 classes in 25 groups, in the layouts that people have."""

from pathlib import Path

import pytest
from hrsnn_rs.datasets.ucf11 import UCF11
from hrsnn_rs.encoding.contrast import FrameDifference
from hrsnn_rs.errors import FormatError, ParameterError
from video_files import link_all, moving_square, write_video

# Folder, word in the names, number of clips.
CLASSES = [
    ("basketball", "shooting", 141),
    ("biking", "biking", 145),
    ("diving", "diving", 156),
    ("golf_swing", "golf", 142),
    ("horse_riding", "riding", 198),
    ("soccer_juggling", "juggle", 156),
    ("swing", "swing", 137),
    ("tennis_swing", "tennis", 167),
    ("trampoline_jumping", "jumping", 119),
    ("volleyball_spiking", "spiking", 116),
    ("walking", "walk_dog", 123),
]


def names(suffix: str, layout: str = "groups") -> list[str]:
    """The 1,600 clips, spread over the 25 groups of each class."""
    found = []
    for folder, word, n_clips in CLASSES:
        for place in range(n_clips):
            group, number = place % 25 + 1, place // 25 + 1
            name = f"v_{word}_{group:02}_{number:02}{suffix}"
            inner = f"v_{word}_{group:02}/"
            outer = {"groups": f"{folder}/{inner}", "classes": f"{folder}/", "flat": ""}[layout]
            found.append(outer + name)
    return found


@pytest.fixture
def clips(tmp_path) -> dict[str, Path]:
    frames = moving_square(6, 240, 320)
    return {
        ".avi": write_video(tmp_path / "clip.avi", frames, codec="msmpeg4"),
        ".mpg": write_video(tmp_path / "clip.mpg", frames, codec="mpeg1video"),
    }


@pytest.mark.parametrize(
    ("suffix", "layout", "prefix"),
    [
        (".avi", "groups", ""),
        (".mpg", "groups", "UCF11_updated_mpg/"),
        (".mpg", "classes", ""),
        (".MPG", "flat", ""),
    ],
)
def test_official_numbers_in_each_layout(tmp_path, clips, suffix, layout, prefix):
    root = tmp_path / "ucf11"
    every = names(suffix, layout)
    assert len(every) == 1600
    link_all(clips[suffix.lower()], [root / (prefix + name) for name in every])
    note = root / prefix / "biking" / "Annotation" / "v_biking_01_01.xgtf"
    note.parent.mkdir(parents=True)
    note.write_text("<viper/>")
    whole = UCF11(root)
    assert len(whole) == 1600
    counts = whole.index["class_name"].value_counts()
    assert dict(counts.rows()) == {folder: n_clips for folder, _, n_clips in CLASSES}
    assert set(whole.groups.tolist()) == set(range(1, 26))
    n_tested = 0
    for group in range(1, 26) if layout == "flat" else (25,):
        test = UCF11(root, "test", test_group=group)
        train = UCF11(root, "train", test_group=group)
        assert set(test.groups.tolist()) == {group}
        assert group not in train.groups
        assert len(train) + len(test) == 1600
        assert len(set(test.labels.tolist())) == 11
        n_tested += len(test)
    assert n_tested == 1600 or layout != "flat"
    inspection = UCF11.inspect(root)
    assert inspection is not None
    assert inspection.is_complete
    assert inspection.is_sound
    assert inspection.found["groups"] == 275


def test_clips_of_both_formats_are_read(tmp_path, clips):
    for suffix, clip in clips.items():
        root = tmp_path / suffix
        link_all(clip, [root / f"golf_swing/v_golf_04/v_golf_04_01{suffix}"])
        seen, label = UCF11(root)[0]
        assert (seen.height, seen.width, seen.duration) == (240, 320, 240_000)
        assert len(seen) > 1000
        assert label == 3
        encoder = FrameDifference(60, 80, start="zero")
        assert UCF11(root, encoder=encoder, frame_size=(60, 80))[0][0].duration == 240_000
        with pytest.raises(FormatError, match=r"v_golf_04_01.*Give frame_size=\(rows, columns\)"):
            UCF11(root, encoder=encoder)[0]


def test_what_is_wrong_is_said(tmp_path, clips):
    root = tmp_path / "ucf11"
    some = ["biking/v_biking_01/v_biking_01_01.avi", "biking/v_biking_01_01.avi"]
    some += ["v_jump_01_02.avi", "swing/v_swing_26/v_swing_26_01.avi", "walking/v_new_02_01.avi"]
    link_all(clips[".avi"], [root / name for name in some])
    (root / "diving").mkdir()
    (root / "diving" / "v_diving_01_01.avi").write_bytes(clips[".avi"].read_bytes()[:-100])
    (root / "diving" / "v_diving_01_02.mpg").write_bytes(b"")
    (root / "diving" / "v_diving_01_03.mpg").write_bytes(clips[".avi"].read_bytes())
    data = clips[".mpg"].read_bytes()
    (root / "diving" / "v_diving_01_04.mpg").write_bytes(data[: len(data) // 2 + 100])
    inspection = UCF11.inspect(root)
    assert inspection is not None
    assert inspection.found == {"recordings": 6, "samples": 6, "classes": 3, "groups": 3}
    said = {(problem.kind, problem.path) for problem in inspection.problems}
    assert ("missing", "horse_riding") in said
    assert ("misplaced", "v_jump_01_02.avi") in said
    assert ("misplaced", "swing/v_swing_26/v_swing_26_01.avi") in said
    assert ("duplicated", "biking/v_biking_01/v_biking_01_01.avi") in said
    assert ("truncated", "diving/v_diving_01_01.avi") in said
    assert ("truncated", "diving/v_diving_01_02.mpg") in said
    assert ("unreadable", "diving/v_diving_01_03.mpg") in said
    assert ("truncated", "diving/v_diving_01_04.mpg") in said
    assert "UCF11_updated_mpg.rar" in inspection.advice[0]
    # A word of nobody's is looked up by its folder.
    assert UCF11(root).index["class_name"].to_list()[-1] == "walking"
    (tmp_path / "empty").mkdir()
    assert UCF11.inspect(tmp_path / "empty") is None
    with pytest.raises(FormatError, match="no clips; expected biking/v_biking_01"):
        UCF11(tmp_path / "empty")
    for wrong in (0, 26, 1.5):
        with pytest.raises(ParameterError, match="test_group must be"):
            UCF11(root, test_group=wrong)

"""The doctor on folders that are good, partial and wrong: no false all-clear, no false alarm."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets.doctor import inspect, open_dataset, told
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.errors import MissingDependencyError, ParameterError
from video_files import moving_square, write_video

N = 40


def clip(path: Path, **changes: object) -> None:
    """Write a sound clip, but for `changes`."""
    random = np.random.default_rng([*path.as_posix().encode()])
    arrays: dict[str, object] = {
        "t": np.sort(random.integers(0, 10_000, N)),
        "x": random.integers(0, 64, N),
        "y": random.integers(0, 64, N),
        "p": random.integers(0, 2, N),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{k: np.asarray(v) for k, v in (arrays | changes).items() if v is not None})  # type: ignore[arg-type]


def clips(root: Path, names: str = "a/ann/1 a/bob/2 b/ann/1 b/bob/2", **changes: object) -> None:
    for name in names.split():
        clip(root / f"{name}.npz", **changes)


def videos(root: Path, names: str, size: tuple[int, int] = (48, 64)) -> None:
    for seed, name in enumerate(names.split()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(root / name, moving_square(6, *size, seed=seed))


def in_parts(root: Path) -> None:
    clips(root, "train/a/1 train/b/2 test/a/3 test/b/4")


def left_by_others(root: Path) -> None:
    clips(root)
    for name in ("__MACOSX/a/ann/._1.npz", ".DS_Store", "a/._1.npz", "README.md", "notes/how.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("left over")
    (root / "a" / "round").symlink_to(root)


def cut(root: Path) -> None:
    clips(root)
    path = root / "a" / "ann" / "1.npz"
    path.write_bytes(path.read_bytes()[:-200])


def cut_video(root: Path) -> None:
    videos(root, "a/1.mp4 a/2.mp4 b/1.mp4 b/2.mp4")
    path = root / "b" / "1.mp4"
    path.write_bytes(path.read_bytes()[:-300])


def damaged_within(root: Path) -> None:
    """Headers and lengths are sound, and what is in it is not."""
    videos(root, "a/1.avi b/1.avi")
    data = bytearray((root / "b" / "1.avi").read_bytes())
    begin, end = data.index(b"movi") + 60, data.index(b"idx1")
    data[begin:end] = bytes(end - begin)
    (root / "b" / "1.avi").write_bytes(data)


def two_sizes(root: Path) -> None:
    clips(root, "a/ann/1 a/bob/2 b/ann/1")
    clip(root / "b" / "bob" / "2.npz", height=240, width=320)


def two_frame_sizes(root: Path) -> None:
    videos(root, "a/1.avi a/2.avi")
    videos(root, "b/1.avi b/2.avi", (96, 128))


def one_class_of_another_kind(root: Path) -> None:
    clips(root)
    videos(root, "c/ann/1.avi c/bob/1.avi")


def doubled(root: Path) -> None:
    clips(root)
    shutil.copy(root / "a" / "ann" / "1.npz", root / "b" / "bob" / "9.npz")


def without_events(root: Path) -> None:
    for duration, name in enumerate(("a/1", "a/2", "b/1"), 1):
        clips(root, name, **dict.fromkeys("txyp", np.zeros(0, int)), duration=duration)


def without_anything(root: Path) -> None:
    clips(root)
    clips(root, "b/cleo/1", **dict.fromkeys("txyp", np.zeros(0, int)))


def one_class_wrong(root: Path) -> None:
    clips(root, " ".join(f"{name}/ann/{n}" for name in "abcdeghijklmno" for n in range(9)))
    clips(root, " ".join(f"f/ann/{n}" for n in range(3)), t=np.linspace(0.0, 1.0, N))


def with_empty_class(root: Path) -> None:
    clips(root)
    (root / "c").mkdir()


def with_clips(*names: str, **changes: object) -> Callable[[Path], None]:
    return lambda root: clips(root, *names, **changes)


def with_videos(names: str) -> Callable[[Path], None]:
    return lambda root: videos(root, names)


GOOD: dict[str, Callable[[Path], None]] = {
    "clips of persons": clips,
    "clips of unknown persons": with_clips("a/1 a/2 b/alice_1 b/x-y"),
    "parts": in_parts,
    "leftovers and a circle": left_by_others,
    "videos": with_videos("a/1.avi a/2.mp4 b/1.mkv b/2.mpg"),
    "hundred of a class": with_clips(" ".join(f"{c}/{n}" for c in "ab" for n in range(50))),
}
WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "float times": (with_clips(t=np.linspace(0.0, 1.0, N)), "unreadable", "must hold integers"),
    "polarity -1": (with_clips(p=np.tile([-1, 1], N // 2)), "unreadable", "p must"),
    "unsorted": (with_clips(t=np.arange(N)[::-1]), "unreadable", "must not decrease"),
    "out of the sensor": (with_clips(x=np.full(N, 500)), "unreadable", "sensor_size="),
    "unequal columns": (with_clips(x=np.zeros(N - 1, int)), "unreadable", "length"),
    "empty clips": (without_events, "unreadable", "no events"),
    "one empty clip": (without_anything, "unreadable", "holds no events.*: remove it"),
    "an array missing": (with_clips(p=None), "unreadable", "'p' is missing"),
    "one class wrong": (one_class_wrong, "unreadable", "must hold integers"),
    "cut": (cut, "truncated", "cut"),
    "cut video": (cut_video, "unreadable", ""),
    "damaged video": (damaged_within, "unreadable", ""),
    "two sizes": (two_sizes, "wrong", "240 x 320 pixels, and .* has 128 x 128"),
    "two sizes of frames": (two_frame_sizes, "wrong", "give frame_size="),
    "empty class": (with_empty_class, "missing", "without samples"),
    "class of another kind": (one_class_of_another_kind, "misplaced", "not read"),
    "doubled": (doubled, "duplicated", "very bytes"),
    "clip beside classes": (with_clips("a/ann/1 b/bob/2 3"), "misplaced", "<class>/"),
    "clips of no class": (with_clips("1 2 3"), "misplaced", "no folder of a class"),
    "one too deep": (with_clips("data/a/1 data/b/1"), "wrong", "open it"),
    "parts and classes": (with_clips("train/a/1 test/a/1 c/ann/1"), "wrong", "has_splits"),
    "parts below classes": (with_clips("a/train/1 a/test/2 b/train/1"), "wrong", "above"),
    "class in one part": (with_clips("train/a/1 train/b/1 test/a/2"), "missing", "other splits"),
}


@pytest.mark.parametrize("case", GOOD)
@pytest.mark.parametrize("deep", [False, True])
def test_no_false_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str, deep: bool
) -> None:
    GOOD[case](tmp_path)
    assert main(["data", "doctor", str(tmp_path), *(["--deep"] if deep else [])]) == 0
    out = capsys.readouterr().out
    assert "Nothing wrong was found." in out
    assert "Read " in out
    samples = open_dataset(tmp_path)
    assert len([samples[sample] for sample in range(len(samples))]) > 3


@pytest.mark.parametrize("case", WRONG)
def test_no_false_all_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    make, kind, words = WRONG[case]
    make(tmp_path)
    assert main(["data", "doctor", str(tmp_path), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    harmful = [one for one in problems if one["kind"] != "note"]
    assert {one["kind"] for one in harmful} == {kind}
    assert re.search(words, harmful[0]["words"])
    # Each file is told once.
    assert len({one["path"] for one in harmful}) == len(harmful)
    assert main(["data", "doctor", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "Nothing wrong" not in out
    assert "All is well" not in out


def test_what_was_read_is_said_and_deep_reads_all(tmp_path: Path) -> None:
    clips(tmp_path, " ".join(f"{name}/{n}" for name in "ab" for n in range(50)))
    clip(tmp_path / "a" / "7.npz", t=np.linspace(0.0, 1.0, N))
    found = inspect(tmp_path)
    assert (found.read, found.is_sound) == ({".npz": (12, 100)}, True)
    assert "Read 12 of 100 samples in files .npz." in told(found)
    assert "With --deep all samples are read." in told(found)
    found = inspect(tmp_path, deep=True)
    assert found.read == {".npz": (100, 100)}
    (problem,) = [one for one in found.problems if one.harms]
    assert (problem.kind, problem.path) == ("unreadable", "a/7.npz")
    assert str(tmp_path) not in problem.words


def test_each_kind_of_file_is_read(tmp_path: Path) -> None:
    videos(tmp_path, "a/1.avi a/2.avi a/3.mp4 b/1.avi b/2.mkv")
    assert inspect(tmp_path).read == {".avi": (3, 3), ".mp4": (1, 1), ".mkv": (1, 1)}


def test_options_count_and_are_checked(tmp_path: Path) -> None:
    two_frame_sizes(tmp_path)
    assert not inspect(tmp_path).is_sound
    assert inspect(tmp_path, frame_size=(48, 64)).is_sound
    found = inspect(tmp_path, frame_size=(48, 64), clips_per_subject=2)
    assert (found.found["subjects"], found.names["subjects"]) == (2, ("0", "1"))
    assert found.problems == ()
    with pytest.raises(ParameterError, match=r"option must be of .*frame_size.*; got 'colour'"):
        inspect(tmp_path, colour=3)
    with pytest.raises(ParameterError, match="subject must be a regular"):
        inspect(tmp_path, subject="x")


@pytest.mark.parametrize(
    ("names", "strangers", "dataset"),
    [
        ("YoYo/v_YoYo_g01_c01 YoYo/v_YoYo_g02_c01", "", "UCF101"),
        ("YoYo/v_YoYo_g01_c01 YoYo/v_YoYo_g02_c01", "YoYo/mine", "UCF101"),
        ("YoYo/v_YoYo_g01_c01", "YoYo/mine Surfing/mine Typing/mine", "VideoFolder"),
        ("diving/v_diving_01_01 diving/v_diving_02_01", "diving/mine", "UCF11"),
        ("boxing/person01_boxing_d1_uncomp boxing/person02_boxing_d1_uncomp", "boxing/a", "KTH"),
        ("", "boxing/a jogging/b", "VideoFolder"),
    ],
)
def test_a_few_strangers_change_no_data_set(
    tmp_path: Path, names: str, strangers: str, dataset: str
) -> None:
    videos(tmp_path, " ".join(f"{name}.avi" for name in [*names.split(), *strangers.split()]))
    found = inspect(tmp_path)
    assert found.dataset == dataset
    notes = [one.words for one in found.problems if "without a name" in one.words]
    n_strangers = 0 if dataset == "VideoFolder" else len(strangers.split())
    said = f"clips without a name of {dataset}, which are not read: {n_strangers}"
    assert notes == ([said] if n_strangers else [])


def test_what_is_not_installed_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wanting(*_: object) -> None:
        raise MissingDependencyError("video needs PyAV")

    videos(tmp_path, "a/1.avi a/2.avi b/1.avi")
    monkeypatch.setattr(VideoFolder, "_look_at", wanting)
    found = inspect(tmp_path)
    harmful = [(one.kind, one.path, one.words) for one in found.problems if one.harms]
    assert harmful == [("unreadable", ".", "video needs PyAV")]
    assert found.read == {".avi": (0, 3)}


def real(name: str) -> Path:
    path = Path(os.environ.get("HRSNN_DATA", "-"), name)
    if not path.is_dir():
        pytest.skip(f"HRSNN_DATA names no folder with {name}")
    return path


@pytest.mark.parametrize(
    ("name", "dataset", "n_samples", "read"),
    [
        ("weizmann", "VideoFolder", 90, {".avi": (12, 90)}),
        ("sign_gestures/train", "EventFolder", 600, {".npz": (15, 600)}),
        ("kth_clips", "KTH", 44, {".avi": (12, 44)}),
        ("ucf101", "UCF101", 3, {".avi": (3, 3)}),
        ("ucf11", "UCF11", 1, {".mpg": (1, 1)}),
    ],
)
def test_real_recordings_are_read_without_alarm(
    name: str, dataset: str, n_samples: int, read: dict[str, tuple[int, int]]
) -> None:
    found = inspect(real(name))
    assert (found.dataset, found.found["samples"], found.read) == (dataset, n_samples, read)
    # Parts of data sets lack the rest of them, and nothing else is wrong.
    assert {one.kind for one in found.problems} <= {"missing", "note"}


def test_the_nine_persons_of_weizmann_are_found_by_one_option() -> None:
    samples = open_dataset(real("weizmann"), subject=r"^([a-z]+)_")
    assert (len(samples), len(samples.classes), samples.subjects_known) == (90, 10, True)
    nine = ["daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar"]
    assert sorted(set(samples.subjects.tolist())) == nine
    assert np.bincount(samples.groups).tolist() == [10] * 9

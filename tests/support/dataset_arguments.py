"""Good arguments of the names of datasets, for test_bad_arguments; folders are made when needed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bad_arguments import Target
from dvs128_folders import write_recording
from hrsnn_rs import datasets
from nmnist_files import write_bin
from shd_files import write_h5

_SEQUENCES = "person01_boxing_d1\tframes\t1-9\nperson02_boxing_d1\tframes\t1-9\n"


def _folder(name: str, fill: Callable[[Path], object]) -> str:
    """Make a folder below the one of this test, unless it is there."""
    if not Path(name).exists():
        Path(name).mkdir()
        fill(Path(name))
    return name


def _empty(*names: str) -> Callable[[Path], object]:
    """Make clips that nobody reads here."""

    def fill(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")

    return fill


def _fill_events(folder: Path) -> None:
    for name in ("train/wave/1", "train/clap/2", "test/wave/3", "test/clap/4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{name}.npz", t=[1, 4], x=[2, 0], y=[3, 1], p=[1, 0])


def _fill_kth(folder: Path) -> None:
    _empty(*(f"person0{n}_boxing_d1_uncomp.avi" for n in (1, 2)))(folder)
    (folder / "00sequences.txt").write_text(_SEQUENCES, encoding="utf-8")


def _fill_ucf101(folder: Path) -> None:
    _empty("v_YoYo_g03_c01.avi", "v_YoYo_g09_c02.avi")(folder)
    for fold in (1, 2, 3):
        for part, clip in (("train", "g09_c02"), ("test", "g03_c01")):
            path = folder / f"{part}list0{fold}.txt"
            path.write_text(f"YoYo/v_YoYo_{clip}.avi", encoding="utf-8")


def _fill_nmnist(folder: Path) -> None:
    for part in ("Train", "Test"):
        (folder / part / "3").mkdir(parents=True)
        write_bin(folder / part / "3" / "1.bin", [5, 9], [1, 2], [3, 4], [0, 1])


def _fill_shd(folder: Path) -> None:
    write_h5(folder / "shd_train.h5", [0, 1], 0)
    write_h5(folder / "shd_test.h5", [1, 2], 1)


def events() -> str:
    return _folder("events", _fill_events)


def videos() -> str:
    return _folder("videos", _empty("train/run/1.avi", "test/run/2.avi"))


def dvs() -> str:
    return _folder("dvs", lambda folder: write_recording(folder, "user01_natural"))


class OfTonic:
    """Two samples as tonic gives them."""

    sensor_size, classes, targets = (4, 2, 2), ("left", "right"), (1, 0)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, sample: int) -> tuple[np.ndarray, int]:
        fields = [("t", int), ("x", int), ("y", int), ("p", int)]
        return np.array([(5, sample, 0, 1)], dtype=fields), self.targets[sample]


def _gestures(n_subjects: int = 3) -> datasets.GestureSet:
    return datasets.make_gestures(n_subjects, 1, size=16, duration=20_000)


def _split(test_groups: Any = None, n_test: Any = None, seed: Any = 0, by: Any = "group") -> None:
    _gestures().split(test_groups, n_test=n_test, seed=seed, by=by)


def _dataset(kind: Any, root: Callable[[], str], **options: Any) -> Target:
    return Target(kind, lambda: {"root": root(), **options})


def _of_disk() -> dict[str, Target]:
    return {
        "datasets.DVS128Gesture": _dataset(datasets.DVS128Gesture, dvs),
        "datasets.EventFolder": _dataset(datasets.EventFolder, events),
        "datasets.EventFolder.count_events": Target(
            lambda progress=None: datasets.EventFolder(events()).count_events(progress), dict
        ),
        "datasets.EventFolder.inspect": Target(
            datasets.EventFolder.inspect, lambda: {"path": events()}
        ),
        "datasets.KTH": _dataset(datasets.KTH, lambda: _folder("kth", _fill_kth)),
        "datasets.KTH.inspect": Target(
            datasets.KTH.inspect, lambda: {"path": _folder("kth", _fill_kth)}
        ),
        "datasets.NMNIST": _dataset(datasets.NMNIST, lambda: _folder("nmnist", _fill_nmnist)),
        "datasets.NMNIST.inspect": Target(
            datasets.NMNIST.inspect, lambda: {"path": _folder("nmnist", _fill_nmnist)}
        ),
        "datasets.DVS128Gesture.inspect": Target(
            datasets.DVS128Gesture.inspect, lambda: {"path": dvs()}
        ),
        "datasets.SHD": _dataset(datasets.SHD, lambda: _folder("shd", _fill_shd)),
        "datasets.UCF11": _dataset(
            datasets.UCF11,
            lambda: _folder("ucf11", _empty("v_golf_01_03.mpg", "v_golf_02_01.mpg")),
        ),
        "datasets.UCF101": _dataset(datasets.UCF101, lambda: _folder("ucf101", _fill_ucf101)),
        "datasets.VideoFolder": _dataset(datasets.VideoFolder, videos),
        "datasets.inspect": Target(datasets.inspect, lambda: {"path": events()}),
        "datasets.load_folder": Target(datasets.load_folder, lambda: {"path": events()}),
        "datasets.open_dataset": Target(datasets.open_dataset, lambda: {"path": events()}),
        "datasets.told": Target(
            datasets.told,
            lambda: {"inspection": datasets.Inspection("NMNIST", "bin", "d", {"samples": 9})},
        ),
    }


def dataset_targets() -> dict[str, Target]:
    """Names of datasets, with arguments that are fine."""
    groups = np.array([0, 1, 2, 0, 1, 2])
    return _of_disk() | {
        "datasets.GestureSet": Target(
            datasets.GestureSet, lambda: {"n_subjects": 2, "n_repeats": 1, "size": 16}
        ),
        "datasets.GestureSet.prepare": Target(
            lambda indices=None, n_threads=None: _gestures(1).prepare(indices, n_threads=n_threads),
            lambda: {"indices": [0], "n_threads": 1},
        ),
        "datasets.GestureSet.split": Target(_split, lambda: {"n_test": 1}),
        "datasets.GestureSet.split by groups": Target(
            lambda test_groups: _split(test_groups), lambda: {"test_groups": [1]}
        ),
        "datasets.GestureSet.subset": Target(
            lambda indices: _gestures().subset(indices), lambda: {"indices": [2, 0]}
        ),
        "datasets.ReversedPairs": Target(datasets.ReversedPairs, lambda: {"samples": _gestures()}),
        "datasets.Subset": Target(
            datasets.Subset, lambda: {"samples": _gestures(), "indices": [2, 0]}
        ),
        "datasets.TonicSamples": Target(datasets.TonicSamples, lambda: {"dataset": OfTonic()}),
        "datasets.from_tonic": Target(datasets.from_tonic, lambda: {"dataset": OfTonic()}),
        "datasets.folds_for": Target(datasets.folds_for, lambda: {"groups": groups, "seed": 0}),
        "datasets.leak": Target(datasets.leak, lambda: {"groups": groups, "training": groups > 0}),
        "datasets.split_for": Target(datasets.split_for, lambda: {"groups": groups, "seed": 0}),
        "datasets.usual_folds": Target(datasets.usual_folds, lambda: {"groups": groups}),
        "datasets.validation_groups": Target(
            datasets.validation_groups, lambda: {"groups": groups, "seed": 0}
        ),
    }


#: Folders and files that are asked for, of which the system or the format says what is wrong.
PATHS_OF_DATASETS = {
    *(f"datasets.{name}.root" for name in ("DVS128Gesture", "EventFolder", "KTH", "NMNIST", "SHD")),
    *(f"datasets.{name}.root" for name in ("UCF11", "UCF101", "VideoFolder")),
    *(f"datasets.{name}.path" for name in ("inspect", "load_folder", "open_dataset")),
    "datasets.KTH.sequences",
}
#: What looks bad and is valid, as in valid_arguments.
VALID_DATASETS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("None",): (
        "datasets.DVS128Gesture.split",
        "datasets.EventFolder.clips_per_subject",
        "datasets.EventFolder.count_events.progress",
        "datasets.EventFolder.index_file",
        "datasets.EventFolder.sensor_size",
        "datasets.EventFolder.split",
        "datasets.EventFolder.subject",
        "datasets.GestureSet.n_threads",
        "datasets.GestureSet.prepare.n_threads",
        "datasets.GestureSet.split.test_groups",
        "datasets.KTH.frame_size",
        "datasets.KTH.split",
        "datasets.NMNIST.split",
        "datasets.SHD.split",
        "datasets.TonicSamples.groups",
        "datasets.TonicSamples.sensor_size",
        "datasets.UCF101.frame_size",
        "datasets.UCF101.split",
        "datasets.UCF11.frame_size",
        "datasets.UCF11.split",
        "datasets.VideoFolder.clips_per_subject",
        "datasets.VideoFolder.frame_size",
        "datasets.VideoFolder.index_file",
        "datasets.VideoFolder.split",
        "datasets.VideoFolder.subject",
        "datasets.folds_for.parts",
        "datasets.from_tonic.groups",
        "datasets.from_tonic.sensor_size",
        "datasets.load_folder.clips_per_subject",
        "datasets.load_folder.index_file",
        "datasets.load_folder.sensor_size",
        "datasets.load_folder.split",
        "datasets.load_folder.subject",
        "datasets.open_dataset.split",
        "datasets.usual_folds.parts",
    ),
    ("True",): (
        "datasets.DVS128Gesture.one_per_class",
        "datasets.SHD.new_speakers",
        "datasets.folds_for.subjects_known",
        "datasets.inspect.deep",
        "datasets.leak.subjects_known",
        "datasets.split_for.subjects_known",
        "datasets.usual_folds.subjects_known",
    ),
    ("negative array",): (
        "datasets.split_for.groups",
        "datasets.validation_groups.groups",
    ),
    ("text",): (
        "datasets.DVS128Gesture.inspect.path",
        "datasets.EventFolder.inspect.path",
        "datasets.KTH.inspect.path",
        "datasets.NMNIST.inspect.path",
    ),
    ("zero",): (
        "datasets.DVS128Gesture.allowed_gap",
        "datasets.GestureSet.seed",
        "datasets.GestureSet.split.seed",
        "datasets.folds_for.seed",
        "datasets.split_for.seed",
        "datasets.validation_groups.seed",
    ),
    (
        "None",
        "True",
    ): (
        "datasets.EventFolder.has_splits",
        "datasets.KTH.sequences",
        "datasets.VideoFolder.has_splits",
        "datasets.load_folder.has_splits",
    ),
    (
        "None",
        "array of text",
    ): (
        "datasets.TonicSamples.labels",
        "datasets.from_tonic.labels",
    ),
    (
        "None",
        "function",
    ): (
        "datasets.DVS128Gesture.encoder",
        "datasets.EventFolder.encoder",
        "datasets.KTH.encoder",
        "datasets.NMNIST.encoder",
        "datasets.SHD.encoder",
        "datasets.TonicSamples.encoder",
        "datasets.UCF101.encoder",
        "datasets.UCF11.encoder",
        "datasets.VideoFolder.encoder",
        "datasets.from_tonic.encoder",
        "datasets.open_dataset.encoder",
    ),
    (
        "zero",
        "wrong length",
    ): ("datasets.GestureSet.split by groups.test_groups",),
    (
        "None",
        "True",
        "text",
    ): (
        "datasets.DVS128Gesture.cache",
        "datasets.EventFolder.cache",
        "datasets.KTH.cache",
        "datasets.NMNIST.cache",
        "datasets.SHD.cache",
        "datasets.UCF101.cache",
        "datasets.UCF11.cache",
        "datasets.VideoFolder.cache",
    ),
    (
        "empty list",
        "empty array",
        "wrong length",
    ): (
        "datasets.GestureSet.subset.indices",
        "datasets.Subset.indices",
    ),
    (
        "negative array",
        "array of text",
        "array of bool",
    ): ("datasets.folds_for.groups",),
    (
        "None",
        "empty list",
        "empty array",
        "wrong length",
    ): ("datasets.GestureSet.prepare.indices",),
    (
        "empty list",
        "empty array",
        "negative array",
        "wrong length",
        "array of text",
        "array of bool",
        "array of dates",
    ): ("datasets.usual_folds.groups",),
}

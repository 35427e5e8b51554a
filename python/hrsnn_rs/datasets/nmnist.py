"""N-MNIST: handwritten digits before a moving event camera.

Lives here: the data set in its own layout, which is also tonic's. Not here: the format of a
sample. Invariant: labels are the names of folders.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem, relative
from hrsnn_rs.datasets.walk import files_in, folders_in
from hrsnn_rs.errors import FormatError
from hrsnn_rs.recordings.event_files import read_nmnist_bin

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.events.sensor import SensorEvents
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["NMNIST"]

_FOLDERS = {"train": "Train", "test": "Test"}
# Samples of each digit, those of MNIST.
_COUNTS = {
    "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
}
_CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ADVICE = {
    "train": "Get Train.zip (MD5 20959b8e626244a1b502305a9e6e2031)",
    "test": "Get Test.zip (MD5 69ca8762b2fe404d9b9bad1103e97832)",
}
_SOURCE = (
    "from https://data.mendeley.com/datasets/468j46mzdv (linked at "
    "https://www.garrickorchard.com/datasets/n-mnist) and unpack it."
)


class NMNIST(Dataset):
    """N-MNIST [1]_: `Train/<digit>/<number>.bin` and `Test/<digit>/<number>.bin`.

    Both may lie one folder below `root`, and either alone is enough. Who wrote a digit is not
    recorded: each sample is a group of its own. The writers of the two official parts differ.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "test"}, default=None
        Official part: 60,000 or 10,000 samples. `None` means all that are there.
    encoder : callable, default=None
        From `SensorEvents` to `Events`, such as `EventEncoder(34, 34)`.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there are no samples, or, on reading, if a file is wrong.

    References
    ----------
    .. [1] Orchard et al. (2015), Converting static image datasets to spiking neuromorphic
       datasets using saccades, Front. Neurosci. 9:437.

    Examples
    --------
    >>> NMNIST("NMNIST", "test")  # doctest: +SKIP
    NMNIST(10,000 samples, 10 classes, subjects unknown)
    """

    splits = ("train", "test")
    subjects_known = False

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        folders = _folders(Path(check_path("root", root)))
        if not folders:
            raise FormatError(f"{root}: no samples of N-MNIST; expected Train/<digit>/<n>.bin.")
        recordings = []
        for part, folder in folders.items():
            if split not in (None, part):
                continue
            for digit, files in enumerate(_files(folder)):
                recordings += [Recording(file, digit, 0, part) for file in files]
        numbered = [one._replace(group=number) for number, one in enumerate(recordings)]
        super().__init__(root, split, encoder, classes=_CLASSES, recordings=numbered, cache=cache)

    def _sensor_events(self, sample: int) -> SensorEvents:
        return read_nmnist_bin(self.recordings[sample].path)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        folders = _folders(root)
        if not folders:
            return None
        problems: list[Problem] = []
        found, expected = {"samples": 0}, {}
        for part, folder in folders.items():
            counts = [0] * 10
            for digit, files in enumerate(_files(folder)):
                counts[digit] = len(files)
                problems += _wrong_lengths(files, root)
                missing = _COUNTS[part][digit] - len(files)
                if missing:
                    kind, words = (
                        ("missing", "are missing") if missing > 0 else ("wrong", "too many")
                    )
                    words = f"{abs(missing)} of {_COUNTS[part][digit]} samples {words}"
                    problems.append(Problem(kind, relative(folder / str(digit), root), words))
            found |= {f"{part} samples": sum(counts)}
            found["samples"] += sum(counts)
            expected[f"{part} samples"] = sum(_COUNTS[part])
        for part, name in _FOLDERS.items():
            if part not in folders:
                words = f"the {part} part is not there; the other can be used without it"
                problems.append(Problem("note", name, words))
        harmed = any(problem.harms for problem in problems)
        advice = tuple(f"{_ADVICE[part]} {_SOURCE}" for part in folders) if harmed else ()
        return Inspection(
            dataset="NMNIST",
            layout="Train/<digit>/<number>.bin and Test/<digit>/<number>.bin",
            root=str(root),
            found=found,
            expected=expected,
            problems=tuple(problems),
            advice=advice,
        )


def _folders(root: Path) -> dict[str, Path]:
    """Find the folder of each official part, here or one folder below."""
    if not root.is_dir():
        return {}
    for folder in (root, *folders_in(root)):
        found = {
            part: folder / name
            for part, name in _FOLDERS.items()
            if any((folder / name / str(digit)).is_dir() for digit in range(10))
        }
        if found:
            return found
    return {}


def _files(folder: Path) -> list[list[Path]]:
    """List the samples of each digit, by number."""
    found = []
    for digit in range(10):
        files = files_in(folder / str(digit), (".bin",))
        found.append([file for file in files if re.fullmatch(r"\d+\.bin", file.name)])
    return found


def _wrong_lengths(files: list[Path], root: Path) -> list[Problem]:
    """Files that end within an event or hold none."""
    problems = []
    for file in files:
        size = file.stat().st_size
        if size == 0 or size % 5:
            words = f"the file is cut: {size} bytes are no whole number of events of 5 bytes"
            problems.append(Problem("truncated", relative(file, root), words))
    return problems

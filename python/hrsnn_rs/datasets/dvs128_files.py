"""DVS128 Gesture on disk: which files it has, where they are, and what its labels say.

Lives here: the official list, the two layouts (IBM's and tonic's), label files and trial lists.
Not here: events, and what is said about a folder. Invariant: a label file is read as a whole or
refused with its line; nothing in it is corrected without a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hrsnn_rs.datasets.walk import files_in, folders_in
from hrsnn_rs.errors import FormatError
from hrsnn_rs.made_up.movements import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

_CODES = {"f": "fluorescent", "F": "fluorescent_led", "b": "lab", "l": "led", "n": "natural"}
# Lights of users 1 to 29, in the order of `trials_to_train.txt` and `trials_to_test.txt`.
_LIGHTS = (
    "fFbln fFbln fFln fFln fFbln fFbln fFbl fFbl fFbln fFbl fFn Fl fFbln fFln fFbln fbln fFbln "
    "fFbl fFbln fFl fFbn fFbln fFbl fFl fl fFbln fFln fFbln fFbln"
)
FIRST_TEST_USER = 24
"""Users from here on are for testing, in the official lists."""
RECORDINGS = {
    f"user{user:02d}_{_CODES[code]}": "test" if user >= FIRST_TEST_USER else "train"
    for user, codes in enumerate(_LIGHTS.split(), start=1)
    for code in codes
}
"""Official part of each of the 122 recordings."""
N_CLIPS = {"train": 1176, "test": 288}
"""Clips as the label files cut them."""
N_ONE_PER_CLASS = {"train": 1077, "test": 264}
"""Clips in tonic's archive, where each class of a recording counts once."""
NOT_IN_TONIC = ("user02_lab", 0)
"""The one recording and label that tonic's archive does not have."""
LISTS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
"""File with the names of an official part's recordings."""

_NAME = re.compile(r"user(\d{2})_[a-z_]+")
_HEADER = "class,startTime_usec,endTime_usec"


class Clip(NamedTuple):
    """A row of a label file.

    Attributes
    ----------
    label : int
        From 0 to 10; the file counts from 1.
    start, stop : int
        Times of the recording in µs.
    line : int
        Line of the file.
    """

    label: int
    start: int
    stop: int
    line: int


def user_of(name: str) -> int | None:
    """Return the number of the user that a recording is named after."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def ibm_folder(path: Path) -> Path | None:
    """Find the folder of recordings: this one, or one directly below."""
    for folder in (path, *folders_in(path)):
        if any(user_of(file.stem) is not None for file in files_in(folder, (".aedat",))):
            return folder
    return None


def tonic_parts(path: Path) -> dict[str, Path]:
    """Find the folders `ibmGestureTrain` and `ibmGestureTest`, here or one folder below.

    A folder that is given by itself counts as its own part; one with users of both, or of other
    names, as "".
    """
    names = {"ibmGestureTrain": "train", "ibmGestureTest": "test"}
    if path.name in names and path.is_dir():
        return {names[path.name]: path}
    for folder in (path, *folders_in(path)):
        found = {part: folder / name for name, part in names.items() if (folder / name).is_dir()}
        if found:
            return found
    if any(
        user_of(folder.name) is not None and files_in(folder, (".npy",))
        for folder in folders_in(path)
    ):
        return {"": path}
    return {}


def read_list(path: Path) -> list[str]:
    """Read the names of recordings, without suffix, from a trial list."""
    names = []
    for number, line in enumerate(_lines(path), start=1):
        word = line.strip()
        name = word.removesuffix(".aedat")
        if word and user_of(name) is None:
            raise FormatError(f"{path}: line {number} must be userNN_light.aedat; got {word!r}.")
        if word:
            names.append(name)
    return names


def read_labels(path: Path) -> list[Clip]:
    """Read a label file, in the order of its rows.

    Parameters
    ----------
    path : Path
        `userNN_light_labels.csv`.

    Returns
    -------
    list of Clip
        At least one.

    Raises
    ------
    FormatError
        If a row is no class from 1 to 11 with two times in order; the message has the line.
    """
    clips = []
    for number, line in enumerate(_lines(path), start=1):
        row = line.strip()
        if number == 1 and row.lower() == _HEADER.lower():
            continue
        if not row:
            continue
        cells = re.fullmatch(r"(\d{1,4}) *, *(\d{1,18}) *, *(\d{1,18})", row, re.ASCII)
        if cells is None:
            raise FormatError(f"{path}: line {number} must be {_HEADER}; got {row[:60]!r}.")
        label, start, stop = (int(cell) for cell in cells.groups())
        if not 1 <= label <= len(CLASSES):
            raise FormatError(
                f"{path}: line {number}: class must be from 1 to {len(CLASSES)}; got {label}."
            )
        if stop <= start:
            raise FormatError(
                f"{path}: line {number}: the end must be after the start; got {start} to {stop} µs."
            )
        clips.append(Clip(label - 1, start, stop, number))
    if not clips:
        raise FormatError(f"{path}: no clips.")
    return clips


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FormatError(f"{path}: must be a text file.") from None


def without_overlap(clips: list[Clip]) -> tuple[list[Clip], list[tuple[Clip, int]]]:
    """End each clip where the next one begins, if it is said to end later.

    Returns
    -------
    clips : list of Clip
        As many, in the same order.
    changed : list of (Clip, int)
        Clips that were said to end later, as they were, with their new end.
    """
    starts = sorted(clip.start for clip in clips)
    kept, changed = [], []
    for clip in clips:
        stop = min((start for start in starts if start > clip.start), default=clip.stop)
        if stop < clip.stop:
            changed.append((clip, stop))
            clip = clip._replace(stop=stop)
        kept.append(clip)
    return kept, changed


def first_of_each_class(clips: list[Clip]) -> list[Clip]:
    """Keep the first row of each class, in the order of the file."""
    seen: dict[int, Clip] = {}
    for clip in clips:
        seen.setdefault(clip.label, clip)
    return list(seen.values())

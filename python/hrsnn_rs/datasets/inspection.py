"""Inspection: what was found in a folder of recordings, and what is wrong with it.

Lives here: the report that each data set gives of a folder. Not here: how a folder is looked
at, and how the report is printed. Invariant: a folder that cannot be used as it is has at
least one problem, and each problem says what to do in words.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS = ("missing", "truncated", "misplaced", "duplicated", "unreadable", "wrong", "note")
"""What can be wrong with a file; a `note` is worth knowing and harms nothing."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a folder.

    Parameters
    ----------
    kind : {"missing", "truncated", "misplaced", "duplicated", "unreadable", "wrong", "note"}
        What is wrong.
    path : str
        File or folder, relative to the folder that was inspected.
    words : str
        What it means and what to do, in one sentence.

    Raises
    ------
    ParameterError
        If the kind is unknown.

    Examples
    --------
    >>> Problem("missing", "trials_to_test.txt", "download the archive again").harms
    True
    """

    kind: str
    path: str
    words: str

    def __post_init__(self) -> None:
        """Check the kind."""
        check_choice("kind", self.kind, KINDS)

    @property
    def harms(self) -> bool:
        """Whether samples are lost or wrong because of it."""
        return self.kind != "note"


@dataclass(frozen=True)
class Inspection:
    """What a data set found in a folder.

    Parameters
    ----------
    dataset : str
        Name of the class in `hrsnn_rs.datasets`, such as "KTH".
    layout : str
        Which of its layouts was found, in words.
    root : str
        The folder to open, which may lie below the one that was inspected.
    found : dict of str to int
        Number of what was found: "recordings", "samples", and names of the data set's own.
    expected : dict of str to int
        Official numbers, for those entries of `found` that have one.
    problems : tuple of Problem
        What is wrong, in the order of paths.
    advice : tuple of str
        What to download from where, sentence by sentence; empty if nothing is missing.
    names : dict of str to tuple of str
        Names of what was found, for those entries of `found` whose names say something.
    read : dict of str to tuple of int
        For each ending of files how many samples were read, and of how many.

    Examples
    --------
    >>> inspection = Inspection("KTH", "six folders of avi", "kth", {"recordings": 598},
    ...                         {"recordings": 599})
    >>> inspection.is_complete, inspection.is_sound
    (False, True)
    """

    dataset: str
    layout: str
    root: str
    found: dict[str, int]
    expected: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    advice: tuple[str, ...] = ()
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    read: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether nothing that was found is harmful."""
        return not any(problem.harms for problem in self.problems)

    @property
    def is_complete(self) -> bool:
        """Whether everything official was found."""
        return all(self.found.get(name, 0) == number for name, number in self.expected.items())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it.

        Returns
        -------
        dict
            The fields, with `complete` and `sound`.

        Examples
        --------
        >>> Inspection("KTH", "avi", "kth", {"recordings": 1}).to_dict()["complete"]
        True
        """
        return {
            **asdict(self),
            "problems": [asdict(problem) for problem in self.problems],
            "advice": list(self.advice),
            "complete": self.is_complete,
            "sound": self.is_sound,
        }


def relative(path: Path, root: Path) -> str:
    """Return `path` as seen from `root`, with forward slashes."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def duplicates(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Find files with the same contents; only files of equal length are read.

    Parameters
    ----------
    paths : sequence of Path
        Files.

    Returns
    -------
    list of (Path, Path)
        Each file that repeats an earlier one, with that.

    Examples
    --------
    >>> duplicates([])
    []
    """
    by_size: dict[int, list[Path]] = {}
    for path in paths:
        by_size.setdefault(path.stat().st_size, []).append(path)
    found = []
    for same in by_size.values():
        seen: dict[bytes, Path] = {}
        for path in same if len(same) > 1 else ():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            if digest in seen:
                found.append((path, seen[digest]))
            seen.setdefault(digest, path)
    return found

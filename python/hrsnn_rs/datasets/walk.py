"""Walk: what lies below a folder, each real folder once, in the order that people expect.

Lives here: the one way in which data sets look into folders. Not here: what names mean. Invariant:
a link never makes a file of a folder appear twice, and whatever is not looked into is told.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hrsnn_rs.datasets.inspection import Problem, relative

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Walk",
    "files_below",
    "files_in",
    "folders_in",
    "is_utf8",
    "natural",
    "shown",
    "walk",
]


class Walk(NamedTuple):
    """What was found below a folder.

    Attributes
    ----------
    files : tuple of Path
        In natural order; those of a folder before those of the folders in it.
    folders : tuple of Path
        Folders below the top, in no order.
    problems : tuple of Problem
        Folders that cannot be read, and links that lead to a folder that is read already.
    """

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    problems: tuple[Problem, ...]


def natural(name: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """Order by the numbers in a name: `clip2` before `clip10`.

    Parameters
    ----------
    name : str
        Of a file or folder.

    Returns
    -------
    tuple
        Key to sort by.

    Examples
    --------
    >>> sorted(["10", "b1", "a2", "1", "a10", "2"], key=natural)
    ['1', '2', '10', 'a2', 'a10', 'b1']
    """
    pieces = re.findall(r"(\D*)(\d*)", name)
    return tuple((words, int(digits or -1)) for words, digits in pieces), name


def walk(root: str | os.PathLike[str]) -> Walk:
    """Look at everything below a folder.

    Hidden files and folders and what macOS leaves in archives (`__MACOSX`) are left out. Links to
    folders are followed once all real folders are known, and only to what is not read yet.

    Parameters
    ----------
    root : str or path-like
        The folder.

    Returns
    -------
    Walk
        Files, folders and problems; empty where there is no such folder.
    """
    top = Path(root)
    files: list[Path] = []
    folders: list[Path] = []
    problems: list[Problem] = []
    if not top.is_dir():
        return Walk((), (), ())
    real = top.resolve()
    # A link to a folder above leads back here too.
    seen = {_identity(one): top for one in (*real.parents, real)}
    waiting, links = [top], list[Path]()
    while waiting or links:
        if not waiting:
            links.sort(key=lambda link: _place(link, top))
            link = links.pop(0)
            first = seen.setdefault(_identity(link), link)
            if first is not link:
                problems.append(_told_link(link, first, top))
                continue
            folders.append(link)
            waiting.append(link)
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            words = f"cannot be looked into ({error.strerror}): check its permissions"
            problems.append(Problem("unreadable", relative(folder, top), words))
            continue
        for entry in entries:
            path = folder / entry.name
            if _is_left_out(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if seen.setdefault(_identity(path), path) is path:
                    folders.append(path)
                    waiting.append(path)
            elif path.is_dir():
                links.append(path)
            # A link to nowhere is a file that cannot be read.
            elif entry.is_symlink() or entry.is_file():
                files.append(path)
    files.sort(key=lambda path: _place(path, top))
    return Walk(tuple(files), tuple(folders), tuple(problems))


def files_below(root: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the files below a folder as `walk` finds them; a file is given as it is."""
    return (Path(root),) if Path(root).is_file() else walk(root).files


def folders_in(path: Path) -> list[Path]:
    """Return the folders directly in a folder, in natural order; none where there is no such."""
    return [one for one in _children(path) if one.is_dir()]


def files_in(path: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files directly in a folder that end with one of `suffixes`, in natural order."""
    return [one for one in _children(path) if one.suffix.lower() in suffixes and not one.is_dir()]


def is_utf8(name: str) -> bool:
    """Say whether a name can be written down; Python reads other bytes as surrogates."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path in words, with bytes that are not UTF-8 as \x and their number."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _children(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    found = [one for one in path.iterdir() if not _is_left_out(one.name)]
    return sorted(found, key=lambda one: natural(one.name))


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _place(path: Path, top: Path) -> list[tuple[bool, object]]:
    *folders, name = path.relative_to(top).parts
    return [*((True, natural(folder)) for folder in folders), (False, natural(name))]


def _told_link(link: Path, first: Path, top: Path) -> Problem:
    if first in (top, *link.parents):
        return Problem("note", relative(link, top), "a link in a circle, which is not followed")
    words = f"links to {relative(first, top)}, which is read already: delete one of the two"
    return Problem("duplicated", relative(link, top), words)

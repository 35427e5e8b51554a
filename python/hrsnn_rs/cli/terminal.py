"""Terminal: what people and machines see of a command.

Lives here: the progress bar, tables, JSON, and whether a file can be written. Not here: what they
say. Invariant: results go to stdout and progress to stderr, and JSON has only numbers that every
reader accepts.
"""

from __future__ import annotations

import json
import math
import os
import sys
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hrsnn_rs.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FIGURES",
    "Bar",
    "aligned",
    "drawable",
    "is_watched",
    "one_line",
    "print_json",
    "print_row",
    "readable",
    "usable_folder",
    "writable",
]

#: Endings of figures.
FIGURES = (".png", ".svg", ".pdf")


class Bar(AbstractContextManager["Bar"]):
    """A progress bar on stderr; silent for machines, pipes and where tqdm is missing."""

    def __init__(self, is_json: bool) -> None:
        self._bar: Any = None
        self._is_watched = is_watched(is_json)

    def __call__(self, done: int, total: int, label: str) -> None:
        """Show that `done` of `total` steps are done, and what comes next."""
        if not self._is_watched:
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, file=sys.stderr, leave=False)
        self._bar.set_description(label, refresh=False)
        self._bar.update(done - self._bar.n)
        self._bar.refresh()

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def writable(option: str, path: Path) -> None:
    """Refuse, before any work, a file that could not be written after it."""
    from hrsnn_rs.network.saving import home_of

    if not path.absolute().parent.is_dir():
        raise ParameterError(f"{option} must lie in a folder that exists; got {path}.")
    try:
        target = home_of(option, path)
        is_new = not target.exists()
        target.open("ab").close()
        if is_new:
            target.unlink()
    except OSError as error:
        raise ParameterError(
            f"{option} must be a file that can be written; got {path}: {error.strerror}."
        ) from None


def readable(option: str, path: Path, what: str) -> None:
    """Refuse, in words of the command, a path at which there is no file to read."""
    said = None
    if not path.exists():
        said = "there is none"
    elif path.is_dir():
        said = "that is a folder"
    elif not os.access(path, os.R_OK):
        said = "it may not be read"
    if said is not None:
        raise ParameterError(f"{option} must be {what}; got {path}: {said}.")


def usable_folder(option: str, path: Path) -> None:
    """Refuse, before any work, a folder that is none, or that could not be made or written to."""
    there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not there.is_dir():
        raise ParameterError(f"{option} must be a folder; got {path}: {there.name} is a file.")
    if not os.access(there, os.W_OK):
        raise ParameterError(f"{option} must be a folder that can be written; got {path}.")


def drawable(option: str, path: Path) -> None:
    """Refuse, before any work, a file that no figure could be written to after it."""
    if path.suffix.lower() not in FIGURES:
        raise ParameterError(f"{option} must end in {', '.join(FIGURES)}; got {path}.")
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(f'{option} needs matplotlib: pip install "hrsnn_rs[plot]"')
    writable(option, path)


def is_watched(is_json: bool) -> bool:
    """Say whether somebody looks at progress."""
    return not is_json and sys.stderr.isatty() and find_spec("tqdm") is not None


def aligned(lines: list[list[str]]) -> str:
    """Lay cells out in columns, the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def print_row(row: dict[str, Any], is_json: bool) -> None:
    """Print names and values, one to a line or as JSON."""
    if is_json:
        print_json(row)
        return
    width = max(map(len, row))
    for name, value in row.items():
        if isinstance(value, dict):
            print(f"{name}:")
            inner = max(map(len, value), default=0)
            for key, number in value.items():
                print(f"  {key.ljust(inner)}  {_cell(number)}")
        else:
            print(f"{name.ljust(width)}  {_cell(value)}")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)


def print_json(value: Any) -> None:
    """Print what every JSON reader accepts: numbers that are not finite become null."""
    print(json.dumps(_plain(value), allow_nan=False))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # a number or an array of NumPy
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def one_line(error: BaseException) -> str:
    """Return what an error says, without line breaks."""
    return " ".join(str(error).split())

"""Files that replace others: where they lie, and how they appear at once and whole.

Invariant: a link stays and what it points to is replaced; a file that is there keeps its permission
bits; what is no regular file is never replaced; what has replaced a file is on the disk, whatever
happens to the machine next.
"""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["held", "home_of", "keeping_mode", "replace_file"]

_KINDS = (
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def home_of(name: str, path: str | os.PathLike[str]) -> Path:
    """Give the place that a file saved at a path has: where a link points to, or the path.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    path : str or path
        Where to save. Nothing is written.

    Returns
    -------
    Path
        The place; no link. A folder there is left to the system, which refuses it.

    Raises
    ------
    ParameterError
        If a device, a pipe or a socket is there, or `path` is no path.
    OSError
        If the system cannot tell what is there, as for a link that leads to itself.

    Examples
    --------
    >>> import os, tempfile
    >>> from pathlib import Path
    >>> from hrsnn_rs.network.saving import home_of
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     link = Path(folder) / "latest"
    ...     link.symlink_to("model-7")
    ...     home_of("path", link).name
    'model-7'
    """
    place = Path(check_path(name, path))
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        mode = 0
    for is_kind, what in _KINDS:
        if is_kind(mode):
            raise ParameterError(
                f"{name} must be a regular file or a new one; got {what}: {place}."
            )
    return place.resolve() if place.is_symlink() else place


@contextlib.contextmanager
def keeping_mode(home: Path) -> Iterator[None]:
    """Give what replaces a file within the block the permission bits of that file.

    Parameters
    ----------
    home : Path
        The place, as `home_of` gives it.

    Examples
    --------
    >>> import os, tempfile
    >>> from pathlib import Path
    >>> from hrsnn_rs.network.saving import keeping_mode
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, other = Path(folder) / "model", Path(folder) / "other"
    ...     path.touch(0o600)
    ...     other.touch(0o644)
    ...     with keeping_mode(path):
    ...         _ = other.replace(path)
    ...     oct(path.stat().st_mode & 0o777)
    '0o600'
    """
    before = _mode(home)
    yield
    if before is not None and _mode(home) != before:
        home.chmod(before)


def replace_file(home: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear at once and whole, with the permission bits of the one it replaces.

    Parameters
    ----------
    home : Path
        The place, as `home_of` gives it.
    write : callable
        Called with the path beside it to write to, which moves there when it returns.

    Raises
    ------
    OSError
        If the system refuses; what stood at `home` before still does.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hrsnn_rs.network.saving import replace_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "words.txt"
    ...     replace_file(path, lambda part: part.write_text("all of them"))
    ...     path.read_text()
    'all of them'
    """
    mode = _mode(home)
    part = home.with_name(f"{home.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        write(part)
        if mode is not None:
            part.chmod(mode)
        _sync(part)
        part.replace(home)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            _sync(home.parent)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file for the length of a block: who else wants to hold it meanwhile is refused.

    A process that is killed holds it no longer. Where the system or the file system cannot lock, or
    the file cannot be made, nobody is refused.

    Parameters
    ----------
    path : Path
        The file; made if it is not there, and removed at the end.

    Raises
    ------
    BlockingIOError
        If it is held already, be it by this process.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hrsnn_rs.network.saving import held
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lock"
    ...     with held(path):
    ...         path.exists()
    ...     path.exists()
    True
    False
    """
    place = _locked(path)
    try:
        yield
    finally:
        if place is not None:
            path.unlink(missing_ok=True)
            os.close(place)


def _locked(path: Path) -> int | None:
    """Open and lock a file; `None` where that cannot be done."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - where there is none, all may go on.
        return None
    while True:
        try:
            place = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            return None
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its holder before may have removed it since it was opened.
            if path.exists() and os.path.samestat(os.fstat(place), path.stat()):
                return place
        except BlockingIOError:
            os.close(place)
            raise
        except OSError:
            os.close(place)
            return None
        os.close(place)


def _sync(path: Path) -> None:
    """Wait until the system has a file, or the names in a folder, on the disk."""
    place = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _mode(path: Path) -> int | None:
    """Permission bits of a regular file; `None` where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else None

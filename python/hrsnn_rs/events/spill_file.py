"""A file without a name, for what memory has no room for.

Lives here: writing at its end, and reading any part of it. Not here: what is written. Invariant: it
is gone with the process, and with the last who reads it.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SpillFile:
    """A file in the folder that `tempfile.gettempdir` names (`TMPDIR`), closed when forgotten.

    Parameters
    ----------
    what : str
        What goes there, for the message when there is no room either.

    Raises
    ------
    OSError
        If it cannot be made.

    Examples
    --------
    >>> from hrsnn_rs.events.spill_file import SpillFile
    >>> file = SpillFile("words")
    >>> file.append(b"one"), file.append(b"two")
    (0, 3)
    >>> bytes(file.part(3, 3))
    b'two'
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        try:
            self._handle = tempfile.TemporaryFile(prefix="hrsnn-")  # noqa: SIM115 - held
        except OSError as error:
            raise self._no_room(error) from error
        weakref.finalize(self, self._handle.close)

    def append(self, content: Any) -> int:
        """Write bytes at the end, and say where that was.

        Parameters
        ----------
        content : bytes-like
            What to write.

        Returns
        -------
        int
            Bytes before it.

        Raises
        ------
        OSError
            If there is no room; it names the folder.
        """
        try:
            with self._lock:
                offset = self._handle.seek(0, 2)
                self._handle.write(content)
                self._handle.flush()
        except OSError as error:
            raise self._no_room(error) from error
        return offset

    def part(self, offset: int, n_bytes: int) -> NDArray[np.uint8]:
        """Give some of the bytes, which are read when they are looked at.

        A map has no position that several threads, or a forked process, could move.

        Parameters
        ----------
        offset, n_bytes : int
            Where they begin, and how many there are: at least 1.

        Returns
        -------
        uint8 ndarray of shape (n_bytes,)
            Read-only.
        """
        return np.memmap(self._handle, np.uint8, "r", offset, (n_bytes,))

    def _no_room(self, error: OSError) -> OSError:
        return OSError(
            error.errno,
            f"{error.strerror}: {self._what} that memory has no room for go to "
            f"{tempfile.gettempdir()}; TMPDIR names another folder",
        )

"""A table of features, a row for each sample: in memory while it is small, in a file beyond that.

Lives here: where rows wait to be looked at again, block by block. Not here: what is counted, and
what is made of it. Invariant: what is read is what was appended, bit for bit.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.spill_file import SpillFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import DTypeLike, NDArray

    from hrsnn_rs.network.results import RunStats

#: Bytes of a table that are held in memory.
IN_MEMORY = 16 * 2**20
#: Samples that are counted at a time.
CHUNK = 64
#: Bytes of the rows that are looked at together.
_BLOCK = 8 * 2**20


class FeatureTable:
    """Rows to be read as often as needed, of which the first lie in memory and others on disk.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n, *row), default=()
        The first rows, at least one block; all of one type and one shape of a row.
    memory : int, default=None
        Bytes of rows to hold in memory; `None` means 16 MiB. All that comes later is written to a
        temporary file, in the folder that `tempfile.gettempdir` names (`TMPDIR`).

    Attributes
    ----------
    shape : tuple of int
        Of all rows together.
    dtype : numpy.dtype
        Of the numbers.

    Raises
    ------
    ShapeError
        If a block does not fit the first.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.feature_table import FeatureTable
    >>> table = FeatureTable([np.arange(6.0).reshape(3, 2), np.ones((1, 2))], memory=40)
    >>> table.shape, np.asarray(table[[3, 1]]).tolist()
    ((4, 2), [[1.0, 1.0], [2.0, 3.0]])
    """

    def __init__(self, blocks: Iterable[NDArray[Any]] = (), *, memory: int | None = None) -> None:
        self._left = check_integer("memory", IN_MEMORY if memory is None else memory, 0)
        self._parts: list[NDArray[Any]] = []
        # Row at which each part begins, and how many lie in memory.
        self._starts: list[int] = []
        self._n_held = self._n_rows = 0
        self._row: tuple[int, ...] | None = None
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self._file: SpillFile | None = None
        #: Which rows there are, in order; `None`: all.
        self._chosen: NDArray[np.intp] | None = None
        for block in blocks:
            self.append(block)

    @classmethod
    def of_chunks(
        cls,
        count: Callable[[list[Any]], tuple[NDArray[Any], list[RunStats]]],
        samples: Iterable[Any],
    ) -> tuple[Self, list[RunStats]]:
        """Count samples a few at a time.

        Parameters
        ----------
        count : callable
            Called with some of the samples; gives an array with a row for each, and what they took.
        samples : iterable
            Samples; looked at once.

        Returns
        -------
        table : FeatureTable
        stats : list of RunStats
        """
        table = cls()
        stats: list[RunStats] = []
        waiting = iter(samples)
        chunk = list(itertools.islice(waiting, CHUNK))
        # Of no samples too there is a table.
        while chunk or table._row is None:
            counts, took = count(chunk)
            table.append(counts)
            stats += took
            chunk = list(itertools.islice(waiting, CHUNK))
        return table, stats

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and the shape of a row."""
        return (len(self), *(self._row or ()))

    @property
    def nbytes(self) -> int:
        """Bytes of all rows, wherever they lie."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self._n_rows if self._chosen is None else len(self._chosen)

    def append(self, block: NDArray[Any]) -> None:
        """Take rows more.

        Parameters
        ----------
        block : ndarray of shape (n, *row)
            Kept as it is where it stays in memory: must not be changed.

        Raises
        ------
        ShapeError
            If it does not fit the rows that are there, or this is some of the rows of another.
        OSError
            If the file cannot be written.
        """
        if self._chosen is not None:
            raise ShapeError("block must be appended to the whole table, not to some of its rows.")
        if self._row is None:
            self._row, self.dtype = block.shape[1:], block.dtype
        if block.shape[1:] != self._row or block.dtype != self.dtype:
            raise ShapeError(
                f"block must have rows of shape {self._row} and {self.dtype}; got "
                f"{block.shape[1:]} and {block.dtype}."
            )
        # Once something lies in the file, so does all that follows.
        if self._file is None and block.nbytes <= self._left:
            self._left -= block.nbytes
            self._starts.append(self._n_held)
            self._parts.append(block)
            self._n_held += len(block)
        elif block.nbytes:
            if self._file is None:
                self._file = SpillFile("features")
            self._file.append(np.ascontiguousarray(block).data)
        self._n_rows += len(block)

    def __getitem__(self, index: Any) -> Any:
        """Give some rows, which stay where they are, by indices, marks or a slice; or one row."""
        chosen = np.arange(len(self))[index]
        part = type(self)(memory=0)
        part.__dict__ |= self.__dict__
        part._chosen = np.atleast_1d(chosen if self._chosen is None else self._chosen[chosen])
        return part if np.ndim(chosen) else np.asarray(part)[0]

    def blocks(self) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Read all rows once, some MiB at a time.

        Yields
        ------
        places : slice
            Which rows of this table.
        rows : ndarray of shape (n, *row)
            Must not be changed.
        """
        width = self.nbytes // max(len(self), 1)
        step = max(1, _BLOCK // max(width, 1))
        for start in range(0, len(self), step):
            places = slice(start, min(start + step, len(self)))
            yield places, self._read(places)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Give all rows as an array."""
        if copy is False:
            raise ValueError("a table must be copied to become an array.")
        whole = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for places, rows in self.blocks():
            whole[places] = rows
        return whole

    def sum(self, axis: int | tuple[int, ...], keepdims: bool = False) -> NDArray[Any]:
        """Add up within rows, which leaves an array.

        Parameters
        ----------
        axis : int or tuple of int
            Axes other than the first.
        keepdims : bool, default=False
            As for `numpy.sum`.

        Returns
        -------
        ndarray
        """
        if 0 in np.atleast_1d(axis):
            raise ParameterError("axis must leave the first out; got 0.")
        parts = [rows.sum(axis, keepdims=keepdims) for _, rows in self.blocks()]
        if parts:
            return np.concatenate(parts)
        nothing: NDArray[Any] = np.asarray(self).sum(axis, keepdims=keepdims)
        return nothing

    def _read(self, places: slice) -> NDArray[Any]:
        if self._chosen is None:
            rows = np.arange(places.start, places.stop)
        else:
            rows = self._chosen[places]
        found = np.empty((len(rows), *(self._row or ())), self.dtype)
        held = rows < self._n_held
        if held.any():
            starts = np.array(self._starts)
            part_of = np.searchsorted(starts, rows, side="right") - 1
            for part in np.unique(part_of[held]):
                here = held & (part_of == part)
                found[here] = self._parts[part][rows[here] - starts[part]]
        if not held.all():
            assert self._file is not None
            low, high = rows[~held].min(), rows[~held].max() + 1
            width = self.dtype.itemsize * math.prod(self._row or ())
            content = self._file.part((low - self._n_held) * width, (high - low) * width)
            on_disk = content.view(self.dtype).reshape(high - low, *(self._row or ()))
            found[~held] = on_disk[rows[~held] - low]
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Take all rows along, into the memory of who reads it."""
        return type(self), ([np.asarray(self)],)

    def __repr__(self) -> str:
        return f"FeatureTable(shape={self.shape}, {self.dtype})"

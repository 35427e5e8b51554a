"""A rule that is a graph already: a sparse matrix of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.description.connectivity import Connectivity
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.description.connectivity import Graph, Request
    from hrsnn_rs.description.heterogeneity import Parameter

__all__ = ["ExplicitConnectivity"]

#: Synapses that are sorted at a time.
_AT_A_TIME = 250_000


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ExplicitConnectivity(Connectivity):
    """A graph given as a sparse matrix.

    Parameters
    ----------
    matrix : scipy sparse array of shape (n_pre, n_post)
        Row = source, data = weight in mV with its sign. Copied; stored zeros count as
        synapses; no pair may be stored twice.
    delay : float or array-like of shape (matrix.nnz,), default=None
        Delays in ms, aligned with `matrix.tocsr().data`; `None` means 1 ms between
        neurons and 0 ms from inputs.

    Raises
    ------
    ParameterError
        If `matrix` is not a sparse matrix of finite real numbers or stores a pair twice;
        if a delay is out of range.
    ShapeError
        If `delay` has not one value per synapse.

    Examples
    --------
    >>> from scipy import sparse
    >>> matrix = sparse.csr_array(np.array([[0.0, 1.5], [-2.0, 0.0]]))
    >>> ExplicitConnectivity(matrix)
    ExplicitConnectivity(shape=(2, 2), n_synapses=2)
    """

    #: Numbers of sources and targets.
    shape: tuple[int, int]
    #: Weights in mV, aligned with the indices that `generate` returns; read-only.
    weight: FloatArray
    #: Delays in ms, as `weight`; or a number, a law, or None.
    delay: Parameter | None
    #: Position in the caller's data of each synapse: `ours = theirs[order]`.
    order: NDArray[np.intp]
    _indptr: NDArray[np.int64]
    _indices: NDArray[np.uint32]

    def __init__(self, matrix: Any, delay: Parameter | None = None) -> None:
        from scipy import sparse

        if not sparse.issparse(matrix) or len(matrix.shape) != 2:
            raise ParameterError(
                f"matrix must be a two-dimensional scipy sparse array; got {type(matrix).__name__}."
            )
        given = matrix.tocsr(copy=True)
        if given.nnz < matrix.nnz and matrix.format == "coo":
            # What was stored twice has been summed on the way.
            in_order = np.lexsort((matrix.col, matrix.row))
            _refuse_twice(matrix.row[in_order], matrix.col[in_order])
        try:
            given.check_format(full_check=True)
        except ValueError as error:
            raise ParameterError(f"matrix must be well formed; got one where {error}.") from None
        if given.dtype.kind not in "iuf":
            raise ParameterError(f"matrix must hold real numbers; got dtype {given.dtype}.")
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        order = _order(given)
        columns = given.indices[order]
        _refuse_twice(rows, columns)
        weight = given.data.astype(np.float64)[order]
        wrong = np.flatnonzero(~np.isfinite(weight))
        if wrong.size:
            row, column = int(rows[wrong[0]]), int(columns[wrong[0]])
            raise ParameterError(
                f"matrix must be finite; got {float(weight[wrong[0]])!r} at ({row}, {column})."
            )
        self._set("shape", (int(given.shape[0]), int(given.shape[1])))
        self._set("weight", weight)
        self._set("delay", delay)
        self._set("order", order)
        self._set("_indptr", given.indptr.astype(np.int64))
        self._set("_indices", columns.astype(np.uint32))
        self._check_delay()
        if isinstance(self.delay, np.ndarray):
            if self.delay.size != order.size:
                raise ShapeError(f"delay must have length {order.size}; got {self.delay.size}.")
            self._set("delay", self.delay[order])
            self.delay.setflags(write=False)
        for array in (self.weight, self.order, self._indptr, self._indices):
            array.setflags(write=False)

    def __repr__(self) -> str:
        return f"ExplicitConnectivity(shape={self.shape}, n_synapses={self.order.size})"

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(self.order.size)

    def _graph(self, request: Request) -> Graph:
        if self.shape != (request.n_pre, request.n_post):
            raise ShapeError(
                f"matrix must have shape {(request.n_pre, request.n_post)}; got {self.shape}."
            )
        return self._indptr.copy(), self._indices.copy()


def _refuse_twice(rows: NDArray[Any], columns: NDArray[Any]) -> None:
    """Refuse a pair that comes twice; pairs are sorted."""
    twice = np.flatnonzero((columns[1:] == columns[:-1]) & (rows[1:] == rows[:-1]))
    if twice.size:
        row, column = int(rows[twice[0]]), int(columns[twice[0]])
        raise ParameterError(f"matrix must store each pair once; got ({row}, {column}) twice.")


def _order(given: Any) -> NDArray[np.intp]:
    """Give the positions that sort the columns of each row; Ctrl-C can come between parts."""
    order = np.arange(given.nnz, dtype=np.intp)
    if given.has_sorted_indices:
        return order
    first, n_rows = 0, given.shape[0]
    while first < n_rows:
        start = int(given.indptr[first])
        last = int(np.searchsorted(given.indptr, start + _AT_A_TIME, side="right")) - 1
        last = min(max(last, first + 1), n_rows)
        part = slice(start, int(given.indptr[last]))
        rows = np.repeat(np.arange(last - first), np.diff(given.indptr[first : last + 1]))
        order[part] = start + np.lexsort((given.indices[part], rows))
        first = last
    return order

"""Tables of numbers as scikit-learn takes them, with our words for what is wrong in one.

Lives here: what no table may hold. Not here: what a table is told from (`estimator_input`).
Invariant: what comes out is finite float64, of the columns that `fit` saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from hrsnn_rs.arguments import refuse_masked
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.words import place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator


def checked_table(
    estimator: BaseEstimator, name: str, table: Any, *, reset: bool = False
) -> NDArray[np.float64]:
    """Return a table as float64 if scikit-learn and we can take every value of it.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose columns they must be, or become.
    name : str
        Argument to name in the message.
    table : array_like or frame of shape (n_samples, n_columns)
        Not changed.
    reset : bool, default=False
        Whether the table is that of `fit`.

    Returns
    -------
    float64 ndarray of shape (n_samples, n_columns)
        Not a copy where `table` is one.

    Raises
    ------
    ParameterError
        If a value is masked, a time, not finite or no number.
    ShapeError
        If the table has another form than it must have.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from hrsnn_rs.learning.number_table import checked_table
    >>> checked_table(BaseEstimator(), "samples", [[1, 2]], reset=True)
    array([[1., 2.]])
    """
    refuse_masked(name, table)
    if isinstance(table, list | tuple):
        for index, row in enumerate(table):
            refuse_masked(f"{name}[{index}]", row)
    time = _time_among(table)
    if time is not None:
        raise _NoNumbersError(f"{name} must be real numbers; got {time}.")
    try:
        checked: NDArray[np.float64] = validate_data(
            estimator, table, reset=reset, dtype=np.float64
        )
    except TypeError as error:
        raise _NoNumbersError(f"{name}: {error}") from error
    except ValueError as error:
        words = str(error)
        if "NaN" not in words and "infinity" not in words:
            raise ShapeError(f"{name}: {words}") from error
        raise ParameterError(_not_finite(name, table) or f"{name}: {words}") from None
    return checked


class _NoNumbersError(ParameterError, TypeError):
    """A table of what is no number, for which scikit-learn's contract wants a TypeError."""


def _time_among(table: Any) -> Any:
    """Give the type of a column of dates or spans of time, which NumPy takes for numbers."""
    if isinstance(table, list | tuple):
        try:
            table = np.asarray(table)
        except (TypeError, ValueError):
            return None
    kinds = getattr(table, "dtypes", None)
    kinds = [getattr(table, "dtype", None)] if kinds is None else list(kinds)
    for kind in kinds:
        is_temporal = getattr(kind, "is_temporal", None)  # polars has no kinds of NumPy
        if getattr(kind, "kind", None) in ("m", "M") or (is_temporal and is_temporal()):
            return kind
    return None


def _not_finite(name: str, table: Any) -> str | None:
    """Say where the first value stands that is not finite."""
    try:
        numbers = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    bad = ~np.isfinite(numbers)
    if numbers.ndim != 2 or not bad.any():
        return None
    place = int(np.argmax(bad))
    return (
        f"{name} must be finite, without NaN or infinity; got {float(numbers.flat[place])!r} at "
        f"{place_of(place, numbers.shape)}."
    )

"""Columns of event tables: the checks and the immutability that all tables share.

Lives here: one function per thing that can be wrong with a column. Not here: the tables
themselves. Invariant: no argument is changed, and each message names the argument, the index
and the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from hrsnn_rs.arguments import check_integer, check_number, refuse_masked, within
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.words import place_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

# A time below this can be added to any other without leaving int64.
MAX_TIME = 2**62
POLARITY_FIELDS = ("p", "polarity", "on")


def whole_numbers(
    values: ArrayLike,
    name: str,
    *,
    low: int = 0,
    below: int = MAX_TIME,
    at: str = "event",
    booleans: bool = False,
    ndim: int = 1,
) -> NDArray[np.int64]:
    """Return a fresh int64 copy of `values`, or say which one is wrong.

    Parameters
    ----------
    values : array_like, shape (n,)
        Integers of any width and byte order, or floats that are all whole. Not changed.
    name : str
        The argument, for the message.
    low : int, default=0
        Smallest value allowed.
    below : int, default=2**62
        First value not allowed.
    at : str, default="event"
        What is counted, for the message.
    booleans : bool, default=False
        Whether truth values count as 0 and 1.
    ndim : int, default=1
        Dimensions that it must have; with two, the message names row and column.

    Returns
    -------
    ndarray of int64, of the same shape
        A contiguous copy in native byte order.

    Raises
    ------
    ShapeError
        If `values` has not so many dimensions.
    ParameterError
        If an element is missing, no whole number, or outside `low <= value < below`.

    Examples
    --------
    >>> whole_numbers([1.0, 2.0], "x")
    array([1, 2])
    """
    array = plain_array(values, name)
    if array.ndim != ndim:
        words = "1 dimension" if ndim == 1 else f"{ndim} dimensions"
        raise ShapeError(f"{name} must have {words}; got shape {array.shape}.")
    if array.size == 0:
        return np.empty(array.shape, np.int64)
    allowed = "iufb" if booleans else "iuf"
    if array.dtype.kind not in allowed:
        value = array.flat[0].item() if isinstance(array.flat[0], np.generic) else array.flat[0]
        raise ParameterError(
            f"{name} must hold whole numbers; got dtype {array.dtype} with {value!r} at "
            f"{place_of(0, array.shape, at)}."
        )
    if array.dtype.kind == "f":
        array = array.astype(np.float64)  # the limits overflow in float16
        # NaN and infinity fail the comparison with themselves rounded.
        with np.errstate(invalid="ignore"):
            wrong = ~(np.isfinite(array) & (np.floor(array) == array))
        _refuse(wrong, array, name, "a whole number", at)
    # Before the cast, so that nothing wraps round; int64 can hold both limits.
    _refuse(array < low, array, name, f"at least {low}", at)
    _refuse(array >= below, array, name, f"below {below}", at)
    return np.array(array, dtype=np.int64, order="C")


def plain_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """View `values` as an array; refuse what NumPy would quietly lose."""
    refuse_masked(name, values)
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ShapeError(f"{name} must be an array; NumPy says: {error}") from error


def _refuse(
    wrong: NDArray[np.bool_], values: NDArray[Any], name: str, expected: str, at: str
) -> None:
    """Raise for the first element that is `wrong`, if there is one."""
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ParameterError(
            f"{name} must be {expected}; got {values.flat[index].item()!r} at "
            f"{place_of(index, values.shape, at)}."
        )


def checked_times(
    t: ArrayLike, duration: int | None, **others: ArrayLike
) -> tuple[NDArray[np.int64], int]:
    """Check times and duration in µs: whole, not negative, in order, the end after the last.

    Other columns are looked at where there are no times: then events lack them.
    """
    times = whole_numbers(t, "t", below=MAX_TIME - 1)
    check_order(times, "t", at="event", advice=" Sort the events by t first.")
    if duration is None:
        if times.size == 0:
            check_same_length(
                t=times, **{name: plain_array(one, name) for name, one in others.items()}
            )
            raise ParameterError("duration must be given (in µs) where there are no events.")
        return times, int(times[-1]) + 1
    length = check_integer("duration", duration, 1, unit="µs")
    if times.size and length <= times[-1]:
        raise ParameterError(
            f"duration must be greater than the last t ({times[-1]} µs); got {length}."
        )
    return times, length


def check_order(
    times: NDArray[np.int64], name: str, *, at: str = "index", advice: str = ""
) -> None:
    """Refuse times that decrease; `advice` ends the message."""
    backwards = times[1:] < times[:-1]
    if backwards.any():
        index = int(np.argmax(backwards)) + 1
        raise ParameterError(
            f"{name} must not decrease; got {times[index]} after {times[index - 1]}"
            f" at {at} {index}.{advice}"
        )


def check_same_length(**columns: NDArray[Any]) -> None:
    """Refuse columns whose length is not that of the first."""
    (first, head), *others = columns.items()
    for name, column in others:
        if column.size != head.size:
            raise ShapeError(
                f"{name} must have the length of {first} ({head.size}); got {column.size}."
            )


def check_table(name: str, table: Any, *columns: str) -> pl.DataFrame:
    """Return `table` if it is a frame with some columns.

    Parameters
    ----------
    name : str
        The argument, for the message.
    table : polars.DataFrame
        What the caller handed over. Not changed.
    *columns : str
        Names that it must have; it may have others.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    ParameterError
        If it is none, or lacks a column.

    Examples
    --------
    >>> import polars as pl
    >>> check_table("spikes", pl.DataFrame({"t": [5]}), "t").height
    1
    """
    import polars as pl

    if not isinstance(table, pl.DataFrame):
        raise ParameterError(f"{name} must be a polars DataFrame; got {kind_of(table)}.")
    for column in columns:
        if column not in table.columns:
            there = ", ".join(table.columns) or "none"
            raise ParameterError(f"{name} must have the column {column!r}; it has {there}.")
    return table


def field_names(array: Any) -> tuple[str, ...]:
    """Names of a structured array's fields."""
    names = getattr(getattr(array, "dtype", None), "names", None)
    if names is None:
        raise ParameterError(
            f"array must be a structured array with named fields; got {kind_of(array)}."
        )
    if "t" not in names:
        raise ParameterError(f"array must have a field 't'; got fields {list(names)}.")
    return tuple(names)


def polarity_field(names: tuple[str, ...]) -> str | None:
    """Return the name of the field of polarity, if there is one."""
    found = [name for name in POLARITY_FIELDS if name in names]
    if len(found) > 1:
        raise ParameterError(f"array must have one field of polarity; got {found}.")
    return found[0] if found else None


def polarities_of(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """Return polarities as 0 and 1; a -1 is refused with advice."""
    array = plain_array(values, name)
    if array.ndim == 1 and array.dtype.kind in "if" and (array == -1).any():
        index = int(np.argmax(array == -1))
        raise ParameterError(
            f"{name} must be 0 (OFF) or 1 (ON); got -1 at event {index}. "
            f"Where -1 stands for OFF, pass {name} > 0."
        )
    return whole_numbers(array, name, below=2, booleans=True)


def kind_of(thing: Any) -> str:
    """Say what `thing` is, for a message."""
    if isinstance(thing, np.ndarray):
        return f"an array of dtype {thing.dtype} and shape {thing.shape}"
    return f"a {type(thing).__name__}"


def microseconds(milliseconds: Any, name: str, *, low: int = 1) -> int:
    """Return a time given in ms in µs, rounded, at least `low` µs."""
    number = check_number(name, milliseconds, *within(0.0, 1e12, unit="ms"))
    if round(number * 1000.0) < low:
        raise ParameterError(f"{name} must be at least {low / 1000:g} ms; got {milliseconds!r}.")
    return round(number * 1000.0)


class Frozen:
    """Attributes are set once, by `_freeze`; arrays among them become read-only."""

    __slots__: tuple[str, ...] = ()

    def _freeze(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        # Also of a class made of one of ours, whose own list may be empty.
        return tuple(name for kind in cls.__mro__ for name in vars(kind).get("__slots__", ()))

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._names())

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed; make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed; make a new one.")

    def __reduce__(self) -> tuple[Any, ...]:
        packed = {
            name: _packed(value) for name, value in zip(self._names(), self._values(), strict=True)
        }
        return _unpacked, (type(self), packed)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        pairs = zip(self._values(), other._values(), strict=True)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]


def _packed(value: Any) -> Any:
    """Give a column as it travels: whole numbers in few bytes, times as steps from the first.

    Recorded events take a third of what they take in memory; workers are sent many.
    """
    if not isinstance(value, np.ndarray) or value.dtype.kind == "f":
        return value
    first, numbers = None, value
    if value.dtype == np.int64 and value.size:
        first, numbers = int(value[0]), np.diff(value, prepend=value[0])
    return value.dtype, first, numbers.astype(np.min_scalar_type(numbers.max(initial=0)))


def _unpacked(kind: type[Frozen], packed: dict[str, Any]) -> Frozen:
    """Make a table of what another one was, which had been checked."""
    table = kind.__new__(kind)
    for name, value in packed.items():
        table._freeze(**{name: _column(*value) if isinstance(value, tuple) else value})
    return table


def _column(dtype: np.dtype[Any], first: int | None, numbers: NDArray[Any]) -> NDArray[Any]:
    """Undo `_packed`."""
    if first is None:
        return numbers.astype(dtype)
    times = np.cumsum(numbers, dtype=dtype)
    times += first
    return times

"""Checks of single arguments that are numbers, arrays, mappings or paths.

Not here: words, lists, functions and objects (`kinds`). Each returns the converted value or names
what is wrong.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.words import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = "NDArray[np.float64]"

#: What is allowed: in words, and as a test of a number or an array.
Range: TypeAlias = "tuple[str, Callable[[Any], Any]]"

POSITIVE: Range = ("greater than 0", lambda value: value > 0.0)
NOT_NEGATIVE: Range = ("at least 0", lambda value: value >= 0.0)
PROBABILITY: Range = ("in [0, 1]", lambda value: (value >= 0.0) & (value <= 1.0))

#: Most that a whole number may be unless told otherwise: two of them can be added in 64 bits.
MOST = 2**62 - 1
MOST_SEED = 2**64 - 1


def within(low: float, below: float = math.inf, unit: str = "") -> Range:
    """Say that a number must be in `low <= value < below`.

    Parameters
    ----------
    low : float
        Smallest value allowed.
    below : float, default=inf
        First value not allowed.
    unit : str, default=""
        Unit, for the message.

    Returns
    -------
    Range
        For `check_number`.

    Examples
    --------
    >>> check_number("threshold", 0.5, *within(0.0, 1.0))
    0.5
    """
    words = f"at least {low:g}" + ("" if below == math.inf else f" and below {below:g}")
    return words + (unit and f" {unit}"), lambda value: low <= value < below


def check_number(
    name: str,
    value: object,
    expected: str = "a finite number",
    allowed: Callable[[float], bool] = lambda value: True,
) -> float:
    """Return `value` as a float if it is finite and allowed.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.
    expected : str, default="a finite number"
        What is allowed, for the message.
    allowed : callable, optional
        Called with the float; False refuses it.

    Returns
    -------
    float
        The value.

    Raises
    ------
    ParameterError
        If `value` is not a real number (bool counts as none), not finite or not allowed.

    Examples
    --------
    >>> check_number("rate", 3)
    3.0
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise ParameterError(f"{name} must be {expected}; got {value!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not allowed(number):
        raise ParameterError(f"{name} must be {expected}; got {number!r}.")
    return number


def check_integer(
    name: str, value: object, low: int = 0, high: int = MOST, *, unit: str = ""
) -> int:
    """Return `value` as an int if it is a whole number in [low, high].

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over; a float will do if it is whole, a truth value will not.
    low, high : int, default=0, 2**62 - 1
        Bounds, both allowed.
    unit : str, default=""
        Unit, for the message.

    Returns
    -------
    int
        The value.

    Raises
    ------
    ParameterError
        If `value` is no whole number or out of bounds.

    Examples
    --------
    >>> check_integer("duration", 1e6, 1, unit="µs")
    1000000
    """
    unit = unit and f" {unit}"
    if isinstance(value, float | np.floating):
        is_whole = float(value).is_integer()
    else:
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole:
        raise ParameterError(f"{name} must be a whole number{unit}; got {value!r}.")
    number = int(cast("Integral | float", value))
    if number < low:
        raise ParameterError(f"{name} must be at least {low}{unit}; got {number}.")
    if number > high:
        raise ParameterError(f"{name} must be at most {high}{unit}; got {number}.")
    return number


def check_array(
    name: str,
    value: ArrayLike,
    expected: str = "finite",
    allowed: Callable[[FloatArray], NDArray[np.bool_]] | None = None,
    *,
    at: str = "index",
    ndim: int = 1,
) -> FloatArray:
    """Return a read-only float64 copy of an array of allowed numbers.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : array-like of shape (n,), or of `ndim` dimensions
        Numbers; never changed.
    expected : str, default="finite"
        What is allowed, for the message.
    allowed : callable, optional
        Called with the array; False refuses an element.
    at : str, default="index"
        What the elements are, for the message: "neuron", "synapse".
    ndim : int, default=1
        Dimensions that it must have; with two, the message names row and column.

    Returns
    -------
    float64 array of the same shape
        The copy.

    Raises
    ------
    ParameterError
        If an element is not a finite real number or not allowed.
    ShapeError
        If the array has not so many dimensions.

    Examples
    --------
    >>> check_array("tau_m", [10, 20])
    array([10., 20.])
    """
    array = as_array(name, value)
    if array.dtype.kind not in "iuf":
        raise ParameterError(
            f"{name} must be a number, an array of numbers or a Distribution; got {value!r}."
        )
    if array.ndim != ndim:
        words = "be one-dimensional" if ndim == 1 else f"have {ndim} dimensions"
        raise ShapeError(f"{name} must {words}; got shape {array.shape}.")
    copy = array.astype(np.float64)
    good = np.isfinite(copy)
    if allowed is not None:
        good &= allowed(copy)
    if not good.all():
        index = int(np.argmin(good))
        raise ParameterError(
            f"{name} must be {expected}; got {float(copy.flat[index])!r} at "
            f"{place_of(index, copy.shape, at)}."
        )
    copy.setflags(write=False)
    return copy


def refuse_masked(name: str, value: object) -> None:
    """Refuse an array in which values are masked.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.

    Raises
    ------
    ParameterError
        If a value is masked.

    Examples
    --------
    >>> refuse_masked("tau_m", 20.0)
    """
    # NumPy loads its masked arrays when they are named; few values can be one.
    if not hasattr(value, "mask") or not isinstance(value, np.ma.MaskedArray):
        return
    if np.ma.is_masked(value):
        index = int(np.argmax(np.ma.getmaskarray(value).ravel()))
        raise ParameterError(
            f"{name} must have no masked values; got one at {place_of(index, value.shape)}."
        )


def as_array(name: str, value: object) -> NDArray[Any]:
    """Return `value` as an array of whatever type and shape it has.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.

    Returns
    -------
    ndarray
        Not a copy if `value` is an array.

    Raises
    ------
    ParameterError
        If a value is masked.
    ShapeError
        If `value` is a ragged sequence.

    Examples
    --------
    >>> as_array("tau_m", 20.0).ndim
    0
    """
    refuse_masked(name, value)
    try:
        return np.asarray(value)
    except ValueError:
        raise ShapeError(f"{name} must be one-dimensional; got a ragged sequence.") from None


def check_sides(name: str, value: object, n: int) -> tuple[int, ...]:
    """Return `value` as a tuple of `n` whole numbers of at least 1.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.
    n : int
        Number of sides.

    Returns
    -------
    tuple of int
        The sides.

    Raises
    ------
    ParameterError
        If it is no flat sequence of `n` whole numbers of at least 1.

    ShapeError
        If it is a ragged sequence.

    Examples
    --------
    >>> check_sides("sensor", [32, 32], 2)
    (32, 32)
    """
    if not isinstance(value, tuple | list | np.ndarray) or as_array(name, value).shape != (n,):
        raise ParameterError(f"{name} must be {n} integers; got {value!r}.")
    return tuple(check_integer(name, side, 1, 2**32 - 1) for side in value)


def check_truth(name: str, value: object) -> bool:
    """Return `value` if it is True or False.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over; only Python's and NumPy's truth values will do.

    Returns
    -------
    bool
        The value.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> check_truth("progress", np.True_)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise ParameterError(f"{name} must be True or False; got {value!r}.")
    return bool(value)


def check_path(name: str, value: object) -> str:
    """Return `value` as a path's text.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over: a str or an `os.PathLike` of one.

    Returns
    -------
    str
        The path.

    Raises
    ------
    ParameterError
        If it is no path, is empty, or holds a null character.

    Examples
    --------
    >>> check_path("path", "net.safetensors")
    'net.safetensors'
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise ParameterError(f"{name} must be a path; got {value!r}.")
    return path


def check_mapping(name: str, value: object) -> dict[str, Any]:
    """Return a copy of `value` as a dict.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.

    Returns
    -------
    dict
        A shallow copy.

    Raises
    ------
    ParameterError
        If it is no mapping.

    Examples
    --------
    >>> check_mapping("content", {"p": 0.1})
    {'p': 0.1}
    """
    if not isinstance(value, Mapping):
        raise ParameterError(f"{name} must be a mapping; got {value!r}.")
    return dict(value)

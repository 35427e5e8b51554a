"""A parameter that may differ from element to element, and how it becomes an array.

Nothing is drawn before `resolve` is told for how many elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hrsnn_rs.arguments import as_array, check_array, check_number
from hrsnn_rs.description.distributions import Constant
from hrsnn_rs.description.law import Distribution, check_offsets
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from hrsnn_rs.arguments import FloatArray

#: What a parameter may be: a number, one number per element, or a law.
Parameter: TypeAlias = "float | ArrayLike | Distribution"


def check_parameter(
    name: str,
    value: Parameter,
    expected: str = "finite",
    allowed: Callable[[Any], Any] = np.isfinite,
    *,
    at: str = "index",
) -> float | FloatArray | Distribution:
    """Return a parameter in the form in which it is kept.

    A law is checked only as far as its bounds tell; its values are checked when drawn.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : float, array-like of shape (n,), or Distribution
        What the caller handed over; never changed.
    expected : str, default="finite"
        What is allowed, for the message.
    allowed : callable, optional
        Called with a float or an array; False refuses it.
    at : str, default="index"
        What the elements are, for the message: "neuron", "synapse".

    Returns
    -------
    float, read-only float64 array of shape (n,), or Distribution
        The parameter; arrays are copied.

    Raises
    ------
    ParameterError
        If a value is not a finite real number or not allowed.
    ShapeError
        If an array has not one dimension.

    Examples
    --------
    >>> check_parameter("tau_m", 20)
    20.0
    """
    if isinstance(value, Distribution):
        if isinstance(value, Constant):
            check_number(name, value.value, expected, allowed)
        return value
    if as_array(name, value).ndim == 0:
        return check_number(name, value, expected, allowed)
    return check_array(name, value, expected, allowed, at=at)


def resolve(
    parameter: Parameter,
    name: str,
    offsets: ArrayLike,
    seed: int,
    *,
    purpose: str | None = None,
    at: str = "index",
) -> FloatArray:
    """Turn a parameter into one value per element.

    Parameters
    ----------
    parameter : float, array-like of shape (offsets[-1],), or Distribution
        A number counts for all elements; an array is copied; a law is drawn.
    name : str
        Argument to name in messages.
    offsets : int array of shape (n_rows + 1,)
        Where each row begins, as in a CSR `indptr`.
    seed : int
        In [0, 2**64).
    purpose : str, default=None
        Purpose of the stream; `None` means `name`.
    at : str, default="index"
        What the elements are, for messages: "neuron", "synapse".

    Returns
    -------
    float64 array of shape (offsets[-1],)
        The values, in an array of its own.

    Raises
    ------
    ParameterError
        If a value is not a finite real number.
    ShapeError
        If an array has another length than `offsets[-1]`.

    Examples
    --------
    >>> resolve(2.0, "delay", [0, 2], seed=7)
    array([2., 2.])
    """
    offsets = check_offsets(offsets)
    n = int(offsets[-1])
    if isinstance(parameter, Distribution):
        return parameter.sample(offsets, seed, name if purpose is None else purpose)
    if np.ndim(as_array(name, parameter)) == 0:
        return np.full(n, check_number(name, parameter))
    values = check_array(name, parameter, at=at)
    if values.size != n:
        raise ShapeError(f"{name} must have length {n}; got length {values.size}.")
    return values.copy()


def constant_of_same_mean(parameter: Parameter) -> Constant | float:
    """Take the heterogeneity out of a parameter and keep its mean.

    Parameters
    ----------
    parameter : float, array-like of shape (n,), or Distribution
        Not changed.

    Returns
    -------
    Constant or float
        The mean of a law as drawn, or of an array, as `Constant`; a number as it is.

    Raises
    ------
    ParameterError
        If a value is not a finite real number, or the array is empty.

    Examples
    --------
    >>> constant_of_same_mean([10.0, 30.0])
    Constant(value=20.0)
    """
    if isinstance(parameter, Distribution):
        return Constant(parameter.mean_drawn)
    if np.ndim(as_array("parameter", parameter)) == 0:
        return check_number("parameter", parameter)
    values = check_array("parameter", parameter)
    if values.size == 0:
        raise ParameterError("parameter must have a mean; got an empty array.")
    with np.errstate(over="ignore"):  # Constant refuses an infinite one
        return Constant(float(values.mean()))

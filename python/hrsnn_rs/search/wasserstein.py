"""The 2-Wasserstein distance between laws of one number, and a place for each law.

In one dimension the distance is that of the quantile functions in L2. With the quantile at
`Phi(z)`, a law is a function of a standard normal `z`; at some nodes of `z`, each times the root of
its weight, it is a vector, and the distance of two vectors is that of their laws. So every kernel
that is positive definite over vectors is one over laws.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_kind, check_truth
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.quantiles import is_positive, quantiles
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray

#: Nodes of a standard normal variable. The trapezoidal rule converges faster than any power of the
#: step for smooth integrands that vanish with all derivatives at both ends, as these do.
NODES = np.linspace(-9.0, 9.0, 37)
_WEIGHTS = np.exp(-0.5 * NODES**2)
_ROOTS = np.sqrt(_WEIGHTS / _WEIGHTS.sum())


def wasserstein(first: Distribution, second: Distribution, *, log: bool = False) -> float:
    """Give the 2-Wasserstein distance of two laws.

    Parameters
    ----------
    first, second : Distribution
        Laws; truncation counts.
    log : bool, default=False
        Whether to compare the logarithms of the values, so that ratios count in place of
        differences.

    Returns
    -------
    float
        In the unit of the values, or without one for logarithms.

    Raises
    ------
    ParameterError
        If an argument is no law, or `log` is asked of a law with values that are not positive.

    Examples
    --------
    Gamma laws of equal shape k lie `sqrt(k (k + 1))` times the difference of their scales apart:

    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import wasserstein
    >>> round(wasserstein(Gamma(mean=20.0, shape=3.0), Gamma(mean=30.0, shape=3.0)), 4)
    11.547
    """
    for name, law in (("first", first), ("second", second)):
        check_kind(name, law, Distribution)
    return float(np.linalg.norm(embedded(first, log=log) - embedded(second, log=log)))


def embedded(law: Distribution, *, log: bool = False) -> FloatArray:
    """Give the place of a law: the Euclidean distance of two places is that of their laws.

    Parameters
    ----------
    law : Distribution
        A law.
    log : bool, default=False
        As for `wasserstein`.

    Returns
    -------
    float64 ndarray of shape (37,)
        Quantiles at the nodes, each times the root of its weight.

    Raises
    ------
    ParameterError
        As for `wasserstein`.

    Examples
    --------
    >>> from hrsnn_rs import Constant
    >>> from hrsnn_rs.search import embedded
    >>> float((embedded(Constant(20.0)) ** 2).sum() ** 0.5)
    20.0
    """
    if not isinstance(law, Distribution):
        raise ParameterError(f"law must be a Distribution; got {law!r}.")
    if check_truth("log", log) and not is_positive(law):
        raise ParameterError(f"log must be False where values may be 0 or less; got {law!r}.")
    values = {field.name: np.array([[getattr(law, field.name)]]) for field in fields(law)}
    return np.asarray(embedded_many(type(law), values, log=log)[0])


def embedded_many(
    law: type[Distribution], values: Mapping[str, NDArray[Any]], *, log: bool
) -> FloatArray:
    """Give the places of many laws of one kind.

    Parameters
    ----------
    law : type of Distribution
        The kind.
    values : mapping of str to ndarray of shape (n, 1) or (1, 1)
        Its arguments, complete and allowed; `None` as in the laws.
    log : bool
        As for `wasserstein`.

    Returns
    -------
    float64 ndarray of shape (n, 37)
        One row per law.
    """
    places: FloatArray = _ROOTS * quantiles(law, values, NODES, log=log)
    return places

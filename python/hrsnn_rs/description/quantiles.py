"""Values below which a share of a law lies, for many laws of one kind at once.

A share is given as `Phi(z)` of a standard normal variable `z`, so that both tails have all their
digits. Not here: drawing, which the core does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.description.distributions import (
    Constant,
    Gamma,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.description.law import Distribution


def quantiles(
    law: type[Distribution], values: Mapping[str, NDArray[Any]], z: FloatArray, *, log: bool
) -> FloatArray:
    """Give the values below which a share `Phi(z)` of each law lies, or their logarithms.

    Parameters
    ----------
    law : type of Distribution
        Kind of the laws.
    values : mapping of str to ndarray of shape (n, 1) or (1, 1)
        All its arguments, as checked by the laws; bounds are `None` or the same for all.
    z : float64 ndarray of shape (n_nodes,)
        Where.
    log : bool
        Whether to give logarithms; all values are then above 0.

    Returns
    -------
    float64 ndarray of shape (n, n_nodes)
        One row per law.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs import Uniform
    >>> quantiles(Uniform, {"low": np.array([[1.0]]), "high": np.array([[3.0]])},
    ...           np.array([-9.0, 0.0, 9.0]), log=False).tolist()
    [[1.0, 2.0, 3.0]]
    """
    found = _QUANTILES[law](values, z)
    if log:
        # Far in the tail of a law with much of its mass at 0 a quantile has no logarithm.
        found = np.log(np.maximum(found, sys.float_info.min))
    return np.asarray(found + np.zeros_like(z))


def is_positive(law: Distribution) -> bool:
    """Say whether all values of a law are above 0.

    Parameters
    ----------
    law : Distribution
        A law.

    Returns
    -------
    bool
        Whether each value has a logarithm.

    Examples
    --------
    >>> from hrsnn_rs import Normal
    >>> is_positive(Normal(mean=5.0, std=1.0))
    False
    """
    if isinstance(law, Constant):
        return law.value > 0.0
    if isinstance(law, Uniform):
        return law.low > 0.0
    if isinstance(law, Normal):
        return law.low is not None and law.low > 0.0
    return True


def _normal(values: Mapping[str, NDArray[Any]], z: FloatArray) -> FloatArray:
    scaled = _truncated(values, z, lambda x: (x - values["mean"]) / values["std"])
    return np.asarray(values["mean"] + values["std"] * scaled)


def _lognormal(values: Mapping[str, NDArray[Any]], z: FloatArray) -> FloatArray:
    variance = np.log1p((values["std"] / values["mean"]) ** 2)
    middle, sigma = np.log(values["mean"]) - 0.5 * variance, np.sqrt(variance)

    def score(x: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray((np.log(np.maximum(x, 0.0)) - middle) / sigma)

    return np.asarray(np.exp(middle + sigma * _truncated(values, z, score)))


def _gamma(values: Mapping[str, NDArray[Any]], z: FloatArray) -> FloatArray:
    from scipy import special

    shape, scale = values["shape"], values["mean"] / values["shape"]

    def score(x: FloatArray) -> FloatArray:
        scaled = np.maximum(x, 0.0) / scale
        below, above = special.gammainc(shape, scaled), special.gammaincc(shape, scaled)
        # Of the two shares the smaller one has all its digits.
        return np.asarray(np.where(below < above, special.ndtri(below), -special.ndtri(above)))

    z = _truncated(values, z, score) + np.zeros_like(shape)
    shape = shape + np.zeros_like(z)
    found = np.empty_like(z)
    low = z < 0.0
    found[low] = special.gammaincinv(shape[low], special.ndtr(z[low]))
    found[~low] = special.gammainccinv(shape[~low], special.ndtr(-z[~low]))
    return np.asarray(scale * found)


def _truncated(
    values: Mapping[str, NDArray[Any]], z: FloatArray, score: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Give the standard normal `z` of the whole law that belongs to one of the truncated law."""
    low, high = values["low"].ravel()[0], values["high"].ravel()[0]
    if low is None and high is None:
        return z
    from scipy import special

    least = 0.0 if low is None else special.ndtr(score(np.array([[low]], float)))
    most = 1.0 if high is None else special.ndtr(score(np.array([[high]], float)))
    share = least + (most - least) * special.ndtr(z)
    beyond = (1.0 - most) + (most - least) * special.ndtr(-z)
    return np.asarray(np.where(share < 0.5, special.ndtri(share), -special.ndtri(beyond)))


def _uniform(values: Mapping[str, NDArray[Any]], z: FloatArray) -> FloatArray:
    from scipy import special

    return np.asarray(values["low"] * special.ndtr(-z) + values["high"] * special.ndtr(z))


def _loguniform(values: Mapping[str, NDArray[Any]], z: FloatArray) -> FloatArray:
    return np.asarray(np.exp(_uniform({name: np.log(bound) for name, bound in values.items()}, z)))


_QUANTILES: dict[
    type[Distribution], Callable[[Mapping[str, NDArray[Any]], FloatArray], FloatArray]
] = {
    Constant: lambda values, z: values["value"],
    Uniform: _uniform,
    LogUniform: _loguniform,
    Normal: _normal,
    LogNormal: _lognormal,
    Gamma: _gamma,
}

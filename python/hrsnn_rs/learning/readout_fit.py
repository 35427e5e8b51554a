"""The fit of a readout: means and scales, the penalty, weights, and how sure a prediction may be.

Lives here: a small table is solved exactly, a large one in blocks. Not here: what `fit` accepts,
labels, which are codes here (`readout`), and how what was left out is predicted (`left_out`,
`large_ridge`).
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from sklearn.linear_model import RidgeClassifier

from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.large_ridge import LargeLeftOut, moments, standardised
from hrsnn_rs.learning.left_out import LeftOut, folds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

Rows = TypeVar("Rows", "NDArray[np.float64]", FeatureTable)

#: Bytes of a table of float64 up to which it is solved exactly, in memory.
SMALL = 128 * 2**20


def is_small(table: FeatureTable | Floats) -> bool:
    """Say whether a table is solved exactly."""
    return math.prod(table.shape) * 8 <= SMALL


class Fitted(NamedTuple):
    """What a readout has learned; see the attributes of `Readout`."""

    alpha: float
    temperature: float
    coef: Floats
    intercept: Floats
    mean: Floats
    scale: Floats


def fit_in_memory(
    flat: Floats,
    codes: Codes,
    groups: Codes | None,
    weights: Floats,
    own: Floats,
    alphas: list[float],
    scaling: str,
) -> Fitted:
    """Fit to a table in memory, exactly.

    Parameters
    ----------
    flat : float64 ndarray of shape (n_samples, n_features)
        Compressed features. Written over.
    codes, groups : ndarray of intp, shape (n_samples,)
        Class and group of each sample; `groups` may be `None`. Samples of no weight may have any
        class.
    weights : float64 ndarray of shape (n_samples,)
        Weight of each sample in the fit.
    own : float64 ndarray of shape (n_samples,)
        Weight of each sample in means and scales.
    alphas : list of float
        Candidates of the penalty, ascending.
    scaling : str
        As for `Readout`.

    Returns
    -------
    Fitted
    """
    mean = np.average(flat, axis=0, weights=own)
    flat -= mean
    scale = scale_of(np.sqrt(np.average(np.square(flat), axis=0, weights=own)), mean, scaling)
    flat /= scale
    rows, codes, groups, weights = _of_weight(flat, codes, groups, weights)
    left_out = LeftOut(rows, codes, weights, folds_of(rows, codes, groups))
    alpha = left_out.best_alpha(alphas)
    temperature = left_out.temperature(alpha)
    with warnings.catch_warnings():
        # Few samples of each class are a hard task, not a mistaken regression.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        ridge = RidgeClassifier(alpha=alpha, copy_X=False).fit(
            rows, codes, sample_weight=None if (weights == 1.0).all() else weights
        )
    coef = np.ascontiguousarray(np.atleast_2d(ridge.coef_), dtype=np.float64)
    intercept = np.ascontiguousarray(np.atleast_1d(ridge.intercept_), dtype=np.float64)
    return Fitted(alpha, temperature, coef, intercept, mean, scale)


def fit_in_blocks(
    table: FeatureTable,
    prepare: Callable[[Floats, int], Floats],
    codes: Codes,
    groups: Codes | None,
    weights: Floats,
    own: Floats,
    alphas: list[float],
    scaling: str,
) -> Fitted:
    """Fit to a table of any length, to a tolerance.

    Parameters are those of `fit_in_memory`, but for

    Parameters
    ----------
    table : FeatureTable of shape (n_samples, *row)
        Features.
    prepare : callable
        Compresses rows; as for `moments`.

    Returns
    -------
    Fitted

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met.
    """

    def checked(flat: Floats, first: int) -> Floats:
        if not np.isfinite(flat).all():
            row, column = np.argwhere(~np.isfinite(flat))[0]
            raise ParameterError(
                f"features must be finite; got {flat[row, column]} at sample {first + row}, "
                f"feature {column}."
            )
        return prepare(flat, first)

    mean, deviation = moments(table, own, checked)
    scale = scale_of(deviation, mean, scaling)
    table, codes, groups, weights = _of_weight(table, codes, groups, weights)
    standard, content = standardised(table, codes, mean, scale, checked)
    left_out = LargeLeftOut(standard, codes, weights, content, groups, alphas)
    alpha = left_out.best_alpha(alphas)
    coef, intercept = left_out.solution(alpha)
    return Fitted(alpha, left_out.temperature(alpha), coef, intercept, mean, scale)


def _of_weight(
    rows: Rows, codes: Codes, groups: Codes | None, weights: Floats
) -> tuple[Rows, Codes, Codes | None, Floats]:
    """Leave out what has no weight: it is as if it were not there."""
    taken = np.flatnonzero(weights)
    if len(taken) == len(weights):
        return rows, codes, groups, weights
    return (
        rows[taken],
        codes[taken],
        None if groups is None else groups[taken],
        weights[taken],
    )


def scale_of(deviation: Floats, mean: Floats, scaling: str) -> Floats:
    """Give what each column is divided by; 1 for one that never changes."""
    # A constant column has a rounding error for a standard deviation, not always 0.
    constant = deviation <= 1e-12 * np.maximum(np.abs(mean), 1.0)
    if scaling == "common" and not constant.all():
        return np.full_like(deviation, np.sqrt(np.mean(np.square(deviation))))
    return np.where(constant, 1.0, deviation)

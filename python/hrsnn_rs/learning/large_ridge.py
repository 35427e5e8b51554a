"""Ridge regression of a table that is read in blocks, in memory for the features alone.

Lives here: means and scales of such a table, its solution by conjugate gradients, and predictions
of what was left out. Not here: the exact solution of what fits into memory (`left_out`), which this
one comes as near to as its tolerance says, and labels, which are codes here.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.left_out import N_SPLITS, LeftOut, folds_of_groups, plus_minus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

# Residual of the solution, relative to where it began, and passes over the table at most.
_TOLERANCE, _MOST_PASSES = 1e-5, 1000
# The same for choosing among penalties, of which the smallest need not be solved to the end.
_ROUGHLY, _FEW_PASSES = 1e-3, 100
# A residual as small as this, relative to another, is none.
_NOTHING = 1e-100


def moments(
    table: FeatureTable, weights: Floats, prepare: Callable[[Floats, int], Floats]
) -> tuple[Floats, Floats]:
    """Give mean and standard deviation of each column.

    Parameters
    ----------
    table : FeatureTable of shape (n_samples, *row)
        Features.
    weights : float64 ndarray of shape (n_samples,)
        Weights, not all 0.
    prepare : callable
        What is done to rows first: given as float64 of shape (n, n_features), and which of all is
        the first of them.

    Returns
    -------
    mean, deviation : float64 ndarray of shape (n_features,)
    """
    total = weights.sum()
    mean = (
        sum(weights[places] @ prepare(_flat(rows), places.start) for places, rows in table.blocks())
        / total
    )
    squares = sum(
        weights[places] @ np.square(prepare(_flat(rows), places.start) - mean)
        for places, rows in table.blocks()
    )
    return mean, np.sqrt(squares / total)


def standardised(
    table: FeatureTable,
    codes: Codes,
    mean: Floats,
    scale: Floats,
    prepare: Callable[[Floats, int], Floats],
) -> tuple[FeatureTable, Codes]:
    """Write the table anew, as float32 of mean 0 and scale 1, and tell copies.

    Parameters
    ----------
    table : FeatureTable of shape (n_samples, *row)
        Features.
    codes : ndarray of intp, shape (n_samples,)
        Class of each sample.
    mean, scale : float64 ndarray of shape (n_features,)
        Of each column.
    prepare : callable
        As for `moments`.

    Returns
    -------
    standard : FeatureTable of shape (n_samples, n_features)
    content : ndarray of intp, shape (n_samples,)
        Equal for samples that are copies of one another: which of the different ones it is.
    """
    standard, content = FeatureTable(), np.empty(len(codes), np.intp)
    known: dict[bytes, int] = {}
    for places, rows in table.blocks():
        flat = prepare(_flat(rows), places.start)
        for place, row in zip(range(places.start, places.stop), flat, strict=True):
            words = row.tobytes() + int(codes[place]).to_bytes(8, "little")
            digest = hashlib.blake2b(words, digest_size=16).digest()
            content[place] = known.setdefault(digest, len(known))
        flat -= mean
        flat /= scale
        standard.append(flat.astype(np.float32))
    return standard, content


class LargeLeftOut(LeftOut):
    """Predictions of each fold by the ridge regression of all others, of a table in blocks.

    Parameters
    ----------
    standard : FeatureTable of shape (n_samples, n_features)
        Standardised features.
    codes : ndarray of intp, shape (n_samples,)
        Class of each sample.
    weights : float64 ndarray of shape (n_samples,)
        Weights, all above 0.
    content : ndarray of intp, shape (n_samples,)
        Equal for copies.
    groups : ndarray of intp, shape (n_samples,), or None
        Group of each sample. Without groups there are five folds of samples.
    alphas : sequence of float
        All penalties that will be asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.feature_table import FeatureTable
    >>> from hrsnn_rs.learning.large_ridge import LargeLeftOut
    >>> codes = np.arange(40) % 2
    >>> table = FeatureTable([np.float32(2 * codes[:, None] - 1)])
    >>> large = LargeLeftOut(table, codes, np.ones(40), np.arange(40), None, [1e-6])
    >>> large.predictions(1e-6)[:4].round(3).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    def __init__(
        self,
        standard: FeatureTable,
        codes: Codes,
        weights: Floats,
        content: Codes,
        groups: Codes | None,
        alphas: Sequence[float],
    ) -> None:
        self._standard = standard
        self._codes, self._weights = codes, weights
        self._targets = plus_minus(codes, int(codes.max()) + 1)
        self._folds = folds_of_groups(groups) or _folds_of_contents(content)
        self._alphas = sorted(alphas)
        self._predicted = np.zeros((len(self._alphas), *self._targets.shape))
        for fold in self._folds:
            weight = weights.copy()
            weight[fold] = 0.0
            if not len(fold) or not weight.any():
                continue
            solved, offsets = self._solved(weight, self._alphas, _ROUGHLY, _FEW_PASSES)
            marks = np.zeros(len(codes), bool)
            marks[fold] = True
            both = np.concatenate(list(solved), axis=1).astype(np.float32)
            for places, rows in standard[marks].blocks():
                found = (rows @ both).reshape(len(rows), len(self._alphas), -1)
                self._predicted[:, np.sort(fold)[places]] = (
                    found.transpose(1, 0, 2) + offsets[:, None]
                )

    def predictions(self, alpha: float) -> Floats:
        """Predict each sample without its fold, for one of the penalties given."""
        found: Floats = self._predicted[self._alphas.index(alpha)]
        return found

    def solution(self, alpha: float) -> tuple[Floats, Floats]:
        """Solve with all samples.

        Parameters
        ----------
        alpha : float
            Penalty.

        Returns
        -------
        coefficients : float64 ndarray of shape (n_classes, n_features), or (1, n_features)
        offsets : float64 ndarray of shape (n_classes,) or (1,)

        Warns
        -----
        ConvergenceWarning
            If the tolerance was not met after 1,000 passes.
        """
        solved, offsets = self._solved(self._weights, [alpha], _TOLERANCE, _MOST_PASSES)
        return np.ascontiguousarray(solved[0].T), offsets[0]

    def _solved(
        self, weights: Floats, alphas: Sequence[float], tolerance: float, most: int
    ) -> tuple[Floats, Floats]:
        """Solve for all penalties at once; (n_alphas, n_features, k) and (n_alphas, k)."""
        # Sums are of float32: weights of any size become 1 at most, and penalties with them.
        largest = weights.max()
        weights, alphas = weights / largest, [alpha / largest for alpha in alphas]
        total = weights.sum()
        centre = np.average(self._targets, axis=0, weights=weights)
        weighted = weights[:, None] * (self._targets - centre)
        mean = np.zeros(self._standard.shape[1])
        right = np.zeros((mean.size, centre.size))
        for places, rows in self._standard.blocks():
            mean += weights[places] @ rows
            right += rows.T @ weighted[places].astype(np.float32)
        mean /= total
        right -= np.outer(mean, weighted.sum(axis=0))

        def times(directions: Floats) -> Floats:
            """Multiply by the weighted covariance: one pass over the table."""
            narrow, product = directions.astype(np.float32), np.zeros_like(directions)
            offset, pull = mean @ directions, np.zeros(directions.shape[1])
            for places, rows in self._standard.blocks():
                along = weights[places, None] * (rows @ narrow - offset)
                product += rows.T @ along.astype(np.float32)
                pull += along.sum(axis=0)
            product -= np.outer(mean, pull)
            return product

        solved, is_near = shifted_solutions(times, right, alphas, tolerance, most)
        if most == _MOST_PASSES and not is_near:
            warnings.warn(
                f"the readout's weights were not found within {tolerance:g} in {most} passes over "
                f"{len(weights)} samples; a larger alpha is found sooner.",
                ConvergenceWarning,
                stacklevel=5,
            )
        return solved, centre - np.einsum("d,adk->ak", mean, solved)


def _folds_of_contents(content: Codes) -> list[Codes]:
    """Draw five folds of samples; copies lie in one. Not in turn: classes may come so."""
    draw = np.random.Generator(np.random.Philox(key=[0, 108]))
    fold = draw.permutation(int(content.max()) + 1) % N_SPLITS
    return [np.flatnonzero(fold[content] == k) for k in range(N_SPLITS)]


def shifted_solutions(
    times: Callable[[Floats], Floats],
    right: Floats,
    alphas: Sequence[float],
    tolerance: float,
    most: int,
) -> tuple[Floats, bool]:
    """Solve (A + alpha) x = b for several alphas by the conjugate gradients of the smallest.

    All of them lie in the same Krylov space, so that one product with A a step serves all
    (Jegerlehner 1996, "Krylov space solvers for shifted linear systems"). Columns are solved side
    by side.

    Parameters
    ----------
    times : callable
        Multiplies by A, which is symmetric and not negative.
    right : float64 ndarray of shape (n, k)
        One b a column.
    alphas : sequence of float
        Above 0, ascending.
    tolerance : float
        Norm of the residual, relative to that of b, at which a solution is left as it is.
    most : int
        Products with A, at most.

    Returns
    -------
    solutions : float64 ndarray of shape (n_alphas, n, k)
    is_near : bool
        Whether all have met the tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.large_ridge import shifted_solutions
    >>> diagonal = np.array([[1.0], [4.0]])
    >>> found, _ = shifted_solutions(lambda x: diagonal * x, np.ones((2, 1)), [1.0, 4.0], 1e-9, 9)
    >>> found[:, :, 0].round(6).tolist()
    [[0.5, 0.2], [0.2, 0.125]]
    """
    shifts = np.asarray(alphas)[:, None] - alphas[0]
    solved = np.zeros((len(alphas), *right.shape))
    residual, direction = right.copy(), right.copy()
    directions = np.repeat(right[None], len(alphas), axis=0)
    square = np.square(residual).sum(axis=0)
    goal = square * tolerance**2
    # Residuals of the shifted systems are these times the residual of the first.
    ratio = np.ones((len(alphas), right.shape[1]))
    ratio_before = ratio.copy()
    step_before, turn = np.ones(right.shape[1]), np.zeros(right.shape[1])
    for _ in range(most):
        if (ratio**2 * square <= goal).all():
            return solved, True
        product = times(direction) + alphas[0] * direction
        # A column of zeros is solved by zeros, and a shift by what it has long come near to.
        alive = (square > 0.0) & (np.abs(ratio) > _NOTHING)
        curve = (direction * product).sum(axis=0)
        step = square / np.where(curve > 0.0, curve, 1.0)
        below = step * turn * (ratio_before - ratio)
        below += ratio_before * step_before * (1.0 + step * shifts)
        ratio_now = ratio * ratio_before * step_before / np.where(alive, below, 1.0)
        ratio_now = np.where(alive, ratio_now, ratio)
        solved += np.where(alive, step * ratio_now / ratio, 0.0)[:, None] * directions
        residual -= step * product
        square_now = np.square(residual).sum(axis=0)
        turn = square_now / np.where(square > 0.0, square, 1.0)
        direction = residual + turn * direction
        directions *= (turn * (ratio_now / ratio) ** 2)[:, None]
        directions += ratio_now[:, None] * residual
        ratio_before, ratio, square, step_before = ratio, ratio_now, square_now, step
    return solved, bool((ratio**2 * square <= goal).all())


def _flat(rows: NDArray[np.number]) -> Floats:
    """Copy rows as float64, one a sample."""
    return rows.reshape(len(rows), -1).astype(np.float64)

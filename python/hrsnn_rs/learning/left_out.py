"""Ridge predictions of samples that were left out, and what is chosen by them.

Lives here: which samples are left out together, the penalty, and how sure a prediction may be.
Not here: labels, which are codes here, and the fit itself. Invariant: a sample of weight k is
worth k copies of it, and copies are left out together.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from sklearn.model_selection import GroupKFold

from hrsnn_rs.arguments import as_array
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

#: Folds of groups, at most.
N_SPLITS = 5
# Beyond these, probabilities are those of a guess, or of a certainty.
_LOWEST, _HIGHEST = 1e-6, 1e6


def checked_alphas(alpha: object) -> list[float]:
    """List candidates of the penalty, ascending.

    Raises
    ------
    ParameterError
        If they are no numbers greater than 0.

    Examples
    --------
    >>> checked_alphas((10, 1.0))
    [1.0, 10.0]
    """
    given = np.atleast_1d(as_array("alpha", alpha))
    if given.dtype.kind not in "iuf" or given.ndim != 1 or given.size == 0:
        raise ParameterError(f"alpha must be a number or several; got {alpha!r}.")
    alphas = given.astype(np.float64)
    if not (np.isfinite(alphas) & (alphas > 0)).all():
        raise ParameterError(f"alpha must be finite and greater than 0; got {alpha!r}.")
    return sorted(float(value) for value in alphas)


def folds_of(standard: Floats, codes: Codes, groups: Codes | None) -> list[Codes]:
    """List the index sets that are left out together.

    Parameters
    ----------
    standard : float64 ndarray of shape (n_samples, n_features)
        Features.
    codes, groups : ndarray of intp, shape (n_samples,)
        Class and group of each sample; `groups` may be `None`.

    Returns
    -------
    list of ndarray of intp
        Five folds of whole groups if there are two groups or more; else single samples, with
        all their copies.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.left_out import folds_of
    >>> folds = folds_of(np.array([[1.0], [2.0], [1.0]]), np.array([0, 1, 0]), None)
    >>> [fold.tolist() for fold in folds]
    [[0, 2], [1]]
    """
    of_groups = folds_of_groups(groups)
    if of_groups is not None:
        return of_groups
    copies: dict[bytes, list[int]] = {}
    for index, (row, code) in enumerate(zip(standard, codes, strict=True)):
        content = hashlib.blake2b(row.tobytes() + int(code).to_bytes(8, "little")).digest()
        copies.setdefault(content, []).append(index)
    return [np.array(fold, dtype=np.intp) for fold in copies.values()]


def folds_of_groups(groups: Codes | None) -> list[Codes] | None:
    """List five folds of whole groups, or as many as there are groups; `None`: fewer than two."""
    n_groups = 0 if groups is None else len(np.unique(groups))
    if n_groups < 2:
        return None
    splitter = GroupKFold(n_splits=min(N_SPLITS, n_groups))
    return [left_out for _, left_out in splitter.split(groups, groups=groups)]


def plus_minus(codes: Codes, n_classes: int) -> Floats:
    """Give 1 for a sample's class and -1 for others; one column where there are two classes."""
    columns = np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)
    return columns[:, 1:] if n_classes == 2 else columns


class LeftOut:
    """Predictions of each fold by the ridge regression of all others, for any penalty.

    One singular value decomposition serves all penalties and folds: with the hat matrix H,
    ridge predictions without fold f are y_f - (I - H_ff)^-1 (y_f - (H y)_f) exactly; all of it
    is multiplied by the square roots of the weights.

    Parameters
    ----------
    standard : float64 ndarray of shape (n_samples, n_features)
        Features.
    codes : ndarray of intp, shape (n_samples,)
        Class of each sample.
    weights : float64 ndarray of shape (n_samples,)
        Weights, all above 0.
    folds : list of ndarray of intp
        What is left out together.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.left_out import LeftOut
    >>> standard, codes = np.array([[-1.0], [1.0], [-1.0], [1.0]]), np.array([0, 1, 0, 1])
    >>> single = [np.array([index]) for index in range(4)]
    >>> LeftOut(standard, codes, np.ones(4), single).predictions(1e-9).round(3).tolist()
    [[-1.0], [1.0], [-1.0], [1.0]]
    """

    def __init__(self, standard: Floats, codes: Codes, weights: Floats, folds: list[Codes]) -> None:
        self._codes = codes
        self._weights = weights
        self._folds = folds
        self._targets = plus_minus(codes, int(codes.max()) + 1)
        self._root = np.sqrt(weights)[:, None]
        centred = standard - np.average(standard, axis=0, weights=weights)
        centred *= self._root
        self._left, self._squares = _left_singular(centred)

    def predictions(self, alpha: float) -> Floats:
        """Predict each sample without its fold.

        Parameters
        ----------
        alpha : float
            Penalty.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes), or (n_samples, 1) for two classes
            Decision values.
        """
        left, root = self._left, self._root
        centred = root * (self._targets - np.average(self._targets, axis=0, weights=self._weights))
        shrunk = left * (self._squares / (self._squares + alpha))
        residual = centred - shrunk @ (left.T @ centred)
        total = self._weights.sum()
        predicted = np.empty_like(self._targets)
        for fold in self._folds:
            hat = shrunk[fold] @ left[fold].T + root[fold] @ root[fold].T / total
            missed = np.linalg.solve(np.eye(len(fold)) - hat, residual[fold])
            predicted[fold] = self._targets[fold] - missed / root[fold]
        return predicted

    def best_alpha(self, alphas: list[float]) -> float:
        """Take the candidate with the most correct, then the nearest, predictions.

        Parameters
        ----------
        alphas : list of float
            Candidates.

        Returns
        -------
        float
            One of them; of equals the smallest.
        """
        if len(alphas) == 1:
            return alphas[0]
        ranked = []
        for alpha in alphas:
            predicted = self.predictions(alpha)
            one = predicted.shape[1] == 1
            guess = predicted[:, 0] > 0 if one else predicted.argmax(axis=1)
            correct = float(self._weights[guess == self._codes].sum())
            error = np.square(predicted - self._targets).sum(axis=1) @ self._weights
            ranked.append((-correct, float(error), alpha))
        return min(ranked)[2]

    def temperature(self, alpha: float) -> float:
        """Find the temperature under which the predictions were the likeliest.

        Probabilities are the softmax of decision values over the temperature (Guo et al., 2017:
        "On calibration of modern neural networks"). As in Platt's scaling (1999), the truth
        counts (n + 1) / (n + k) for the class of a sample and 1 / (n + k) for each other, so
        that even faultless predictions are not certain.

        Parameters
        ----------
        alpha : float
            Penalty.

        Returns
        -------
        float
            Between 1e-6 and 1e6.
        """
        scores = both_classes(self.predictions(alpha))
        n_classes = scores.shape[1]
        total = self._weights.sum()
        truth = np.full_like(scores, 1.0 / (total + n_classes))
        truth[np.arange(len(scores)), self._codes] = (total + 1.0) / (total + n_classes)

        def slope(log_inverse: float) -> float:
            excess = softmax(scores * np.exp(log_inverse)) - truth
            return float(self._weights @ (excess * scores).sum(axis=1))

        # The negative log-likelihood is convex in the inverse temperature: its slope rises.
        low, high = np.log(1.0 / _HIGHEST), np.log(1.0 / _LOWEST)
        if slope(low) >= 0:
            return _HIGHEST
        if slope(high) <= 0:
            return _LOWEST
        return float(np.exp(-brentq(slope, low, high, xtol=1e-14)))


def both_classes(scores: Floats) -> Floats:
    """Give two classes a column each; more have it already."""
    return np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores


def softmax(scores: Floats) -> Floats:
    """Turn scores into probabilities, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _left_singular(centred: Floats) -> tuple[Floats, Floats]:
    """Left singular vectors and squared singular values, from the smaller Gram matrix."""
    n_samples, n_features = centred.shape
    if n_samples <= n_features:
        squares, vectors = np.linalg.eigh(centred @ centred.T)
        keep = squares > max(squares[-1], 0.0) * 1e-12
        return vectors[:, keep], squares[keep]
    squares, vectors = np.linalg.eigh(centred.T @ centred)
    keep = squares > max(squares[-1], 0.0) * 1e-12
    squares = squares[keep]
    return centred @ vectors[:, keep] / np.sqrt(squares), squares

"""A linear readout: counts in, class out.

Counts are compressed (log1p), standardised with the statistics of the training
samples, and classified by scikit-learn's ridge classifier. The penalty `alpha` is
chosen among candidates on the training samples alone, from residuals that leave one
sample, or one fold of groups, out. Nothing here knows of spikes or networks.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from hrsnn_rs.arguments import as_array
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ALPHAS: tuple[float, ...] = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
"""Candidates of the penalty when none are given."""

_N_SPLITS = 5
_COMPRESSIONS = ("log1p", "none")


class Readout(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Ridge classifier of window counts, standardised on the training samples.

    Parameters
    ----------
    alpha : float or sequence of float, default=ALPHAS
        Penalty of the ridge classifier, greater than 0. Of several candidates the one with the
        most correct left-out training samples is taken (of equals, the one with the smaller
        squared error). Left out is one sample at a time or, when `fit` is given groups, one of
        five folds of whole groups.
    compression : {"log1p", "none"}, default="log1p"
        What is done to each feature first. "log1p" needs features that are not negative.

    Attributes
    ----------
    alpha_ : float
        The penalty taken.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    coef_ : float64 ndarray of shape (n_classes, n_features_in_), or (1, n_features_in_)
        Weights of the standardised features; one row when there are two classes.
    intercept_ : float64 ndarray of shape (n_classes,) or (1,)
        Offsets.
    mean_, scale_ : float64 ndarray of shape (n_features_in_,)
        Mean and standard deviation of each compressed feature of the training samples;
        the scale of a feature that never changes is 1.
    n_features_in_ : int
        Features of a sample: windows times neurons.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning import Readout
    >>> counts = np.random.default_rng(0).poisson(3.0, size=(40, 4, 10))
    >>> gesture = np.repeat(["left", "right"], 20)
    >>> counts[20:, 2, :5] += 6
    >>> readout = Readout().fit(counts[::2], gesture[::2])
    >>> readout.score(counts[1::2], gesture[1::2])
    1.0
    """

    def __init__(self, alpha: float | Sequence[float] = ALPHAS, compression: str = "log1p") -> None:
        self.alpha = alpha
        self.compression = compression

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what `fit` accepts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = self.compression == "log1p"
        return tags

    def fit(self, features: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit the readout to labelled training samples.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts, as `Network.transform` gives them. Not changed.
        y : array of shape (n_samples,)
            Labels: integers or strings, at least two different ones.
        groups : array of shape (n_samples,), default=None
            Who made each sample. With groups, candidates of `alpha` are judged on persons
            that were left out.

        Returns
        -------
        Readout
            Itself.

        Raises
        ------
        ParameterError
            If `alpha` or `compression` is none of the allowed, if a feature is not finite or
            is negative under "log1p", or if `y` has one class only.
        ShapeError
            If the arrays do not fit each other.
        """
        with warnings.catch_warnings():
            # Few samples of each class are a hard task, not a mistaken regression.
            warnings.filterwarnings("ignore", message="The number of unique classes")
            return self._fit(features, y, groups)

    def _fit(self, features: ArrayLike, y: ArrayLike, groups: ArrayLike | None) -> Self:
        alphas = self._alphas()
        flat, labels = self._checked(features, y=y)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ParameterError("y must hold at least two classes; got 1 class.")
        standard = self._compressed(flat)
        self.mean_ = standard.mean(axis=0)
        scale = standard.std(axis=0)
        # A constant column has a rounding error for a standard deviation, not always 0.
        constant = scale <= 1e-12 * np.maximum(np.abs(self.mean_), 1.0)
        self.scale_ = np.where(constant, 1.0, scale)
        standard -= self.mean_
        standard /= self.scale_
        self.alpha_ = alphas[0]
        if len(alphas) > 1:
            self.alpha_ = _choose_alpha(standard, labels, alphas, _folds(len(labels), groups))
        ridge = RidgeClassifier(alpha=self.alpha_).fit(standard, labels)
        self.classes_ = ridge.classes_
        self.coef_ = np.ascontiguousarray(np.atleast_2d(ridge.coef_), dtype=np.float64)
        self.intercept_ = np.ascontiguousarray(np.atleast_1d(ridge.intercept_), dtype=np.float64)
        return self

    def decision_function(self, features: ArrayLike) -> Floats:
        """Give the distance of each sample from each class's boundary.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts. Not changed.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Larger is likelier; the columns are in the order of `classes_`.

        Raises
        ------
        ParameterError
            If a feature is not finite, or negative under "log1p".
        ShapeError
            If the number of features is not that of `fit`.
        """
        check_is_fitted(self)
        standard = self._compressed(self._checked(features))
        standard -= self.mean_
        standard /= self.scale_
        scores: Floats = standard @ self.coef_.T + self.intercept_
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, features: ArrayLike) -> NDArray[Any]:
        """Name the class of each sample.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts. Not changed.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        scores = self.decision_function(features)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Give everything that prediction needs as arrays, for a file without pickle.

        Returns
        -------
        dict of str to ndarray
            `coef`, `intercept`, `mean`, `scale`, `alpha` (float64), `log1p` (uint8 of one
            element) and `classes`: int64, or for strings the UTF-8 bytes of a JSON list.

        Raises
        ------
        ParameterError
            If the labels are neither integers nor strings.

        Examples
        --------
        >>> import numpy as np
        >>> from hrsnn_rs.learning import Readout
        >>> readout = Readout(alpha=1.0).fit(np.eye(4), [0, 0, 1, 1])
        >>> same = Readout.from_arrays(readout.to_arrays())
        >>> same.predict(np.eye(4))
        array([0, 0, 1, 1])
        """
        check_is_fitted(self)
        return {
            "coef": self.coef_.copy(),
            "intercept": self.intercept_.copy(),
            "mean": self.mean_.copy(),
            "scale": self.scale_.copy(),
            "alpha": np.array([self.alpha_], dtype=np.float64),
            "log1p": np.array([self.compression == "log1p"], dtype=np.uint8),
            "classes": _classes_to_array(self.classes_),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a fitted readout of what `to_arrays` gave; it predicts the same bits.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As `to_arrays` gives it. Not changed.

        Returns
        -------
        Readout
            A fitted readout.

        Raises
        ------
        FormatError
            If an array is missing or its shape does not fit the others.
        """
        try:
            coef, intercept, mean, scale, alpha = (
                np.array(arrays[name], dtype=np.float64, order="C")
                for name in ("coef", "intercept", "mean", "scale", "alpha")
            )
            compression = "log1p" if int(arrays["log1p"][0]) else "none"
            classes = _classes_from_array(np.asarray(arrays["classes"]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FormatError(f"the arrays of a readout are incomplete: {error!r}.") from error
        n_rows = 1 if len(classes) == 2 else len(classes)
        if (
            len(classes) < 2
            or coef.shape != (n_rows, mean.size)
            or intercept.shape != (n_rows,)
            or mean.shape != scale.shape
            or alpha.shape != (1,)
        ):
            raise FormatError(
                f"the arrays of a readout do not fit each other: coef {coef.shape}, "
                f"intercept {intercept.shape}, mean {mean.shape}, scale {scale.shape}, "
                f"{len(classes)} classes."
            )
        readout = cls(alpha=float(alpha[0]), compression=compression)
        readout.alpha_ = float(alpha[0])
        readout.coef_, readout.intercept_ = coef, intercept
        readout.mean_, readout.scale_ = mean, scale
        readout.classes_ = classes
        readout.n_features_in_ = int(mean.size)
        return readout

    def _alphas(self) -> list[float]:
        """Check the constructor's arguments and list the candidates, ascending."""
        if not isinstance(self.compression, str) or self.compression not in _COMPRESSIONS:
            raise ParameterError(
                f"compression must be one of {_COMPRESSIONS}; got {self.compression!r}."
            )
        given = np.atleast_1d(as_array("alpha", self.alpha))
        if given.dtype.kind not in "iuf":
            raise ParameterError(f"alpha must be a number or several; got {self.alpha!r}.")
        alphas = given.astype(np.float64)
        if alphas.ndim != 1 or len(alphas) == 0:
            raise ParameterError(f"alpha must be a number or several; got {self.alpha!r}.")
        if not (np.isfinite(alphas) & (alphas > 0)).all():
            raise ParameterError(f"alpha must be finite and greater than 0; got {self.alpha!r}.")
        return sorted(float(value) for value in alphas)

    def _checked(self, features: ArrayLike, **target: Any) -> Any:
        """Check features (and y, when fitting) and flatten each sample to one row."""
        array = features
        if isinstance(features, np.ndarray) and features.ndim > 2 and features.size:
            array = features.reshape(len(features), -1)
        try:
            checked = validate_data(self, array, **target, reset="y" in target, dtype=np.float64)
            if "y" in target:
                check_classification_targets(checked[1])
        except ValueError as error:
            kind = ParameterError if "NaN" in str(error) or "infinity" in str(error) else ShapeError
            raise kind(f"features or y: {error}") from error
        return checked

    def _compressed(self, flat: Floats) -> Floats:
        """Apply the compression to a copy."""
        if self.compression == "none":
            return flat.copy()
        if flat.size and flat.min() < 0:
            row, column = np.unravel_index(int(flat.argmin()), flat.shape)
            raise ParameterError(
                "Negative values in data passed to Readout: features must not be negative under "
                f'compression="log1p"; got {flat[row, column]} at sample {row}, feature {column}.'
            )
        return np.log1p(flat)


def _folds(n_samples: int, groups: ArrayLike | None) -> list[NDArray[np.intp]]:
    """List the index sets that are left out together: single samples, or folds of groups."""
    if groups is None:
        return [np.array([index]) for index in range(n_samples)]
    names = as_array("groups", groups)
    if names.shape != (n_samples,):
        raise ShapeError(f"groups must have shape ({n_samples},); got {names.shape}.")
    n_groups = len(np.unique(names))
    if n_groups < 2:
        return [np.array([index]) for index in range(n_samples)]
    splitter = GroupKFold(n_splits=min(_N_SPLITS, n_groups))
    return [left_out for _, left_out in splitter.split(names, groups=names)]


def _choose_alpha(
    standard: Floats, labels: NDArray[Any], alphas: list[float], folds: list[NDArray[np.intp]]
) -> float:
    """Take the candidate with the most correct, then the nearest, left-out predictions.

    One singular value decomposition serves all candidates and folds: with the hat matrix
    H, ridge predictions without fold f are y_f - (I - H_ff)^-1 (y_f - (H y)_f) exactly.
    """
    targets = LabelBinarizer(pos_label=1, neg_label=-1).fit_transform(labels).astype(np.float64)
    truth = targets[:, 0] > 0 if targets.shape[1] == 1 else targets.argmax(axis=1)
    left, squares = _left_singular(standard)
    n_samples = len(standard)
    ranked = []
    for alpha in alphas:
        shrunk = left * (squares / (squares + alpha))
        residual = targets - targets.mean(axis=0) - shrunk @ (left.T @ targets)
        predicted = np.empty_like(targets)
        for fold in folds:
            hat = shrunk[fold] @ left[fold].T + 1.0 / n_samples
            gap = np.eye(len(fold)) - hat
            predicted[fold] = targets[fold] - np.linalg.solve(gap, residual[fold])
        guess = predicted[:, 0] > 0 if targets.shape[1] == 1 else predicted.argmax(axis=1)
        correct = int(np.count_nonzero(guess == truth))
        error = float(np.square(predicted - targets).sum())
        ranked.append((-correct, error, alpha))
    return min(ranked)[2]


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


def _classes_to_array(classes: NDArray[Any]) -> NDArray[Any]:
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    names = classes.tolist()
    if all(isinstance(name, str) for name in names):
        return np.frombuffer(json.dumps(names).encode(), dtype=np.uint8).copy()
    raise ParameterError(f"classes must be integers or strings to be saved; got {names}.")


def _classes_from_array(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.uint8:
        names = json.loads(array.tobytes().decode())
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("classes are not a JSON list of strings")
        return np.array(names)
    return array.astype(np.int64)

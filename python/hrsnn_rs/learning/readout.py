"""A linear readout: counts in, class out.

Counts are compressed (log1p), standardised with the statistics of the training samples, and
classified by scikit-learn's ridge classifier. The penalty `alpha` is chosen on the training samples
alone, from predictions that leave one sample or one fold of groups out. No arithmetic sees a label.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin

from hrsnn_rs.arguments import refuse_masked
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.fitted_as import check_as_fitted, remember_fit
from hrsnn_rs.learning.kept_readout import SHAPING, KeptReadout
from hrsnn_rs.learning.labels import (
    check_two_classes,
    checked_groups,
    checked_weights,
    codes_among,
    encode,
    weights_of_classes,
)
from hrsnn_rs.learning.left_out import both_classes, softmax
from hrsnn_rs.learning.number_table import checked_table
from hrsnn_rs.learning.readout_fit import fit_in_blocks, fit_in_memory, is_small

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ALPHAS: tuple[float, ...] = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
"""Candidates of the penalty when none are given."""


class Readout(ClassifierMixin, KeptReadout):  # type: ignore[misc]
    """Ridge classifier of window counts, standardised on the training samples.

    Parameters
    ----------
    alpha : float or sequence of float, default=ALPHAS
        Penalty of the ridge classifier, greater than 0. Of several candidates the one with the
        most correct left-out training samples is taken (of equals, the one with the smaller
        squared error). Left out is one sample at a time, with its copies, or, when `fit` is given
        groups, one of five folds of whole groups.
    compression : {"log1p", "none"}, default="log1p"
        What is done to each feature first. "log1p" needs features that are not negative.
    scaling : {"auto", "each", "common"}, default="auto"
        Divide each feature by its own standard deviation, or all by the root of their mean variance
        (better for pooled counts). "auto": each; common for the feature layer of a classifier.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the samples of a class; "balanced" gives all classes the same sum.

    Attributes
    ----------
    alpha_ : float
        The penalty taken.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, of the type that was given.
    temperature_ : float
        What decision values are divided by before they become probabilities.
    coef_ : float64 ndarray of shape (n_classes, n_features_in_), or (1, n_features_in_)
        Weights of the standardised features; one row when there are two classes.
    intercept_ : float64 ndarray of shape (n_classes,) or (1,)
        Offsets.
    mean_, scale_ : float64 ndarray of shape (n_features_in_,)
        Mean and standard deviation of each compressed feature of the training samples;
        the scale of a feature that never changes is 1.
    n_features_in_ : int
        Features of a sample: windows times neurons.

    Notes
    -----
    A sample of weight k counts as k copies of it, in the means, the fit, the choice of `alpha` and
    the probabilities; one of weight 0 is as if it were not there. `class_weight` multiplies these
    weights in all but the means and scales of the features.

    Features of up to 128 MiB, as float64, are solved exactly. Larger tables are read in blocks of
    float32 and solved by conjugate gradients to a residual of 1e-5, in memory for the features
    alone. Their candidates of `alpha` are judged at a residual of 1e-3, or after 100 passes, which
    those below some 1 may need more of; without groups five folds of samples and their copies are
    left out, not single ones.

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
    >>> readout.predict_proba(counts[:1]).round(2)
    array([[0.99, 0.01]])
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = ALPHAS,
        compression: str = "log1p",
        scaling: str = "auto",
        class_weight: Mapping[Any, float] | str | None = None,
    ) -> None:
        self.alpha = alpha
        self.compression = compression
        self.scaling = scaling
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what `fit` accepts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = self.compression == "log1p"
        return tags

    def fit(
        self,
        features: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the readout to labelled training samples.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts, as `Network.transform` gives them. Not changed.
        y : array of shape (n_samples,)
            Labels, at least two different ones: integers, truth values, strings or bytes, of
            NumPy, pandas or polars, or floats that are whole.
        groups : array of shape (n_samples,), default=None
            Who made each sample, as labels are given. With groups, candidates of `alpha` are
            judged on persons that were left out.
        sample_weight : array of shape (n_samples,), default=None
            Weight of each sample, not negative. `None` means 1.

        Returns
        -------
        Readout
            Itself.

        Raises
        ------
        ParameterError
            If a setting is none of the allowed, if a feature is not finite or is negative under
            "log1p", if a label, group or weight is missing or of a wrong type, or if `y` has one
            class only.
        ShapeError
            If the arrays do not fit each other.
        """
        alphas = self.check_parameters()
        if y is None:
            raise ParameterError("Readout requires y to be passed, but the target y is None.")
        table = features if isinstance(features, FeatureTable) else None
        if table is not None and not is_small(table):
            self._checked(np.asarray(table[:1]), reset=True)
        else:
            given = features if table is None else np.asarray(table)
            flat = self._checked(given, reset=True)
            table = None if is_small(flat) else FeatureTable([flat], memory=flat.nbytes)
        labels = encode("y", y)
        n_samples = len(flat if table is None else table)
        if n_samples != len(labels.codes):
            raise ShapeError(
                f"features and y must be equally many (inconsistent numbers of samples); "
                f"got {n_samples} and {len(labels.codes)}."
            )
        names = checked_groups(groups, n_samples)
        own = checked_weights(sample_weight, n_samples)
        weights = weights_of_classes(self.class_weight, labels, own)
        present, codes = np.unique(labels.codes[weights > 0], return_inverse=True)
        check_two_classes(len(present))
        self.classes_ = labels.values[present]
        # A class that no sample of any weight is of is never looked at.
        all_codes = np.zeros(n_samples, np.intp)
        all_codes[weights > 0] = codes
        known = None if names is None else names.codes
        rest = (all_codes, known, weights, own, alphas, self.scaling)
        if table is None:
            is_own = isinstance(given, np.ndarray) and not np.may_share_memory(flat, given)
            flat = self._compressed(flat, in_place=is_own)
            fitted = fit_in_memory(flat, *rest)
        else:
            fitted = fit_in_blocks(table, partial(self._compressed, in_place=True), *rest)
        self.alpha_, self.temperature_, self.coef_, self.intercept_ = fitted[:4]
        self.mean_, self.scale_ = fitted[4:]
        remember_fit(self, SHAPING)
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
            If a feature is not finite, or negative under "log1p", or `compression` was set to
            something else since the fit.
        ShapeError
            If the number of features is not that of `fit`.
        """
        check_as_fitted(self)
        if isinstance(features, FeatureTable):
            if len(features):
                parts = [self.decision_function(rows) for _, rows in features.blocks()]
                return np.concatenate(parts)
            features = np.asarray(features)
        standard = self._compressed(self._checked(features))
        standard -= self.mean_
        standard /= self.scale_
        scores: Floats = standard @ self.coef_.T + self.intercept_
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, features: ArrayLike) -> Floats:
        """Give the probability of each class.

        They are the softmax of the decision values over `temperature_`, which makes the training
        samples likeliest as they were predicted when they, or their groups, were left out. So the
        class of the highest probability is the one predicted.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts. Not changed.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes)
            Rows that sum to 1; the columns are in the order of `classes_`.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        scores = self.decision_function(features)
        columns = scores[:, None] if scores.ndim == 1 else scores
        return softmax(both_classes(columns) / self.temperature_)

    def predict(self, features: ArrayLike) -> NDArray[Any]:
        """Name the class of each sample.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts. Not changed.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels, of the type that `fit` was given.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        codes = self._codes(features)
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    def score(
        self, features: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Give the share of samples that are named rightly.

        Parameters
        ----------
        features : array of shape (n_samples, n_windows, n_neurons) or (n_samples, n_features)
            Counts. Not changed.
        y : array of shape (n_samples,)
            True labels; they may be of another type than those of `fit`.
        sample_weight : array of shape (n_samples,), default=None
            Weight of each sample. `None` means 1.

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`, or if a label is missing.
        """
        codes = self._codes(features)
        truth = codes_among(self.classes_, "y", y)
        if len(truth) != len(codes):
            raise ShapeError(
                f"features and y must be equally many; got {len(codes)} and {len(truth)}."
            )
        return float(np.average(codes == truth, weights=checked_weights(sample_weight, len(truth))))

    def _codes(self, features: ArrayLike) -> NDArray[np.intp]:
        scores = self.decision_function(features)
        codes: NDArray[np.intp] = (
            (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        )
        return codes

    def _checked(self, features: ArrayLike, *, reset: bool = False) -> Floats:
        """Check features and flatten each sample to one row; `reset` when fitting."""
        refuse_masked("features", features)
        array = features
        if isinstance(features, np.ndarray) and features.ndim > 2 and features.size:
            array = features.reshape(len(features), -1)
        return checked_table(self, "features", array, reset=reset)

    def _compressed(self, flat: Floats, first: int = 0, *, in_place: bool = False) -> Floats:
        """Apply the compression to samples from `first` on, or to a copy of them."""
        out = flat if in_place else None
        if self.compression == "none":
            return flat if in_place else flat.copy()
        if flat.size and flat.min() < 0:
            row, column = np.unravel_index(int(flat.argmin()), flat.shape)
            raise ParameterError(
                "Negative values in data passed to Readout: features must not be negative under "
                f'compression="log1p"; got {flat[row, column]} at sample {first + row}, '
                f"feature {column}."
            )
        return np.log1p(flat, out=out)

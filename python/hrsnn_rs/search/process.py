"""What is believed of points that were not tried: a Gaussian process over laws.

Lives here: the kernel, the fit, and what a further trial is expected to gain. Not here: which
points are tried (`sampler`).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Hyperparameter, Kernel, WhiteKernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray

_ROOT_5 = np.sqrt(5.0)


class WassersteinMatern(Kernel):  # type: ignore[misc]
    """Matérn kernel of smoothness 5/2 over the Wasserstein distances of several laws.

    The squared distance of two points is the sum over laws and numbers of their squared distances,
    each over the square of its own length scale. A row of `X` has the places of all of them side
    by side, whose Euclidean distance is that of the laws, so the kernel is positive definite.

    Parameters
    ----------
    length_scale : float array of shape (n_blocks,)
        Length scale of each law or number, greater than 0.
    widths : tuple of int
        Columns of each law or number in `X`.
    length_scale_bounds : pair of float, default=(0.05, 50.0)
        Where a fit looks for length scales.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import WassersteinMatern, embedded
    >>> places = np.stack([embedded(Gamma(mean=mean)) for mean in (20.0, 21.0, 90.0)])
    >>> WassersteinMatern([10.0], widths=(37,))(places).round(2).tolist()
    [[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        length_scale: Any,
        widths: Sequence[int],
        length_scale_bounds: tuple[float, float] = (0.05, 50.0),
    ) -> None:
        self.length_scale = length_scale
        self.widths = widths
        self.length_scale_bounds = length_scale_bounds

    @property
    def hyperparameter_length_scale(self) -> Hyperparameter:
        """What a fit may change."""
        return Hyperparameter("length_scale", "numeric", self.length_scale_bounds, len(self.widths))

    def __call__(
        self, X: FloatArray, Y: FloatArray | None = None, eval_gradient: bool = False
    ) -> Any:
        """Give the covariance of each row of `X` with each of `Y`, and its gradient if asked for.

        Parameters
        ----------
        X, Y : float ndarray of shape (n, sum(widths))
            Places; `Y=None` means `X`.
        eval_gradient : bool, default=False
            Whether to give the gradient by the logarithms of the length scales too.

        Returns
        -------
        K : float64 ndarray of shape (n_X, n_Y)
        gradient : float64 ndarray of shape (n_X, n_X, n_blocks)
            Only where asked for.
        """
        squared = self._squared(X, X if Y is None else Y)
        d = np.sqrt(squared.sum(axis=-1))
        decay = np.exp(-_ROOT_5 * d)
        K = (1.0 + _ROOT_5 * d + 5.0 / 3.0 * d**2) * decay
        if not eval_gradient:
            return K
        return K, (5.0 / 3.0 * (1.0 + _ROOT_5 * d) * decay)[..., None] * squared

    def _squared(self, X: FloatArray, Y: FloatArray) -> FloatArray:
        """Give the squared distance of each law or number, in squared length scales."""
        scales = np.broadcast_to(np.asarray(self.length_scale, float), len(self.widths))
        ends = np.cumsum(self.widths)
        parts = []
        for begin, end, scale in zip(ends - self.widths, ends, scales, strict=True):
            one, other = X[:, begin:end], Y[:, begin:end]
            # As a product of matrices; rounding must not make a square negative.
            part = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
            parts.append(np.maximum(part, 0.0) / scale**2)
        squared = np.stack(parts, axis=-1)
        if X is Y:
            squared[np.arange(len(X)), np.arange(len(X))] = 0.0
        return squared

    def diag(self, X: FloatArray) -> FloatArray:
        """Give the variance of each row of `X`, which is 1."""
        return np.ones(len(X))

    def is_stationary(self) -> bool:
        """Say that only the distance of two points counts."""
        return True

    def __repr__(self) -> str:
        return f"WassersteinMatern({np.round(self.length_scale, 3).tolist()})"


class Belief:
    """A Gaussian process, fitted to what trials gave; larger is better.

    Parameters
    ----------
    places : float64 ndarray of shape (n, sum(widths))
        Places of the points that were tried.
    values : float64 ndarray of shape (n,)
        What they gave.
    widths : tuple of int
        Columns of each law or number in a place.
    seed : int
        Of the starts of the fit.
    """

    def __init__(
        self, places: FloatArray, values: FloatArray, widths: Sequence[int], seed: int
    ) -> None:
        self._places = places
        self._values = (values - values.mean()) / max(float(values.std()), 1e-12)
        kernel = ConstantKernel(1.0, (0.05, 20.0)) * WassersteinMatern(
            np.ones(len(widths)), tuple(widths)
        ) + WhiteKernel(0.01, (1e-6, 1.0))
        self._process = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=seed)
        with warnings.catch_warnings():
            # A length scale at its bound means that a law does not matter.
            warnings.simplefilter("ignore")
            self._process.fit(places, self._values)

    def with_running(self, places: NDArray[Any]) -> Belief:
        """Take points that others are trying as if they gave what is believed of them."""
        if len(places):
            self._values = np.append(self._values, self._process.predict(places))
            self._places = np.vstack([self._places, places])
            kernel = self._process.kernel_
            self._process = GaussianProcessRegressor(kernel, optimizer=None)
            self._process.fit(self._places, self._values)
        return self

    def expected_improvement(self, places: FloatArray) -> FloatArray:
        """Give what a trial at each place is expected to gain over the best that was tried.

        The best is the highest mean of a point that was tried: of noisy values the largest one is
        mostly luck.
        """
        best = float(self._process.predict(self._places).max())
        mean, std = self._process.predict(places, return_std=True)
        noise = float(self._process.kernel_.k2.noise_level)
        std = np.sqrt(np.maximum(std**2 - noise, 1e-18))
        z = (mean - best) / std
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        return np.asarray(std * (z * special.ndtr(z) + density))

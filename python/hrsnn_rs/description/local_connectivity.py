"""Rules for neurons that have places on the plane of a sensor.

Both rules take the places from the same stream, (seed, "positions", neuron): with the
same seed and sensor, a neuron's inputs and its recurrent sources surround one point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import (
    MOST_SEED,
    POSITIVE,
    PROBABILITY,
    check_integer,
    check_sides,
)
from hrsnn_rs.description.connectivity import Connectivity
from hrsnn_rs.description.distributions import Uniform
from hrsnn_rs.description.law import check_offsets
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.description.connectivity import Graph, Request
    from hrsnn_rs.description.heterogeneity import Parameter

__all__ = ["LocalConnectivity", "LocalRecurrence"]


@dataclass(frozen=True, eq=False)
class LocalRecurrence(Connectivity):
    """Neurons at random places on a sensor's plane; each draws `k` sources around it.

    Sources are drawn without replacement with weight `exp(-d^2 / (2 sigma^2))`. Places are
    those of `LocalConnectivity` with the same seed and sensor. Between neurons only.

    Parameters
    ----------
    sensor : tuple of 2 int, default=None
        Height and width in pixels. `None` is for those who make a network and know the plane of its
        inputs (`default_network`, the estimators): the rule alone makes no graph then.
    k : int, default=40
        Sources of each neuron, less than the number of neurons.
    sigma : float, default=6.0
        Range in pixels, greater than 0.
    weight, delay, inhibitory_gain
        As in `RandomConnectivity`.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    Examples
    --------
    >>> rule = LocalRecurrence(sensor=(8, 8), k=2)
    >>> np.bincount(rule.generate(5, 5, seed=7, purpose="recurrent")[1])
    array([2, 2, 2, 2, 2])
    """

    sensor: tuple[int, int] | None = None
    k: int = 40
    sigma: float = 6.0
    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0

    def __post_init__(self) -> None:
        if self.sensor is not None:
            self._set("sensor", check_sides("sensor", self.sensor, 2))
        self._set("k", check_integer("k", self.k, high=2**32 - 1))
        self._check("sigma", POSITIVE)
        self._check_weight_and_delay()

    def positions(self, n: int, seed: int) -> FloatArray:
        """Return where the neurons sit on the sensor.

        Parameters
        ----------
        n : int
            Number of neurons.
        seed : int
            In [0, 2**64).

        Returns
        -------
        float64 array of shape (n, 2)
            y in [0, height) and x in [0, width) of each neuron, in pixels.

        Raises
        ------
        ParameterError
            If `n` or `seed` is out of range, or `sensor` is None.

        Examples
        --------
        >>> LocalRecurrence(sensor=(8, 8)).positions(5, seed=7).shape
        (5, 2)
        """
        return _sensor_positions(self.sensor, n, seed)

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(min(self.k, n_pre)) * n_post

    def _graph(self, request: Request) -> Graph:
        self._require_recurrent(request)
        return _hrsnn.connect_local_recurrence(
            *_plane(self.sensor), request.n_pre, self.k, self.sigma, request.seed, request.purpose
        )


@dataclass(frozen=True, eq=False)
class LocalConnectivity(Connectivity):
    """Local receptive fields: each neuron draws `k` channels of a sensor around its place.

    Channel `(polarity * height + y) * width + x` is drawn without replacement with weight
    `exp(-d^2 / (2 sigma^2))`, `d` from the neuron to the middle of pixel (y, x). From
    inputs to neurons only.

    Parameters
    ----------
    sensor : tuple of 2 int, default=None
        Height and width in pixels. `None` is for those who make a network and know the plane of its
        inputs (`default_network`, the estimators), and the polarities with it.
    polarities : int, default=2
        Channels per pixel.
    k : int, default=30
        Channels of each neuron.
    sigma : float, default=1.5
        Range in pixels, greater than 0.
    negative : float, default=0.15
        Share of synapses with negative weight, in [0, 1].
    weight : Parameter, default=1.0
        Magnitudes of the weights in mV, at least 0.
    delay : Parameter, default=None
        Delays in ms; `None` means 0 ms.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    Examples
    --------
    >>> rule = LocalConnectivity(sensor=(4, 4), k=3)
    >>> np.bincount(rule.generate(32, 2, seed=7, purpose="inputs")[1])
    array([3, 3])
    """

    sensor: tuple[int, int] | None = None
    polarities: int = 2
    k: int = 30
    sigma: float = 1.5
    negative: float = 0.15
    weight: Parameter = 1.0
    delay: Parameter | None = None

    def __post_init__(self) -> None:
        if self.sensor is not None:
            self._set("sensor", check_sides("sensor", self.sensor, 2))
        self._set("polarities", check_integer("polarities", self.polarities, 1, 2**32 - 1))
        self._set("k", check_integer("k", self.k, high=2**32 - 1))
        self._check("sigma", POSITIVE)
        self._check("negative", PROBABILITY)
        self._check_weight_and_delay()

    def positions(self, n: int, seed: int) -> FloatArray:
        """Return where the neurons sit on the sensor, as `LocalRecurrence.positions` does.

        Parameters
        ----------
        n : int
            Number of neurons.
        seed : int
            In [0, 2**64).

        Returns
        -------
        float64 array of shape (n, 2)
            y in [0, height) and x in [0, width) of each neuron, in pixels.

        Raises
        ------
        ParameterError
            If `n` or `seed` is out of range, or `sensor` is None.

        Examples
        --------
        >>> LocalConnectivity(sensor=(8, 8)).positions(5, seed=7).shape
        (5, 2)
        """
        return _sensor_positions(self.sensor, n, seed)

    def signs(self, indptr: ArrayLike, seed: int, purpose: str) -> FloatArray:
        """Draw the sign of each synapse.

        Parameters
        ----------
        indptr : int array of shape (n_pre + 1,)
            From `generate`. Not changed.
        seed : int
            In [0, 2**64).
        purpose : str
            That of the graph; signs have a stream of their own, `purpose + "/sign"`.

        Returns
        -------
        float64 array of shape (n_synapses,)
            -1.0 with probability `negative`, else 1.0.

        Raises
        ------
        ParameterError
            If `indptr` is no list of offsets, or `seed` is out of range.

        Examples
        --------
        >>> LocalConnectivity(sensor=(4, 4), negative=1.0).signs([0, 2], 7, "inputs")
        array([-1., -1.])
        """
        draws = Uniform(0.0, 1.0).sample(check_offsets(indptr), seed, f"{purpose}/sign")
        return np.where(draws < self.negative, -1.0, 1.0)

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(min(self.k, n_pre)) * n_post

    def _graph(self, request: Request) -> Graph:
        height, width = _plane(self.sensor)
        if request.n_pre != height * width * self.polarities:
            raise ParameterError(
                f"sensor must have as many channels as there are inputs ({request.n_pre});"
                f" got {height} x {width} x {self.polarities}."
            )
        return _hrsnn.connect_local_inputs(
            height,
            width,
            self.polarities,
            request.n_post,
            self.k,
            self.sigma,
            request.seed,
            request.purpose,
        )


def _plane(sensor: tuple[int, int] | None) -> tuple[int, int]:
    if sensor is None:
        raise ParameterError(
            "sensor must be (height, width) here, where no plane of inputs is known; got None."
        )
    return sensor


def _sensor_positions(sensor: tuple[int, int] | None, n: int, seed: int) -> FloatArray:
    n = check_integer("n", n, high=2**32 - 1)
    return _hrsnn.sensor_positions(*_plane(sensor), n, check_integer("seed", seed, high=MOST_SEED))

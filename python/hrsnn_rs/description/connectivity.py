"""Rules by which graphs are made: who reaches whom, how strongly, how late.

Rows are sources. Graphs are generated in the core, from streams keyed by (seed, purpose,
row or target); a rule itself holds no randomness.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import (
    MOST_SEED,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    as_array,
    check_integer,
    check_number,
    check_sides,
)
from hrsnn_rs.description.heterogeneity import Parameter, check_parameter
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.arguments import FloatArray, Range

__all__ = [
    "Connectivity",
    "DistanceConnectivity",
    "FixedInDegreeConnectivity",
    "OneToOneConnectivity",
    "RandomConnectivity",
    "SmallWorldConnectivity",
]

#: `indptr` int64 (n_pre + 1,) and `indices` uint32 (n_synapses,), targets increasing per row.
Graph: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.uint32]]"

_MS = ("at least 0 ms", lambda value: value >= 0.0)


class Request(NamedTuple):
    """Checked arguments of `Connectivity.generate`."""

    n_pre: int
    n_post: int
    seed: int
    purpose: str
    recurrent: bool
    inhibitory: NDArray[np.bool_]


class Connectivity(ABC):
    """A rule that makes graphs; one of the classes of this module.

    Examples
    --------
    >>> isinstance(RandomConnectivity(p=0.1), Connectivity)
    True
    """

    # Fields of each rule; not of this class, so that each can choose their order.
    weight: Parameter
    delay: Parameter | None

    def generate(
        self,
        n_pre: int,
        n_post: int,
        seed: int,
        purpose: str,
        *,
        recurrent: bool | None = None,
        inhibitory: ArrayLike | None = None,
    ) -> Graph:
        """Make the graph from `n_pre` sources to `n_post` targets.

        Parameters
        ----------
        n_pre, n_post : int
            Numbers of sources and targets.
        seed : int
            In [0, 2**64).
        purpose : str
            What the graph is for; part of the streams' keys.
        recurrent : bool, default=None
            Whether sources and targets are the same neurons, so that autapses exist and
            can be left out. `None`: if there are as many of both.
        inhibitory : bool array of shape (n_pre,), default=None
            Inhibitory sources, for rules that ask; `None`: none. Not changed.

        Returns
        -------
        indptr : int64 array of shape (n_pre + 1,)
            Where each source's targets begin.
        indices : uint32 array of shape (n_synapses,)
            Targets, strictly increasing within each row.

        Raises
        ------
        ParameterError
            If the rule cannot be followed with these numbers, or `seed` is out of range.
        ShapeError
            If `inhibitory` has not length `n_pre`, or a matrix another shape.

        Examples
        --------
        >>> indptr, indices = RandomConnectivity(p=1.0).generate(3, 3, 7, "recurrent")
        >>> indices
        array([1, 2, 0, 2, 0, 1], dtype=uint32)
        """
        n_pre = check_integer("n_pre", n_pre, high=2**32 - 1)
        n_post = check_integer("n_post", n_post, high=2**32 - 1)
        seed = check_integer("seed", seed, high=MOST_SEED)
        if not isinstance(purpose, str):
            raise ParameterError(f"purpose must be a string; got {purpose!r}.")
        if recurrent is None:
            recurrent = n_pre == n_post
        elif not isinstance(recurrent, bool | np.bool_):
            raise ParameterError(f"recurrent must be True, False or None; got {recurrent!r}.")
        if recurrent and n_pre != n_post:
            raise ParameterError(f"n_post must be n_pre ({n_pre}) if recurrent; got {n_post}.")
        mask = np.zeros(n_pre, dtype=np.bool_) if inhibitory is None else _mask(inhibitory, n_pre)
        return self._graph(Request(n_pre, n_post, seed, purpose, bool(recurrent), mask))

    @abstractmethod
    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """Say about how many synapses `generate` makes; at most as many as there are pairs.

        Parameters
        ----------
        n_pre, n_post : int
            Numbers of sources and targets.

        Returns
        -------
        float
            The mean, or a bound not far above it.
        """

    @abstractmethod
    def _graph(self, request: Request) -> Graph:
        """Make the graph from checked arguments."""

    def _require_recurrent(self, request: Request) -> None:
        if not request.recurrent:
            raise ParameterError(
                f"recurrent must be True for {type(self).__name__}, which connects neurons"
                f" with each other; got {request.n_pre} sources and {request.n_post} targets."
            )

    def _check(self, name: str, rule: Range) -> None:
        self._set(name, check_number(name, getattr(self, name), *rule))

    def _check_weight_and_delay(self) -> None:
        self._set("weight", check_parameter("weight", self.weight, *NOT_NEGATIVE, at="synapse"))
        self._check_delay()
        if hasattr(self, "inhibitory_gain"):
            self._check("inhibitory_gain", NOT_NEGATIVE)
        if hasattr(self, "allow_autapses") and not isinstance(self.allow_autapses, bool | np.bool_):
            raise ParameterError(
                f"allow_autapses must be True or False; got {self.allow_autapses!r}."
            )

    def _check_delay(self) -> None:
        if self.delay is not None:
            self._set("delay", check_parameter("delay", self.delay, *_MS, at="synapse"))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class RandomConnectivity(Connectivity):
    """Each pair is connected with probability `p`, independently.

    Parameters
    ----------
    p : float
        Probability of a connection, in [0, 1].
    weight : Parameter, default=1.0
        Magnitudes of the weights in mV, at least 0.
    delay : Parameter, default=None
        Delays in ms; `None` means 1 ms between neurons and 0 ms from inputs.
    inhibitory_gain : float, default=4.0
        Weights of inhibitory sources are `-inhibitory_gain` times the magnitude.
    allow_autapses : bool, default=False
        Whether a neuron may reach itself.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    Examples
    --------
    >>> indptr, indices = RandomConnectivity(p=0.5).generate(4, 6, seed=7, purpose="inputs")
    >>> indptr.shape
    (5,)
    """

    p: float
    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0
    allow_autapses: bool = False

    def __post_init__(self) -> None:
        self._check("p", PROBABILITY)
        self._check_weight_and_delay()

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(n_pre) * n_post * self.p

    def _graph(self, request: Request) -> Graph:
        autapses = bool(self.allow_autapses) or not request.recurrent
        return _hrsnn.connect_random(
            request.n_pre, request.n_post, self.p, autapses, request.seed, request.purpose
        )


@dataclass(frozen=True, eq=False)
class FixedInDegreeConnectivity(Connectivity):
    """Each target draws `k` distinct sources, all sets equally likely.

    Parameters
    ----------
    k : int
        Sources of each target, at most the number there are.
    weight, delay, inhibitory_gain, allow_autapses
        As in `RandomConnectivity`.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    Examples
    --------
    >>> _, indices = FixedInDegreeConnectivity(k=2).generate(9, 3, seed=7, purpose="inputs")
    >>> np.bincount(indices)
    array([2, 2, 2])
    """

    k: int
    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0
    allow_autapses: bool = False

    def __post_init__(self) -> None:
        self._set("k", check_integer("k", self.k, high=2**32 - 1))
        self._check_weight_and_delay()

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(min(self.k, n_pre)) * n_post

    def _graph(self, request: Request) -> Graph:
        autapses = bool(self.allow_autapses) or not request.recurrent
        return _hrsnn.connect_fixed_in_degree(
            request.n_pre, request.n_post, self.k, autapses, request.seed, request.purpose
        )


@dataclass(frozen=True, eq=False)
class OneToOneConnectivity(Connectivity):
    """Source k reaches target k, and nothing else.

    Parameters
    ----------
    weight, delay, inhibitory_gain
        As in `RandomConnectivity`.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range; if there are not as many targets as sources.

    Examples
    --------
    >>> OneToOneConnectivity().generate(3, 3, seed=7, purpose="inputs")[1]
    array([0, 1, 2], dtype=uint32)
    """

    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0

    def __post_init__(self) -> None:
        self._check_weight_and_delay()

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(min(n_pre, n_post))

    def _graph(self, request: Request) -> Graph:
        n = request.n_pre
        if request.n_post != n:
            raise ParameterError(
                f"n_post must be n_pre ({n}) for OneToOneConnectivity; got {request.n_post}."
            )
        return np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class SmallWorldConnectivity(Connectivity):
    """A directed ring to the `k` nearest, each synapse rewired with probability `p_rewire`.

    A rewired synapse goes to a neuron drawn uniformly from those not yet reached, so every
    out-degree stays `k`. Between neurons only.

    Parameters
    ----------
    k : int
        Targets of each neuron, less than their number.
    p_rewire : float
        In [0, 1].
    weight, delay, inhibitory_gain
        As in `RandomConnectivity`.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    References
    ----------
    .. [1] Watts & Strogatz (1998), Nature 393:440.

    Examples
    --------
    >>> SmallWorldConnectivity(k=2, p_rewire=0.0).generate(4, 4, seed=7, purpose="x")[1]
    array([1, 3, 0, 2, 1, 3, 0, 2], dtype=uint32)
    """

    k: int
    p_rewire: float
    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0

    def __post_init__(self) -> None:
        self._set("k", check_integer("k", self.k, high=2**32 - 1))
        self._check("p_rewire", PROBABILITY)
        self._check_weight_and_delay()

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        return float(min(self.k, n_post)) * n_pre

    def _graph(self, request: Request) -> Graph:
        self._require_recurrent(request)
        return _hrsnn.connect_small_world(
            request.n_pre, self.k, self.p_rewire, request.seed, request.purpose
        )


@dataclass(frozen=True, eq=False)
class DistanceConnectivity(Connectivity):
    """Neurons on a grid of unit spacing, connected with `p = C exp(-(d / lambda_)^2)`.

    `C` depends on whether source and target are excitatory (e) or inhibitory (i), source
    first. No neuron reaches itself. Between neurons only.

    Parameters
    ----------
    grid : tuple of 3 int
        Numbers of neurons along x, y, z; their product is the number of neurons.
    lambda_ : float, default=2.0
        Range, in units of the grid's spacing, greater than 0.
    c_ee, c_ei, c_ie, c_ii : float, default=0.3, 0.2, 0.4, 0.1
        `C` by kinds, in [0, 1].
    weight, delay, inhibitory_gain
        As in `RandomConnectivity`.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    References
    ----------
    .. [1] Maass, Natschläger & Markram (2002), Neural Computation 14:2531.

    Examples
    --------
    >>> rule = DistanceConnectivity(grid=(2, 2, 5))
    >>> indptr, indices = rule.generate(20, 20, seed=7, purpose="recurrent")
    >>> indptr.shape
    (21,)
    """

    grid: tuple[int, int, int]
    lambda_: float = 2.0
    c_ee: float = 0.3
    c_ei: float = 0.2
    c_ie: float = 0.4
    c_ii: float = 0.1
    weight: Parameter = 1.0
    delay: Parameter | None = None
    inhibitory_gain: float = 4.0

    def __post_init__(self) -> None:
        self._set("grid", check_sides("grid", self.grid, 3))
        self._check("lambda_", POSITIVE)
        for name in ("c_ee", "c_ei", "c_ie", "c_ii"):
            self._check(name, PROBABILITY)
        self._check_weight_and_delay()

    def positions(self, n: int) -> FloatArray:
        """Return where the neurons sit.

        Parameters
        ----------
        n : int
            Number of neurons; must be that of the grid's places.

        Returns
        -------
        float64 array of shape (n, 3)
            x, y, z of each neuron; z runs fastest.

        Raises
        ------
        ParameterError
            If the grid has not `n` places.

        Examples
        --------
        >>> DistanceConnectivity(grid=(1, 2, 2)).positions(4)[1]
        array([0., 0., 1.])
        """
        n = check_integer("n", n, high=2**32 - 1)
        nx, ny, nz = self.grid
        if nx * ny * nz != n:
            raise ParameterError(
                f"grid must have as many places as there are neurons ({n}); got {self.grid}."
            )
        return np.stack(np.unravel_index(np.arange(n), self.grid), axis=1).astype(np.float64)

    def expected_synapses(self, n_pre: int, n_post: int) -> float:
        """See `Connectivity.expected_synapses`."""
        highest = max(self.c_ee, self.c_ei, self.c_ie, self.c_ii)
        # Neurons within reach: the integral of exp(-(d / lambda_)^2), and the nearest beside.
        reach = min((1.0 + math.sqrt(math.pi) * self.lambda_) ** 3, float(n_post))
        return n_pre * highest * reach

    def _graph(self, request: Request) -> Graph:
        self._require_recurrent(request)
        c = (self.c_ee, self.c_ei, self.c_ie, self.c_ii)
        return _hrsnn.connect_distance(
            self.grid, self.lambda_, c, request.inhibitory, request.seed, request.purpose
        )


def _mask(inhibitory: ArrayLike, n: int) -> NDArray[np.bool_]:
    mask = as_array("inhibitory", inhibitory)
    if mask.shape != (n,):
        raise ShapeError(f"inhibitory must have shape ({n},); got shape {mask.shape}.")
    if mask.dtype != np.bool_:
        raise ParameterError(f"inhibitory must be a bool array; got dtype {mask.dtype}.")
    return np.ascontiguousarray(mask)

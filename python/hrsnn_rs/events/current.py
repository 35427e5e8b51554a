"""Currents that are injected into neurons while a sample runs.

Lives here: what a current is in words. Not here: what a neuron does with it, and the numbers of
noise (the core).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import (
    MOST_SEED,
    as_array,
    check_array,
    check_integer,
    check_number,
)
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import Frozen, microseconds
from hrsnn_rs.events.drive import checked_edges
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.arguments import Range

__all__ = ["InjectedCurrent", "checked_current"]

#: What values and noise may be.
_MV: Range = ("between -1e15 and 1e15 mV", lambda mv: (mv >= -1e15) & (mv <= 1e15))
_NOISE: Range = ("between 0 and 1e15 mV", lambda mv: (mv >= 0.0) & (mv <= 1e15))
#: Bytes that a bin of a course takes along the way.
_PER_BIN = 40


class InjectedCurrent(Frozen):
    """A current into neurons that stays within a bin of time: a bias that changes at its edges.

    It is counted in mV: by how much it would move the membrane in the end, the current times the
    membrane's resistance, added to `LIF.bias`. Between two edges the closed form is that of a
    constant bias, so nothing is approximated there and nothing is stored but the values; with
    synaptic currents too. Noise is drawn by the core, for each bin from a stream of its own, one
    number after the other for `neurons` as they stand, whatever the number of threads. Immutable.

    Parameters
    ----------
    values : array_like, shape (n_bins,) or (n_bins, n_neurons)
        mV: one for all neurons, or one for each of `neurons`.
    edges : array_like, shape (n_bins + 1,)
        Where bins begin and the last one ends, in ms, rounded to µs, increasing; before and after
        them there is no current.
    neurons : array_like of int, shape (n_neurons,), default=None
        Who gets it, each once; `None`: all neurons of the network.
    noise : float, default=0.0
        Standard deviation in mV of a normal law of mean 0, drawn anew for each neuron in each bin
        and added.
    seed : int, default=0
        Of the noise, in [0, 2**64).

    Attributes
    ----------
    values, edges : float64 ndarray
        As given; read-only.
    neurons : uint32 ndarray or None
        As given; read-only.
    noise, seed : float, int
        As given.

    Raises
    ------
    ParameterError
        If a value is beyond 1e15 mV, edges do not increase, a neuron stands twice or is negative,
        or the noise is below 0.
    ShapeError
        If an array has another shape.

    See Also
    --------
    step, ramp, white_noise : currents of these courses.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.events import InjectedCurrent
    >>> network = hr.Network(1, 2, neuron=hr.LIF(tau_m=20.0, v_threshold=15.0))
    >>> current = InjectedCurrent([20.0, 0.0, 30.0], edges=[10, 60, 980, 1000], neurons=[1])
    >>> spikes = network.run(([], []), duration=1_000_000, current=current).spikes
    >>> spikes.rows()  # 20 ms * ln(20 / 5) after 10 ms, and 20 ms * ln(30 / 15) after 980 ms
    [(37726, 1), (993863, 1)]
    """

    __slots__ = ("edges", "neurons", "noise", "seed", "values")

    values: NDArray[np.float64]
    edges: NDArray[np.float64]
    neurons: NDArray[np.uint32] | None
    noise: float
    seed: int

    def __init__(
        self,
        values: ArrayLike,
        edges: ArrayLike,
        neurons: ArrayLike | None = None,
        *,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        given = as_array("values", values)
        if given.ndim not in (1, 2) or 0 in given.shape:
            raise ShapeError(
                "values must have shape (n_bins,) or (n_bins, n_neurons), with at least one; got "
                f"{given.shape}."
            )
        value = check_array("values", given, *_MV, ndim=given.ndim)
        edge = checked_edges(edges, len(given), "values")
        who = None if neurons is None else _checked_neurons(neurons)
        if given.ndim == 2:
            if who is None:
                raise ParameterError("neurons must be given where values have two dimensions.")
            if who.size != given.shape[1]:
                raise ShapeError(
                    f"neurons must be as many as values has columns, {given.shape[1]}; got "
                    f"{who.size}."
                )
        self._freeze(
            values=value,
            edges=edge,
            neurons=who,
            noise=check_number("noise", noise, *_NOISE),
            seed=check_integer("seed", seed, high=MOST_SEED),
        )

    @classmethod
    def step(
        cls, value: float, start: float, stop: float, neurons: ArrayLike | None = None
    ) -> InjectedCurrent:
        """Give a current that is on for a while.

        Parameters
        ----------
        value : float
            mV.
        start, stop : float
            ms; on from `start` to before `stop`.
        neurons : array_like of int, default=None
            As for the class.

        Returns
        -------
        InjectedCurrent

        Raises
        ------
        ParameterError
            As for the class.

        Examples
        --------
        >>> from hrsnn_rs.events import InjectedCurrent
        >>> InjectedCurrent.step(20.0, 10.0, 60.0)
        InjectedCurrent(1 bin from 10 to 60 ms, all neurons)
        """
        value = check_number("value", value, *_MV)
        _span(start, stop)
        return cls([value], [start, stop], neurons)

    @classmethod
    def ramp(
        cls,
        first: float,
        last: float,
        start: float,
        stop: float,
        neurons: ArrayLike | None = None,
        *,
        every: float = 1.0,
    ) -> InjectedCurrent:
        """Give a current that rises or falls from one value to another, in stairs.

        Parameters
        ----------
        first, last : float
            mV at `start` and at `stop`; a stair has the value in its middle.
        start, stop : float
            ms.
        neurons : array_like of int, default=None
            As for the class.
        every : float, default=1.0
            Length of a stair in ms, rounded to µs; the last one ends at `stop`. A membrane follows
            the line itself the closer, the shorter they are beside its time constant.

        Returns
        -------
        InjectedCurrent

        Raises
        ------
        ParameterError
            As for the class.

        Examples
        --------
        >>> from hrsnn_rs.events import InjectedCurrent
        >>> InjectedCurrent.ramp(0.0, 10.0, 0.0, 100.0, every=20.0).values
        array([1., 3., 5., 7., 9.])
        """
        ends = [check_number("first", first, *_MV), check_number("last", last, *_MV)]
        edges = _grid(start, stop, every)
        middle = 0.5 * (edges[1:] + edges[:-1])
        return cls(np.interp(middle, edges[[0, -1]], ends), edges, neurons)

    @classmethod
    def white_noise(
        cls,
        std: float,
        start: float,
        stop: float,
        neurons: ArrayLike | None = None,
        *,
        mean: float = 0.0,
        every: float = 1.0,
        seed: int = 0,
    ) -> InjectedCurrent:
        """Give a current that is drawn anew for each neuron in each bin of a grid.

        Parameters
        ----------
        std, mean : float
            Standard deviation and mean of a normal law, mV. With bins much shorter than `tau_m` the
            membrane has a standard deviation of some `std * sqrt(every / (2 * tau_m))`.
        start, stop : float
            ms.
        neurons : array_like of int, default=None
            As for the class.
        every : float, default=1.0
            Length of a bin in ms, rounded to µs; the last one ends at `stop`.
        seed : int, default=0
            In [0, 2**64).

        Returns
        -------
        InjectedCurrent

        Raises
        ------
        ParameterError
            As for the class.

        Examples
        --------
        >>> from hrsnn_rs.events import InjectedCurrent
        >>> InjectedCurrent.white_noise(5.0, 0.0, 100.0, [3, 4], mean=12.0, seed=1)
        InjectedCurrent(100 bins from 0 to 100 ms, 2 neurons, noise=5)
        """
        edges = _grid(start, stop, every)
        noise = check_number("std", std, *_NOISE)
        values = np.full(len(edges) - 1, check_number("mean", mean, *_MV))
        return cls(values, edges, neurons, noise=noise, seed=seed)

    def to_core(self, n_neurons: int) -> _hrsnn.Injection:
        """Make what the core takes, for a network of so many neurons.

        Parameters
        ----------
        n_neurons : int
            Of the network.

        Returns
        -------
        _hrsnn.Injection
        """
        return _hrsnn.Injection(
            self.values.ravel(),
            np.rint(self.edges * 1000.0).astype(np.int64),
            np.arange(n_neurons, dtype=np.uint32) if self.neurons is None else self.neurons,
            self.noise,
            self.seed,
        )

    def __repr__(self) -> str:
        bins = counted(len(self.values), "bin")
        who = "all neurons" if self.neurons is None else counted(self.neurons.size, "neuron")
        noise = f", noise={self.noise:g}" if self.noise else ""
        return (
            f"InjectedCurrent({bins} from {self.edges[0]:g} to {self.edges[-1]:g} ms, {who}{noise})"
        )


def checked_current(current: object, n_neurons: int) -> _hrsnn.Injection | None:
    """Refuse what is no current into a network's neurons; give what the core takes.

    Parameters
    ----------
    current : InjectedCurrent or None
        What the caller handed over.
    n_neurons : int
        Of the network.

    Returns
    -------
    _hrsnn.Injection or None

    Raises
    ------
    ParameterError
        If it is something else, or for a neuron that there is not.

    Examples
    --------
    >>> checked_current(None, 3)
    """
    if current is None:
        return None
    if not isinstance(current, InjectedCurrent):
        raise ParameterError(f"current must be an InjectedCurrent or None; got {current!r}.")
    if current.neurons is not None and (current.neurons >= n_neurons).any():
        place = int(np.argmax(current.neurons >= n_neurons))
        raise ParameterError(
            f"current must have neurons below {n_neurons}; got {int(current.neurons[place])} at "
            f"index {place}."
        )
    return current.to_core(n_neurons)


def _checked_neurons(neurons: ArrayLike) -> NDArray[np.uint32]:
    given: NDArray[Any] = as_array("neurons", neurons)
    if given.ndim != 1 or given.size == 0:
        raise ShapeError(f"neurons must have shape (n,), with at least one; got {given.shape}.")
    if given.dtype.kind not in "iu":
        raise ParameterError(f"neurons must hold whole numbers; got dtype {given.dtype}.")
    wrong = (given < 0) | (given >= 2**32)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ParameterError(
            f"neurons must be in [0, 2**32); got {int(given[place])} at index {place}."
        )
    order = np.argsort(given, kind="stable")
    twice = np.flatnonzero(np.diff(given[order]) == 0)
    if twice.size:
        place = int(order[twice[0] + 1])
        raise ParameterError(
            f"neurons must be all different; got {int(given[place])} again at index {place}."
        )
    neuron = given.astype(np.uint32)
    neuron.setflags(write=False)
    return neuron


def _grid(start: float, stop: float, every: float) -> NDArray[np.float64]:
    """Edges from `start` to `stop`, ms."""
    step = microseconds(every, "every")
    first, end = _span(start, stop)
    check_memory("every", _PER_BIN * float((end - first) // step + 1))
    edges = np.arange(first, end, step, dtype=np.int64)
    return np.append(edges, end) / 1000.0


def _span(start: float, stop: float) -> tuple[int, int]:
    """First and last µs of what begins at `start` and ends at `stop`, ms."""
    first, end = microseconds(start, "start", low=0), microseconds(stop, "stop")
    if end <= first:
        raise ParameterError(f"stop must be above start, {start:g} ms; got {stop:g}.")
    return first, end

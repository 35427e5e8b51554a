"""A Poisson drive: events that the core draws while a sample runs, and never stores.

Lives here: what a drive is in words. Not here: the drawing (the core).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import MOST_SEED, check_array, check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import Frozen
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.sources import checked_rates
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PoissonDrive", "checked_drive", "checked_edges"]

#: Bytes that an event takes on its way into a table.
_PER_EVENT = 60
#: Hz of all channels together, so that the events of a block of 16 ms fit into memory.
_MOST_RATE = 1e9
#: ms: as long as a sample may be.
_MOST_EDGE = 2.0**50 / 1000.0


class PoissonDrive(Frozen):
    """Independent Poisson processes, one for each input channel, drawn while a sample runs.

    Memory does not grow with the length of the sample. Events depend on rates, seed and the number
    of the sample alone, by blocks of 16,384 µs; a longer sample only adds some. They are others
    than those of `Events.poisson` with the same seed. Immutable.

    Parameters
    ----------
    rates : array_like, shape (n_channels,) or (n_bins, n_channels)
        Hz, at least 0: constant for ever, or one row for each bin of `edges`. Copied.
    seed : int, default=0
        In [0, 2**64).
    edges : array_like, shape (n_bins + 1,), default=None
        Where bins begin and the last one ends, in ms, rounded to µs, increasing; before and after
        them there is silence. `None` where rates are constant.

    Attributes
    ----------
    rates : float64 ndarray of the given shape
        Hz; read-only.
    seed : int
        As given.
    edges : float64 ndarray of shape (n_bins + 1,) or None
        ms; read-only.
    sample : int
        Number of the sample whose events these are; 0 unless `for_sample` said so.

    Raises
    ------
    ParameterError
        If a rate is negative or not finite, all of a bin together are above 1e9 Hz, or edges do not
        increase.
    ShapeError
        If `rates` or `edges` have another shape.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.events import PoissonDrive
    >>> network = hr.Network(2, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> drive = PoissonDrive([10.0, 30.0], seed=1)
    >>> driven = network.run(([], []), duration=1_000_000, drive=drive)
    >>> driven.spikes.equals(network.run(drive.events(1_000_000)).spikes)
    True

    Both channels are silent for 0.2 s, and the second one speaks up for half a second.

    >>> step = PoissonDrive([[0.0, 0.0], [5.0, 200.0]], seed=1, edges=[0.0, 200.0, 700.0])
    >>> t = step.events(1_000_000).t
    >>> bool(t.min() >= 200_000), bool(t.max() < 700_000)
    (True, True)
    """

    __slots__ = ("_core", "edges", "rates", "sample", "seed")

    rates: NDArray[np.float64]
    seed: int
    edges: NDArray[np.float64] | None
    sample: int
    _core: _hrsnn.Drive

    def __init__(self, rates: ArrayLike, seed: int = 0, *, edges: ArrayLike | None = None) -> None:
        rate, edge = _checked(rates, edges)
        self._set_up(rate, check_integer("seed", seed, high=MOST_SEED), edge, 0)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.rates.shape[-1])

    def for_sample(self, number: int) -> PoissonDrive:
        """Give the drive of another sample: the same rates, and events that are independent.

        Parameters
        ----------
        number : int
            In [0, 2**63).

        Returns
        -------
        PoissonDrive
            Of sample `number`, whichever sample this one is of.

        Examples
        --------
        >>> from hrsnn_rs.events import PoissonDrive
        >>> drive = PoissonDrive([100.0], seed=1)
        >>> drive.for_sample(0).events(100_000) == drive.events(100_000)
        True
        >>> drive.for_sample(1).events(100_000) == drive.events(100_000)
        False
        """
        sample = check_integer("number", number, high=2**63 - 1)
        other = object.__new__(type(self))
        core = self._core.of(sample)
        other._freeze(rates=self.rates, seed=self.seed, edges=self.edges, sample=sample, _core=core)
        return other

    def events(self, duration: int) -> Events:
        """Give the very events as a table.

        Parameters
        ----------
        duration : int
            Length of the sample in µs.

        Returns
        -------
        Events
            Sorted by time, and by channel where that is equal.

        Raises
        ------
        OutOfMemoryError
            If there would be more events than the memory holds.
        """
        length = check_integer("duration", duration, 1, unit="µs")
        seconds = np.array([length / 1e6])
        if self.edges is not None:
            seconds = np.diff(np.minimum(self.edges / 1e3, length / 1e6))
        check_memory(
            "duration", _PER_EVENT * float(seconds @ np.atleast_2d(self.rates).sum(axis=1))
        )
        t, channel = self._core.events(length)
        return Events(t, channel, self.n_channels, length)

    def _set_up(
        self,
        rates: NDArray[np.float64],
        seed: int,
        edges: NDArray[np.float64] | None,
        sample: int,
    ) -> None:
        edges_us = None if edges is None else np.rint(edges * 1000.0).astype(np.int64)
        core = _hrsnn.Drive(rates.ravel(), rates.shape[-1], edges_us, seed, sample)
        self._freeze(rates=rates, seed=seed, edges=edges, sample=sample, _core=core)

    def _values(self) -> tuple[Any, ...]:
        return self.rates, self.seed, self.edges, self.sample

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self._values())

    def __repr__(self) -> str:
        bins = "" if self.edges is None else f"{counted(len(self.rates), 'bin')}, "
        of = f", sample={self.sample}" if self.sample else ""
        return f"PoissonDrive({counted(self.n_channels, 'channel')}, {bins}seed={self.seed}{of})"


def _again(kind: type[PoissonDrive], values: tuple[Any, ...]) -> PoissonDrive:
    """Make a drive of what another one was, which had been checked."""
    drive = kind.__new__(kind)
    drive._set_up(*values)
    return drive


def checked_drive(drive: object, n_inputs: int) -> PoissonDrive | None:
    """Refuse what is no drive of a network's inputs.

    Parameters
    ----------
    drive : PoissonDrive or None
        What the caller handed over.
    n_inputs : int
        Input channels of the network.

    Returns
    -------
    PoissonDrive or None
        The same.

    Raises
    ------
    ParameterError, ShapeError
        If it is something else, or has another number of channels.

    Examples
    --------
    >>> checked_drive(None, 3)
    """
    if drive is None:
        return None
    if not isinstance(drive, PoissonDrive):
        raise ParameterError(f"drive must be a PoissonDrive or None; got {drive!r}.")
    if drive.n_channels != n_inputs:
        raise ShapeError(
            f"drive must have a rate for each of {n_inputs} input channels; got {drive.n_channels}."
        )
    return drive


def _checked(
    rates: ArrayLike, edges: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    rate = checked_rates(rates)
    with np.errstate(over="ignore"):
        total = float(rate.sum(axis=-1).max())
    if total > _MOST_RATE:
        raise ParameterError(f"rates must sum up to at most {_MOST_RATE:g} Hz; got {total!r}.")
    if rate.ndim == 1:
        if edges is not None:
            raise ParameterError(f"edges must be None where rates are constant; got {edges!r}.")
        return rate, None
    if edges is None:
        raise ParameterError("edges must be given (in ms) where rates have two dimensions.")
    return rate, checked_edges(edges, len(rate), "rates")


def checked_edges(edges: ArrayLike, n_bins: int, of: str) -> NDArray[np.float64]:
    """Check the edges of bins of time.

    Parameters
    ----------
    edges : array_like, shape (n_bins + 1,)
        ms.
    n_bins : int
        Number of bins.
    of : str
        Which argument has a value for each bin.

    Returns
    -------
    float64 ndarray
        Read-only.

    Raises
    ------
    ParameterError
        If an edge is no time of a sample, or they do not increase.
    ShapeError
        If there are not `n_bins + 1` of them.

    Examples
    --------
    >>> checked_edges([0, 10, 25], 2, "rates")
    array([ 0., 10., 25.])
    """
    edge = check_array(
        "edges",
        edges,
        f"between 0 and {_MOST_EDGE:g} ms",
        lambda at: (at >= 0.0) & (at <= _MOST_EDGE),
        at="edge",
    )
    if edge.size != n_bins + 1:
        raise ShapeError(f"edges must be one more than the {n_bins} bins of {of}; got {edge.size}.")
    close = np.rint(edge[1:] * 1000.0) <= np.rint(edge[:-1] * 1000.0)
    if close.any():
        late = int(np.argmax(close)) + 1
        raise ParameterError(
            f"edges must increase by at least 1 µs; got {float(edge[late])!r} at edge {late}."
        )
    edge.setflags(write=False)
    return edge

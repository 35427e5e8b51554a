"""A Poisson drive: events that the core draws while a sample runs, and never stores.

Lives here: what a drive is in words. Not here: the drawing (the core).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import MOST_SEED, as_array, check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.memory_limit import check_memory

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PoissonDrive"]

#: Bytes that an event takes on its way into a table.
_PER_EVENT = 60
#: Hz of all channels together, so that the events of a block of 16 ms fit into memory.
_MOST_RATE = 1e9


class PoissonDrive:
    """Independent Poisson processes, one for each input channel, drawn while a sample runs.

    Memory does not grow with the length of the sample. Events depend on rates and seed alone, by
    blocks of 16,384 µs; a longer sample only adds some. They are others than those of
    `Events.poisson` with the same seed.

    Parameters
    ----------
    rates : array_like, shape (n_channels,)
        Hz, at least 0. Copied.
    seed : int, default=0
        In [0, 2**64).

    Raises
    ------
    ParameterError
        If a rate is negative or not finite, or all together are above 1e9 Hz.
    ShapeError
        If `rates` has another shape.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.events import PoissonDrive
    >>> network = hr.Network(2, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> drive = PoissonDrive([10.0, 30.0], seed=1)
    >>> driven = network.run(([], []), duration=1_000_000, drive=drive)
    >>> driven.spikes.equals(network.run(drive.events(1_000_000)).spikes)
    True
    """

    def __init__(self, rates: ArrayLike, seed: int = 0) -> None:
        given = as_array("rates", rates)
        if given.ndim != 1 or given.size == 0:
            raise ShapeError(
                f"rates must have shape (n_channels,), with at least one; got {given.shape}."
            )
        if given.dtype.kind not in "iuf":
            raise ParameterError(f"rates must hold numbers; got dtype {given.dtype}.")
        rate = given.astype(np.float64)
        wrong = ~(np.isfinite(rate) & (rate >= 0.0))
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ParameterError(
                f"rates must be at least 0 Hz; got {float(rate[place])!r} at channel {place}."
            )
        with np.errstate(over="ignore"):
            total = float(rate.sum())
        if total > _MOST_RATE:
            raise ParameterError(f"rates must sum up to at most {_MOST_RATE:g} Hz; got {total:g}.")
        rate.setflags(write=False)
        self.rates: NDArray[np.float64] = rate
        self.seed = check_integer("seed", seed, high=MOST_SEED)

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
        check_memory("duration", _PER_EVENT * float(self.rates.sum()) * length / 1e6)
        t, channel = _hrsnn.poisson_drive(self.rates, self.seed, length)
        return Events(t, channel, self.rates.size, length)

    def __repr__(self) -> str:
        return f"PoissonDrive({self.rates.size} channels, seed={self.seed})"

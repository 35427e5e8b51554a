"""From tables of events to other tables of events.

Lives here: joining, cutting, moving and turning them round. Not here: how a table is made and what
it must be (`events`). Invariant: no table is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import MAX_TIME, Frozen, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["EventOperations", "in_order"]


class EventOperations(Frozen):
    """What becomes of events; see `Events`."""

    __slots__ = ()

    t: NDArray[np.int64]
    channel: NDArray[np.uint32]
    n_channels: int
    duration: int

    if TYPE_CHECKING:

        def __init__(
            self, t: ArrayLike, channel: ArrayLike, n_channels: int, duration: int | None = None
        ) -> None: ...

    @classmethod
    def concatenate(cls, samples: Sequence[Self]) -> Self:
        """Play samples one after the other.

        Parameters
        ----------
        samples : sequence of Events
            With the same number of channels.

        Returns
        -------
        Events
            Each sample begins where the one before ends; the durations add up.

        Raises
        ------
        ParameterError
            If there is no sample, or one is no `Events`.
        ShapeError
            If the numbers of channels differ.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> one = Events([3], [1], n_channels=2, duration=10)
        >>> Events.concatenate([one, one]).t
        array([ 3, 13])
        """
        n_channels = _same_channels(samples, cls)
        starts = np.cumsum([0, *(sample.duration for sample in samples)])
        return cls(
            np.concatenate([s.t + start for s, start in zip(samples, starts, strict=False)]),
            np.concatenate([sample.channel for sample in samples]),
            n_channels,
            int(starts[-1]),
        )

    @classmethod
    def merge(cls, samples: Sequence[Self]) -> Self:
        """Play samples at the same time.

        Parameters
        ----------
        samples : sequence of Events
            With the same number of channels; `shift` puts a sample onto others.

        Returns
        -------
        Events
            All events, sorted by time and channel; the longest duration.

        Raises
        ------
        ParameterError
            If there is no sample, or one is no `Events`.
        ShapeError
            If the numbers of channels differ.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> noise = Events([3, 8], [0, 1], n_channels=2, duration=10)
        >>> tone = Events([5], [0], n_channels=1, duration=10)
        >>> both = Events.merge([noise.shift(n_channels=3), tone.shift(channel=2)])
        >>> both.t, both.channel
        (array([3, 5, 8]), array([0, 2, 1], dtype=uint32))
        """
        n_channels = _same_channels(samples, cls)
        t, channel = in_order(
            np.concatenate([sample.t for sample in samples]),
            np.concatenate([sample.channel for sample in samples]),
            n_channels,
        )
        return cls(t, channel, n_channels, max(sample.duration for sample in samples))

    def shift(self, t: int = 0, *, channel: int = 0, n_channels: int | None = None) -> Self:
        """Return the same events later, and on higher channels.

        Parameters
        ----------
        t : int, default=0
            By how many µs; the duration grows by as much.
        channel : int, default=0
            By how many channels.
        n_channels : int, default=None
            Number of channels then; `None` means `channel` more than now.

        Returns
        -------
        Events

        Raises
        ------
        ParameterError
            If a number is negative or not whole, or `n_channels` is too small.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> Events([3], [1], n_channels=2, duration=10).shift(5, channel=4)
        Events(1 event, n_channels=6, duration=15 µs)
        """
        t = check_integer("t", t, high=MAX_TIME - self.duration - 1, unit="µs")
        most = 2**32 - 1 - self.n_channels
        least = self.n_channels + check_integer("channel", channel, high=most)
        if n_channels is None:
            n_channels = least
        n_channels = check_integer("n_channels", n_channels, least, 2**32 - 1)
        return type(self)(
            self.t + t,
            self.channel + np.uint32(least - self.n_channels),
            n_channels,
            self.duration + t,
        )

    def select(
        self, channels: ArrayLike | None = None, *, start: int = 0, stop: int | None = None
    ) -> Self:
        """Return the events of some channels, or of a stretch of time.

        Parameters
        ----------
        channels : array_like of int, default=None
            Channels to keep, each once; the k-th becomes channel k. `None` means all.
        start, stop : int, default=0, None
            Events from `start` on and before `stop`, µs; `start` becomes time 0. `None` means
            the end.

        Returns
        -------
        Events

        Raises
        ------
        ParameterError
            If a channel is out of range or comes twice, or there is no time between `start` and
            `stop`.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> events = Events([1, 4, 6], [0, 2, 2], n_channels=3, duration=10)
        >>> events.select([2, 1], start=5)
        Events(1 event, n_channels=2, duration=5 µs)
        """
        start = check_integer("start", start, high=self.duration - 1, unit="µs")
        if stop is None:
            stop = self.duration
        stop = check_integer("stop", stop, start + 1, self.duration, unit="µs")
        first, last = np.searchsorted(self.t, (start, stop))
        t, channel = self.t[first:last] - start, self.channel[first:last]
        if channels is None:
            return type(self)(t, channel, self.n_channels, stop - start)
        wanted = whole_numbers(channels, "channels", below=self.n_channels, at="index")
        n_channels = wanted.size
        if n_channels == 0:
            raise ParameterError("channels must hold at least one channel; got none.")
        place = np.full(self.n_channels, -1)
        place[wanted] = np.arange(n_channels)
        again = np.flatnonzero(place[wanted] != np.arange(n_channels))
        if again.size:
            index = int(again[0])
            raise ParameterError(
                f"channels must hold each channel once; got {wanted[index]} again, first at index"
                f" {index}."
            )
        kept = place[channel] >= 0
        return type(self)(t[kept], place[channel[kept]], n_channels, stop - start)

    def quantized(self, quantum: int) -> Self:
        """Return the same events on a coarser lattice: times rounded down to whole quanta.

        Neurons then receive more of them together, which runs faster and is another input:
        what happened in which order within a quantum is lost.

        Parameters
        ----------
        quantum : int
            Step of the lattice in µs.

        Returns
        -------
        Events
            Channels, their order and the duration are kept. Events that have become equal all
            stay, and each counts.

        Raises
        ------
        ParameterError
            If `quantum` is not a whole number of at least 1 µs.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> Events([3, 999, 2500], [1, 0, 0], n_channels=2, duration=4000).quantized(1000).t
        array([   0,    0, 2000])
        """
        quantum = check_integer("quantum", quantum, 1, unit="µs")
        if quantum == 1:
            return self
        times = self.t // quantum * quantum
        return type(self)(times, self.channel, self.n_channels, self.duration)

    def reversed(self) -> Self:
        """Return the same events played backwards: `t` becomes `duration - 1 - t`.

        Returns
        -------
        Events
            Channels and duration are kept.

        Examples
        --------
        >>> from hrsnn_rs.events import Events
        >>> Events([0, 10], [1, 0], n_channels=2, duration=100).reversed().t
        array([89, 99])
        """
        return type(self)(
            self.duration - 1 - self.t[::-1], self.channel[::-1], self.n_channels, self.duration
        )


def _same_channels(samples: Any, kind: type[EventOperations]) -> int:
    """Return the number of channels that all samples have."""
    if not isinstance(samples, list | tuple) or not samples:
        raise ParameterError(f"samples must be a list of Events; got {samples!r}.")
    for index, sample in enumerate(samples):
        if not isinstance(sample, kind):
            raise ParameterError(f"samples must hold Events; got {sample!r} at index {index}.")
        if sample.n_channels != samples[0].n_channels:
            raise ShapeError(
                f"samples must have as many channels as the first ({samples[0].n_channels});"
                f" got {sample.n_channels} at index {index}."
            )
    return int(samples[0].n_channels)


def in_order(
    t: NDArray[np.int64], channel: NDArray[Any], n_channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort events by time and channel; both are from 0.

    Examples
    --------
    >>> in_order(np.array([5, 3, 3]), np.array([0, 1, 0]), 2)
    (array([3, 3, 5]), array([0, 1, 0]))
    """
    bits = (n_channels - 1).bit_length()
    if t.size and int(t.max()) < 2 ** (63 - bits):
        # One number for both sorts many times as fast.
        both = t << bits
        both |= channel
        both.sort()
        return both >> bits, both & ((1 << bits) - 1)
    order = np.lexsort((channel, t))
    return t[order], channel[order].astype(np.int64)

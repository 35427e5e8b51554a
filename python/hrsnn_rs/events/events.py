"""Events: what goes into a network.

Lives here: the immutable table of times and channels, and how one is made. Not here: what the
forms of others mean (`conversion`), what becomes of a table (`operations`), and encoders.
Invariant: a table that exists is sorted, whole, in range and cannot be changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.events.columns import check_same_length, checked_times, whole_numbers
from hrsnn_rs.events.conversion import of_frame, of_raster, of_sensor, of_structured
from hrsnn_rs.events.operations import EventOperations
from hrsnn_rs.events.sources import poisson
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["Events"]


class Events(EventOperations):
    """Input spikes of one sample: a time and a channel each. Immutable.

    Parameters
    ----------
    t : array_like of int, shape (n_events,)
        Times in µs, not negative, not decreasing.
    channel : array_like of int, shape (n_events,)
        Channel of each event, below `n_channels`.
    n_channels : int
        Number of channels, whether or not each has events.
    duration : int, default=None
        Length of the sample in µs, greater than the last time. `None` means the last time
        plus one; it must be given where there are no events.

    Attributes
    ----------
    t : ndarray of int64, shape (n_events,)
        Times in µs; read-only.
    channel : ndarray of uint32, shape (n_events,)
        Channels; read-only.
    n_channels : int
        Number of channels.
    duration : int
        Length of the sample in µs.

    Raises
    ------
    ShapeError
        If an array has not one dimension, or the lengths differ.
    ParameterError
        If a time is negative, decreases or is not whole, if a channel is out of range, or
        if the duration is not after the last event.

    Notes
    -----
    The arrays are copied, so that later changes to the arguments do not matter.

    Examples
    --------
    >>> events = Events(t=[100, 250, 250], channel=[0, 3, 1], n_channels=4, duration=1000)
    >>> len(events), events.duration
    (3, 1000)
    """

    __slots__ = ("t", "channel", "n_channels", "duration")  # noqa: RUF023 - the order of __init__

    t: NDArray[np.int64]
    channel: NDArray[np.uint32]
    n_channels: int
    duration: int

    def __init__(
        self, t: ArrayLike, channel: ArrayLike, n_channels: int, duration: int | None = None
    ) -> None:
        n_channels = check_integer("n_channels", n_channels, 1, 2**32 - 1)
        times, duration = checked_times(t, duration, channel=channel)
        channels = whole_numbers(channel, "channel", below=n_channels)
        check_same_length(t=times, channel=channels)
        self._freeze(
            t=times,
            channel=channels.astype(np.uint32),
            n_channels=n_channels,
            duration=duration,
        )

    def __len__(self) -> int:
        return int(self.t.size)

    def __repr__(self) -> str:
        return (
            f"Events({counted(len(self), 'event')}, n_channels={self.n_channels}, "
            f"duration={self.duration} µs)"
        )

    @classmethod
    def from_structured(
        cls,
        array: NDArray[Any],
        *,
        sensor_size: tuple[int, int, int] | None = None,
        n_channels: int | None = None,
        duration: int | None = None,
    ) -> Events:
        """Convert a structured array, as tonic gives it, by the names of its fields.

        Parameters
        ----------
        array : structured ndarray, shape (n_events,)
            Fields in any order: `t` (µs) and either `channel`; or `x` (one-dimensional
            sensors, as in SHD); or `x`, `y` and `p` (also called `polarity` or `on`).
        sensor_size : tuple of int, default=None
            (width, height, polarities), in tonic's order. Needed where there is a `y`.
            With one polarity the field of polarity is not read.
        n_channels : int, default=None
            Number of channels where there is no `y`; `sensor_size` implies it.
        duration : int, default=None
            Length of the sample in µs. `None` means the last time plus one.

        Returns
        -------
        Events
            Channel `(p * height + y) * width + x`.

        Raises
        ------
        ParameterError
            If a field is missing, a value is out of range or -1 stands for OFF.

        Examples
        --------
        >>> array = np.array([(5, 2, 0, 1)], dtype=[("t", "<i8"), ("x", "<i2"), ("y", "<i2"),
        ...                                         ("p", "?")])
        >>> Events.from_structured(array, sensor_size=(4, 3, 2)).channel
        array([14], dtype=uint32)
        """
        return cls(*of_structured(array, sensor_size, n_channels), duration)

    @classmethod
    def from_raster(cls, raster: ArrayLike, *, dt: float) -> Events:
        """Convert a raster: one row per step, one column per channel, counts or truth values.

        Parameters
        ----------
        raster : array_like, shape (n_steps, n_channels)
            Number of events in each step; whole and not negative.
        dt : float
            Length of a step in ms, rounded to µs.

        Returns
        -------
        Events
            A count of k becomes k events at the beginning of the step; the duration is
            `n_steps * dt`.

        Raises
        ------
        ShapeError
            If `raster` has not two dimensions or no steps.
        ParameterError
            If a count is negative or not whole, or `dt` is shorter than 1 µs.

        Examples
        --------
        >>> events = Events.from_raster([[0, 1], [2, 0]], dt=1.0)
        >>> events.t, events.channel
        (array([   0, 1000, 1000]), array([1, 0, 0], dtype=uint32))
        """
        return cls(*of_raster(raster, dt))

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, *, n_channels: int, duration: int | None = None
    ) -> Events:
        """Convert a polars frame with the columns `t` (µs) and `channel`.

        Parameters
        ----------
        frame : polars.DataFrame
            Sorted by `t`. Other columns are not read.
        n_channels : int
            Number of channels.
        duration : int, default=None
            Length of the sample in µs. `None` means the last time plus one.

        Returns
        -------
        Events
            The same events.

        Raises
        ------
        ParameterError
            If a column is missing or holds what `Events` refuses.

        Examples
        --------
        >>> import polars as pl
        >>> frame = pl.DataFrame({"t": [1, 2], "channel": [0, 1]})
        >>> len(Events.from_frame(frame, n_channels=2))
        2
        """
        return cls(*of_frame(frame), n_channels, duration)

    @classmethod
    def from_sensor(cls, events: SensorEvents) -> Events:
        """Give each pixel and polarity of a sensor a channel of its own.

        Parameters
        ----------
        events : SensorEvents
            What the camera sent.

        Returns
        -------
        Events
            Channel `(p * height + y) * width + x`; `2 * height * width` channels.

        Examples
        --------
        >>> from hrsnn_rs.events import SensorEvents
        >>> Events.from_sensor(SensorEvents([7], [2], [0], [1], height=3, width=4)).channel
        array([14], dtype=uint32)
        """
        return cls(*of_sensor(events))

    @classmethod
    def poisson(
        cls,
        rates: ArrayLike,
        duration: int | None = None,
        seed: int = 0,
        *,
        dt: float | None = None,
    ) -> Events:
        """Draw events of independent Poisson processes, one for each channel.

        The events of a channel depend on `seed`, the channel's number and its own rates alone:
        other channels change nothing, and a longer duration only adds events.

        Parameters
        ----------
        rates : array_like, shape (n_channels,) or (n_bins, n_channels)
            Hz, at least 0; constant, or one row for each `dt`.
        duration : int, default=None
            Length of the sample in µs; `None` where the rates have rows, which say it.
        seed : int, default=0
            In [0, 2**64).
        dt : float, default=None
            Length of a row in ms, rounded to µs; `None` where rates are constant.

        Returns
        -------
        Events
            Times are rounded down to µs; two events of a channel may share one.

        Raises
        ------
        ParameterError
            If a rate is negative or not finite, or one of `duration` and `dt` is missing.
        ShapeError
            If `rates` have another shape.
        OutOfMemoryError
            If there would be more events than the memory holds.

        Examples
        --------
        >>> events = Events.poisson([10.0, 0.0, 1000.0], duration=1_000_000, seed=7)
        >>> np.bincount(events.channel, minlength=3)
        array([ 13,   0, 968])
        >>> Events.poisson([[0.0], [1000.0]], dt=500.0, seed=7).duration
        1000000
        """
        t, channel, n_channels, length = poisson(rates, duration, seed, dt)
        return cls(t, channel, n_channels, length)

    def to_frame(self) -> pl.DataFrame:
        """Return the events as a polars frame.

        Returns
        -------
        polars.DataFrame
            Columns `t` (Int64, µs) and `channel` (UInt32).

        Examples
        --------
        >>> Events([3], [1], n_channels=2).to_frame().rows()
        [(3, 1)]
        """
        import polars as pl

        return pl.DataFrame({"t": self.t, "channel": self.channel})

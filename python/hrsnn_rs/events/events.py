"""Events: what goes into a network.

Lives here: the immutable table of times and channels, and the conversion of what others use
into it. Not here: encoders, which choose and merge events. Invariant: a table that exists is
sorted, whole, in range and cannot be changed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import (
    Frozen,
    check_same_length,
    checked_times,
    field_names,
    kind_of,
    microseconds,
    plain_array,
    polarities_of,
    polarity_field,
    whole_number,
    whole_numbers,
)
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Events", "SensorEvents", "as_events"]


class Events(Frozen):
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
        n_channels = whole_number(n_channels, "n_channels", low=1, below=2**32)
        times, duration = checked_times(t, duration)
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
            f"Events({len(self)} events, n_channels={self.n_channels}, duration={self.duration} µs)"
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
        names = field_names(array)
        polarity = polarity_field(names)
        if n_channels is not None:
            n_channels = whole_number(n_channels, "n_channels", low=1, below=2**32)
        width, height, polarities = _sensor_size(sensor_size)
        if sensor_size is not None:
            size = width * height * polarities
            if n_channels is not None and n_channels != size:
                raise ParameterError(
                    f"n_channels must be that of sensor_size ({size}); got {n_channels}."
                )
            n_channels = size
        if n_channels is None:
            raise ParameterError("n_channels or sensor_size must be given.")
        if "channel" in names:
            return cls(array["t"], array["channel"], n_channels, duration)
        if "x" not in names:
            raise ParameterError(
                f"array must have a field 'x' or 'channel'; got fields {list(names)}."
            )
        if sensor_size is None:
            _refuse_second_dimension(array, names, polarity)
            return cls(array["t"], array["x"], n_channels, duration)
        x = whole_numbers(array["x"], "x", below=width)
        y = whole_numbers(array["y"], "y", below=height) if "y" in names else np.zeros_like(x)
        if polarities == 1:
            p = np.zeros_like(x)
        elif polarity is None:
            raise ParameterError(
                f"array must have a field 'p', 'polarity' or 'on'; got fields {list(names)}."
            )
        else:
            p = polarities_of(array[polarity], polarity)
        return cls(array["t"], (p * height + y) * width + x, n_channels, duration)

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
        step = microseconds(dt, "dt")
        array = plain_array(raster, "raster")
        if array.ndim != 2 or 0 in array.shape:
            raise ShapeError(
                f"raster must have shape (n_steps, n_channels), none of them 0; got {array.shape}."
            )
        try:
            counts = whole_numbers(array.ravel(), "raster", below=2**31, booleans=True)
        except ParameterError as error:
            raise ParameterError(
                f"{str(error).removesuffix('.')} (row-major, {array.shape[1]} a row)."
            ) from None
        # Five columns of 8 bytes along the way.
        check_memory("raster", 40.0 * float(counts.sum(dtype=np.float64)))
        place = np.flatnonzero(counts)
        place = np.repeat(place, counts[place])
        row, column = np.divmod(place, array.shape[1])
        return cls(row * step, column, array.shape[1], array.shape[0] * step)

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
        import polars as pl

        if not isinstance(frame, pl.DataFrame):
            raise ParameterError(f"frame must be a polars DataFrame; got {kind_of(frame)}.")
        for name in ("t", "channel"):
            if name not in frame.columns:
                raise ParameterError(
                    f"frame must have a column {name!r}; got columns {frame.columns}."
                )
            nulls = frame[name].is_null()
            if nulls.any():
                raise ParameterError(
                    f"{name} must have no missing values; got null at event {nulls.arg_max()}."
                )
        return cls(frame["t"].to_numpy(), frame["channel"].to_numpy(), n_channels, duration)

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
        >>> Events.from_sensor(SensorEvents([7], [2], [0], [1], height=3, width=4)).channel
        array([14], dtype=uint32)
        """
        if not isinstance(events, SensorEvents):
            raise ParameterError(f"events must be SensorEvents; got {kind_of(events)}.")
        p, y = events.p.astype(np.int64), events.y.astype(np.int64)
        channel = (p * events.height + y) * events.width + events.x
        return cls(events.t, channel, 2 * events.height * events.width, events.duration)

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

    def quantized(self, quantum: int) -> Events:
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
        >>> Events([3, 999, 2500], [1, 0, 0], n_channels=2, duration=4000).quantized(1000).t
        array([   0,    0, 2000])
        """
        quantum = whole_number(quantum, "quantum", low=1, unit="µs")
        if quantum == 1:
            return self
        times = self.t // quantum * quantum
        return Events(times, self.channel, self.n_channels, self.duration)

    def reversed(self) -> Events:
        """Return the same events played backwards: `t` becomes `duration - 1 - t`.

        Returns
        -------
        Events
            Channels and duration are kept.

        Examples
        --------
        >>> Events([0, 10], [1, 0], n_channels=2, duration=100).reversed().t
        array([89, 99])
        """
        return Events(
            self.duration - 1 - self.t[::-1], self.channel[::-1], self.n_channels, self.duration
        )


def _sensor_size(sensor_size: Any) -> tuple[int, int, int]:
    if sensor_size is None:
        return 0, 0, 0
    try:
        width, height, polarities = sensor_size
    except (TypeError, ValueError):
        raise ParameterError(
            f"sensor_size must be (width, height, polarities); got {sensor_size!r}."
        ) from None
    return (
        whole_number(width, "sensor_size[0]", low=1, below=2**16),
        whole_number(height, "sensor_size[1]", low=1, below=2**16),
        whole_number(polarities, "sensor_size[2]", low=1, below=3),
    )


def _refuse_second_dimension(
    array: NDArray[Any], names: tuple[str, ...], polarity: str | None
) -> None:
    """Without a sensor's size, only `x` can be a channel: the rest must say nothing."""
    if "y" in names:
        raise ParameterError(
            "sensor_size=(width, height, polarities) must be given for events with x and y."
        )
    if polarity is not None and array.size and (array[polarity] != array[polarity][0]).any():
        raise ParameterError(
            "sensor_size=(width, height, polarities) must be given for events of two polarities."
        )


def as_events(
    events: Any,
    n_channels: int | None = None,
    *,
    duration: int | None = None,
    dt: float | None = None,
    sensor_size: tuple[int, int, int] | None = None,
) -> Events:
    """Return `events` as `Events`, whatever of the usual forms they have.

    Parameters
    ----------
    events : Events, SensorEvents, structured ndarray, tuple, polars.DataFrame or 2-D array
        A tuple is `(t, channel)`; a 2-D array is a raster and needs `dt`. Not changed.
    n_channels : int, default=None
        Number of channels, which must be that of `events` where these say it themselves.
        `None`: `events` must say it.
    duration : int, default=None
        Length of the sample in µs. `None` means that of `events`, or the last time plus one.
    dt : float, default=None
        Length of a raster's step in ms.
    sensor_size : tuple of int, default=None
        (width, height, polarities) of a structured array with `x` and `y`.

    Returns
    -------
    Events
        The events; the same object where nothing is to be changed.

    Raises
    ------
    ParameterError
        If the form is unknown, a needed argument is missing, or `Events` refuses a value.
    ShapeError
        If the number of channels is not `n_channels`.

    Examples
    --------
    >>> as_events(([5, 6], [0, 2]), n_channels=3)
    Events(2 events, n_channels=3, duration=7 µs)
    """
    if duration is not None:
        duration = whole_number(duration, "duration", low=1, unit="µs")
    named = isinstance(events, np.ndarray) and events.dtype.names is not None
    if sensor_size is not None and not named:
        raise ParameterError(
            f"sensor_size must be None where events are no structured array; got {sensor_size!r}."
        )
    if dt is not None and (named or getattr(events, "ndim", 0) != 2):
        raise ParameterError(f"dt must be None where events are no raster; got {dt!r}.")
    if isinstance(events, SensorEvents):
        events = Events.from_sensor(events)
    if isinstance(events, Events):
        found = events
    elif named:
        found = Events.from_structured(
            events,
            sensor_size=sensor_size,
            n_channels=n_channels if sensor_size is None else None,
            duration=duration,
        )
    elif _is_frame(events):
        found = Events.from_frame(events, n_channels=_given(n_channels), duration=duration)
    elif isinstance(events, tuple) and len(events) == 2:
        found = Events(events[0], events[1], _given(n_channels), duration)
    elif getattr(events, "ndim", 0) == 2:
        if dt is None:
            raise ParameterError("dt must be given (ms per row) where events is a raster.")
        found = Events.from_raster(events, dt=dt)
    else:
        raise ParameterError(
            "events must be Events, SensorEvents, a structured array, a (t, channel) tuple, a "
            f"polars DataFrame or a 2-D raster; got {kind_of(events)}."
        )
    if n_channels is not None and found.n_channels != n_channels:
        raise ShapeError(f"events must have {n_channels} channels; got {found.n_channels}.")
    if duration is not None and found.duration != duration:
        return Events(found.t, found.channel, found.n_channels, duration)
    return found


def _is_frame(events: object) -> bool:
    # Whoever holds a frame has loaded polars.
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(events, polars.DataFrame)


def _given(n_channels: int | None) -> int:
    if n_channels is None:
        raise ParameterError("n_channels must be given where events do not say it.")
    return n_channels

"""Events: what goes into a network, and what a sensor sent.

Lives here: the two immutable tables (`Events` of channels, `SensorEvents` of pixels), their
checks, and the conversion of what others use into them. Not here: encoders, which choose and
merge events. Invariant: a table that exists is sorted, whole, in range and cannot be changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import polars as pl

from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Events", "SensorEvents", "as_events", "whole_number", "whole_numbers"]

# A time below this can be added to any other without leaving int64.
MAX_TIME = 2**62
_INT64 = np.iinfo(np.int64)
_POLARITY_FIELDS = ("p", "polarity", "on")


def whole_number(
    value: Any, name: str, *, low: int = 0, below: int = MAX_TIME, unit: str = ""
) -> int:
    """Return `value` as an int, or say what is wrong with it.

    Parameters
    ----------
    value : int or float
        The number; a float is accepted if it is whole. Booleans are refused.
    name : str
        The argument, for the message.
    low : int, default=0
        Smallest value allowed.
    below : int, default=2**62
        First value not allowed.
    unit : str, default=""
        Unit, for the message.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ParameterError
        If it is no whole number in `low <= value < below`.

    Examples
    --------
    >>> whole_number(32.0, "height", low=1)
    32
    """
    suffix = f" {unit}" if unit else ""
    if isinstance(value, (float, np.floating)):
        whole = float(value).is_integer()
    else:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole:
        raise ParameterError(f"{name} must be a whole number{suffix}; got {value!r}.")
    number = int(value)
    if number < low:
        raise ParameterError(f"{name} must be at least {low}{suffix}; got {number}.")
    if number >= below:
        raise ParameterError(f"{name} must be below {below}{suffix}; got {number}.")
    return number


def whole_numbers(
    values: ArrayLike,
    name: str,
    *,
    low: int = 0,
    below: int = MAX_TIME,
    at: str = "event",
    booleans: bool = False,
) -> NDArray[np.int64]:
    """Return a fresh int64 copy of `values`, or say which one is wrong.

    Parameters
    ----------
    values : array_like, shape (n,)
        Integers of any width and byte order, or floats that are all whole. Not changed.
    name : str
        The argument, for the message.
    low : int, default=0
        Smallest value allowed.
    below : int, default=2**62
        First value not allowed.
    at : str, default="event"
        What is counted, for the message.
    booleans : bool, default=False
        Whether truth values count as 0 and 1.

    Returns
    -------
    ndarray of int64, shape (n,)
        A contiguous copy in native byte order.

    Raises
    ------
    ShapeError
        If `values` has not one dimension.
    ParameterError
        If an element is missing, no whole number, or outside `low <= value < below`.

    Examples
    --------
    >>> whole_numbers([1.0, 2.0], "x")
    array([1, 2])
    """
    array = _plain_array(values, name)
    if array.ndim != 1:
        raise ShapeError(f"{name} must have 1 dimension; got shape {array.shape}.")
    if array.size == 0:
        return np.empty(0, np.int64)
    allowed = "iufb" if booleans else "iuf"
    if array.dtype.kind not in allowed:
        value = array[0].item() if isinstance(array[0], np.generic) else array[0]
        raise ParameterError(
            f"{name} must hold whole numbers; got dtype {array.dtype} with {value!r} at {at} 0."
        )
    if array.dtype.kind == "f":
        array = array.astype(np.float64)  # the limits overflow in float16
        # NaN and infinity fail the comparison with themselves rounded.
        with np.errstate(invalid="ignore"):
            wrong = ~(np.isfinite(array) & (np.floor(array) == array))
        _refuse(wrong, array, name, "a whole number", at)
    # Before the cast, so that nothing wraps round; int64 can hold both limits.
    _refuse(array < low, array, name, f"at least {low}", at)
    _refuse(array >= below, array, name, f"below {below}", at)
    return np.array(array, dtype=np.int64, order="C")


def _plain_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """View `values` as an array; refuse what NumPy would quietly lose."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        index = int(np.argmax(np.ma.getmaskarray(values).ravel()))
        raise ParameterError(f"{name} must have no masked values; got one at index {index}.")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ShapeError(f"{name} must be an array; NumPy says: {error}") from error


def _refuse(
    wrong: NDArray[np.bool_], values: NDArray[Any], name: str, expected: str, at: str
) -> None:
    """Raise for the first element that is `wrong`, if there is one."""
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ParameterError(
            f"{name} must be {expected}; got {values[index].item()!r} at {at} {index}."
        )


def _checked_times(t: ArrayLike, duration: int | None) -> tuple[NDArray[np.int64], int]:
    """Check times and duration in µs: whole, not negative, in order, the end after the last."""
    times = whole_numbers(t, "t", below=MAX_TIME - 1)
    backwards = times[1:] < times[:-1]
    if backwards.any():
        index = int(np.argmax(backwards)) + 1
        raise ParameterError(
            f"t must not decrease; got {times[index]} after {times[index - 1]} at event {index}. "
            "Sort the events by t first."
        )
    if duration is None:
        if times.size == 0:
            raise ParameterError("duration must be given (in µs) where there are no events.")
        return times, int(times[-1]) + 1
    length = whole_number(duration, "duration", low=1, unit="µs")
    if times.size and length <= times[-1]:
        raise ParameterError(
            f"duration must be greater than the last t ({times[-1]} µs); got {length}."
        )
    return times, length


def _check_same_length(**columns: NDArray[Any]) -> None:
    (first, head), *others = columns.items()
    for name, column in others:
        if column.size != head.size:
            raise ShapeError(
                f"{name} must have the length of {first} ({head.size}); got {column.size}."
            )


def _fields(array: Any) -> tuple[str, ...]:
    """Names of a structured array's fields."""
    names = getattr(getattr(array, "dtype", None), "names", None)
    if names is None:
        raise ParameterError(
            f"array must be a structured array with named fields; got {_kind(array)}."
        )
    if "t" not in names:
        raise ParameterError(f"array must have a field 't'; got fields {list(names)}.")
    return tuple(names)


def _polarity_field(names: tuple[str, ...]) -> str | None:
    found = [name for name in _POLARITY_FIELDS if name in names]
    if len(found) > 1:
        raise ParameterError(f"array must have one field of polarity; got {found}.")
    return found[0] if found else None


def _polarities(values: ArrayLike, name: str) -> NDArray[np.int64]:
    array = _plain_array(values, name)
    if array.ndim == 1 and array.dtype.kind in "if" and (array == -1).any():
        index = int(np.argmax(array == -1))
        raise ParameterError(
            f"{name} must be 0 (OFF) or 1 (ON); got -1 at event {index}. "
            f"Where -1 stands for OFF, pass {name} > 0."
        )
    return whole_numbers(array, name, below=2, booleans=True)


def _kind(thing: Any) -> str:
    if isinstance(thing, np.ndarray):
        return f"an array of dtype {thing.dtype} and shape {thing.shape}"
    return f"a {type(thing).__name__}"


class _Frozen:
    """Attributes are set once, by `_freeze`; arrays among them become read-only."""

    __slots__ = ()

    def _freeze(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed; make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed; make a new one.")

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), self._values()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        pairs = zip(self._values(), other._values(), strict=True)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]


class Events(_Frozen):
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
        times, duration = _checked_times(t, duration)
        channels = whole_numbers(channel, "channel", below=n_channels)
        _check_same_length(t=times, channel=channels)
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
        names = _fields(array)
        polarity = _polarity_field(names)
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
            p = _polarities(array[polarity], polarity)
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
        step = _step_us(dt, "dt")
        array = _plain_array(raster, "raster")
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
        >>> frame = pl.DataFrame({"t": [1, 2], "channel": [0, 1]})
        >>> len(Events.from_frame(frame, n_channels=2))
        2
        """
        if not isinstance(frame, pl.DataFrame):
            raise ParameterError(f"frame must be a polars DataFrame; got {_kind(frame)}.")
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
        return pl.DataFrame({"t": self.t, "channel": self.channel})

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


def _step_us(milliseconds: Any, name: str) -> int:
    """Return a step in µs from one in ms, at least 1."""
    number = isinstance(milliseconds, (int, float, np.integer, np.floating))
    if not number or isinstance(milliseconds, bool) or not np.isfinite(milliseconds):
        raise ParameterError(f"{name} must be a finite number of ms; got {milliseconds!r}.")
    step = round(float(milliseconds) * 1000.0)
    if not 1 <= step < 2**53:
        raise ParameterError(f"{name} must be at least 0.001 ms; got {milliseconds!r}.")
    return step


class SensorEvents(_Frozen):
    """What an event camera sent: time, pixel and polarity of each event. Immutable.

    Parameters
    ----------
    t : array_like of int, shape (n_events,)
        Times in µs, not negative, not decreasing.
    x : array_like of int, shape (n_events,)
        Column, below `width`.
    y : array_like of int, shape (n_events,)
        Row, below `height`.
    p : array_like of int or bool, shape (n_events,)
        Polarity: 0 is OFF (darker), 1 is ON (brighter).
    height : int
        Rows of the sensor.
    width : int
        Columns of the sensor.
    duration : int, default=None
        Length of the sample in µs, greater than the last time. `None` means the last time
        plus one; it must be given where there are no events.

    Attributes
    ----------
    t : ndarray of int64, shape (n_events,)
        Times in µs; read-only, as the other arrays are.
    x, y : ndarray of uint16, shape (n_events,)
        Column and row.
    p : ndarray of uint8, shape (n_events,)
        Polarity.
    height, width : int
        Size of the sensor.
    duration : int
        Length of the sample in µs.

    Raises
    ------
    ShapeError
        If an array has not one dimension, or the lengths differ.
    ParameterError
        If a time is negative, decreases or is not whole, if a pixel lies outside the
        sensor, if a polarity is not 0 or 1, or if the duration is not after the last event.

    Examples
    --------
    >>> SensorEvents(t=[10, 20], x=[0, 5], y=[1, 1], p=[1, 0], height=4, width=6)
    SensorEvents(2 events, height=4, width=6, duration=21 µs)
    """

    __slots__ = ("t", "x", "y", "p", "height", "width", "duration")  # noqa: RUF023

    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    p: NDArray[np.uint8]
    height: int
    width: int
    duration: int

    def __init__(
        self,
        t: ArrayLike,
        x: ArrayLike,
        y: ArrayLike,
        p: ArrayLike,
        height: int,
        width: int,
        duration: int | None = None,
    ) -> None:
        height = whole_number(height, "height", low=1, below=2**16)
        width = whole_number(width, "width", low=1, below=2**16)
        times, duration = _checked_times(t, duration)
        columns = whole_numbers(x, "x", below=width)
        rows = whole_numbers(y, "y", below=height)
        polarities = _polarities(p, "p")
        _check_same_length(t=times, x=columns, y=rows, p=polarities)
        self._freeze(
            t=times,
            x=columns.astype(np.uint16),
            y=rows.astype(np.uint16),
            p=polarities.astype(np.uint8),
            height=height,
            width=width,
            duration=duration,
        )

    def __len__(self) -> int:
        return int(self.t.size)

    def __repr__(self) -> str:
        return (
            f"SensorEvents({len(self)} events, height={self.height}, width={self.width}, "
            f"duration={self.duration} µs)"
        )

    @classmethod
    def from_structured(
        cls, array: NDArray[Any], height: int, width: int, duration: int | None = None
    ) -> SensorEvents:
        """Convert a structured array, as tonic gives it, by the names of its fields.

        Parameters
        ----------
        array : structured ndarray, shape (n_events,)
            Fields in any order: `t` (µs), `x`, `y`, and `p`, `polarity` or `on`.
        height : int
            Rows of the sensor.
        width : int
            Columns of the sensor.
        duration : int, default=None
            Length of the sample in µs. `None` means the last time plus one.

        Returns
        -------
        SensorEvents
            The same events.

        Raises
        ------
        ParameterError
            If a field is missing or holds what `SensorEvents` refuses.

        Examples
        --------
        >>> array = np.array([(3, 2, 1, 10)], dtype=[("x", "<i2"), ("y", "<i2"), ("p", "<i2"),
        ...                                          ("t", "<i8")])
        >>> SensorEvents.from_structured(array, height=4, width=4).t
        array([10])
        """
        names = _fields(array)
        polarity = _polarity_field(names)
        missing = [name for name in ("x", "y") if name not in names]
        if polarity is None:
            missing.append("p")
        if polarity is None or missing:
            raise ParameterError(
                f"array must have the fields t, x, y and p; {missing} missing in {list(names)}."
            )
        p = _polarities(array[polarity], polarity)
        return cls(array["t"], array["x"], array["y"], p, height, width, duration)

    def to_events(self) -> Events:
        """Return the events with one channel per pixel and polarity.

        Returns
        -------
        Events
            Channel `(p * height + y) * width + x`; `2 * height * width` channels.

        Examples
        --------
        >>> SensorEvents([7], [2], [0], [1], height=3, width=4).to_events().channel
        array([14], dtype=uint32)
        """
        p, y = self.p.astype(np.int64), self.y.astype(np.int64)
        channel = (p * self.height + y) * self.width + self.x
        return Events(self.t, channel, 2 * self.height * self.width, self.duration)

    def reversed(self) -> SensorEvents:
        """Return the same events played backwards: `t` becomes `duration - 1 - t`.

        Returns
        -------
        SensorEvents
            Pixels, polarities and duration are kept; a camera that saw the scene backwards
            would also have exchanged the polarities.

        Examples
        --------
        >>> SensorEvents([0, 10], [0, 1], [0, 0], [1, 1], 2, 2, duration=100).reversed().x
        array([1, 0], dtype=uint16)
        """
        t = self.duration - 1 - self.t[::-1]
        x, y, p = self.x[::-1], self.y[::-1], self.p[::-1]
        return SensorEvents(t, x, y, p, self.height, self.width, self.duration)


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
    if isinstance(events, SensorEvents):
        events = events.to_events()
    if isinstance(events, Events):
        found = events
    elif isinstance(events, np.ndarray) and events.dtype.names is not None:
        found = Events.from_structured(
            events,
            sensor_size=sensor_size,
            n_channels=n_channels if sensor_size is None else None,
            duration=duration,
        )
    elif isinstance(events, pl.DataFrame):
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
            f"polars DataFrame or a 2-D raster; got {_kind(events)}."
        )
    if n_channels is not None and found.n_channels != n_channels:
        raise ShapeError(f"events must have {n_channels} channels; got {found.n_channels}.")
    if duration is not None and found.duration != duration:
        return Events(found.t, found.channel, found.n_channels, duration)
    return found


def _given(n_channels: int | None) -> int:
    if n_channels is None:
        raise ParameterError("n_channels must be given where events do not say it.")
    return n_channels

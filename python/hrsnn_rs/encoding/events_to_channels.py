"""From sensor events to channels.

Lives here: the encoder with a fixed field. Not here: a field that follows what moves (`tracking`),
encoders of video (`contrast`) and files. Invariant: nothing is lost without being counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer
from hrsnn_rs.encoding.sensor_encoder import EncodingReport, SensorEncoder, beginning, checked_start
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import microseconds
from hrsnn_rs.events.events import Events
from hrsnn_rs.made_up.camera import CameraReport, EventCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["CameraReport", "EventCamera", "EventEncoder"]


@dataclass(frozen=True)
class EventEncoder(SensorEncoder):
    """Encoder from an event camera's pixels to a network's channels.

    In this order: crop, centre, scale down by whole numbers, dead time, quantum. Events are
    dropped, never merged; the report counts them.

    Parameters
    ----------
    height : int
        Rows of the sensor.
    width : int
        Columns of the sensor.
    size : tuple of int, default=(32, 32)
        (rows, columns) of the channels; pixel x of a field of w columns goes to
        `x * columns // w`.
    polarities : {1, 2}, default=2
        2: ON and OFF have channels of their own; 1: they share them.
    centre : bool, default=False
        Whether the events' centre of mass, rounded to a pixel, is moved to the middle of the
        field.
    crop : tuple of int, default=None
        Field of the sensor that is looked at: (y0, x0, rows, columns); or (rows, columns), in
        the middle of the sensor or, with `centre`, around the centre of mass. `None` means
        the whole sensor.
    dead_time : float, default=None
        Time in ms after an event in which its channel drops further ones.
    quantum : int, default=None
        Times are rounded down to multiples of this (µs), after the dead time; see
        `Events.quantized`.
    start : {"first_event", "zero"}, default="first_event"
        Where a sample begins. Clocks of cameras begin anywhere: the first event of the recording,
        also if it is dropped, is at 0, and the duration shorter by as much. "zero" keeps the
        clock of the recording, with the empty time before its first event.

    Raises
    ------
    ParameterError
        If a value is outside its range; the message names it.

    Examples
    --------
    >>> from hrsnn_rs import SensorEvents
    >>> encoder = EventEncoder(height=128, width=128, size=(32, 32))
    >>> encoder.n_channels
    2048
    >>> encoder(SensorEvents([5], [127], [0], [1], height=128, width=128)).channel
    array([1055], dtype=uint32)
    """

    height: int
    width: int
    size: tuple[int, int] = (32, 32)
    polarities: int = 2
    centre: bool = False
    crop: tuple[int, int, int, int] | tuple[int, int] | None = None
    dead_time: float | None = None
    quantum: int | None = None
    start: str = "first_event"

    def __post_init__(self) -> None:
        """Check every value."""
        checked: dict[str, Any] = {
            name: check_integer(name, getattr(self, name), 1, 2**16 - 1)
            for name in ("height", "width")
        }
        checked["size"] = _whole_tuple(self.size, "size", (2,))
        for index, extent in enumerate(checked["size"]):
            check_integer(f"size[{index}]", extent, 1, 2**14 - 1)
        checked["polarities"] = check_integer("polarities", self.polarities, 1, 2)
        if not isinstance(self.centre, (bool, np.bool_)):
            raise ParameterError(f"centre must be True or False; got {self.centre!r}.")
        checked["centre"] = bool(self.centre)
        if self.crop is not None:
            crop = _whole_tuple(self.crop, "crop", (2, 4))
            limits = (checked["height"], checked["width"])
            origin = (0, 0) if len(crop) == 2 else crop[:2]
            for axis, (start, extent) in enumerate(zip(origin, crop[-2:], strict=True)):
                if extent < 1 or start + extent > limits[axis]:
                    name = ("rows", "columns")[axis]
                    raise ParameterError(
                        f"crop must lie in a sensor of {limits[axis]} {name} and have at least "
                        f"1; got {extent} from {start} in {self.crop!r}."
                    )
            checked["crop"] = crop
        if self.dead_time is not None:
            microseconds(self.dead_time, "dead_time", low=0)
            checked["dead_time"] = float(self.dead_time)
        if self.quantum is not None:
            checked["quantum"] = check_integer("quantum", self.quantum, 1, unit="µs")
        checked["start"] = checked_start(self.start)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def n_channels(self) -> int:
        """Number of channels: polarities × rows × columns."""
        return self.polarities * self.size[0] * self.size[1]

    @property
    def sensor(self) -> tuple[int, int]:
        """Rows and columns of the channels: `size`."""
        return self.size

    def encode(self, events: SensorEvents) -> tuple[Events, EncodingReport]:
        """Encode one sample.

        Parameters
        ----------
        events : SensorEvents
            Of a sensor of `height` × `width`. Not changed.

        Returns
        -------
        events : Events
            Channel `(p * rows + y) * columns + x`; times and duration as they were, but for
            `start` and the quantum.
        report : EncodingReport
            What was dropped, and where the sample begins on the clock of `events`.

        Raises
        ------
        ParameterError
            If `events` are not sensor events.
        ShapeError
            If the sensor has another size.

        Examples
        --------
        >>> from hrsnn_rs import SensorEvents
        >>> encoder = EventEncoder(4, 4, size=(2, 2), crop=(0, 0, 2, 2))
        >>> events = SensorEvents([1, 2], [0, 3], [1, 1], [0, 0], height=4, width=4)
        >>> encoder.encode(events)[1]
        EncodingReport(n_in=2, n_out=1, n_outside=1, n_dead=0, n_below=0, start_us=1)
        """
        self._check(events)
        start_us = beginning(self.start, events.t)
        t, x, y, p = (
            events.t - start_us,
            events.x.astype(np.int64),
            events.y.astype(np.int64),
            events.p,
        )
        (y0, x0), (rows, columns) = self._field()
        y, x = y - y0, x - x0
        inside = _within(y, x, rows, columns)
        if self.centre:
            seen = slice(None) if len(self.crop or ()) != 4 else inside
            y, x = y - _shift(y[seen], rows), x - _shift(x[seen], columns)
            inside = (inside if len(self.crop or ()) == 4 else True) & _within(y, x, rows, columns)
        t, y, x, p = t[inside], y[inside], x[inside], p[inside]
        n_inside = t.size
        y, x = y * self.size[0] // rows, x * self.size[1] // columns
        channel = y * self.size[1] + x
        if self.polarities == 2:
            channel += p.astype(np.int64) * (self.size[0] * self.size[1])
        if self.dead_time:
            dead_us = microseconds(self.dead_time, "dead_time", low=0)
            keep = _hrsnn.dead_time(t, channel.astype(np.uint32), self.n_channels, dead_us)
            t, channel = t[keep], channel[keep]
        encoded = Events(t, channel, self.n_channels, events.duration - start_us)
        if self.quantum is not None:
            encoded = encoded.quantized(self.quantum)
        report = EncodingReport(
            n_in=len(events),
            n_out=len(encoded),
            n_outside=len(events) - n_inside,
            n_dead=n_inside - len(encoded),
            start_us=start_us,
        )
        return encoded, report

    def _field(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Origin (y, x) and size (rows, columns) of the field before centring."""
        match self.crop:
            case None:
                return (0, 0), (self.height, self.width)
            case (rows, columns):
                return ((self.height - rows) // 2, (self.width - columns) // 2), (rows, columns)
            case (y0, x0, rows, columns):
                return (y0, x0), (rows, columns)


def _within(
    y: NDArray[np.int64], x: NDArray[np.int64], rows: int, columns: int
) -> NDArray[np.bool_]:
    return (y >= 0) & (y < rows) & (x >= 0) & (x < columns)


def _shift(positions: NDArray[np.int64], extent: int) -> int:
    """Pixels from the middle of a field of `extent` to the mean of `positions`, rounded."""
    n = positions.size
    if n == 0:
        return 0
    # In whole numbers, so that no order of summation matters: floor(mean - middle + 1/2).
    return int((2 * int(positions.sum()) - (extent - 1) * n + n) // (2 * n))


def _whole_tuple(values: Any, name: str, lengths: tuple[int, ...]) -> tuple[int, ...]:
    expected = " or ".join(str(length) for length in lengths)
    is_scalar = isinstance(values, np.ndarray) and values.ndim == 0
    if is_scalar or isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise ParameterError(f"{name} must be {expected} whole numbers; got {values!r}.")
    if len(values) not in lengths:
        raise ParameterError(f"{name} must be {expected} whole numbers; got {values!r}.")
    try:
        items = list(values)
    except TypeError:
        raise ParameterError(f"{name} must be {expected} whole numbers; got {values!r}.") from None
    return tuple(check_integer(f"{name}[{index}]", value) for index, value in enumerate(items))

"""From sensor events to channels around a centre that follows them.

Lives here: the encoder that takes place, size and side of what moves away, and the track that
it followed. Not here: the centre itself, which the core computes, and fixed fields
(`events_to_channels`). Invariant: nothing is lost without being counted, and with
`smoothing="causal"` no channel depends on a later event unless `mirror_from` asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer, check_number, within
from hrsnn_rs.encoding.sensor_encoder import (
    EncodingReport,
    SensorEncoder,
    beginning,
    checked_start,
)
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import check_order, microseconds, whole_numbers
from hrsnn_rs.events.events import Events

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["Track", "TrackingEncoder", "TrackingReport"]

_SMOOTHINGS = ("causal", "centred")
_MIRROR_FROM = ("running", "first_third", "whole")
# x, y and their velocities.
_QUANTITIES = 4


@dataclass(frozen=True)
class TrackingReport(EncodingReport):
    """What a tracking encoder kept, dropped and changed.

    `n_in == n_out + n_outside + n_dead`; the events of the track are added to these, and
    counted by `n_track` alone.

    Parameters
    ----------
    n_in, n_out, n_outside, n_dead, n_below
        As in `EncodingReport`; outside is beside the plane.
    n_mirrored : int, default=0
        Events, kept or not, that came while the plane was mirrored.
    n_track : int, default=0
        Events in the channels of the track.
    scale : tuple of float, default=None
        Least and largest number of the sensor's pixels along one pixel of the plane. `None`
        where there were no events.

    Examples
    --------
    >>> TrackingReport(n_in=10, n_out=7, n_outside=3, n_mirrored=10).n_dropped
    3
    """

    n_mirrored: int = 0
    n_track: int = 0
    scale: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Track:
    """Where the centre was, how fast it moved, and how far events lay around it.

    Attributes
    ----------
    t : ndarray of int64, shape (n,)
        Times in µs.
    x, y : ndarray of float64, shape (n,)
        Column and row of the centre; NaN where no event is known yet, as in those below.
    velocity_x, velocity_y : ndarray of float64, shape (n,)
        Slope of the weighted straight line through the events, in pixels per s.
    spread : ndarray of float64, shape (n,)
        Root of the mean squared distance from the centre along one axis, at least 1 pixel.
    is_mirrored : ndarray of bool, shape (n,)
        Whether the plane was mirrored.
    """

    t: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    velocity_x: NDArray[np.float64]
    velocity_y: NDArray[np.float64]
    spread: NDArray[np.float64]
    is_mirrored: NDArray[np.bool_]


@dataclass(frozen=True)
class TrackingEncoder(SensorEncoder):
    """Encoder whose field follows the events' centre of mass.

    The centre at a time is the mean place of all events up to it (of all events where
    `smoothing` is "centred"), each weighted by `exp(-|Δt| / time_constant)`. The spread is the
    root of the mean of `(Δx² + Δy²) / 2`, with Δx and Δy from the centre at the event's own time
    and weights of `spread_constant`. An event goes to the pixel of the plane that lies where it
    lay from the centre, or is dropped. Both means are exact sums over events: there are no bins,
    and the order of events within one µs is nothing to them.

    Parameters
    ----------
    height : int
        Rows of the sensor.
    width : int
        Columns of the sensor.
    size : int, default=32
        Rows and columns of the plane.
    polarities : {1, 2}, default=2
        2: ON and OFF have channels of their own; 1: they share them.
    time_constant : float, default=160.0
        Of the centre, in ms. A causal centre lags by this time behind what moves steadily; a
        centred one does not.
    smoothing : {"causal", "centred"}, default="causal"
        Whether centre and spread are made of the events up to a time, as a camera that is
        running knows them, or of later ones as well.
    zoom : float, default=5.0
        The plane is so many times the spread wide. `None` means that it is `extent` pixels wide.
    extent : float, default=None
        Pixels of the sensor that the plane is wide, where there is no zoom. `None` means the
        shorter side of the sensor.
    spread_constant : float, default=400.0
        Of the spread, in ms. `None` means that all events weigh the same, however long ago.
    dead_time : float, default=20.0
        Time in ms after an event in which its channel drops further ones.
    mirror : bool, default=False
        Whether columns are reversed where the centre moves to the left, so that all move to the
        right. Leave it off where sides tell classes apart.
    mirror_from : {"running", "first_third", "whole"}, default="running"
        What decides it. The centre moves to the left once it is half a spread away from where it
        was farthest to the right, and to the right again once it has come back by as much. The
        first `time_constant` after the first event does not count. "running" asks at each moment
        and needs no later event; "first_third" and "whole" ask at the end of a third of the
        duration or of all of it, and mirror the whole sample or none of it.
    track_levels : int, default=0
        Levels in which column, row and both velocities of the centre are sent along: each
        has so many channels after those of the plane, and sends one event to that of its level
        every 20 ms. Places are shares of the sensor, velocities go from -10 to 10 spreads per s;
        in a mirror both count to the other side. 0: the track is not sent.
    start : {"first_event", "zero"}, default="first_event"
        Where a sample begins: at its first event, or at time 0 of the recording.

    Raises
    ------
    ParameterError
        If a value is outside its range; the message names it.

    Notes
    -----
    Noise pulls the centre to the middle of the sensor by its share of the events. While there are
    no events the centre stays where it was.

    Examples
    --------
    >>> from hrsnn_rs import SensorEvents
    >>> encoder = TrackingEncoder(height=128, width=128, zoom=None, extent=64)
    >>> encoder.n_channels
    2048
    >>> left = SensorEvents([5, 9], [10, 14], [20, 20], [1, 1], height=128, width=128)
    >>> right = SensorEvents([5, 9], [90, 94], [70, 70], [1, 1], height=128, width=128)
    >>> encoder(left) == encoder(right)
    True
    """

    height: int
    width: int
    size: int = 32
    polarities: int = 2
    time_constant: float = 160.0
    smoothing: str = "causal"
    zoom: float | None = 5.0
    extent: float | None = None
    spread_constant: float | None = 400.0
    dead_time: float = 20.0
    mirror: bool = False
    mirror_from: str = "running"
    track_levels: int = 0
    start: str = "first_event"

    def __post_init__(self) -> None:
        """Check every value."""
        checked: dict[str, Any] = {
            name: check_integer(name, getattr(self, name), 1, 2**16 - 1)
            for name in ("height", "width")
        }
        checked["size"] = check_integer("size", self.size, 1, 2**12 - 1)
        checked["polarities"] = check_integer("polarities", self.polarities, 1, 2)
        checked["track_levels"] = check_integer("track_levels", self.track_levels, high=2**12 - 1)
        microseconds(self.time_constant, "time_constant")
        checked["time_constant"] = float(self.time_constant)
        if self.spread_constant is not None:
            microseconds(self.spread_constant, "spread_constant")
            checked["spread_constant"] = float(self.spread_constant)
        microseconds(self.dead_time, "dead_time", low=0)
        checked["dead_time"] = float(self.dead_time)
        for name in ("zoom", "extent"):
            if getattr(self, name) is not None:
                number = check_number(name, getattr(self, name), *within(1e-3, 1e6))
                checked[name] = number
        if self.zoom is not None and self.extent is not None:
            raise ParameterError(f"extent must be None where zoom is not; got {self.extent!r}.")
        if not isinstance(self.mirror, (bool, np.bool_)):
            raise ParameterError(f"mirror must be True or False; got {self.mirror!r}.")
        checked["mirror"] = bool(self.mirror)
        checked["start"] = checked_start(self.start)
        for name, known in (("smoothing", _SMOOTHINGS), ("mirror_from", _MIRROR_FROM)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise ParameterError(f"{name} must be one of {known}; got {value!r}.")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def n_channels(self) -> int:
        """Number of channels: polarities × size × size, and those of the track."""
        return self.polarities * self.size**2 + _QUANTITIES * self.track_levels

    @property
    def sensor(self) -> tuple[int, int] | None:
        """Rows and columns of the plane; `None` where there are channels of the track."""
        return None if self.track_levels else (self.size, self.size)

    def encode(self, events: SensorEvents) -> tuple[Events, TrackingReport]:
        """Encode one sample.

        Parameters
        ----------
        events : SensorEvents
            Of a sensor of `height` × `width`. Not changed.

        Returns
        -------
        events : Events
            Channel `(p * size + row) * size + column`, and those of the track; times and
            duration as they were.
        report : TrackingReport
            What was dropped and changed.

        Raises
        ------
        ParameterError
            If `events` are not sensor events, or the track is to be sent for longer than 2^24
            times 20 ms.
        ShapeError
            If the sensor has another size.

        Examples
        --------
        >>> from hrsnn_rs import SensorEvents
        >>> encoder = TrackingEncoder(4, 4, size=2, zoom=None, extent=2)
        >>> events = SensorEvents([1, 2], [0, 3], [1, 1], [0, 0], height=4, width=4)
        >>> encoder.encode(events)[1].n_outside
        1
        """
        self._check(events)
        start_us = beginning(self.start, events.t)
        duration = events.duration - start_us
        t, channel, (n_outside, n_dead, n_mirrored, n_track), scale = self._tracker().encode(
            events.t - start_us, events.x, events.y, events.p, duration
        )
        report = TrackingReport(
            n_in=len(events),
            n_out=t.size - n_track,
            n_outside=n_outside,
            n_dead=n_dead,
            start_us=start_us,
            n_mirrored=n_mirrored,
            n_track=n_track,
            scale=scale,
        )
        return Events(t, channel, self.n_channels, duration), report

    def track(self, events: SensorEvents, at: ArrayLike | None = None) -> Track:
        """Return what the encoder follows, on the clock of the recording.

        Parameters
        ----------
        events : SensorEvents
            Of a sensor of `height` × `width`. Not changed.
        at : array_like of int, shape (n,), default=None
            Times of the recording in µs, not decreasing. `None` means the times of the events.

        Returns
        -------
        Track
            What is known at each of these times, events of that very µs included.

        Raises
        ------
        ParameterError
            If `events` are not sensor events, or a time is negative or decreases.
        ShapeError
            If the sensor has another size.

        Examples
        --------
        >>> from hrsnn_rs import SensorEvents
        >>> events = SensorEvents([0, 1000], [2, 4], [1, 1], [0, 0], height=8, width=8)
        >>> TrackingEncoder(8, 8, smoothing="centred").track(events, at=[500]).x
        array([3.])
        """
        self._check(events)
        times = events.t if at is None else whole_numbers(at, "at")
        check_order(times, "at")
        start_us = beginning(self.start, events.t)
        x, y, velocity_x, velocity_y, spread, is_mirrored = self._tracker().track(
            events.t - start_us,
            events.x,
            events.y,
            events.p,
            events.duration - start_us,
            np.maximum(times - start_us, 0),
        )
        if self.smoothing == "causal":
            # What was asked for before the beginning was told of the first events.
            for known in (x, y, velocity_x, velocity_y, spread):
                known[times < start_us] = np.nan
        x += (self.width - 1) / 2
        y += (self.height - 1) / 2
        return Track(times, x, y, velocity_x, velocity_y, spread, is_mirrored)

    def _tracker(self) -> _hrsnn.Tracker:
        slow = self.spread_constant
        extent = min(self.height, self.width) if self.extent is None else self.extent
        return _hrsnn.Tracker(
            self.height,
            self.width,
            size=self.size,
            polarities=self.polarities,
            time_constant=self.time_constant * 1000.0,
            spread_constant=None if slow is None else slow * 1000.0,
            smoothing=self.smoothing,
            zoom=self.zoom,
            extent=float(extent),
            dead_us=microseconds(self.dead_time, "dead_time", low=0),
            mirror=self.mirror_from if self.mirror else "never",
            track_levels=self.track_levels,
        )

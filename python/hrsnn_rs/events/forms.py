"""What others use for events, taken as it is.

Lives here: the one function that recognises a form. Not here: how each is converted (`conversion`).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["as_events"]


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
        duration = check_integer("duration", duration, 1, unit="µs")
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

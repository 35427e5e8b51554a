"""From the tables of others to columns of times and channels.

Lives here: what each form means. Not here: whether times and channels are in range, which
`Events` checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import (
    field_names,
    kind_of,
    microseconds,
    plain_array,
    polarities_of,
    polarity_field,
    whole_numbers,
)
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

__all__ = ["of_frame", "of_raster", "of_sensor", "of_structured"]


def of_structured(
    array: NDArray[Any], sensor_size: tuple[int, int, int] | None, n_channels: int | None
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Give times, channels and the number of channels of a structured array."""
    names = field_names(array)
    polarity = polarity_field(names)
    if n_channels is not None:
        n_channels = check_integer("n_channels", n_channels, 1, 2**32 - 1)
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
        return array["t"], array["channel"], n_channels
    if "x" not in names:
        raise ParameterError(f"array must have a field 'x' or 'channel'; got fields {list(names)}.")
    if sensor_size is None:
        _refuse_second_dimension(array, names, polarity)
        return array["t"], array["x"], n_channels
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
    return array["t"], (p * height + y) * width + x, n_channels


def of_raster(
    raster: ArrayLike, dt: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Give times, channels, the number of channels and the duration of a raster."""
    step = microseconds(dt, "dt")
    array = plain_array(raster, "raster")
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(
            f"raster must have shape (n_steps, n_channels), none of them 0; got {array.shape}."
        )
    counts = whole_numbers(array, "raster", below=2**31, booleans=True, ndim=2).ravel()
    # Five columns of 8 bytes along the way.
    check_memory("raster", 40.0 * float(counts.sum(dtype=np.float64)))
    place = np.flatnonzero(counts)
    place = np.repeat(place, counts[place])
    row, column = np.divmod(place, array.shape[1])
    return row * step, column, array.shape[1], array.shape[0] * step


def of_frame(frame: pl.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give times and channels of a polars frame."""
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        raise ParameterError(f"frame must be a polars DataFrame; got {kind_of(frame)}.")
    for name in ("t", "channel"):
        if name not in frame.columns:
            raise ParameterError(f"frame must have a column {name!r}; got columns {frame.columns}.")
        nulls = frame[name].is_null()
        if nulls.any():
            raise ParameterError(
                f"{name} must have no missing values; got null at event {nulls.arg_max()}."
            )
    return frame["t"].to_numpy(), frame["channel"].to_numpy()


def of_sensor(events: SensorEvents) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Give times, channels, the number of channels and the duration of a camera's events."""
    if not isinstance(events, SensorEvents):
        raise ParameterError(f"events must be SensorEvents; got {kind_of(events)}.")
    p, y = events.p.astype(np.int64), events.y.astype(np.int64)
    channel = (p * events.height + y) * events.width + events.x
    return events.t, channel, 2 * events.height * events.width, events.duration


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
        check_integer("sensor_size[0]", width, 1, 2**16 - 1),
        check_integer("sensor_size[1]", height, 1, 2**16 - 1),
        check_integer("sensor_size[2]", polarities, 1, 2),
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

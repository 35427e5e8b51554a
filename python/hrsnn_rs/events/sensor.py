"""Sensor events: what an event camera sent, before any of it becomes a channel.

Lives here: the table and its conversion from structured arrays. Not here: encoders.
Invariant: a table that exists is sorted, whole, within the sensor and cannot be changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import (
    Frozen,
    check_same_length,
    checked_times,
    field_names,
    polarities_of,
    polarity_field,
    whole_numbers,
)
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class SensorEvents(Frozen):
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
        height = check_integer("height", height, 1, 2**16 - 1)
        width = check_integer("width", width, 1, 2**16 - 1)
        times, duration = checked_times(t, duration, x=x, y=y, p=p)
        columns = whole_numbers(x, "x", below=width)
        rows = whole_numbers(y, "y", below=height)
        polarities = polarities_of(p, "p")
        check_same_length(t=times, x=columns, y=rows, p=polarities)
        self._freeze(
            t=times,
            x=columns.astype(np.uint16),
            y=rows.astype(np.uint16),
            p=polarities.astype(np.uint8),
            height=height,
            width=width,
            duration=duration,
        )

    @classmethod
    def of_checked(
        cls,
        t: NDArray[np.int64],
        x: NDArray[np.uint16],
        y: NDArray[np.uint16],
        p: NDArray[np.uint8],
        height: int,
        width: int,
        duration: int,
    ) -> SensorEvents:
        """Take arrays over that a reader has made and checked: without a copy, unchecked.

        Parameters
        ----------
        t, x, y, p : ndarray, shape (n_events,)
            Arrays of the very types of the attributes, which nobody else holds; they become
            read-only.
        height, width, duration : int
            As in `SensorEvents`.

        Returns
        -------
        SensorEvents
            Of these arrays.
        """
        events = cls.__new__(cls)
        events._freeze(t=t, x=x, y=y, p=p, height=height, width=width, duration=duration)
        return events

    def __len__(self) -> int:
        return int(self.t.size)

    def __repr__(self) -> str:
        return (
            f"SensorEvents({counted(len(self), 'event')}, height={self.height}, "
            f"width={self.width}, duration={self.duration} µs)"
        )

    @classmethod
    def from_structured(
        cls, array: NDArray[Any], height: int, width: int, duration: int | None = None
    ) -> SensorEvents:
        """Convert a structured array, as tonic gives it, by the names of its fields.

        Parameters
        ----------
        array : structured ndarray, shape (n_events,)
            Fields in any order: `t` (µs), `x`, `y` (0 where it is missing and `height` is 1), and
            `p`, `polarity` or `on`.
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
        names = field_names(array)
        polarity = polarity_field(names)
        needed = ("x",) if height == 1 else ("x", "y")
        missing = [name for name in needed if name not in names]
        if polarity is None:
            missing.append("p")
        if polarity is None or missing:
            raise ParameterError(
                f"array must have the fields t, x, y and p; {missing} missing in {list(names)}."
            )
        p = polarities_of(array[polarity], polarity)
        y = array["y"] if "y" in names else np.zeros(len(array), np.uint16)
        return cls(array["t"], array["x"], y, p, height, width, duration)

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

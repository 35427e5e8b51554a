"""AEDAT 3.1: recordings of event cameras in jAER's and cAER's file format.

Lives here: a recording, or a part of it, as SensorEvents. Not here: the format, which the core
reads, and folders of recordings. Invariant: all events that the file promises, or an error with
the byte where it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["AedatSummary", "iterate_aedat", "read_aedat", "summarize_aedat"]

DVS128 = (128, 128)
"""Rows and columns of a DVS128."""


@dataclass(frozen=True)
class AedatSummary:
    """What an AEDAT 3.1 file holds.

    Parameters
    ----------
    n_packets : int
        Packets of all types.
    n_events : int
        Valid polarity events.
    n_invalid : int
        Polarity events that the camera's software has marked as invalid; they are left out.
    n_others : dict of int to int
        Events of other types (0 is special, 2 a frame, 3 an inertial sensor); passed over.
    first, last : int or None
        Times of the first and last polarity event in µs.

    Examples
    --------
    >>> AedatSummary(2, 900, 0, {0: 1}, 10, 2000).n_others
    {0: 1}
    """

    n_packets: int
    n_events: int
    n_invalid: int
    n_others: dict[int, int]
    first: int | None
    last: int | None


def read_aedat(
    path: str | os.PathLike[str],
    start: int | None = None,
    stop: int | None = None,
    *,
    sensor_size: tuple[int, int] = DVS128,
) -> SensorEvents:
    r"""Read polarity events of an AEDAT 3.1 file.

    Parameters
    ----------
    path : str or path-like
        The file.
    start : int, default=None
        First time in µs. `None` means 0.
    stop : int, default=None
        First time in µs that is left out. `None` means the end of the file.
    sensor_size : tuple of int, default=(128, 128)
        (height, width) of the sensor; an event outside is an error.

    Returns
    -------
    SensorEvents
        Times are those of the file, counted on where its 31 bits ran over; the duration is
        `stop`. Packets of other types are passed over: see `summarize_aedat`.

    Raises
    ------
    FormatError
        If a header, packet or event is not what the format says, or the file ends within a
        packet; the message has the byte.
    OSError
        If the file cannot be opened.
    ParameterError
        If `start` and `stop` leave no time, or the sensor has no size.

    Examples
    --------
    >>> import struct, tempfile
    >>> header = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    >>> packet = struct.pack("<hhiiiiii", 1, 0, 8, 4, 0, 1, 1, 1)
    >>> event = struct.pack("<Ii", 5 << 17 | 3 << 2 | 0b11, 70)
    >>> with tempfile.NamedTemporaryFile(suffix=".aedat") as file:
    ...     _ = file.write(header + packet + event)
    ...     file.flush()
    ...     read_aedat(file.name)
    SensorEvents(1 event, height=128, width=128, duration=71 µs)
    """
    reader, height, width = _opened(path, start, stop, sensor_size)
    t, x, y, p = reader.read()
    if stop is None and not t.size:
        raise FormatError(f"{path}: holds no polarity events: remove it.")
    duration = int(t[-1]) + 1 if stop is None else stop
    return SensorEvents.of_checked(t, x, y, p, height, width, duration)


def read_clip(
    path: str | os.PathLike[str],
    start: int,
    stop: int,
    *,
    sensor_size: tuple[int, int] = DVS128,
    allowed_gap: int | None = None,
) -> SensorEvents:
    """Read a part of a recording as a sample of its own, whose time begins at `start`.

    Parameters
    ----------
    path : str or path-like
        The file.
    start, stop : int
        Times of the file in µs; `stop` is left out.
    sensor_size : tuple of int, default=(128, 128)
        As in `read_aedat`.
    allowed_gap : int, default=None
        How many µs before `stop` the recording may end; `None` means any number.

    Returns
    -------
    SensorEvents
        Of duration `stop - start`.

    Raises
    ------
    FormatError
        As `read_aedat`, or if the recording ends more than `allowed_gap` before `stop`.
    """
    reader, height, width = _opened(path, start, stop, sensor_size)
    t, x, y, p = reader.read()
    if allowed_gap is not None and not reader.is_past_stop:
        *_, span = reader.summary()
        end = span[1] if span else 0
        if end < stop - allowed_gap:
            raise FormatError(
                f"{path}: the recording ends at {end} µs, before the end of the clip at {stop} µs; "
                "the file may be cut."
            )
    t -= start
    return SensorEvents.of_checked(t, x, y, p, height, width, stop - start)


def iterate_aedat(
    path: str | os.PathLike[str],
    max_events: int = 1_000_000,
    *,
    sensor_size: tuple[int, int] = DVS128,
) -> Iterator[SensorEvents]:
    """Read a recording piece by piece, in memory for one piece.

    Parameters
    ----------
    path : str or path-like
        The file.
    max_events : int, default=1_000_000
        Events of a piece, give or take a buffer of 8191.
    sensor_size : tuple of int, default=(128, 128)
        As in `read_aedat`.

    Yields
    ------
    SensorEvents
        Consecutive pieces; times are those of the file.

    Raises
    ------
    FormatError
        As `read_aedat`, when the wrong byte is reached.

    Examples
    --------
    >>> for piece in iterate_aedat("recording.aedat"):  # doctest: +SKIP
    ...     print(len(piece))
    """
    max_events = check_integer("max_events", max_events, 1)
    reader, height, width = _opened(path, None, None, sensor_size)
    while True:
        t, x, y, p = reader.read(max_events)
        if not t.size:
            return
        yield SensorEvents.of_checked(t, x, y, p, height, width, int(t[-1]) + 1)


def summarize_aedat(path: str | os.PathLike[str]) -> AedatSummary:
    """Say what an AEDAT 3.1 file holds, by its packets' headers alone.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    AedatSummary
        Numbers by type, and the first and last times.

    Raises
    ------
    FormatError
        If a header is wrong or the file ends within a packet. Events themselves are not looked at.

    Examples
    --------
    >>> summarize_aedat("user01_led.aedat").n_events  # doctest: +SKIP
    8193526
    """
    # The largest sensor: events are not looked at.
    n_packets, n_events, n_invalid, n_others, span = _hrsnn.AedatReader(
        check_path("path", path), 1, 1
    ).scan()
    first, last = span or (None, None)
    return AedatSummary(n_packets, n_events, n_invalid, n_others, first, last)


def _opened(
    path: str | os.PathLike[str],
    start: int | None,
    stop: int | None,
    sensor_size: tuple[int, int],
) -> tuple[_hrsnn.AedatReader, int, int]:
    if not isinstance(sensor_size, (tuple, list)) or len(sensor_size) != 2:
        raise ParameterError(f"sensor_size must be (height, width); got {sensor_size!r}.")
    height, width = (
        check_integer(f"sensor_size[{axis}]", size, 1, 2**15)
        for axis, size in enumerate(sensor_size)
    )
    start = 0 if start is None else check_integer("start", start, unit="µs")
    if stop is not None:
        stop = check_integer("stop", stop, start + 1, unit="µs")
    window = (start, 2**63 - 1 if stop is None else stop)
    return _hrsnn.AedatReader(check_path("path", path), height, width, window), height, width

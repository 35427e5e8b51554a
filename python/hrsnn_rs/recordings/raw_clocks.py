"""Raw clocks: the time of each event by the time words of EVT2, EVT3 and DAT files.

Lives here: what a clock of 24, 34 or 32 bits says when it runs over. Not here: pixels and
polarities, which the decoder finds. Invariant: a step of the clock that can be read in two ways is
an error that names the word, and no time is moved in silence.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.errors import DataWarning, FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Cameras send events of some µs in any order; what goes back further is another fault.
_SWAPPED = 1000
# How many pixels a word of 12 bits names.
_BITS_SET = np.array([number.bit_count() for number in range(2**12)])


class _Header(NamedTuple):
    length: int
    version: str
    t0: int


def event_times(path: Path) -> NDArray[np.int64] | None:
    """Return the time of each event of a raw file in µs, in the order of the file.

    A clock that falls by more than half its range has run over, however many of its steps are left
    out: a camera sends its high bits many times in that.

    Parameters
    ----------
    path : Path
        A file of EVT2, EVT3 (.raw) or DAT (.dat).

    Returns
    -------
    ndarray of int64, shape (n_events,) or None
        Not decreasing. `None` for formats whose clock does not run over.

    Raises
    ------
    FormatError
        If the clock steps by half its range or more, or back, or the file ends within a word.

    Warns
    -----
    DataWarning
        If events up to 1 ms apart are not in order: the later gets the time of the one before.
    """
    suffix = path.suffix.lower()
    if suffix not in (".raw", ".dat"):
        return None
    contents = path.read_bytes()
    header = _header(contents, "2" if suffix == ".dat" else "3")
    if suffix == ".dat":
        # The type of the events and their size, a byte each, stand before the first.
        words = _words(path, contents, header.length + 2, "<u8")
        times = _unwrapped(path, (words & 0xFFFFFFFF).astype(np.int64), 32, _SWAPPED, "event")
    elif header.version == "2":
        times = _times_of_evt2(path, _words(path, contents, header.length, "<u4"))
    else:
        times = _times_of_evt3(path, _words(path, contents, header.length, "<u2"))
    sorted_times = np.maximum.accumulate(times)
    moved = sorted_times - times
    if moved.any():
        event, n_moved = int(np.argmax(moved)), np.count_nonzero(moved)
        if moved[event] > _SWAPPED:
            raise FormatError(
                f"{path}: the clock goes back by {moved[event]} µs at event {event}; times cannot "
                "be told from there on."
            )
        warnings.warn(
            f"{path}: {n_moved} events are up to {moved[event]} µs before the one before them; "
            "they get its time.",
            DataWarning,
            stacklevel=4,
        )
    return sorted_times + header.t0


def _header(contents: bytes, version: str) -> _Header:
    """Read lines as the decoder does: the last one that says something counts."""
    place, t0 = 0, 0
    while contents[place : place + 1] == b"%":
        end = contents.find(b"\n", place) + 1 or len(contents)
        try:
            line = contents[place + 1 : end].decode()
        except UnicodeDecodeError:
            break
        place = end
        words = [word for word in re.split("[ ;]", line.strip()) if word]
        if len(words) > 1 and words[0] in ("Version", "format", "evt"):
            version = words[1].lower().removeprefix("evt").removesuffix(".0")
        elif len(words) > 1 and words[0] in ("T0", "t0") and words[1].isdecimal():
            t0 = int(words[1])
    return _Header(place, version, t0)


def _words(path: Path, contents: bytes, start: int, kind: str) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    rest = max(0, len(contents) - start) % size
    if rest:
        raise FormatError(
            f"{path}: byte {len(contents) - rest}: the file is cut: words have {size} bytes, "
            f"{rest} are left."
        )
    return np.frombuffer(contents, kind, offset=min(start, len(contents)))


def _unwrapped(
    path: Path, values: NDArray[np.int64], bits: int, back: int, what: str
) -> NDArray[np.int64]:
    """Count turns of a clock on; it may go back by `back` units."""
    turn = 2**bits
    steps = np.diff(values)
    wraps = np.where(steps < -turn // 2, 1, np.where(steps >= turn - back, -1, 0))
    true = steps + turn * wraps
    wrong = (true < -back) | (true >= turn // 2)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise FormatError(
            f"{path}: the clock goes from {values[place]} to {values[place + 1]} of {turn} at "
            f"{what} {place + 1}: whether it went back or ran over cannot be told."
        )
    values[1:] += turn * np.cumsum(wraps)
    return values


def _last_before(places: NDArray[np.intp], of: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each of `of` the number of the last place before it, -1 where there is none."""
    last: NDArray[np.intp] = np.searchsorted(places, of) - 1
    return last


def _times_of_evt2(path: Path, words: NDArray[Any]) -> NDArray[np.int64]:
    kinds = words >> 28
    high_at, event_at = np.flatnonzero(kinds == 8), np.flatnonzero(kinds < 2)
    high = _unwrapped(path, (words[high_at] & 0xFFFFFFF).astype(np.int64), 28, 0, "TIME_HIGH word")
    # Before the first word of high bits they count as 0.
    high = np.append(0, high)[_last_before(high_at, event_at) + 1]
    return (high << 6) + ((words[event_at] >> 22) & 63).astype(np.int64)


def _times_of_evt3(path: Path, words: NDArray[Any]) -> NDArray[np.int64]:
    kinds, values = words >> 12, words & 0xFFF
    high_at, low_at = np.flatnonzero(kinds == 8), np.flatnonzero(kinds == 6)
    high = _unwrapped(path, values[high_at].astype(np.int64), 12, 0, "TIME_HIGH word")
    n_events = _events_in(kinds, values)
    event_at = np.flatnonzero(n_events)
    # A word of low bits counts until the high bits change.
    changes = np.flatnonzero(np.diff(high, prepend=-1))
    change = np.concatenate([[-1], high_at[changes]])[_last_before(high_at[changes], event_at) + 1]
    low_place = _last_before(low_at, event_at)
    low = np.concatenate([[0], values[low_at].astype(np.int64)])[low_place + 1]
    low[np.concatenate([[-1], low_at])[low_place + 1] < change] = 0
    high = np.concatenate([[0], high])[_last_before(high_at, event_at) + 1]
    return np.repeat((high << 12) + low, n_events[event_at])


def _events_in(kinds: NDArray[Any], values: NDArray[Any]) -> NDArray[np.intp]:
    """Return how many events each word of EVT3 holds."""
    n_events: NDArray[np.intp] = (kinds == 2).astype(np.intp)
    for kind, mask in ((4, 0xFFF), (5, 0xFF)):
        vectors = np.flatnonzero(kinds == kind)
        n_events[vectors] = _BITS_SET[values[vectors] & mask]
    return n_events

"""Entries of the cache: the events of one sample as bytes that vouch for themselves.

Lives here: the form of an entry. Not here: where entries lie and when they are used. Invariant:
what comes back is bit by bit what was written, or nothing.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from hrsnn_rs.events.events import Events
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pack", "read_words", "unpack"]

# Kind and version of the file, length of the words, checksum of both and of all that follows.
_HEAD = struct.Struct("<8sII")
_MAGIC = b"HRSNNEV1"
_ALIGNED = 16
# So many numbers of 8 bytes are summed, and the sums are what goes into the checksum.
_ROW = 512
_COLUMNS: dict[type, dict[str, Any]] = {
    Events: {"t": np.int64, "channel": np.uint32},
    SensorEvents: {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8},
}
_KINDS: dict[str, type] = {kind.__name__: kind for kind in _COLUMNS}


def pack(key: str, events: Events | SensorEvents, words: dict[str, Any]) -> bytes:
    """Return events as the bytes of a file.

    Parameters
    ----------
    key : str
        What the file is found by; `unpack` wants the same.
    events : Events or SensorEvents
        The events.
    words : dict
        Words to keep at the head, as JSON can hold them.

    Returns
    -------
    bytes
        Head, words and columns, little-endian.

    Examples
    --------
    >>> unpack(pack("a", Events([1, 2], [0, 3], n_channels=4), {}), "a")
    Events(2 events, n_channels=4, duration=3 µs)
    """
    kind = type(events)
    numbers = {name: getattr(events, name) for name in kind.__slots__ if name not in _COLUMNS[kind]}
    columns, types = [], []
    for name in _COLUMNS[kind]:
        values = getattr(events, name)
        # Half the bytes for almost every sample.
        smaller = np.dtype(f"<u{max(1, values.itemsize // 2)}")
        if values.size and values.max() > np.iinfo(smaller).max:
            smaller = values.dtype.newbyteorder("<")
        types.append(smaller.str)
        columns.append(values.astype(smaller).tobytes())
    head = {"key": key, "kind": kind.__name__, "n": len(events), "types": types}
    text = json.dumps(words | head | {"numbers": numbers}).encode()
    text += b" " * (-(len(text) + _HEAD.size) % _ALIGNED)
    body = b"".join([text, *columns])
    return _HEAD.pack(_MAGIC, len(text), _checksum(len(text), body)) + body


def _checksum(n_words: int, body: bytes | memoryview) -> int:
    """Return the CRC of sums: any one changed number changes it, at the speed of reading."""
    n_rows = len(body) // (8 * _ROW)
    rows = np.frombuffer(body, "<u8", n_rows * _ROW).reshape(n_rows, _ROW)
    checksum = zlib.crc32(rows.sum(axis=1).tobytes(), n_words)
    return zlib.crc32(body[n_rows * 8 * _ROW :], checksum)


def read_words(file: BinaryIO) -> dict[str, Any]:
    """Return the words at the head of an open file, its columns unread and unchecked.

    Parameters
    ----------
    file : binary file
        At its beginning.

    Returns
    -------
    dict
        Words; none of them if it is no such file.
    """
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(_MAGIC):
        return {}
    return _words(file.read(_HEAD.unpack(head)[1])) or {}


def _words(text: bytes) -> dict[str, Any] | None:
    try:
        words = json.loads(text)
    except ValueError:
        return None
    return words if isinstance(words, dict) else None


def unpack(data: bytes | memoryview, key: str) -> Events | SensorEvents | None:
    """Return the events in a file's bytes.

    Parameters
    ----------
    data : bytes-like
        The file; copied from.
    key : str
        What it was packed with.

    Returns
    -------
    Events or SensorEvents or None
        The events; `None` if these are not the bytes that `pack` gave for this key.

    Examples
    --------
    >>> unpack(b"nonsense", "a") is None
    True
    """
    if len(data) < _HEAD.size:
        return None
    magic, n_words, checksum = _HEAD.unpack_from(data)
    if magic != _MAGIC or _checksum(n_words, memoryview(data)[_HEAD.size :]) != checksum:
        return None
    words = _words(bytes(data[_HEAD.size : _HEAD.size + n_words]))
    if words is None or words.get("key") != key or words.get("kind") not in _KINDS:
        return None
    kind, n, place = _KINDS[words["kind"]], words["n"], _HEAD.size + n_words
    columns: dict[str, NDArray[Any]] = {}
    for (name, dtype), stored_as in zip(_COLUMNS[kind].items(), words["types"], strict=True):
        stored = np.frombuffer(data, stored_as, n, place)
        columns[name] = stored.astype(dtype)
        place += stored.nbytes
    # They were checked when they were made, and the checksum says that they are the same.
    events: Any = object.__new__(kind)
    events._freeze(**columns, **words["numbers"])
    whole: Events | SensorEvents = events
    return whole

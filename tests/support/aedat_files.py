"""Writer of AEDAT 3.1, as the format is published, for tests."""

import itertools
import struct
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

HEADER = (
    b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n"
    b"#Start-Time: 2016-03-15 19:41:42 (TZ-0700)\r\n#!END-HEADER\r\n"
)


def packet(
    t: ArrayLike, x: ArrayLike, y: ArrayLike, p: ArrayLike, valid: int | None = None
) -> bytes:
    """One packet of polarity events; all times between two overflows."""
    times = np.asarray(t, np.int64)
    data = np.asarray(x, np.uint32) << 17 | np.asarray(y, np.uint32) << 2
    data |= np.asarray(p, np.uint32) << 1 | 1
    words = np.stack([data, (times & (2**31 - 1)).astype(np.uint32)], axis=1).astype("<u4")
    overflow, n = int(times[0] >> 31) if times.size else 0, times.size
    head = struct.pack("<hhiiiiii", 1, 0, 8, 4, overflow, n, n, n if valid is None else valid)
    return head + words.tobytes()


def write_aedat(
    path: Path, t: ArrayLike, x: ArrayLike, y: ArrayLike, p: ArrayLike, per_packet: int = 100
) -> None:
    """Write events in packets of equal numbers, cut where the 31 bits of time run over."""
    t, x, y, p = (np.asarray(column) for column in (t, x, y, p))
    cuts = {*range(0, t.size, per_packet), *(np.flatnonzero(np.diff(t >> 31)) + 1).tolist()}
    edges = [*sorted(cuts), t.size]
    parts = [packet(t[a:b], x[a:b], y[a:b], p[a:b]) for a, b in itertools.pairwise(edges)]
    path.write_bytes(HEADER + b"".join(parts))

"""Raw files of event cameras that tests write word by word: EVT2, EVT3 and DAT."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

SIZE = (100, 120)


def evt3_words(times: Iterable[int], *, shown: int = 2**12) -> list[int]:
    """Words of EVT3 for events at pixel (3, 4); high bits are sent where they change.

    A camera that is silent for long sends a word every `shown` steps of its high bits.
    """
    words: list[int] = []
    high = None
    for t in times:
        target = t >> 12
        while high != target:
            high = target if high is None else min(target, high + shown)
            words.append(8 << 12 | high % 2**12)
        words += [6 << 12 | t % 2**12, 4, 2 << 12 | 3]
    return words


def evt2_words(times: Iterable[int], *, shown: int = 2**28) -> list[int]:
    """Words of EVT2 for events at pixel (3, 4)."""
    words: list[int] = []
    high = None
    for t in times:
        target = t >> 6
        while high != target:
            high = target if high is None else min(target, high + shown)
            words.append(8 << 28 | high % 2**28)
        words.append((t % 64) << 22 | 3 << 11 | 4)
    return words


def dat_words(times: Iterable[int]) -> list[int]:
    """Words of DAT for events at pixel (3, 4)."""
    return [4 << 46 | 3 << 32 | t % 2**32 for t in times]


def write_raw(path: Path, words: Iterable[int], kind: str, t0: int | None = None) -> Path:
    """Write words behind the header of a kind: "evt2", "evt3" or "dat"."""
    height, width = SIZE
    head = {
        "evt2": f"% evt 2.0\n% format EVT2;width={width};height={height}\n",
        "evt3": f"% evt 3.0\n% format EVT3;width={width};height={height}\n",
        "dat": f"% Version 2\n% Width {width}\n% Height {height}\n",
    }[kind]
    if t0 is not None:
        head += f"% t0 {t0}\n"
    start = b"\x0c\x08" if kind == "dat" else b""
    size = {"evt2": "<u4", "evt3": "<u2", "dat": "<u8"}[kind]
    path.write_bytes(head.encode() + start + np.array(list(words), size).tobytes())
    return path

"""Files of N-MNIST that tests write."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike


def write_bin(path: Path, t: ArrayLike, x: ArrayLike, y: ArrayLike, p: ArrayLike) -> None:
    """Write a sample as N-MNIST has it: x, y, then polarity and 23 bits of time, big-endian."""
    t, p = np.asarray(t), np.asarray(p)
    columns = [x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]
    path.write_bytes(np.stack([np.asarray(c, np.uint8) for c in columns], axis=1).tobytes())

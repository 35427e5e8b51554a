"""Small clips to compare systems on: a blob that crosses a plane in one of three ways."""

from functools import partial

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.network.presets import default_network

SIDE = 8
DURATION = 300_000


def clip(label, group, repeat):
    """A blob that crosses the plane in one of three ways, here and there by person."""
    random = np.random.default_rng([label, group, repeat])
    n = 250 + 50 * (group % 2)
    t = np.sort(random.integers(0, DURATION, n))
    along = t / DURATION * SIDE
    across = random.normal(3.0 + group % 3, 1.0, n)
    x, y = ((along, across), (across, along), (along, along))[label]
    x, y = (np.clip(part, 0, SIDE - 1).astype(int) for part in (x, y))
    channel = (random.integers(0, 2, n) * SIDE + y) * SIDE + x
    return hr.Events(t, channel, n_channels=2 * SIDE * SIDE, duration=DURATION)


def blobs(**words):
    """Thirty clips of five persons, two of each class."""
    cells = [(label, group, repeat) for group in range(5) for label in range(3) for repeat in "ab"]
    return Clips(
        name="blobs",
        events=[clip(label, group, ord(repeat)) for label, group, repeat in cells],
        labels=np.array([label for label, _, _ in cells]),
        groups=np.array([f"person {group}" for _, group, _ in cells]),
        classes=("right", "down", "aslant"),
        **words,
    )


make_network = partial(default_network, 2 * SIDE * SIDE, sensor=(SIDE, SIDE), n_neurons=30)

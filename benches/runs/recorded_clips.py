"""Recorded clips as input planes of 32 x 32 pixels, for the measurements beside this file."""

from pathlib import Path

import numpy as np
from hrsnn_rs import LIF, Events
from hrsnn_rs.datasets import open_dataset
from hrsnn_rs.encoding import TrackingEncoder

SIZE = 32


def pooled(counts: np.ndarray, size: int = 4) -> np.ndarray:
    """Sum counts of windows and channels over `size` x `size` pixels."""
    cells = SIZE // size
    shape = (len(counts), 2, cells, size, cells, size)
    return counts.reshape(shape).sum((3, 5)).ravel()


def nmnist(data: Path) -> tuple:
    """1,000 digits before a moving event camera; eight folds in place of persons."""
    z = np.load(data / "nmnist" / "nmnist.npz")
    clips = []
    for first, end in zip(z["offsets"][:-1], z["offsets"][1:], strict=True):
        t, x, y, p = (z[name][first:end].astype(np.int64) for name in "txyp")
        x, y, t = x - 1, y - 1, t - t.min()
        inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
        channel = (((p > 0) * SIZE + y) * SIZE + x)[inside]
        clips.append(Events(t[inside], channel, 2 * SIZE * SIZE, int(t.max()) + 50_000))
    n = len(clips)
    return clips, z["label"][:n], np.arange(n) % 8, {"spikes": 1550.0}


def signs(data: Path) -> tuple:
    """600 signs by one arm, eight persons; clip n of a class is of person n // 5."""
    clips, labels, groups = [], [], []
    for folder in sorted((data / "sign_gestures" / "train").iterdir(), key=lambda p: int(p.name)):
        for path in sorted(folder.glob("*.npz"), key=lambda p: int(p.stem)):
            with np.load(path) as z:
                t, x, y, p = (z[name].astype(np.int64) for name in "txyp")
            frame = np.rint((t - t[0]) * 60 / 1e6).astype(np.int64)
            cells = np.unique((frame * 2 + (p > 0)) * SIZE * SIZE + y // 4 * SIZE + x // 4)
            frame, channel = np.divmod(cells, 2 * SIZE * SIZE)
            t = np.rint(frame * 1e6 / 60).astype(np.int64)
            clips.append(Events(t, channel, 2 * SIZE * SIZE, int(t[-1]) + 100_000))
            labels.append(int(folder.name))
            groups.append(int(path.stem) // 5)
    return clips, labels, groups, {"spikes": 3500.0}


def weizmann(data: Path, **tracking: object) -> tuple:
    """90 videos of ten actions by nine persons, before an event camera whose field follows them."""
    clips = open_dataset(data / "weizmann", subject=r"^([a-z]+)_")
    first, _ = clips[0]
    settings = {"smoothing": "centred", "mirror_from": "whole", "spread_constant": None}
    encoder = TrackingEncoder(first.height, first.width, mirror=True, **settings | tracking)
    settings = {"n_features": 16, "n_patches": 1400, "neuron": LIF(tau_m=60.0, t_ref=10.0)}
    return [encoder(clip) for clip, _ in clips], clips.labels, clips.groups, settings


def weizmann_causal(data: Path) -> tuple:
    """The same, tracked as a running camera can; the mirror waits for a third of the clip."""
    settings = {"smoothing": "causal", "mirror_from": "first_third", "spread_constant": 400.0}
    return weizmann(data, **settings, zoom=4.0)


LOADERS = {
    "nmnist": nmnist,
    "signs": signs,
    "weizmann": weizmann,
    "weizmann-causal": weizmann_causal,
}

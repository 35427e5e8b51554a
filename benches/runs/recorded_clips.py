"""Recorded clips as input planes of 32 x 32 pixels, for the measurements beside this file."""

from pathlib import Path

import numpy as np
from hrsnn_rs import LIF, Events
from hrsnn_rs.datasets import make_gestures, open_dataset
from hrsnn_rs.encoding import TrackingEncoder
from hrsnn_rs.learning import default_encoder

SIZE = 32
#: What `default_layer` takes for events of a camera.
CAMERA = {"field": 7, "neuron": LIF(tau_m=60.0, t_ref=10.0)}


def pooled(counts: np.ndarray, size: int = 4) -> np.ndarray:
    """Sum counts of windows and channels over `size` x `size` pixels."""
    cells = SIZE // size
    shape = (len(counts), 2, cells, size, cells, size)
    return counts.reshape(shape).sum((3, 5)).ravel()


def nmnist(data: Path) -> tuple:
    """1,000 digits before a moving event camera; eight folds in place of persons."""
    z = dict(np.load(data / "nmnist" / "nmnist.npz"))
    clips = []
    for first, end in zip(z["offsets"][:-1], z["offsets"][1:], strict=True):
        t, x, y, p = (z[name][first:end].astype(np.int64) for name in "txyp")
        x, y, t = x - 1, y - 1, t - t.min()
        inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
        channel = (((p > 0) * SIZE + y) * SIZE + x)[inside]
        clips.append(Events(t[inside], channel, 2 * SIZE * SIZE, int(t.max()) + 50_000))
    n = len(clips)
    return clips, z["label"][:n], np.arange(n) % 8, dict(CAMERA)


def signs(data: Path) -> tuple:
    """600 signs by one arm, eight persons; clip n of a class is of person n // 5. As they lie."""
    clips = open_dataset(data / "sign_gestures", clips_per_subject=5)
    first, _ = clips[0]
    encoder = default_encoder(first.height, first.width)
    return [encoder(clip) for clip, _ in clips], clips.labels, clips.subjects, dict(CAMERA)


def gestures(_: Path, n_subjects: int = 12, seed: int = 0) -> tuple:
    """264 made-up gestures by twelve persons, as the demo has them."""
    clips = make_gestures(n_subjects=n_subjects, n_repeats=2, seed=seed)
    first, _ = clips[0]
    encoder = default_encoder(first.height, first.width)
    return [encoder(clip) for clip, _ in clips], clips.labels, clips.subjects, dict(CAMERA)


def other_gestures(_: Path) -> tuple:
    """176 by eight other persons, to choose parameters on."""
    return gestures(_, n_subjects=8, seed=1)


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
    "gestures": gestures,
    "other-gestures": other_gestures,
    "weizmann": weizmann,
    "weizmann-causal": weizmann_causal,
}

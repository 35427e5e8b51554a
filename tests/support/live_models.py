"""Small classifiers that can work on a stream, and what they see."""

from functools import cache
from itertools import pairwise

import numpy as np
from hrsnn_rs import EventEncoder, FeatureLayer, HRSNNClassifier, SensorEvents, TrackingEncoder
from hrsnn_rs.network import default_network

SIDE = 16
DURATION = 200_000


def bar(is_upright: bool, seed: int, n: int = 500, duration: int = DURATION) -> SensorEvents:
    """A bar that flickers among noise; some events share a µs, and there are pauses."""
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, duration // 40, n) * 40)
    at = random.integers(0, SIDE, (2, n))
    at[int(is_upright), ::2] = 5 + t[::2] * 6 // duration
    return SensorEvents(t, at[1], at[0], random.integers(0, 2, n), SIDE, SIDE, duration)


def layer() -> FeatureLayer:
    return FeatureLayer((SIDE, SIDE), field=5, n_features=4, n_patches=60, spikes=300.0)


def network(n_inputs: int):
    return default_network(n_inputs, sensor=None, n_neurons=40, seed=3)


@cache
def classifier(kind: str) -> HRSNNClassifier:
    """Fitted, of one of `KINDS`; must not be changed."""
    fixed = EventEncoder(SIDE, SIDE, (SIDE, SIDE), dead_time=3.0)
    tracked = TrackingEncoder(
        SIDE, SIDE, size=SIDE, extent=12, zoom=None, dead_time=2.0, time_constant=40.0, mirror=True
    )
    recurrent = {"epochs": 0, "rate": 20.0}
    above = {**recurrent, "feature_layer": layer(), "network": network(layer().n_map_channels)}
    settings = {
        "features": {"encoder": fixed, "feature_layer": layer()},
        "tracked": {"encoder": tracked, "feature_layer": layer(), "windows": "time"},
        "recurrent": {
            **recurrent,
            "encoder": fixed,
            "network": network(2 * SIDE**2),
            "layers": "recurrent",
            "features": "both",
        },
        "stacked": {**above, "encoder": tracked, "layers": "stacked"},
        "both": {**above, "encoder": fixed},
    }[kind]
    samples = [bar(bool(k % 2), k) for k in range(8)]
    made = HRSNNClassifier(**settings, n_windows=3, n_threads=1, seed=1)
    return made.fit(samples, ["flat", "upright"] * 4)


KINDS = ("features", "tracked", "recurrent", "stacked", "both")


def cut(clip: SensorEvents, places: list[int]) -> list[tuple]:
    """A clip in chunks that begin at some of its events, wherever these are."""
    ends = [0, *sorted(places), len(clip)]
    columns = (clip.t, clip.x, clip.y, clip.p)
    return [tuple(column[start:end] for column in columns) for start, end in pairwise(ends)]


def bits(score) -> tuple:
    """All of a score that must not depend on how a stream was cut."""
    return (
        score.t, score.label, score.decision.tobytes(), score.probability.tobytes(),
        score.n_events, score.n_spikes,
    )  # fmt: skip

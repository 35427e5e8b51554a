"""Made-up gestures, their events, and a network and a classifier of them; each is made once."""

import functools

from hrsnn_rs.datasets import GestureSet, make_gestures
from hrsnn_rs.events import Events
from hrsnn_rs.learning import Clips, HRSNNClassifier
from hrsnn_rs.network import Network, default_network

N_NEURONS = 60


@functools.cache
def gestures() -> GestureSet:
    return make_gestures(3, 1, duration=400_000)


@functools.cache
def events() -> list[Events]:
    return list(Clips.of_dataset(gestures()).events)


@functools.cache
def network() -> Network:
    made = default_network(n_neurons=N_NEURONS)
    made.calibrate(events(), rate=3.0)
    return made


def classifier() -> HRSNNClassifier:
    return HRSNNClassifier(network=network(), n_windows=2, n_threads=1)


@functools.cache
def fitted() -> HRSNNClassifier:
    return classifier().fit(gestures())

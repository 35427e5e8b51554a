"""The best constant: what it is chosen by, and what it is not."""

import numpy as np
import pytest
from blobs import blobs, make_network
from hrsnn_rs.errors import CalibrationError
from hrsnn_rs.learning import Readout, best_homogeneous_features, homogeneous
from hrsnn_rs.learning.homogeneous import CONSTANTS, left_out_accuracy

WORDS = {"epochs": 0, "rate": 3.0, "spikes": None, "n_calibration": 8, "n_windows": 2,
         "windows": "events", "memory": False, "n_threads": 1}  # fmt: skip


@pytest.fixture(scope="module")
def clips():
    return blobs()


def chosen(clips, monkeypatch, scores, missed=()):
    """The constant that is taken where these are the scores of the sweep."""
    prepare, now = homogeneous.prepare, []

    def prepared(network, *arguments, **words):
        tau_m = float(network.neuron_parameters["tau_m"][0])
        now.append(tau_m)
        if tau_m in missed:
            raise CalibrationError("out of reach")
        return prepare(network, *arguments, **words)

    monkeypatch.setattr(homogeneous, "prepare", prepared)
    monkeypatch.setattr(homogeneous, "left_out_accuracy", lambda *_: scores[now[-1]])
    training = clips.groups != "person 0"
    features = best_homogeneous_features(
        make_network(seed=1), "HoNHoS", clips, training, Readout(), **WORDS
    )
    assert now == [law.value for law in CONSTANTS]
    assert (features.network.neuron_parameters["tau_m"] == features.tau_m).all()
    np.testing.assert_array_equal(
        features.counts, features.network.transform(clips.events, 2, windows="events")
    )
    return features.tau_m


def test_the_constant_with_the_best_score_is_taken_and_of_equals_the_smallest(clips, monkeypatch):
    scores = dict.fromkeys((law.value for law in CONSTANTS), 0.5)
    assert chosen(clips, monkeypatch, scores | {160.0: 0.7}) == 160.0
    assert chosen(clips, monkeypatch, scores | {160.0: 0.7, 40.0: 0.7}) == 40.0
    assert chosen(clips, monkeypatch, scores | {160.0: 0.7}, missed=[160.0]) == 5.0


def test_if_no_constant_reaches_the_rate_it_is_said(clips, monkeypatch):
    everyone = [law.value for law in CONSTANTS]
    with pytest.raises(CalibrationError, match="out of reach"):
        chosen(clips, monkeypatch, {}, missed=everyone)


def test_the_score_is_of_groups_that_the_readout_has_not_seen():
    # The first feature tells the group, the second the class, and where the group is known also
    # which of its clips is which: only the second helps with another group.
    random = np.random.default_rng(0)
    groups, labels = np.repeat(np.arange(6), 8), np.tile([0, 1], 24)
    own = np.zeros((48, 6))
    own[np.arange(48), groups] = 1 + (labels ^ random.integers(0, 2, 6)[groups])
    assert left_out_accuracy(own[:, None], labels, groups, Readout()) < 0.7
    told = np.stack([labels, 1 - labels], axis=1)[:, None]
    assert left_out_accuracy(told, labels, groups, Readout()) == 1.0
    # One group: clips are left out.
    assert left_out_accuracy(told, labels, np.zeros(48), Readout()) == 1.0


def test_without_anything_to_leave_out_nothing_is_right():
    one = np.ones((1, 1, 1))
    assert left_out_accuracy(one, np.array([0]), np.array([0]), Readout()) == 0.0
    # Each fold that is left out takes its class along.
    two = np.array([0.0, 0.0, 9.0, 9.0]).reshape(4, 1, 1)
    assert left_out_accuracy(two, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), Readout()) == 0.0

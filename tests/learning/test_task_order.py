from collections import Counter

import numpy as np
import pytest
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events import Events
from hrsnn_rs.learning import Clips, measure_order, task_order
from hrsnn_rs.learning.task_order import ORDER_SYSTEMS, clip_pairs, in_turn


@pytest.fixture(scope="module")
def clips():
    return Clips.of_dataset(make_gestures(5, 1, size=32, duration=300_000))


def test_each_pair_comes_in_both_orders_within_its_group():
    labels, groups = np.array([0, 1, 2, 1, 0, 1, 0, 3]), np.array([0, 0, 0, 0, 0, 7, 7, 7])
    pairs, names, of = clip_pairs(labels, groups, 3)
    assert (groups[pairs] == of[:, None]).all()
    shown = Counter(zip(of.tolist(), *labels[pairs].T.tolist(), names.tolist(), strict=True))
    # Group 0 has two clips of classes 0 and 1, and one of 2; group 7 one each of 0 and 1.
    assert shown == {
        (0, 0, 1, 0): 2, (0, 1, 0, 1): 2, (0, 0, 2, 2): 1, (0, 2, 0, 3): 1, (0, 1, 2, 4): 1,
        (0, 2, 1, 5): 1, (7, 0, 1, 0): 1, (7, 1, 0, 1): 1,
    }  # fmt: skip


def test_the_pause_is_between_and_counts_are_those_of_both():
    first = Events([5], [0], n_channels=2, duration=10)
    second = Events([3], [1], n_channels=2, duration=20)
    both = in_turn(first, second, 100)
    assert (both.t.tolist(), both.channel.tolist(), both.duration) == ([5, 113], [0, 1], 130)
    assert in_turn(first, second, 0).t.tolist() == [5, 13]


def test_counts_of_the_whole_tell_nothing_and_counts_of_halves_all(clips, monkeypatch):
    few = ("80 ms", "counts, 1 window", "counts, 4 windows", "no recurrence, 80 ms")
    systems = {name: ORDER_SYSTEMS[name] for name in few}
    monkeypatch.setattr(task_order, "ORDER_SYSTEMS", systems)
    rows = measure_order(clips, [0], n_classes=2, n_neurons=20, n_threads=1)
    assert rows["n_samples"].unique().to_list() == [10]
    scores = rows.pivot("condition", index="system", values="score")
    by_name = {row[0]: row[1:] for row in scores.iter_rows()}
    assert by_name["counts, 1 window"] == (0.5, 0.5)
    assert by_name["counts, 4 windows"] == (1.0, 1.0)
    gains = {name: rows.filter(system=name)["gain"].to_list() for name in few}
    assert gains["80 ms"] != gains["no recurrence, 80 ms"]


def test_features_have_windows_too(clips, monkeypatch):
    systems = {name: ORDER_SYSTEMS[name] for name in ("features, 1 window", "features, 4 windows")}
    monkeypatch.setattr(task_order, "ORDER_SYSTEMS", systems)
    monkeypatch.setattr(task_order, "PAUSES", {"no pause": 0})
    layer_for = task_order.layer_for
    small = {"n_features": 4, "n_patches": 40, "spikes": 60.0}
    monkeypatch.setattr(
        task_order, "layer_for", lambda *words: layer_for(*words).set_params(**small)
    )
    rows = measure_order(clips, [0], n_classes=2, n_neurons=20, n_threads=1)
    assert rows["score"][1] > rows["score"][0]


@pytest.mark.parametrize(
    ("n_classes", "message"), [(1, "n_classes must be"), (12, "n_classes must be")]
)
def test_bad_numbers_of_classes(clips, n_classes, message):
    with pytest.raises(ParameterError, match=message):
        measure_order(clips, [0], n_classes=n_classes)


def test_groups_without_a_pair_are_refused():
    with pytest.raises(ParameterError, match="two of the first 2 classes"):
        clip_pairs(np.array([0, 1, 2]), np.array([0, 1, 2]), 2)

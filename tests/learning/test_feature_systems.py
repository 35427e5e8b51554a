"""Feature layers as systems of an experiment, and networks on top of them."""

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import (
    FEATURE_SYSTEMS,
    ROW_SCHEMA,
    Clips,
    Readout,
    compare,
    comparisons,
    feature_features,
    verdict,
)
from hrsnn_rs.report import format_comparisons


@pytest.fixture(scope="module")
def clips():
    return Clips.of_dataset(make_gestures(n_subjects=3, n_repeats=1, duration=300_000))


def features(clips, system, **settings):
    words = {"n_windows": 2, "windows": "events", "memory": False, "n_threads": 1}
    training = clips.groups != 0
    return feature_features(system, 0, clips, training, readout=Readout(), **words | settings)


def test_systems_differ_in_their_fields_alone(clips):
    made = {system: features(clips, system) for system in FEATURE_SYSTEMS}
    for system, one in made.items():
        assert one.readout.scaling == "common"
        if system == "pooled counts":
            assert (one.n_neurons, one.spikes_per_sample) == (0, 0.0)
            continue
        assert one.counts.shape == (33, 2, 8 * 8 * 32)
        assert one.spikes_per_sample == pytest.approx(made["features"].spikes_per_sample, rel=0.25)
    tables = [one.counts for system, one in made.items() if system != "pooled counts"]
    for first in range(len(tables)):
        for second in range(first):
            assert not np.array_equal(tables[first], tables[second])


def test_pooled_counts_are_sums_of_events(clips):
    counts = features(clips, "pooled counts").counts
    assert counts.shape == (33, 2, 2 * 8 * 8)
    np.testing.assert_array_equal(counts.sum((1, 2)), [len(one) for one in clips.events])
    one = clips.events[0]
    p, y, x = np.unravel_index(one.channel, (2, 32, 32))
    wanted = np.bincount((p * 8 + y // 4) * 8 + x // 4, minlength=128)
    np.testing.assert_array_equal(counts[0].sum(0), wanted)


def test_memory_has_nothing_to_go_by_in_pooled_counts(clips):
    one = features(clips, "pooled counts", memory=True)
    np.testing.assert_array_equal(one.reversed_counts[:, 0], one.counts.sum(1))


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
def test_a_comparison_holds_them_side_by_side(clips, tmp_path):
    words = {
        "seeds": [0],
        "variants": ["HeNHeS"],
        "controls": ["untrained"],
        "features": ["features", "pooled counts"],
        "memory": False,
        "n_neurons": 30,
        "folds": "one",
    }
    rows = compare(clips, **words, output=tmp_path / "rows.parquet")
    assert rows["system"].to_list() == ["untrained", "HeNHeS", "features", "pooled counts"]
    assert rows["variant"].to_list() == ["HeNHeS", "HeNHeS", None, None]
    stacked = compare(clips, **words | {"layers": "stacked", "features": []})
    assert stacked["n_neurons"].to_list() == [30, 30]
    assert stacked["gain"][1] != rows["gain"][1]
    with pytest.raises(ParameterError, match="layers"):
        compare(clips, **words | {"layers": "stacked"}, output=tmp_path / "rows.parquet")


def test_features_and_the_network_are_judged_each_against_its_own():
    said = {"clip": 7, "person": "ann", "label": "wave", "predicted": "wave"}
    names = ["event counts", "untrained", "HeNHeS", "features", "drawn features"]
    rows = pl.DataFrame(
        [{"system": name, "seed": 0, "predictions": [said]} for name in names], schema=ROW_SCHEMA
    )
    pairs = comparisons(rows).select("system", "other").rows()
    assert pairs == [
        ("features", "event counts"),
        ("features", "HeNHeS"),
        ("features", "drawn features"),
        ("HeNHeS", "event counts"),
        ("HeNHeS", "untrained"),
    ]
    lines = format_comparisons(rows)
    assert lines[0][0] == "first minus second"
    assert lines[1][0] == "accuracy, features - event counts"
    assert verdict(rows).startswith("No verdict: 1 seed")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"features": ["deep"]}, r"^features\[0\] must be one of"),
        ({"features": ["features", "features"]}, "^features must be different"),
        ({"layers": "deep"}, "^layers must be one of"),
        ({"layers": "stacked"}, "^memory must be False where layers"),
    ],
)
def test_what_cannot_be_compared(clips, wrong, message):
    with pytest.raises(ParameterError, match=message):
        compare(clips, [0], [], ["event counts"], **wrong)


def test_clips_without_places_have_no_features(clips):
    bare = Clips("bare", clips.events, clips.labels, clips.groups, clips.classes)
    with pytest.raises(ParameterError, match=r"^features must be left out where"):
        compare(bare, [0], [], [], features=["features"])

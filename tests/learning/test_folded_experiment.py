"""Comparisons over folds: what is tested, what may be known, and going on where one was stopped."""

from dataclasses import replace

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
from blobs import SIDE, blobs, make_network
from hrsnn_rs.datasets import folds_for
from hrsnn_rs.errors import (
    CalibrationError,
    CalibrationWarning,
    DataWarning,
    FormatError,
    ParameterError,
)
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning import Readout, comparisons, predictions
from hrsnn_rs.learning.experiment import compare
from hrsnn_rs.learning.fold_work import FoldWork
from hrsnn_rs.learning.homogeneous import CONSTANTS
from hrsnn_rs.learning.systems import count_features, network_features
from hrsnn_rs.network import default_network

NAMES = {"variants": ["HoNHoS", "HeNHeS"], "controls": ["event counts"]}
SMALL = NAMES | {"make_network": make_network, "n_windows": 2, "n_threads": 1}
PARTS = np.array(["train", "", "test", "val", "train"]).repeat(6)


def told(rows):
    return rows.drop("seconds", "commit")


@pytest.fixture(scope="module")
def clips():
    return blobs()


@pytest.fixture(scope="module")
def rows(clips):
    return compare(clips, [0, 3], **SMALL)


def test_one_row_holds_every_clip_of_every_fold(clips, rows):
    assert rows.select("system", "seed").rows() == [
        (system, seed) for seed in (0, 3) for system in ("event counts", "HoNHoS", "HeNHeS")
    ]
    for name, value in (("n_folds", 5), ("n_training", 24), ("n_validation", 30), ("n_persons", 5)):
        assert rows[name].to_list() == [value] * 6
    assert rows["split"].unique().to_list() == ["each of 5 groups left out in turn"]
    said = predictions(rows)
    for _, one in said.group_by("system", "seed"):
        assert one["clip"].to_list() == list(range(30))
        assert one["person"].to_list() == clips.groups.tolist()
        assert one["label"].to_list() == [clips.classes[k] for k in clips.labels]
    means = said.group_by("system", "seed", maintain_order=True).agg(pl.mean("accuracy", "memory"))
    for name in ("accuracy", "memory"):
        np.testing.assert_allclose(means[name], rows[name], rtol=1e-12)
    assert comparisons(rows)["n_persons"].to_list() == [5] * 4


def test_a_row_is_what_its_folds_are_by_themselves(clips, rows):
    row = rows.filter(system="HeNHeS", seed=3).row(0, named=True)
    said, spikes, gains, updates = {}, 0.0, [], 0
    for training in folds_for(clips.groups, 3, "groups").training:
        features = network_features(
            make_network(seed=3), clips, training, epochs=1, rate=3.0, n_calibration=64,
            n_windows=2, windows="events", memory=False, n_threads=1,
        )  # fmt: skip
        readout = Readout().fit(
            features.counts[training], clips.labels[training], groups=clips.groups[training]
        )
        for place in np.flatnonzero(~training):
            said[place] = clips.classes[readout.predict(features.counts[[place]])[0]]
        spikes += np.asarray(features.counts[~training]).sum()
        gains.append(features.gain)
        updates += features.weight_updates
    assert [one["predicted"] for one in row["predictions"]] == [said[place] for place in range(30)]
    # All spikes of a clip are in one of its windows; sums of whole numbers are exact.
    assert row["spikes_per_sample"] == pytest.approx(spikes / 30, rel=1e-12)
    assert row["rate"] == pytest.approx(1e6 * spikes / (30 * 30 * 300_000), rel=1e-12)
    assert row["gain"] == pytest.approx(np.mean(gains), rel=1e-12)
    assert row["weight_updates"] == updates


def test_fewer_folds_hold_every_clip_too(clips):
    rows = compare(clips, [0, 1], [], ["event counts"], folds=2, memory=False)
    assert rows["n_folds"].to_list() == [2, 2]
    assert rows["n_validation"].to_list() == [30, 30]
    assert rows["split"][0] == "5 groups left out in 2 folds"


def test_the_official_part_is_tested_once_and_clips_of_none_are_left_out(clips):
    rows = compare(replace(clips, parts=PARTS), [0], folds="official", **SMALL)
    assert rows["n_folds"].to_list() == [1] * 3
    assert rows["n_training"].to_list() == [18] * 3
    assert rows["split"].unique().to_list() == ["official split: test, trained on train, val"]
    said = predictions(rows)
    # Places in the data set, not among the clips that are left.
    assert said.filter(system="HeNHeS")["clip"].to_list() == list(range(12, 18))
    assert said["person"].unique().to_list() == ["person 2"]


def test_without_subjects_the_official_split_is_taken_and_a_warning_given(clips):
    unknown = replace(clips, parts=PARTS, subjects_known=False)
    with pytest.warns(DataWarning, match="not recorded who is in a clip"):
        rows = compare(unknown, [0], [], ["event counts"], memory=False)
    assert rows["split"][0].startswith("official split")


@pytest.mark.parametrize("homogeneous", ["mean", "best"])
def test_who_cannot_reach_the_rate_is_named(clips, homogeneous):
    words = SMALL | {"variants": ["HoNHoS"], "homogeneous": homogeneous, "rate": 1e5}
    with pytest.raises(
        CalibrationError, match=r"^HoNHoS, seed 3, fold 0: a rate of 100000 Hz is out "
    ):
        compare(clips, [3], **words)


def test_a_function_that_makes_no_network_is_named(clips):
    words = SMALL | {"make_network": lambda seed: "a network"}
    with pytest.raises(
        ParameterError, match=r"^make_network\(seed=0\) must be of type Network; got"
    ):
        compare(clips, [3], **words)


def test_thresholds_adapt_without_recurrence_too(clips):
    def adaptive(seed):
        return hr.Network(
            2 * SIDE * SIDE, 30, recurrent=hr.RandomConnectivity(p=0.2), plasticity=hr.STDP(),
            adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.5), seed=seed,
        )  # fmt: skip

    settings = {
        "epochs": 1, "rate": 3.0, "spikes": None, "n_calibration": 64, "n_windows": 2,
        "recalibrate": True, "windows": "events", "memory": False, "homogeneous": "mean",
        "readout": Readout(),
    }  # fmt: skip
    places = np.arange(len(clips.labels))
    training = clips.groups != "person 0"
    for make, systems in (
        (adaptive, {"HeNHeS": True, "untrained": False, "no recurrence": True}),
        (make_network, {"HeNHeS": False, "no recurrence": False}),
    ):
        work = FoldWork(clips, make, 30, settings, is_stacked=False, places=places, n_threads=1)
        for system, adapts in systems.items():
            network = work._features(system, 0, 0, training).network
            assert bool(network.theta.any()) is adapts, system


def test_clips_that_are_tested_reach_nothing_that_is_fitted_or_chosen(clips):
    tested = PARTS == "test"
    other = replace(
        clips,
        events=[
            one.reversed() if out else one for one, out in zip(clips.events, tested, strict=True)
        ],
        labels=np.where(tested, 2 - clips.labels, clips.labels),
    )
    fitted = ["gain", "weight_updates", "alpha", "tau_m", "n_training"]
    one, two = (
        compare(replace(these, parts=PARTS), [0], folds="official", homogeneous="best", **SMALL)
        for these in (clips, other)
    )
    assert one.select(fitted).equals(two.select(fitted))
    assert one["tau_m"].null_count() == 2
    assert not one["accuracy"].equals(two["accuracy"])


def learned_gain(network, seen, **target):
    """Gain after a network was calibrated, has learned, and was calibrated again."""
    network.calibrate(seen, **target)
    network.train(seen)
    network.calibrate(seen, **target)
    return network.input_gain


def test_the_best_constant_is_that_of_its_fold_and_changes_no_other_system(clips, rows):
    best = compare(clips, [3], homogeneous="best", folds=2, **SMALL)
    mean = compare(clips, [3], folds=2, **SMALL)
    measured = ["system", "accuracy", "memory", "gain", "spikes_per_sample", "tau_m"]
    others = pl.col("system") != "HoNHoS"
    assert best.filter(others).select(measured).equals(mean.filter(others).select(measured))
    assert best["homogeneous"].unique().to_list() == ["best"]
    row = best.row(by_predicate=pl.col("system") == "HoNHoS", named=True)
    assert len(row["tau_m"]) == 2
    assert set(row["tau_m"]) <= {law.value for law in CONSTANTS}
    gains = []
    for training, tau_m in zip(folds_for(clips.groups, 3, 2).training, row["tau_m"], strict=True):
        seen = [clips.events[place] for place in np.flatnonzero(training)]
        network = make_network(seed=3).variant("HoNHoS", tau_m=tau_m)
        gains.append(learned_gain(network, seen, rate=3.0, n_samples=64))
    assert row["gain"] == pytest.approx(np.mean(gains), rel=1e-12)


def test_networks_can_be_calibrated_to_spikes(clips):
    rows = compare(clips, [0], ["HeNHeS"], ["untrained"], folds=2, spikes=50.0, memory=False,
                   make_network=make_network)  # fmt: skip
    gains = []
    for training in folds_for(clips.groups, 0, 2).training:
        seen = [clips.events[place] for place in np.flatnonzero(training)]
        untrained = make_network(seed=0).calibrate(seen, spikes=50.0).gain
        gains.append((untrained, learned_gain(make_network(seed=0), seen, spikes=50.0)))
    assert rows["gain"].to_list() == pytest.approx(np.mean(gains, axis=0).tolist(), rel=1e-12)
    # Other persons make other clips; 3 Hz would be 27 spikes.
    assert 40 < rows.filter(system="untrained")["spikes_per_sample"][0] < 60


def test_relays_are_told_of_once_a_row(clips):
    """Neurons with a single input each relay it."""

    def relays(seed):
        rule = hr.FixedInDegreeConnectivity(k=1, weight=hr.Gamma(1.0, 3.0))
        return hr.Network(128, 30, inputs=rule, neuron=hr.LIF(tau_m=20.0), seed=seed)

    words = {"folds": 2, "memory": False, "make_network": relays, "rate": 2.0}
    with pytest.warns(CalibrationWarning) as said:
        rows = compare(clips, [0, 1], [], ["event counts", "untrained"], **words)
    shares = rows.filter(system="untrained")["suprathreshold"].to_list()
    assert all(share > 0.001 for share in shares)
    assert [str(one.message).split(":")[0] for one in said] == [
        f"untrained, seed {seed}" for seed in (0, 1)
    ]
    assert rows.filter(system="event counts")["suprathreshold"].null_count() == 2


def test_a_system_may_bring_a_readout_of_its_own(clips, monkeypatch):
    asked = []

    class Asked(Readout):
        def fit(self, *arguments, **words):
            asked.append(len(arguments[1]))
            return super().fit(*arguments, **words)

    def features(work, system, seed, fold, training):
        counts = count_features(work.clips, n_windows=1, windows="events", memory=False)
        return replace(counts, readout=Asked(scaling="common"))

    monkeypatch.setattr(FoldWork, "_features", features)
    compare(clips, [0], [], ["event counts"], folds=2, memory=False)
    assert sorted(asked) == [12, 18]


def test_a_gesture_that_nobody_trains_on_is_wrong_and_its_direction_a_guess(clips):
    labels = np.where(clips.groups == "person 4", 2, clips.labels % 2)
    rows = compare(replace(clips, labels=labels), [0], **SMALL)
    alone = predictions(rows).filter(person="person 4")
    assert alone["accuracy"].unique().to_list() == [0.0]
    assert alone["memory"].unique().to_list() == [0.5]


# Going on


@pytest.mark.parametrize("n_done", [0, 7, 29])
def test_a_stopped_run_ends_with_the_same_rows(clips, rows, tmp_path, n_done):
    path = tmp_path / "rows.parquet"

    def stop(done, _, label):
        if done == n_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(clips, [0, 3], output=path, progress=stop, **SMALL)
    assert path.exists() == (n_done >= 5)
    n_kept = n_done // 5
    heard = []
    again = compare(
        clips, [0, 3], output=path, progress=lambda *words: heard.append(words), **SMALL
    )
    assert told(again).equals(told(rows))
    assert told(pl.read_parquet(path)).equals(told(rows))
    assert len(heard) == 31 - 5 * n_kept
    assert heard[0][:2] == (5 * n_kept, 30)


def test_other_seeds_and_systems_join(clips, rows, tmp_path):
    path = tmp_path / "rows.parquet"
    words = SMALL | {"output": path}
    compare(clips, [3], **words | {"variants": []})
    compare(clips, [0], **words | {"variants": ["HeNHeS"], "controls": []})
    assert pl.read_parquet(path).select("system", "seed").rows() == [
        ("event counts", 3), ("HeNHeS", 0)
    ]  # fmt: skip
    assert told(compare(clips, [0, 3], **words)).equals(told(rows))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rate": 2.0}, "rows of rate 2.0 to go on from; got 3.0 in row 0"),
        ({"spikes": 9.0}, "rows of (rate None|spikes 9.0) to go on from"),
        ({"folds": "one"}, "rows of folds 'one' to go on from; got 'groups'"),
        ({"epochs": 2}, "rows of epochs 2 to go on from; got 1"),
        ({"n_windows": 3}, "rows of n_windows 3 to go on from; got 2"),
        ({"memory": False}, "rows of memory False to go on from; got True"),
        ({"homogeneous": "best"}, "rows of homogeneous 'best' to go on from; got 'mean'"),
        ({"readout": Readout(scaling="common")}, "rows of readout .*common"),
        (
            {"make_network": lambda seed: default_network(128, sensor=(SIDE, SIDE), n_neurons=31)},
            "rows of network '[0-9a-f]+' to go on from",
        ),
        ({"make_network": None, "variants": []}, "rows of n_neurons 1000 to go on from; got None"),
    ],
)
def test_rows_of_other_settings_are_refused_before_any_work(clips, tmp_path, changed, says):
    path = tmp_path / "rows.parquet"
    compare(clips, [0], output=path, **SMALL | {"variants": []})
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=says):
        compare(
            clips, [1], output=path, progress=lambda *_: pytest.fail("begun"), **SMALL | changed
        )
    assert path.read_bytes() == before


def test_rows_of_other_clips_are_refused(clips, tmp_path):
    path = tmp_path / "rows.parquet"
    words = {"output": path} | SMALL | {"variants": []}
    compare(clips, [0], **words)
    events = [*clips.events[:-1], clips.events[-1].reversed()]
    for other, says in (
        (replace(clips, name="others"), "rows of dataset 'others' to go on from; got 'blobs'"),
        (replace(clips, kind="KTH"), "rows of kind 'KTH' to go on from; got None"),
        (replace(clips, events=events), "rows of clips '[0-9a-f]{32}' to go on from"),
        (replace(clips, labels=clips.labels[::-1].copy()), "rows of clips"),
        (replace(clips, parts=PARTS), "rows of clips"),
    ):
        with pytest.raises(ParameterError, match=says):
            compare(other, [0], **words)
    path.write_bytes(b"kept")
    with pytest.raises(FormatError, match="must be a Parquet file of rows"):
        compare(clips, [0], **words)
    assert path.read_bytes() == b"kept"


# Nonsense


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"folds": "luck"}, "folds must be 'groups', .* got 'luck'"),
        ({"folds": 6}, "folds must be at most 5; got 6"),
        ({"folds": "official"}, "folds must not be 'official'"),
        ({"folds": "groups", "split": "clip"}, "folds must be 'one' to split by clip"),
        ({"homogeneous": "worst"}, "homogeneous must be one of .* got 'worst'"),
        ({"homogeneous": None}, "homogeneous must be one of .* got None"),
        ({"rate": 3.0, "spikes": 9.0}, "rate must be None where spikes is given"),
        ({"rate": 0.0}, "rate must be greater than 0 Hz; got 0.0"),
        ({"spikes": float("nan")}, "spikes must be .*got nan"),
        ({"spikes": -1}, "spikes must be greater than 0; got -1"),
        ({"output": "/nowhere/rows"}, "output must lie in a folder that exists; got /nowhere/rows"),
        ({"output": 5}, "output must be a path; got 5"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(clips, arguments, says):
    with pytest.raises(ParameterError, match=says):
        compare(clips, [0], progress=lambda *_: pytest.fail("begun"), **arguments)


def test_a_fold_that_leaves_one_class_is_refused(clips):
    labels = np.where(clips.groups == "person 1", 1, 0)
    with pytest.raises(ParameterError, match="at least two classes to train on; fold 1 of seed 0"):
        compare(replace(clips, labels=labels), [0])


def test_clips_beyond_memory_have_the_same_rows(clips, rows):
    stored = replace(clips, events=EventStore(clips.events, memory=0))
    found = compare(stored, [0, 3], **SMALL)
    assert told(found).equals(told(rows))

"""What the estimator takes for samples: data sets, pairs, arrays as people have them, nothing."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.estimator_input import as_sample
from hrsnn_rs.network.presets import default_network
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score, train_test_split

SIDE, STEPS = 6, 40


class Moves(EventSamples):
    """Blobs that move right or down; counts how often each is read."""

    def __init__(self, n_subjects=6, known=True):
        self.subjects_known = known
        self.n_read = 0
        labels = np.tile([0, 1], 2 * n_subjects)
        super().__init__(["right", "down"], labels, np.repeat(np.arange(n_subjects), 4))

    def _read(self, sample):
        self.n_read += 1
        frames = frames_of(self.labels[sample], sample)
        step, p, y, x = np.nonzero(frames)
        return hr.SensorEvents(
            step * 10_000, x, y, p, height=SIDE, width=SIDE, duration=STEPS * 10_000
        )


def frames_of(label, seed):
    """(time, polarity, y, x), as tonic's ToFrame gives them."""
    random = np.random.default_rng([label, seed])
    frames = np.zeros((STEPS, 2, SIDE, SIDE), np.int16)
    along = np.arange(STEPS) * SIDE // STEPS
    for p in (0, 1):
        across = random.integers(2, 5, STEPS)
        y, x = (across, along) if label == 0 else (along, across)
        frames[np.arange(STEPS), p, y, x] = 1
    return frames


@pytest.fixture(scope="module")
def moves():
    return Moves()


@pytest.fixture(scope="module")
def events(moves):
    encoder = EventEncoder(SIDE, SIDE, size=(SIDE, SIDE))
    return [encoder(one) for one, _ in moves]


@pytest.fixture(scope="module")
def classifier():
    network = default_network(2 * SIDE * SIDE, sensor=(SIDE, SIDE), n_neurons=40, seed=5)
    return HRSNNClassifier(network=network, n_windows=2, rate=5.0)


@pytest.fixture(scope="module")
def fitted(classifier, events, moves):
    return clone(classifier).fit(events, moves.labels, groups=moves.groups)


def same(one, other, samples, events):
    np.testing.assert_array_equal(
        one.network_.recurrent_weights.data, other.network_.recurrent_weights.data
    )
    np.testing.assert_array_equal(one.decision_function(samples), other.decision_function(events))


@pytest.fixture
def fresh(classifier):
    return clone(classifier)


def pairs(moves):
    return [moves[sample] for sample in range(len(moves))]


DATASETS = {
    "data set": lambda moves: (moves,),
    "data set and labels": lambda moves: (moves, moves.labels),
    "data set and names": lambda moves: (
        moves,
        ["a" if label == 0 else "b" for label in moves.labels],
    ),
    "subset": lambda moves: (moves.subset(np.arange(len(moves))),),
    "data set and groups": lambda moves: (moves, None, [f"p{group}" for group in moves.groups]),
    "pairs and groups": lambda moves: (pairs(moves), None, moves.groups),
    "stream of pairs": lambda moves: (iter(pairs(moves)), None, moves.groups),
    "pairs, labels, groups": lambda moves: (pairs(moves), moves.labels, moves.groups),
}


@pytest.mark.parametrize("form", DATASETS)
def test_a_data_set_stands_for_its_samples(fresh, fitted, moves, events, form):
    fresh.fit(*DATASETS[form](moves))
    assert len(fresh.groups_) == 6
    same(fresh, fitted, moves, events)
    for samples in (moves, pairs(moves), iter(pairs(moves)), [one for one, _ in moves]):
        assert fresh.predict(samples).shape == (24,)
    assert fresh.seen(moves).all()
    if "names" not in form:
        assert fresh.score(moves) == fitted.score(events, moves.labels)
        assert fresh.score(iter(pairs(moves))) == fitted.score(events, moves.labels)


def test_unknown_subjects_are_no_groups(fresh):
    assert fresh.fit(Moves(known=False)).groups_ == []


def test_a_data_set_is_read_once_for_a_fit(fresh):
    moves = Moves()
    fresh.fit(moves)
    assert moves.n_read == len(moves)


def test_cross_validation_takes_a_data_set(fresh, moves):
    folds = GroupKFold(3)
    by_person = cross_val_score(fresh, moves, moves.labels, groups=moves.groups, cv=folds)
    by_hand = []
    for train, test in folds.split(moves.labels, groups=moves.groups):
        fresh.fit([moves[i][0] for i in train], moves.labels[train], groups=moves.groups[train])
        by_hand.append(fresh.score([moves[i][0] for i in test], moves.labels[test]))
    np.testing.assert_array_equal(by_person, by_hand)
    assert cross_val_score(fresh, moves, groups=moves.groups, cv=folds).tolist() == by_hand
    assert cross_val_score(fresh, moves, cv=2).shape == (2,)
    train, test = train_test_split(moves, test_size=8, random_state=0, stratify=moves.labels)
    assert (len(train), len(test)) == (16, 8)
    assert isinstance(train, EventSamples)


def test_indices_give_a_subset_and_read_nothing():
    moves = Moves()
    chosen = np.array([3, 0])
    for some in (moves[chosen], moves[chosen, ...], moves[np.isin(np.arange(24), chosen)]):
        assert sorted(some.labels.tolist()) == [0, 1]
    assert moves[chosen].groups.tolist() == [0, 0]
    assert moves.shape == (24,)
    assert moves.n_read == 0
    with pytest.raises(hr.ParameterError, match="below 24; got 24"):
        moves[np.array([24])]
    with pytest.raises(hr.ParameterError, match="use subset"):
        moves["first"]


def table_of(frames):
    step, p, y, x = np.nonzero(frames)
    array = np.zeros(step.size, dtype=[("x", "<i2"), ("y", "<i2"), ("p", "?"), ("t", "<i8")])
    array["t"], array["x"], array["y"], array["p"] = step * 10_000, x, y, p
    return array


ARRAYS = {
    "(n, time, channels)": ({"dt": 10.0}, lambda all_: all_.reshape(24, STEPS, -1)),
    "list of (time, channels)": (
        {"dt": 10.0},
        lambda all_: [one.reshape(STEPS, -1) for one in all_],
    ),
    "floats": ({"dt": 10.0}, lambda all_: all_.reshape(24, STEPS, -1).astype(np.float32)),
    "truth values": ({"dt": 10.0}, lambda all_: all_.reshape(24, STEPS, -1) > 0),
    "(n, time, polarity, y, x)": ({"dt": 10.0}, lambda all_: all_),
    "list of (time, polarity, y, x)": ({"dt": 10.0}, list),
    "stream of frames": ({"dt": 10.0}, iter),
    "pairs of frames": ({"dt": 10.0}, lambda all_: [(one, 0) for one in all_]),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays_of_counts_are_their_events(fresh, fitted, moves, events, form):
    settings, made = ARRAYS[form]
    all_frames = np.stack([frames_of(label, i) for i, label in enumerate(moves.labels)])
    kept = all_frames.copy()
    fresh.set_params(**settings).fit(made(all_frames), moves.labels, groups=moves.groups)
    same(fresh, fitted, made(all_frames), events)
    np.testing.assert_array_equal(all_frames, kept)
    assert fresh.n_features_in_ == 2 * SIDE * SIDE


@pytest.mark.parametrize("sensor_size", [(SIDE, SIDE, 2), [SIDE, SIDE, 2]])
def test_structured_arrays_need_the_size_of_the_sensor(fresh, moves, sensor_size):
    raw = [table_of(frames_of(label, i)) for i, label in enumerate(moves.labels)]
    ours = [hr.SensorEvents(a["t"], a["x"], a["y"], a["p"], height=SIDE, width=SIDE) for a in raw]
    expected = HRSNNClassifier(**fresh.get_params(deep=False)).fit(ours, moves.labels)
    fresh.set_params(sensor_size=sensor_size).fit(raw, moves.labels)
    same(fresh, expected, raw, ours)
    pairs_of_tonic = [(array, int(label)) for array, label in zip(raw, moves.labels, strict=True)]
    fresh.fit(pairs_of_tonic)
    same(fresh, expected, pairs_of_tonic, ours)


def test_pixels_of_arrays_go_through_the_encoder(moves):
    encoder = EventEncoder(SIDE, SIDE, size=(3, 3))
    network = default_network(18, sensor=(3, 3), n_neurons=30, seed=5)
    ours = [one for one, _ in moves]
    frames = np.stack([frames_of(label, i) for i, label in enumerate(moves.labels)])
    settings = {"network": network, "encoder": encoder, "epochs": 0, "rate": 10.0}
    expected = HRSNNClassifier(**settings).fit(ours, moves.labels)
    given = HRSNNClassifier(**settings, dt=10.0).fit(frames, moves.labels)
    same(given, expected, frames, ours)


def test_one_polarity_is_off():
    frames = np.zeros((5, 1, 4, 6), int)
    frames[2, 0, 3, 1] = 3
    events = as_sample(frames, 1.0, None)
    assert (events.t.tolist(), events.p.tolist()) == ([2000] * 3, [0] * 3)
    raw = np.array([(5, 1, 3)], dtype=[("t", int), ("x", int), ("y", int)])
    assert as_sample(raw, None, (6, 4, 1)).p.tolist() == [0]
    heard = np.array([(5, 1), (9, 3)], dtype=[("t", int), ("x", int)])
    assert as_sample(heard, None, (6, 1, 1)).channel.tolist() == [1, 3]


FRAMES = np.zeros((4, STEPS, 2, SIDE, SIDE))
WRONG = {
    "no dt": ({}, FRAMES, r"samples\[0\]: dt must be given"),
    "no dt of channels": ({}, FRAMES.reshape(4, STEPS, -1), r"samples\[0\]: dt must be given"),
    "three polarities": ({"dt": 1.0}, np.zeros((4, 5, 3, 2, 2)), r"1 or 2 polarities; got shape"),
    "three dimensions": ({"dt": 1.0}, FRAMES[:, :, 0], r"\(time, channels\) or .* got shape"),
    "negative": ({"dt": 1.0}, FRAMES - 1, r"samples\[0\]: raster must be at least 0; got -1"),
    "broken": ({"dt": 1.0}, FRAMES + 0.5, r"samples\[0\]: raster must be a whole number"),
    "NaN": ({"dt": 1.0}, FRAMES * np.nan, r"samples\[0\]: raster must be .* got nan"),
    "table and dt": ({"dt": 1.0}, np.zeros((4, 3)), "dt must be None where samples are a table"),
    "table and size": ({"sensor_size": (2, 2, 2)}, np.zeros((4, 3)), "sensor_size must be None"),
    "dt of 0": ({"dt": 0.0}, FRAMES, "dt must be at least 0.001 ms"),
    "dt of text": ({"dt": "1 ms"}, FRAMES, "dt must be at least 0 and below 1e.12 ms; got .1 ms."),
    "size of two": ({"sensor_size": (2, 2)}, FRAMES, r"sensor_size must be \(width, height, pol"),
    "size of text": ({"sensor_size": "big"}, FRAMES, r"sensor_size must be \(width"),
    "many polarities": ({"sensor_size": (2, 2, 9)}, FRAMES, r"sensor_size\[2\] must be at most 2"),
    "raw, no size": ({}, [table_of(frames_of(0, 0))] * 4, r"samples\[0\]: sensor_size=\(width"),
    "raw, too small": (
        {"sensor_size": (2, 2, 2)},
        [table_of(frames_of(0, 0))] * 4,
        r"samples\[0\]: x must be below 2",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_nonsense_arrays_are_named(name):
    settings, samples, said = WRONG[name]
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=said):
        HRSNNClassifier(**settings).fit(samples, [0, 1, 0, 1])


EMPTY = {"list": [], "tuple": (), "stream": iter(()), "array": np.zeros((0, STEPS, 72))}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "decision_function", "window_features", "seen"]
)
def test_no_samples_are_said_to_be_none(fitted, name, method):
    with pytest.raises(hr.ShapeError, match="samples must hold at least 1 sample; got 0"):
        getattr(fitted, method)(EMPTY[name])


@pytest.mark.parametrize("name", EMPTY)
def test_fitting_and_scoring_none_is_refused(fitted, fresh, name):
    for call in (fresh.fit, fitted.score):
        with pytest.raises(hr.ShapeError, match=r"at least 1.*got 0"):
            call(EMPTY[name], [])


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param(["ann", None] * 12, id="None"),
        pytest.param(["ann", float("nan")] * 12, id="NaN among strings"),
        pytest.param(np.array([0.0, np.nan] * 12), id="NaN"),
        pytest.param(np.array([1, None] * 12, dtype=object), id="objects"),
        pytest.param([1, "1"] * 12, id="two kinds"),
        pytest.param(np.array(["2020-01-01"] * 24, "M8[D]"), id="dates"),
        pytest.param(np.zeros((24, 2)), id="two columns"),
        pytest.param(np.arange(23), id="too few"),
    ],
)
def test_groups_are_looked_at_before_the_work(fresh, moves, groups):
    unread = Moves()
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=r"^groups "):
        fresh.fit(unread, groups=groups)
    assert unread.n_read == 0


@pytest.mark.parametrize(
    ("settings", "arguments", "said"),
    [
        ({"readout__alpha": -1.0}, {}, "alpha must be"),
        ({"readout__compression": "sqrt"}, {}, "compression must be"),
        ({"class_weight": {0: -1.0, 1: 1.0}}, {}, "class_weight must be finite"),
        ({"class_weight": {0: 0.0, 1: 1.0}}, {}, "1 class"),
        ({"epochs": -1}, {}, "epochs must be"),
        ({"dt": -1.0}, {}, "dt must be"),
        ({}, {"y": [None] * 24}, "got None at sample 0"),
        ({}, {"y": [0.5] * 24}, "continuous"),
        ({}, {"y": [0, 1] * 11}, "equally many.*got 24 and 22"),
        ({}, {"y": [1] * 24}, "1 class"),
        ({}, {"sample_weight": [1.0] * 23}, r"sample_weight must have shape \(24,\)"),
        ({}, {"sample_weight": [np.nan] * 24}, "sample_weight must be finite.*got nan at sample 0"),
        ({}, {"sample_weight": [-1.0] * 24}, "sample_weight must be finite and at least 0"),
        ({}, {"sample_weight": [0.0] * 24}, "sample_weight must be above zero"),
        ({}, {"sample_weight": ["a"] * 24}, "sample_weight must be numbers"),
        ({}, {"sample_weight": [1, 0] * 12}, "1 class"),
    ],
)
def test_whatever_is_wrong_is_found_before_a_sample_is_read(fresh, settings, arguments, said):
    unread = Moves()
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=said):
        fresh.set_params(**settings).fit(unread, **arguments)
    assert unread.n_read == 0


def test_labels_must_come_from_somewhere(fresh, fitted, events):
    with pytest.raises(hr.ParameterError, match="requires y to be passed"):
        fresh.fit(events)
    with pytest.raises(hr.ParameterError, match="y must be given"):
        fitted.score(events)


def test_a_data_set_of_another_library_is_told_the_way(fresh):
    class Foreign:
        def __len__(self):
            return 2

        def __getitem__(self, sample):
            return np.zeros(3), sample

    with pytest.raises(hr.ParameterError, match=r"samples must be an iterable.*from_tonic"):
        fresh.fit(Foreign(), [0, 1])

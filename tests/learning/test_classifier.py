import pickle

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.estimator_input import fingerprint, is_table
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.network.presets import default_network
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

SIDE = 8


def clip(label, seed):
    """A blob that moves to the right (0) or down (1) over a sensor of 8x8."""
    random = np.random.default_rng([label, seed])
    t = np.sort(random.integers(0, 400_000, 400))
    along = t / 400_000 * SIDE
    across = random.normal(4.0, 1.0, t.size)
    x, y = (along, across) if label == 0 else (across, along)
    x, y = (np.clip(part, 0, SIDE - 1).astype(int) for part in (x, y))
    return hr.SensorEvents(
        t, x, y, random.integers(0, 2, t.size), height=SIDE, width=SIDE, duration=400_000
    )


@pytest.fixture(scope="module")
def labels():
    return np.tile(["right", "down"], 12)


@pytest.fixture(scope="module")
def clips(labels):
    return [clip(int(label == "down"), seed) for seed, label in enumerate(labels)]


@pytest.fixture(scope="module")
def encoder():
    return EventEncoder(height=SIDE, width=SIDE, size=(SIDE, SIDE))


@pytest.fixture(scope="module")
def network():
    return default_network(2 * SIDE * SIDE, sensor=(SIDE, SIDE), n_neurons=40, seed=5)


@pytest.fixture(scope="module")
def fitted(network, encoder, clips, labels):
    classifier = HRSNNClassifier(network=network, encoder=encoder, n_windows=2)
    return classifier.fit(clips[:16], labels[:16], groups=np.arange(16) // 4)


def test_it_learns_and_leaves_its_arguments_alone(network, encoder, clips, labels):
    inputs, recurrent = network.input_weights, network.recurrent_weights
    readout = Readout(alpha=10.0)
    classifier = HRSNNClassifier(network=network, encoder=encoder, readout=readout, n_windows=2)
    assert classifier.fit(clips[:16], labels[:16]).score(clips[16:], labels[16:]) == 1.0
    np.testing.assert_array_equal(network.input_weights.data, inputs.data)
    np.testing.assert_array_equal(network.recurrent_weights.data, recurrent.data)
    assert not hasattr(readout, "coef_")
    assert (classifier.network_.recurrent_weights.data != recurrent.data).any()


def test_steps_are_calibrate_train_transform_fit(fitted, network, encoder, clips, labels):
    events = [encoder(one) for one in clips]
    by_hand = network.copy()
    gain = by_hand.calibrate(events[:16], rate=3.0).gain
    by_hand.train(events[:16])
    counts = by_hand.transform(events, n_windows=2, windows="events")
    readout = Readout().fit(counts[:16], labels[:16], groups=np.arange(16) // 4)
    assert fitted.calibration_.gain == gain
    np.testing.assert_array_equal(
        fitted.decision_function(clips[16:]), readout.decision_function(counts[16:])
    )


def test_labels_do_not_reach_the_network(fitted, network, encoder, clips, labels):
    shuffled = np.random.default_rng(0).permutation(labels[:16])
    other = clone(fitted).fit(clips[:16], shuffled)
    np.testing.assert_array_equal(
        other.network_.recurrent_weights.data, fitted.network_.recurrent_weights.data
    )
    assert other.calibration_ == fitted.calibration_


def test_iterators_are_streamed(fitted, clips, labels):
    other = clone(fitted).fit(iter(clips[:16]), list(labels[:16]), groups=np.arange(16) // 4)
    expected = fitted.decision_function(clips[16:])
    np.testing.assert_array_equal(other.decision_function(iter(clips[16:])), expected)
    np.testing.assert_array_equal(fitted.decision_function(one for one in clips[16:]), expected)


def test_encoded_events_need_no_encoder(fitted, network, encoder, clips, labels):
    events = [encoder(one) for one in clips]
    other = HRSNNClassifier(network=network, n_windows=2)
    other.fit(events[:16], labels[:16], groups=np.arange(16) // 4)
    assert other.encoder_ is None
    expected = fitted.decision_function(clips[16:])
    np.testing.assert_array_equal(other.decision_function(events[16:]), expected)
    np.testing.assert_array_equal(fitted.decision_function(events[16:]), expected)
    pairs = [(one.t, one.channel) for one in events[16:]]
    assert other.predict(pairs).shape == (8,)


def test_threads_do_not_matter(fitted, clips, labels):
    other = clone(fitted).set_params(n_threads=1).fit(clips[:16], labels[:16], np.arange(16) // 4)
    np.testing.assert_array_equal(
        other.decision_function(clips[16:]), fitted.decision_function(clips[16:])
    )


def test_clone_keeps_parameters_and_forgets_learning(fitted):
    fresh = clone(fitted)
    assert not hasattr(fresh, "network_")
    assert fresh.n_windows == 2
    np.testing.assert_array_equal(
        fresh.network.recurrent_weights.data, fitted.network.recurrent_weights.data
    )


@pytest.mark.parametrize("names", [["right", "down"], [3, -1]])
def test_file_brings_back_the_same_bits(tmp_path, network, encoder, clips, names):
    path = tmp_path / "model.safetensors"
    y = np.tile(names, 8)
    classifier = HRSNNClassifier(network=network, encoder=encoder, n_windows=2, rate=4.0)
    classifier.fit(clips[:16], y, groups=np.repeat(["ann", "bob"], 8))
    classifier.save(path, metadata={"dataset": "clips"})
    loaded = HRSNNClassifier.load(path)
    np.testing.assert_array_equal(
        loaded.decision_function(clips[16:]), classifier.decision_function(clips[16:])
    )
    np.testing.assert_array_equal(loaded.predict(clips[16:]), classifier.predict(clips[16:]))
    assert loaded.encoder_ == encoder
    assert loaded.groups_ == ["ann", "bob"]
    assert loaded.notes_ == {"dataset": "clips"}
    assert (loaded.n_windows, loaded.rate, loaded.n_features_in_) == (2, 4.0, 128)
    assert loaded.seen(clips).tolist() == [True] * 16 + [False] * 8


def test_file_of_a_mere_network_is_refused(tmp_path, network):
    path = tmp_path / "network.safetensors"
    network.save(path)
    with pytest.raises(hr.FormatError, match="not a classifier's model file"):
        HRSNNClassifier.load(path)
    with pytest.raises(OSError, match=r"nothing\.safetensors"):
        HRSNNClassifier.load(tmp_path / "nothing.safetensors")


def test_file_of_a_table_classifier(tmp_path):
    random = np.random.default_rng(1)
    rows = random.normal(size=(40, 3))
    y = (rows[:, 0] > 0).astype(int)
    classifier = HRSNNClassifier().fit(rows, y)
    path = tmp_path / "table.safetensors"
    classifier.save(path)
    np.testing.assert_array_equal(
        HRSNNClassifier.load(path).decision_function(rows), classifier.decision_function(rows)
    )


def test_pickle_brings_back_the_same_bits(fitted, clips):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        again.decision_function(clips[16:]), fitted.decision_function(clips[16:])
    )


def test_without_epochs_weights_stay(network, encoder, clips, labels):
    classifier = HRSNNClassifier(network=network, encoder=encoder, n_windows=1, epochs=0)
    classifier.fit(clips[:16], labels[:16])
    np.testing.assert_array_equal(
        classifier.network_.recurrent_weights.data, network.recurrent_weights.data
    )


def test_without_rate_the_gain_stays(network, encoder, clips, labels):
    ready = network.copy()
    ready.calibrate([encoder(one) for one in clips[:16]], rate=5.0)
    classifier = HRSNNClassifier(network=ready, encoder=encoder, n_windows=1, rate=None)
    classifier.fit(clips[:16], labels[:16])
    assert classifier.calibration_ is None
    np.testing.assert_array_equal(classifier.network_.input_weights.data, ready.input_weights.data)


def test_default_network_and_encoder():
    random = np.random.default_rng(0)
    clips = [
        hr.SensorEvents(
            np.sort(random.integers(0, 300_000, 20_000)),
            random.integers(0, 20, 20_000) + 20 * label,
            random.integers(0, 40, 20_000),
            random.integers(0, 2, 20_000),
            height=40,
            width=40,
        )
        for label in (0, 1, 0, 1)
    ]
    classifier = HRSNNClassifier(epochs=0, layers="recurrent").fit(clips, [0, 1, 0, 1])
    assert classifier.encoder_.size == (32, 32)
    assert classifier.network_.n_inputs == classifier.n_features_in_ == 2048
    assert classifier.network_.n_neurons == 1000


def test_nonsense_is_named(network, encoder, clips, labels):
    classifier = HRSNNClassifier(network=network, encoder=encoder)
    with pytest.raises(hr.ShapeError, match=r"equally many.*got 24 and 23"):
        classifier.fit(clips, labels[1:])
    with pytest.raises(hr.ShapeError, match=r"groups must have shape \(24,\); got \(3,\)"):
        classifier.fit(clips, labels, groups=[1, 2, 3])
    with pytest.raises(hr.ParameterError, match="1 class"):
        classifier.fit(clips, ["right"] * 24)
    with pytest.raises(hr.ShapeError, match="at least 1 sample; got 0"):
        classifier.fit(iter([]), [])
    with pytest.raises(hr.ParameterError, match="epochs must be at least 0; got -1"):
        clone(classifier).set_params(epochs=-1).fit(clips, labels)
    with pytest.raises(hr.ParameterError, match="windows must be one of time, events"):
        clone(classifier).set_params(windows="beats").fit(clips, labels)
    with pytest.raises(hr.ShapeError, match="128"):
        classifier.fit([hr.Events([1], [0], n_channels=5)] * 4, [0, 1, 0, 1])
    with pytest.raises(hr.ShapeError, match="got a table of numbers"):
        clone(classifier).fit(clips, labels).predict(np.zeros((3, 128)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_windows": 0}, "n_windows must be"),
        ({"windows": "beats"}, "windows must be"),
        ({"features": "all"}, "features must be"),
        ({"batch": 2**40}, "batch must be"),
        ({"n_threads": 0}, "n_threads must be"),
        ({"network": hr.Network(2 * SIDE * SIDE, 20)}, "plasticity must be given"),
    ],
)
def test_settings_are_refused_before_the_work(fitted, clips, labels, monkeypatch, settings, said):
    monkeypatch.setattr(hr.Network, "calibrate", lambda *_, **__: pytest.fail("began to work"))
    with pytest.raises(hr.ParameterError, match=said):
        clone(fitted).set_params(**settings).fit(clips, labels)


def test_tables_and_samples_are_told_apart(clips):
    assert is_table(np.zeros((3, 2)))
    assert is_table([[1.0, 2.0], [3.0, 4.0]])
    assert is_table([np.zeros(2), np.ones(2)])
    assert not is_table(clips)
    assert not is_table(iter(clips))
    assert not is_table([(np.array([1]), np.array([0]))])
    assert not is_table([np.zeros((5, 4))])
    assert not is_table([np.zeros(3, dtype=[("t", int), ("x", int)])])


def test_fingerprint_sees_every_field():
    one = hr.Events([1, 5], [0, 1], n_channels=3, duration=10)
    others = [
        hr.Events([1, 6], [0, 1], n_channels=3, duration=10),
        hr.Events([1, 5], [0, 2], n_channels=3, duration=10),
        hr.Events([1, 5], [0, 1], n_channels=4, duration=10),
        hr.Events([1, 5], [0, 1], n_channels=3, duration=11),
    ]
    assert len({fingerprint(each) for each in [one, *others]}) == 5
    assert 0 <= fingerprint(one) < 2**63


def test_table_code_is_local_and_bounded():
    encoder = TableEncoder(low=[0.0], high=[1.0], n_levels=5, n_events=20)
    for value, channels in ((0.0, {0}), (0.5, {2}), (0.6, {2, 3}), (7.0, {4}), (-7.0, {0})):
        events = encoder.encode([value])
        assert set(events.channel.tolist()) == channels
        # Two neighbours share the events of one peak.
        assert len(events) == 20
    for bad, message in (([np.nan], "got nan at column 0"), ([1.0, 2.0], r"shape \(1,\)")):
        with pytest.raises(ValueError, match=message):
            encoder.encode(bad)
    with pytest.raises(hr.ParameterError, match="low must be finite and not above high"):
        TableEncoder(low=[2.0], high=[1.0])
    with pytest.raises(hr.ParameterError, match="n_levels must be at least 2; got 1"):
        TableEncoder(low=[0.0], high=[1.0], n_levels=1)
    with pytest.raises(hr.FormatError, match="unexpected"):
        TableEncoder.from_dict({"low": [0.0], "high": [1.0], "unexpected": 1})


def test_weights_reach_the_readout_alone(fitted, network, encoder, clips, labels):
    weights = np.linspace(0.0, 3.0, 16)
    weighted = clone(fitted).fit(clips[:16], labels[:16], np.arange(16) // 4, weights)
    np.testing.assert_array_equal(
        weighted.network_.recurrent_weights.data, fitted.network_.recurrent_weights.data
    )
    counts = fitted.window_features(clips)
    by_hand = Readout().fit(counts[:16], labels[:16], np.arange(16) // 4, weights)
    np.testing.assert_array_equal(weighted.readout_.coef_, by_hand.coef_)
    np.testing.assert_array_equal(
        weighted.predict_proba(clips[16:]), by_hand.predict_proba(counts[16:])
    )
    assert weighted.score(clips[:16], labels[:16], weights) == by_hand.score(
        counts[:16], labels[:16], weights
    )


def test_class_weight_is_that_of_the_readout(fitted, clips, labels):
    heavy = {"down": 50.0, "right": 0.1}
    own = clone(fitted).set_params(class_weight=heavy).fit(clips[:16], labels[:16])
    other = clone(fitted).set_params(readout__class_weight=heavy).fit(clips[:16], labels[:16])
    np.testing.assert_array_equal(own.readout_.coef_, other.readout_.coef_)
    plain = clone(fitted).fit(clips[:16], labels[:16])
    assert own.readout_.intercept_[0] != plain.readout_.intercept_[0]


#: The network learns without labels and from each sample alike; weights reach the readout alone.
REPEATED = {
    "check_sample_weight_equivalence_on_dense_data": "a repeated sample is learned from twice"
}


# The checks' tables are tiny, and their few channels need strong synapses.
@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
@parametrize_with_checks([HRSNNClassifier()], expected_failed_checks=lambda _: REPEATED)
def test_scikit_learn_contract(estimator, check):
    check(estimator)

"""Layers of an estimator: which there are, what is read out of them, and what a file keeps."""

import joblib
import numpy as np
import pytest
from hrsnn_rs import (
    LIF,
    STDP,
    Events,
    ExplicitConnectivity,
    FeatureLayer,
    Gamma,
    HRSNNClassifier,
    HRSNNTransformer,
    LocalConnectivity,
    LocalRecurrence,
    LogUniform,
    Network,
    RandomConnectivity,
    SensorEvents,
)
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.encoding import TrackingEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import Readout, default_encoder, default_layer
from hrsnn_rs.network import default_inputs, default_network, default_recurrent
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

SIDE = 12
LABELS = np.array([0, 1] * 8)


def bars(n=16, seed=0) -> list[SensorEvents]:
    """Make flickering bars at any place: lying ones are of class 0, standing ones of class 1."""
    random = np.random.default_rng(seed)
    clips = []
    for label in LABELS[:n]:
        places = random.integers(0, SIDE, 2)
        t = np.sort(random.integers(0, 200_000, 400))
        x = np.where(label, places[random.integers(0, 2, 400)], random.integers(0, SIDE, 400))
        y = np.where(label, random.integers(0, SIDE, 400), places[random.integers(0, 2, 400)])
        p = random.integers(0, 2, 400)
        clips.append(SensorEvents(t, x, y, p, SIDE, SIDE, 250_000))
    return clips


def layer(**settings) -> FeatureLayer:
    words = {"n_features": 4, "n_patches": 100, "spikes": 60.0, "pool": 3, "n_calibration": 4}
    return FeatureLayer((SIDE, SIDE), 2, **words | settings)


def network(n_inputs=4 * 6 * 6):
    return default_network(n_inputs, sensor=(6, 6), n_neurons=30, seed=2)


def settings(layers: str) -> dict:
    given = {
        "features": {"feature_layer": layer()},
        "recurrent": {"network": network(2 * SIDE * SIDE)},
        "stacked": {"feature_layer": layer(), "network": network()},
        "both": {"feature_layer": layer(), "network": network()},
    }
    return {"layers": layers, "n_windows": 2, **given[layers]}


WIDTHS = {"features": 16, "recurrent": 30, "stacked": 30, "both": 46}


@pytest.mark.parametrize("layers", WIDTHS)
@pytest.mark.parametrize("features", ["counts", "lowpass", "both"])
def test_what_is_read_out(layers, features):
    words = settings(layers) | {"features": features}
    fitted = HRSNNTransformer(**words).fit(bars())
    table = fitted.transform(bars(5, seed=1))
    width = WIDTHS[layers] * (2 if features == "both" else 1)
    assert table.shape == (5, 2 * width)
    assert fitted.n_units == width
    assert len(set(fitted.get_feature_names_out())) == 2 * width
    assert (fitted.layers_, fitted.layer_ is None) == (layers, layers == "recurrent")
    one_by_one = np.concatenate([fitted.transform([clip]) for clip in bars(5, seed=1)])
    np.testing.assert_array_equal(one_by_one, table)


@pytest.mark.parametrize("layers", WIDTHS)
def test_a_file_keeps_all_layers(layers, tmp_path):
    classifier = HRSNNClassifier(**settings(layers), readout=Readout(alpha=10.0))
    classifier.fit(bars(), LABELS)
    classifier.save(tmp_path / "m")
    again = HRSNNClassifier.load(tmp_path / "m")
    new = bars(6, seed=3)
    np.testing.assert_array_equal(again.window_features(new), classifier.window_features(new))
    np.testing.assert_array_equal(again.predict(new), classifier.predict(new))
    refitted = clone(again).fit(bars(), LABELS)
    np.testing.assert_array_equal(refitted.window_features(new), classifier.window_features(new))
    assert again.layers_ == layers


@pytest.mark.parametrize("layers", WIDTHS)
def test_threads_change_no_bit(layers):
    tables = [
        HRSNNTransformer(**settings(layers), n_threads=n).fit(bars()).transform(bars(4, seed=1))
        for n in (1, 3)
    ]
    np.testing.assert_array_equal(*tables)


def test_both_are_the_two_side_by_side():
    tables = {
        layers: HRSNNTransformer(**settings(layers)).fit(bars()).window_features(bars(4, seed=1))
        for layers in ("features", "stacked", "both")
    }
    np.testing.assert_array_equal(tables["both"][..., :16], tables["features"])
    np.testing.assert_array_equal(tables["both"][..., 16:], tables["stacked"])


def test_spikes_of_all_layers_are_counted():
    spikes, durations = {}, [clip.duration for clip in bars(4, seed=1)]
    for layers in ("features", "stacked", "both"):
        fitted = HRSNNTransformer(**settings(layers)).fit(bars())
        table, stats = fitted.window_features_with_stats(bars(4, seed=1))
        spikes[layers] = [one.n_spikes for one in stats]
        assert [one.duration for one in stats] == durations
        if layers == "both":
            np.testing.assert_array_equal(table.sum((1, 2)), spikes["both"])
    assert spikes["stacked"] == spikes["both"] != spikes["features"]


def test_features_are_the_default_for_events_of_a_sensor():
    gestures = make_gestures(n_subjects=2, n_repeats=1, duration=300_000)
    fitted = HRSNNTransformer(seed=4).fit(gestures.subset(range(6)))
    assert (fitted.layers_, fitted.layer_.seed) == ("features", 4)
    assert fitted.network_ is fitted.layer_.network_
    assert HRSNNTransformer(epochs=0).fit(gestures.subset(range(6))).layer_.filters == "drawn"


def test_the_network_is_the_default_for_everything_else():
    events = [
        Events(clip.t, clip.x.astype(np.int64), n_channels=SIDE, duration=clip.duration)
        for clip in bars()
    ]
    classifier = HRSNNClassifier(n_neurons=25).fit(events, LABELS)
    assert (classifier.layers_, classifier.network_.n_neurons) == ("recurrent", 25)
    assert classifier.layer_ is None
    with pytest.raises(ParameterError, match=r"^feature_layer must be given where layers is"):
        HRSNNClassifier(layers="features").fit(events, LABELS)


def test_video_is_followed_and_gestures_stay_where_they_are():
    video = default_encoder(60, 80, is_video=True)
    assert isinstance(video, TrackingEncoder)
    assert video.mirror
    still = default_encoder(60, 80)
    assert not isinstance(still, TrackingEncoder)
    for encoder, is_video in ((video, True), (still, False)):
        made = default_layer(encoder, is_video=is_video, seed=5)
        assert (made.n_channels, made.seed) == (encoder.n_channels, 5)
        assert made.field == (5 if is_video else 7)
    with pytest.raises(ParameterError, match=r"^encoder must give every channel a place"):
        default_layer(TrackingEncoder(60, 80, track_levels=4))


def test_features_beat_counts_where_place_says_nothing():
    classifier = HRSNNClassifier(feature_layer=layer(pool=100), n_windows=1)
    assert classifier.fit(bars(), LABELS).score(bars(seed=1), LABELS) > 0.9
    assert classifier.readout_.scaling == "common"


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
def test_laws_are_searched():
    base = HRSNNClassifier(layers="recurrent", n_neurons=20, n_windows=1)
    grid = {
        "neuron__tau_m": [LogUniform(5.0, 80.0), 20.0],
        "plasticity__a_plus": [0.01, Gamma(mean=0.02, shape=3.0)],
    }
    search = GridSearchCV(base, grid, cv=2).fit(bars(), LABELS)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    assert best.neuron.tau_m == search.best_params_["neuron__tau_m"]
    # The rest of the part is as the recipe has it.
    assert best.neuron.v_threshold == 15.0
    assert best.get_params()["plasticity__a_plus"] == search.best_params_["plasticity__a_plus"]


def delays(network):
    return network._assembly().recurrent.delay


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
def test_who_reaches_whom_is_searched():
    base = HRSNNClassifier(layers="recurrent", n_neurons=20, n_windows=1, epochs=0)
    grid = {
        "recurrent__weight": [0.0, LogUniform(0.1, 2.0)],
        "inputs__k": [20, 30],
        "recurrent__k": [7],
    }
    search = GridSearchCV(base, grid, cv=2).fit(bars(), LABELS)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    assert best.recurrent.weight == search.best_params_["recurrent__weight"]
    network = best.network_
    assert np.all(np.diff(network.recurrent_weights.tocsc().indptr) == 7)
    assert np.all(np.diff(network.input_weights.tocsc().indptr) == best.inputs.k)
    # The rest of the part is as the recipe has it, on the plane of the samples.
    assert (best.recurrent.sigma, best.recurrent.inhibitory_gain) == (6.0, 4.0)
    assert best.get_params()["recurrent__delay"] is None
    assert len(np.unique(delays(network))) == 20
    assert base.recurrent is None


def test_rules_may_be_any_but_a_matrix():
    rule = RandomConnectivity(p=0.3, weight=LogUniform(0.1, 2.0), delay=3.0)
    one = HRSNNTransformer(layers="recurrent", n_neurons=20, epochs=0, recurrent=rule, rate=None)
    assert one.get_params()["recurrent__p"] == 0.3
    network = one.fit(bars()).network_
    assert set(delays(network)) == {3.0}
    one.set_params(recurrent__p=0.0).fit(bars())
    assert one.network_.recurrent_weights.nnz == 0
    matrix = ExplicitConnectivity(network.recurrent_weights)
    with pytest.raises(ParameterError, match=r"^recurrent must be a DistanceConnectivity or "):
        one.set_params(recurrent=matrix).fit(bars())
    with pytest.raises(ParameterError, match=r"^recurrent must be None where network is given"):
        HRSNNTransformer(network=network, recurrent=rule).fit(bars())
    with pytest.raises(ParameterError, match=r"^recurrent__q cannot be set; it has p, "):
        HRSNNTransformer(recurrent=rule).set_params(recurrent__q=1.0)
    with pytest.raises(ParameterError, match=r"^weight must be at least 0"):
        HRSNNTransformer().set_params(inputs__weight=-1.0)


@pytest.mark.parametrize("sensor", [None, (8, 6)])
def test_words_of_the_recipe_make_the_network_of_the_recipe(sensor):
    plain = default_network(96, sensor=sensor, n_neurons=30, seed=4)
    told = default_network(
        96,
        sensor=sensor,
        n_neurons=30,
        seed=4,
        inputs=default_inputs(),
        recurrent=default_recurrent(),
    )
    assert plain.recurrent_weights.nnz == 29 * 30
    for name in ("input_weights", "recurrent_weights"):
        one, other = getattr(plain, name), getattr(told, name)
        assert np.array_equal(one.indices, other.indices)
        assert np.array_equal(one.data, other.data)
    assert np.array_equal(delays(plain), delays(told))
    rule = LocalRecurrence(sensor=(8, 6), k=3)
    for words, message in (
        ({"recurrent": rule, "w_recurrent": 0.1}, r"^w_recurrent must be None beside recurrent"),
        ({"recurrent": rule, "axon_delay": Gamma(mean=3.0)}, r"^axon_delay must be None where"),
        ({"recurrent": rule, "recurrent_delay": 3.0}, r"^recurrent_delay must be None where"),
        ({"inputs": 3}, r"^inputs must be a Connectivity or None; got 3"),
        ({"inputs": LocalConnectivity(polarities=3)}, r"^inputs\.polarities must be .* 2.*; got 3"),
    ):
        with pytest.raises(ParameterError, match=message):
            default_network(96, sensor=sensor, n_neurons=30, **words)


@pytest.mark.parametrize(
    "rule",
    [
        LocalConnectivity(negative=0.0),
        LocalConnectivity(sigma=3.0),
        LocalConnectivity(polarities=1),
    ],
)
def test_inputs_without_places_refuse_what_needs_places(rule):
    with pytest.raises(ParameterError, match=r"^inputs\.\w+ must be left at .* sensor is None"):
        default_network(96, sensor=None, n_neurons=30, inputs=rule)
    settings = {"n_neurons": 10, "n_windows": 1, "inputs": rule}
    with pytest.raises(ParameterError, match=r"^inputs\.\w+ must be left at"):
        HRSNNTransformer(**settings).fit(np.random.default_rng(0).random((8, 3)))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"inputs": LocalConnectivity(k=0)}, "inputs"),
        ({"inputs": LocalConnectivity(negative=1.0)}, "inputs"),
        ({"inputs": RandomConnectivity(p=0.0)}, "inputs"),
        ({"inputs": RandomConnectivity(p=1.0, weight=0.0)}, "inputs"),
        ({"network": Network(2 * SIDE * SIDE, 3, inputs=RandomConnectivity(p=0.0))}, "network"),
    ],
)
def test_inputs_that_excite_nobody_are_named(given, named):
    one = HRSNNTransformer(layers="recurrent", n_windows=1, epochs=0, **given)
    with pytest.raises(ParameterError, match=rf"^{named} must have a positive weight .* 3 Hz; got"):
        one.fit(bars())
    # Where nothing is calibrated, silence is allowed.
    assert not one.set_params(rate=None).fit_transform(bars()).any()


GIVEN = {
    "n_neurons": 10,
    "neuron": LIF(tau_m=30.0),
    "plasticity": STDP(),
    "inputs": default_inputs(),
    "recurrent": default_recurrent(),
    "epochs": 2,
    "batch": 2,
    "rate": None,
    "n_calibration": 3,
    "checkpoint_every": 5,
}


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("layers", ["auto", "features"])
def test_words_of_a_network_that_is_not_there_are_named(name, layers):
    one = HRSNNTransformer(layers=layers, feature_layer=layer(), **{name: GIVEN[name]})
    with pytest.warns(UserWarning, match=rf"^{name} is of no effect: .*layers=\"stacked\"") as said:
        one.fit(bars())
    assert len(said) == 1
    assert said[0].filename == __file__
    both = HRSNNClassifier(layers=layers, feature_layer=layer(), **GIVEN)
    with pytest.warns(
        UserWarning,
        match=r"^n_neurons, neuron, .* rate, n_calibration and checkpoint_every are of no ",
    ) as said:
        both.fit(bars(), LABELS)
    assert len(said) == 1
    assert said[0].filename == __file__


def test_what_a_layer_has_instead_is_named_and_nothing_where_all_is_of_use():
    idle = HRSNNTransformer(feature_layer=layer(), rate=4.0, batch=2)
    with pytest.warns(
        UserWarning, match=r"^batch and rate are .*the layer has feature_layer__spikes"
    ):
        idle.fit(bars())
    for settings in ({"rate": 3.0, "batch": 1, "n_calibration": np.int64(64)}, {"epochs": 0}):
        HRSNNTransformer(feature_layer=layer(), **settings).fit(bars())
    HRSNNTransformer(layers="both", feature_layer=layer(), n_neurons=20, rate=4.0, batch=2).fit(
        bars()
    )


def test_parts_are_set_together():
    classifier = HRSNNClassifier().set_params(neuron__v_rest=-60.0, neuron__v_threshold=-50.0)
    assert (classifier.neuron.v_rest, classifier.neuron.v_threshold) == (-60.0, -50.0)
    with pytest.raises(ParameterError, match=r"^neuron__taum cannot be set; it has tau_m, "):
        classifier.set_params(neuron__taum=3.0)


def test_a_pipeline_with_names():
    pipeline = make_pipeline(HRSNNTransformer(**settings("features")), LogisticRegression())
    pipeline.set_output(transform="polars")
    assert pipeline.fit(bars(), LABELS).score(bars(seed=1), LABELS) > 0.5
    table = pipeline[0].transform(bars(3))
    assert table.columns[0] == "window0_row0_column0_feature0"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": "deep"}, r"^layers must be one of auto, features, .*; got 'deep'"),
        ({"layers": 3}, r"^layers must be one of"),
        ({"layers": "recurrent", "feature_layer": layer()}, r"^feature_layer must be None where"),
        ({"layers": "features", "network": network()}, r"^network must be None where"),
        ({"n_neurons": 5, "network": network()}, r"^n_neurons must be None where network"),
        ({"neuron": LIF(), "network": network()}, r"^neuron must be None where network"),
        ({"plasticity": 3}, r"^plasticity must be a STDP or None"),
        ({"feature_layer": layer(), "checkpoint": "here"}, r"^checkpoint must be None where"),
        ({"n_neurons": 1}, r"^n_neurons must be"),
        ({"feature_layer": network()}, r"^feature_layer must be a FeatureLayer or None"),
        ({"feature_layer": layer(), "windows": "days"}, r"^windows must be one of"),
    ],
)
@pytest.mark.parametrize("kind", [HRSNNClassifier, HRSNNTransformer])
def test_layers_that_cannot_be(wrong, message, kind):
    with pytest.raises(ParameterError, match=message):
        kind(**wrong).fit(bars(), LABELS)


@pytest.mark.parametrize("layers", ["features", "recurrent", "both"])
def test_events_beyond_memory_change_no_bit(layers, monkeypatch):
    def fitted():
        return HRSNNClassifier(**settings(layers)).fit(bars(), LABELS)

    wanted = fitted().decision_function(bars(seed=1))
    monkeypatch.setattr("hrsnn_rs.events.store.IN_MEMORY", 3000)
    np.testing.assert_array_equal(fitted().decision_function(bars(seed=1)), wanted)


def test_several_seeds_vote_as_one_estimator():
    members = [
        (f"seed {k}", HRSNNClassifier(feature_layer=layer(seed=k), n_windows=2)) for k in range(3)
    ]
    with joblib.parallel_config(backend="threading"):
        vote = VotingClassifier(members, voting="soft", n_jobs=2).fit(bars(), LABELS)
    chances = [one.predict_proba(bars(seed=1)) for one in vote.estimators_]
    np.testing.assert_array_equal(vote.predict_proba(bars(seed=1)), np.mean(chances, axis=0))
    assert not np.array_equal(chances[0], chances[1])

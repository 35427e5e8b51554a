"""A loaded estimator is the one that was saved: its parameters, what it learned, what it will."""

import warnings

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.feature_layer import FeatureLayer
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.network.presets import default_network
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

pd = pytest.importorskip("pandas")
SIDE = 6


def clip(label, seed):
    random = np.random.default_rng([label, seed])
    t = np.sort(random.integers(0, 300_000, 300))
    along, across = t * SIDE // 300_000, random.integers(2, 5, t.size)
    x, y = (along, across) if label == 0 else (across, along)
    return hr.SensorEvents(
        t, x, y, random.integers(0, 2, t.size), height=SIDE, width=SIDE, duration=300_000
    )


CODES = np.tile([0, 1], 8)
CLIPS = [clip(code, seed) for seed, code in enumerate(CODES)]
ENCODER = EventEncoder(SIDE, SIDE, size=(3, 3))
GROUPS = np.repeat(["ann", "bob", "eve", "kim"], 4)


def network(**settings):
    return default_network(18, sensor=(3, 3), n_neurons=30, seed=5, **settings)


def trained():
    """A network that was calibrated and trained before, so that it is not as it was drawn."""
    ready = network()
    ready.calibrate([ENCODER(one) for one in CLIPS], rate=8.0)
    ready.train([ENCODER(one) for one in CLIPS[::-1]])
    return ready


def adapted():
    return hr.Network(
        18,
        25,
        plasticity=hr.STDP(inputs=True, half_precision=True),
        inputs=hr.RandomConnectivity(p=0.5, weight=0.9),
        neuron=hr.LIF(v_threshold=3.0),
        adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.1),
        normalize_weights=True,
        dtype="float64",
        seed=2,
    )


#: What differs from one estimator to the other; the defaults are in no file of their own.
SETTINGS = {
    "network": {"network": network()},
    "network that has learned": {"network": trained(), "rate": None},
    "network with all that moves": {"network": adapted(), "rate": None},
    "windows": {"n_windows": 3, "windows": "time", "features": "both"},
    "numbers of NumPy": {
        "n_windows": np.int64(2),
        "rate": np.float32(6.5),
        "seed": np.uint64(3),
        "epochs": np.int8(2),
        "windows": np.str_("time"),
        "progress": np.bool_(False),
    },
    "calibration": {"n_calibration": 3, "rate": 7.0},
    "no training": {"epochs": 0, "rate": None},
    "batch": {"batch": 4, "n_threads": 1},
    "seed": {"seed": 2**64 - 1},
    "readout": {"readout": Readout(alpha=7.0, compression="none")},
    "candidates": {"readout": Readout(alpha=np.array([3, 70]))},
    "candidates of float32": {"readout": Readout(alpha=[np.float32(0.1), 70])},
    "readout's class_weight": {"readout": Readout(class_weight={"down": 3.0, "right": 1})},
    "class_weight": {"class_weight": {"down": 0.5}},
    "balanced": {"class_weight": "balanced", "n_windows": 1},
    "unused arrays' meaning": {"dt": 2.5, "sensor_size": (SIDE, SIDE, 2)},
}
LABELS = {
    "str": np.array(["right", "down"])[CODES],
    "uint8": np.array([250, 3], np.uint8)[CODES],
    "large": np.array([2**64 - 1, 0], np.uint64)[CODES],
    "bool": CODES == 1,
    "float": np.array([2.0, -1.0])[CODES],
    "bytes": np.array([b"r", b"d"])[CODES],
    "objects": np.array(["right", "down"], dtype=object)[CODES],
}


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hr.CalibrationWarning)
        yield


def fitted(labels=LABELS["str"], groups=GROUPS, **settings):
    base = {"network": network(), "encoder": ENCODER, "rate": 5.0}
    return HRSNNClassifier(**{**base, **settings}).fit(CLIPS, labels, groups=groups)


def reloaded(classifier, tmp_path):
    classifier.save(tmp_path / "model.safetensors")
    return HRSNNClassifier.load(tmp_path / "model.safetensors")


def assert_same(one, other, samples):
    np.testing.assert_array_equal(one.decision_function(samples), other.decision_function(samples))
    np.testing.assert_array_equal(one.predict_proba(samples), other.predict_proba(samples))
    assert one.classes_.dtype == other.classes_.dtype
    assert one.classes_.tolist() == other.classes_.tolist()
    for name in ("recurrent_weights", "input_weights"):
        np.testing.assert_array_equal(
            getattr(one.network_, name).data, getattr(other.network_, name).data
        )
    assert one.calibration_ == other.calibration_
    assert one.groups_ == other.groups_
    assert one.readout_.alpha_ == other.readout_.alpha_
    assert one.readout_.to_dict() == other.readout_.to_dict()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_loaded_estimator_fits_the_same_bits(tmp_path, name):
    saved = fitted(**SETTINGS[name])
    loaded = reloaded(saved, tmp_path)
    assert_same(loaded, saved, CLIPS)
    labels, groups = LABELS["str"][::-1], GROUPS
    again, anew = (clone(one).fit(CLIPS[::-1], labels, groups=groups) for one in (saved, loaded))
    assert_same(anew, again, CLIPS)
    assert anew.calibration_ == again.calibration_


def test_every_parameter_comes_back(tmp_path):
    given = {
        "n_windows": 3,
        "windows": "time",
        "features": "both",
        "epochs": 2,
        "batch": 2,
        "rate": 4.5,
        "n_calibration": 5,
        "seed": 11,
        "n_threads": 2,
        "progress": False,
        "checkpoint": tmp_path / "state",
        "checkpoint_every": 7,
        "dt": 1.5,
        "sensor_size": (SIDE, SIDE, 2),
        "class_weight": {"down": 2.0},
        "layers": "both",
        "n_neurons": None,
    }
    layer = FeatureLayer((3, 3), field=3, n_features=2, n_patches=20, spikes=20.0)
    above = default_network(8, sensor=(2, 2), n_neurons=30, seed=5)
    saved = fitted(feature_layer=layer, network=above, readout=Readout(alpha=3.0), **given)
    loaded = reloaded(saved, tmp_path).get_params(deep=False)
    # These stand in for a network; see below.
    instead = {"neuron", "plasticity", "inputs", "recurrent"}
    objects = {"network", "encoder", "readout", "feature_layer"} | instead
    # Whoever adds a parameter adds it here, and to the file.
    assert set(given) | objects == set(HRSNNClassifier().get_params(deep=False))
    assert {name: loaded[name] for name in given} == {
        **given,
        "checkpoint": str(tmp_path / "state"),
    }
    assert loaded["encoder"] == ENCODER
    assert loaded["feature_layer"].get_params() == layer.get_params()
    assert loaded["readout"].get_params() == saved.readout.get_params()
    rows = (one.describe().sort("parameter") for one in (loaded["network"], saved.network))
    assert next(rows).equals(next(rows))
    np.testing.assert_array_equal(
        loaded["network"].recurrent_weights.data, saved.network.recurrent_weights.data
    )


def test_what_a_network_is_made_of_comes_back(tmp_path):
    given = {
        "neuron": hr.LIF(tau_m=hr.LogUniform(5.0, 90.0)),
        "plasticity": hr.STDP(a_plus=hr.Gamma(mean=0.02, shape=2.0)),
    }
    rules = {
        "inputs": hr.LocalConnectivity(k=25, weight=hr.LogUniform(0.5, 2.0)),
        "recurrent": hr.RandomConnectivity(p=0.2, delay=hr.Uniform(1.0, 9.0)),
    }
    saved = fitted(network=None, layers="recurrent", n_neurons=20, **given, **rules)
    loaded = reloaded(saved, tmp_path)
    assert {name: getattr(loaded, name) for name in given} == given
    assert {name: repr(getattr(loaded, name)) for name in rules} == {
        name: repr(rule) for name, rule in rules.items()
    }
    assert_same(clone(loaded).fit(CLIPS, LABELS["str"], groups=GROUPS), saved, CLIPS)


def test_what_was_not_given_is_not_given_after_loading(tmp_path):
    table = np.random.default_rng(0).normal(size=(20, 3))
    saved = HRSNNClassifier(n_calibration=4, seed=3).fit(table, table[:, 0] > 0)
    loaded = reloaded(saved, tmp_path)
    assert (loaded.network, loaded.encoder, loaded.readout) == (None, None, None)
    assert_same(loaded, saved, table)
    again, anew = (clone(one).fit(table[::-1], table[::-1, 1] > 0) for one in (saved, loaded))
    assert_same(anew, again, table)


@pytest.mark.parametrize(
    ("name", "value"), [("n_windows", 3), ("windows", "time"), ("features", "both")]
)
def test_a_readout_is_not_used_or_written_for_other_columns(tmp_path, name, value):
    classifier = fitted()
    for one in (classifier, reloaded(classifier, tmp_path)):
        before = getattr(one, name)
        one.set_params(**{name: value})
        uses = (
            lambda one=one: one.predict(CLIPS),
            lambda one=one: one.predict_proba(CLIPS),
            lambda one=one: one.score(CLIPS, LABELS["str"]),
            lambda one=one: one.stream(),
            lambda one=one: one.save(tmp_path / "changed"),
        )
        for use in uses:
            with pytest.raises(hr.ParameterError, match=rf"^{name} must be {before!r}, with which"):
                use()
        # The layers know of no readout.
        assert len(one.window_features(CLIPS)) == len(CLIPS)
    assert not (tmp_path / "changed").exists()


@pytest.mark.parametrize("plastic", [True, False])
def test_another_network_given_after_the_fit_is_the_one_that_comes_back(tmp_path, plastic):
    classifier, n_inputs = fitted(epochs=int(plastic)), network().n_inputs
    given = hr.Network(
        n_inputs,
        3,
        inputs=hr.RandomConnectivity(p=0.5),
        plasticity=hr.STDP(inputs=True) if plastic else None,
        seed=8,
    )
    loaded = reloaded(classifier.set_params(network=given), tmp_path)
    assert_same(loaded, classifier, CLIPS)
    np.testing.assert_array_equal(loaded.network.input_weights.data, given.input_weights.data)
    one, other = (clone(each).fit(CLIPS, LABELS["str"]) for each in (classifier, loaded))
    assert_same(one, other, CLIPS)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_type_come_back(tmp_path, kind):
    saved = fitted(LABELS[kind], epochs=0)
    loaded = reloaded(saved, tmp_path)
    assert_same(loaded, saved, CLIPS)
    assert loaded.predict(CLIPS).dtype == saved.predict(CLIPS).dtype
    assert loaded.score(CLIPS, LABELS[kind]) == saved.score(CLIPS, LABELS[kind])
    assert saved.score(CLIPS, LABELS[kind]) == fitted(CODES, epochs=0).score(CLIPS, CODES)
    if kind != "bytes":  # scikit-learn's own folds take no bytes
        scores = cross_val_score(clone(loaded), np.array(CLIPS, dtype=object), LABELS[kind], cv=2)
        assert scores.min() > 0.5


@pytest.mark.parametrize(
    "groups",
    [
        None,
        GROUPS,
        GROUPS.tolist(),
        GROUPS.astype(object),
        GROUPS.astype("S"),
        np.repeat([3, 1, 250, 7], 4).astype(np.uint8),
        np.repeat([0.5, 1.5], 8),
        np.repeat([True, False], 8),
        pd.Series(GROUPS).astype("category"),
    ],
    ids=lambda groups: f"{type(groups).__name__} {getattr(groups, 'dtype', '')}",
)
def test_groups_of_every_type_come_back(tmp_path, groups):
    saved = fitted(groups=groups, epochs=0)
    loaded = reloaded(saved, tmp_path)
    assert loaded.groups_ == saved.groups_ == ([] if groups is None else sorted(set(groups)))
    assert list(map(type, loaded.groups_)) == list(map(type, saved.groups_))


def test_names_of_columns_come_back(tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["a", "b"])
    saved = HRSNNClassifier(epochs=0).fit(table, table["a"] > 0)
    loaded = reloaded(saved, tmp_path)
    np.testing.assert_array_equal(loaded.decision_function(table), saved.decision_function(table))
    for one in (saved, loaded):
        with pytest.raises(hr.ShapeError, match="feature names"):
            one.predict(table[["b", "a"]])


def test_the_graph_is_written_once(tmp_path):
    graph = default_network(18, sensor=(3, 3), n_neurons=300, seed=5)
    saved = fitted(network=graph, epochs=0, rate=None)
    saved.save(tmp_path / "model.safetensors")
    saved.network_.save(tmp_path / "network.safetensors")
    # Readout, fingerprints and texts; a network beside the network would double it.
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("model", "network")]
    assert sizes[0] < 1.5 * sizes[1]


class Quick(HRSNNClassifier):
    """Asks for less than ours, and for one thing more; sets the rest itself."""

    def __init__(self, seed=0, n_windows=2, nickname="none"):
        super().__init__(
            encoder=ENCODER, layers="recurrent", n_neurons=30, seed=seed, n_windows=n_windows
        )
        self.nickname = nickname


def test_a_class_made_of_ours_comes_back_as_itself(tmp_path):
    path = tmp_path / "quick.safetensors"
    saved = Quick(seed=3, nickname="fast").fit(CLIPS, CODES)
    saved.save(path)
    loaded = Quick.load(path)
    assert loaded.get_params() == {"seed": 3, "n_windows": 2, "nickname": "fast"}
    assert loaded.n_neurons == 30
    np.testing.assert_array_equal(loaded.decision_function(CLIPS), saved.decision_function(CLIPS))
    with pytest.raises(hr.FormatError, match="nickname"):
        HRSNNClassifier.load(path)
    with pytest.raises(ValueError, match="Invalid parameter 'neuron'"):
        saved.set_params(neuron__tau_m=5.0)


@pytest.mark.parametrize("name", ["network", "encoder", "readout"])
def test_a_class_of_ones_own_is_refused_before_the_work(name):
    class Own(Readout):
        pass

    with pytest.raises(hr.ParameterError, match=f"^{name} must be"):
        fitted(**{name: Own()})


@pytest.mark.parametrize("field", ["parameters", "network", "parts", "encoder", "class_weight"])
@pytest.mark.parametrize("wrong", [3, {"a": 1}, "text", [1]])
def test_strange_fields_of_a_file_are_refused(tmp_path, monkeypatch, field, wrong):
    path = tmp_path / "model.safetensors"
    saved = fitted(epochs=0)
    save = hr.Network.save

    def spoilt(self, path, *, extra, metadata):
        save(self, path, extra=extra, metadata={**metadata, field: wrong})

    monkeypatch.setattr(hr.Network, "save", spoilt)
    saved.save(path)
    if field == "class_weight" and wrong != {"a": 1}:
        return  # found out by `fit`, as a parameter of any value is
    with pytest.raises(hr.FormatError, match="not a classifier's model file"):
        HRSNNClassifier.load(path)


@pytest.mark.parametrize("given", [None, Readout(), Readout(compression="none")])
def test_parameters_of_the_readout_can_be_set(given):
    classifier = HRSNNClassifier(readout=given)
    compression = "log1p" if given is None else given.compression
    assert classifier.set_params(readout__alpha=5.0, n_windows=2) is classifier
    assert (classifier.readout.alpha, classifier.n_windows) == (5.0, 2)
    assert classifier.readout.compression == compression
    assert clone(classifier).set_params(readout=None, readout__alpha=2.0).readout.alpha == 2.0
    with pytest.raises(ValueError, match="nonsense"):
        classifier.set_params(readout__nonsense=1)


def test_the_default_readout_is_nobody_elses():
    one, other = HRSNNClassifier().set_params(readout__alpha=5.0), HRSNNClassifier()
    other.set_params(readout__compression="none")
    assert (one.readout.compression, other.readout.alpha) == ("log1p", Readout().alpha)


def test_a_search_over_the_default_readout():
    classifier = HRSNNClassifier(network=network(), encoder=ENCODER, epochs=0)
    grid = {"readout__alpha": [1.0, 100.0], "readout__class_weight": [None, "balanced"]}
    search = GridSearchCV(classifier, grid, cv=2, error_score="raise")
    search.fit(np.array(CLIPS, dtype=object), LABELS["str"])
    assert set(search.best_params_) == set(grid)


@pytest.mark.parametrize("name", ["network__seed", "encoder__size"])
@pytest.mark.parametrize("given", [True, False])
def test_what_has_no_parameters_says_so(name, given):
    classifier = HRSNNClassifier(**({"network": network(), "encoder": ENCODER} if given else {}))
    with pytest.raises(hr.ParameterError, match=f"{name} cannot be set"):
        classifier.set_params(**{name: 1})

"""Whatever a fitted estimator is set to, it works as it did or says what is wrong."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding import EventEncoder
from hrsnn_rs.learning import FeatureLayer, HRSNNClassifier, HRSNNTransformer, Readout
from hrsnn_rs.learning.settings import check_settings
from hrsnn_rs.network import default_network
from sklearn.base import clone

SIDE = 8
NONSENSE = {"None": None, "text": "x", "negative": -1, "nan": float("nan"), "object": object()}
LABELS = [0, 1] * 4


def bar(n, seed):
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 100_000, 200))
    along, across = t * SIDE // 100_000, np.full(200, n)
    x, y = (along, across) if seed % 2 else (across, along)
    return hr.SensorEvents(t, x, y, t % 2, height=SIDE, width=SIDE, duration=100_000)


CLIPS = [bar(n % SIDE, n) for n in range(8)]
ENCODER = EventEncoder(SIDE, SIDE, size=(SIDE, SIDE))
EVENTS = [ENCODER(clip) for clip in CLIPS]


def layer():
    return FeatureLayer((SIDE, SIDE), n_features=4, n_patches=30, spikes=30.0, pool=4)


def network():
    return default_network(2 * SIDE**2, sensor=(SIDE, SIDE), n_neurons=20, seed=3)


#: Estimators, and the parameters that what they have learned depends on.
READ_OUT = {"n_windows", "windows", "features"}
SHAPING = {"plane", "polarities", "field", "stride", "n_features", "n_banks", "pool", "inhibition"}
MADE = {
    "features": (
        lambda: HRSNNClassifier(feature_layer=layer(), readout=Readout(), n_windows=2),
        READ_OUT,
    ),
    "recurrent": (lambda: HRSNNClassifier(network=network(), encoder=ENCODER), READ_OUT),
    "transformer": (lambda: HRSNNTransformer(feature_layer=layer(), encoder=ENCODER), READ_OUT),
    "layer": (layer, SHAPING | {"n_windows", "windows"}),
}
#: Nothing is refused of these.
SOUND = {("checkpoint", "text")}


@pytest.fixture(scope="module")
def fitted():
    labels = {"features": (LABELS,), "recurrent": (LABELS,), "transformer": (), "layer": ()}
    return {
        name: make().fit(EVENTS if name == "layer" else CLIPS, *labels[name])
        for name, (make, _) in MADE.items()
    }


def cases(of=MADE):
    return [
        pytest.param(kind, name, word, id=f"{kind}-{name}-{word}")
        for kind in of
        for name in MADE[kind][0]().get_params(deep=False)
        for word in NONSENSE
    ]


def is_sound(estimator, name, word):
    """Whether a parameter may be this."""
    default = type(estimator)().get_params(deep=False)[name]
    return (name, word) in SOUND or (word == "None" and (default is None or name == "rate"))


def used(estimator):
    """What it gives now."""
    if isinstance(estimator, HRSNNClassifier):
        return estimator.decision_function(CLIPS)
    return estimator.transform(EVENTS if isinstance(estimator, FeatureLayer) else CLIPS)


@pytest.fixture
def set_to(fitted):
    """Set a fitted estimator for one test, and say what it gave before."""
    changed = []

    def change(kind, name, value):
        estimator = fitted[kind]
        before = used(estimator)
        changed.append((estimator, name, estimator.get_params()[name]))
        return estimator.set_params(**{name: value}), before

    yield change
    for estimator, name, value in changed:
        estimator.set_params(**{name: value})


@pytest.mark.parametrize(("kind", "name", "word"), cases(("features", "recurrent", "layer")))
def test_a_file_is_whole_or_the_parameter_is_named(kind, name, word, set_to, tmp_path):
    value, path = NONSENSE[word], tmp_path / "file"
    estimator, before = set_to(kind, name, value)
    if is_sound(estimator, name, word):
        estimator.save(path)
        assert np.array_equal(used(type(estimator).load(path)), before)
        return
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=rf"^{name} must .*got") as said:
        estimator.save(path)
    assert repr(value) in str(said.value) or "shape ()" in str(said.value)
    assert not path.exists()


@pytest.mark.parametrize(("kind", "name", "word"), cases())
def test_it_works_as_it_did_or_names_the_parameter(kind, name, word, set_to):
    estimator, before = set_to(kind, name, NONSENSE[word])
    needed = MADE[kind][1] | {"n_threads"}
    if name not in needed or is_sound(estimator, name, word):
        assert np.array_equal(used(estimator), before)
        return
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=rf"^{name} must "):
        used(estimator)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("feature_layer__stride", "x"),
        ("feature_layer__n_windows", -1),
        ("feature_layer__learning_rate", None),
        ("feature_layer__weight", object()),
        ("readout__alpha", "x"),
        ("readout__compression", None),
        ("readout__scaling", -1),
        ("readout__class_weight", {"a": float("nan")}),
    ],
)
def test_what_is_wrong_in_a_part_is_named_as_it_is_set(name, value, set_to, tmp_path):
    estimator, _ = set_to("features", name, value)
    for fails in (
        lambda: estimator.save(tmp_path / "file"),
        lambda: clone(estimator).fit(CLIPS, LABELS),
    ):
        with pytest.raises((hr.ParameterError, hr.ShapeError), match=rf"^{name} must "):
            fails()


@pytest.mark.parametrize("kind", [HRSNNClassifier, HRSNNTransformer])
@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", 0.0), ("n_threads", 0), ("checkpoint", 3), ("checkpoint_every", 0), ("batch", 0)],
)
def test_nonsense_is_found_before_the_work(kind, name, value):
    with pytest.raises(hr.ParameterError, match=rf"^{name} must "):
        check_settings(kind(**{name: value}))


@pytest.mark.parametrize("base", [HRSNNClassifier, HRSNNTransformer])
def test_a_class_made_of_one_of_ours_may_have_fewer_words(base):
    class Small(base):
        def __init__(self, seed=3):
            super().__init__(seed=seed, feature_layer=layer(), encoder=ENCODER)

    made = Small().fit(CLIPS, LABELS)
    check_settings(made)
    made.batch = 0
    with pytest.raises(hr.ParameterError, match=r"^batch must "):
        check_settings(made)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("heavy", r'must be None, "balanced" or weights by label; got \'heavy\''),
        ([1.0], r'must be None, "balanced" or weights by label; got \[1.0\]'),
        ({"a": True}, "must be finite and at least 0; got True for 'a'"),
        ({"a": 1.0, 2: 1.0}, "got"),
    ],
)
def test_weights_of_classes_are_looked_at_without_labels(value, message):
    with pytest.raises(hr.ParameterError, match=rf"^class_weight .*{message}"):
        check_settings(HRSNNClassifier(class_weight=value))

"""Feature layers: what they learn, for any number of threads, and what they refuse."""

import copy
import re

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.learning import FeatureLayer, Readout
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

SIDE = 12


def bars(n: int, seed: int = 0) -> tuple[list[hr.Events], np.ndarray]:
    """Moving bars, upright or lying, each pixel of which is seen at its own time."""
    random = np.random.default_rng(seed)
    clips, labels = [], random.integers(0, 2, n)
    for label in labels:
        place, along = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
        t = place * 20_000 + random.integers(0, 3_000, place.shape) + 10_000
        y, x = (place, along) if label else (along, place)
        order = np.argsort(t.ravel(), kind="stable")
        channel = (y * SIDE + x).ravel()[order]
        clips.append(hr.Events(t.ravel()[order], channel, SIDE * SIDE, 300_000))
    return clips, labels


def layer(**settings) -> FeatureLayer:
    words = {"n_features": 6, "n_patches": 150, "spikes": 60.0, "n_windows": 1, "pool": 6}
    return FeatureLayer((SIDE, SIDE), 1, **words | settings)


@pytest.fixture(scope="module")
def learned() -> FeatureLayer:
    return layer().fit(bars(20)[0])


def test_fields_become_bars(learned):
    def elongation(fields):
        rows, columns = fields[:, 0].sum(2), fields[:, 0].sum(1)
        return np.maximum(rows.std(1), columns.std(1)).mean()

    assert elongation(learned.fields_) > 2.0 * elongation(learned.fields_before_)


def test_fields_have_length_1(learned):
    for fields in (learned.fields_, learned.fields_before_):
        assert fields.shape == (6, 1, 5, 5)
        np.testing.assert_allclose(np.linalg.norm(fields.reshape(6, -1), axis=1), 1.0)


def test_features_tell_what_counts_cannot():
    clips, labels = bars(40, seed=1)
    model = make_pipeline(layer(pool=100), Readout()).fit(clips[:20], labels[:20])
    assert model.score(clips[20:], labels[20:]) > 0.9


def test_calibration_reaches_the_spikes_asked_for(learned):
    stats = learned.transform_with_stats(bars(20)[0])[1]
    assert np.mean([s.n_spikes for s in stats]) == pytest.approx(60.0, rel=0.15)


def banked(**settings) -> FeatureLayer:
    tau = np.repeat([5.0, 20.0, 200.0], 4)
    words = {"n_features": 12, "n_banks": 3, "neuron": hr.LIF(tau_m=tau, t_ref=10.0)}
    return layer(**words | settings)


CHANGED = {
    "plane": (13, 12),
    "polarities": 2,
    "field": 3,
    "stride": 1,
    "n_features": 3,
    "n_banks": 2,
    "pool": 2,
    "inhibition": 5.0,
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_fitted_is_not_used_or_written_with_other_parameters(learned, name, tmp_path):
    clips = bars(3)[0]
    fitted = copy.deepcopy(learned).set_params(**{name: CHANGED[name]})
    uses = {
        "save": lambda: fitted.save(tmp_path / "layer"),
        "transform": lambda: fitted.transform(clips),
        "maps": lambda: list(fitted.feature_maps(clips)),
        "names": fitted.get_feature_names_out,
        "n_features_out_": lambda: fitted.n_features_out_,
    }
    for use in uses.values():
        with pytest.raises(
            hr.ParameterError, match=rf"^{name} must be .*, with which this Feature"
        ):
            use()
    assert not (tmp_path / "layer").exists()
    # A file holds the same, and takes the parameter back.
    fitted.set_params(**{name: getattr(learned, name)}).save(tmp_path / "layer")
    read = FeatureLayer.load(tmp_path / "layer").set_params(**{name: CHANGED[name]})
    with pytest.raises(hr.ParameterError, match=rf"^{name} must be "):
        read.transform(clips)


def test_windows_may_be_others_than_in_the_fit(learned, tmp_path):
    clips = bars(3)[0]
    other = copy.deepcopy(learned).set_params(n_windows=3, windows="time", seed=8, neuron=hr.LIF())
    table = other.transform(clips)
    assert table.shape == (3, other.n_features_out_) == (3, 3 * learned.n_features_out_)
    assert len(other.get_feature_names_out()) == other.n_features_out_
    other.save(tmp_path / "layer")
    np.testing.assert_array_equal(FeatureLayer.load(tmp_path / "layer").transform(clips), table)


def test_banks_learn_as_if_each_were_alone():
    clips, (together, alone) = bars(20)[0], (banked(), layer(n_features=4))
    together.fit(clips)
    for bank, tau in enumerate([5.0, 20.0, 200.0]):
        here = slice(4 * bank, 4 * bank + 4)
        drawn = together.fields_before_[here].reshape(4, -1).T.ravel()
        alone.set_params(weight=drawn, neuron=hr.LIF(tau_m=tau, t_ref=10.0)).fit(clips)
        np.testing.assert_allclose(alone.fields_, together.fields_[here], rtol=1e-6, atol=1e-9)


def test_banks_spike_equally_often_and_only_within_a_bank_one_wins():
    clips = bars(20)[0]
    fitted = banked(spikes=90.0).fit(clips)
    counts = fitted.transform(clips).reshape(len(clips), -1, 3, 4).sum((1, 3))
    np.testing.assert_allclose(counts.mean(0), 30.0, rtol=0.2)
    spikes = fitted.network_.run(clips[0]).spikes
    moments, at = spikes["t"].to_numpy(), spikes["neuron"].to_numpy()
    place, bank = at // 12, at % 12 // 4
    winners = set(zip(moments, place, bank, strict=True))
    assert len(winners) == len(at)
    assert len(set(zip(moments, place, strict=True))) < len(at)


def test_banks_come_back_from_a_file(tmp_path):
    clips = bars(8)[0]
    fitted = banked().fit(clips)
    fitted.save(tmp_path / "layer")
    read = FeatureLayer.load(tmp_path / "layer")
    np.testing.assert_array_equal(read.transform(clips), fitted.transform(clips))
    tiled = FeatureLayer.of_parts(None, fitted.to_arrays(), fitted.to_metadata())
    np.testing.assert_array_equal(tiled.transform(clips), fitted.transform(clips))


def test_banks_are_equally_large():
    with pytest.raises(hr.ParameterError, match="n_features must be a multiple of n_banks; got 6"):
        layer(n_banks=4).fit(bars(4)[0])


def test_columns_have_names(learned):
    table = learned.transform(bars(3)[0])
    names = learned.get_feature_names_out()
    assert table.shape == (3, learned.n_features_out_) == (3, len(names))
    assert names[0] == "window0_row0_column0_feature0"


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_no_bit(learned, n_threads):
    other = layer(n_threads=n_threads).fit(bars(20)[0])
    np.testing.assert_array_equal(other.fields_, learned.fields_)
    clips = bars(4, seed=2)[0]
    np.testing.assert_array_equal(other.transform(clips), learned.transform(clips))


@pytest.mark.parametrize("filters", ["drawn", "shuffled", "exemplars"])
def test_controls_share_all_but_the_fields(learned, filters):
    control = layer(filters=filters).fit(bars(20)[0])
    assert control.fields_.shape == learned.fields_.shape
    np.testing.assert_array_equal(control.fields_before_, learned.fields_before_)
    if filters == "drawn":
        np.testing.assert_array_equal(control.fields_, control.fields_before_)
    if filters == "shuffled":
        both = (np.sort(f.reshape(6, -1), axis=1) for f in (control.fields_, learned.fields_))
        np.testing.assert_allclose(*both)
        assert not np.allclose(control.fields_, learned.fields_)


def test_laws_make_features_differ():
    made = layer(
        neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0), t_ref=10.0),
        plasticity=hr.STDP(
            a_plus=hr.Gamma(mean=0.3), a_minus=0.0, tau_plus=hr.Gamma(mean=15.0), w_max=1e3,
            inputs=True,
        ),
        weight=hr.LogNormal(mean=1.0, std=0.5),
    ).fit(bars(10)[0])  # fmt: skip
    tau = made.network_.neuron_parameters["tau_m"].reshape(-1, 6)
    assert len(np.unique(tau[0])) == 6
    assert (tau == tau[0]).all()


def test_it_is_cloned_and_keeps_its_parameters():
    made = layer(stride=3, inhibition=12.0)
    assert clone(made).get_params() == made.get_params()


def test_it_goes_on_from_its_file(learned, tmp_path):
    learned.save(tmp_path / "layer.safetensors")
    loaded = FeatureLayer.load(tmp_path / "layer.safetensors")
    clips = bars(3, seed=5)[0]
    np.testing.assert_array_equal(loaded.transform(clips), learned.transform(clips))
    np.testing.assert_array_equal(loaded.fields_, learned.fields_)
    assert loaded.calibration_ == learned.calibration_
    again, first = (one.fit(bars(8)[0]).fields_ for one in (clone(loaded), clone(learned)))
    np.testing.assert_array_equal(again, first)


def test_laws_go_through_dictionaries():
    made = layer(neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0)), weight=hr.Uniform(1.0, 2.0))
    assert FeatureLayer.from_dict(made.to_dict()).to_dict() == made.to_dict()


def test_other_files_are_no_layers(tmp_path):
    hr.Network(2, 3).save(tmp_path / "net.safetensors")
    with pytest.raises(hr.FormatError, match="is no feature layer"):
        FeatureLayer.load(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"field": 4}, "field must be odd; got 4."),
        ({"stride": 0}, "stride must be at least 1; got 0."),
        ({"n_features": 0}, "n_features must be at least 1; got 0."),
        ({"pool": 0}, "pool must be at least 1; got 0."),
        ({"spikes": 0.0}, "spikes must be greater than 0; got 0.0."),
        ({"filters": "best"}, "filters must be one of learned, drawn, shuffled, exemplars; got"),
        ({"learning_rate": (1.0, -1.0)}, "learning_rate must be at least 0; got -1.0 at index 1."),
        ({"plasticity": hr.STDP()}, "plasticity must have inputs=True for a feature layer."),
        ({"n_windows": 2.0}, "n_windows must be an integer, not a float; got 2.0."),
        ({"most_events": 0}, "most_events must be at least 1; got 0."),
    ],
)
def test_nonsense_is_refused_by_name(settings, words):
    with pytest.raises(hr.ParameterError, match="^" + re.escape(words)):
        layer(**settings).fit(bars(3)[0])


def test_samples_of_another_plane_are_refused():
    with pytest.raises(hr.ShapeError, match=r"^sample 0 must have 144 channels; got 9\.$"):
        layer().fit([hr.Events([1], [1], 9)])

import numpy as np
import pytest
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.learning.left_out import LeftOut, folds_of
from hrsnn_rs.learning.readout import Readout
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks


@pytest.fixture
def gestures():
    random = np.random.default_rng(7)
    labels = np.tile(np.arange(3), 20)
    counts = random.poisson(2.0, size=(60, 4, 25)).astype(np.float32)
    for label in range(3):
        counts[labels == label, label, : 4 + label] += 2
    return counts, labels, np.repeat(np.arange(10), 6)


def test_it_is_log1p_standardisation_and_ridge(gestures):
    counts, labels, _ = gestures
    readout = Readout(alpha=30.0).fit(counts[:40], labels[:40])
    flat = np.log1p(counts.reshape(60, -1).astype(np.float64))
    scaler = StandardScaler().fit(flat[:40])
    ridge = RidgeClassifier(alpha=30.0).fit(scaler.transform(flat[:40]), labels[:40])
    expected = ridge.decision_function(scaler.transform(flat[40:]))
    # Both solve the same system of 40 equations in double precision.
    np.testing.assert_allclose(readout.decision_function(counts[40:]), expected, atol=1e-10)


def test_statistics_are_those_of_the_training_samples_only(gestures):
    counts, labels, _ = gestures
    readout = Readout().fit(counts[:40], labels[:40])
    before = readout.decision_function(counts[40:])
    readout.decision_function(counts[40:] * 100)
    np.testing.assert_array_equal(readout.decision_function(counts[40:]), before)
    np.testing.assert_allclose(
        readout.mean_, np.log1p(counts[:40].reshape(40, -1)).mean(axis=0), atol=1e-6
    )


def test_features_are_not_changed(gestures):
    counts, labels, _ = gestures
    kept = counts.copy()
    Readout().fit(counts, labels).predict(counts)
    Readout(compression="none").fit(counts, labels).predict(counts)
    np.testing.assert_array_equal(counts, kept)


@pytest.mark.parametrize("n_features", [8, 100])
@pytest.mark.parametrize("with_groups", [True, False])
def test_left_out_predictions_are_those_of_refitting(gestures, n_features, with_groups):
    counts, labels, groups = gestures
    flat = np.log1p(counts.reshape(60, -1)[:, :n_features].astype(np.float64))
    flat -= flat.mean(axis=0)
    folds = folds_of(flat, labels, groups if with_groups else None)
    alphas = [0.5, 20.0, 300.0]
    ranked = []
    for alpha in alphas:
        hits, error = 0, 0.0
        for fold in folds:
            rest = np.setdiff1d(np.arange(60), fold)
            ridge = RidgeClassifier(alpha=alpha).fit(flat[rest], labels[rest])
            hits += int((ridge.predict(flat[fold]) == labels[fold]).sum())
            targets = np.where(labels[fold][:, None] == np.arange(3), 1.0, -1.0)
            error += np.square(ridge.decision_function(flat[fold]) - targets).sum()
        ranked.append((-hits, error, alpha))
    best = min(ranked)[2]
    assert LeftOut(flat, labels, np.ones(60), folds).best_alpha(alphas) == best


def test_folds_keep_groups_together(gestures):
    counts, labels, groups = gestures
    folds = folds_of(counts.reshape(60, -1), labels, groups)
    expected = [fold for _, fold in GroupKFold(5).split(labels, groups=groups)]
    assert len(folds) == 5
    for fold, same in zip(folds, expected, strict=True):
        np.testing.assert_array_equal(fold, same)


def test_alpha_is_chosen_among_the_candidates(gestures):
    counts, labels, groups = gestures
    readout = Readout(alpha=[1.0, 1e3]).fit(counts, labels, groups=groups)
    assert readout.alpha_ in (1.0, 1e3)
    assert Readout(alpha=5.0).fit(counts, labels).alpha_ == 5.0


@pytest.mark.parametrize(
    "names",
    [
        np.array([3, 5, 9]),
        np.array([-1, 0, 4], dtype=np.int32),
        np.array(["clap", "wave", "dreh'n\"\\ µ"]),
        np.array(["a", "b", "b"]),
    ],
)
def test_arrays_bring_back_the_same_bits(gestures, names):
    counts, labels, _ = gestures
    readout = Readout().fit(counts, names[labels])
    arrays = readout.to_arrays()
    assert all(array.dtype.kind in "fiu" for array in arrays.values())
    same = Readout.from_arrays(arrays)
    np.testing.assert_array_equal(same.decision_function(counts), readout.decision_function(counts))
    np.testing.assert_array_equal(same.predict(counts), readout.predict(counts))
    np.testing.assert_array_equal(same.classes_, readout.classes_)


def test_arrays_are_copies(gestures):
    counts, labels, _ = gestures
    readout = Readout().fit(counts, labels)
    before = readout.decision_function(counts)
    readout.to_arrays()["coef"][:] = 0
    np.testing.assert_array_equal(readout.decision_function(counts), before)


def test_incomplete_or_ill_fitting_arrays_are_refused(gestures):
    counts, labels, _ = gestures
    arrays = Readout().fit(counts, labels).to_arrays()
    for name in arrays:
        fewer = {key: array for key, array in arrays.items() if key != name}
        with pytest.raises(FormatError, match="incomplete"):
            Readout.from_arrays(fewer)
    for name in ("coef", "intercept", "mean", "scale", "alpha", "temperature"):
        with pytest.raises(FormatError, match="do not fit"):
            Readout.from_arrays(arrays | {name: arrays[name][..., :-1]})
    with pytest.raises(FormatError, match="incomplete"):
        Readout.from_arrays(arrays | {"classes": np.frombuffer(b"{}", dtype=np.uint8)})


def test_features_that_never_change_do_no_harm(gestures):
    counts, labels, _ = gestures
    counts[:, :, 7] = 0.1
    readout = Readout().fit(counts, labels)
    assert np.isfinite(readout.decision_function(counts)).all()
    flat = readout.scale_.reshape(4, 25)
    np.testing.assert_array_equal(flat[:, 7], 1.0)


@pytest.mark.parametrize("alpha", [0.0, -1.0, np.nan, np.inf, [], [1.0, -2.0], "much", None])
def test_nonsense_alpha_is_named(gestures, alpha):
    counts, labels, _ = gestures
    with pytest.raises(ParameterError, match=r"^alpha must be"):
        Readout(alpha=alpha).fit(counts, labels)


def test_other_nonsense_is_named(gestures):
    counts, labels, groups = gestures
    with pytest.raises(ParameterError, match=r"compression must be one of .* got 'sqrt'"):
        Readout(compression="sqrt").fit(counts, labels)
    with pytest.raises(ParameterError, match="1 class"):
        Readout().fit(counts, np.zeros(60))
    with pytest.raises(ShapeError, match=r"groups must have shape \(60,\); got \(59,\)"):
        Readout().fit(counts, labels, groups=groups[1:])
    with pytest.raises(ShapeError, match="inconsistent"):
        Readout().fit(counts, labels[1:])
    bad = counts.copy()
    bad[3, 1, 2] = np.nan
    with pytest.raises(ParameterError, match="NaN"):
        Readout().fit(bad, labels)
    bad[3, 1, 2] = -1
    with pytest.raises(ParameterError, match=r"got -1\.0 at sample 3, feature 27"):
        Readout().fit(bad, labels)
    with pytest.raises(ShapeError, match="expecting 100 features"):
        Readout().fit(counts, labels).predict(counts[:, :2])


@pytest.mark.parametrize("alpha", [20.0, (1.0, 30.0, 1e3)])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 2: 0.5}])
def test_a_weight_counts_copies(gestures, alpha, class_weight):
    counts, labels, _ = gestures
    weights = np.random.default_rng(3).integers(0, 4, 60)
    weighted = Readout(alpha, class_weight=class_weight)
    weighted.fit(counts, labels, sample_weight=weights)
    repeated = Readout(alpha, class_weight=class_weight)
    repeated.fit(counts.repeat(weights, axis=0), labels.repeat(weights))
    assert weighted.alpha_ == repeated.alpha_
    # Sums in another order.
    for name in ("mean_", "scale_", "coef_", "intercept_", "temperature_"):
        np.testing.assert_allclose(
            getattr(weighted, name), getattr(repeated, name), rtol=1e-8, atol=1e-10
        )


def test_left_out_weighted_predictions_are_those_of_refitting(gestures):
    counts, labels, groups = gestures
    flat = np.log1p(counts.reshape(60, -1).astype(np.float64))
    weights = np.random.default_rng(4).uniform(0.1, 5.0, 60)
    folds = folds_of(flat, labels, groups)
    predicted = LeftOut(flat, labels, weights, folds).predictions(20.0)
    for fold in folds:
        rest = np.setdiff1d(np.arange(60), fold)
        ridge = RidgeClassifier(alpha=20.0).fit(flat[rest], labels[rest], weights[rest])
        # Both solve the same systems in double precision.
        np.testing.assert_allclose(predicted[fold], ridge.decision_function(flat[fold]), atol=1e-9)


def test_weights_of_classes_are_those_of_ridge(gestures):
    counts, labels, _ = gestures
    readout = Readout(alpha=5.0, class_weight={0: 4.0, 1: 0.3}).fit(counts, labels)
    flat = StandardScaler().fit_transform(np.log1p(counts.reshape(60, -1).astype(np.float64)))
    ridge = RidgeClassifier(alpha=5.0, class_weight={0: 4.0, 1: 0.3, 2: 1.0}).fit(flat, labels)
    np.testing.assert_allclose(readout.coef_, ridge.coef_, atol=1e-10)


def test_weights_of_one_change_no_bit(gestures):
    counts, labels, groups = gestures
    plain = Readout().fit(counts, labels, groups)
    ones = Readout(class_weight="balanced").fit(counts, labels, groups, np.ones(60))
    for name in ("alpha_", "mean_", "scale_", "coef_", "intercept_", "temperature_"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(ones, name))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("with_groups", [True, False])
def test_probabilities_keep_the_order_of_decisions(gestures, n_classes, with_groups):
    counts, labels, groups = gestures
    y = np.minimum(labels, n_classes - 1)
    readout = Readout().fit(counts, y, groups if with_groups else None)
    shares = readout.predict_proba(counts)
    assert shares.shape == (60, n_classes)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(readout.classes_[shares.argmax(axis=1)], readout.predict(counts))
    scores = readout.decision_function(counts)
    if n_classes == 2:
        expected = 1.0 / (1.0 + np.exp(-2.0 * scores / readout.temperature_))
        np.testing.assert_allclose(shares[:, 1], expected, rtol=1e-12)


def test_the_temperature_is_the_likeliest_of_left_out_predictions(gestures):
    counts, labels, groups = gestures
    flat = np.log1p(counts.reshape(60, -1).astype(np.float64))
    left_out = LeftOut(flat, labels, np.ones(60), folds_of(flat, labels, groups))
    scores = left_out.predictions(10.0)
    truth = np.where(labels[:, None] == np.arange(3), 61.0 / 63.0, 1.0 / 63.0)

    def loss(temperature):
        scaled = scores / temperature
        return (np.log(np.exp(scaled).sum(axis=1)) - (truth * scaled).sum(axis=1)).sum()

    best = left_out.temperature(10.0)
    around = [loss(best * factor) for factor in (0.9, 0.999, 1.0, 1.001, 1.1)]
    assert np.argmin(around) == 2


def test_probabilities_say_how_often_they_are_right(measure):
    """Expected calibration error on 4000 new samples: below 0.05, where unscaled it is above."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 4200)
    counts = random.poisson(3.0 + 1.2 * (labels[:, None] == np.arange(9) % 3))
    readout = Readout().fit(counts[:200], labels[:200])
    shares = readout.predict_proba(counts[200:])
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == labels[200:]
    bins = np.minimum((sure * 10).astype(int), 9)
    gap = sum(
        abs(right[bins == one].mean() - sure[bins == one].mean()) * (bins == one).mean()
        for one in np.unique(bins)
    )
    measure("calibration error", gap)
    assert gap < 0.05
    raw = np.exp(readout.decision_function(counts[200:]))
    raw = (raw / raw.sum(axis=1, keepdims=True)).max(axis=1)
    assert abs(raw.mean() - right.mean()) > 2 * abs(sure.mean() - right.mean())


def test_what_tells_nothing_apart_is_a_guess():
    counts = np.random.default_rng(0).poisson(3.0, size=(40, 6))
    shares = (
        Readout().fit(counts, np.random.default_rng(1).permutation(40) % 2).predict_proba(counts)
    )
    assert np.abs(shares - 0.5).max() < 0.35
    same = Readout().fit(np.ones((6, 2)), [0, 1] * 3)
    np.testing.assert_allclose(same.predict_proba(np.ones((1, 2))), 0.5, atol=1e-6)


#: These feed negative numbers to whoever says that there must be none.
NEGATIVE = ("check_class_weight_classifiers", "check_decision_proba_consistency")


def expected_failures(estimator):
    wants_counts = getattr(estimator, "compression", "none") == "log1p"
    return dict.fromkeys(NEGATIVE, "counts are not negative") if wants_counts else {}


@parametrize_with_checks(
    [Readout(), Readout(compression="none")], expected_failed_checks=expected_failures
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_a_common_scale_keeps_what_varies_little_small():
    random = np.random.default_rng(0)
    features = random.normal(size=(40, 5)) * [1.0, 2.0, 3.0, 1e-3, 0.0]
    labels = np.arange(40) % 2
    each = Readout(compression="none").fit(features, labels)
    common = Readout(compression="none", scaling="common").fit(features, labels)
    np.testing.assert_allclose(each.scale_[:4], features[:, :4].std(axis=0))
    np.testing.assert_allclose(common.scale_, np.sqrt((features.var(axis=0)).mean()))
    again = Readout.from_arrays(common.to_arrays())
    np.testing.assert_array_equal(again.predict(features), common.predict(features))
    assert again.scaling == "common"


@pytest.mark.parametrize("value", ["all", None, 1])
def test_an_unknown_scaling_is_refused(value):
    with pytest.raises(ParameterError, match=r"^scaling must be one of"):
        Readout(scaling=value).fit(np.eye(4), [0, 0, 1, 1])


def test_compression_is_that_of_the_fit():
    counts = np.random.default_rng(0).poisson(3.0, (20, 4))
    labels = np.tile([0, 1], 10)
    for readout in (
        Readout(alpha=1.0).fit(counts, labels),
        Readout.from_arrays(Readout(alpha=1.0).fit(counts, labels).to_arrays()),
    ):
        before = readout.decision_function(counts)
        readout.set_params(compression="none", alpha=5.0, scaling="common")
        for fails in (readout.to_arrays, lambda of=readout: of.predict(counts)):
            with pytest.raises(ParameterError, match=r"^compression must be .log1p., with which"):
                fails()
        readout.set_params(compression="log1p")
        assert np.array_equal(readout.decision_function(counts), before)

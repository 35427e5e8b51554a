"""The readout of large tables: in blocks it comes to what the exact solution of small ones says."""

import warnings

import numpy as np
import pytest
from hrsnn_rs.learning import Readout, feature_table, readout_fit
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.large_ridge import LargeLeftOut, shifted_solutions
from hrsnn_rs.learning.left_out import LeftOut, folds_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

ALPHAS = [0.5, 10.0, 1e3]


def clips(n=120, n_windows=2, n_units=9, n_classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, n)
    rates = random.gamma(2.0, 2.0, (n_classes, n_windows, n_units))
    return random.poisson(rates[labels]).astype(np.float32), labels, random.integers(0, 7, n)


@pytest.fixture
def in_blocks(monkeypatch):
    """Take every table for a large one, of which a few rows are read at a time."""
    monkeypatch.setattr(readout_fit, "SMALL", 0)
    monkeypatch.setattr(feature_table, "_BLOCK", 1000)
    monkeypatch.setattr(feature_table, "IN_MEMORY", 2000)
    monkeypatch.setattr("hrsnn_rs.learning.large_ridge._ROUGHLY", 1e-7)


@given(
    n=st.integers(1, 8),
    k=st.integers(1, 3),
    rank=st.integers(0, 8),
    alphas=st.lists(st.floats(1e-2, 1e3), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 999),
)
@settings(max_examples=100, deadline=None)
def test_shifted_systems_are_solved_as_one_by_one(n, k, rank, alphas, seed):
    random = np.random.default_rng(seed)
    half = random.normal(size=(n, min(rank, n)))
    matrix, right = half @ half.T, random.normal(size=(n, k))
    right[:, 0] *= seed % 2
    found, is_near = shifted_solutions(lambda x: matrix @ x, right, sorted(alphas), 1e-9, 200)
    assert is_near
    for alpha, solution in zip(sorted(alphas), found, strict=True):
        exact = np.linalg.solve(matrix + alpha * np.eye(n), right)
        np.testing.assert_allclose(solution, exact, rtol=1e-6, atol=1e-6 * abs(exact).max())


@pytest.mark.parametrize("n_classes", [2, 4])
def test_left_out_predictions_are_those_of_the_exact_solution(n_classes, in_blocks):
    features, labels, groups = clips(n_classes=n_classes)
    rows = np.log1p(features).reshape(len(labels), -1).astype(np.float64)
    rows = (rows - rows.mean(axis=0)) / rows.std()
    weights = np.random.default_rng(1).uniform(0.5, 3.0, len(rows))
    exact = LeftOut(rows, labels, weights, folds_of(rows, labels, groups))
    table = FeatureTable([rows.astype(np.float32)])
    large = LargeLeftOut(table, labels, weights, np.arange(len(rows)), groups, ALPHAS)
    for alpha in ALPHAS:
        np.testing.assert_allclose(large.predictions(alpha), exact.predictions(alpha), atol=2e-5)
    assert large.best_alpha(ALPHAS) == exact.best_alpha(ALPHAS)
    assert large.temperature(10.0) == pytest.approx(exact.temperature(10.0), rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "n_classes"),
    [
        ({}, 3),
        ({"scaling": "common"}, 2),
        ({"compression": "none", "alpha": 3.0}, 4),
        ({"class_weight": {0: 2.0, 1: 0.0, 2: 1.0}}, 3),
        ({"class_weight": "balanced"}, 2),
    ],
)
@pytest.mark.parametrize("is_table", [False, True])
def test_a_large_readout_is_a_small_one(parameters, n_classes, is_table, in_blocks, monkeypatch):
    features, labels, groups = clips(n_classes=n_classes)
    features[:, 0, 3] = 2.0
    weights = np.random.default_rng(2).integers(0, 3, len(labels)).astype(float)
    given = FeatureTable(np.array_split(features, 5)) if is_table else features
    large = Readout(**parameters).fit(given, labels, groups, weights)
    assert np.allclose(
        large.decision_function(given), large.decision_function(features), rtol=1e-12
    )
    monkeypatch.setattr(readout_fit, "SMALL", 2**40)
    small = Readout(**parameters).fit(given, labels, groups, weights)
    assert large.alpha_ == small.alpha_
    assert large.n_features_in_ == small.n_features_in_
    assert large.classes_.tolist() == small.classes_.tolist()
    np.testing.assert_allclose(large.mean_, small.mean_, rtol=1e-12)
    np.testing.assert_allclose(large.scale_, small.scale_, rtol=1e-12)
    np.testing.assert_allclose(large.coef_, small.coef_, atol=1e-4 * abs(small.coef_).max())
    np.testing.assert_allclose(large.intercept_, small.intercept_, atol=1e-4)
    assert large.temperature_ == pytest.approx(small.temperature_, rel=1e-3)


def test_a_weight_of_two_is_two_copies_without_groups_too(in_blocks):
    features, labels, _ = clips()
    twice = np.arange(len(labels)) % 3 == 0
    weighted = Readout(alpha=ALPHAS).fit(features, labels, sample_weight=1.0 + twice)
    copies = Readout(alpha=ALPHAS).fit(
        np.concatenate([features, features[twice]]), np.concatenate([labels, labels[twice]])
    )
    assert weighted.alpha_ == copies.alpha_
    np.testing.assert_allclose(weighted.coef_, copies.coef_, atol=1e-4 * abs(copies.coef_).max())
    assert weighted.temperature_ == pytest.approx(copies.temperature_, rel=1e-3)


def test_an_array_and_a_table_give_the_same_bits_wherever_rows_lie(in_blocks):
    features, labels, groups = clips()
    whole = Readout().fit(features, labels, groups)
    table = FeatureTable(np.array_split(features, 7), memory=0)
    assert Readout().fit(table, labels, groups).coef_.tobytes() == whole.coef_.tobytes()
    again = Readout().fit(features.astype(np.float64), labels, groups)
    np.testing.assert_allclose(again.coef_, whole.coef_, rtol=1e-5, atol=1e-9)


def test_what_cannot_be_solved_in_time_is_said(in_blocks, monkeypatch):
    features, labels, groups = clips()
    monkeypatch.setattr("hrsnn_rs.learning.large_ridge._MOST_PASSES", 2)
    with pytest.warns(ConvergenceWarning, match="in 2 passes over 120 samples"):
        Readout(alpha=1e-3).fit(features, labels, groups)
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Readout(alpha=1e-3).fit(features, labels, groups)


def test_negative_counts_are_refused_in_blocks_too(in_blocks):
    features, labels, groups = clips()
    features[70, 1, 2] = -1.0
    with pytest.raises(ValueError, match="features must not be negative"):
        Readout().fit(features, labels, groups)


@pytest.mark.parametrize("spread", [1e4, 1e8])
def test_what_is_called_near_is_near(spread):
    random, n_wrong = np.random.default_rng(5), 0
    for _ in range(60):
        turned, _ = np.linalg.qr(random.normal(size=(30, 30)))
        matrix = turned @ np.diag(np.geomspace(1.0, spread, 30)) @ turned.T
        right, alphas = random.normal(size=(30, 4)), [1.0, 10.0, 1e3, 1e5]
        found, is_near = shifted_solutions(lambda x: matrix @ x, right, alphas, 1e-3, 2000)  # noqa: B023
        assert is_near
        for alpha, solution in zip(alphas, found, strict=True):
            missed = right - matrix @ solution - alpha * solution
            far = np.linalg.norm(missed, axis=0) / np.linalg.norm(right, axis=0)
            n_wrong += int((far > 1.5e-3).sum())
    assert n_wrong == 0


def test_classes_may_come_in_turn(in_blocks):
    random = np.random.default_rng(0)
    labels = np.arange(300) % 5
    features = random.poisson(3.0, (300, 40)).astype(np.float32)
    for label in range(5):
        features[labels == label, 3 * label : 3 * label + 3] += 4
    fitted = Readout().fit(features, labels)
    assert fitted.score(features, labels) > 0.95
    assert fitted.predict_proba(features).max(axis=1).mean() > 0.8


@pytest.mark.parametrize("size", [1e-40, 1e30])
def test_weights_may_be_of_any_size(size, in_blocks):
    features, labels, groups = clips()
    alpha = 10.0
    ones = Readout(alpha=alpha).fit(features, labels, groups)
    weighted = Readout(alpha=alpha * size).fit(features, labels, groups, np.full(len(labels), size))
    np.testing.assert_allclose(weighted.coef_, ones.coef_, atol=1e-4 * abs(ones.coef_).max())


def test_a_fault_is_named_by_its_place_in_the_whole_table(in_blocks):
    features, labels, groups = clips()
    for value, words in (
        (-1.0, "not be negative.* at sample 70, "),
        (np.nan, "finite; got nan at s"),
    ):
        features[70, 1, 2] = value
        with pytest.raises(ValueError, match=words):
            Readout().fit(FeatureTable([features]), labels, groups)

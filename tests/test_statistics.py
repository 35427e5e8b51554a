"""Distributions and degrees follow their laws.

Two-level tests: each of `N_SEEDS` fixed seeds gives a p-value; under the law these are
uniform, which a Kolmogorov-Smirnov test examines at level `ALPHA`. There are 19 such
examinations below (12 of values, 1 of neighbours, 6 of graphs), so with fresh seeds the
false-alarm rate of this file would be at most 19 * 1e-4 = 0.19 %, and 7e-6 from the
moments. With the fixed seeds it is 0 or 1: a failure is a finding.
"""

import math

import numpy as np
import pytest
from hrsnn_rs.connectivity import (
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.local_connectivity import LocalRecurrence
from hrsnn_rs.parameters import Gamma, LogNormal, Normal, Uniform
from scipy import stats

ALPHA = 1e-4
N_SEEDS = 60
SIGMA = math.sqrt(math.log1p(0.25**2))

LAWS = {
    "gamma": (Gamma(20.0, 3.0), stats.gamma(3.0, scale=20.0 / 3.0)),
    "gamma, shape < 1": (Gamma(2.0, 0.5), stats.gamma(0.5, scale=4.0)),
    "lognormal": (
        LogNormal(20.0, 5.0),
        stats.lognorm(SIGMA, scale=20.0 * math.exp(-0.5 * SIGMA**2)),
    ),
    "uniform": (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    "normal": (Normal(-2.0, 3.0), stats.norm(-2.0, 3.0)),
    "truncated normal": (Normal(0.0, 1.0, low=-0.5, high=2.0), stats.truncnorm(-0.5, 2.0)),
}


def assert_uniform(p_values):
    assert stats.kstest(p_values, "uniform").pvalue > ALPHA


@pytest.mark.parametrize(("law", "expected"), LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("one_per_row", [False, True], ids=["one row", "one per row"])
def test_values_follow_the_law(law, expected, one_per_row):
    offsets = np.arange(1001) if one_per_row else np.array([0, 1000])
    samples = (law.sample(offsets, seed, "law") for seed in range(N_SEEDS))
    assert_uniform([stats.kstest(values, expected.cdf).pvalue for values in samples])


@pytest.mark.parametrize(("law", "expected"), LAWS.values(), ids=LAWS)
def test_moments(law, expected):
    n = 200_000
    values = law.sample([0, n], 1, "moments")
    mean, variance, kurtosis = expected.stats("mvk")
    # 5 standard errors of the mean and of the variance: false alarm 6e-7 each.
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / n)
    assert abs(law.mean_drawn - mean) < 1e-9 * max(1.0, abs(mean))
    assert abs(values.var() - variance) < 5 * variance * math.sqrt((kurtosis + 2) / n)


def test_neighbouring_streams_are_independent():
    law = Uniform(0.0, 1.0)
    p_values = []
    for seed in range(N_SEEDS):
        values = law.sample_each(1001, seed, "neighbours")
        p_values.append(stats.pearsonr(values[1:], values[:-1]).pvalue)
    assert_uniform(p_values)


def chi_square(counts, expected, n_free):
    statistic = ((counts - expected) ** 2 / expected).sum()
    return stats.chi2.sf(statistic, n_free)


def test_random_connectivity_has_binomial_degrees():
    n, p = 400, 0.1
    p_in, p_out = [], []
    for seed in range(N_SEEDS):
        indptr, indices = RandomConnectivity(p=p).generate(n, n, seed, "degrees")
        for p_values, degrees in [
            (p_in, np.bincount(indices, minlength=n)),
            (p_out, np.diff(indptr)),
        ]:
            # Dispersion of independent binomial degrees; chi-square with n degrees of
            # freedom because the mean is known, not estimated.
            statistic = ((degrees - (n - 1) * p) ** 2).sum() / ((n - 1) * p * (1 - p))
            p_values.append(stats.chi2.sf(statistic, n))
    assert_uniform(p_in)
    assert_uniform(p_out)


def test_fixed_in_degree_chooses_all_sources_alike():
    n, k = 300, 20
    p_values = []
    for seed in range(N_SEEDS):
        indptr, _ = FixedInDegreeConnectivity(k=k).generate(n, n, seed, "degrees")
        # Each source is chosen by n - 1 others with probability k / (n - 1); out-degrees
        # are nearly independent binomials, their sum is fixed: n - 1 degrees of freedom.
        variance = k * (1 - k / (n - 1))
        statistic = ((np.diff(indptr) - k) ** 2).sum() / variance * (n - 1) / n
        p_values.append(stats.chi2.sf(statistic, n - 1))
    assert_uniform(p_values)


def test_rewired_targets_are_uniform():
    n = 200
    p_values = []
    for seed in range(N_SEEDS):
        rule = SmallWorldConnectivity(k=4, p_rewire=1.0)
        indptr, indices = rule.generate(n, n, seed, "degrees")
        steps = (indices.astype(int) - np.repeat(np.arange(n), np.diff(indptr))) % n
        # Far from the ring's neighbours, all distances are equally likely.
        counts = np.bincount(steps, minlength=n)[3 : n - 2]
        p_values.append(chi_square(counts, counts.mean(), counts.size - 1))
    assert_uniform(p_values)


def test_distance_rule_connects_as_often_as_it_says():
    grid, n = (6, 6, 6), 216
    rule = DistanceConnectivity(grid=grid, lambda_=2.0)
    places = rule.positions(n)
    squares = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    inhibitory = np.arange(n) % 5 == 0
    c = np.where(
        inhibitory[:, None],
        np.where(inhibitory, rule.c_ii, rule.c_ie),
        np.where(inhibitory, rule.c_ei, rule.c_ee),
    )
    p = c * np.exp(-squares / 4.0)
    np.fill_diagonal(p, 0.0)
    p_values = []
    for seed in range(N_SEEDS):
        indptr, indices = rule.generate(n, n, seed, "x", inhibitory=inhibitory)
        found = np.zeros((n, n), dtype=bool)
        found[np.repeat(np.arange(n), np.diff(indptr)), indices] = True
        # A weighted count is nearly normal; weights by distance test the fall-off.
        weight = squares
        z = ((found - p) * weight).sum() / math.sqrt((p * (1 - p) * weight**2).sum())
        p_values.append(2 * stats.norm.sf(abs(z)))
    assert_uniform(p_values)


def test_local_recurrence_prefers_near_sources():
    rule = LocalRecurrence(sensor=(20, 20), k=1, sigma=2.0)
    n = 300
    p_values = []
    for seed in range(N_SEEDS):
        places = rule.positions(n, seed)
        squares = ((places[:, None] - places[None]) ** 2).sum(axis=2)
        weight = np.exp(-squares / 8.0)
        np.fill_diagonal(weight, 0.0)
        p = weight / weight.sum(axis=0)
        indptr, indices = rule.generate(n, n, seed, "x")
        source = np.repeat(np.arange(n), np.diff(indptr))
        # One source each: the mean squared distance is a sum of independent draws.
        mean = (p * squares).sum(axis=0)
        variance = (p * squares**2).sum(axis=0) - mean**2
        z = (squares[source, indices] - mean[indices]).sum() / math.sqrt(variance.sum())
        p_values.append(2 * stats.norm.sf(abs(z)))
    assert_uniform(p_values)

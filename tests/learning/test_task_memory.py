from itertools import pairwise

import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.task_memory import (
    CONDITIONS,
    LAGS,
    N_CHANNELS,
    _membranes,
    capacity,
    linear_capacity,
    measure_memory,
    noise,
    random_graph,
)


def test_capacity_is_one_where_a_lag_is_known_and_nothing_elsewhere():
    values = np.random.default_rng(0).random(4000)
    by_lag = capacity(np.stack([np.roll(values, lag) for lag in (0, 7)], axis=1), values)
    assert by_lag[[0, 7]] == pytest.approx(1.0, abs=1e-3)
    others = np.delete(by_lag, [0, 7])
    # Squared correlations of 1120 steps, less their mean: of 49, the mean is off by 2e-4.
    assert abs(others.mean()) < 1e-3


def test_nothing_known_is_nothing_on_average():
    totals = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        totals.append(capacity(random.normal(size=(1000, 30)), random.random(1000)).sum())
    # A sum of 51 terms of spread sqrt(2) / 280 has one of 0.036; the mean of 20 one of 0.008.
    assert abs(np.mean(totals)) < 0.03


@pytest.mark.parametrize("silent", ["never", "late"])
def test_neurons_that_hardly_spike_do_no_harm(silent):
    random = np.random.default_rng(3)
    values = random.random(2000)
    known = np.stack([values, np.roll(values, 1)], axis=1) + random.normal(0.0, 0.1, (2000, 2))
    rare = np.zeros((2000, 1))
    rare[10, 0] = 1e-6
    if silent == "late":
        rare[1700:1900, 0] = 1.0
    with_rare = capacity(np.hstack([known, rare]), values)
    assert with_rare == pytest.approx(capacity(known, values), abs=1e-9)


def test_values_that_were_too_few_are_refused():
    with pytest.raises(ParameterError, match=r"n_samples must be at least 400; got 399\."):
        measure_memory([0], n_samples=399)


def test_one_half_goes_up_and_the_other_down():
    values = np.repeat([0.0, 1.0], 300)
    events = noise(values, np.random.default_rng(0))
    late = events.t >= 300 * 50_000
    up = events.channel < N_CHANNELS // 2
    assert (late == up).all()
    # 50 channels at 60 Hz for 15 s, twice: Poisson with a spread of 300.
    assert len(events) == pytest.approx(90_000, abs=1500)


@pytest.mark.parametrize("tau", [5.0, 80.0, 640.0])
def test_one_time_constant_holds_one_number(tau):
    weights, _, _ = random_graph(100, 0, 0.0)
    assert 0.8 < linear_capacity(weights, np.full(100, tau)) <= 1.0
    assert linear_capacity(weights, np.geomspace(5.0, 500.0, 100)) > 2.0


@pytest.mark.parametrize("tau_m", [np.full(4, 40.0), np.array([10.0, 40.0, 160.0, 640.0])])
def test_membranes_hold_what_theory_says(tau_m):
    random = np.random.default_rng(1)
    values = random.random(8000)
    weights, _, _ = random_graph(4, 0, 0.0)
    held = capacity(_membranes(noise(values, random), weights, tau_m, 8000), values).sum()
    # 2240 steps judge, at 51 lags: the error of the sum is some 0.04.
    assert held == pytest.approx(linear_capacity(weights, tau_m), abs=0.12)


@pytest.mark.parametrize("weight", CONDITIONS.values())
def test_graph(weight):
    weights, recurrent, delays = random_graph(60, 3, weight)
    assert ((weights != 0).sum(axis=0) == 20).all()
    positive, negative = weights.clip(0).sum(axis=0), -weights.clip(None, 0).sum(axis=0)
    assert negative == pytest.approx(0.9 * positive)
    if weight == 0.0:
        assert recurrent.nnz == 0
        return
    dense = recurrent.toarray()
    assert ((dense != 0).sum(axis=0) == 30).all()
    assert not dense.diagonal().any()
    # All that a neuron sends has one sign and one delay.
    assert all(len(set(row[row != 0])) == 1 for row in dense)
    ends = recurrent.indptr
    assert all(len(set(delays[a:b])) == 1 for a, b in pairwise(ends))
    assert {0.1 * 15.0, -4 * 0.1 * 15.0} == set(recurrent.data)


def test_rows_have_lags_and_the_linear_part_without_recurrence_alone():
    rows = measure_memory([0], n_neurons=20, n_samples=400)
    assert all(len(curve) == LAGS for curve in rows["by_lag"])
    assert rows["score"].to_list() == pytest.approx([sum(curve) for curve in rows["by_lag"]])
    assert (rows["linear"].is_null() == (rows["condition"] != "no recurrence")).all()

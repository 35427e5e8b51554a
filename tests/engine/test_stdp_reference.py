"""The learning rule, one synapse at a time, against sums over pairs written out by hand."""

import itertools
import math

import hrsnn_rs as hr
import numpy as np
import pytest
import reference
from scipy.sparse import csr_array

RULE = {
    "a_plus": 0.1,
    "a_minus": 0.05,
    "tau_plus": 15.0,
    "tau_minus": 34.0,
    "w_min": 0.0,
    "w_max": 2.0,
    "mu_plus": 0.0,
    "mu_minus": 0.0,
    "pairing": "all_to_all",
}
LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 0.0, "bias": 0.0}
DELAY_US = 1000
PAIRINGS = ("all_to_all", "nearest")


def learn(t_pre, t_post, *, weight=1.0, dtype="float64", duration=None, n_threads=1, **changed):
    """Weight of one synapse 0 -> 1 after forced spikes; a weak synapse moves no spike itself."""
    events = sorted([(int(t), 0) for t in t_pre] + [(int(t), 1) for t in t_post])
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag([40.0, 40.0])),
        recurrent=csr_array(np.array([[0.0, weight], [0.0, 0.0]])),
        input_delay=0.0,
        recurrent_delay=DELAY_US / 1000,
        neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**(RULE | changed)),
        plastic=np.array([True]),
        dtype=dtype,
    )
    t, channel = (np.array(column) for column in zip(*events, strict=True))
    duration = int(t[-1]) + DELAY_US + 1 if duration is None else duration
    result = network.run(hr.Events(t, channel, 2, duration), learn=True, n_threads=n_threads)
    assert result.spikes["t"].to_list() == t.tolist()  # as forced, and no others
    return float(network.recurrent_weights.data[0])


def f_plus(w, mu, w_max=2.0):
    return 1.0 if mu == 0 else (w_max - w) ** mu


def f_minus(w, mu, w_min=0.0):
    return 1.0 if mu == 0 else (w - w_min) ** mu


# --- the window of a pair -------------------------------------------------------------------

LAGS = [1, 2, 10, 333, 1000, 5000, 15_000, 40_000, 99_999, 100_000]


@pytest.mark.parametrize("mu", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("lag", [*(-lag for lag in LAGS), 0, *LAGS])
def test_pair_window(lag, pairing, mu):
    arrival, weight = 200_000, 1.3
    found = learn([arrival - DELAY_US], [arrival + lag], weight=weight,
                  mu_plus=mu, mu_minus=mu, pairing=pairing)  # fmt: skip
    if lag > 0:
        change = 0.1 * math.exp(-lag / 15_000) * f_plus(weight, mu)
    elif lag < 0:
        change = -0.05 * math.exp(lag / 34_000) * f_minus(weight, mu)
    else:
        assert found == weight  # a coincidence changes nothing, not even the last bit
        return
    assert found == pytest.approx(weight + change, rel=0, abs=1e-14)


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_amplitudes_and_time_constants_belong_to_the_synapse(pairing):
    # 60 synapses from one neuron to 60, all paired at the same lag, each with its own window.
    rng = np.random.default_rng(8)
    n = 60
    own = {
        "a_plus": rng.gamma(3.0, 0.01, n), "a_minus": rng.gamma(3.0, 0.01, n),
        "tau_plus": rng.gamma(3.0, 5.0, n), "tau_minus": rng.gamma(3.0, 11.0, n),
    }  # fmt: skip
    recurrent = np.zeros((n + 1, n + 1))
    recurrent[0, 1:] = 1.0
    inputs = np.zeros((2, n + 1))
    inputs[0, 0] = inputs[1, 1:] = 40.0
    network = hr.Network.from_arrays(
        inputs=csr_array(inputs), recurrent=csr_array(recurrent), neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**(RULE | own | {"pairing": pairing})), plastic=np.ones(n, dtype=bool),
        dtype="float64",
    )  # fmt: skip
    # Arrivals at 11 ms and 31 ms, post spike at 21 ms.
    network.run(hr.Events([10_000, 21_000, 30_000], [0, 1, 0], 2, 40_000), learn=True)
    expected = (
        1.0
        + own["a_plus"] * np.exp(-10 / own["tau_plus"])
        - own["a_minus"] * np.exp(-10 / own["tau_minus"])
    )
    np.testing.assert_allclose(network.recurrent_weights.data, expected, rtol=0, atol=1e-14)


# --- three and more spikes ------------------------------------------------------------------


def by_hand(arrivals, posts, weight, rule):
    """Walk through the merged times; traces are sums over the past, written out each time."""
    nearest = rule["pairing"] == "nearest"
    for t in sorted({*arrivals, *posts}):
        x = [math.exp(-(t - s) / (1000 * rule["tau_plus"])) for s in sorted(arrivals) if s < t]
        y = [math.exp(-(t - s) / (1000 * rule["tau_minus"])) for s in sorted(posts) if s < t]
        if nearest:
            x, y = x[-1:], y[-1:]
        if t in arrivals:
            f = f_minus(weight, rule["mu_minus"], rule["w_min"])
            weight = min(max(weight - rule["a_minus"] * sum(y) * f, rule["w_min"]), rule["w_max"])
        if t in posts:
            f = f_plus(weight, rule["mu_plus"], rule["w_max"])
            weight = min(max(weight + rule["a_plus"] * sum(x) * f, rule["w_min"]), rule["w_max"])
    return weight


@pytest.mark.parametrize("mu", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_every_order_of_a_few_spikes(pairing, mu):
    # Each of four slots holds an arrival, a post spike, both in one µs, or nothing.
    rule = RULE | {"pairing": pairing, "mu_plus": mu, "mu_minus": mu}
    slots = (50_000, 57_003, 71_111, 71_112)
    for kinds in itertools.product(("", "pre", "post", "pre post"), repeat=4):
        arrivals = [t for t, kind in zip(slots, kinds, strict=True) if "pre" in kind]
        posts = [t for t, kind in zip(slots, kinds, strict=True) if "post" in kind]
        if not arrivals or not posts:
            continue
        found = learn([t - DELAY_US for t in arrivals], posts, **rule)
        assert found == pytest.approx(by_hand(arrivals, posts, 1.0, rule), rel=0, abs=1e-13), kinds


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("on_grid", [False, True])
@pytest.mark.parametrize("mu", [(0.0, 0.0), (0.4, 0.4), (1.0, 1.0), (0.0, 1.0), (1.0, 0.4)])
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_long_poisson_trains(pairing, mu, on_grid, dtype):
    rng = np.random.default_rng((9, on_grid))
    step = 1000 if on_grid else 1  # on whole ms many arrivals meet a post spike
    slots = 3_000_000 // step
    t_pre, t_post = (
        np.sort(rng.choice(np.arange(2, slots), 150, replace=False)) * step for _ in range(2)
    )
    arrivals = set((t_pre + DELAY_US).tolist())
    posts = set(t_post.tolist())
    if on_grid:
        assert len(arrivals & posts) >= 3
    rule = RULE | {"pairing": pairing, "mu_plus": mu[0], "mu_minus": mu[1], "w_max": 1.4}
    truth = by_hand(arrivals, posts, 1.0, rule)
    found = learn(t_pre, t_post, duration=3_100_000, dtype=dtype, **rule)
    # 300 changes of at most 0.1 times a trace: float64 errs by some 300 * 2**-53; float32 by
    # 300 half ulps of a weight below 2, 6e-8 each, were all of one sign.
    tolerance = 1e-12 if dtype == "float64" else 300 * 2.0**-24 * 2
    assert found == pytest.approx(truth, rel=0, abs=tolerance)


def test_the_reference_agrees_with_the_sums():
    # So that what holds above for one synapse stands behind the networks of test_exactness.
    rng = np.random.default_rng(10)
    for pairing, mu in itertools.product(PAIRINGS, (0.0, 0.4)):
        rule = RULE | {"pairing": pairing, "mu_plus": mu, "mu_minus": mu}
        t_pre, t_post = (np.unique(rng.integers(2, 900, 60)) * 1000 for _ in range(2))
        events = sorted([(t, 0) for t in t_pre.tolist()] + [(t, 1) for t in t_post.tolist()])
        result = reference.simulate(
            inputs=csr_array(np.diag([40.0, 40.0])),
            recurrent=csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])),
            input_delay=0.0, recurrent_delay=1.0, neuron=LIF, plasticity=rule, plastic=[True],
            t=[t for t, _ in events], channel=[c for _, c in events], duration=1_000_000,
        )  # fmt: skip
        truth = by_hand((t_pre + DELAY_US).tolist(), t_post.tolist(), 1.0, rule)
        assert result.weights[0] == pytest.approx(truth, rel=0, abs=1e-13)


# --- bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("mu", [0.0, 0.4, 1.0])
def test_at_the_bounds(mu, pairing):
    rule = {"w_min": 0.5, "mu_plus": mu, "mu_minus": mu, "pairing": pairing}
    causal, acausal = ([10_000], [12_000]), ([10_000], [10_500])
    assert learn(*causal, weight=2.0, **rule) == 2.0
    assert learn(*acausal, weight=0.5, **rule) == 0.5
    # Away from the bound it is free again.
    assert learn(*causal, weight=0.5, **rule) == pytest.approx(
        0.5 + 0.1 * math.exp(-1 / 15) * f_plus(0.5, mu), abs=1e-14
    )
    assert learn(*acausal, weight=2.0, **rule) == pytest.approx(
        2.0 - 0.05 * math.exp(-0.5 / 34) * f_minus(2.0, mu, 0.5), abs=1e-14
    )


def test_clipped_after_each_change_and_not_at_the_end():
    # Up by more than there is room for, then down: the way down starts at w_max.
    found = learn([10_000, 21_000], [11_001], weight=1.95)
    assert found == pytest.approx(2.0 - 0.05 * math.exp(-10_999 / 34_000), abs=1e-14)
    # And the other way round: down to w_min at 12000, then up at 22000.
    found = learn([11_000], [11_900, 22_000], weight=0.01)
    assert found == pytest.approx(0.1 * math.exp(-10 / 15), abs=1e-14)


def test_large_steps_over_a_soft_bound_are_clipped_too():
    assert learn([10_000], [11_001], weight=1.0, a_plus=5.0, mu_plus=1.0) == 2.0
    assert learn([10_000], [10_999], weight=1.0, a_minus=5.0, mu_minus=1.0) == 0.0
    # At the bound (w_max - w)^mu is 0 and stays a number, for a fractional mu also.
    assert learn([10_000], [11_001, 11_002], a_plus=5.0, mu_plus=0.4) == 2.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bounds_hold_in_the_dtype_of_the_network(dtype):
    # 0.1 and 1.1 are not binary fractions; a weight at a bound is the bound, as the dtype has it.
    rule = {"w_min": 0.1, "w_max": 1.1, "a_plus": 9.0, "a_minus": 9.0, "dtype": dtype}
    as_dtype = np.dtype(dtype).type
    assert learn([10_000], [11_001], weight=0.7, **rule) == as_dtype(1.1)
    assert learn([10_000], [10_999], weight=0.7, **rule) == as_dtype(0.1)


# --- what learning must not touch -----------------------------------------------------------


def test_only_plastic_synapses_change():
    recurrent = csr_array(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(3)), recurrent=recurrent, neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**RULE), plastic=np.array([True, False, True]), dtype="float64",
    )  # fmt: skip
    network.run(hr.Events([10_000, 20_000, 30_000], [0, 1, 2], 3, 40_000), learn=True)
    near = 0.1 * math.exp(-9 / 15)
    np.testing.assert_allclose(
        network.recurrent_weights.data, [1.0 + near, 1.0, 1.0 + near], rtol=0, atol=1e-14
    )
    assert network.recurrent_weights.data[1] == 1.0
    np.testing.assert_array_equal(network.input_weights.toarray(), 40.0 * np.eye(3))


def test_a_run_without_learning_changes_no_weight():
    recurrent = csr_array(np.array([[0.0, 1.0], [0.0, 0.0]]))
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(2)), recurrent=recurrent, neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**RULE), dtype="float64",
    )  # fmt: skip
    result = network.run(hr.Events([10_000, 20_000], [0, 1], 2, 40_000))
    assert network.recurrent_weights.data.tolist() == [1.0]
    assert result.stats.n_weight_updates == 0
    assert recurrent.data.tolist() == [1.0]


def test_arrays_given_are_not_changed_and_those_handed_out_are_copies():
    recurrent = csr_array(np.array([[0.0, 1.0], [0.0, 0.0]]))
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(2)), recurrent=recurrent, neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**RULE), dtype="float64",
    )  # fmt: skip
    before = network.recurrent_weights
    network.run(hr.Events([10_000, 20_000], [0, 1], 2, 40_000), learn=True)
    assert recurrent.data.tolist() == before.data.tolist() == [1.0]
    learned = network.recurrent_weights.data[0]
    assert learned > 1.0
    network.recurrent_weights.data[:] = 7.0
    assert network.recurrent_weights.data[0] == learned
    recurrent.data[:] = 7.0
    assert network.recurrent_weights.data[0] == learned


def test_traces_do_not_reach_into_the_next_sample():
    # An arrival in the first sample, a post spike in the second: no pair.
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(2)),
        recurrent=csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])),
        neuron=hr.LIF(**LIF), plasticity=hr.STDP(**RULE), dtype="float64",
    )  # fmt: skip
    network.run(hr.Events([10_000], [0], 2, 12_000), learn=True)
    network.run(hr.Events([0], [1], 2, 12_000), learn=True)
    network.run(hr.Events([10_999], [0], 2, 11_000), learn=True)  # still under way at the end
    network.run(hr.Events([10_000], [1], 2, 12_000), learn=True)
    assert network.recurrent_weights.data[0] == 1.0


def test_a_lost_arrival_still_learns():
    # Post spikes at 11.5 ms and is refractory; the arrival at 12 ms is lost to v, not to the rule.
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(2)),
        recurrent=csr_array(np.array([[0.0, 15.0], [0.0, 0.0]])),
        neuron=hr.LIF(**(LIF | {"t_ref": 2.0})), plasticity=hr.STDP(**(RULE | {"w_max": 20.0})),
        dtype="float64",
    )  # fmt: skip
    events = hr.Events([11_000, 11_500, 13_500], [0, 1, 1], 2, 14_000)
    result = network.run(events, learn=True)
    assert result.spikes["t"].to_list() == [11_000, 11_500, 13_500]
    expected = 15.0 - 0.05 * math.exp(-0.5 / 34) + 0.1 * math.exp(-1.5 / 15)
    assert network.recurrent_weights.data[0] == pytest.approx(expected, rel=0, abs=1e-13)


def test_arrivals_deliver_the_weight_they_find():
    # 15 mV suffice exactly; the depression of the same arrival comes after the delivery.
    recurrent = csr_array(np.array([[0.0, 15.0], [0.0, 0.0]]))
    network = hr.Network.from_arrays(
        inputs=csr_array(40.0 * np.eye(2)), recurrent=recurrent, neuron=hr.LIF(**LIF),
        plasticity=hr.STDP(**(RULE | {"w_max": 20.0})), dtype="float64",
    )  # fmt: skip
    result = network.run(hr.Events([0, 9_000], [1, 0], 2, 11_000), learn=True)
    assert result.spikes.rows() == [(0, 1), (9_000, 0), (10_000, 1)]
    expected = 15.0 - 0.05 * math.exp(-10 / 34)
    assert network.recurrent_weights.data[0] == pytest.approx(expected, rel=0, abs=1e-13)

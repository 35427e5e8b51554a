"""Neurons and delays against closed forms; no other simulator is asked."""

import itertools
import math

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import csr_array

LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 2.0}


def network(
    inputs,
    recurrent=None,
    *,
    input_delay=0.0,
    recurrent_delay=1.0,
    dtype="float64",
    **neuron,
):
    """Build a network without plasticity; `inputs` is a dense matrix (channel, neuron)."""
    inputs = csr_array(np.asarray(inputs, dtype=float))
    if recurrent is None:
        recurrent = csr_array((inputs.shape[1],) * 2)
    return hr.Network.from_arrays(
        inputs=inputs,
        recurrent=csr_array(recurrent),
        input_delay=input_delay,
        recurrent_delay=recurrent_delay,
        neuron=hr.LIF(**(LIF | neuron)),
        dtype=dtype,
    )


def spikes(net, t=(), channel=None, *, duration=None) -> list[tuple[int, int]]:
    """Run and return (t, neuron) pairs; without `channel`, all events are on channel 0."""
    channel = np.zeros(len(t), dtype=int) if channel is None else channel
    frame = net.run(
        hr.Events(np.asarray(t, dtype=np.int64), channel, net.n_inputs, duration)
    ).spikes
    return list(zip(frame["t"].to_list(), frame["neuron"].to_list(), strict=True))


# --- constant drive -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tau_m", [0.5, 5.0, 13.7, 20.0, 81.3])
@pytest.mark.parametrize(("v_threshold", "bias"), [(15.0, 15.01), (15.0, 22.5), (1.0, 400.0)])
def test_interval_under_a_constant_drive(tau_m, v_threshold, bias, dtype):
    # tau_m v' = -v + bias from 0 reaches the threshold after tau_m ln(bias / (bias - threshold)).
    first = 1000.0 * tau_m * math.log(bias / (bias - v_threshold))
    n = 6
    net = network([[0.0]], tau_m=tau_m, v_threshold=v_threshold, bias=bias, dtype=dtype)
    found = [t for t, _ in spikes(net, duration=int(n * (first + 2002.0)))]
    assert len(found) >= n - 1
    # Each interval starts anew on a whole µs, so that no error is carried on. In float32 the drive
    # stands a hair over the threshold at 15.01: 2**-23 relative in v moves the crossing by that
    # over the slope there, (bias - threshold) / tau_m.
    tolerance = 1.0
    if dtype == "float32":
        tolerance += 4 * 2.0**-24 * bias * 1000.0 * tau_m / (bias - v_threshold)
    assert 1.0 - tolerance <= found[0] - first <= tolerance
    for interval in np.diff(found):
        assert abs(interval - 2000.0 - first) <= tolerance


def test_the_crossing_is_the_first_whole_microsecond_over_the_threshold():
    # A thousand different drives at once; the formula, evaluated on both sides, is the judge.
    rng = np.random.default_rng(1)
    n = 1000
    tau_m, height = rng.uniform(1.0, 50.0, n), rng.uniform(5.0, 20.0, n)
    v_rest = rng.uniform(-70.0, -50.0, n)
    bias = height * rng.uniform(1.001, 5.0, n)
    net = network(np.zeros((1, n)), tau_m=tau_m, v_rest=v_rest, v_reset=v_rest,
                  v_threshold=v_rest + height, bias=bias, t_ref=1e4)  # fmt: skip
    found = spikes(net, duration=2_000_000)
    assert sorted(neuron for _, neuron in found) == list(range(n))
    assert found == sorted(found)
    for t, i in found:
        before, at = (
            v_rest[i] - bias[i] * math.expm1(-(u / 1000.0) / tau_m[i]) for u in (t - 1, t)
        )
        assert before < v_rest[i] + height[i] + 1e-12
        assert at >= v_rest[i] + height[i] - 1e-12


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("bias", [-100.0, 0.0, 14.999, 15.0])
def test_below_and_at_rheobase_nothing_spikes(bias, dtype):
    # At exactly the threshold, v comes ever nearer and never arrives.
    assert spikes(network([[0.0]], bias=bias, dtype=dtype), duration=10_000_000) == []


@pytest.mark.parametrize("recurrent_delay", [0.001, 1.0, 200.0])
def test_a_sample_may_end_anywhere_before_the_next_crossing(recurrent_delay):
    # What lies beyond the end, a µs or an hour away, neither happens nor holds anything up.
    first = math.ceil(500 * math.log(22.5 / 7.5))
    period = first + 2000
    net = network([[0.0]], [[0.01]], recurrent_delay=recurrent_delay, tau_m=0.5, bias=22.5)
    for duration in [1, first, first + 1, 3 * period, *range(100, 60_000, 997)]:
        found = [t for t, _ in spikes(net, duration=duration)]
        assert found == list(range(first, duration, period))
    slow = network([[0.0]], tau_m=1e6, bias=15.0001)  # 0.1 µV over: three hours and more
    assert spikes(slow, duration=10_000) == []


def test_long_silence_costs_nothing_and_loses_nothing():
    net = network([[20.0]], [[1.0]], t_ref=1.0)
    t = [0, 1, 10**6, 10**9, 10**12, 10**12 + 999, 10**12 + 1000]
    assert [t for t, _ in spikes(net, t)] == [0, 10**6, 10**9, 10**12, 10**12 + 1000]


def test_rest_and_drive_are_one_sum():
    # v_rest + bias is all that the equation knows, apart from where v starts.
    a = network([[1.0]], v_rest=-5.0, v_reset=-8.0, bias=30.0)
    b = network([[1.0]], v_rest=-5.0, v_reset=-8.0, v_threshold=15.0 + 2.0, bias=32.0)
    first = 20_000 * math.log(30.0 / (25.0 - 15.0))
    assert spikes(a, duration=100_000)[0][0] == math.ceil(first)
    assert spikes(b, duration=100_000)[0][0] == math.ceil(20_000 * math.log(32.0 / (27.0 - 17.0)))


# --- single arrivals ------------------------------------------------------------------------


@pytest.mark.parametrize("tau_m", [1.0, 20.0, 33.3])
@pytest.mark.parametrize("v_rest", [0.0, -65.0])
def test_a_psp_decays_exponentially(tau_m, v_rest):
    # Many neurons get 10 mV at 0, and each at its own time a probe a hair over or under what lacks.
    lags = np.array([1, 2, 10, 100, 999, 1000, 5000, 20_000, 50_001, 100_000])
    weights = np.zeros((1 + len(lags), 2 * len(lags)))
    weights[0] = 10.0
    for k, lag in enumerate(lags):
        missing = 15.0 - 10.0 * math.exp(-lag / (1000.0 * tau_m))
        # v is about 80 mV at most, so a hair of 1e-11 mV is a few hundred roundings wide.
        weights[1 + k, 2 * k : 2 * k + 2] = missing + 1e-11, missing - 1e-11
    net = network(weights, tau_m=tau_m, v_rest=v_rest, v_reset=v_rest, v_threshold=v_rest + 15.0)
    found = spikes(net, [0, *lags], np.arange(1 + len(lags)))
    assert found == [(lag, 2 * k) for k, lag in enumerate(lags.tolist())]


def test_the_threshold_itself_spikes():
    weights = [[15.0, math.nextafter(15.0, 0.0), math.nextafter(15.0, 16.0)]]
    assert spikes(network(weights), [77]) == [(77, 0), (77, 2)]


def test_arrivals_of_one_microsecond_are_summed_first():
    net = network([[20.0, 8.0], [-6.0, 8.0]])
    assert spikes(net, [5, 5], [0, 1]) == [(5, 1)]
    assert spikes(net, [5, 6], [0, 1]) == [(5, 0), (6, 1)]  # 8 exp(-1/20000) + 8 still suffices
    assert spikes(network([[8.0]]), [5, 5]) == [(5, 0)]


def test_inhibition_in_the_microsecond_of_a_crossing_stops_it():
    crossing = math.ceil(20_000 * math.log(2.0))
    net = network([[-1.0], [0.0]], bias=30.0)
    for channel, stopped in ((0, True), (1, False)):
        found = spikes(net, [crossing], [channel], duration=crossing + 1)
        assert (found == []) == stopped
    # 14 mV instead of 15: 1 mV is made up for in 20 ln((30 - 14) / 15) ms.
    again = spikes(net, [crossing], [0], duration=crossing + 2000)[0][0]
    assert abs(again - crossing - 20_000 * math.log(16.0 / 15.0)) <= 1.0


# --- refractoriness -------------------------------------------------------------------------


def test_refractory_edge():
    net = network([[20.0]])
    assert spikes(net, [10, 2009]) == [(10, 0)]
    assert spikes(net, [10, 2010]) == [(10, 0), (2010, 0)]
    # Lost means lost: 14 mV within, 14 mV after.
    net = network([[20.0], [14.0]])
    assert spikes(net, [10, 2009, 2010], [0, 1, 1]) == [(10, 0)]


@pytest.mark.parametrize("t_ref", [0.0, 0.001, 0.5, 1.0, 7.3])
def test_refractory_ceiling(t_ref):
    # A strong event at every 100 µs: one spike at each first event at or after the end of t_ref.
    period = max(100, math.ceil(1000.0 * t_ref / 100.0) * 100)
    found = spikes(network([[20.0]], t_ref=t_ref), np.arange(0, 200_000, 100))
    assert [t for t, _ in found] == list(range(0, 200_000, period))


def test_each_neuron_has_its_own_refractory_period():
    t_ref = np.array([0.0, 1.0, 2.5, 10.0])
    found = spikes(network(np.full((1, 4), 20.0), t_ref=t_ref), np.arange(0, 100_000, 500))
    counts = np.bincount([neuron for _, neuron in found])
    assert counts.tolist() == [200, 100, 40, 10]


def test_v_relaxes_from_v_reset_after_the_refractory_period():
    # -10 mV at 2000 µs, -10/e mV at 22000 µs.
    missing = 15.0 + 10.0 / math.e
    net = network([[20.0, 20.0], [missing + 1e-11, missing - 1e-11]], v_reset=-10.0)
    assert spikes(net, [0, 22_000], [0, 1]) == [(0, 0), (0, 1), (22_000, 0)]


# --- delays and topologies ------------------------------------------------------------------


@pytest.mark.parametrize("delay", [0.001, 0.5, 1.0, 3.7])
@pytest.mark.parametrize("n", [2, 5, 50])
def test_ring(n, delay):
    # Neuron 0 is hit once; neuron k spikes at k delays, round after round.
    ring = np.roll(np.eye(n) * 20.0, 1, axis=1)
    start = np.zeros((1, n))
    start[0, 0] = 20.0
    net = network(start, ring, recurrent_delay=delay, t_ref=0.0)
    step = round(1000 * delay)
    duration = 3 * n * step + 1
    expected = [(k * step, k % n) for k in range(3 * n + 1)]
    assert spikes(net, [0], duration=duration) == expected


def test_ring_stops_at_a_refractory_neuron():
    ring = np.roll(np.eye(3) * 20.0, 1, axis=1)
    net = network([[20.0, 0.0, 0.0]], ring, recurrent_delay=0.5)  # back after 1.5 of 2 ms
    assert spikes(net, [0], duration=50_000) == [(0, 0), (500, 1), (1000, 2)]


def test_chain_with_a_delay_of_its_own_for_each_synapse():
    rng = np.random.default_rng(3)
    n = 100
    chain = np.diag(np.full(n - 1, 20.0), 1)
    delay = np.round(rng.uniform(0.001, 10.0, n - 1), 3)
    start = np.zeros((1, n))
    start[0, 0] = 20.0
    net = network(start, chain, recurrent_delay=delay, input_delay=0.25)
    arrival = 250 + np.concatenate([[0], np.cumsum(np.rint(delay * 1000).astype(int))])
    found = spikes(net, [0], duration=int(arrival[-1]) + 1)
    assert found == list(zip(arrival.tolist(), range(n), strict=True))


def test_delays_are_rounded_once_and_ties_go_to_even():
    delay = np.array([0.0014, 0.0025, 0.0035, 1.0004, 1.0006])
    fan = np.zeros((6, 6))
    fan[0, 1:] = 20.0
    net = network([[20.0, 0, 0, 0, 0, 0]], fan, recurrent_delay=delay)
    found = {neuron: t for t, neuron in spikes(net, [0], duration=2000)}
    assert found == {0: 0, 1: 1, 2: 2, 3: 4, 4: 1000, 5: 1001}


def test_fan_in_meets_in_one_microsecond():
    # Three paths of equal length sum to a spike; one µs off for one of them and v has decayed.
    weights = np.zeros((4, 4))
    weights[:3, 3] = 5.0
    strong = np.diag([20.0, 20.0, 20.0, 0.0])[:3]
    net = network(strong, weights, recurrent_delay=[1.0, 2.0, 3.0])
    assert (4000, 3) in spikes(net, [1000, 2000, 3000], [2, 1, 0], duration=5000)
    assert all(i != 3 for _, i in spikes(net, [999, 2000, 3000], [2, 1, 0], duration=5000))


@pytest.mark.parametrize("delay", [0.0, 0.0004, -1.0, float("nan"), float("inf")])
def test_a_recurrent_delay_below_one_microsecond_is_refused(delay):
    with pytest.raises(hr.HRSNNError, match="recurrent_delay"):
        network([[1.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]], recurrent_delay=delay)


def test_the_sample_is_half_open():
    net = network([[20.0]], input_delay=0.001)
    assert spikes(net, [98], duration=100) == [(99, 0)]
    assert spikes(net, [99], duration=100) == []


# --- limits ---------------------------------------------------------------------------------


def test_empty_input():
    assert spikes(network([[20.0]]), duration=1) == []
    assert spikes(network([[20.0]]), duration=10**9) == []


def test_no_synapses_at_all():
    net = network(np.zeros((3, 4)))
    assert net.n_synapses == 0
    assert spikes(net, [1, 2, 3], [0, 1, 2]) == []


def test_one_neuron_that_hears_itself():
    found = spikes(network([[20.0]], [[20.0]], recurrent_delay=2.0), [0], duration=10_000)
    assert found == [(t, 0) for t in range(0, 10_000, 2000)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_below_threshold_nothing_spikes(dtype):
    # A geometric series: 1 mV each ms sums to at most 1 / (1 - exp(-1/20)) = 20.504 mV.
    for v_threshold, silent in ((20.6, True), (20.4, False)):
        net = network([[1.0]], v_threshold=v_threshold, dtype=dtype)
        assert (spikes(net, np.arange(0, 1_000_000, 1000)) == []) == silent


def test_neurons_do_not_know_of_each_other():
    # Each of many different neurons does in company what it does alone.
    rng = np.random.default_rng(5)
    n = 12
    lif = {
        "tau_m": rng.uniform(5.0, 40.0, n), "v_rest": rng.uniform(-2.0, 2.0, n),
        "v_reset": rng.uniform(-5.0, 0.0, n), "v_threshold": rng.uniform(8.0, 15.0, n),
        "t_ref": rng.uniform(0.0, 5.0, n), "bias": rng.uniform(-5.0, 25.0, n),
    }  # fmt: skip
    weights = rng.normal(4.0, 2.0, (3, n))
    t, channel = np.sort(rng.integers(0, 200_000, 300)), rng.integers(0, 3, 300)
    together = spikes(network(weights, **lif), t, channel, duration=200_000)
    alone = itertools.chain.from_iterable(
        [
            (time, i)
            for time, _ in spikes(
                network(weights[:, i : i + 1], **{name: x[i] for name, x in lif.items()}),
                t, channel, duration=200_000,
            )
        ]
        for i in range(n)
    )  # fmt: skip
    assert together == sorted(alone)
    assert len(together) > 50

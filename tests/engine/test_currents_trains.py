"""What synaptic currents do from the first spike on and in company; the reference is not asked."""

import math

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import csr_array

LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 2.0,
       "tau_syn_ex": 5.0, "tau_syn_in": 8.0}  # fmt: skip


def network(inputs, recurrent=None, *, recurrent_delay=1.0, dtype="float64", **neuron):
    """Build a network without plasticity; `inputs` is a dense matrix (channel, neuron)."""
    inputs = csr_array(np.asarray(inputs, dtype=float))
    if recurrent is None:
        recurrent = csr_array((inputs.shape[1],) * 2)
    return hr.Network.from_arrays(
        inputs=inputs, recurrent=csr_array(recurrent), input_delay=0.0,
        recurrent_delay=recurrent_delay, neuron=hr.LIF(**(LIF | neuron)), dtype=dtype,
    )  # fmt: skip


def spikes(net, t=(), channel=None, *, duration) -> list[tuple[int, int]]:
    """Run and return (t, neuron) pairs; without `channel`, all events are on channel 0."""
    channel = np.zeros(len(t), dtype=int) if channel is None else channel
    frame = net.run(
        hr.Events(np.asarray(t, dtype=np.int64), channel, net.n_inputs, duration)
    ).spikes
    return list(zip(frame["t"].to_list(), frame["neuron"].to_list(), strict=True))


def psp(s: np.ndarray, tau_syn: float, tau_m: float) -> np.ndarray:
    """PSP of 1 mV as the textbook has it, 0 before the arrival; for tau_syn well off tau_m."""
    s = np.maximum(s, 0) / 1000.0
    return (np.exp(-s / tau_m) - np.exp(-s / tau_syn)) / (1.0 - tau_syn / tau_m)


def train(arrivals, duration: int, **neuron) -> list[int]:
    """Spike times of a neuron that is sent `arrivals` [(t, weight)], all through currents.

    v is written down for the whole rest of the sample, anew after each spike: from v_reset at the
    end of the hold, with what is left by then of each charge that came before.
    """
    value = LIF | {"bias": 0.0} | neuron
    tau_m, bias, held = value["tau_m"], value["bias"], round(1000.0 * value["t_ref"])
    found, start, v_start = [], 0, value["v_rest"]
    v_infinity = value["v_rest"] + bias
    while True:
        times = np.arange(start, duration)
        v = v_infinity + (v_start - v_infinity) * np.exp(-(times - start) / 1000.0 / tau_m)
        for t, weight in arrivals:
            tau_syn = value["tau_syn_ex"] if weight > 0.0 else value["tau_syn_in"]
            left = weight * math.exp(-max(start - t, 0) / 1000.0 / tau_syn)
            v += left * psp(times - max(t, start), tau_syn, tau_m)
        over = np.flatnonzero(v >= value["v_threshold"])
        if len(over) == 0:
            return found
        found.append(start + int(over[0]))
        start, v_start = found[-1] + held, value["v_reset"]


# --- after a spike --------------------------------------------------------------------------


def test_a_spike_leaves_the_charge_and_v_starts_from_v_reset():
    for v_reset in (-10.0, 0.0, 12.0):
        found = spikes(network([[300.0]], v_reset=v_reset), [5], duration=60_000)
        expected = train([(5, 300.0)], 60_000, v_reset=v_reset)
        assert [t for t, _ in found] == expected
        assert len(expected) >= 4
        assert (np.diff(expected) > 2000).all()


@pytest.mark.parametrize("arrival", [1, 500, 1999, 2000, 2001, 3000])
@pytest.mark.parametrize("weight", [80.0, -80.0])
def test_an_arrival_in_the_refractory_period_goes_to_the_charge(arrival, weight):
    # 100 mV at 0 make a spike; the next arrival is counted from that one.
    first = train([(0, 100.0)], 20_000)[0]
    late = first + arrival
    expected = train([(0, 100.0), (late, weight)], 40_000, bias=14.0)
    found = spikes(network([[100.0], [weight]], bias=14.0), [0, late], [0, 1], duration=40_000)
    assert [t for t, _ in found] == expected
    assert expected != train([(0, 100.0)], 40_000, bias=14.0)


def test_a_delta_arrival_in_the_refractory_period_is_still_lost():
    # Excitation by a delta synapse, inhibition by a current, both while v is held.
    net = network([[20.0], [-30.0]], tau_syn_ex=0.0)
    assert spikes(net, [0, 1000], duration=10_000) == [(0, 0)]
    assert spikes(net, [0, 2000], duration=10_000) == [(0, 0), (2000, 0)]
    # -30 mV at 1000: what is left of it at 2000 keeps 20 mV from being enough at 6000, where
    # nothing would have.
    left = -30.0 * math.exp(-1.0 / 8.0)
    v = left * float(psp(np.array(4000), 8.0, 20.0))
    for weight, n in ((15.0 - v + 1e-11, 2), (15.0 - v - 1e-11, 1)):
        net = network([[20.0], [-30.0], [weight]], tau_syn_ex=0.0)
        assert len(spikes(net, [0, 1000, 6000], [0, 1, 2], duration=10_000)) == n


@pytest.mark.parametrize("t_ref", [0.0, 0.001, 0.5, 2.0])
def test_the_next_spike_is_a_microsecond_after_the_hold_at_the_earliest(t_ref):
    # A current that lifts v over the threshold within any µs.
    period = round(1000 * t_ref) + 1
    found = spikes(network([[1e9]], t_ref=t_ref), [0], duration=10 * period)
    assert [t for t, _ in found] == list(range(1, 10 * period, period))
    # Only a delta synapse makes a spike at the very end of it.
    found = spikes(network([[1e9], [-1e9]], t_ref=t_ref, tau_syn_ex=0.0),
                   [0, 0, period - 1, period - 1], [0, 1, 0, 1], duration=period)  # fmt: skip
    assert [t for t, _ in found] == sorted({0, period - 1})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_interval_under_a_drive_with_inhibition_that_wears_off(dtype):
    # A drive of 22.5 mV makes a spike each 20 ln 3 + 2 ms. Inhibition stretches the intervals
    # after it, less and less, and excitation shortens them.
    free = 20_000 * math.log(3.0) + 2000.0
    for weight in (-50.0, 10.0):
        arrivals = [(10_000, weight)]
        expected = train(arrivals, 400_000, bias=22.5)
        net = network([[weight]], bias=22.5, dtype=dtype)
        found = [t for t, _ in spikes(net, [10_000], duration=400_000)]
        if dtype == "float64":
            assert found == expected
        else:
            # 30 roundings of 25 mV over the slope at the threshold, 7.5 mV / tau_m; each interval
            # starts from v_reset, but the charge at its start depends on the last one.
            assert len(found) == len(expected)
            tolerance = 1 + 30 * 2.0**-24 * 25.0 / (7.5 / 20_000)
            assert (np.abs(np.diff(found) - np.diff(expected)) <= 2 * tolerance).all()
        stretched = np.diff(expected) - free
        assert abs(stretched[0]) > 50.0 > 1.0 >= abs(stretched[-1])


@pytest.mark.parametrize("seed", range(4))
def test_trains_of_many_neurons(seed):
    # Some neurons have a drive above the threshold, all have eight arrivals of either sign.
    rng = np.random.default_rng((seed, 17))
    n, duration = 12, 50_000
    tau_m = rng.uniform(10.0, 30.0, n)
    neuron = {
        "tau_m": tau_m, "tau_syn_ex": rng.uniform(0.3, 8.0, n),
        "tau_syn_in": np.where(rng.random(n) < 0.5, rng.uniform(0.3, 8.0, n), 2.0 * tau_m),
        "bias": rng.uniform(-5.0, 20.0, n), "v_rest": rng.uniform(-2.0, 2.0, n),
        "v_reset": rng.uniform(-5.0, 5.0, n), "v_threshold": rng.uniform(8.0, 15.0, n),
        "t_ref": rng.choice([0.0, 0.5, 2.0, 5.0], n),
    }  # fmt: skip
    t = np.sort(rng.integers(0, duration // 2, 8))
    weights = rng.normal(10.0, 30.0, (8, n))
    expected = sorted(
        (time, i)
        for i in range(n)
        for time in train(
            list(zip(t.tolist(), weights[:, i].tolist(), strict=True)), duration,
            **{name: float(values[i]) for name, values in neuron.items()},
        )
    )  # fmt: skip
    assert spikes(network(weights, **neuron), t, np.arange(8), duration=duration) == expected
    assert len(expected) > 4 * n


# --- edges ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weight", [1.0, -10.0])
def test_a_drive_that_only_tends_to_the_threshold_never_reaches_it(weight, dtype):
    # A current too small, or of the wrong sign, and gone long before v is near.
    net = network([[weight]], bias=15.0, dtype=dtype)
    assert spikes(net, [0], duration=1_000_000) == []


def test_a_current_that_outlasts_the_membrane_lifts_such_a_drive_over_the_threshold():
    # 15 - 15 e^(-t/20) + (e^(-t/60) - e^(-t/20)) / 2 is over 15 once e^(t/30) > 31.
    net = network([[1.0]], bias=15.0, tau_syn_ex=60.0)
    assert spikes(net, [0], duration=200_000)[0][0] == math.ceil(30_000 * math.log(31.0))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_long_silence_costs_nothing_and_loses_nothing(dtype):
    # Days of it, with drives below and a hair above the threshold and charges that never end. The
    # same 10 mV that do nothing at 0 are enough for the neuron that has since come near.
    hour = 3_600_000_000
    bias, tau_syn = np.array([0.0, 14.9, 14.9, -10.0]), np.array([5.0, 5.0, 1e9, 5.0])
    net = network(np.full((1, 4), 10.0), bias=bias, tau_syn_ex=tau_syn, t_ref=1e4, dtype=dtype)
    found = spikes(net, [0, 100 * hour], duration=101 * hour)
    assert [(t // hour, i) for t, i in found] == [(100, 1)]
    slow = network([[1.0]], tau_m=1e6, bias=15.01, tau_syn_ex=1e3, t_ref=1e4, dtype=dtype)
    # 15.01 - 15.01 e^(-t) + e^(-t) in units of 1000 s, the current's own second apart.
    expected = 1e9 * math.log((15.01 - 1.0 / (1.0 - 1e-3)) / 0.01)
    ((first, _),) = spikes(slow, [0], duration=3 * hour)
    assert first == pytest.approx(expected, rel=1e-9 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("recurrent_delay", [0.001, 1.0, 200.0])
def test_a_sample_may_end_anywhere_before_the_next_crossing(recurrent_delay):
    net = network([[300.0]], [[1e-9]], recurrent_delay=recurrent_delay)
    whole = [t for t, _ in spikes(net, [5], duration=60_000)]
    assert len(whole) >= 4
    for duration in [6, whole[0], whole[0] + 1, whole[2], *range(100, 60_000, 997)]:
        found = [t for t, _ in spikes(net, [5], duration=duration)]
        assert found == [t for t in whole if t < duration]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sample_starts_without_charges(dtype):
    # The first ends with 1e9 mV still to flow.
    net = network([[1e9], [14.0]], t_ref=0.0, dtype=dtype)
    assert len(spikes(net, [90], [0], duration=100)) == 9
    assert spikes(net, [50], [1], duration=100_000) == []


# --- in company -----------------------------------------------------------------------------


def test_a_chain_of_crossings():
    # Each neuron takes its time to cross: neuron k spikes k (delay + that) after the first.
    n, delay = 50, 1.7
    takes = train([(0, 100.0)], 20_000)[0]
    start = np.zeros((1, n))
    start[0, 0] = 100.0
    net = network(start, np.diag(np.full(n - 1, 100.0), 1), recurrent_delay=delay, t_ref=1e4)
    step = takes + round(1000 * delay)
    expected = [(takes + k * step, k) for k in range(n)]
    assert spikes(net, [0], duration=takes + n * step) == expected


def random_network(rng, n: int) -> dict:
    """Draw everything for a recurrent network with currents; dense matrices."""
    sign = np.where(rng.random(n) < 0.2, -3.0, 1.0)
    return {
        "inputs": rng.uniform(5.0, 25.0, (8, n)) * (rng.random((8, n)) < 0.5),
        "recurrent": sign[:, None] * rng.uniform(1.0, 8.0, (n, n)) * (rng.random((n, n)) < 0.2),
        "delay": rng.uniform(0.5, 8.0, (n, n)),
        "neuron": {
            "tau_m": rng.uniform(5.0, 30.0, n), "bias": rng.uniform(-2.0, 14.0, n),
            "tau_syn_ex": rng.choice([0.0, 0.5, 3.0, 20.0, 30.0], n),
            "tau_syn_in": rng.choice([0.0, 0.5, 3.0, 20.0, 30.0], n),
            "t_ref": rng.uniform(0.0, 4.0, n),
        },
    }  # fmt: skip


def build(drawn: dict, order: np.ndarray):
    """Build that network with its neurons in this order."""
    recurrent = drawn["recurrent"][np.ix_(order, order)]
    return network(
        drawn["inputs"][:, order],
        recurrent,
        recurrent_delay=drawn["delay"][np.ix_(order, order)][recurrent != 0.0],
        **{name: values[order] for name, values in drawn["neuron"].items()},
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_neurons_does_not_matter(seed):
    rng = np.random.default_rng((seed, 19))
    n, duration = 40, 200_000
    drawn = random_network(rng, n)
    t, channel = np.sort(rng.integers(0, duration, 60)), rng.integers(0, 8, 60)
    straight = spikes(build(drawn, np.arange(n)), t, channel, duration=duration)
    order = rng.permutation(n)
    shuffled = spikes(build(drawn, order), t, channel, duration=duration)
    assert sorted((t, int(order[i])) for t, i in shuffled) == straight
    assert len(straight) > 5 * n


@pytest.mark.parametrize("seed", range(3))
def test_silence_may_be_cut_in_pieces(seed):
    # A channel more, whose arrivals carry next to nothing, but make each neuron look at itself.
    rng = np.random.default_rng((seed, 23))
    n, duration = 40, 100_000
    drawn = random_network(rng, n)
    t, channel = np.sort(rng.integers(0, duration, 30)), rng.integers(0, 8, 30)
    whole = spikes(build(drawn, np.arange(n)), t, channel, duration=duration)
    drawn["inputs"] = np.vstack([drawn["inputs"], np.where(np.arange(n) % 2, 1e-300, -1e-300)])
    cuts = rng.integers(0, duration, 3000)
    crossings = np.array([t for t, _ in whole])  # at each spike and beside it, too
    cuts = np.concatenate([cuts, crossings, crossings - 1, np.minimum(crossings + 1, duration - 1)])
    both, what = np.concatenate([t, cuts]), np.concatenate([channel, np.full(len(cuts), 8)])
    order = np.argsort(both, kind="stable")
    cut = spikes(build(drawn, np.arange(n)), both[order], what[order], duration=duration)
    assert cut == whole
    assert len(whole) > 2 * n

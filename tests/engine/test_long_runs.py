"""Ten minutes of simulated time: what happens at the end is as exact as at the start.

Time is a whole number of µs and every closed form starts anew at a whole µs, so nothing can
drift; these tests would see it. Six hundred seconds cost little where little happens.
"""

import math

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

DURATION = 600_000_000  # µs
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
DTYPES = tuple(UNIT)
NEURON = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 2.0}


def run(network, t=(), channel=None, duration=DURATION, learn=False):
    """Run and return times and neurons of the spikes."""
    channel = np.zeros(len(t), dtype=int) if channel is None else channel
    events = hr.Events(np.asarray(t, dtype=np.int64), channel, network.n_inputs, duration)
    spikes = network.run(events, learn=learn).spikes
    return spikes["t"].to_numpy(), spikes["neuron"].to_numpy()


def isolated(inputs, dtype="float64", **neuron) -> hr.Network:
    inputs = csr_array(np.asarray(inputs, dtype=float))
    n = inputs.shape[1]
    return hr.Network.from_arrays(
        inputs=inputs, recurrent=csr_array((n, n)), neuron=hr.LIF(**(NEURON | neuron)), dtype=dtype
    )


def ring(delay_us, dtype="float64", **learning) -> hr.Network:
    """Build a ring whose first neuron is started by channel 0; every synapse suffices."""
    n = len(delay_us)
    source = np.arange(n)
    matrix = csr_array(coo_array((np.full(n, 20.0), (source, (source + 1) % n)), shape=(n, n)))
    start = np.zeros((1, n))
    start[0, 0] = 20.0
    return hr.Network.from_arrays(
        inputs=csr_array(start), recurrent=matrix, recurrent_delay=np.asarray(delay_us) / 1000.0,
        neuron=hr.LIF(**NEURON), dtype=dtype, **learning,
    )  # fmt: skip


# --- neurons --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_driven_neurons_keep_time(dtype):
    # Each interval is the theory rounded up to the lattice, to the last one: no drift against the
    # theory on the lattice. In float32 a crossing is uncertain by some 0.03 µs at these drives
    # (see `rounding` in test_firing_times.py), so drives whose theory ends in .1 to .9 are taken.
    b = np.linspace(20.0, 80.0, 16)
    span = 20_000.0 * np.log(b / (b - 15.0))
    clear = np.abs(span % 1.0 - 0.5) < 0.4
    b, span = b[clear], span[clear]
    assert len(b) >= 10
    t, neuron = run(isolated(np.zeros((1, len(b))), dtype, bias=b))
    worst = 0
    for i in range(len(b)):
        theory = np.arange(math.ceil(span[i]), DURATION, 2000 + math.ceil(span[i]))
        found = t[neuron == i]
        assert len(found) == len(theory) > 20_000
        worst = max(worst, np.abs(found - theory).max())
    assert worst == 0, f"largest deviation after 600 s: {worst} µs"


def test_a_drive_that_meets_the_lattice_does_not_drift_from_continuous_time():
    # The drive is chosen so that the threshold is reached a millionth of a µs before a whole µs:
    # rounding up adds no more, and after 600 s the spikes still stand at k periods of the real
    # numbers. Rounding v errs by some 1e-14 mV, which is 1e-11 µs here.
    for whole in (7001, 15_000, 41_357):
        span = whole - 1e-6
        b = 15.0 / -math.expm1(-span / 20_000.0)
        t, _ = run(isolated([[0.0]], bias=b))
        exact = 20_000.0 * math.log(b / (b - 15.0))
        theory = exact + np.arange(len(t)) * (exact + 2000.0)
        assert len(t) == len(np.arange(whole, DURATION, whole + 2000))
        worst = np.abs(t - theory).max()
        assert worst < 1.0, f"largest deviation within 600 s: {worst} µs"


def test_a_potential_of_600_000_arrivals_is_a_geometric_sum():
    # 0.7 mV at each ms, below threshold for ten minutes; at the end a probe that lacks a hair.
    w, tau = 0.7, 20.0
    last = DURATION - 1000
    times = np.arange(0, DURATION, 1000)
    q = math.exp(-1.0 / tau)
    v = w / (1.0 - q)  # q to the power of 600,000 is nothing
    assert 14.0 < v < 15.0
    for lag in (1, 500, 999):
        missing = 15.0 - v * math.exp(-lag / (1000.0 * tau))
        # v errs by a few units of 15 mV with each arrival and forgets within some 20 of them.
        weights = [[w, w], [missing + 1e-11, missing - 1e-11]]
        t, channel = np.append(times, last + lag), np.append(np.zeros_like(times), 1)
        found = run(isolated(weights), t, channel)
        assert [x.tolist() for x in found] == [[last + lag], [0]], lag


def test_a_single_potential_at_the_end_is_that_at_the_start():
    # Ten minutes of firing before; then 10 mV, and a probe a hair over or under what lacks.
    v_reset = -3.0
    first = np.arange(0, DURATION - 1_000_000, 50_000)
    arrival, lag = DURATION - 100_000, 12_345
    since = arrival - (first[-1] + 2000)
    v = (v_reset * math.exp(-since / 20_000.0) + 10.0) * math.exp(-lag / 20_000.0)
    missing = 15.0 - v
    weights = [[50.0, 50.0], [10.0, 10.0], [missing + 1e-11, missing - 1e-11]]
    t = np.concatenate([first, [arrival, arrival + lag]])
    channel = np.concatenate([np.zeros_like(first), [1, 2]])
    times, neuron = run(isolated(weights, v_reset=v_reset), t, channel)
    assert times[neuron == 1].tolist() == first.tolist()
    assert times[neuron == 0].tolist() == [*first.tolist(), arrival + lag]


# --- rings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_ring_goes_round_for_ten_minutes(dtype):
    delay = np.array([1313, 2718, 701, 997, 1, 4001, 1618])
    times = np.cumsum(np.tile(delay, DURATION // delay.sum() + 1))
    times = np.concatenate([[0], times[times < DURATION]])
    t, neuron = run(ring(delay, dtype), [0])
    assert len(t) == len(times) > 300_000
    worst = np.abs(t - times).max()
    assert worst == 0, f"largest deviation within 600 s: {worst} µs"
    np.testing.assert_array_equal(neuron, np.arange(len(times)) % len(delay))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_a_ring_that_learns_for_ten_minutes(pairing, dtype):
    # Each synapse sees its arrival and its post spike in one µs, round after round of q = exp(-R /
    # tau): in round m the arrival finds y_m of the m post spikes before, the post spike finds x_m
    # of the m arrivals before; x_m or y_m is q + ... + q^m, or q alone (nearest). Only neuron 0
    # starts without an arrival, so that its synapse has one round less of x.
    lap, n, a_plus, a_minus = 30_000, 10, 1e-3, 1e-4
    learning = hr.STDP(a_plus=a_plus, a_minus=a_minus, tau_plus=15.0, tau_minus=34.0,
                       w_min=15.0, w_max=100.0, pairing=pairing)  # fmt: skip
    network = ring(np.full(n, lap // n), dtype, plasticity=learning)

    def sum_of_traces(tau, n_rounds):
        q = math.exp(-lap / (1000.0 * tau))
        m = np.arange(n_rounds)
        return (np.where(m > 0, q, 0.0) if pairing == "nearest" else q * (1 - q**m) / (1 - q)).sum()

    def theory(n_rounds):
        x = [sum_of_traces(15.0, n_rounds)] * (n - 1) + [sum_of_traces(15.0, n_rounds - 1)]
        return 20.0 + a_plus * np.array(x) - a_minus * sum_of_traces(34.0, n_rounds)

    n_rounds = DURATION // lap
    assert (theory(n_rounds) - 20.0 > 1.0).all()
    shorter = network.copy()
    run(network, [0], learn=True)
    run(shorter, [0], duration=DURATION - lap, learn=True)
    found, before = (np.float64(net.recurrent_weights.data) for net in (network, shorter))
    # Two changes a round, each rounded by at most 16 mV times the unit while 16 < w < 32.
    deviation = np.abs(found - theory(n_rounds)).max()
    assert deviation <= 2 * n_rounds * 16.0 * UNIT[dtype], f"{deviation} mV"
    # And the change of the last round alone, by the traces of the end: two changes and four more
    # roundings, of the theory too.
    last = theory(n_rounds) - theory(n_rounds - 1)
    deviation = np.abs(found - before - last).max()
    assert deviation <= 6 * 16.0 * UNIT[dtype], f"{deviation} mV"


# --- a synapse ------------------------------------------------------------------------------


@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_a_synapse_that_learns_for_ten_minutes(pairing):
    # Poisson trains of some 10 Hz, 6,000 spikes each; the sum over all pairs less than 2 s apart
    # (beyond, exp(-2000 / 34) is 3e-26), all-to-all, or over each spike's nearest earlier partner.
    rng = np.random.default_rng(51)
    arrivals, posts = (np.unique(rng.integers(10_000, DURATION - 10_000, 6000)) for _ in range(2))
    # Two pairs at the very end, as sharp as they come.
    arrivals = np.append(arrivals, [DURATION - 3000, DURATION - 1000])
    posts = np.append(posts, [DURATION - 2999, DURATION - 999])
    a, tau = {"+": 1e-3, "-": 1.1e-3}, {"+": 15_000.0, "-": 34_000.0}
    weight = 10.0
    for sign, early, late in (("+", arrivals, posts), ("-", posts, arrivals)):
        factor = a[sign] if sign == "+" else -a[sign]
        for t in late:
            before = early[: np.searchsorted(early, t)]
            before = before[-1:] if pairing == "nearest" else before[before > t - 2_000_000]
            weight += factor * np.exp((before - t) / tau[sign]).sum()
    assert abs(weight - 10.0) > 0.3
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag([1000.0, 1000.0])),
        recurrent=csr_array(np.array([[0.0, 10.0], [0.0, 0.0]])),
        neuron=hr.LIF(v_threshold=100.0, t_ref=0.0),
        plasticity=hr.STDP(a_plus=a["+"], a_minus=a["-"], tau_plus=tau["+"] / 1000.0,
                           tau_minus=tau["-"] / 1000.0, w_max=30.0, pairing=pairing),
    )  # fmt: skip
    t = np.concatenate([arrivals - 1000, posts])
    channel = np.repeat([0, 1], [len(arrivals), len(posts)])
    order = np.lexsort((channel, t))
    found, _ = run(network, t[order], channel[order], learn=True)
    np.testing.assert_array_equal(found, t[order])
    deviation = abs(network.recurrent_weights.data[0] - weight)
    # 12,000 changes, each rounded by at most 2**-53 of 16 mV.
    assert deviation <= 12_000 * 16.0 * UNIT["float64"], f"{deviation} mV"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_pair_at_the_end_has_the_bits_of_one_at_the_start(dtype):
    # The same five spikes 20 ms or 600 s after the start; before the latter, nothing.
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag([40.0, 40.0])),
        recurrent=csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])),
        neuron=hr.LIF(**NEURON),
        plasticity=hr.STDP(a_plus=0.1, a_minus=0.05, w_max=2.0, mu_plus=0.5, mu_minus=0.5),
        dtype=dtype,
    )  # fmt: skip
    t, channel = np.array([20_000, 21_007, 31_000, 31_998, 44_444]), [0, 1, 1, 0, 1]
    early, late = network.copy(), network.copy()
    run(early, t, channel, learn=True)
    run(late, t + DURATION - 50_000, channel, learn=True)
    learned = early.recurrent_weights.data[0]
    assert abs(learned - 1.0) > 0.05
    assert late.recurrent_weights.data[0] == learned

"""Synaptic currents against closed forms; neither the reference nor another simulator is asked.

Before its first spike v is a sum: the drive's approach to v_infinity, and one PSP for each arrival.
"""

import math
from decimal import Decimal, localcontext

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import csr_array

LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 2.0}
ONCE = 1e4  # ms: a refractory period that lets each neuron spike once

# v stays below 100 mV, so that in float64 each rounding errs by 7e-15 mV at most. A hair is a
# thousand of these, and far less than v moves in 1 µs.
HAIR = 1e-11

# Time constants as close to tau_m as floats allow, and further and further away.
RATIOS = [
    1e-6, 0.015, 0.25, 0.9, 1 - 1e-3, 1 - 1e-4, 1 - 1e-5, 1 - 1e-6, 1 - 1e-8, 1 - 1e-10, 1 - 2**-53,
    1.0, 1 + 2**-52, 1 + 1e-10, 1 + 1e-8, 1 + 1e-6, 1 + 1e-5, 1 + 1e-4, 1 + 1e-3, 1.1, 3.0, 20.0,
    1e4,
]  # fmt: skip


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


def exact_psp(s: int, tau_syn: float, tau_m: float) -> Decimal:
    """PSP of 1 mV after `s` µs, to some 40 digits; time constants in ms."""
    with localcontext() as context:
        context.prec = 80
        tau_syn, tau_m = 1000 * Decimal(float(tau_syn)), 1000 * Decimal(float(tau_m))
        if tau_syn == tau_m:
            return s / tau_m * (-s / tau_m).exp()
        return ((-s / tau_m).exp() - (-s / tau_syn).exp()) / (1 - tau_syn / tau_m)


def peak_time(tau_syn: float, tau_m: float) -> float:
    """When the PSP is highest, in µs."""
    ratio = tau_syn / tau_m
    return 1000.0 * tau_syn * (1.0 if ratio == 1.0 else math.log1p(ratio - 1.0) / (ratio - 1.0))


def exact_peak(tau_syn: float, tau_m: float) -> tuple[int, Decimal]:
    """Whole µs at which the PSP is highest, and how high."""
    near = math.floor(peak_time(tau_syn, tau_m))
    return max(((s, exact_psp(s, tau_syn, tau_m)) for s in range(max(near - 1, 0), near + 3)),
               key=lambda pair: pair[1])  # fmt: skip


def psp(s: np.ndarray, tau_syn: float, tau_m: float) -> np.ndarray:
    """PSP of 1 mV as the textbook has it, 0 before the arrival; for tau_syn well off tau_m."""
    s = np.maximum(s, 0) / 1000.0
    return (np.exp(-s / tau_m) - np.exp(-s / tau_syn)) / (1.0 - tau_syn / tau_m)


# --- one PSP --------------------------------------------------------------------------------


@pytest.mark.parametrize("v_rest", [0.0, -65.0])
@pytest.mark.parametrize("ratio", RATIOS)
def test_the_course_of_a_psp(ratio, v_rest):
    # Inhibition at 0 in all neurons, and each is probed by a delta synapse at a time of its own
    # that has a hair more or less than what lacks.
    tau_m = 13.7
    lags = np.array([1, 2, 10, 100, 999, 1000, 5000, 13_700, 20_000, 50_001, 100_000])
    weights = np.zeros((1 + len(lags), 2 * len(lags)))
    weights[0] = -10.0
    for k, lag in enumerate(lags.tolist()):
        missing = 15.0 + 10.0 * float(exact_psp(lag, ratio * tau_m, tau_m))
        weights[1 + k, 2 * k : 2 * k + 2] = missing + HAIR, missing - HAIR
    net = network(weights, tau_m=tau_m, tau_syn_in=ratio * tau_m, v_rest=v_rest, v_reset=v_rest,
                  v_threshold=v_rest + 15.0)  # fmt: skip
    found = spikes(net, [0, *lags], np.arange(1 + len(lags)), duration=100_001)
    assert found == [(lag, 2 * k) for k, lag in enumerate(lags.tolist())]


@pytest.mark.parametrize("above", [1.0001, 1.3, 10.0])
def test_the_time_of_a_crossing(above):
    tau_m = np.repeat([0.7, 20.0, 33.3], len(RATIOS))
    tau_syn = np.tile(RATIOS, 3) * tau_m
    weights = [15.0 * above / float(exact_peak(*pair)[1])
               for pair in zip(tau_syn, tau_m, strict=True)]  # fmt: skip
    net = network([weights], tau_m=tau_m, tau_syn_ex=tau_syn, t_ref=ONCE)
    found = {i: t - 100 for t, i in spikes(net, [100], duration=1_000_000)}
    assert sorted(found) == list(range(len(tau_m)))
    for i, s in found.items():
        # v rises up to its peak, so it crosses once before.
        assert s <= math.ceil(peak_time(tau_syn[i], tau_m[i]))
        before, at = (weights[i] * float(exact_psp(u, tau_syn[i], tau_m[i])) for u in (s - 1, s))
        assert before < 15.0 + HAIR
        assert at >= 15.0 - HAIR


@pytest.mark.parametrize("above", [1.01, 1.3, 10.0])
def test_the_time_of_a_crossing_in_float32(above):
    tau_m = np.repeat([0.7, 20.0, 33.3], len(RATIOS))
    tau_syn = np.tile(RATIOS, 3) * tau_m
    weights = [15.0 * above / float(exact_peak(*pair)[1])
               for pair in zip(tau_syn, tau_m, strict=True)]  # fmt: skip
    net = network([weights], tau_m=tau_m, tau_syn_ex=tau_syn, t_ref=ONCE, dtype="float32")
    found = {i: t - 100 for t, i in spikes(net, [100], duration=1_000_000)}
    assert sorted(found) == list(range(len(tau_m)))
    for i, s in found.items():
        # Weight, time constants, exponentials and result are rounded, each by 2**-24 at most of
        # the larger term; where tau_syn is short or long these are a few times as large as v.
        error = 16 * 2.0**-24 * 15.0
        before, at = (weights[i] * float(exact_psp(u, tau_syn[i], tau_m[i])) for u in (s - 1, s))
        assert before < 15.0 + error
        assert at >= 15.0 - error


@pytest.mark.parametrize("tau_m", [0.7, 20.0, 33.3])
def test_a_peak_a_hair_below_or_above_the_threshold(tau_m):
    tau_syn = np.repeat(RATIOS, 2) * tau_m
    peaks = [exact_peak(tau, tau_m) for tau in tau_syn]
    height = np.tile([15.0 - HAIR, 15.0 + HAIR], len(RATIOS))
    weights = height / np.array([float(peak) for _, peak in peaks])
    found = spikes(network([weights], tau_m=tau_m, tau_syn_ex=tau_syn, t_ref=ONCE), [7],
                   duration=1_000_000)  # fmt: skip
    assert sorted(i for _, i in found) == list(range(1, len(tau_syn), 2))
    for t, i in found:
        # A long current is so flat at its peak that some µs beside it are over, too.
        assert abs(t - 7 - peaks[i][0]) <= 1 + math.sqrt(2 * HAIR / 15.0 * tau_syn[i] * tau_m) * 1e3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_peak_between_two_microseconds_is_no_spike(dtype):
    # tau_syn = tau_m: the peak w/e is at tau_m = 20.5 µs, half-way between whole ones.
    tau = 0.0205
    lattice, between = 10.0 * float(exact_peak(tau, tau)[1]), 10.0 / math.e
    assert lattice < between * (1 - 1e-4)
    for v_threshold, n in (((lattice + between) / 2, 0), (lattice - 1e-5, 1)):
        net = network([[10.0]], tau_m=tau, tau_syn_ex=tau, v_threshold=v_threshold, dtype=dtype)
        assert len(spikes(net, [5], duration=10_000)) == n


def test_a_current_acts_from_the_microsecond_after_its_arrival():
    assert spikes(network([[1e9]], tau_syn_ex=5.0), [10], duration=20) == [(11, 0)]
    # Opposite charges of one µs cancel, those of the next come too late.
    net = network([[1e9], [-1e9]], tau_syn_ex=5.0, tau_syn_in=5.0)
    assert spikes(net, [10, 10], [0, 1], duration=20) == []
    assert spikes(net, [10, 11], [0, 1], duration=20) == [(11, 0)]


# --- tau_syn -> 0 ---------------------------------------------------------------------------


def test_a_vanishing_tau_syn_is_a_delta_synapse_a_microsecond_later():
    # A membrane so slow that the µs in between costs no more than 2e-6 mV. t_ref ends between the
    # multiples of 0.1 ms at which things arrive.
    rng = np.random.default_rng(11)
    weights = rng.normal(2.0, 4.0, (10, 30))
    t = np.sort(rng.integers(0, 2_000, 400)) * 100
    channel = rng.integers(0, 10, 400)
    slow = {"tau_m": 1e4, "t_ref": 1.95}
    delta = spikes(network(weights, **slow), t, channel, duration=201_000)
    assert len(delta) > 500
    for tau_syn in (1e-5, 1e-7, 1e-9):
        net = network(weights, tau_syn_ex=tau_syn, tau_syn_in=tau_syn, **slow)
        found = spikes(net, t, channel, duration=201_000)
        assert found == [(t + 1, i) for t, i in delta]


def test_a_psp_tends_to_that_of_a_delta_synapse():
    # The charge comes tau_syn later on average, so v is larger by tau_syn / tau_m of itself.
    for tau_syn in (1e-2, 1e-4, 1e-6):
        missing = 15.0 + 10.0 * math.exp(-0.5) / (1.0 - tau_syn / 20.0)
        net = network([[-10.0, -10.0], [missing + HAIR, missing - HAIR]], tau_syn_in=tau_syn)
        assert spikes(net, [0, 10_000], [0, 1], duration=20_000) == [(10_000, 0)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_zero_is_the_delta_synapse_itself(dtype):
    rng = np.random.default_rng(12)
    weights = rng.normal(2.0, 4.0, (10, 30))
    t, channel = np.sort(rng.integers(0, 200_000, 400)), rng.integers(0, 10, 400)
    old = spikes(network(weights, dtype=dtype), t, channel, duration=201_000)
    net = network(weights, tau_syn_ex=np.zeros(30), tau_syn_in=0.0, dtype=dtype)
    assert spikes(net, t, channel, duration=201_000) == old
    assert len(old) > 50


# --- several arrivals -----------------------------------------------------------------------


def courses(rng, n: int, duration: int):
    """Draw neurons with a drive and three arrivals each; v of each, and the arguments to run it."""
    tau_m = rng.uniform(3.0, 15.0, n)
    tau_ex = np.exp(rng.uniform(np.log(0.3), np.log(2.5), n))
    tau_in = np.exp(rng.uniform(np.log(0.3), np.log(2.5), n))
    long = rng.random(n) < 0.5
    tau_in[long] = rng.uniform(16.0, 30.0, int(long.sum()))
    bias = rng.uniform(0.0, 15.0, n)
    t = np.array([0, 0, 2500])
    weights = np.stack(
        [rng.uniform(5.0, 30.0, n), rng.uniform(-60.0, 0.0, n), rng.uniform(-20.0, 20.0, n)]
    )
    times = np.arange(duration)
    v = -bias[:, None] * np.expm1(-times / 1000.0 / tau_m[:, None])
    for i in range(n):
        for arrival, w in zip(t, weights[:, i], strict=True):
            v[i] += w * psp(times - arrival, tau_ex[i] if w > 0.0 else tau_in[i], tau_m[i])
    neuron = {"tau_m": tau_m, "tau_syn_ex": tau_ex, "tau_syn_in": tau_in, "bias": bias}
    return v, weights, t, neuron


@pytest.mark.parametrize("seed", range(3))
def test_the_first_of_all_crossings(seed):
    # Thresholds at random between the lowest and the highest that v reaches, a few at its turns.
    rng = np.random.default_rng((seed, 13))
    n, duration = 60, 40_000
    v, weights, t, neuron = courses(rng, n, duration)
    threshold = np.empty(n)
    later = 0
    for i in range(n):
        turns = np.flatnonzero(np.diff(np.sign(np.diff(v[i])))) + 1
        humps = turns[v[i, turns] > v[i, turns - 2]]
        humps = humps[v[i, humps] > 0.1]
        if i % 2 and len(humps):  # a µV over or under a hump: now or much later, or never
            threshold[i] = v[i, rng.choice(humps)] + rng.choice([-1e-6, 1e-6])
        else:
            threshold[i] = rng.uniform(0.05, 1.0) * v[i].max() + 1e-3
        first = np.argmax(v[i] >= threshold[i])
        later += len(humps) > 0 and first > humps[0]
    over = v >= threshold[:, None]
    expected = sorted((int(np.argmax(over[i])), i) for i in range(n) if over[i].any())
    net = network(weights, v_threshold=threshold, t_ref=ONCE, v_reset=-1.0, **neuron)
    assert spikes(net, t, [0, 1, 2], duration=duration) == expected
    assert later >= 3  # a first hump below the threshold, a crossing after it
    assert n // 2 < len(expected) < n


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_humps_and_the_threshold_between_them(dtype):
    # Excitation, then inhibition of the same µs that lasts, then the drive lifts v once more.
    tau = {"tau_m": 5.0, "tau_syn_ex": 0.3, "tau_syn_in": 4.0, "bias": 14.0}
    s = np.arange(80_000)
    v = -14.0 * np.expm1(-s / 5000.0) + 15.0 * psp(s, 0.3, 5.0) - 40.0 * psp(s, 4.0, 5.0)
    hump = int(np.argmax(v[:2000]))
    trough = hump + int(np.argmin(v[hump:]))
    assert v[trough] < v[hump] - 1.0 < v[-1] - 1.0
    for v_threshold in (v[hump] - 1e-3, v[hump] + 1e-3, 13.5):
        net = network([[15.0], [-40.0]], v_threshold=v_threshold, t_ref=ONCE, dtype=dtype, **tau)
        ((found, _),) = spikes(net, [0, 0], [0, 1], duration=len(s))
        tolerance = 0.0 if dtype == "float64" else 2e-5
        assert v[found] >= v_threshold - tolerance
        assert (v[:found] < v_threshold + tolerance).all()


def test_arrivals_of_one_microsecond_are_one_charge():
    peak = float(exact_peak(5.0, 20.0)[1])
    enough = (15.0 + HAIR) / peak
    whole = spikes(network([[enough]], tau_syn_ex=5.0), [3], duration=50_000)
    halves = spikes(network([[enough / 2]], tau_syn_ex=5.0), [3, 3], duration=50_000)
    assert whole == halves != []
    assert spikes(network([[enough / 2]], tau_syn_ex=5.0), [3, 4], duration=50_000) == []


def test_each_kind_has_its_own_current():
    # Positive weights by a delta synapse and negative ones by a current, and the reverse.
    net = network([[20.0], [-200.0]], tau_syn_in=5.0)
    assert spikes(net, [5, 5], [0, 1], duration=100) == [(5, 0)]
    assert spikes(net, [1000, 2000], [1, 0], duration=10_000) == []
    net = network([[100.0], [-20.0]], tau_syn_ex=5.0)
    alone = spikes(net, [0], [0], duration=10_000)[0][0]
    assert spikes(net, [0, alone], [0, 1], duration=alone + 1) == []
    assert spikes(net, [0, alone + 1], [0, 1], duration=alone + 2) == [(alone, 0)]


@pytest.mark.parametrize("weight", [-1e4, 1e4])
def test_a_current_neither_stops_nor_moves_the_crossing_of_its_microsecond(weight):
    net = network([[100.0], [weight]], tau_syn_ex=5.0, tau_syn_in=5.0)
    ((crossing, _),) = spikes(net, [0], [0], duration=2_000)
    for late in (0, 1):
        found = spikes(net, [0, crossing + late], [0, 1], duration=crossing + 2)
        assert found == [(crossing, 0)]
    if weight < 0.0:
        assert spikes(net, [0, crossing - 1], [0, 1], duration=crossing + 2) == []
    else:
        assert spikes(net, [0, crossing - 2], [0, 1], duration=crossing) == [(crossing - 1, 0)]

"""The reference's spikes from synaptic currents: a walk along every µs, and cases worked out.

Nothing here asks the library. `psp` has its own tests in test_reference_neuron.py.
"""

import math

import numpy as np
import pytest
import reference
from reference_neuron import psp
from scipy.linalg import expm
from scipy.sparse import csr_array

LIF = {
    "tau_m": 20.0,
    "v_rest": 0.0,
    "v_reset": 0.0,
    "v_threshold": 15.0,
    "t_ref": 2.0,
    "bias": 0.0,
    "tau_syn_ex": 5.0,
    "tau_syn_in": 5.0,
}


def simulate(inputs, t, channel, *, duration, neuron, **more) -> reference.Result:
    """Run neurons without recurrence."""
    return reference.simulate(
        inputs=inputs, recurrent=csr_array((inputs.shape[1],) * 2), input_delay=0.0,
        recurrent_delay=1.0, neuron=neuron, plasticity=None, plastic=None,
        t=t, channel=channel, duration=duration, **more,
    )  # fmt: skip


def one(events, weights, *, duration=200_000, doubt=0.0, follow=None, **neuron) -> reference.Result:
    """Run one neuron that is sent `events` [(t, channel)]."""
    t, channel = zip(*events, strict=True) if events else ((), ())
    inputs = csr_array(np.array(weights)[:, None])
    return simulate(inputs, t, channel, duration=duration, neuron=LIF | neuron, doubt=doubt,
                    follow=follow)  # fmt: skip


def spikes(events, weights, **more) -> list[int]:
    """Return the spike times of that neuron."""
    return [t for t, _ in one(events, weights, **more).spikes]


def potential(weight, duration, tau_syn=5.0, tau_m=20.0) -> np.ndarray:
    """Return v at each µs after one arrival at a neuron at rest; ms."""
    v = [weight * psp(s, 1000.0 * tau_syn, 1000.0 * tau_m) for s in range(duration)]
    return np.array(v)


# --- every µs -------------------------------------------------------------------------------


def walk(inputs, t, channel, *, duration, neuron) -> list[tuple[int, int]]:
    """Go through every µs with the matrix exponential of one; nothing is searched for."""
    n = inputs.shape[1]
    value = {name: np.broadcast_to(x, n).astype(float) for name, x in neuron.items()}
    t_ref = np.rint(1000.0 * value["t_ref"]).astype(int)
    v_infinity = value["v_rest"] + value["bias"]
    reset, height = value["v_reset"] - v_infinity, value["v_threshold"] - v_infinity
    step = np.zeros((n, 3, 3))
    for i in range(n):
        rate = np.zeros((3, 3))
        rate[0, 0] = -1.0 / value["tau_m"][i]
        for k, name in ((1, "tau_syn_ex"), (2, "tau_syn_in")):
            if value[name][i] > 0.0:
                rate[k, k], rate[0, k] = -1.0 / value[name][i], 1.0 / value[name][i]
        step[i] = expm(rate / 1000.0)
    leak, flow_ex, flow_in = step[:, 0].T
    keep_ex, keep_in = step[:, 1, 1], step[:, 2, 2]
    delta_ex, delta_in = value["tau_syn_ex"] == 0.0, value["tau_syn_in"] == 0.0
    arriving: dict[int, list[int]] = {}
    for time, source in zip(t.tolist(), channel.tolist(), strict=True):
        arriving.setdefault(time, []).append(source)
    dense = inputs.toarray()

    spikes = []
    v, u_ex, u_in = value["v_rest"] - v_infinity, np.zeros(n), np.zeros(n)  # v from v_infinity
    held_until = np.zeros(n, dtype=int)
    for now in range(duration):
        if now > 0:
            v = leak * v + flow_ex * u_ex + flow_in * u_in
            held = now <= held_until
            v[held] = reset[held]
            u_ex, u_in = keep_ex * u_ex, keep_in * u_in
        if now in arriving:
            weights = dense[arriving[now]]
            ex, in_ = weights.clip(min=0.0).sum(axis=0), weights.clip(max=0.0).sum(axis=0)
            v += (np.where(delta_ex, ex, 0.0) + np.where(delta_in, in_, 0.0)) * (now >= held_until)
            u_ex, u_in = u_ex + np.where(delta_ex, 0.0, ex), u_in + np.where(delta_in, 0.0, in_)
        for i in np.flatnonzero((v >= height) & (now >= held_until)).tolist():
            spikes.append((now, i))
            held_until[i] = now + t_ref[i]
            v[i] = reset[i]
    return spikes


@pytest.mark.parametrize("seed", range(2))
def test_spikes_against_a_walk_along_every_microsecond(seed):
    rng = np.random.default_rng((seed, 4))
    n, n_inputs, duration = 120, 20, 12_000
    tau_m = rng.uniform(2.0, 40.0, n)
    tau_syn = np.exp(rng.uniform(np.log(0.3), np.log(60.0), (2, n)))
    tau_syn[:, :20] = tau_m[:20]
    tau_syn[0, 10:30] = tau_m[10:30] * (1.0 + 1e-10)
    tau_syn[0, 40:60] = tau_syn[1, 50:70] = 0.0
    height = rng.uniform(8.0, 16.0, n)
    v_rest = rng.uniform(-2.0, 2.0, n)
    neuron = {
        "tau_m": tau_m, "tau_syn_ex": tau_syn[0], "tau_syn_in": tau_syn[1], "v_rest": v_rest,
        "v_reset": v_rest - rng.uniform(-1.0, 5.0, n), "v_threshold": v_rest + height,
        "t_ref": np.where(rng.random(n) < 0.2, 0.0, rng.uniform(0.0, 5.0, n)),
        "bias": rng.uniform(-0.5, 1.2, n) * height,
    }  # fmt: skip
    inputs = csr_array(rng.normal(3.0, 8.0, (n_inputs, n)))
    t = np.sort(rng.integers(0, duration, 40))
    t[10:20] = t[10]
    channel = rng.integers(0, n_inputs, len(t))
    walked = walk(inputs, t, channel, duration=duration, neuron=neuron)
    assert simulate(inputs, t, channel, duration=duration, neuron=neuron).spikes == walked
    assert len(walked) > n
    assert len({i for time, i in walked if time not in set(t.tolist())}) > n / 3


# --- crossings ------------------------------------------------------------------------------


@pytest.mark.parametrize("tau_syn", [0.3, 5.0, 20.0, 20.0 * (1 + 1e-10), 60.0])
def test_one_arrival_crosses_at_the_first_whole_microsecond(tau_syn):
    v = potential(1.0, 40_000, tau_syn)
    weight = 15.0 / v.max() * 1.3
    found = spikes([(123, 0)], [weight], tau_syn_ex=tau_syn, t_ref=1000.0)
    assert found == [123 + int(np.argmax(weight * v >= 15.0))]


def test_the_peak_itself_is_enough():
    v = potential(40.0, 20_000)
    for level, found in ((v.max(), [int(np.argmax(v))]), (math.nextafter(v.max(), 99.0), [])):
        assert spikes([(0, 0)], [40.0], v_threshold=level, t_ref=1000.0) == found


def test_a_peak_between_two_microseconds_is_no_crossing():
    # tau_syn = tau_m: the peak w/e is at tau_m, here half-way between two whole µs.
    tau = 0.0205
    v = potential(10.0, 100, tau, tau)
    peak = 10.0 / math.e
    assert v.max() < peak * (1.0 - 1e-5)
    times = {"tau_m": tau, "tau_syn_ex": tau}
    assert spikes([(7, 0)], [10.0], v_threshold=(v.max() + peak) / 2, **times) == []
    assert spikes([(7, 0)], [10.0], v_threshold=v.max(), **times) == [7 + int(np.argmax(v))]


def test_what_only_tends_to_the_threshold_never_reaches_it():
    # v_infinity is the threshold; the current is too small and gone long before v is near.
    silent = spikes([(0, 0)], [1.0], bias=15.0, duration=10_000_000)
    assert silent == []
    # A current that outlasts the membrane lifts v over it in the end: 15 - 15 e^(-t/20) plus
    # (e^(-t/60) - e^(-t/20)) / 2, positive where e^(t/20 - t/60) > 31.
    late = spikes([(0, 0)], [1.0], bias=15.0, tau_syn_ex=60.0, duration=10_000_000)
    assert late[0] == math.ceil(30_000 * math.log(31.0))


def test_two_opposed_currents_make_a_hump_and_a_second_rise():
    # Fast excitation lifts v, slower inhibition presses it down, the drive wins in the end.
    times = {"tau_m": 5.0, "tau_syn_ex": 0.3, "tau_syn_in": 5.0, "bias": 14.0}
    s = np.arange(60_000)
    v = -14.0 * np.expm1(-s / 5000.0)
    v += potential(15.0, len(s), 0.3, 5.0) + potential(-40.0, len(s), 5.0, 5.0)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(v)))) + 1
    assert len(turns) == 2
    hump, trough = v[turns]
    assert trough < hump < v[-1]
    for level in (hump - 1e-9, hump + 1e-9, trough, 13.9):
        found = spikes([(0, 0), (0, 1)], [15.0, -40.0], v_threshold=level, duration=60_000,
                       t_ref=1000.0, **times)  # fmt: skip
        assert found == [int(np.argmax(v >= level))]


def test_inhibition_stops_a_crossing():
    crossing = spikes([(0, 0)], [80.0], t_ref=1000.0)[0]
    late, lone = {"t_ref": 1000.0}, [(0, 0), (crossing - 1000, 1)]
    assert spikes(lone, [80.0, -200.0], **late) == []
    # Too weak, it only delays it; too late, it is in vain.
    assert spikes(lone, [80.0, -1.0], **late)[0] > crossing
    assert spikes([(0, 0), (crossing + 1, 1)], [80.0, -200.0], **late) == [crossing]


def test_an_arrival_in_the_microsecond_of_a_crossing():
    crossing = spikes([(0, 0)], [80.0])[0]
    # A current needs time to act: it neither stops the spike nor moves it.
    for weight in (-1000.0, 1000.0):
        found = spikes([(0, 0), (crossing, 1)], [80.0, weight], duration=crossing + 2)
        assert found == [crossing]
    # One µs earlier it has acted by then.
    assert spikes([(0, 0), (crossing - 1, 1)], [80.0, -1000.0], duration=crossing + 2) == []
    # A delta synapse acts at once, and before the test.
    delta = {"tau_syn_in": 0.0, "duration": crossing + 2}
    assert spikes([(0, 0), (crossing, 1)], [80.0, -1.0], **delta) == []


def test_a_current_does_not_act_in_the_microsecond_of_its_arrival():
    assert spikes([(10, 0)], [1e9], duration=20) == [11]
    assert spikes([(10, 0), (10, 1)], [1e9, -1e9], duration=20) == []
    assert spikes([(10, 0), (11, 1)], [1e9, -1e12], duration=20) == [11]


def test_a_short_tau_syn_spikes_one_microsecond_after_a_delta_synapse():
    for weight, found in ((16.0, [501]), (14.9, [])):
        assert spikes([(500, 0)], [weight], tau_syn_ex=1e-4) == found
    assert spikes([(500, 0)], [16.0], tau_syn_ex=0.0) == [500]


# --- refractoriness -------------------------------------------------------------------------


def test_charges_decay_through_a_spike_and_drive_the_next():
    first, second = spikes([(0, 0)], [200.0])[:2]
    # From v_reset = 0 at the end of the hold with the charge that is left then.
    left = 200.0 * math.exp(-(first + 2000) / 5000)
    v = potential(left, second - first - 1999)
    assert v[-2] < 15.0 <= v[-1]


def test_arrivals_while_refractory_drive_the_next_spike():
    # A spike at 11, held until 2011, and 100 mV at 1000.
    found = spikes([(10, 0), (1000, 1)], [1e9, 100.0], tau_syn_ex=0.01)
    assert found == [11]  # tau_syn = 10 µs: all is gone by then
    delta = spikes([(10, 0), (1000, 1)], [20.0, 100.0], tau_syn_ex=0.0)
    assert delta == [10]  # lost
    # By a drive to 15.01 mV, far later but for the current that came while v was held.
    second = spikes([(0, 0), (0, 1)], [1e9, -1e9], bias=15.01)[0]
    held = spikes([(second + 1000, 0)], [100.0], bias=15.01)[1] - second
    v = 15.01 * -np.expm1(-np.arange(20_000) / 20_000.0)
    v += potential(100.0 * math.exp(-1000 / 5000), 20_000)
    assert held == 2000 + int(np.argmax(v >= 15.0))


def test_the_next_spike_is_after_the_hold_and_only_a_delta_synapse_makes_it_at_its_end():
    # A current that would lift v over the threshold within any µs.
    assert spikes([(0, 0)], [1e9], duration=6010) == [1, 2002, 4003, 6004]
    assert spikes([(0, 0)], [1e9], duration=5, t_ref=0.0) == [1, 2, 3, 4]
    assert spikes([(0, 0), (2000, 0)], [20.0], tau_syn_ex=0.0) == [0, 2000]


@pytest.mark.parametrize("tau_syn_ex", [0.3, 5.0, 20.0])
def test_an_adapted_threshold_counts_for_crossings(tau_syn_ex):
    weight = 30.0 / potential(1.0, 40_000, tau_syn_ex).max()
    events, neuron = [(0, 0), (1_000_000, 0)], {"tau_syn_ex": tau_syn_ex, "t_ref": 500.0}
    free = one(events, [weight], duration=2_000_000, **neuron)
    assert free.spikes[1][0] - free.spikes[0][0] == 1_000_000
    inputs = csr_array(np.array([[weight]]))
    for theta_plus, n_spikes in ((14.9, 2), (15.1, 1)):
        adapted = simulate(inputs, [0, 1_000_000], [0, 0], duration=2_000_000,
                           neuron=LIF | neuron, theta_plus=theta_plus)  # fmt: skip
        assert len(adapted.spikes) == n_spikes
        assert adapted.spikes[0] == free.spikes[0]


# --- doubt ----------------------------------------------------------------------------------


@pytest.mark.parametrize("doubt", [1e-5, 1e-3, 0.1])
def test_doubt_is_the_first_microsecond_close_to_the_threshold(doubt):
    v = potential(100.0, 20_000)
    kept = {"doubt": doubt, "t_ref": 1000.0}
    for v_threshold in (15.0, 3.3333, float(v.max()) + doubt / 2):
        first = int(np.argmax(v > v_threshold - doubt))
        if v[first] >= v_threshold + doubt:
            first = 200_000  # from well below to well above in one µs
        assert one([(0, 0)], [100.0], v_threshold=v_threshold, **kept).first_doubt == first
    beyond = one([(0, 0)], [100.0], v_threshold=float(v.max()) + 2 * doubt, **kept)
    assert beyond.first_doubt == 200_000


def test_a_doubt_that_an_arrival_prevents_is_none():
    kept = {"doubt": 0.01, "t_ref": 1000.0}
    t = one([(0, 0)], [100.0], **kept).first_doubt
    assert t < 200_000
    assert one([(0, 0), (t - 100, 1)], [100.0, -300.0], **kept).first_doubt == 200_000
    # It is one if the arrival comes later, or in that µs through a current.
    for later in (0, 1):
        assert one([(0, 0), (t + later, 1)], [100.0, -300.0], **kept).first_doubt == t
    # A delta arrival in the very µs carries v away from the threshold.
    delta = one([(0, 0), (t, 1)], [100.0, -300.0], tau_syn_in=0.0, **kept)
    assert delta.first_doubt == 200_000


def test_a_followed_raster_may_differ_by_a_doubt_and_no_more():
    kept = {"t_ref": 100.0}
    v = potential(60.0, 20_000)
    crossing = int(np.argmax(v >= 15.0))
    slope = float(v[crossing] - v[crossing - 1])
    for shift in (-3, -1, 0, 1, 3):
        followed = [(crossing + shift, 0)]
        doubt = (abs(shift) + 1) * slope
        assert one([(0, 0)], [60.0], follow=followed, doubt=doubt, **kept).spikes == followed
    true = (crossing, 0)
    for wrong, complaint in (
        ([], "spike: False"),
        ([(crossing + 3, 0)], "spike: False"),
        ([(crossing - 3, 0)], "spike: True"),
        ([true, (crossing + 5, 0)], "spike: True"),  # refractory
        ([true, (150_000, 0)], "spike: True"),
    ):
        with pytest.raises(AssertionError, match=complaint):
            one([(0, 0)], [60.0], follow=wrong, doubt=1.5 * slope, **kept)

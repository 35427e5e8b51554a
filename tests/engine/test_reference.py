"""The reference against cases worked out on paper, so that others may be measured by it."""

import math

import numpy as np
import pytest
import reference
from scipy.sparse import csr_array

LIF = {
    "tau_m": 20.0,
    "v_rest": 0.0,
    "v_reset": 0.0,
    "v_threshold": 15.0,
    "t_ref": 2.0,
    "bias": 0.0,
}
STDP = {
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


def one_neuron(events, weights=(20.0,), *, duration=100_000, neuron=None, delay=0.0):
    """Feed `events` [(t, channel)] to one neuron without recurrence."""
    t, channel = zip(*events, strict=True) if events else ((), ())
    return reference.simulate(
        inputs=csr_array(np.array(weights)[:, None]),
        recurrent=csr_array((1, 1)),
        input_delay=delay,
        recurrent_delay=1.0,
        neuron=LIF | (neuron or {}),
        plasticity=None,
        plastic=None,
        t=t,
        channel=channel,
        duration=duration,
    ).spikes


def pair(t_pre, t_post, *, weight=1.0, duration=500_000, **changed):
    """One plastic synapse 0 -> 1, delay 1 ms; inputs force spikes at `t_pre` and `t_post`."""
    events = sorted([(t, 0) for t in t_pre] + [(t, 1) for t in t_post])
    return reference.simulate(
        inputs=csr_array(np.diag([20.0, 20.0])),
        recurrent=csr_array(np.array([[0.0, weight], [0.0, 0.0]])),
        input_delay=0.0,
        recurrent_delay=1.0,
        neuron=LIF | {"t_ref": 0.0},
        plasticity=STDP | changed,
        plastic=[True],
        t=[t for t, _ in events],
        channel=[c for _, c in events],
        duration=duration,
    )


def test_delays_round_once_and_ties_go_to_even():
    assert [reference.microseconds(ms) for ms in (1.0, 0.0014, 0.0025, 0.0035, 0.5)] == [
        1000, 1, 2, 4, 500,
    ]  # fmt: skip


# --- the membrane ---------------------------------------------------------------------------


def test_one_strong_arrival_is_one_spike_at_its_time():
    assert one_neuron([(123, 0)]) == [(123, 0)]
    assert one_neuron([(123, 0)], delay=1.5) == [(1623, 0)]


def test_the_threshold_itself_is_enough():
    assert one_neuron([(5, 0)], [15.0]) == [(5, 0)]
    assert one_neuron([(5, 0)], [math.nextafter(15.0, 0.0)]) == []


@pytest.mark.parametrize("lag", [1, 700, 20_000, 60_000])
def test_a_psp_decays_with_tau_m(lag):
    # 10 mV, and `lag` later what lacks to 15 mV, a hair more and a hair less.
    missing = 15.0 - 10.0 * math.exp(-lag / 20_000)
    events = [(1000, 0), (1000 + lag, 1)]
    assert one_neuron(events, [10.0, missing + 1e-9]) == [(1000 + lag, 0)]
    assert one_neuron(events, [10.0, missing - 1e-9]) == []


def test_arrivals_of_one_microsecond_are_summed_before_the_test():
    assert one_neuron([(7, 0), (7, 1)], [8.0, 8.0]) == [(7, 0)]
    assert one_neuron([(7, 0), (7, 1)], [20.0, -6.0]) == []
    assert one_neuron([(7, 0), (8, 1)], [20.0, -6.0]) == [(7, 0)]  # a µs apart: not summed
    assert one_neuron([(7, 0), (7, 0)], [8.0]) == [(7, 0)]  # an event twice counts twice


def test_refractory_edge():
    # Spike at 10; lost up to 2009; the one at 2010 counts, and v starts there from v_reset.
    assert one_neuron([(10, 0), (2009, 0)]) == [(10, 0)]
    assert one_neuron([(10, 0), (2010, 0)]) == [(10, 0), (2010, 0)]
    assert one_neuron([(10, 0), (2009, 1), (2010, 2)], [20.0, 14.0, 14.0]) == [(10, 0)]


def test_v_relaxes_from_v_reset_only_after_the_refractory_period():
    # From v_reset = -10 at 2000, v(2000 + 20000) = -10/e; 15 + 10/e more are needed.
    missing = 15.0 + 10.0 * math.exp(-1.0)
    events = [(0, 0), (22_000, 1)]
    assert len(one_neuron(events, [20.0, missing + 1e-9], neuron={"v_reset": -10.0})) == 2
    assert len(one_neuron(events, [20.0, missing - 1e-9], neuron={"v_reset": -10.0})) == 1


def test_a_constant_drive_crosses_by_itself():
    # v = 30 (1 - exp(-t/20)) reaches 15 at 20 ln 2 = 13.8629436 ms; whole µs: 13863.
    # Then v_reset = 0 is held for 2 ms: period 15863.
    assert one_neuron([], neuron={"bias": 30.0}, duration=50_000) == [
        (13_863, 0), (29_726, 0), (45_589, 0),
    ]  # fmt: skip
    assert one_neuron([], neuron={"bias": 15.0}, duration=10_000_000) == []


def test_an_arrival_moves_or_stops_the_crossing_of_a_drive():
    drive = {"bias": 30.0}
    # Inhibition in the very µs of the crossing is summed in before the test.
    assert one_neuron([(13_863, 0)], [-1.0], neuron=drive, duration=14_000) == []
    assert one_neuron([(13_863, 0)], [-1.0], neuron=drive, duration=16_000) != []
    # 10 mV at 0: v = 30 - 20 exp(-t/20) reaches 15 at 20 ln(4/3) = 5.7536 ms.
    assert one_neuron([(0, 0)], [10.0], neuron=drive, duration=6_000) == [(5754, 0)]


def test_the_sample_is_half_open():
    assert one_neuron([(99, 0)], duration=100) == [(99, 0)]
    assert one_neuron([(99, 0)], duration=100, delay=0.001) == []


# --- plasticity -----------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 1000, 15_000, 90_000])
@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_pair_window(lag, pairing):
    causal = pair([10_000], [11_000 + lag], pairing=pairing)  # arrival at 11000
    assert causal.weights[0] == pytest.approx(1.0 + 0.1 * math.exp(-lag / 15_000), abs=1e-15)
    acausal = pair([200_000], [201_000 - lag], pairing=pairing)
    assert acausal.weights[0] == pytest.approx(1.0 - 0.05 * math.exp(-lag / 34_000), abs=1e-15)


@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_a_coincidence_changes_nothing(pairing):
    result = pair([10_000], [11_000], pairing=pairing)
    assert result.spikes == [(10_000, 0), (11_000, 1)]
    assert result.weights[0] == 1.0
    assert result.n_weight_changes == 0


@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_a_coincidence_still_sees_what_came_before(pairing):
    # Arrivals at 11000 and 31000, post spike at 31000: x is that of the first alone.
    causal = pair([10_000, 30_000], [31_000], pairing=pairing)
    assert causal.weights[0] == pytest.approx(1.0 + 0.1 * math.exp(-20 / 15), abs=1e-15)
    # Post spikes at 11000 and 31000, arrival at 31000: y is that of the first alone.
    acausal = pair([30_000], [11_000, 31_000], pairing=pairing)
    assert acausal.weights[0] == pytest.approx(1.0 - 0.05 * math.exp(-20 / 34), abs=1e-15)


def test_nearest_forgets_and_all_to_all_adds():
    # Arrivals at 11000 and 21000, post spike at 31000.
    near, far = math.exp(-10 / 15), math.exp(-20 / 15)
    both = pair([10_000, 20_000], [31_000])
    assert both.weights[0] == pytest.approx(1.0 + 0.1 * (near + far), abs=1e-15)
    one = pair([10_000, 20_000], [31_000], pairing="nearest")
    assert one.weights[0] == pytest.approx(1.0 + 0.1 * near, abs=1e-15)


def test_triplet_in_order():
    # Post 5000, arrival 11000, post 21000: depression first, then potentiation.
    down, up = 0.05 * math.exp(-6 / 34), 0.1 * math.exp(-10 / 15)
    assert pair([10_000], [5_000, 21_000]).weights[0] == pytest.approx(1 - down + up, abs=1e-15)
    # With mu = 1 the order matters: up finds the weight that down left.
    after_down = 1.0 - down * 1.0
    after_up = after_down + up * (2.0 - after_down)
    soft = pair([10_000], [5_000, 21_000], mu_plus=1.0, mu_minus=1.0)
    assert soft.weights[0] == pytest.approx(after_up, abs=1e-15)


def test_soft_bounds():
    decay = math.exp(-10 / 15)
    up = pair([10_000], [21_000], weight=1.5, mu_plus=0.4)
    assert up.weights[0] == pytest.approx(1.5 + 0.1 * decay * 0.5**0.4, abs=1e-15)
    down = pair([30_000], [21_000], weight=1.5, mu_minus=0.4, w_min=0.5)
    assert down.weights[0] == pytest.approx(1.5 - 0.05 * math.exp(-10 / 34), abs=1e-15)
    down = pair([30_000], [21_000], weight=1.0, mu_minus=0.4, w_min=0.5)
    assert down.weights[0] == pytest.approx(1.0 - 0.05 * math.exp(-10 / 34) * 0.5**0.4, abs=1e-15)


def test_hard_bounds_clip_after_each_change():
    assert pair([10_000], [11_001], weight=1.95).weights[0] == 2.0
    assert pair([30_000], [30_999], weight=0.01).weights[0] == 0.0
    # Clipped at 2.0 first, then depressed from there: a clip at the end would give another sum.
    result = pair([10_000, 21_000], [11_001], weight=1.95)
    assert result.weights[0] == pytest.approx(2.0 - 0.05 * math.exp(-10_999 / 34_000), abs=1e-15)


def test_arrivals_deliver_the_weight_they_find():
    # Post spikes at 0; an arrival at 10 ms of weight 15 fires neuron 1 although it is depressed.
    result = pair([9_000], [0], weight=15.0, w_max=15.0)
    assert result.spikes == [(0, 1), (9_000, 0), (10_000, 1)]
    assert result.weights[0] == pytest.approx(15.0 - 0.05 * math.exp(-10 / 34), abs=1e-14)


def test_lost_arrivals_still_act_on_traces_and_weights():
    # Neuron 1 spikes at 11500 and is refractory for 2 ms; the arrival at 12000 is lost to v.
    result = reference.simulate(
        inputs=csr_array(np.diag([20.0, 20.0])),
        recurrent=csr_array(np.array([[0.0, 15.0], [0.0, 0.0]])),
        input_delay=0.0, recurrent_delay=1.0, neuron=LIF, plasticity=STDP | {"w_max": 20.0},
        plastic=[True], t=[11_000, 11_500, 13_500], channel=[0, 1, 1], duration=14_000,
    )  # fmt: skip
    assert result.spikes == [(11_000, 0), (11_500, 1), (13_500, 1)]
    down, up = 0.05 * math.exp(-0.5 / 34), 0.1 * math.exp(-1.5 / 15)
    assert result.weights[0] == pytest.approx(15.0 - down + up, abs=1e-14)
    assert result.trace_pre[0] == pytest.approx(math.exp(-2.0 / 15), abs=1e-15)
    assert result.trace_post[0] == pytest.approx(
        math.exp(-2.5 / 34) + math.exp(-0.5 / 34), abs=1e-15
    )


def test_without_learning_weights_stay():
    events = {"t": [10_000, 12_000], "channel": [0, 1], "duration": 20_000, "learn": False}
    result = reference.simulate(
        inputs=csr_array(np.diag([20.0, 20.0])),
        recurrent=csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])),
        input_delay=0.0, recurrent_delay=1.0, neuron=LIF, plasticity=STDP, plastic=[True], **events,
    )  # fmt: skip
    assert result.weights[0] == 1.0
    assert len(result.spikes) == 2
    assert result.n_arrivals == 3  # two from the inputs, one between the neurons


def test_events_of_one_channel_at_one_microsecond_go_one_after_the_other():
    # Plastic input synapse; post spike at 0, two events at 10 ms: the second finds less.
    result = reference.simulate(
        inputs=csr_array(np.array([[20.0], [8.0]])),
        recurrent=csr_array((1, 1)),
        input_delay=0.0, recurrent_delay=1.0, neuron=LIF, plasticity=STDP | {"w_max": 30.0},
        plastic=None, input_plastic=[False, True],
        t=[0, 10_000, 10_000], channel=[0, 1, 1], duration=20_000,
    )  # fmt: skip
    down = 0.05 * math.exp(-10 / 34)
    # 8 + (8 - down) >= 15: a spike that adds nothing to either, since x counts from before.
    assert result.spikes == [(0, 0), (10_000, 0)]
    assert result.input_weights[1] == pytest.approx(8.0 - 2 * down, abs=1e-14)


# --- homeostasis ----------------------------------------------------------------------------


def test_adaptive_threshold_rises_at_each_own_spike():
    result = reference.simulate(
        inputs=csr_array(np.array([[16.0]])),
        recurrent=csr_array((1, 1)),
        input_delay=0.0, recurrent_delay=1.0, neuron=LIF, plasticity=None, plastic=None,
        t=[0, 300_000, 600_000, 900_000], channel=[0] * 4, duration=1_000_000, theta_plus=0.4,
    )  # fmt: skip
    # Thresholds met: 15.0, 15.4, 15.8, 16.2.
    assert result.spikes == [(0, 0), (300_000, 0), (600_000, 0)]
    assert result.theta[0] == pytest.approx(1.2)


def test_normalisation_restores_the_sum_then_clips():
    recurrent = csr_array(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]))
    common = {
        "inputs": csr_array(20.0 * np.eye(3)), "recurrent": recurrent, "input_delay": 0.0,
        "recurrent_delay": 1.0, "neuron": LIF, "plastic": [True, True],
        "t": [10_000, 12_000], "channel": [0, 2], "duration": 20_000,
    }  # fmt: skip
    sums = reference.incoming_sums(recurrent, [True, True])
    assert sums == [0.0, 0.0, 1.5]
    raised = 1.0 + 0.1 * math.exp(-1 / 15)
    free = reference.simulate(**common, plasticity=STDP, normalize_to=sums)
    scale = 1.5 / (raised + 0.5)
    assert free.weights == pytest.approx([raised * scale, 0.5 * scale], abs=1e-15)
    tight = reference.simulate(**common, plasticity=STDP | {"w_min": 0.49}, normalize_to=sums)
    assert tight.weights == pytest.approx([raised * scale, 0.49], abs=1e-15)


def test_doubt_finds_the_first_close_decision():
    kept = {
        "inputs": csr_array(np.array([[14.9], [20.0]])), "recurrent": csr_array((1, 1)),
        "input_delay": 0.0, "recurrent_delay": 1.0, "neuron": LIF, "plasticity": None,
        "plastic": None, "t": [10, 300_000], "channel": [1, 0], "duration": 400_000,
    }  # fmt: skip
    assert reference.simulate(**kept, doubt=0.05).first_doubt == 400_000
    assert reference.simulate(**kept, doubt=0.2).first_doubt == 300_000

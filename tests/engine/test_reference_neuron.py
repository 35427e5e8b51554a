"""The reference's neuron against closed forms in many digits, an integrator, and every µs in turn.

Nothing here asks the library.
"""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from reference_neuron import Charge, Neuron, psp
from scipy.integrate import quad, solve_ivp


def resting(tau_m=20.0, tau_ex=5.0, tau_in=5.0, *, threshold=15.0, bias=0.0, t_ref=2000) -> Neuron:
    """Return a neuron at v = 0; time constants in ms."""
    ex, in_ = Charge(1000.0 * tau_ex), Charge(1000.0 * tau_in)
    return Neuron(1000.0 * tau_m, 0.0, 0.0, threshold, t_ref, bias, ex, in_)


def exact_psp(s: int, tau_syn: float, tau_m: float) -> float:
    """Evaluate the textbook's form with 60 digits, enough for time constants as close as floats."""
    with localcontext() as context:
        context.prec = 60
        s, tau_syn, tau_m = Decimal(s), Decimal(tau_syn), Decimal(tau_m)
        if tau_syn == tau_m:
            return float(s / tau_m * (-s / tau_m).exp())
        return float(((-s / tau_m).exp() - (-s / tau_syn).exp()) / (1 - tau_syn / tau_m))


# --- one potential --------------------------------------------------------------------------


@pytest.mark.parametrize("tau_m", [2_000.0, 20_000.0, 33_333.3])
@pytest.mark.parametrize(
    "ratio",
    [1e-6, 0.01, 0.25, 0.9, 1 - 1e-3, 1 - 1e-10, 1.0, 1 + 1e-15, 1 + 1e-10, 1 + 1e-7, 3.0, 40.0],
)
def test_the_potential_of_one_arrival(tau_m, ratio):
    tau_syn = ratio * tau_m
    for s in (0, 1, 2, 17, 1000, 9_999, 100_000, 1_000_000):
        # The exponent of either exponential is rounded, and with it its last digits.
        rounding = 4e-16 * (4.0 + s / min(tau_m, max(tau_syn, tau_m)))
        assert psp(s, tau_syn, tau_m) == pytest.approx(
            exact_psp(s, tau_syn, tau_m), rel=rounding, abs=0.0
        )


def test_the_potential_survives_extremes():
    assert psp(10**12, 60_000.0, 1_000.0) == 0.0
    assert psp(10**12, 1_000.0, 60_000.0) == 0.0
    assert psp(5000, 1e-9, 20_000.0) == pytest.approx(math.exp(-0.25), rel=1e-12)


@pytest.mark.parametrize(("tau_syn", "tau_m"), [(5.0, 20.0), (20.0, 20.0), (60.0, 3.0)])
def test_a_weight_is_a_charge(tau_syn, tau_m):
    # Without a leak v would move by 1 mV; with it the area under the potential is tau_m, whatever
    # tau_syn is.
    area, _ = quad(psp, 0.0, 3000.0, args=(tau_syn, tau_m), epsrel=1e-12, epsabs=0.0, limit=500)
    assert area == pytest.approx(tau_m, rel=1e-9)
    assert psp(7.0, tau_syn, 1e12) == pytest.approx(-math.expm1(-7.0 / tau_syn), rel=1e-9)


def test_the_sign_of_a_weight_chooses_the_current():
    cell = resting(tau_ex=3.0, tau_in=7.0)
    cell.receive(0, [10.0, -4.0, 2.0, 0.0])
    assert (cell.ex.value, cell.in_.value) == (12.0, -4.0)
    expected = 12.0 * psp(900, 3000.0, 20_000.0) - 4.0 * psp(900, 7000.0, 20_000.0)
    assert cell.v_at(900) == pytest.approx(expected, rel=1e-15)


def test_one_kind_may_be_a_delta_synapse():
    cell = resting(tau_ex=0.0, tau_in=7.0)
    cell.receive(0, [10.0, -4.0])
    assert cell.v_at(0) == 10.0
    assert cell.v_at(1000) == pytest.approx(
        10.0 * math.exp(-0.05) - 4.0 * psp(1000, 7000.0, 20_000.0), rel=1e-15
    )
    cell = resting(tau_ex=7.0, tau_in=0.0)
    cell.receive(0, [10.0, -4.0])
    assert cell.v_at(0) == -4.0
    assert (cell.ex.value, cell.in_.value) == (10.0, 0.0)


# --- many arrivals --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_v_against_an_integrator(seed):
    # The differential equations, integrated from arrival to arrival.
    rng = np.random.default_rng(seed)
    tau_m, tau_ex, tau_in = np.exp(rng.uniform(np.log(0.3), np.log(60.0), 3))
    tau_ex, tau_in = [(tau_ex, tau_in), (tau_m, tau_in), (tau_ex, tau_m * (1 + 1e-9))][seed % 3]
    bias = rng.uniform(-10.0, 10.0)
    cell = resting(tau_m, tau_ex, tau_in, bias=bias)

    def slope(_, state):
        v, u_ex, u_in = state
        flow_ex, flow_in = u_ex / tau_ex, u_in / tau_in
        return (-v + bias) / tau_m + flow_ex + flow_in, -flow_ex, -flow_in

    times = np.unique(np.append(0, rng.integers(0, 60_000, 12)))
    state = np.zeros(3)
    for t, until in zip(times.tolist(), [*times[1:].tolist(), 80_000], strict=True):
        weights = rng.normal(0.0, 10.0, 3)
        cell.receive(t, weights.tolist())
        state[1] += weights[weights > 0.0].sum()
        state[2] += weights[weights < 0.0].sum()
        solution = solve_ivp(slope, (t / 1000, until / 1000), state, method="DOP853",
                             rtol=1e-12, atol=1e-12, dense_output=True)  # fmt: skip
        for looked_at in (t + 1, (t + until) // 2, until):
            v, u_ex, u_in = solution.sol(looked_at / 1000)
            # The continuous solution is of a lower order than the steps, hence some 1e-10.
            assert cell.v_at(looked_at) == pytest.approx(v, abs=1e-8)
            assert cell.ex.at(looked_at) == pytest.approx(u_ex, abs=1e-8)
            assert cell.in_.at(looked_at) == pytest.approx(u_in, abs=1e-8)
        state = solution.y[:, -1]


# --- the search -----------------------------------------------------------------------------


def random_neuron(rng) -> Neuron:
    """Return a neuron somewhere on its way, with both charges."""
    tau_m, tau_ex, tau_in = np.exp(rng.uniform(np.log(0.3), np.log(20.0), 3)).tolist()
    cell = resting(tau_m, tau_ex, tau_in, bias=rng.uniform(-10.0, 10.0))
    cell.v = rng.uniform(-20.0, 10.0)
    cell.receive(0, [rng.uniform(0.0, 80.0), -rng.uniform(0.0, 80.0)])
    return cell


@pytest.mark.parametrize("seed", range(40))
def test_the_search_misses_no_level(seed):
    # Levels at, just above and just below what v reaches at some µs, its highest above all.
    rng = np.random.default_rng((seed, 9))
    cell, end = random_neuron(rng), 8_000
    v = [cell.v_at(t) for t in range(end)]
    peak = int(np.argmax(v))
    for t in (peak, *rng.integers(1, end, 5).tolist()):
        for level in (math.nextafter(v[t], -math.inf), v[t], math.nextafter(v[t], math.inf)):
            first = next((t for t in range(end) if v[t] >= level), None)
            assert cell.first_reaching(level, 0, end) == first
    assert cell.first_reaching(v[peak], 0, peak) is None
    assert cell.first_reaching(v[peak], 0, peak + 1) == peak


# --- spikes and refractoriness --------------------------------------------------------------


@pytest.mark.parametrize("arrival", [500, 1999, 2000, 2001])
def test_arrivals_while_refractory_are_added_to_the_charges(arrival):
    cell = resting(t_ref=2000)
    cell.v = 15.0
    cell.receive(0, [40.0])
    cell.spike(0)
    cell.receive(arrival, [80.0])
    # Either charge begins to act on v at the end of the hold, with what is left of it by then.
    later = max(arrival, 2000)
    expected = 40.0 * math.exp(-2000 / 5000.0) * psp(later + 500 - 2000, 5000.0, 20_000.0)
    expected += 80.0 * math.exp((arrival - later) / 5000.0) * psp(500, 5000.0, 20_000.0)
    assert cell.v_at(later + 500) == pytest.approx(expected, rel=1e-14)


def test_a_delta_arrival_while_refractory_is_lost_beside_a_current_that_is_not():
    cell = resting(20.0, 5.0, 0.0, t_ref=2000)
    cell.spike(0)
    cell.receive(1000, [10.0, -8.0])
    assert cell.v_at(2000) == 0.0
    assert cell.v_at(2500) == pytest.approx(
        10.0 * math.exp(-0.2) * psp(500, 5000.0, 20_000.0), rel=1e-14
    )


def test_a_short_tau_syn_is_nearly_a_delta_synapse():
    slow, instant = resting(20.0, 1e-4, 1e-4), resting(20.0, 0.0, 0.0)
    for cell in (slow, instant):
        cell.receive(0, [10.0, -3.0])
        cell.receive(700, [2.0])
    # The charge comes tau_syn = 0.1 µs later on average: v differs by 1e-4/20 of itself.
    for t in (1000, 5000, 50_000):
        assert slow.v_at(t) == pytest.approx(instant.v_at(t) * (1.0 + 5e-6), rel=1e-10)

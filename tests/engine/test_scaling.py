"""Scaling laws: what a change of the unit of potential or of time must not change.

The units change by powers of two, so that every product and sum keeps its bits.
"""

import hrsnn_rs as hr
import numpy as np
from drawn_networks import Drawn, drawn, examples
from hypothesis import given
from hypothesis import strategies as st

POTENTIALS = ("v_rest", "v_reset", "v_threshold", "bias")


def scaled_values(values: dict, names: tuple[str, ...], factor: float) -> dict:
    return values | {name: values[name] * factor for name in names}


def with_homeostasis(case: Drawn, unit_mv: float = 1.0, unit_ms: float = 1.0) -> Drawn:
    """Return the same with an adaptive threshold and normalisation, in these units."""
    adaptive = hr.AdaptiveThreshold(theta_plus=0.25 * unit_mv, tau_theta=500.0 * unit_ms)
    return case.with_(adaptive_threshold=adaptive, normalize_weights=True)


def two_samples(case: Drawn):
    """Learn twice, so that what stays from sample to sample is seen to act."""
    network = case.network()
    outcomes = [case.learn_with(network, case.events()) for _ in range(2)]
    return *outcomes, network.neuron_parameters["theta"]


@examples
@given(drawn(), st.integers(-20, 20), st.booleans())
def test_the_unit_of_potential_does_not_matter(case, exponent, homeostasis):
    factor = 2.0**exponent
    # (w_max - w)^mu carries its unit to the power of mu; only 0 and 1 are free of rounding.
    rule = case.rule | {mu: round(case.rule[mu] + 0.1) for mu in ("mu_plus", "mu_minus")}
    stdp = case.stdp
    for name, mu in (("a_plus", "mu_plus"), ("a_minus", "mu_minus")):
        stdp = scaled_values(stdp, (name,), factor ** (1 - rule[mu]))
    other = case.with_(
        inputs=case.inputs * factor,
        recurrent=case.recurrent * factor,
        neuron=scaled_values(case.neuron, POTENTIALS, factor),
        stdp=stdp,
        rule=scaled_values(rule, ("w_min", "w_max"), factor),
    )
    case = case.with_(rule=rule)
    if homeostasis:
        case, other = with_homeostasis(case), with_homeostasis(other, unit_mv=factor)
    *outcomes, theta = two_samples(case)
    *others, other_theta = two_samples(other)
    for one, two in zip(outcomes, others, strict=True):
        assert two.is_same(
            one._replace(
                weights=one.weights * factor,
                input_weights=one.input_weights * factor,
            )
        )
    np.testing.assert_array_equal(other_theta, theta * factor)


@examples
@given(drawn(), st.integers(1, 8), st.booleans())
def test_the_unit_of_time_does_not_matter(case, exponent, homeostasis):
    # Not so with a drive over the threshold: its crossings are rounded up to the lattice.
    factor = 2**exponent
    neuron = case.neuron | {"bias": np.minimum(case.neuron["bias"], case.neuron["v_threshold"])}
    case = case.with_(neuron=neuron)
    other = case.with_(
        neuron=scaled_values(neuron, ("tau_m", "t_ref"), factor),
        stdp=scaled_values(case.stdp, ("tau_plus", "tau_minus"), factor),
        input_delay=case.input_delay * factor,
        recurrent_delay=case.recurrent_delay * factor,
        t=case.t * factor,
        duration=case.duration * factor,
    )
    if homeostasis:
        case, other = with_homeostasis(case), with_homeostasis(other, unit_ms=float(factor))
    *outcomes, theta = two_samples(case)
    *others, other_theta = two_samples(other)
    for one, two in zip(outcomes, others, strict=True):
        assert two.is_same(one._replace(spikes=[(t * factor, i) for t, i in one.spikes]))
    np.testing.assert_array_equal(other_theta, theta)

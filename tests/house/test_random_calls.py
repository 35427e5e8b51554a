"""Hypothesis: random calls on random objects end in a result or one of our exceptions."""

import math
import os

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

#: Calls in all; each example below makes several.
N_CALLS = int(os.environ.get("HRSNN_CALLS", "20000"))
#: Calls under one seed: Hypothesis remembers all that it tried, and slows down with it.
CALLS_OF_A_PART = 20_000
CALLS_OF_AN_EXAMPLE = 20
PARTS = pytest.mark.parametrize("part", range(-(-N_CALLS // CALLS_OF_A_PART)))
TRIES = settings(
    max_examples=CALLS_OF_A_PART // (2 * CALLS_OF_AN_EXAMPLE),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1, 2, 3, 0.5, 1.0, 10.0, 1e300, 5e-324, 2**31, 2**63, 2**64, -(2**63)]),
    st.floats(),
    st.integers(-5, 50),
)
ANYTHING = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.lists(NUMBERS, max_size=4),
    st.lists(NUMBERS, max_size=4).map(lambda x: np.array(x, dtype=np.float64)),
)
LAWS = st.one_of(
    NUMBERS,
    st.builds(lambda kind, a, b: (kind, a, b), st.sampled_from("gnluo"), NUMBERS, NUMBERS),
)


def made(call, *arguments, **options):
    """What the call gives, or None where it refuses."""
    try:
        return call(*arguments, **options)
    except hr.InternalError:
        raise
    except (hr.HRSNNError, MemoryError):
        return None
    except TypeError as error:
        if "argument" not in str(error):  # a missing or unknown one
            raise
        return None


def law(drawn):
    if not isinstance(drawn, tuple):
        return drawn
    kinds = {"g": hr.Gamma, "n": hr.Normal, "l": hr.LogNormal, "u": hr.Uniform, "o": hr.LogUniform}
    return made(kinds[drawn[0]], *drawn[1:])


def tried(part: int, example) -> None:
    """Hold `example` against what Hypothesis draws under the seed of this part."""
    seed(part)(TRIES(given(st.data())(example)))()


def finite(net) -> None:
    for weights in (net.input_weights, net.recurrent_weights):
        assert np.isfinite(weights.data).all()
    assert np.isfinite(net.neuron_parameters["theta"]).all()


def networks_and_runs(data) -> None:
    draw = data.draw
    fields = st.sampled_from(["tau_m", "v_rest", "v_reset", "v_threshold", "t_ref", "bias",
                              "tau_syn_ex", "tau_syn_in"])  # fmt: skip
    neuron = made(hr.LIF, **{draw(fields): law(draw(LAWS)) for _ in range(draw(st.integers(0, 2)))})
    constants = st.sampled_from(["a_plus", "a_minus", "tau_plus", "tau_minus", "w_min", "w_max",
                                 "mu_plus", "mu_minus"])  # fmt: skip
    stdp = made(
        hr.STDP, **{draw(constants): law(draw(LAWS)) for _ in range(draw(st.integers(0, 2)))}
    )
    rule = made(hr.RandomConnectivity, p=0.5, weight=law(draw(LAWS)), delay=law(draw(LAWS)))
    inputs = made(hr.RandomConnectivity, p=draw(st.sampled_from([1.0, 0.5, 0.0])), weight=20.0)
    net = made(
        hr.Network, 3, draw(st.integers(1, 9)), neuron=neuron, inputs=inputs,
        recurrent=rule or hr.RandomConnectivity(p=0.6, weight=5.0), plasticity=stdp,
        normalize_weights=draw(st.booleans()), seed=draw(st.integers(0, 9)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )  # fmt: skip
    net = net or hr.Network(3, 4, inputs=inputs, plasticity=hr.STDP(),
                            recurrent=hr.RandomConnectivity(p=0.6, weight=5.0))  # fmt: skip
    times = sorted(draw(st.lists(st.integers(0, 3000), min_size=1, max_size=12)))
    events = hr.Events(times, [t % 3 for t in times], n_channels=3, duration=4000)
    for _ in range(CALLS_OF_AN_EXAMPLE - 6):
        call = draw(st.integers(0, 6))
        bad = draw(ANYTHING)
        if call == 0:
            made(
                net.run, events, learn=draw(st.booleans()), n_threads=draw(st.sampled_from([1, 2]))
            )
        elif call == 1:
            if isinstance(bad, int | float) and 10_000 < bad < 2**62:
                bad = 10_000  # years of a driven neuron take long for good reasons
            made(net.run, (times, draw(st.lists(NUMBERS, max_size=4))), duration=bad)
        elif call == 2:
            made(net.train, [events], epochs=draw(st.sampled_from([1, 2])), n_threads=1)
        elif call == 3:
            made(net.transform, [events], draw(st.sampled_from([1, 3, bad])), tau_lowpass=bad)
        elif call == 4:
            made(net.transform, [events] * 2, 2, windows="events", features="both", n_threads=1)
        elif call == 5:
            made(net.calibrate, [events], rate=bad, n_samples=2)
        else:
            other = made(net.copy)
            net = net if other is None else other
    finite(net)


@PARTS
def test_random_networks_and_runs(part):
    tried(part, networks_and_runs)


def events_and_graphs(data) -> None:
    draw = data.draw
    for _ in range(CALLS_OF_AN_EXAMPLE // 4):
        columns = st.lists(st.one_of(st.integers(-2, 60), NUMBERS), max_size=6)
        t, channel = draw(columns), draw(columns)
        events = made(hr.Events, t, channel, draw(st.sampled_from([3, 100, draw(ANYTHING)])),
                      draw(st.one_of(st.none(), NUMBERS)))  # fmt: skip
        if events is not None:
            assert (np.diff(events.t) >= 0).all()
            assert events.channel.size == 0 or events.channel.max() < events.n_channels
            assert events.reversed().reversed() == events
        raster = made(hr.Events.from_raster, draw(st.lists(columns, max_size=3)), dt=draw(NUMBERS))
        assert raster is None or len(raster) >= 0
        size = draw(st.integers(1, 4))
        values = draw(st.lists(st.one_of(NUMBERS, st.just(0.0)), min_size=size * size,
                               max_size=size * size))  # fmt: skip
        dense = np.array([float(min(max(v, -1e308), 1e308)) if math.isfinite(v) else v
                          for v in map(float, values)])  # fmt: skip
        graph = sp.csr_array(dense.reshape(size, size))
        net = made(
            hr.Network.from_arrays, inputs=graph, recurrent=graph,
            recurrent_delay=draw(ANYTHING), plasticity=draw(st.sampled_from([None, hr.STDP()])),
        )  # fmt: skip
        if net is not None:
            made(net.run, ([0, 1], [0, size - 1]), learn=True)
            finite(net)
        made(hr.Gamma, draw(ANYTHING), draw(ANYTHING))


@PARTS
def test_random_events_and_graphs(part):
    tried(part, events_and_graphs)


def test_there_are_as_many_calls_as_promised():
    parts = len(PARTS.args[1])
    assert 2 * TRIES.max_examples * CALLS_OF_AN_EXAMPLE * parts >= N_CALLS


def test_what_fails_is_seen():
    def example(data) -> None:
        assert data.draw(st.integers()) < 1_000

    with pytest.raises(AssertionError):
        tried(0, example)


def test_a_panic_would_be_seen():
    def panic() -> None:
        raise hr.InternalError("a bug of hrsnn_rs")

    with pytest.raises(hr.InternalError):
        made(panic)

"""Small networks drawn by Hypothesis, to hold properties on; no test lives here.

Where an order of summation could show in the last bit, weights are multiples of 1/64 mV, so that
the sum of one microsecond's arrivals is exact in whatever order it is taken.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import hrsnn_rs as hr
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

examples = settings(
    deadline=None,  # the machine may be busy
    derandomize=True,  # seeds are fixed
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)


class Outcome(NamedTuple):
    """What learning from one sample gave; dense weights, NaN where there is no synapse."""

    spikes: list[tuple[int, int]]
    weights: np.ndarray
    input_weights: np.ndarray
    stats: hr.RunStats

    def is_same(self, other: "Outcome") -> bool:
        """Whether raster, weights and counts of neurons and synapses are the same, bit for bit."""
        counts = ("n_spikes", "n_synaptic_events", "n_input_synaptic_events", "n_weight_updates")
        return (
            self.spikes == other.spikes
            and np.array_equal(self.weights, other.weights, equal_nan=True)
            and np.array_equal(self.input_weights, other.input_weights, equal_nan=True)
            and all(getattr(self.stats, name) == getattr(other.stats, name) for name in counts)
        )


@dataclass
class Drawn:
    """A network and a sample. Matrices are dense; row: source, column: target."""

    inputs: np.ndarray  # NaN: no synapse
    recurrent: np.ndarray
    input_delay: np.ndarray  # ms
    recurrent_delay: np.ndarray
    stdp: dict  # arrays, or numbers where `rule` lets inputs learn
    neuron: dict
    rule: dict
    t: np.ndarray
    channel: np.ndarray
    duration: int
    dtype: str = "float64"
    adaptive_threshold: hr.AdaptiveThreshold | None = None
    normalize_weights: bool = False

    @property
    def n_inputs(self) -> int:
        return self.inputs.shape[0]

    def with_(self, **changes) -> "Drawn":
        return replace(self, **changes)

    def undriven(self) -> "Drawn":
        """Return the same without drives."""
        return self.with_(neuron=self.neuron | {"bias": np.zeros(self.recurrent.shape[0])})

    def with_learning_inputs(self) -> "Drawn":
        """Return the same with excitatory input synapses that learn too; one rule for all."""
        constants = {"a_plus": 0.4, "a_minus": 0.3, "tau_plus": 15.0, "tau_minus": 34.0}
        rule = self.rule | {"inputs": True, "w_max": 12.0}
        return self.with_(inputs=np.abs(self.inputs), stdp=constants, rule=rule)

    def events(self, duration=None) -> hr.Events:
        return hr.Events(self.t, self.channel, self.n_inputs, duration or self.duration)

    def network(self) -> hr.Network:
        there = ~np.isnan(self.recurrent)
        constants = {k: v[there] if np.ndim(v) else v for k, v in self.stdp.items()}
        return hr.Network.from_arrays(
            inputs=sparse(self.inputs),
            recurrent=sparse(self.recurrent),
            input_delay=self.input_delay[~np.isnan(self.inputs)],
            recurrent_delay=self.recurrent_delay[there],
            neuron=hr.LIF(**self.neuron),
            plasticity=hr.STDP(**constants, **self.rule),
            plastic=self.recurrent[there] >= 0,
            adaptive_threshold=self.adaptive_threshold,
            normalize_weights=self.normalize_weights,
            dtype=self.dtype,
        )

    def learn(self, duration=None) -> Outcome:
        """Make the network and learn from the sample."""
        return self.learn_with(self.network(), self.events(duration))

    def learn_with(self, network: hr.Network, events: hr.Events) -> Outcome:
        """Learn from `events` with a network of this shape."""
        result = network.run(events, learn=True, n_threads=2)
        dense = []
        for shape, learned in (
            (self.recurrent, network.recurrent_weights.data),
            (self.inputs, network.input_weights.data),
        ):
            dense.append(np.full(shape.shape, np.nan))
            dense[-1][~np.isnan(shape)] = learned
        return Outcome(result.spikes.rows(), *dense, result.stats)


def sparse(dense: np.ndarray) -> csr_array:
    """Keep zeros; NaN is what is not there."""
    there = ~np.isnan(dense)
    matrix = csr_array(there.astype(float))
    matrix.data = dense[there]
    return matrix


@st.composite
def drawn(draw) -> Drawn:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Hypothesis would draw sizes small far too often: few spikes, and next to nothing learned.
    edge = draw(st.sampled_from(["", "", "", "", "", "short", "silent", "alone"]))
    n = 1 if edge == "alone" else int(rng.integers(2, 13))
    n_inputs = int(rng.integers(1, 7))
    duration = int(rng.integers(1, 2000)) if edge == "short" else int(rng.integers(20_000, 60_001))
    n_events = 0 if edge == "silent" else int(rng.integers(40, 201))
    step = draw(st.sampled_from([1, 500, 1000]))
    bias = draw(st.sampled_from([0.0, 0.0, 12.0]))

    def weights(shape, low, high, p):
        dense = rng.integers(low * 64, high * 64 + 1, shape) / 64.0
        return np.where(rng.random(shape) < p, dense, np.nan)

    recurrent = weights((n, n), 0, 4, 0.5)
    recurrent[rng.random(n) < 0.2] *= -1.0
    shape = recurrent.shape
    return Drawn(
        inputs=weights((n_inputs, n), -2, 12, 0.6),
        recurrent=recurrent + 0.0,
        input_delay=rng.integers(0, 4, (n_inputs, n)) * 0.5,
        recurrent_delay=rng.integers(1, 5, shape) * 0.5,
        stdp={
            "a_plus": rng.uniform(0.0, 0.5, shape),
            "a_minus": rng.uniform(0.0, 0.5, shape),
            "tau_plus": rng.uniform(5.0, 30.0, shape),
            "tau_minus": rng.uniform(5.0, 50.0, shape),
        },
        neuron={
            "tau_m": rng.uniform(5.0, 30.0, n),
            "v_rest": np.zeros(n),
            "v_reset": -rng.uniform(0.0, 3.0, n),
            "v_threshold": rng.uniform(4.0, 10.0, n),
            "t_ref": rng.integers(0, 5, n) * 0.5,
            "bias": rng.uniform(0.0, 1.0, n) * bias,
        },
        rule={
            "w_min": 0.0,
            "w_max": 4.0,
            "mu_plus": draw(st.sampled_from([0.0, 0.5, 1.0])),
            "mu_minus": draw(st.sampled_from([0.0, 0.5, 1.0])),
            "pairing": draw(st.sampled_from(["all_to_all", "nearest"])),
        },
        t=np.sort(rng.integers(0, duration, n_events) // step * step),
        channel=rng.integers(0, n_inputs, n_events),
        duration=duration,
        dtype=draw(st.sampled_from(["float64", "float32"])),
    )

"""Random networks in which everything differs from neuron to neuron and synapse to synapse.

A case is plain data: the reference and the library are given the same arrays. Time constants are
not multiples of a µs; delays and refractory periods are given in ms and rounded by whoever runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import hrsnn_rs as hr
import numpy as np
import reference
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Case:
    inputs: csr_array
    recurrent: csr_array
    input_delay: np.ndarray  # ms, aligned with inputs.data
    recurrent_delay: np.ndarray  # ms, aligned with recurrent.data
    neuron: dict  # arguments of LIF, one value per neuron
    plasticity: dict  # arguments of STDP
    plastic: np.ndarray  # bool, aligned with recurrent.data
    t: np.ndarray  # µs
    channel: np.ndarray
    duration: int  # µs
    theta_plus: float | None = None
    normalize: bool = False

    def reference(
        self,
        *,
        learn: bool = True,
        doubt: float = 0.0,
        follow: list | None = None,
        watch: Iterable[int] = (),
    ) -> reference.Result:
        """What must come out."""
        sums = reference.incoming_sums(self.recurrent, self.plastic) if self.normalize else None
        return reference.simulate(
            inputs=self.inputs,
            recurrent=self.recurrent,
            input_delay=self.input_delay,
            recurrent_delay=self.recurrent_delay,
            neuron=self.neuron,
            plasticity=self.plasticity,
            plastic=self.plastic,
            t=self.t,
            channel=self.channel,
            duration=self.duration,
            learn=learn,
            theta_plus=self.theta_plus,
            normalize_to=sums,
            doubt=doubt,
            follow=follow,
            watch=watch,
        )

    def network(self, dtype: str = "float64"):
        """Build the library's network of the same arrays."""
        adaptive = self.theta_plus is not None
        return hr.Network.from_arrays(
            inputs=self.inputs,
            recurrent=self.recurrent,
            input_delay=self.input_delay,
            recurrent_delay=self.recurrent_delay,
            neuron=hr.LIF(**self.neuron),
            plasticity=hr.STDP(**self.plasticity),
            plastic=self.plastic,
            adaptive_threshold=hr.AdaptiveThreshold(theta_plus=self.theta_plus)
            if adaptive
            else None,
            normalize_weights=self.normalize,
            dtype=dtype,
        )

    def events(self):
        """Build the library's events."""
        return hr.Events(self.t, self.channel, self.inputs.shape[0], duration=self.duration)

    def with_(self, **changes) -> "Case":
        return replace(self, **changes)


def random_matrix(rng, shape, p, draw) -> csr_array:
    """Draw a mask with probability p and `draw(n)` weights; indices sorted, no duplicates."""
    mask = rng.random(shape) < p
    matrix = csr_array(mask.astype(np.float64))
    matrix.sort_indices()
    matrix.data = draw(matrix.nnz)
    return matrix


def random_case(seed: int) -> Case:
    """Draw a case; the seed also walks through pairings, bounds, grids and homeostasis."""
    rng = np.random.default_rng((seed, 20_240_517))
    nearest, soft, on_grid, driven = (bool(seed >> bit & 1) for bit in range(4))
    n = int(rng.integers(5, 41))
    n_inputs = int(rng.integers(3, 20))
    duration = int(rng.integers(150_000, 400_000))

    w_min, w_max = (0.0, 3.0) if rng.random() < 0.5 else (0.05, 4.0)
    inhibitory = rng.random(n) < 0.2
    recurrent = random_matrix(
        rng, (n, n), min(1.0, 8.0 / n), lambda k: rng.uniform(w_min, w_max, k)
    )  # autapses too
    source = np.repeat(np.arange(n), np.diff(recurrent.indptr))
    recurrent.data[inhibitory[source]] *= -2.0
    plastic = ~inhibitory[source] & (rng.random(recurrent.nnz) < 0.9)
    at_bound = plastic & (rng.random(recurrent.nnz) < 0.1)
    recurrent.data[at_bound] = rng.choice([w_min, w_max], int(at_bound.sum()))
    inputs = random_matrix(
        rng, (n_inputs, n), min(1.0, 6.0 / n_inputs), lambda k: rng.normal(6.0, 3.0, k)
    )

    n_events = int(duration * 1e-6 * n_inputs * rng.uniform(25.0, 60.0))
    t = np.sort(rng.integers(0, duration, n_events))
    t_ref = rng.uniform(0.0, 5.0, n)
    if on_grid:  # whole ms everywhere: many things fall on the same µs
        t = np.minimum(np.round(t, -3), duration // 1000 * 1000 - 1000)
        t_ref = np.round(t_ref)
        delays = np.array([1.0, 2.0, 3.0, 5.0])
        recurrent_delay = rng.choice(delays, recurrent.nnz)
        input_delay = rng.choice(np.append(delays, 0.0), inputs.nnz)
    else:
        recurrent_delay = rng.uniform(0.5, 10.0, recurrent.nnz)
        recurrent_delay[rng.random(recurrent.nnz) < 0.3] = 1.5
        if seed % 5 == 0:
            recurrent_delay[:3] = 0.001  # the shortest there is
        input_delay = rng.uniform(0.0, 10.0, inputs.nnz) * (rng.random(inputs.nnz) < 0.7)
    channel = rng.integers(0, n_inputs, n_events)
    twice = rng.random(n_events) < 0.05  # the same event again, at the same µs
    t, channel = np.repeat(t, 1 + twice), np.repeat(channel, 1 + twice)

    v_rest = rng.uniform(-70.0, -60.0, n) if seed % 3 == 0 else rng.uniform(-2.0, 2.0, n)
    height = rng.uniform(8.0, 16.0, n)
    bias = rng.uniform(-1.0, 0.5, n) * height
    if driven:
        bias = np.where(rng.random(n) < 0.3, rng.uniform(1.05, 2.0, n) * height, bias)

    return Case(
        inputs=inputs,
        recurrent=recurrent,
        input_delay=input_delay,
        recurrent_delay=recurrent_delay,
        neuron={
            "tau_m": rng.gamma(3.0, 20.0 / 3.0, n) + 2.0,
            "v_rest": v_rest,
            "v_reset": v_rest - rng.uniform(-1.0, 5.0, n),
            "v_threshold": v_rest + height,
            "t_ref": t_ref,
            "bias": bias,
        },
        plasticity={
            "a_plus": rng.gamma(3.0, 0.1 / 3.0, recurrent.nnz),
            "a_minus": rng.gamma(3.0, 0.08 / 3.0, recurrent.nnz),
            "tau_plus": rng.gamma(3.0, 15.0 / 3.0, recurrent.nnz) + 1.0,
            "tau_minus": rng.gamma(3.0, 34.0 / 3.0, recurrent.nnz) + 1.0,
            "w_min": w_min,
            "w_max": w_max,
            "mu_plus": float(rng.choice([0.4, 1.0, 1.7])) if soft else 0.0,
            "mu_minus": float(rng.choice([0.0, 0.4, 1.0])) if soft else 0.0,
            "pairing": "nearest" if nearest else "all_to_all",
        },
        plastic=plastic,
        t=t,
        channel=channel,
        duration=duration,
        theta_plus=0.05 if seed % 5 == 2 else None,
        normalize=seed % 7 == 3,
    )


def random_case_with_currents(seed: int) -> Case:
    """Draw the first third of `random_case` and give its neurons synaptic currents.

    In every third case all neurons have both of them; in the others either kind is a delta synapse
    at a third of the neurons. A fifth of the time constants are tau_m, or a hair from it.
    """
    rng = np.random.default_rng((seed, 20_251_103))
    case = random_case(seed)
    n = case.recurrent.shape[0]
    tau_m = case.neuron["tau_m"]

    tau_syn = {}
    for name in ("tau_syn_ex", "tau_syn_in"):
        tau = np.exp(rng.uniform(np.log(0.3), np.log(60.0), n))
        near = tau_m * rng.choice([1.0, 1.0 + 1e-10, 1.0 - 1e-10, 1.0 + 1e-6], n)
        tau = np.where(rng.random(n) < 0.2, near, tau)
        if seed % 3 > 0:
            tau[rng.random(n) < 1 / 3] = 0.0
        tau_syn[name] = tau

    # A current spreads an arrival over time and the leak takes its share: larger weights make up
    # for some of that. Plastic weights share their bounds and get one factor.
    def lifted(weights, post):
        tau = np.where(weights > 0.0, tau_syn["tau_syn_ex"][post], tau_syn["tau_syn_in"][post])
        return weights * np.minimum(1.0 + tau / tau_m[post], 4.0)

    inputs, recurrent, rule = case.inputs.copy(), case.recurrent.copy(), dict(case.plasticity)
    inputs.data = lifted(inputs.data, inputs.indices)
    recurrent.data = np.where(
        case.plastic, 2.0 * recurrent.data, lifted(recurrent.data, recurrent.indices)
    )
    for name in ("a_plus", "a_minus", "w_min", "w_max"):
        rule[name] = 2.0 * rule[name]

    duration = case.duration // 3
    early = case.t < duration
    return case.with_(
        inputs=inputs,
        recurrent=recurrent,
        neuron=case.neuron | tau_syn,
        plasticity=rule,
        t=case.t[early],
        channel=case.channel[early],
        duration=duration,
    )

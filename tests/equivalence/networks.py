"""Networks of 400 excitatory and 100 inhibitory neurons on which simulators must agree.

All parameters differ from neuron to neuron and synapse to synapse; times are multiples of `grid`.
Weights and potentials are random reals, so that no potential is expected within rounding of its
threshold. `natural` is a recurrent network as anyone would draw it. `free` learns without any
condition, as Brian2 can say it; `clocked` meets the conditions under which NEST's plasticity can
drive the network as ours does.
"""

import numpy as np
from random_networks import Case, random_matrix
from scipy.sparse import csr_array, vstack

N_EXCITATORY, N_INHIBITORY, N_INPUTS = 400, 100, 200
N = N_EXCITATORY + N_INHIBITORY
SEEDS = range(5)
DRIVEN_MS = 1000.0  # the input's share of a sample; the rest is silence
GATE = 1000.0  # mV, more than all arrivals together can amount to


def assert_same_raster(ours, theirs) -> None:
    """Say where two rasters part, if they do."""
    if not ours.equals(theirs):
        differing = sorted(set(ours.rows()) ^ set(theirs.rows()))
        raise AssertionError(
            f"{len(ours)} spikes here, {len(theirs)} there; {len(differing)} are not in both,"
            f" the first (t in µs, neuron): {differing[:5]}"
        )


def ends(matrix: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of each synapse, aligned with `matrix.data`."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def microseconds(ms) -> np.ndarray:
    return np.rint(np.asarray(ms) * 1000.0).astype(np.int64)


def multiples(rng, grid: float, low: float, high: float, n: int) -> np.ndarray:
    """Draw n multiples of `grid` in [low, high]."""
    return rng.integers(round(low / grid), round(high / grid) + 1, n) * grid


def natural(seed: int, grid: float, driven_ms: float = DRIVEN_MS) -> Case:
    """Delays 1-8 ms, Poisson trains on the grid for `driven_ms`, then 0.1 s of silence.

    `tau_minus` is that of the postsynaptic neuron. Weights learn in small steps and far from
    their bounds, because at a bound NEST treats coincidences in another order.
    """
    rng = np.random.default_rng((seed, 310))
    recurrent = random_matrix(rng, (N, N), 0.1, lambda n: rng.uniform(0.4, 0.8, n))
    pre, post = ends(recurrent)
    recurrent.data[pre >= N_EXCITATORY] *= -4.0
    inputs = random_matrix(rng, (N_INPUTS, N), 0.1, lambda n: rng.uniform(1.0, 3.0, n))
    n_cells = (round(driven_ms / grid) - 1) * N_INPUTS
    n_events = rng.binomial(n_cells, 0.02 * grid)  # 20 Hz
    cells = np.sort(rng.choice(n_cells, n_events, replace=False))
    step, channel = np.divmod(cells, N_INPUTS)
    v_rest = rng.uniform(-2.0, 2.0, N)
    n = recurrent.nnz
    return Case(
        inputs=inputs,
        recurrent=recurrent,
        input_delay=multiples(rng, grid, max(grid, 0.5), 5.0, inputs.nnz),
        recurrent_delay=multiples(rng, grid, 1.0, 8.0, n),
        neuron={
            "tau_m": rng.gamma(4.0, 5.0, N).clip(5.0, 100.0),
            "v_rest": v_rest,
            "v_reset": v_rest - rng.uniform(-1.0, 3.0, N),
            "v_threshold": v_rest + rng.normal(15.0, 1.0, N),
            "t_ref": multiples(rng, grid, 2.0, 5.0, N),
            "bias": rng.uniform(-1.0, 1.0, N),
        },
        plasticity={
            "a_plus": rng.uniform(0.0, 0.002, n),
            "a_minus": rng.uniform(0.0, 0.002, n),
            "tau_plus": rng.gamma(10.0, 1.5, n),
            "tau_minus": rng.gamma(10.0, 3.4, N)[post],
            "w_min": 0.0,
            "w_max": 2.0,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "pairing": "all_to_all",
        },
        plastic=(pre < N_EXCITATORY) & (post < N_EXCITATORY),
        t=microseconds((step + 1) * grid),
        channel=channel,
        duration=int(microseconds(driven_ms + 100.0)),
    )


def free(seed: int, grid: float, mu: float, pairing: str) -> Case:
    """Let all excitatory synapses, some 28,000, learn in large steps with parameters of their own.

    The lower bound is not 0, and weights reach both bounds where `mu` is 0.
    """
    case = natural(seed, grid)
    rng = np.random.default_rng((seed, 315))
    recurrent = random_matrix(rng, (N, N), 0.14, lambda n: rng.uniform(0.2, 0.6, n))
    pre, _ = ends(recurrent)
    recurrent.data[pre >= N_EXCITATORY] *= -4.0
    n = recurrent.nnz
    return case.with_(
        recurrent=recurrent,
        recurrent_delay=multiples(rng, grid, 1.0, 8.0, n),
        plasticity={
            "a_plus": rng.gamma(3.0, 0.03 / 3.0, n),
            "a_minus": rng.gamma(3.0, 0.03 / 3.0, n),
            "tau_plus": rng.gamma(3.0, 15.0 / 3.0, n) + 1.0,
            "tau_minus": rng.gamma(3.0, 34.0 / 3.0, n) + 1.0,
            "w_min": 0.1,
            "w_max": 1.0,
            "mu_plus": mu,
            "mu_minus": mu,
            "pairing": pairing,
        },
        plastic=pre < N_EXCITATORY,
    )


def with_currents(case: Case, seed: int) -> Case:
    """Let synapses be exponential currents instead of jumps."""
    rng = np.random.default_rng((seed, 312))
    tau_syn = {"tau_syn_ex": rng.uniform(1.0, 6.0, N), "tau_syn_in": rng.uniform(2.0, 12.0, N)}
    return case.with_(neuron=case.neuron | tau_syn)


def with_drive(case: Case, seed: int) -> Case:
    """Let every third neuron spike by itself, between arrivals."""
    rng = np.random.default_rng((seed, 313))
    height = case.neuron["v_threshold"] - case.neuron["v_rest"]
    bias = np.where(rng.random(N) < 1 / 3, rng.uniform(1.05, 1.5, N) * height, case.neuron["bias"])
    return case.with_(neuron=case.neuron | {"bias": bias})


def feed_forward(case: Case, seed: int) -> Case:
    """Let no neuron hear another; a fifth of the channels are negative, all are stronger."""
    rng = np.random.default_rng((seed, 314))
    inputs = case.inputs.copy()
    channel, _ = ends(inputs)
    inputs.data *= 1.6 * np.where(rng.random(N_INPUTS) < 0.2, -1.0, 1.0)[channel]
    none = np.zeros(0)
    rule = case.plasticity | dict.fromkeys(("a_plus", "a_minus", "tau_plus", "tau_minus"), none)
    return case.with_(
        inputs=inputs,
        recurrent=csr_array((N, N)),
        recurrent_delay=none,
        plasticity=rule,
        plastic=none.astype(bool),
    )


def clocked(seed: int, grid: float, period: float, mu: float) -> Case:
    """Spike on the ticks of a clock, learn between them.

    NEST and we differ in two things that no arrangement of delays removes; here neither arises.

    1. *The arrival that makes a neuron spike.* In ours arrival and spike coincide, and a
       coincidence changes nothing. In NEST they are two steps apart. So all neurons spike on ticks
       of a clock, every `period` ms, and plastic synapses have delays that are no multiple of it:
       an arrival is never on a tick, nor one or two steps after. The clock is an ordinary input:
       thresholds stand `GATE` higher; at each tick all neurons get `GATE`, and one step later lose
       what is left of it.
    2. *The weight that is sent.* Ours is sent and then depressed; NEST's is depressed and then
       sent. So excitatory neurons are refractory for 30 `tau_minus`: what is depressed by more
       than exp(-30) of a step is lost to its neuron, in both.

    After the input's end and a silence longer than any refractory period, all excitatory neurons
    are made to spike once, on the tick `last_volley`. It brings NEST's weights up to date.
    """
    case = natural(seed, grid)
    rng = np.random.default_rng((seed, 311))
    _, post = ends(case.recurrent)
    excitatory = np.arange(N) < N_EXCITATORY
    shortest = 30.0 + period  # of an excitatory neuron's refractory periods
    t_ref = np.where(
        excitatory,
        np.ceil(shortest / period + rng.integers(0, 4, N)) * period,
        multiples(rng, period, period, 5.0, N),
    )
    steps = round(period / grid)
    n = case.recurrent.nnz
    off_clock = rng.choice([3, steps - 2, steps - 1], n)  # steps after a tick
    delay = (rng.integers(0, 4, n) * steps + off_clock) * grid

    ticks = np.arange(1, round(last_volley(period) / period) + round(20.0 / period)) * period
    clock = [
        (np.full(N, GATE), ticks),
        (-GATE * np.exp(-grid / case.neuron["tau_m"]), ticks + grid),
        (np.where(excitatory, 10.0 * GATE, 0.0), np.array([last_volley(period)])),
    ]
    inputs = csr_array(vstack([case.inputs, *(csr_array(weight[None]) for weight, _ in clock)]))
    t = np.concatenate([case.t, *(microseconds(times - grid) for _, times in clock)])
    channel = np.repeat(
        np.arange(N_INPUTS, N_INPUTS + len(clock)), [len(times) for _, times in clock]
    )
    channel = np.concatenate([case.channel, channel])
    in_order = np.argsort(t, kind="stable")
    return case.with_(
        inputs=inputs,
        input_delay=np.append(case.input_delay, np.full(inputs.nnz - case.inputs.nnz, grid)),
        recurrent_delay=delay,
        neuron=case.neuron | {"v_threshold": case.neuron["v_threshold"] + GATE, "t_ref": t_ref},
        plasticity=case.plasticity
        | {
            "a_plus": rng.gamma(3.0, 0.1 / 3.0, n),
            "a_minus": rng.gamma(3.0, 0.5 / 3.0, n),
            "w_max": 1.2,
            "tau_minus": (t_ref / 30.0)[post],
            "mu_plus": mu,
            "mu_minus": mu,
        },
        t=t[in_order],
        channel=channel[in_order],
        duration=int(microseconds(ticks[-1] + period)),
    )


def last_volley(period: float) -> float:
    """When, in ms, all excitatory neurons spike for the last time."""
    return float(np.ceil((DRIVEN_MS + 100.0) / period) * period)


def n_coincidences(case, spikes) -> int:
    """Number of arrivals at plastic synapses in the same µs as a spike of their target."""
    n = case.recurrent.shape[0]
    pre, post = (end[case.plastic] for end in ends(case.recurrent))
    delay = np.rint(1000.0 * case.recurrent_delay[case.plastic]).astype(np.int64)
    t, neuron = spikes["t"].to_numpy(), spikes["neuron"].to_numpy()
    arrivals = [
        ((t[neuron == j, None] + delay[pre == j]) * n + post[pre == j]).ravel() for j in range(n)
    ]
    return int(np.isin(np.concatenate(arrivals), t * n + neuron).sum())

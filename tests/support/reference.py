"""The model of docs/model.md, written to be read: one heap, one loop, Python floats.

Written from the model's text alone, without a look at the engine, and as slow as it is plain:
every arrival is an entry of the heap, every synapse carries its own two traces, and nothing is
stored twice for speed. When the engine and this file disagree, one of them breaks the text.
Membrane, synaptic currents and the search for the next crossing are in reference_neuron.py.

Inside, times are whole µs. Time constants stay real numbers; delays and refractory periods lie
on the lattice and are rounded once.
"""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from reference_neuron import Charge, Neuron

ARRIVAL, CROSSING = 0, 1
WATCHED = ("v", "u_ex", "u_in", "theta", "weight", "input_weight")


class Result(NamedTuple):
    """What one sample leaves behind; arrays of synapses are aligned with `csr.data`."""

    spikes: list[tuple[int, int]]  # (t, neuron), sorted
    weights: np.ndarray  # recurrent
    trace_pre: np.ndarray  # recurrent, at the end of the sample; 0 where not plastic
    trace_post: np.ndarray
    input_weights: np.ndarray
    theta: np.ndarray  # mV added to each neuron's threshold
    n_arrivals: int  # at all synapses, those from the inputs too
    n_weight_changes: int  # times at which a weight took another value
    first_doubt: int  # first µs with |v - threshold| < `doubt`; `duration` if there is none
    watched: dict[str, np.ndarray]  # by state variable: one row for each time of `watch`


def microseconds(milliseconds: float) -> int:
    """Round to the lattice, ties to even."""
    return round(float(milliseconds) * 1000.0)


def incoming_sums(recurrent, plastic) -> list[float]:
    """Sum of each neuron's plastic incoming weights, what normalisation restores."""
    sums = [0.0] * recurrent.shape[1]
    for post, weight, is_plastic in zip(recurrent.indices, recurrent.data, plastic, strict=True):
        if is_plastic:
            sums[post] += float(weight)
    return sums


class Trace:
    """An exponential trace that can still tell what it was before the steps of this very µs."""

    def __init__(self, tau_us: float, nearest: bool) -> None:
        self.tau_us = tau_us
        self.nearest = nearest
        self.t = 0
        self.older = 0.0  # at t, from steps strictly before t
        self.value = 0.0  # at t, with the steps at t

    def before(self, t: int) -> float:
        if t == self.t:
            return self.older
        return self.value * math.exp(-(t - self.t) / self.tau_us)

    def step(self, t: int) -> None:
        if t != self.t:
            self.older = self.value = self.before(t)
            self.t = t
        self.value = 1.0 if self.nearest else self.value + 1.0


@dataclass
class Synapse:
    """One synapse; `trace_pre` is None when it is not plastic."""

    post: int
    weight: float
    delay: int
    a_plus: float = 0.0
    a_minus: float = 0.0
    trace_pre: Trace | None = None
    trace_post: Trace | None = None


@dataclass
class Bounds:
    w_min: float
    w_max: float
    mu_plus: float
    mu_minus: float

    def clip(self, weight: float) -> float:
        return min(max(weight, self.w_min), self.w_max)

    def potentiated(self, synapse: Synapse, x: float) -> float:
        f = 1.0 if self.mu_plus == 0 else (self.w_max - synapse.weight) ** self.mu_plus
        return self.clip(synapse.weight + synapse.a_plus * x * f)

    def depressed(self, synapse: Synapse, y: float) -> float:
        f = 1.0 if self.mu_minus == 0 else (synapse.weight - self.w_min) ** self.mu_minus
        return self.clip(synapse.weight - synapse.a_minus * y * f)


def _column(values, n: int) -> list[float]:
    """Spread a number, or check the length of an array; Python floats either way."""
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)).tolist()


def _synapses(matrix, delay, plastic, plasticity) -> list[list[Synapse]]:
    """Outgoing synapses of each row, in the order of `matrix.data`."""
    n = matrix.nnz
    delays = [microseconds(value) for value in _column(delay, n)]
    plastic = [False] * n if plastic is None else np.asarray(plastic).tolist()
    rows: list[list[Synapse]] = []
    if any(plastic):
        a_plus, a_minus, tau_plus, tau_minus = (
            _column(plasticity[name], n) for name in ("a_plus", "a_minus", "tau_plus", "tau_minus")
        )
        nearest = plasticity.get("pairing", "all_to_all") == "nearest"
    for row in range(matrix.shape[0]):
        rows.append([])
        for k in range(int(matrix.indptr[row]), int(matrix.indptr[row + 1])):
            synapse = Synapse(int(matrix.indices[k]), float(matrix.data[k]), delays[k])
            if plastic[k]:
                synapse.a_plus, synapse.a_minus = a_plus[k], a_minus[k]
                synapse.trace_pre = Trace(tau_plus[k] * 1000.0, nearest)
                synapse.trace_post = Trace(tau_minus[k] * 1000.0, nearest)
            rows[row].append(synapse)
    return rows


def _flat(rows: list[list[Synapse]]) -> list[Synapse]:
    return [synapse for row in rows for synapse in row]


def simulate(
    *,
    inputs,
    recurrent,
    input_delay,
    recurrent_delay,
    neuron: dict,
    plasticity: dict | None,
    plastic,
    t,
    channel,
    duration: int,
    learn: bool = True,
    input_plastic=None,
    input_plasticity: dict | None = None,
    theta_plus: float | None = None,
    theta=0.0,
    normalize_to: list[float] | None = None,
    competition: tuple[list[int | None], float, int] | None = None,
    doubt: float = 0.0,
    follow: list[tuple[int, int]] | None = None,
    watch: Iterable[int] = (),
) -> Result:
    """Simulate one sample [0, duration) from rest.

    `neuron` and `plasticity` carry the argument names of LIF and STDP; a `tau_syn_ex` or
    `tau_syn_in` that is absent is 0. `theta` are the thresholds that earlier samples left,
    `normalize_to` the sums that `incoming_sums` gave at construction.

    `competition` is the group of each neuron, by what a winner lowers the others of its group (mV),
    and how long they are held there (µs).

    `watch` are times in order: at each all state variables are read, when everything that happens
    in that µs has happened.

    `follow` is the raster of somebody whose v may err by `doubt`. Neurons then spike where it says,
    so that trains do not part at the first doubt, and an AssertionError names the first spike or
    silence that no such error explains.
    """
    n_neurons = recurrent.shape[1]
    groups, inhibition, hold = competition or ([None] * n_neurons, 0.0, 0)
    assert competition is None or follow is None
    from_input = _synapses(inputs, input_delay, input_plastic, input_plasticity or plasticity)
    from_neuron = _synapses(recurrent, recurrent_delay, plastic, plasticity)
    assert all(s.delay >= 0 for s in _flat(from_input))
    assert all(s.delay >= 1 for s in _flat(from_neuron)), "a recurrent delay is at least 1 µs"
    bounds = None
    if plasticity is not None:
        bounds = Bounds(
            *(plasticity.get(k, 0.0) for k in ("w_min", "w_max", "mu_plus", "mu_minus"))
        )

    names = ("tau_m", "v_rest", "v_reset", "v_threshold", "t_ref", "bias")
    neurons = []
    for tau_m, v_rest, v_reset, v_threshold, t_ref, bias, tau_syn_ex, tau_syn_in, own_theta in zip(
        *(_column(neuron[name], n_neurons) for name in names),
        *(_column(neuron.get(name, 0.0), n_neurons) for name in ("tau_syn_ex", "tau_syn_in")),
        _column(theta, n_neurons),
        strict=True,
    ):
        ex, in_ = Charge(tau_syn_ex * 1000.0), Charge(tau_syn_in * 1000.0)
        neurons.append(
            Neuron(
                tau_m * 1000.0, v_rest, v_reset, v_threshold, microseconds(t_ref), bias, ex, in_,
                theta=own_theta, v=v_rest,
            )
        )  # fmt: skip
    for synapse in _flat(from_input) + _flat(from_neuron):
        if synapse.trace_pre is not None:
            neurons[synapse.post].incoming.append(synapse)

    spikes: list[tuple[int, int]] = []
    n_arrivals = n_weight_changes = 0
    first_doubt: float = duration
    # Entries are (t, kind, order of pushing, ...): same µs, same kind: first pushed, first served.
    heap: list[tuple] = []
    n_pushed = 0

    def push(t: int, kind: int, *what) -> None:
        nonlocal n_pushed
        if t < duration:  # nothing at or after `duration` happens
            heapq.heappush(heap, (t, kind, n_pushed, *what))
            n_pushed += 1

    def predict(i: int) -> None:
        neurons[i].version += 1
        crossing = neurons[i].predict(duration, doubt, overdue=follow is not None)
        if crossing is not None:
            push(crossing, CROSSING, i, neurons[i].version)

    def send(now: int, synapses: list[Synapse]) -> None:
        for synapse in synapses:
            push(now + synapse.delay, ARRIVAL, synapse)

    def change(synapse: Synapse, weight: float) -> None:
        nonlocal n_weight_changes
        n_weight_changes += weight != synapse.weight
        synapse.weight = weight

    watched: dict[str, list] = {name: [] for name in WATCHED}
    times = list(reversed([*watch]))

    def look_before(now: int) -> None:
        while times and times[-1] < now:
            at = times.pop()
            row = {
                "v": [cell.v if at < cell.t else cell.v_at(at) for cell in neurons],
                "u_ex": [cell.ex.at(at) for cell in neurons],
                "u_in": [cell.in_.at(at) for cell in neurons],
                "theta": [cell.theta for cell in neurons],
                "weight": [synapse.weight for synapse in _flat(from_neuron)],
                "input_weight": [synapse.weight for synapse in _flat(from_input)],
            }
            for name, values in row.items():
                watched[name].append(values)

    for event_t, event_channel in zip(t, channel, strict=True):
        send(int(event_t), from_input[int(event_channel)])
    for i in range(n_neurons):
        predict(i)
    for spike_t, i in follow or ():
        push(spike_t, CROSSING, i, None)

    while heap:
        now = heap[0][0]
        look_before(now)
        arrivals: dict[int, list[float]] = {}  # weights that reach each neuron in this µs
        to_test: set[int] = set()
        followed: set[int] = set()

        # 1. Arrivals: each delivers the weight it finds, then depresses, then steps x.
        while heap and heap[0][:2] == (now, ARRIVAL):
            synapse = heapq.heappop(heap)[3]
            n_arrivals += 1
            arrivals.setdefault(synapse.post, []).append(synapse.weight)
            if learn and synapse.trace_pre is not None:
                change(synapse, bounds.depressed(synapse, synapse.trace_post.before(now)))
                synapse.trace_pre.step(now)
        while heap and heap[0][0] == now:
            _, _, _, i, version = heapq.heappop(heap)
            if version is None:
                followed.add(i)
            if version in (None, neurons[i].version):
                to_test.add(i)
        to_test.update(arrivals)
        for i in to_test:  # a doubt foreseen for this µs is looked at below, with what arrived
            if neurons[i].doubtful_from < now:
                first_doubt = min(first_doubt, neurons[i].doubtful_from)
        for i, weights in arrivals.items():
            neurons[i].receive(now, weights)

        # 2. Who is at or over threshold? Of one group that is the first with the largest excess.
        reached: dict[object, tuple[float, int]] = {}  # relative excess and neuron of each group
        for i in sorted(to_test):
            cell = neurons[i]
            excess = cell.v_at(now) - cell.threshold if now >= cell.t else -math.inf
            if abs(excess) < doubt:
                first_doubt = min(first_doubt, now)
            over = excess >= 0.0
            if follow is not None:
                over = i in followed
                explained = excess >= -doubt if over else excess < doubt
                assert explained, (
                    f"spike: {over} of neuron {i} at {now}, {excess} mV over threshold"
                )
            if over:
                group = ("alone", i) if groups[i] is None else groups[i]
                excess /= cell.threshold - cell.v_rest
                best = reached.get(group, (-math.inf, i))[0]
                if excess != best and abs(excess - best) < doubt:
                    first_doubt = min(first_doubt, now)
                if excess > best:
                    reached[group] = (excess, i)

        # 3. The others of its group are lowered.
        winners = sorted(i for _, i in reached.values())
        for winner in winners:
            for i in range(n_neurons):
                if groups[i] is not None and groups[i] == groups[winner] and i != winner:
                    neurons[i].lower(now, inhibition, hold)
                    to_test.add(i)

        # 4. It spikes: it potentiates what comes in, then steps y.
        for i in winners:
            cell = neurons[i]
            spikes.append((now, i))
            if learn:
                for synapse in cell.incoming:
                    change(synapse, bounds.potentiated(synapse, synapse.trace_pre.before(now)))
                    synapse.trace_post.step(now)
                if theta_plus is not None:
                    cell.theta += theta_plus
            cell.spike(now)
            send(now, from_neuron[i])
        for i in to_test:
            predict(i)

    look_before(duration)
    first_doubt = min([first_doubt, *(cell.doubtful_from for cell in neurons)])

    if learn and normalize_to is not None:
        sums = [0.0] * n_neurons
        plastic_synapses = [s for s in _flat(from_neuron) if s.trace_pre is not None]
        for synapse in plastic_synapses:
            sums[synapse.post] += synapse.weight
        for synapse in plastic_synapses:
            if sums[synapse.post] > 0.0:
                scale = normalize_to[synapse.post] / sums[synapse.post]
                synapse.weight = bounds.clip(synapse.weight * scale)

    def ends(name: str) -> np.ndarray:
        traces = [getattr(synapse, name) for synapse in _flat(from_neuron)]
        return np.array([0.0 if trace is None else trace.before(duration) for trace in traces])

    return Result(
        spikes=spikes,
        weights=np.array([synapse.weight for synapse in _flat(from_neuron)]),
        trace_pre=ends("trace_pre"),
        trace_post=ends("trace_post"),
        input_weights=np.array([synapse.weight for synapse in _flat(from_input)]),
        theta=np.array([cell.theta for cell in neurons]),
        n_arrivals=n_arrivals,
        n_weight_changes=n_weight_changes,
        first_doubt=int(first_doubt),
        watched={name: np.array(rows) for name, rows in watched.items()},
    )

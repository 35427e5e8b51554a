"""Whether other label-free rules of plasticity make a recurrent layer name clips better.

    HRSNN_DATA=folder python benches/runs/other_rules.py signs --seeds 2

Plasticity of inhibitory synapses (Vogels et al. 2011) holds each neuron at a rate of its own.
Triplet STDP (Pfister & Gerstner 2006, their constants of visual cortex) has a threshold between
depression and potentiation that slides with the rate, as in BCM. Neither is a rule of the engine:
the weights change after every 16 clips, by what the rule says of the spikes of these clips, and
stay between 0 and four times the first ones. Steps were set on made-up gestures. Both stand
beside the network's own STDP and the untrained network. Persons (of digits: folds) are left out in
four parts; intervals are over persons, of the mean over seeds.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hrsnn_rs import ExplicitConnectivity, Network
from hrsnn_rs.network import default_network
from recorded_clips import LOADERS
from rewiring import MAX_DELAY, N_FOLDS, N_NEURONS, RATE, print_gaps, right
from scipy import sparse
from scipy.signal import lfilter

BATCH, PASSES, MOST = 16, 2, 4.0
#: Of inhibitory synapses: trace in ms, and change per pair in mV.
TAU, ETA = 20.0, 0.01
#: Of triplets: traces in ms, and change of a weight for one triplet as a share of the first one.
TAU_PLUS, TAU_MINUS, TAU_Y, A_PLUS = 16.8, 33.7, 114.0, 0.0002


class Trains(NamedTuple):
    """Spikes of a clip and their arrivals, counted in steps of 1 ms: (steps, neurons)."""

    spikes: sparse.csr_array
    arrivals: sparse.csr_array

    @classmethod
    def of(cls, t: np.ndarray, neuron: np.ndarray, axon: np.ndarray) -> "Trains":
        """Count spikes at t in µs; delays of axons are in ms."""
        there = (t / 1000.0 + axon[neuron]).astype(np.int64)
        shape = (1 + int(there.max(initial=0)), N_NEURONS)
        one = np.ones(len(t), np.float32)
        return cls(
            sparse.csr_array((one, (t // 1000, neuron)), shape=shape),
            sparse.csr_array((one, (there, neuron)), shape=shape),
        )


def trace(counts: sparse.csr_array, tau: float) -> np.ndarray:
    """Trace in each step of what came in earlier ones: (steps, neurons)."""
    kept = np.float32(np.exp(-1.0 / tau))
    table = counts.toarray()
    return lfilter(np.array([0, kept]), np.array([1, -kept]), table, axis=0)


def inhibition(trains: Trains, rates: np.ndarray) -> np.ndarray:
    """Change in mV of each inhibitory weight's size: up for pairs, down for each arrival."""
    del rates
    spikes, arrivals = trains
    pairs = (spikes.T @ trace(arrivals, TAU)).T + arrivals.T @ trace(spikes, TAU)
    wanted = 2.0 * RATE / 1000.0 * TAU
    return ETA * (pairs - wanted * arrivals.sum(0)[:, None])


def triplets(trains: Trains, rates: np.ndarray) -> np.ndarray:
    """Change of each excitatory weight as a share of the first one; rates in Hz are of targets."""
    spikes, arrivals = trains
    up = (spikes.multiply(trace(spikes, TAU_Y)).tocsr().T @ trace(arrivals, TAU_PLUS)).T
    # At the wanted rate, were all spikes of Poisson processes, both would be the same.
    down = TAU_PLUS * TAU_Y / TAU_MINUS * rates**2 / RATE / 1000.0
    return A_PLUS * (up - down * (arrivals.T @ trace(spikes, TAU_MINUS)))


class Rule(NamedTuple):
    """What a rule says of a clip's spikes, and whose synapses follow it."""

    change: Callable[[Trains, np.ndarray], np.ndarray]
    is_inhibitory: bool


RULES = {"inhibition": Rule(inhibition, is_inhibitory=True), "triplets": Rule(triplets, False)}


def given(network: Network, matrix: sparse.csr_array, axon: np.ndarray, seed: int) -> Network:
    """Give the default network of a seed with these recurrent weights, and the gain it had."""
    delay = np.repeat(axon, np.diff(matrix.indptr))
    recurrent = ExplicitConnectivity(matrix, delay=delay)
    other = default_network(network.n_inputs, n_neurons=N_NEURONS, seed=seed, recurrent=recurrent)
    other.input_gain = network.input_gain
    return other


def learned(
    network: Network, rule: Rule, axon: np.ndarray, seed: int, clips: list, step: float
) -> Network:
    """Let two passes over the clips change the weights of a calibrated network."""
    matrix = network.recurrent_weights.astype(np.float64)
    source = np.repeat(np.arange(N_NEURONS), np.diff(matrix.indptr))
    first, target = matrix.data.copy(), matrix.indices
    free = network.inhibitory[source] if rule.is_inhibitory else (
        ~network.inhibitory[source] & ~network.inhibitory[target]
    )  # fmt: skip
    unit = np.sign(first) if rule.is_inhibitory else first
    rates = np.full(N_NEURONS, RATE)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(clips)) for _ in range(PASSES)])
    for begin in range(0, len(order), BATCH):
        change, spikes, seconds = np.zeros(matrix.nnz), np.zeros(N_NEURONS), 0.0
        for place in order[begin : begin + BATCH]:
            found = network.run(clips[place]).spikes
            trains = Trains.of(found["t"].to_numpy(), found["neuron"].to_numpy(), axon)
            change += step * rule.change(trains, rates)[source, target]
            spikes += trains.spikes.sum(0)
            seconds += clips[place].duration / 1e6
        # Rates that slide are those of the last eight batches or so.
        rates += (spikes / seconds - rates) / 8.0
        size = np.clip((matrix.data + change * unit) / first, 0.0, MOST)
        matrix.data[free] = (size * first)[free]
        network = given(network, matrix, axon, seed)
    moved = np.abs(matrix.data - first)[free].mean() / np.abs(first[free]).mean()
    print(f"  weights moved by {moved:.2f} of their size", flush=True)
    return network


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(LOADERS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rules", nargs="+", choices=[*RULES], default=[*RULES])
    parser.add_argument("--step", type=float, default=1.0, help="of all rules, times the usual one")
    arguments = parser.parse_args()
    rules = {name: RULES[name] for name in arguments.rules}
    events, labels, persons, _ = LOADERS[arguments.name](Path(os.environ["HRSNN_DATA"]))
    labels, groups = np.asarray(labels), np.unique(persons, return_inverse=True)[1]
    hits = {name: np.zeros(len(labels)) for name in ("untrained", "pairs", *rules)}
    for seed in range(arguments.seeds):
        axon = np.random.default_rng([seed, 7]).uniform(1.0, MAX_DELAY, N_NEURONS)
        drawn = default_network(events[0].n_channels, n_neurons=N_NEURONS, seed=seed)
        drawn = given(drawn, drawn.recurrent_weights, axon, seed)
        for fold in range(N_FOLDS):
            asked = groups % N_FOLDS == fold
            known = [events[at] for at in np.flatnonzero(~asked)]
            network = drawn.copy()
            hits["untrained"][asked] += right(network, events, labels, groups, fold)[1]
            other = network.copy()
            other.train(known)
            hits["pairs"][asked] += right(other, events, labels, groups, fold)[1]
            for name, rule in rules.items():
                other = learned(network, rule, axon, seed, known, arguments.step)
                hits[name][asked] += right(other, events, labels, groups, fold)[1]
            print(f"seed {seed}, part {fold} done", flush=True)
    print_gaps(hits, arguments.seeds, groups, "untrained")


if __name__ == "__main__":
    main()

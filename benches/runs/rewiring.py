"""Whether a recurrent layer whose graph follows its activity names clips better; without labels.

    HRSNN_DATA=folder python benches/runs/rewiring.py signs --seeds 2

The default network is calibrated, untrained, and its counts of the training clips correlated. Then
each neuron gets 40 others as its sources: those it is correlated with most, those least, or any;
weights, signs, axonal delays and rate are those of the default. Persons (of digits: folds) are left
out in four parts; intervals are over persons, of the mean over seeds.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from hrsnn_rs import ExplicitConnectivity, Network
from hrsnn_rs.events import Events
from hrsnn_rs.learning import Readout
from hrsnn_rs.network import default_network, default_recurrent
from recorded_clips import LOADERS
from scipy import sparse, stats

N_NEURONS, RATE, N_FOLDS, MAX_DELAY = 500, 3.0, 4, 200.0
EXCITE, INHIBIT = 0.75, -3.0


def rewired(network: Network, order: np.ndarray, seed: int, fold: int) -> Network:
    """Give the network with the first 40 sources of each column of `order` in place of its own."""
    sources = order[: default_recurrent().k]
    weight = np.where(network.inhibitory, INHIBIT, EXCITE)
    targets = np.broadcast_to(np.arange(N_NEURONS), sources.shape)
    places = (sources.ravel(), targets.ravel())
    matrix = sparse.csr_array((weight[places[0]], places), shape=(N_NEURONS, N_NEURONS))
    axons = np.random.default_rng([seed, fold]).uniform(1.0, MAX_DELAY, N_NEURONS)
    delay = np.repeat(axons, np.diff(matrix.indptr))
    return default_network(
        network.n_inputs,
        n_neurons=N_NEURONS,
        seed=seed,
        recurrent=ExplicitConnectivity(matrix, delay=delay),
    )


def orders(counts: np.ndarray, seed: int, fold: int) -> dict[str, np.ndarray]:
    """Sort the sources of each neuron by correlation, over windows of clips."""
    table = np.log1p(counts.reshape(-1, N_NEURONS))
    with np.errstate(invalid="ignore"):
        correlation = np.nan_to_num(np.corrcoef(table.T))
    chance = np.random.default_rng([seed, fold, 1]).random(correlation.shape)
    keys = {"most": -correlation, "least": np.abs(correlation), "any": chance}
    itself = np.eye(N_NEURONS, dtype=bool)
    return {
        name: np.argsort(np.where(itself, np.inf, key), axis=0, kind="stable")
        for name, key in keys.items()
    }


def right(
    network: Network, events: list[Events], labels: np.ndarray, groups: np.ndarray, fold: int
) -> tuple[np.ndarray, np.ndarray]:
    """Calibrate and read out; give counts of the training clips, and which others are right."""
    known = groups % N_FOLDS != fold
    network.calibrate([events[at] for at in np.flatnonzero(known)], rate=RATE, n_samples=64)
    counts = network.transform(events, 4, windows="events")
    readout = Readout().fit(counts[known], labels[known], groups=groups[known])
    return counts[known], readout.predict(counts[~known]) == labels[~known]


def print_gaps(hits: dict[str, np.ndarray], seeds: int, groups: np.ndarray, base: str) -> None:
    """Print accuracies, and how far each is from that of `base`, from hits of all seeds by clip."""
    for name, hit in hits.items():
        share = hit / seeds
        gaps = share - hits[base] / seeds
        by_person = np.array([gaps[groups == one].mean() for one in np.unique(groups)])
        half = stats.t.ppf(0.975, len(by_person) - 1) * stats.sem(by_person)
        low, high = 100 * (by_person.mean() - half), 100 * (by_person.mean() + half)
        print(
            f"{name:10} {share.mean():.3f} {100 * by_person.mean():+.1f} [{low:+.1f}, {high:+.1f}]"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(LOADERS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    events, labels, persons, _ = LOADERS[arguments.name](Path(os.environ["HRSNN_DATA"]))
    labels, groups = np.asarray(labels), np.unique(persons, return_inverse=True)[1]
    hits = {name: np.zeros(len(labels)) for name in ("default", "most", "least", "any")}
    for seed in range(arguments.seeds):
        for fold in range(N_FOLDS):
            asked = groups % N_FOLDS == fold
            network = default_network(events[0].n_channels, n_neurons=N_NEURONS, seed=seed)
            counts, found = right(network, events, labels, groups, fold)
            hits["default"][asked] += found
            for name, order in orders(counts, seed, fold).items():
                other = rewired(network, order, seed, fold)
                hits[name][asked] += right(other, events, labels, groups, fold)[1]
            print(f"seed {seed}, part {fold} done", flush=True)
    print_gaps(hits, arguments.seeds, groups, "default")


if __name__ == "__main__":
    main()

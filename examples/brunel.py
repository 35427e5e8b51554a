"""
Brunel 2000: excitation balanced by inhibition
==============================================

Brunel's network of excitatory and inhibitory neurons, from populations.

    python examples/brunel.py

Sparse, with delta synapses, and driven by noise: where inhibition is strong it fires irregularly
(Brunel 2000, Journal of Computational Neuroscience 8:183, model A). Prints the rates, and the
coefficient of variation of the intervals between a neuron's spikes. The network has a fifth of the
usual size and of the synapses onto a neuron, which are therefore five times as strong.
"""

import hrsnn_rs as hr
import numpy as np
import polars as pl
from matplotlib import pyplot as plt

SETTLING, LENGTH = 200_000, 1_000_000  # µs


def brunel(order: int, g: float, eta: float, j: float) -> tuple[hr.Network, hr.Events]:
    """Give 5 times `order` neurons, and noise: `eta` times what alone brings them to threshold."""
    neuron = hr.LIF(tau_m=20.0, v_threshold=20.0, v_reset=0.0, t_ref=2.0)
    from_e = hr.FixedInDegreeConnectivity(k=4 * order // 10, weight=j, delay=1.5)
    from_i = hr.FixedInDegreeConnectivity(k=order // 10, weight=j, delay=1.5, inhibitory_gain=g)
    drive = hr.OneToOneConnectivity(weight=j)
    network = hr.Network.from_populations(
        [hr.Population("E", 4 * order, neuron), hr.Population("I", order, neuron, inhibitory=True)],
        [hr.Projection("E", ["E", "I"], from_e), hr.Projection("I", ["E", "I"], from_i),
         hr.Projection("to E", "E", drive), hr.Projection("to I", "I", drive)],
        inputs={"to E": 4 * order, "to I": order},
    )  # fmt: skip
    rates = np.full(5 * order, 1000.0 * eta * 20.0 / (j * 20.0))
    return network, hr.Events.poisson(rates, SETTLING + LENGTH, seed=1)


def main() -> None:
    """Run it and say what it does."""
    network, noise = brunel(order=500, g=5.0, eta=2.0, j=0.5)
    result = network.run(noise)
    for name, neurons in network.populations.items():
        spikes = result.of(name).filter(pl.col("t") >= SETTLING)
        rate = spikes.height / len(neurons) / (LENGTH / 1e6)
        gap = pl.col("t").diff()
        cv = spikes.group_by("neuron").agg(cv=gap.std() / gap.mean())["cv"].mean()
        print(f"{name}: {len(neurons)} neurons, {rate:.2f} Hz, irregularity {cv:.2f}")
    seconds = result.stats.wall_time
    print(f"{result.stats.n_synaptic_operations:,} synaptic operations in {seconds:.1f} s")
    draw(network, result)


def draw(network: hr.Network, result: hr.RunResult) -> None:
    """Draw spikes of every tenth neuron, and how many neurons fire in each ms."""
    _, (above, below) = plt.subplots(
        2, sharex=True, figsize=(8, 4), height_ratios=(3, 1), layout="constrained"
    )
    start, stop = SETTLING / 1000, SETTLING / 1000 + 300
    for (name, neurons), color in zip(network.populations.items(), ("C0", "C3"), strict=True):
        spikes = result.of(name)
        t, neuron = spikes["t"].to_numpy() / 1000, spikes["neuron"].to_numpy()
        tenth = neuron % 10 == 0
        above.scatter(t[tenth], neuron[tenth], s=3, linewidths=0, color=color, label=name)
        counts, edges = np.histogram(t, np.arange(start, stop + 1))
        below.stairs(1000 * counts / len(neurons), edges, color=color)
    above.set(ylabel="neuron", xlim=(start, stop))
    above.legend(loc="upper right", markerscale=3)
    below.set(xlabel="time (ms)", ylabel="rate (Hz)")
    plt.show()


if __name__ == "__main__":
    main()

"""
Two layers that tell directions
===============================

Two layers that tell in which direction something moves.

    python examples/two_layers.py

A dot moves along a row of places. The first layer has a neuron for each place. In the second, two
populations of one neuron each listen to all places with delays that make up for the way: all
spikes of one direction arrive together at one of them, and one by one at the other.
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt
from scipy import sparse

N, STEP = 20, 5.0  # places, and ms from one to the next


def two_layers() -> hr.Network:
    """Give the network: places, and one population for each direction."""
    to_all = sparse.csr_array(np.full((N, 1), 1.5))  # mV: 20 at once are enough, 3 are not
    late = 1.0 + STEP * np.arange(N)
    rightward = hr.ExplicitConnectivity(to_all, delay=late[::-1])
    leftward = hr.ExplicitConnectivity(to_all, delay=late)
    return hr.Network.from_populations(
        [hr.Population("places", N), hr.Population("right", 1), hr.Population("left", 1)],
        [
            hr.Projection("eye", "places", hr.OneToOneConnectivity(weight=20.0)),
            hr.Projection("places", "right", rightward),
            hr.Projection("places", "left", leftward),
        ],
        inputs={"eye": N},
    )


def movement(places: np.ndarray) -> hr.Events:
    """Let a dot be seen at these places, one after the other."""
    return hr.Events(np.arange(N) * int(1000 * STEP), places, N, duration=200_000)


def main() -> None:
    """Show it both directions, one by one and in a row."""
    network = two_layers()
    right, left = movement(np.arange(N)), movement(np.arange(N)[::-1])
    for name, seen in (
        ("right", right),
        ("left", left),
        ("to and fro", hr.Events.concatenate([right, left])),
    ):
        result = network.run(seen)
        for layer in ("right", "left"):
            times = (result.of(layer)["t"] / 1000).to_list()
            print(f"moving {name}: {layer} fires at {times} ms")
    draw(network, result)


def draw(network: hr.Network, result: hr.RunResult) -> None:
    """Draw who fires when: places, and above them the two that tell directions."""
    _, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for name in network.populations:
        spikes = result.of(name)
        marker = "." if name == "places" else "^"
        axes.plot(spikes["t"] / 1000, spikes["neuron"], marker, label=name, markersize=7)
    axes.set(xlabel="time (ms)", ylabel="neuron", title="a dot moves to the right, then back")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()


if __name__ == "__main__":
    main()

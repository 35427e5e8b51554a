"""Rasters of networks on the grid of packages that have steps, for comparisons by NIR."""

import hrsnn_rs as hr
import numpy as np

DT, N_STEPS = 0.1, 5000  # ms
N_INPUTS = 40


def as_euler(graph):
    """The same graph with the time constants at which we forget as much as Euler's rule does."""
    for node in graph.nodes.values():
        if type(node).__name__ == "LIF":
            tau = node.tau.astype(np.float64)
            exact = -DT / 1000.0 / np.log1p(-DT / 1000.0 / tau)
            node.r, node.tau = node.r * exact / tau, exact
    return graph


def drive(seed, n=N_INPUTS):
    return np.random.default_rng(seed + 1000).random((N_STEPS, n)) < 0.01


def ours(network, driven):
    step, channel = np.nonzero(driven)
    t = np.rint(step * DT * 1000.0).astype(np.int64)
    duration = round(N_STEPS * DT * 1000.0)
    spikes = network.run(hr.Events(t, channel, driven.shape[1], duration)).spikes
    raster = np.zeros((N_STEPS, network.n_neurons), bool)
    raster[spikes["t"].to_numpy() // round(DT * 1000.0), spikes["neuron"].to_numpy()] = True
    return raster


def read(graph, tmp_path):
    """The graph as it comes back from a file."""
    import nir

    nir.write(tmp_path / "graph.nir", graph)
    return nir.read(tmp_path / "graph.nir")

"""The workload in BindsNET, on its dense connections.

A grid of 1 ms. `LIFNodes` decay exactly, add what arrives and then test, as we do; a spike is seen
by the next step, which is a delay of 1 ms. They block as many steps as `refrac` says, where we
block one fewer than `t_ref`; and `refrac` is one number for a layer, so that excitatory and
inhibitory neurons are two layers. The input comes as currents, one matrix product for all steps,
which is timed: an input layer would have a dense product of its own in each step.
`SparseConnection` is slower than the dense one.

STDP is `PostPre` with additive traces. It visits all pairs of neurons in every step; where there is
no synapse the weight is bound to [0, 0], which is cheaper than a mask. What it cannot say:
- `nu` for each synapse is documented, but fails in 0.3.4; `tc_trace` belongs to the layer, which is
  source and target in one. So all synapses have the same constants, the means of ours;
- it pairs spikes as they are fired, without the delay, and a coincident pair counts twice, up and
  down. A trace begins at exp(-1 ms / tau): then its depression is ours, and its potentiation ours
  but 2 ms sooner. The areas under the window are the same, and that decides the rates.
"""

import time
from importlib.metadata import version

import numpy as np
import torch
from bindsnet.learning import PostPre
from bindsnet.network import Network
from bindsnet.network.monitors import Monitor
from bindsnet.network.nodes import LIFNodes
from bindsnet.network.topology import Connection
from dense import input_frames, input_matrix, recurrent_matrix, rule
from outcome import parse, resident, say
from workload import STEP_MS, Workload


def populations(work: Workload) -> dict[str, slice]:
    """Neurons of each layer, by its name."""
    return {"E": slice(0, work.n_excitatory), "I": slice(work.n_excitatory, work.n_neurons)}


def build(work: Workload, learn: bool) -> tuple[Network, dict[str, Monitor]]:
    """Make the network; return it and its monitors."""
    network = Network(dt=STEP_MS, learning=learn)
    means = rule(work)
    monitors = {}
    for name, part in populations(work).items():
        (t_ref,) = set(work.t_ref[part])
        traced = learn and name == "E"
        layer = LIFNodes(
            n=part.stop - part.start,
            traces=traced,
            traces_additive=True,
            tc_trace=means.tau,
            trace_scale=float(np.exp(-STEP_MS / means.tau)),
            thresh=work.v_threshold[part],
            rest=0.0,
            reset=0.0,
            refrac=round(t_ref / STEP_MS) - 1,
            tc_decay=work.tau_m[part],
        )
        network.add_layer(layer, name)
        monitors[name] = Monitor(layer, ["s"])
        network.add_monitor(monitors[name], name)
    weight = torch.from_numpy(recurrent_matrix(work))
    for source, rows in populations(work).items():
        for target, columns in populations(work).items():
            w = weight[rows, columns].contiguous()
            learns = {}
            if learn and source == target == "E":
                learns = {
                    "update_rule": PostPre,
                    "nu": (means.a_minus, means.a_plus),
                    "wmin": 0.0,
                    "wmax": (w > 0.0) * work.w_max,
                }
            made = Connection(network.layers[source], network.layers[target], w=w, **learns)
            network.add_connection(made, source, target)
    return network, monitors


def main() -> None:
    arguments = parse(__doc__)
    work = arguments.work
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    before, start = resident(), time.perf_counter()
    network, monitors = build(work, arguments.learn)
    frames, weight = map(torch.from_numpy, (input_frames(work), input_matrix(work)))
    build_wall = time.perf_counter() - start
    start = time.perf_counter()
    currents = frames @ weight
    inputs = {name: currents[:, part].contiguous() for name, part in populations(work).items()}
    network.run(inputs, time=work.n_steps * STEP_MS)
    wall = time.perf_counter() - start
    network_memory = resident() - before
    spiked = np.concatenate([monitors[name].get("s").squeeze(1) for name in populations(work)], 1)
    step, neuron = np.nonzero(spiked)
    say(
        arguments,
        "BindsNET",
        step,
        neuron,
        wall=wall,
        build_wall=build_wall,
        network_memory=network_memory,
        versions={"bindsnet": version("bindsnet"), "torch": version("torch")},
    )


if __name__ == "__main__":
    main()

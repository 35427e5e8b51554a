"""Recorded clips in snnTorch or BindsNET: one line of JSON. `clips.py` writes what this reads.

Both have the same grid of 1 ms and the same dense matrices, and no gradients are kept. The input of
a batch comes as currents, one matrix product for all steps, which is timed.

snnTorch's `Leaky` with `reset_mechanism="zero"` resets in the step after a spike, and knows no
refractory period: what arrives in that step is dropped here, which makes 2 ms. (`RLeaky` does so
too, and multiplies by the recurrent matrix twice in each step.)
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from dense import Clips
from workload import STEP_MS


def snntorch_run(clips: Clips, currents: torch.Tensor) -> torch.Tensor:
    """Spikes, shape (steps, clips, neurons)."""
    import snntorch

    if clips.t_ref != 2.0 * STEP_MS:
        raise SystemExit(f"t_ref must be {2.0 * STEP_MS} ms, one step after the spike's own.")
    leaky = snntorch.Leaky(
        beta=torch.from_numpy(np.exp(-STEP_MS / clips.tau_m).astype(np.float32)),
        threshold=torch.from_numpy(clips.v_threshold.astype(np.float32)),
        reset_mechanism="zero",
    )
    recurrent = torch.from_numpy(clips.recurrent)
    spikes = torch.zeros(currents.shape, dtype=torch.bool)
    spike, potential = torch.zeros(currents.shape[1:]), torch.zeros(currents.shape[1:])
    for step, current in enumerate(currents):
        arriving = torch.addmm(current, spike, recurrent) * (1.0 - spike)
        spike, potential = leaky(arriving, potential)
        spikes[step] = spike
    return spikes


def bindsnet_run(clips: Clips, currents: torch.Tensor) -> torch.Tensor:
    """Spikes, shape (steps, clips, neurons)."""
    from bindsnet.network import Network
    from bindsnet.network.monitors import Monitor
    from bindsnet.network.nodes import LIFNodes
    from bindsnet.network.topology import Connection

    layer = LIFNodes(
        n=len(clips.tau_m),
        thresh=clips.v_threshold,
        rest=0.0,
        reset=0.0,
        refrac=round(clips.t_ref / STEP_MS) - 1,
        tc_decay=clips.tau_m,
    )
    network = Network(dt=STEP_MS, learning=False, batch_size=currents.shape[1])
    network.add_layer(layer, "neurons")
    recurrent = Connection(layer, layer, w=torch.from_numpy(clips.recurrent))
    network.add_connection(recurrent, "neurons", "neurons")
    monitor = Monitor(layer, ["s"])
    network.add_monitor(monitor, "neurons")
    network.run({"neurons": currents}, time=len(currents) * STEP_MS)
    return monitor.get("s")


SIMULATORS = {"snnTorch": snntorch_run, "BindsNET": bindsnet_run}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--simulator", choices=SIMULATORS, required=True)
    parser.add_argument("--batch", type=int, default=1, help="clips that run at a time")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    clips = Clips.load(arguments.path)
    run = SIMULATORS[arguments.simulator]
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    inputs = torch.from_numpy(clips.inputs)
    run(clips, torch.zeros(2, arguments.batch, len(clips.tau_m)))  # imports, first allocations
    wall, n_spikes = 0.0, []
    for first in range(0, len(clips.n_steps), arguments.batch):
        which = range(first, min(first + arguments.batch, len(clips.n_steps)))
        counts = torch.from_numpy(clips.frames(which))
        start = time.perf_counter()
        spikes = run(clips, counts @ inputs)
        wall += time.perf_counter() - start
        for column, k in enumerate(which):
            n_spikes.append(int(spikes[: clips.n_steps[k], column].sum()))
    packages = {name.lower(): version(name.lower()) for name in (arguments.simulator, "torch")}
    print(json.dumps({"wall": wall, "n_spikes": n_spikes, "versions": packages}), flush=True)


if __name__ == "__main__":
    main()

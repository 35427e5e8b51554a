"""The workload in Brian2, compiled (C++ standalone) or in its Python loop (cython).

A clock of 1 ms. Within a step: input spikes, membranes relax, arrivals, thresholds, resets,
potentiation. So an arrival is tested in the step it comes in, and a spike, seen by the next step's
arrivals, has a delay of one step without any queue. That is our order, and the spikes are ours.
`on_post` leaves a coincident arrival out, as we do.

The standalone program is built once for a workload and kept beside it; `compile_wall` is what that
took, 0 if it was there.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

import brian2 as b2
import numpy as np
from brian2 import ms
from outcome import parse, resident, say
from workload import STEP_MS, Workload

SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]

ON_PRE = """
v_post += w
w = clip(w - a_minus * y, 0, w_max)
x += 1
"""
ON_POST = """
w = clip(w + a_plus * (x - int(lastupdate == t)), 0, w_max)
y += 1
"""
LEARNS = """
w : 1
a_plus : 1
a_minus : 1
tau_plus : second
tau_minus : second
dx/dt = -x / tau_plus : 1 (event-driven)
dy/dt = -y / tau_minus : 1 (event-driven)
"""


def synapses(work: Workload, neurons, keep: np.ndarray, **words):
    """Recurrent synapses, those to `keep`."""
    made = b2.Synapses(neurons, neurons, **words)
    made.connect(i=work.pre[keep], j=work.indices[keep].astype(np.int64))
    made.w = work.weight[keep].astype(float)
    return made


def build(work: Workload, learn: bool):
    """Make the network; return it and its monitor."""
    b2.defaultclock.dt = STEP_MS * ms
    neurons = b2.NeuronGroup(
        work.n_neurons,
        """dv/dt = -v / tau_m : 1 (unless refractory)
        tau_m : second
        v_threshold : 1
        t_ref : second""",
        threshold="v >= v_threshold",
        reset="v = 0",
        refractory="t_ref",
        method="exact",
    )
    neurons.tau_m, neurons.v_threshold = work.tau_m * ms, work.v_threshold
    neurons.t_ref = work.t_ref * ms
    channels = b2.SpikeGeneratorGroup(
        work.n_inputs, work.event_channel, work.event_step * STEP_MS * ms, when="start"
    )
    inputs = b2.Synapses(
        channels,
        neurons,
        on_pre="v_post += input_weight",
        namespace={"input_weight": work.input_weight},
    )
    channel = np.repeat(np.arange(work.n_inputs), np.diff(work.input_indptr))
    inputs.connect(i=channel, j=work.input_indices.astype(np.int64))
    network = b2.Network(neurons, channels, inputs)
    network.schedule = SCHEDULE
    plastic = work.plastic if learn else np.zeros_like(work.plastic)
    network.add(synapses(work, neurons, ~plastic, model="w : 1", on_pre="v_post += w"))
    if learn:
        learners = synapses(
            work, neurons, plastic,
            model=LEARNS, on_pre=ON_PRE, on_post=ON_POST, namespace={"w_max": work.w_max},
        )  # fmt: skip
        for name in ("a_plus", "a_minus"):
            setattr(learners, name, getattr(work, name)[plastic].astype(float))
        for name in ("tau_plus", "tau_minus"):
            setattr(learners, name, getattr(work, name)[plastic].astype(float) * ms)
        learners.post.when = "after_resets"
        network.add(learners)
    spikes = b2.SpikeMonitor(neurons)
    network.add(spikes)
    return network, spikes


def run_standalone(folder: Path) -> tuple[float, float]:
    """Run the program in `folder`; return wall of its loop in s and peak memory in MB."""
    with subprocess.Popen(["./main"], cwd=folder, stdout=subprocess.DEVNULL) as program:
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(f"Brian2's program ended with {program.returncode}.")
    wall = float((folder / "results" / "last_run_info.txt").read_text().split()[0])
    return wall, usage.ru_maxrss / 1024.0


def recorded(folder: Path, name: str, dtype) -> np.ndarray:
    """What the program wrote of its spike monitor."""
    (file,) = (folder / "results").glob(f"_dynamic_array_spikemonitor_{name}_*")
    return np.fromfile(file, dtype)


def standalone(arguments) -> None:
    key = arguments.path.read_bytes() + Path(__file__).read_bytes() + b2.__version__.encode()
    digest = hashlib.blake2b(key, digest_size=6).hexdigest()
    mode = "stdp" if arguments.learn else "run"
    folder = arguments.path.parent / f"brian2-{arguments.path.stem}-{mode}-{arguments.threads}"
    stamp = folder / digest
    build_wall = compile_wall = 0.0
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        b2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
        if arguments.threads > 1:
            b2.prefs.devices.cpp_standalone.openmp_threads = arguments.threads
        start = time.perf_counter()
        network, _ = build(arguments.work, arguments.learn)
        network.run(arguments.work.n_steps * STEP_MS * ms)
        build_wall = time.perf_counter() - start
        start = time.perf_counter()
        b2.device.build(directory=str(folder), compile=True, run=False)
        compile_wall = time.perf_counter() - start
        stamp.touch()
    wall, memory = run_standalone(folder)
    say(
        arguments,
        "Brian2",
        np.rint(recorded(folder, "t", np.float64) * 1000.0 / STEP_MS).astype(np.int64),
        recorded(folder, "i", np.int32),
        wall=wall,
        build_wall=build_wall,
        compile_wall=compile_wall,
        peak_memory=memory,
        network_memory=memory,
        versions={"brian2": b2.__version__},
    )


def cython(arguments) -> None:
    b2.prefs.codegen.target = "cython"
    before, start = resident(), time.perf_counter()
    network, spikes = build(arguments.work, arguments.learn)
    build_wall = time.perf_counter() - start
    start = time.perf_counter()
    network.run(0 * ms)
    compile_wall = time.perf_counter() - start
    start = time.perf_counter()
    network.run(arguments.work.n_steps * STEP_MS * ms)
    say(
        arguments,
        "Brian2-cython",
        np.rint(np.asarray(spikes.t / ms) / STEP_MS).astype(np.int64),
        np.asarray(spikes.i),
        wall=time.perf_counter() - start,
        build_wall=build_wall,
        compile_wall=compile_wall,
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        network_memory=resident() - before,
        versions={"brian2": b2.__version__},
    )


def main() -> None:
    arguments = parse(__doc__)
    (cython if os.environ.get("BRIAN2_TARGET") == "cython" else standalone)(arguments)


if __name__ == "__main__":
    main()

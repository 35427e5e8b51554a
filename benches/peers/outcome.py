"""What every simulator's script takes and prints: one run as one line of JSON."""

import argparse
import hashlib
import json
import platform
import resource
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from workload import Workload


@dataclass
class Outcome:
    """One run. `wall` is that of the simulation loop alone, in s; memory is in MB."""

    simulator: str
    size: str
    mode: str
    threads: int
    n_spikes: int
    n_synaptic_events: int
    raster: str
    wall: float
    build_wall: float
    peak_memory: float
    network_memory: float
    versions: dict[str, str]
    compile_wall: float = 0.0
    dtype: str = ""
    rate: float = field(init=False, default=0.0)


def parse(description: str) -> argparse.Namespace:
    """Command line that all scripts share; adds the loaded `work`."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("path", type=Path, help="a workload drawn by workload.py")
    parser.add_argument("--learn", action="store_true", help="with STDP")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    arguments = parser.parse_args()
    arguments.work = Workload.load(arguments.path)
    return arguments


def resident() -> float:
    """Resident memory of this process now, MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    return 0.0


def raster(work: Workload, step: np.ndarray, neuron: np.ndarray) -> str:
    """Digest of who spiked when: equal for equal rasters."""
    key = np.sort(step.astype(np.int64) * work.n_neurons + neuron)
    return hashlib.blake2b(key.tobytes(), digest_size=8).hexdigest()


def say(
    arguments: argparse.Namespace,
    simulator: str,
    step: np.ndarray,
    neuron: np.ndarray,
    *,
    versions: dict[str, str],
    peak_memory: float | None = None,
    n_synaptic_events: int | None = None,
    **figures: float,
) -> None:
    """Print the outcome of a run whose spikes are (`step`, `neuron`)."""
    work: Workload = arguments.work
    inside = step < work.n_steps
    step, neuron = step[inside], neuron[inside]
    counted = work.n_synaptic_events(step, neuron)
    if n_synaptic_events not in (None, counted):
        raise SystemExit(f"{simulator} counts {n_synaptic_events} events, the raster {counted}.")
    if peak_memory is None:
        peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    outcome = Outcome(
        simulator=simulator,
        size=arguments.path.stem,
        mode="stdp" if arguments.learn else "run",
        threads=arguments.threads,
        n_spikes=int(step.size),
        n_synaptic_events=counted,
        raster=raster(work, step, neuron),
        peak_memory=peak_memory,
        versions={"python": platform.python_version(), "numpy": np.__version__, **versions},
        dtype=arguments.dtype,
        **figures,
    )
    outcome.rate = 1000.0 * step.size / work.n_neurons / work.n_steps
    print(json.dumps(asdict(outcome)), flush=True)

"""Time and memory of Poisson input: drawn while it runs, and stored first.

    python benches/runs/drive.py

2000 inputs of 500 Hz, each with two synapses onto 1000 neurons, for 20 s: 2e7 events. Each run
has a process of its own; told are seconds and by how much its largest resident memory grew.
"""

import resource
import subprocess
import sys
import time

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.events import PoissonDrive

RATES, DURATION = np.full(2000, 500.0), 20_000_000


def measure(kind: str) -> None:
    inputs = hr.FixedInDegreeConnectivity(k=4, weight=0.3)
    network = hr.Network(2000, 1000, inputs=inputs, seed=0)
    drive = PoissonDrive(RATES, seed=1)
    network.run(drive.events(100_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    if kind == "drawn":
        stats = network.run(([], []), duration=DURATION, drive=drive, n_threads=1).stats
    else:
        stats = network.run(drive.events(DURATION), n_threads=1).stats
    took = time.perf_counter() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{kind:<7}{stats.n_input_events:.2e} events, {stats.n_spikes} spikes, {took:.1f} s, "
        f"memory grew by {grown:.0f} MB",
        flush=True,
    )


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    for kind in ("stored", "drawn") * 3:
        subprocess.run([sys.executable, __file__, kind], check=True)


if __name__ == "__main__":
    main()

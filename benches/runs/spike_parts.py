"""Memory of a long run whose spikes are kept, and of one whose spikes are written while it runs.

    python benches/runs/spike_parts.py

2000 neurons with 100 synapses each, all of which an input makes fire every 5 ms, for 6 s and for
25 s of their time: the longer run delivers 1e9 synaptic events by 1e7 spikes. Each run has a
process of its own, whose largest resident memory is told, less what it was before the run.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hrsnn_rs as hr
import numpy as np

SECONDS = (6, 25)


def measure(seconds: int, folder: str | None) -> None:
    network = hr.Network(
        1,
        2000,
        neuron=hr.LIF(v_threshold=15.0, t_ref=2.0),
        inputs=hr.RandomConnectivity(p=1.0, weight=40.0),
        recurrent=hr.FixedInDegreeConnectivity(k=100, weight=0.01),
        inhibitory_fraction=0.2,
        seed=0,
    )
    t = np.arange(0, 1_000_000 * seconds, 5000)
    events = hr.Events(t, np.zeros(t.size, int), n_channels=1, duration=1_000_000 * seconds)
    network.run(([0], [0]), duration=1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    result = network.run(events, spikes_to=folder)
    took = time.perf_counter() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    size = sum(part.stat().st_size for part in Path(folder).iterdir()) / 2**20 if folder else 0.0
    stats = result.stats
    print(
        f"{seconds:4} s, spikes {'written' if folder else 'kept   '}: {stats.n_spikes:.1e} spikes, "
        f"{stats.n_synaptic_events:.1e} synaptic events, {took:.1f} s, memory grew by {grown:.0f} "
        f"MB, files {size:.0f} MB"
    )


def main() -> None:
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
        return
    for seconds in SECONDS:
        with tempfile.TemporaryDirectory() as folder:
            for words in ([], [str(Path(folder, "spikes"))]):
                subprocess.run([sys.executable, __file__, str(seconds), *words], check=True)


if __name__ == "__main__":
    main()

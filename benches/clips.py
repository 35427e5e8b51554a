"""Recorded clips: how many a second, and how many times faster than they were recorded.

    HRSNN_DATA=folder python benches/clips.py

1. `transform` of all clips of `sign_gestures`, N = 2000, on 1 and 2 threads in turn.
2. One clip of an event camera (`dvs128_gesture`), N = 2000, each channel onto 100 neurons, events
   at their own µs.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
from tqdm import tqdm

N_NEURONS, RATE = 2000, 3.0


def network(fan_out: int = 100) -> hr.Network:
    """N = 2000, heterogeneous; a channel reaches `fan_out` neurons on average."""
    return hr.Network(
        n_inputs=2 * 32 * 32,
        n_neurons=N_NEURONS,
        neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0), t_ref=2.0),
        inputs=hr.RandomConnectivity(p=fan_out / N_NEURONS, weight=hr.Gamma(mean=1.0, shape=3.0)),
        recurrent=hr.RandomConnectivity(p=0.1, weight=hr.Gamma(mean=0.3, shape=3.0)),
        seed=7,
    )


def encoded(folder: Path) -> list[hr.Events]:
    """All clips of a folder as channels; read and encoded before anything is timed."""
    encoder = hr.EventEncoder(128, 128)
    clips = hr.load_folder(folder, sensor_size=(128, 128))
    return [encoder(events) for events, _ in tqdm(clips, "read", file=sys.stderr)]


def median_and_range(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values)}


def many_clips(clips: list[hr.Events], rounds: int) -> dict:
    """Clips per second on 1 and 2 threads, in turn; the gain is of each round."""
    net = network()
    net.calibrate(clips, rate=RATE, n_samples=16)
    walls: dict[int, list[float]] = {1: [], 2: []}
    features = {}
    for _ in tqdm(range(rounds), "transform", file=sys.stderr):
        for n_threads in walls:
            start = time.perf_counter()
            features[n_threads] = net.transform(clips, n_windows=8, n_threads=n_threads)
            walls[n_threads].append(time.perf_counter() - start)
    if not np.array_equal(features[1], features[2]):
        raise SystemExit("Threads changed the features.")
    return {
        "clips": len(clips),
        "events_per_clip": round(statistics.mean(len(clip) for clip in clips)),
        "clips_per_second": {
            n: median_and_range([len(clips) / wall for wall in seconds])
            for n, seconds in walls.items()
        },
        "gain_of_two_threads": median_and_range(
            [one / two for one, two in zip(walls[1], walls[2], strict=True)]
        ),
    }


def camera_clip(path: Path, rounds: int) -> dict:
    """How many times faster than real time one clip runs, at µs, with and without STDP."""
    arrays = np.load(path, allow_pickle=False)
    t = arrays["t"].astype(np.int64)
    sensor = hr.SensorEvents(t - t[0], arrays["x"], arrays["y"], arrays["p"], height=128, width=128)
    events = hr.EventEncoder(128, 128)(sensor)
    net = network()
    net.calibrate([events], rate=RATE, n_samples=1)
    found: dict = {"clip": path.name, "events": len(events), "seconds": events.duration / 1e6}
    for n_threads in (1, 2):
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            stats = net.run(events, n_threads=n_threads).stats
            times.append(events.duration / 1e6 / (time.perf_counter() - start))
        found[f"times_real_time_{n_threads}"] = median_and_range(times)
    return found | {"n_spikes": stats.n_spikes, "operations": stats.n_synaptic_operations}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clip", default="3.npz", help="of dvs128_gesture")
    arguments = parser.parse_args()
    data = os.environ.get("HRSNN_DATA")
    if not data:
        raise SystemExit("HRSNN_DATA must name the folder of recorded data; it is not set.")
    clips = encoded(Path(data) / "sign_gestures" / "train")
    results = {
        "camera_clip": camera_clip(
            Path(data) / "dvs128_gesture" / arguments.clip, arguments.rounds
        ),
        "transform": many_clips(clips, arguments.rounds),
    }
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

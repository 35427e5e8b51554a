"""Recorded clips: how many a second, and how many times faster than they were recorded.

    HRSNN_DATA=folder python benches/peers/clips.py

1. `transform` of all clips of `sign_gestures`, N = 2000, on 1 and 2 threads in turn.
2. One clip of an event camera (`dvs128_gesture`), N = 2000, each channel onto 100 neurons, events
   at their own µs.
3. Ten of the clips on a grid of 1 ms, here and in snnTorch and BindsNET with the same weights, one
   by one and all in a batch; needs `make .venv-torch/ready`. Refuses to report if the numbers of
   spikes differ by more than 0.5 %.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
from dense import Clips
from tqdm import tqdm

N_NEURONS, RATE = 2000, 3.0
BENCHES = Path(__file__).parent
TORCH = BENCHES.parent.parent / ".venv-torch" / "bin" / "python"
#: Sums in another order, in float32: spike counts may differ by this much.
COUNTS_WITHIN = 0.005


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


def many_clips(net: hr.Network, clips: list[hr.Events], rounds: int) -> dict:
    """Clips per second on 1 and 2 threads, in turn; the gain is of each round."""
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


def run_here(net: hr.Network, samples: list[hr.Events], threads: int) -> dict:
    start = time.perf_counter()
    _, stats = net.transform(samples, n_windows=8, n_threads=threads, return_stats=True)
    wall = time.perf_counter() - start
    return {"wall": wall, "n_spikes": [one.n_spikes for one in stats]}


def run_there(path: Path, simulator: str, batch: int, threads: int, cap: float) -> dict:
    """Outcome of `run_torch_clips.py`; `{"failure": why}` if there is none."""
    command = [str(TORCH), str(BENCHES / "run_torch_clips.py"), str(path)]
    command += ["--simulator", simulator, "--batch", str(batch), "--threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=cap, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"more than {cap:.0f} s"}
    if done.returncode:
        return {"failure": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def disagreement(who: str, ours: list[int], theirs: list[int]) -> float:
    """By how much all spikes together differ, as a fraction of ours; refused where too much."""
    differs = sum(theirs) / sum(ours) - 1.0
    if abs(differs) > COUNTS_WITHIN:
        raise SystemExit(f"{who}: {differs:+.2%} spikes; that is other work.")
    return differs


def beside_others(
    net: hr.Network, clips: list[hr.Events], n_clips: int, rounds: int, cap: float
) -> dict:
    """Clips per second of a few clips, here and elsewhere, in turn."""
    if not TORCH.exists():
        return {"failure": "not installed: make .venv-torch/ready"}
    picked = np.linspace(0, len(clips) - 1, n_clips).astype(int)
    samples = [clips[k].quantized(1000) for k in picked]
    seconds = sum(sample.duration for sample in samples) / 1e6
    ours = run_here(net, samples, 1)["n_spikes"]
    ways = list(itertools.product(("snnTorch", "BindsNET"), sorted({1, n_clips}), (1, 2)))
    found: dict[str, dict] = {}
    speeds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clips.npz"
        Clips.of(net, samples).save(path)
        for _ in tqdm(range(rounds), "beside", file=sys.stderr):
            runs = {f"hrsnn_rs, {n} thread(s)": run_here(net, samples, n) for n in (1, 2)}
            for name, batch, threads in ways:
                label = f"{name}, {batch} at a time, {threads} thread(s)"
                if "failure" not in found.get(label, {}):
                    runs[label] = run_there(path, name, batch, threads, cap)
            for label, run in runs.items():
                if "failure" in run:
                    found[label] = run
                    continue
                differs = disagreement(label, ours, run["n_spikes"])
                speeds.setdefault(label, []).append(n_clips / run["wall"])
                found[label] = {
                    "clips_per_second": median_and_range(speeds[label]),
                    "rate_hz": sum(run["n_spikes"]) / N_NEURONS / seconds,
                    "spikes_differ_by": differs,
                }
    return {"clips": n_clips, "seconds": seconds, **found}


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


def show(part: str, found: dict) -> None:
    print(json.dumps({part: found}, indent=1), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clip", default="3.npz", help="of dvs128_gesture")
    parser.add_argument("--beside", type=int, default=10, help="clips beside others; 0: none")
    parser.add_argument("--beside-rounds", type=int, default=3)
    parser.add_argument("--cap", type=float, default=600.0, help="most seconds of a run elsewhere")
    arguments = parser.parse_args()
    data = os.environ.get("HRSNN_DATA")
    if not data:
        raise SystemExit("HRSNN_DATA must name the folder of recorded data; it is not set.")
    clips = encoded(Path(data) / "sign_gestures" / "train")
    net = network()
    net.calibrate(clips, rate=RATE, n_samples=16)
    # Each part as soon as it is known: the last one takes longest.
    clip = Path(data) / "dvs128_gesture" / arguments.clip
    show("camera_clip", camera_clip(clip, arguments.rounds))
    show("transform", many_clips(net, clips, arguments.rounds))
    if arguments.beside:
        rounds, cap = arguments.beside_rounds, arguments.cap
        show("beside", beside_others(net, clips, arguments.beside, rounds, cap))


if __name__ == "__main__":
    main()

"""How long Ctrl-C is waited for, in a network of ten million synapses.

    python benches/runs/interrupts.py [--count 100]

Each kind of work is interrupted `count` times, at a random moment within its own duration; what
ends before its signal is tried again.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
from tqdm import tqdm

N_NEURONS, N_INPUTS, P = 10_000, 1000, 0.1


def network() -> hr.Network:
    return hr.Network(
        N_INPUTS,
        N_NEURONS,
        inputs=hr.RandomConnectivity(p=0.02, weight=4.0),
        recurrent=hr.RandomConnectivity(p=P, weight=hr.Gamma(mean=0.03, shape=3.0)),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.001, shape=3.0)),
        seed=1,
    )


def sample() -> hr.Events:
    rng = np.random.default_rng(2)
    t = np.sort(rng.integers(0, 4_000_000, 40_000))
    return hr.Events(t, rng.integers(0, N_INPUTS, t.size), N_INPUTS, 4_000_000)


def latency(work: Callable[[], object], after: float) -> float | None:
    """Seconds from the signal to its exception; None where the work ended before."""

    def answer(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, answer)
    begin = time.perf_counter()
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        work()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return time.perf_counter() - begin - after
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return None


def measured(name: str, work: Callable[[], object], count: int) -> dict[str, float]:
    begin = time.perf_counter()
    work()
    whole = time.perf_counter() - begin
    rng = np.random.default_rng(len(name))
    found: list[float] = []
    with tqdm(total=count, desc=name, file=sys.stderr) as bar:
        while len(found) < count:
            seconds = latency(work, rng.uniform(0.001, min(whole, 1.0)))
            if seconds is not None:
                found.append(seconds)
                bar.update()
    milliseconds = 1000 * np.array(found)
    return {
        "whole_ms": round(1000 * whole),
        "median_ms": round(float(np.median(milliseconds)), 1),
        "p99_ms": round(float(np.quantile(milliseconds, 0.99)), 1),
        "max_ms": round(float(milliseconds.max()), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    net, events = network(), sample()
    learner = net.copy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.safetensors")
        net.save(path)
        works = {
            "make": network,
            "run": lambda: net.run(events),
            "learn": lambda: learner.run(events, learn=True),
            "train": lambda: learner.train([events]),
            "train with checkpoints": lambda: learner.copy().train(
                [events] * 2, checkpoint=Path(folder, "checkpoints"), checkpoint_every=1
            ),
            "transform": lambda: net.transform([events] * 4),
            "copy": net.copy,
            "weights": lambda: net.recurrent_weights,
            "save": lambda: net.save(path),
            "load": lambda: hr.Network.load(path),
        }
        for name, work in works.items():
            if not arguments.only or name in arguments.only:
                print(
                    json.dumps({"work": name} | measured(name, work, arguments.count)), flush=True
                )


if __name__ == "__main__":
    main()

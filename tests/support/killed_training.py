"""A training that is killed again and again: run as a program by test_checkpoint.

Usage: killed_training.py FOLDER N_KILLS SEED. Prints JSON: how many kills hit a training at work,
how many trainings came to their end, and what was wrong. Children are forked, so that a kill
falls on the training and not on imports.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path

import hrsnn_rs as hr
import numpy as np

N_INPUTS, N_NEURONS, N_SAMPLES, EPOCHS = 40, 150, 12, 2
FINAL = "final.txt"


def network() -> hr.Network:
    return hr.Network(
        N_INPUTS,
        N_NEURONS,
        inputs=hr.RandomConnectivity(p=0.3, weight=hr.Gamma(mean=3.0, shape=3.0)),
        recurrent=hr.RandomConnectivity(p=0.3, delay=hr.Uniform(1.0, 9.0)),
        plasticity=hr.STDP(
            a_plus=hr.Gamma(mean=0.05, shape=3.0), tau_plus=hr.Gamma(mean=15.0, shape=3.0)
        ),
        adaptive_threshold=hr.AdaptiveThreshold(),
        normalize_weights=True,
        seed=5,
    )


def samples() -> list[hr.Events]:
    rng = np.random.default_rng(6)
    made = []
    for _ in range(N_SAMPLES):
        t = np.sort(rng.integers(0, 300_000, 900))
        made.append(hr.Events(t, rng.integers(0, N_INPUTS, 900), N_INPUTS, duration=300_000))
    return made


def digest(net: hr.Network) -> str:
    sha = hashlib.sha256(net.recurrent_weights.data.tobytes())
    sha.update(net.neuron_parameters["theta"].tobytes())
    return sha.hexdigest()


def train(folder: Path | None) -> str:
    """Train and tell the final state and the counts: the same command each time."""
    net = network()
    options = {} if folder is None else {"checkpoint": folder, "checkpoint_every": 1}
    stats = net.train(samples(), epochs=EPOCHS, **options)
    counts = (stats.n_spikes, stats.n_synaptic_events, stats.n_weight_updates, stats.duration)
    return f"{digest(net)} {counts}"


def child(folder: Path) -> int:
    """Fork a child that trains in `folder` and writes what came out beside it."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        warnings.simplefilter("error")  # a damaged checkpoint would be told in a warning
        result = train(folder)
        (folder / FINAL).write_text(result)
        code = 0
    except BaseException as error:
        (folder / "error.txt").write_text(repr(error))
    finally:
        os._exit(code)


def main() -> None:
    root, n_kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    right = train(None)
    begin = time.perf_counter()
    train(root / "timed")
    whole = time.perf_counter() - begin
    kills, ends, wrong, folder = 0, 0, [], root / "killed"
    while kills < n_kills:
        pid = child(folder)
        time.sleep(rng.uniform(0.0, 0.6 * whole))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        kills += os.WIFSIGNALED(status)
        if (folder / "error.txt").exists():
            wrong.append((folder / "error.txt").read_text())
            shutil.rmtree(folder)
        elif not os.WIFSIGNALED(status):
            ends += 1
            if (folder / FINAL).read_text() != right:
                wrong.append((folder / FINAL).read_text())
            shutil.rmtree(folder)
    pid = child(folder)
    os.waitpid(pid, 0)
    last = (folder / FINAL).read_text() if (folder / FINAL).exists() else "no end"
    wrong += [] if last == right else [last]
    print(json.dumps({"kills": kills, "ends": ends + 1, "wrong": wrong, "seconds": whole}))


if __name__ == "__main__":
    main()

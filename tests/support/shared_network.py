"""Work that other processes do, for test_processes; also a program that forks and measures.

Usage: shared_network.py fork N | cycles N | pace SECONDS. Prints JSON.
"""

import contextlib
import ctypes
import gc
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import hrsnn_rs as hr
import numpy as np

N_INPUTS, DURATION = 50, 200_000


def network(seed: int = 3, n_neurons: int = 400) -> hr.Network:
    """Enough synapses per row for several shards, so that threads are used."""
    return hr.Network(
        N_INPUTS,
        n_neurons,
        inputs=hr.RandomConnectivity(p=0.3, weight=3.0),
        recurrent=hr.RandomConnectivity(p=0.3, weight=hr.Gamma(mean=0.3, shape=3.0)),
        plasticity=hr.STDP(a_plus=0.02),
        seed=seed,
    )


def sample(seed: int = 0, duration: int = DURATION) -> hr.Events:
    rng = np.random.default_rng((4, seed))
    n = duration // 100
    t = np.sort(rng.integers(0, duration, n))
    return hr.Events(t, rng.integers(0, N_INPUTS, n), N_INPUTS, duration)


def taught(net: hr.Network, n_threads: int = 2) -> str:
    """Learn, transform, and give a digest of weights and features."""
    net.train([sample(1), sample(2)], n_threads=n_threads)
    features = net.transform([sample(k) for k in range(3)], 2, n_threads=n_threads)
    return hashlib.sha256(net.recurrent_weights.data.tobytes() + features.tobytes()).hexdigest()


def made_and_taught(seed: int) -> str:
    return taught(network(seed))


def fork(n: int) -> dict[str, object]:
    """After a parallel run: children that run in parallel too; how many end well in 5 s."""
    net = network()
    right = taught(network())
    taught(net)
    fine, slowest = 0, 0.0
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads: what is tried here
    for _ in range(n):
        begin = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                net.transform([sample()] * 2, n_threads=2)
                code = 0 if taught(network()) == right else 2
            finally:
                os._exit(code)
        while time.perf_counter() - begin < 5.0:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                fine += status == 0
                break
            time.sleep(0.005)
        else:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        slowest = max(slowest, time.perf_counter() - begin)
    return {"fine": fine, "slowest": slowest, "parent": taught(network()) == right}


def cycles(n: int) -> dict[str, int]:
    """Bytes that the process has grown by after networks were made, run and dropped."""

    def resident() -> int:
        gc.collect()
        # What the allocator keeps for later is no leak; where it cannot be told so, it counts.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )

    def cycle(seed: int) -> None:
        net = network(seed, n_neurons=60)
        net.train([sample(seed % 7, 5_000)], n_threads=2)
        net.transform([sample(1, 5_000)] * 2, n_threads=2)
        net.copy().run(sample(2, 5_000))

    for seed in range(1500):  # allocator and thread pool come to rest
        cycle(seed)
    before = resident()
    for seed in range(n):
        cycle(seed)
    return {"growth": resident() - before}


#: A run in a process of its own; it competes for the cores, but not for the interpreter.
ELSEWHERE = """if True:
    import sys, shared_network as made
    net = made.network(n_neurons=1000)
    event = made.sample(5, int(sys.argv[1]))
    sys.stdin.readline()
    while True:
        net.run(event, n_threads=1)
"""


def pace(seconds: float) -> dict[str, float]:
    """How fast a Python thread counts beside a run, against beside a run in another process."""

    def count() -> float:
        begin, n = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            n += 1
        return n / seconds

    net, event = network(n_neurons=1000), sample(5, 5_000_000)
    ratios = []
    for _ in range(7):
        beside = []
        for inside in (True, False, False, True):
            if inside:
                stop = threading.Event()

                def run(stop=stop) -> None:
                    while not stop.is_set():
                        net.run(event, n_threads=1)

                other = threading.Thread(target=run)
                other.start()
                beside.append(count())
                stop.set()
                other.join()
            else:
                environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
                command = [sys.executable, "-c", ELSEWHERE, "5000000"]
                child = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
                time.sleep(2.0)  # until it has imported
                child.stdin.write(b"\n")
                child.stdin.flush()
                beside.append(count())
                child.kill()
                child.wait()
                child.stdin.close()
        ratios.append((beside[0] + beside[3]) / (beside[1] + beside[2]))
    return {"ratio": float(np.median(ratios)), "lowest": min(ratios), "highest": max(ratios)}


if __name__ == "__main__":
    what = {"fork": fork, "cycles": cycles, "pace": pace}[sys.argv[1]]
    print(json.dumps(what(float(sys.argv[2]) if sys.argv[1] == "pace" else int(sys.argv[2]))))

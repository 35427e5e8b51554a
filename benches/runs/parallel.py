"""What joblib's workers cost beside threads: 600 recorded clips through one network.

`HRSNN_DATA=FOLDER python benches/runs/parallel.py` transforms the sign gestures by one thread, two
threads, two processes of loky and two workers of dask, in turn and so often, and says whether all
gave the same bits. Each round times all of them, since a neighbour takes the cores now and then.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster
from hrsnn_rs.learning import parallel_transform
from hrsnn_rs.network import default_network
from recorded_clips import signs


def walls(ways: dict[str, Callable[[], np.ndarray]], rounds: int) -> dict[str, list[float]]:
    """Time each way once per round; stop if one gives other bits than the first."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    wanted = None
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.perf_counter()
            found = way()
            seconds[name].append(time.perf_counter() - begin)
            wanted = found if wanted is None else wanted
            if not np.array_equal(found, wanted):
                raise SystemExit(f"{name} gives other bits")
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--neurons", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    events = signs(Path(os.environ["HRSNN_DATA"]))[0][: arguments.clips]
    network = default_network(n_neurons=arguments.neurons)
    network.calibrate(events, rate=3.0, n_samples=32)

    def shared(backend: str) -> np.ndarray:
        with joblib.parallel_config(backend=backend, n_jobs=2):
            return parallel_transform(network, events, 4, windows="events", batch=arguments.batch)

    def threads(n: int) -> np.ndarray:
        return network.transform(events, 4, windows="events", n_threads=n)

    begin = time.perf_counter()
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster),
    ):
        print(f"dask's cluster: {time.perf_counter() - begin:.1f} s to start")
        ways = {
            "one thread": lambda: threads(1),
            "two threads": lambda: threads(2),
            "loky, two processes": lambda: shared("loky"),
            "dask, two workers": lambda: shared("dask"),
        }
        seconds = walls(ways, arguments.rounds)
    base = np.array(seconds["two threads"])
    print(f"{len(events)} clips, {sum(map(len, events)):,} events, the same bits in all")
    print("| | wall s: median (range) | to two threads |\n| --- | --- | --- |")
    for name, found in seconds.items():
        each = np.array(found)
        print(
            f"| {name} | {np.median(each):.2f} ({each.min():.2f} to {each.max():.2f}) "
            f"| {np.median(each / base):.2f} |"
        )


if __name__ == "__main__":
    main()

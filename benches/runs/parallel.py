"""What joblib's workers cost beside threads: 600 recorded clips through one network.

`HRSNN_DATA=FOLDER python benches/runs/parallel.py` transforms the sign gestures by one thread, two
threads, two processes of loky and two workers of dask, in turn and so often, and says whether all
gave the same bits. Then the same from files: of a data set only names travel, and the workers read
and encode too, which threads leave to one core. Each round times all of them, since a neighbour
takes the cores now and then.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster
from hrsnn_rs.datasets import open_dataset
from hrsnn_rs.learning import HRSNNClassifier, parallel_features, parallel_transform
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

    files = open_dataset(Path(os.environ["HRSNN_DATA"]) / "sign_gestures", split="train")
    files = files.subset(range(min(arguments.clips, len(files))))
    fitted = HRSNNClassifier(network=network, epochs=0, rate=None).fit(files.subset(range(0, 90)))

    def from_files(backend: str) -> np.ndarray:
        with joblib.parallel_config(backend=backend, n_jobs=2):
            return parallel_features(fitted, files, batch=arguments.batch)

    def from_files_by_threads(n: int) -> np.ndarray:
        return fitted.set_params(n_threads=n).window_features(files)

    begin = time.perf_counter()
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
    ):
        print(f"dask's cluster: {time.perf_counter() - begin:.1f} s to start")
        for words, by_threads, by_workers in (
            ("encoded", threads, shared),
            ("from files", from_files_by_threads, from_files),
        ):
            ways = {
                "one thread": lambda run=by_threads: run(1),
                "two threads": lambda run=by_threads: run(2),
                "loky, two processes": lambda run=by_workers: run("loky"),
                "dask, two workers": lambda run=by_workers: run("dask"),
            }
            print(table(words, walls(ways, arguments.rounds)))


def table(words: str, seconds: dict[str, list[float]]) -> str:
    """Write medians, ranges, and the median ratio to two threads of the same round."""
    base = np.array(seconds["two threads"])
    lines = [f"| {words} | wall s: median (range) | to two threads |", "| --- | --- | --- |"]
    for name, found in seconds.items():
        each = np.array(found)
        spread = f"{np.median(each):.1f} ({each.min():.1f} to {each.max():.1f})"
        lines.append(f"| {name} | {spread} | {np.median(each / base):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

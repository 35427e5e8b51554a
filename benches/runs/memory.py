"""What `fit` and `compare` take of memory as a data set grows: the same clips, once and repeated.

    python benches/runs/memory.py DATA --times 1 10 --what fit

Each size is measured in a process of its own. Says the greatest resident memory, and how much of it
is the table of features, which grows with the clips by nature.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from hrsnn_rs.datasets import open_dataset
from hrsnn_rs.learning import HRSNNClassifier, compare


def repeated(folder: str, times: int, options: dict) -> tuple:
    """Open a data set, with every clip `times` times over."""
    clips = open_dataset(folder, **options)
    return clips.subset(np.tile(np.arange(len(clips)), times)), len(clips)


def measure(folder: str, times: int, what: str, options: dict) -> dict:
    """Do it once, here."""
    samples, _ = repeated(folder, times, options)
    begin = time.perf_counter()
    width = 0
    if what == "fit":
        classifier = HRSNNClassifier().fit(samples)
        width = classifier.n_units * classifier.n_windows
    else:
        compare(samples, [0], [], [], features=["features"], memory=False)
    return {
        "clips": len(samples),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "table_MiB": len(samples) * width * 4 / 2**20,
        "seconds": time.perf_counter() - begin,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--what", choices=["fit", "compare"], default="fit")
    parser.add_argument("--option", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        found = measure(arguments.data, arguments.times[0], arguments.what, arguments.option)
        print(json.dumps(found))
        return
    for times in arguments.times:
        command = [sys.executable, __file__, arguments.data, "--here", "--times", str(times)]
        command += ["--what", arguments.what, "--option", json.dumps(arguments.option)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(done.stdout.strip(), flush=True)


if __name__ == "__main__":
    main()

"""How fast this machine copies memory: the bound of every kernel that walks over synapses.

Counts what is read and what is written, as the bytes of a kernel are counted.
"""

import argparse
import json
import threading
import time

import numpy as np

MEGABYTES = 256


def copy_bandwidth(threads: int, repeats: int = 5) -> float:
    """Bytes read and written in a ns (GB/s), by `threads` copying arrays of their own at once."""
    n = MEGABYTES * 2**20 // 8
    pairs = [(np.ones(n), np.zeros(n)) for _ in range(threads)]
    start, best = threading.Barrier(threads + 1), 0.0
    for _ in range(repeats):
        # np.copyto lets other threads run.
        workers = [
            threading.Thread(target=lambda a, b: (start.wait(), np.copyto(b, a)), args=pair)
            for pair in pairs
        ]
        for worker in workers:
            worker.start()
        start.wait()
        begin = time.perf_counter()
        for worker in workers:
            worker.join()
        best = max(best, threads * 2 * n * 8 / (time.perf_counter() - begin) / 1e9)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    figure = copy_bandwidth(arguments.threads)
    print(json.dumps({"threads": arguments.threads, "copy_gb_per_s": figure}))


if __name__ == "__main__":
    main()

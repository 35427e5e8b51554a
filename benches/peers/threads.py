"""What a second thread gains, on a quiet machine and beside a busy neighbour.

    python benches/peers/threads.py n500 n2k n10k          # sizes of workload.py

Runs on one thread and on two in turn, plain and learning, first as the machine is and then while a
loop in another process keeps a core busy. Whether a second thread is used the library decides, from
the time that windows take; the ratio of the walls says whether it decides well: it should be far
below 1 where there is enough work, and nowhere much above. Refuses to report if threads change the
spikes.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm
from workload import SIZES, Workload, drawn, events, network


@contextmanager
def neighbour(is_busy: bool) -> Iterator[subprocess.Popen | None]:
    """A process that computes all the time, if it `is_busy`."""
    if not is_busy:
        yield None
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield process
        finally:
            process.kill()


def walls(work: Workload, learn: bool, rounds: int) -> list[list[float]]:
    """Seconds on one thread and on two, round by round, of two networks that go the same way."""
    net, sample = network(work), events(work)
    nets = [net, net.copy()]
    found: list[list[float]] = [[], []]
    for _ in range(rounds):
        spikes = []
        for n_threads, (one, seconds) in enumerate(zip(nets, found, strict=True), start=1):
            result = one.run(sample, learn=learn, n_threads=n_threads)
            seconds.append(result.stats.wall_time)
            spikes.append(result.spikes)
        if not spikes[0].equals(spikes[1]):
            raise SystemExit("Threads changed the spikes.")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="+", choices=SIZES)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    works = {size: Workload.load(drawn(size)) for size in arguments.size}
    cases = [
        (busy, size, learn) for busy in (False, True) for size in works for learn in (False, True)
    ]
    for is_busy, size, learn in tqdm(cases, file=sys.stderr):
        with neighbour(is_busy):
            one, two = walls(works[size], learn, arguments.rounds)
        figures = {
            "neighbour": is_busy,
            "size": size,
            "mode": "stdp" if learn else "run",
            "one_thread_s": round(statistics.median(one), 4),
            "two_threads_s": round(statistics.median(two), 4),
            "ratio_of_medians": round(statistics.median(two) / statistics.median(one), 3),
            "ratio_of_least": round(min(two) / min(one), 3),
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()

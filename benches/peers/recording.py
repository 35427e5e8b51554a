"""What it costs to record: runs with and without, in turn, on the network n2k.

    python benches/peers/recording.py [--neurons 100] [--every 0.1] [--rounds 15] [--learn]

Prints the median of each, in seconds of the clock and of the processor (which a neighbour on the
machine disturbs less), and what recording takes beyond a run without; and what it takes to make the
table, when it is asked for. The first round is left out.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import hrsnn_rs as hr
from workload import Workload, drawn, events, network

#: The input of the workload, so often one after the other: 10 s.
REPEATS = 2


Seconds = dict[str, dict[str, list[float]]]


@contextmanager
def clocks(seconds: Seconds, name: str, *, counts: bool) -> Iterator[None]:
    """Note how long something takes, if it counts."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    if counts:
        seconds["wall"][name].append(time.perf_counter() - wall)
        seconds["processor"][name].append(time.process_time() - processor)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--neurons", type=int, default=100, help="whose v is recorded")
    parser.add_argument("--every", type=float, default=0.1, help="ms")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learn", action="store_true")
    given = parser.parse_args()
    work = Workload.load(drawn("n2k"))
    net = network(work)
    sample = hr.Events.concatenate([events(work)] * REPEATS)
    record = {"v": range(given.neurons)}
    seconds: Seconds = {
        clock: {"without": [], "with": [], "table": []} for clock in ("wall", "processor")
    }
    for number in range(given.rounds + 1):
        for name, wanted in (("without", None), ("with", record)):
            fresh = net.copy()
            with clocks(seconds, name, counts=number > 0):
                result = fresh.run(
                    sample,
                    learn=given.learn,
                    record=wanted,
                    every=given.every,
                    n_threads=given.threads,
                )
        with clocks(seconds, "table", counts=number > 0):
            height = result.record["v"].height
    said = {"duration_s": sample.duration / 1e6, "n_values": height, "rounds": given.rounds}
    for clock, of in seconds.items():
        medians = {name: statistics.median(some) for name, some in of.items()}
        said[clock] = {
            **{name: round(median, 4) for name, median in medians.items()},
            "least": {name: round(min(some), 4) for name, some in of.items()},
            "beyond": round(medians["with"] / medians["without"] - 1.0, 4),
        }
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()

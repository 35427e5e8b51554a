"""What it costs to record: runs with and without, in turn, on the network n2k.

    python benches/peers/recording.py [--neurons 100] [--every 0.1] [--rounds 15] [--learn]

Prints the median of each, seconds, and what the one takes beyond the other. The first run of each
is left out.
"""

import argparse
import json
import statistics

import hrsnn_rs as hr
from workload import Workload, drawn, events, network

#: The input of the workload, so often one after the other: 10 s.
REPEATS = 2


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
    walls: dict[str, list[float]] = {"without": [], "with": []}
    for number in range(given.rounds + 1):
        for name, wanted in (("without", None), ("with", record)):
            result = net.copy().run(
                sample,
                learn=given.learn,
                record=wanted,
                every=given.every,
                n_threads=given.threads,
            )
            if number:
                walls[name].append(result.stats.wall_time)
    medians = {name: statistics.median(some) for name, some in walls.items()}
    print(
        json.dumps(
            {
                "duration_s": sample.duration / 1e6,
                "n_values": result.record["v"].height,
                **{name: round(median, 4) for name, median in medians.items()},
                "least": {name: round(min(some), 4) for name, some in walls.items()},
                "greatest": {name: round(max(some), 4) for name, some in walls.items()},
                "beyond": round(medians["with"] / medians["without"] - 1.0, 4),
            }
        )
    )


if __name__ == "__main__":
    main()

"""How ns an event and building grow with neurons and fan-in, into docs/performance.md and a plot.

    make bench-growth                                      # up to 10^6 neurons; needs 5 GB
    python benches/kernels/scaling.py --most 100000 --rounds 3

Every point is a process of its own that makes a balanced network in the core and runs it on one
thread (`scaling.rs`). Rounds are interleaved, and time is what the thread had of a core, so that
neighbours count less. The neurons fire at some 11 Hz whatever their number.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent.parent.parent
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "growth.png"
sys.path.insert(0, str(ROOT / "benches" / "peers"))
from measure_peers import machine  # noqa: E402
from peers_page import markdown, replaced, short  # noqa: E402

FAN_IN, N = 100, 10_000
NEURONS = (1000, 10_000, 100_000, 300_000, 1_000_000)
FAN_INS = (30, 100, 300, 1000)
#: Synaptic events of a run, which say how long it is; shortest and longest, ms.
EVENTS, SHORTEST, LONGEST = 3e7, 100, 3000
RATE = 0.011  # spikes of a neuron in a ms
#: Points beyond are left out where synapses learn, which take five times the memory.
MOST_LEARNING = 300_000
CASES = {"run": "no plasticity", "learn": "STDP", "delays": "no plasticity, delays of 1-20 ms"}
COLOURS = {"run": "#1f77b4", "learn": "#d1495b", "delays": "#2e7d32"}


def program() -> Path:
    """Build what is measured."""
    command = ["cargo", "build", "--quiet", "--release", "-p", "hrsnn-core"]
    subprocess.run([*command, "--example", "scaling"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "scaling"


def points(most: int) -> list[tuple[int, int, str]]:
    """Numbers of neurons, fan-ins and cases, each once."""
    sizes = [(n, FAN_IN) for n in NEURONS if n <= most] + [(N, k) for k in FAN_INS if k != FAN_IN]
    return [
        (n, k, case)
        for n, k in sizes
        for case in CASES
        if n <= (most if case == "run" else MOST_LEARNING)
    ]


def measure(binary: Path, n: int, fan_in: int, case: str) -> dict[str, float]:
    """Make and run one network."""
    ms = min(max(EVENTS / (n * fan_in * RATE), SHORTEST), LONGEST)
    command = [binary, str(n), str(fan_in), case, str(round(ms))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def medians(rounds: list[list[dict[str, float]]]) -> list[dict[str, float]]:
    """Of each point; its spikes are the same in all rounds."""
    found = []
    for same in zip(*rounds, strict=True):
        assert len({point["hash"] for point in same}) == 1
        ns = {key: statistics.median(point[key] for point in same) for key in ("ns", "build_ns")}
        found.append(same[0] | ns)
    return found


def table(found: list[dict[str, float]]) -> str:
    """A row for each number of neurons and fan-in."""
    sizes = sorted({(point["n"], point["fan_in"]) for point in found})
    cells = {(p["n"], p["fan_in"], p["case"]): p for p in found}
    rows = []
    for n, fan_in in sizes:
        of_size = [cells.get((n, fan_in, case)) for case in CASES]
        ns = [short(point["ns"]) if point else "–" for point in of_size]
        # Less than a step of the thread's clock is told as 0.
        build = [short(p["build_ns"]) if p and p["build_ns"] else "–" for p in of_size]
        rows.append([f"{n:,}", f"{fan_in:,}", *ns, *build])
    heads = [f"{name}: ns/event" for name in CASES.values()]
    heads += [f"{name}: building, ns/synapse" for name in CASES.values()]
    return markdown(["neurons", "fan-in", *heads], rows)


def plot(found: list[dict[str, float]]) -> None:
    """Against neurons at one fan-in, and against fan-in at one number of neurons."""
    mpl.use("agg")
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for case, colour in COLOURS.items():
        mine = [point for point in found if point["case"] == case]
        by_n = sorted((p for p in mine if p["fan_in"] == FAN_IN), key=lambda p: p["n"])
        by_fan_in = sorted((p for p in mine if p["n"] == N), key=lambda p: p["fan_in"])
        for ax, some, x, y in (
            (axes[0], by_n, "n", "ns"),
            (axes[1], by_n, "n", "build_ns"),
            (axes[2], by_fan_in, "fan_in", "ns"),
        ):
            told = [p for p in some if p[y]]
            ax.plot(
                [p[x] for p in told], [p[y] for p in told], "o-", color=colour, label=CASES[case]
            )
    for ax, x, y in (
        (axes[0], f"neurons (fan-in {FAN_IN})", "ns an event"),
        (axes[1], f"neurons (fan-in {FAN_IN})", "building, ns a synapse"),
        (axes[2], f"fan-in ({N:,} neurons)", "ns an event"),
    ):
        ax.set(xscale="log", xlabel=x, ylabel=y)
        ax.set_ylim(bottom=0)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(PLOT, dpi=130, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=NEURONS[-1], help="largest number of neurons")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    binary, rounds = program(), []
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        rounds.append([measure(binary, *point) for point in points(arguments.most)])
    found = medians(rounds)
    said = (
        f"Medians of {arguments.rounds} interleaved rounds, one thread, {machine()}.\n\n"
        f"{table(found)}\n\n![ns an event and building, against neurons and fan-in]({PLOT.name})"
    )
    PAGE.write_text(replaced(PAGE.read_text(), "growth", said))
    plot(found)


if __name__ == "__main__":
    main()

"""Count instructions of a synaptic event under callgrind, and hold them to a budget.

    python benches/kernels/budget.py            # compare with benches/kernels/budget.json
    python benches/kernels/budget.py --update   # write it anew

Instructions, unlike times, are the same whatever else the machine does. What building the network
takes falls out: counted is the difference between runs of three samples and of one. Valgrind
knows no AVX-512, so what is counted is the path below it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BUDGET = ROOT / "benches" / "kernels" / "budget.json"
#: run: no plasticity; learn: STDP; run_delays and delays: the same with delays of 1 to 20 ms for
#: each synapse; small: 500 neurons and input rows of 10 synapses.
CASES = ("run", "learn", "run_delays", "delays", "run_small", "learn_small")
ALLOWED = 1.02
SAMPLES = (1, 3)


def program() -> Path:
    """Build what is counted."""
    command = ["cargo", "build", "--quiet", "--release", "-p", "hrsnn-core"]
    subprocess.run([*command, "--example", "instructions"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "instructions"


def count(binary: Path, case: str, n_samples: int) -> tuple[int, int]:
    """Instructions of a run, and synaptic events of its last sample."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, case,
         str(n_samples)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"callgrind failed:\n{done.stderr}")
    return int(found[1]), int(done.stdout)


def measure() -> dict[str, float]:
    """Instructions per synaptic event of each case."""
    binary, figures = program(), {}
    for case in CASES:
        print(f"counting: {case}", file=sys.stderr)
        (few, n_events), (many, _) = (count(binary, case, n) for n in SAMPLES)
        figures[case] = round((many - few) / (SAMPLES[1] - SAMPLES[0]) / n_events, 3)
    return figures


def over_budget(figures: dict[str, float], budget: dict[str, float]) -> list[str]:
    """Complaints about cases that have become dearer, or that have no budget."""
    missing = [f"{case}: no budget" for case in figures if case not in budget]
    return missing + [
        f"{case}: {figure:.2f} instructions per synaptic event, the budget is {budget[case]:.2f}"
        f" (+{figure / budget[case] - 1.0:.1%}, allowed are +{ALLOWED - 1.0:.0%})"
        for case, figure in figures.items()
        if case in budget and figure > ALLOWED * budget[case]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="write the budget anew")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        skipped = "SKIPPED: the instruction budget was NOT checked: valgrind is not installed."
        print(f"{'*' * 78}\n{skipped}\n{'*' * 78}", file=sys.stderr)
        sys.exit(1 if arguments.update else 0)
    figures = measure()
    if arguments.update:
        BUDGET.write_text(json.dumps(figures, indent=2) + "\n")
    budget = json.loads(BUDGET.read_text())
    if arguments.json:
        print(json.dumps({"instructions": figures, "budget": budget}))
    else:
        for case, figure in figures.items():
            allowed = f"budget {budget[case]:.2f}" if case in budget else "no budget"
            print(f"{case}: {figure:.2f} instructions per synaptic event ({allowed})")
    if complaints := over_budget(figures, budget):
        raise SystemExit("Over budget.\n" + "\n".join(complaints))


if __name__ == "__main__":
    main()

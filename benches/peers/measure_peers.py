"""Run one workload in several simulators, interleaved, and write docs/performance.md.

    python benches/peers/measure_peers.py --sizes n500 n2k --rounds 5

Each run is a process of its own, in the environment of its simulator (`make bench-peers` makes
them). A round runs every simulator once with each number of threads; rounds follow one another, so
that whatever else the machine does meets all of them. A simulator whose run exceeds `--cap` is not
tried again at that size. Refuses to report if the simulators did not do the same work. The same
command goes on with a measurement that was stopped, as long as nothing was changed in between.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import peers_page
import polars as pl
from kept_runs import KeptRuns
from tqdm import tqdm
from workload import SIZES, drawn

BENCHES = Path(__file__).parent
ROOT = BENCHES.parent.parent
#: With STDP, mean rates may differ by this much from those of hrsnn_rs.
RATES_WITHIN = 0.03
#: Where float32 must part from float64, plain spike counts may differ by this much.
COUNTS_WITHIN = 0.005
MODES = ("run", "stdp")


class NotTheSameError(Exception):
    """Simulators were found to do different work."""


@dataclass(frozen=True)
class Simulator:
    """How to run one. `sizes` and `modes`: what it is asked for.

    `needs` is the variable that names where it is, for one that no environment can hold.
    """

    name: str
    script: str
    python: Path
    threads: tuple[int, ...] = (1, 2)
    sizes: tuple[str, ...] = tuple(SIZES)
    modes: tuple[str, ...] = MODES
    environment: tuple[tuple[str, str], ...] = ()
    needs: str = ""

    def absence(self) -> str:
        """Why it cannot be run here; empty if it can."""
        if not self.python.exists():
            return "not installed"
        if self.needs and not os.environ.get(self.needs):
            return f"left out; {self.needs}=path make bench-peers runs the one built in path"
        return ""

    def run(self, path: Path, mode: str, threads: int, cap: float, *extra: str) -> dict:
        """Outcome of one run; `{"failure": why}` if there is none."""
        command = [str(self.python), str(BENCHES / self.script), str(path), *extra]
        command += ["--threads", str(threads)] + (["--learn"] if mode == "stdp" else [])
        limits = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
        environment = {**os.environ, **limits, **dict(self.environment)}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=cap, env=environment, check=False
            )
        except subprocess.TimeoutExpired:
            return {"failure": f"more than {cap:.0f} s"}
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            return {"failure": (done.stderr.strip().splitlines() or ["no output"])[-1]}
        return {**json.loads(lines[-1]), "failure": None}


def environment(name: str) -> Path:
    return ROOT / f".venv-{name}" / "bin" / "python"


HRSNN = Simulator("hrsnn_rs", "run_hrsnn.py", Path(sys.executable))
#: By the first word of their names, which is what they are asked for by.
SIMULATORS = {
    simulator.name.split()[0]: simulator
    for simulator in (
        HRSNN,
        Simulator("numba", "run_numba.py", environment("numba")),
        Simulator("NEST", "run_nest.py", environment("nest")),
        Simulator("Brian2", "run_brian2.py", environment("brian2")),
        Simulator(
            "Brian2-cython",
            "run_brian2.py",
            environment("brian2"),
            threads=(1,),
            sizes=("n200", "n500", "n2k"),
            environment=(("BRIAN2_TARGET", "cython"),),
        ),
        Simulator(
            "BindsNET",
            "run_bindsnet.py",
            environment("torch"),
            sizes=("n200", "n500", "n2k"),
        ),
        Simulator(
            "Auryn (homogeneous)",
            "run_auryn.py",
            Path(sys.executable),
            threads=(1,),
            sizes=("n200", "n500", "n2k", "n10k"),
            needs="AURYN",
        ),
    )
}
USUAL = ("hrsnn_rs", "numba", "NEST", "Brian2", "BindsNET", "Auryn")


def bandwidth(threads: int) -> dict:
    """Copy bandwidth as one more row of results."""
    command = [sys.executable, str(BENCHES / "bandwidth.py"), "--threads", str(threads)]
    figure = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {"simulator": "copy", "threads": threads, "copy_gb_per_s": figure["copy_gb_per_s"]}


def complaints(rows: list[dict], reference: dict, float32_agrees: bool) -> list[str]:
    """What is not the same in the runs of one size; `reference` is hrsnn_rs in float64."""
    found = []
    ours = [row["rate"] for row in rows if row["simulator"] == "hrsnn_rs" and row["mode"] == "stdp"]
    for row in rows:
        who = f"{row['simulator']}, {row['mode']}, {row['threads']} thread(s)"
        if row["mode"] == "stdp":
            if ours and abs(row["rate"] / ours[0] - 1.0) > RATES_WITHIN:
                found.append(f"{who}: {row['rate']:.2f} Hz, hrsnn_rs {ours[0]:.2f} Hz")
        elif row["simulator"] == "hrsnn_rs" and not float32_agrees:
            if abs(row["n_spikes"] / reference["n_spikes"] - 1.0) > COUNTS_WITHIN:
                found.append(f"{who}: {row['n_spikes']} spikes, float64 {reference['n_spikes']}")
        elif row["raster"] != reference["raster"]:
            found.append(
                f"{who}: another raster ({row['n_spikes']} spikes) than hrsnn_rs in float64"
                f" ({reference['n_spikes']} spikes)"
            )
    return found


def measure_size(
    path: Path, simulators, modes, rounds: int, cap: float, progress, kept: KeptRuns
) -> list[dict]:
    """All runs of one workload, in rounds."""
    size = path.stem
    given_up: dict[tuple, str] = {}
    rows = []
    for round_ in range(rounds):
        for mode in modes:
            for threads in (1, 2):
                copied = kept(f"{size} {round_} {mode} copy {threads}", partial(bandwidth, threads))
                rows.append({**copied, "size": size, "mode": mode})
            for simulator in simulators:
                for threads in simulator.threads:
                    who = (simulator.name, mode, threads)
                    if who in given_up:
                        continue
                    progress.set_postfix_str(f"{size} {mode} {simulator.name} x{threads}")
                    outcome = kept(
                        f"{size} {round_} {mode} {simulator.name} {threads} {cap:g}",
                        partial(simulator.run, path, mode, threads, cap),
                    )
                    if outcome["failure"]:
                        given_up[who] = outcome["failure"]
                        print(f"{size} {' '.join(map(str, who))}: {outcome['failure']}",
                              file=sys.stderr)  # fmt: skip
                    rows.append(
                        {"simulator": simulator.name, "mode": mode, "threads": threads}
                        | outcome
                        | {"size": size, "round": round_}
                    )
                    progress.update()
    return rows


def measure(arguments) -> pl.DataFrame:
    """Run everything and check that it was the same work."""
    simulators = [SIMULATORS[name] for name in arguments.simulators]
    absent = {s.name: why for s in simulators if (why := s.absence())}
    for name, why in absent.items():
        print(f"{name}: {why}", file=sys.stderr)
    started, rows, wrong = time.time(), [], []
    where = {"machine": machine(), "commit": commit()}
    kept = KeptRuns(arguments.kept, where)
    if kept.runs:
        print(f"Going on: {len(kept.runs)} runs are kept in {arguments.kept}.", file=sys.stderr)
    for size in arguments.sizes:
        path = drawn(size, arguments.rate)
        here = [s for s in simulators if s.name not in absent and size in s.sizes]
        total = arguments.rounds * len(arguments.modes) * sum(len(s.threads) for s in here)
        reference = HRSNN.run(path, "run", 1, arguments.cap, "--dtype", "float64")
        if reference["failure"]:
            raise NotTheSameError(f"hrsnn_rs in float64, {size}: {reference['failure']}")
        with tqdm(total=total, desc=size, file=sys.stderr) as progress:
            measured = measure_size(
                path, here, arguments.modes, arguments.rounds, arguments.cap, progress, kept
            )
        runs = [row for row in measured if "raster" in row]
        wrong += [f"{size}: {what}" for what in complaints(runs, reference, agrees(path))]
        rows += measured
    if wrong:
        raise NotTheSameError("\n".join(sorted(set(wrong))))
    kept.finish()
    for row in rows:
        row["versions"] = json.dumps(row.get("versions", {}))
    where["started"] = int(started)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        **{name: pl.lit(value) for name, value in where.items()}
    )


def beside(results: pl.DataFrame, path: Path) -> pl.DataFrame:
    """`results`, and what the file `path` holds of sizes that were not measured this time."""
    if not path.exists():
        return results
    others = pl.read_parquet(path).join(results, on="size", how="anti")
    return pl.concat([results, others], how="diagonal_relaxed")


def agrees(path: Path) -> bool:
    import numpy as np

    with np.load(path) as arrays:
        return bool(arrays["float32_agrees"])


def machine() -> str:
    """Processor, cores and memory."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.processor()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {model}, {gigabytes:.0f} GiB, {platform.system()}"


def commit(root: Path = ROOT) -> str:
    """The commit that is measured, and whether anything was changed but the pages written here."""

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    pages = (peers_page.README, peers_page.PAGE, peers_page.PLOT, peers_page.RESULTS)
    others = [f":(exclude){page.relative_to(ROOT)}" for page in pages]
    is_changed = git("diff", "--quiet", "HEAD", "--", ".", *others).returncode == 1
    return git("describe", "--always").stdout.strip() + ("-dirty" if is_changed else "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["n500", "n2k", "n10k"])
    parser.add_argument("--simulators", nargs="+", choices=SIMULATORS, default=USUAL)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=10.0, help="mean rate in Hz")
    parser.add_argument("--cap", type=float, default=600.0, help="most seconds of a run")
    parser.add_argument("--out", type=Path, default=peers_page.RESULTS)
    parser.add_argument("--kept", type=Path, default=ROOT / ".make" / "peers.jsonl")
    parser.add_argument("--no-page", action="store_true", help="leave docs/ and README.md alone")
    parser.add_argument("--json", action="store_true", help="print medians as JSON")
    arguments = parser.parse_args()
    try:
        results = measure(arguments)
    except NotTheSameError as error:
        raise SystemExit(f"The simulators did not do the same work.\n{error}") from None
    results = beside(results, arguments.out)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    results.write_parquet(arguments.out)
    if not arguments.no_page:
        peers_page.write(results)
    if arguments.json:
        print(json.dumps(peers_page.medians(results).to_dicts(), indent=1))
    else:
        print(peers_page.tables(results))


if __name__ == "__main__":
    main()

"""`hrsnn experiment`: a spread of time constants against the best single one, on a task."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hrsnn_rs.cli.options import (
    DATA_HELP,
    add_common_options,
    add_data_options,
    data_name,
    open_data,
    positive,
)
from hrsnn_rs.cli.terminal import Bar, aligned, drawable, print_json, writable
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import (
    Clips,
    measure_balance,
    measure_direction,
    measure_interval,
    measure_kinds,
    measure_memory,
    measure_order,
    measure_speed,
    measure_sweep,
    outcome,
    predict_interval,
    useful_ranges,
)
from hrsnn_rs.learning.task_sweeps import SWEEPS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from matplotlib.figure import Figure


DESCRIPTION = """\
Hold laws of membrane time constants against the best constant of a sweep, which is
chosen for each seed on the other seeds; same graph, stimuli and rate. In `interval`
the time between two volleys is named, in `memory` a past input is read out of the
spikes, in `speed` the speed at which recorded clips are played is named. In
`balance` a network learns, and rules are compared by the range of depression over
potentiation that leaves it of use. In `kinds` intervals are named with a spread of one
parameter after the other. In `direction` clips are told from the same clips
backwards, in `order` it is named which of two gestures came first. Each
`sweep-` names intervals while one thing changes.
"""
_CLIPS = ("speed", "direction", "order")
_MADE_UP = ("direction", "order")
_MANY_LAWS = ("kinds", "order", "sweep-laws")
_MEASURES: dict[str, Callable[..., pl.DataFrame]] = {
    "interval": measure_interval,
    "memory": measure_memory,
    "speed": measure_speed,
    "balance": measure_balance,
    "kinds": measure_kinds,
    "direction": measure_direction,
    "order": measure_order,
    **{f"sweep-{of}": partial(measure_sweep, of) for of in SWEEPS},
}
_TASKS = tuple(_MEASURES)
_SEEDS = {"sweep-connections": 5}  # some minutes
_GESTURES = (12, 2)  # persons, and clips of each gesture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("name", metavar="NAME", choices=_TASKS, help=", ".join(_TASKS))
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"clips; direction and order make gestures up without it: {DATA_HELP}",
    )
    parser.add_argument(
        "--seeds",
        type=positive,
        metavar="K",
        help="seeds 0 … K-1 (12; 5 to 10 of sweeps)",
    )
    parser.add_argument(
        "--neurons", type=positive, metavar="N", help="(300; for memory 400, for balance 200)"
    )
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="rows as Parquet; the same command goes on from them"
    )
    parser.add_argument(
        "--figure", metavar="FILE", help="draw what came out, as .png, .svg or .pdf"
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure what is not measured yet, and say or draw what came out."""
    if arguments.output:
        writable("--output", Path(arguments.output))
    if arguments.figure:
        drawable("--figure", Path(arguments.figure))
    name = arguments.name
    allowed = name in _CLIPS if arguments.data else name not in _CLIPS or name in _MADE_UP
    if not allowed:
        raise ParameterError(
            f"--data must be given for speed, may be for {' and '.join(_MADE_UP)}, and for nothing "
            f"else; got {arguments.data!r} for {name}."
        )
    if arguments.neurons and name == "sweep-neurons":
        raise ParameterError(f"--neurons must be left out for {name}; got {arguments.neurons}.")
    for option in ("split", "cache", "option"):
        if getattr(arguments, option) and not arguments.data:
            raise ParameterError(f"--{option} must be left out without --data.")
    # What an interrupted command says that it goes on from.
    arguments.checkpoint = arguments.output
    rows = _measure(arguments)
    theory = predict_interval() if arguments.name == "interval" else None
    table = useful_ranges(rows) if arguments.name == "balance" else outcome(rows, theory)
    _say(rows, table, arguments)
    if arguments.figure:
        _drawn(arguments.name, rows, theory).savefig(arguments.figure, dpi=120)
    return 0


def _say(rows: pl.DataFrame, table: pl.DataFrame, arguments: argparse.Namespace) -> None:
    """Print what came out at once, whatever becomes of the figure."""
    if arguments.json:
        print_json({"rows": rows.to_dicts(), "outcome": table.to_dicts()})
        sys.stdout.flush()
        return
    print(aligned(_range_cells(table) if arguments.name == "balance" else _cells(table)))
    print()
    n_seeds = table["n_seeds"][0]
    if arguments.name == "balance":
        print("Widths are of ln(balance), and differences to one rule;")
    else:
        others = "chosen for each seed on the other seeds" if n_seeds > 1 else "chosen on this seed"
        print(f"Differences are to the best constant, {others};")
    print(f"95 % intervals over {n_seeds} seeds." if n_seeds > 1 else "of one seed: no interval.")
    if arguments.name == "memory":
        print()
        print(aligned(_linear_cells(rows)))
    sys.stdout.flush()


def _measure(arguments: argparse.Namespace) -> pl.DataFrame:
    options: dict[str, Any] = {"output": arguments.output, "n_threads": arguments.threads}
    if arguments.neurons:
        options["n_neurons"] = arguments.neurons
    usual = 10 if arguments.name.startswith("sweep-") else 12
    seeds = range(arguments.seeds or _SEEDS.get(arguments.name, usual))
    measure = _MEASURES[arguments.name]
    if arguments.name in _CLIPS:
        dataset = open_data(arguments) if arguments.data else make_gestures(*_GESTURES, size=32)
        words = data_name(arguments.data) if arguments.data else None
        with Bar(arguments.json) as bar:
            clips = Clips.of_dataset(dataset, name=words, progress=bar)
        measure = partial(measure, clips)
    with Bar(arguments.json) as bar:
        return measure(seeds, progress=bar, **options)


def _drawn(name: str, rows: pl.DataFrame, theory: pl.DataFrame | None) -> Figure:
    """Draw a task as it is seen best."""
    from hrsnn_rs.plotting import balance_outcome, sweep_outcome, task_gains, task_outcome

    if name == "balance":
        return balance_outcome(rows)
    if name in _MANY_LAWS:
        return task_gains(rows)
    return sweep_outcome(rows) if name.startswith("sweep-") else task_outcome(rows, theory)


def _cells(table: pl.DataFrame) -> list[list[str]]:
    """Say what came out, in words and numbers."""
    head = ["condition", "law", "score", "best", "its score", "difference", "would be seen"]
    head += ["spikes", "its spikes"]
    has_theory = table["theory"].null_count() < table.height
    lines = [[*head, "theory"] if has_theory else head]
    for row in table.iter_rows(named=True):
        gap = "-" if row["difference"] is None else _gap(row)
        line = [row["condition"], row["system"], _number(row["score"], ".3f"), row["best"]]
        seen = row["would_be_seen"] if row["n_seeds"] > 1 else None
        line += [_number(row["best_score"], ".3f"), gap, _number(seen, ".3f")]
        line += [_number(row[name], ".1f") for name in ("spikes", "best_spikes")]
        lines.append([*line, _number(row["theory_difference"], "+.3f")] if has_theory else line)
    return lines


def _range_cells(table: pl.DataFrame) -> list[list[str]]:
    """Say in which balances each rule leaves a network of use."""
    lines = [["rule", "from", "to", "width", "difference"]]
    for row in table.iter_rows(named=True):
        gap = "-" if row["system"] == table["system"][0] else _gap(row)
        ends = [_number(row[name], ".2f") for name in ("begin", "end")]
        lines.append([row["system"], *ends, f"{row['width']:.3f}", gap])
    return lines


def _linear_cells(rows: pl.DataFrame) -> list[list[str]]:
    """Say what the membranes hold without a threshold, and what they can hold at most."""
    groups = rows.filter(pl.col("linear").is_not_null()).group_by("system", maintain_order=True)
    found = groups.agg(pl.col("linear", "theory").mean()).iter_rows()
    head = ["no recurrence, no threshold", "capacity", "at most"]
    return [head, *([system, f"{one:.3f}", f"{most:.3f}"] for system, one, most in found)]


def _gap(row: dict[str, Any]) -> str:
    """Say a difference, with its interval if there is one."""
    words = f"{row['difference']:+.3f}"
    return words + f" [{row['low']:+.3f}, {row['high']:+.3f}]" if row["n_seeds"] > 1 else words


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

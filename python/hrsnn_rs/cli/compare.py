"""`hrsnn compare`: variants beside controls on a data set, over seeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.cli.options import (
    DATA_HELP,
    add_common_options,
    add_data_options,
    count,
    data_name,
    open_data,
    positive,
)
from hrsnn_rs.cli.terminal import Bar, aligned, print_json, writable
from hrsnn_rs.learning import CONTROLS, Clips, compare, summarize, verdict
from hrsnn_rs.network import VARIANTS
from hrsnn_rs.report import format_comparisons, format_summary

if TYPE_CHECKING:
    import argparse

    import polars as pl


DESCRIPTION = (
    "Measure four variants of a network and three controls on a data set, over "
    "seeds; validation is on persons that nothing was fitted to."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--seeds", type=positive, default=5, metavar="K", help="seeds 0 … K-1 (5)")
    parser.add_argument("--neurons", type=positive, default=1000, metavar="N", help="(1000)")
    parser.add_argument("--epochs", type=count, default=1, metavar="E", help="passes (1)")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--controls", nargs="*", choices=CONTROLS, default=list(CONTROLS))
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory task")
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="rows as Parquet, with what was said of each clip"
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare on a data set, and print or write the rows."""
    output = arguments.output and Path(arguments.output)
    if output:
        writable("--output", output)
    dataset = open_data(arguments)
    with Bar(arguments.json) as bar:
        clips = Clips.of_dataset(dataset, name=data_name(arguments.data), progress=bar)
    with Bar(arguments.json) as bar:
        rows = compare(
            clips,
            range(arguments.seeds),
            arguments.variants,
            arguments.controls,
            memory=not arguments.no_memory,
            n_neurons=arguments.neurons,
            epochs=arguments.epochs,
            n_threads=arguments.threads,
            progress=bar,
        )
    print_rows(rows, arguments.json, None)
    if output:
        rows.write_parquet(output)
    return 0


def print_rows(rows: pl.DataFrame, is_json: bool, report: str | None) -> None:
    """Print what the rows of a comparison say, at once, whatever comes after it."""
    summary = summarize(rows)
    if is_json:
        print_json(
            {
                "rows": rows.drop("predictions").to_dicts(),
                "summary": summary.table.to_dicts(),
                "comparisons": summary.comparisons.to_dicts(),
                "verdict": verdict(rows),
                "report": report,
            }
        )
    else:
        print(aligned(format_summary(rows)))
        print()
        if summary.comparisons.height:
            print(aligned(format_comparisons(rows)))
            print()
        print(verdict(rows))
    sys.stdout.flush()

"""`hrsnn demo`: the whole story on made-up gestures, and a page that tells it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.cli.compare import print_rows
from hrsnn_rs.cli.options import (
    DATA_HELP,
    GESTURES,
    add_common_options,
    add_option,
    data_name,
    options_for,
    positive,
)
from hrsnn_rs.cli.terminal import Bar
from hrsnn_rs.datasets import make_gestures, open_dataset
from hrsnn_rs.errors import MissingDependencyError, ParameterError
from hrsnn_rs.learning import Clips, compare
from hrsnn_rs.report import demo_figures, write_report

if TYPE_CHECKING:
    import argparse


DESCRIPTION = "Compare four variants of a network with three controls, over seeds."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("--data", metavar="FOLDER", default="gestures", help=DATA_HELP)
    parser.add_argument(
        "--seeds", type=positive, metavar="K", help="seeds 0 … K-1 (3; for a folder 5)"
    )
    parser.add_argument(
        "--neurons", type=positive, metavar="N", help="neurons (500; for a folder 1000)"
    )
    parser.add_argument(
        "--subjects", type=positive, default=12, metavar="S", help="made-up persons (12)"
    )
    parser.add_argument(
        "--report",
        metavar="HTML",
        help="page with tables and figures (report.html; with --json none)",
    )
    add_option(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print a table and a sentence, and write the report."""
    dataset = (
        make_gestures(n_subjects=arguments.subjects, n_repeats=2, seed=0)
        if arguments.data == GESTURES
        else open_dataset(arguments.data, **options_for(arguments.data, arguments.option))
    )
    made_up = arguments.data == GESTURES
    n_neurons = arguments.neurons or (500 if made_up else 1000)
    seeds = range(arguments.seeds or (3 if made_up else 5))
    report = arguments.report or (None if arguments.json else "report.html")
    if report is not None and find_spec("matplotlib") is None:
        raise MissingDependencyError("the report needs matplotlib: pip install hrsnn_rs[plot]")
    if report is not None and not Path(report).absolute().parent.is_dir():
        raise ParameterError(f"--report must lie in a folder that exists; got {report}.")
    with Bar(arguments.json) as bar:
        clips = Clips.of_dataset(dataset, name=data_name(arguments.data), progress=bar)
    with Bar(arguments.json) as bar:
        rows = compare(
            clips,
            seeds=seeds,
            n_neurons=n_neurons,
            n_threads=arguments.threads,
            progress=bar,
        )
    if report is not None:
        figures = demo_figures(clips, rows, n_neurons=n_neurons, n_threads=arguments.threads)
        write_report(report, rows, figures, command=arguments.command_line)
    print_rows(rows, arguments.json, report)
    return 0

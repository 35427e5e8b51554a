"""`hrsnn demo`: the whole story on made-up gestures, and a page that tells it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.cli.compare import USUAL_FEATURES, print_rows
from hrsnn_rs.cli.options import (
    DATA_HELP,
    GESTURES,
    add_common_options,
    add_option,
    data_name,
    options_for,
    positive,
)
from hrsnn_rs.cli.terminal import Bar, one_line, writable
from hrsnn_rs.datasets import make_gestures, open_dataset
from hrsnn_rs.errors import FigureWarning
from hrsnn_rs.learning import Clips, compare
from hrsnn_rs.network.presets import default_network
from hrsnn_rs.report import ReportFigure, demo_figures, write_report

if TYPE_CHECKING:
    import argparse

    import polars as pl


DESCRIPTION = "Compare a feature layer and four variants of a network with controls, over seeds."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("--data", metavar="FOLDER", default="gestures", help=DATA_HELP)
    parser.add_argument("--seeds", type=positive, default=5, metavar="K", help="seeds 0 … K-1 (5)")
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
    """Compare, print tables and a sentence, and then write the report."""
    report = arguments.report or (None if arguments.json else "report.html")
    if report is not None:
        writable("--report", Path(report))
    dataset = (
        make_gestures(n_subjects=arguments.subjects, n_repeats=2, seed=0)
        if arguments.data == GESTURES
        else open_dataset(arguments.data, **options_for(arguments.data, arguments.option))
    )
    n_neurons = arguments.neurons or (500 if arguments.data == GESTURES else 1000)
    with Bar(arguments.json) as bar:
        clips = Clips.of_dataset(dataset, name=data_name(arguments.data), progress=bar)
    with Bar(arguments.json) as bar:
        rows = compare(
            clips,
            seeds=range(arguments.seeds),
            features=USUAL_FEATURES,
            folds="one",
            n_neurons=n_neurons,
            n_threads=arguments.threads,
            progress=bar,
        )
    print_rows(rows, arguments.json, report)
    if report is not None:
        figures = _figures(clips, rows, n_neurons, arguments.threads)
        network = default_network(clips.events[0].n_channels, n_neurons=n_neurons, seed=0)
        write_report(report, rows, figures, command=arguments.command_line, network=network)
        if not arguments.json:
            print(f"Report: {report}")
    return 0


def _figures(
    clips: Clips, rows: pl.DataFrame, n_neurons: int, n_threads: int | None
) -> list[ReportFigure]:
    """Draw what can be drawn: a page without figures is better than none."""
    try:
        return demo_figures(clips, rows, n_neurons=n_neurons, n_threads=n_threads)
    except Exception as error:
        warnings.warn(f"the report has no figures: {one_line(error)}", FigureWarning, stacklevel=2)
        return []

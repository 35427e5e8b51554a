"""`hrsnn compare`: variants beside controls on a data set, over seeds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.cli.options import (
    DATA_HELP,
    above_zero,
    add_common_options,
    add_data_options,
    count,
    data_name,
    open_data,
    positive,
)
from hrsnn_rs.cli.terminal import Bar, aligned, print_json, writable
from hrsnn_rs.learning import (
    CONTROLS,
    FEATURE_SYSTEMS,
    Clips,
    beside_paper,
    compare,
    summarize,
    verdict,
)
from hrsnn_rs.network import VARIANTS
from hrsnn_rs.report import format_comparisons, format_paper, format_summary

if TYPE_CHECKING:
    import polars as pl


DESCRIPTION = """\
Measure a feature layer, four variants of a network and their controls on a data set,
over seeds. Each
person (or group) is left out in turn, and in each fold gain, weights and readout are
fitted to the others alone. Differences are paired by clip and seed, intervals are over
persons and seeds, and all are corrected for their number. With --output a run that was
stopped goes on by the same command. On a data set of the paper its figures stand beside.
"""
#: A layer that has learned, the same as drawn, and event counts pooled like both.
USUAL_FEATURES = ("features", "drawn features", "pooled counts")
_FOLDS = ("groups", "official", "one")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--seeds", type=positive, default=5, metavar="K", help="seeds 0 … K-1 (5)")
    parser.add_argument("--neurons", type=positive, default=1000, metavar="N", help="(1000)")
    parser.add_argument("--epochs", type=count, default=1, metavar="E", help="passes (1)")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--controls", nargs="*", choices=CONTROLS, default=list(CONTROLS))
    parser.add_argument(
        "--features",
        nargs="*",
        choices=FEATURE_SYSTEMS,
        default=list(USUAL_FEATURES),
        help="feature layers with shared weights: learned, and its controls "
        f"({', '.join(USUAL_FEATURES)})",
    )
    parser.add_argument(
        "--layers",
        choices=("recurrent", "stacked"),
        default="recurrent",
        help="networks stand on the input, or on top of learned features (then without the memory "
        "task)",
    )
    parser.add_argument(
        "--folds",
        type=_folds,
        metavar="F",
        help="groups: leave out each in turn (the default where they are known; at most 25 folds); "
        "K: so many folds of whole groups; official: the part `test`, once; one: two groups, other "
        "ones with each seed (quick)",
    )
    parser.add_argument(
        "--homogeneous",
        choices=("mean", "best"),
        default="mean",
        help="time constant of homogeneous neurons: that of the same mean, or the best of eight, "
        "chosen in each fold on training clips (mean)",
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "--rate", type=above_zero, metavar="HZ", help="mean rate to calibrate to (3)"
    )
    target.add_argument(
        "--spikes", type=above_zero, metavar="N", help="spikes per clip to calibrate to instead"
    )
    parser.add_argument(
        "--no-recalibrate",
        action="store_true",
        help="leave the rate of networks that have learned where learning has brought it",
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory task")
    parser.add_argument(
        "--output",
        "-o",
        metavar="FILE",
        help="rows as Parquet, with what was said of each clip; the same command goes on from them",
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare on a data set, and print or write the rows."""
    if arguments.output:
        writable("--output", Path(arguments.output))
    # What an interrupted command says that it goes on from.
    arguments.checkpoint = arguments.output
    dataset = open_data(arguments)
    with Bar(arguments.json) as bar:
        clips = Clips.of_dataset(dataset, name=data_name(arguments.data), progress=bar)
    with Bar(arguments.json) as bar:
        rows = compare(
            clips,
            range(arguments.seeds),
            arguments.variants,
            arguments.controls,
            features=arguments.features,
            layers=arguments.layers,
            folds=arguments.folds,
            homogeneous=arguments.homogeneous,
            memory=not arguments.no_memory and arguments.layers == "recurrent",
            n_neurons=arguments.neurons,
            epochs=arguments.epochs,
            rate=arguments.rate,
            spikes=arguments.spikes,
            recalibrate=not arguments.no_recalibrate,
            output=arguments.output,
            n_threads=arguments.threads,
            progress=bar,
        )
    print_rows(rows, arguments.json, None)
    return 0


def print_rows(rows: pl.DataFrame, is_json: bool, report: str | None) -> None:
    """Print what the rows of a comparison say, at once, whatever comes after it."""
    summary, beside = summarize(rows), beside_paper(rows)
    if is_json:
        paper = beside and {"rows": beside.table.to_dicts(), "words": beside.words}
        print_json(
            {
                "rows": rows.drop("predictions").to_dicts(),
                "summary": summary.table.to_dicts(),
                "comparisons": summary.comparisons.to_dicts(),
                "verdict": verdict(rows),
                "paper": paper,
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
        for words in _protocol(rows):
            print(words)
        if beside is not None:
            print()
            print(aligned(format_paper(rows)))
            print()
            print(beside.words)
    sys.stdout.flush()


def _protocol(rows: pl.DataFrame) -> list[str]:
    """Say what was tested, where it is the same for all seeds, and which control was chosen."""
    said = []
    tested = rows["split"].drop_nulls().unique().to_list()
    if len(tested) == 1:
        said.append(f"Tested: {tested[0]}.")
    chosen = rows["tau_m"].drop_nulls().explode().drop_nulls()
    if len(chosen):
        usual = chosen.mode(maintain_order=True)[0]
        said.append(
            "Homogeneous neurons have the best of eight membrane time constants from 5 to 640 ms, "
            f"chosen in each fold on its training clips; most often {usual:g} ms."
        )
    return said


def _folds(text: str) -> str | int:
    """Read how clips are divided: a word, or a number of folds."""
    if text in _FOLDS:
        return text
    if text.isdecimal() and int(text) >= 2:
        return int(text)
    words = ", ".join(_FOLDS)
    raise argparse.ArgumentTypeError(f"must be {words} or a number of at least 2; got {text}")

"""The command `hrsnn`: arguments in, words or JSON out.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 an error that is told in
one line, 2 wrong usage, 130 interrupted. All work is done by the other modules.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.classifier import HRSNNClassifier
from hrsnn_rs.cli_data import add_data_commands
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.demo import demo_figures
from hrsnn_rs.doctor import open_dataset
from hrsnn_rs.encoding import EventEncoder
from hrsnn_rs.errors import HRSNNError, MissingDependencyError, ParameterError
from hrsnn_rs.experiment import compare, library_commit, summarize, verdict
from hrsnn_rs.metrics import accuracy, recall_of_classes
from hrsnn_rs.network import VARIANTS
from hrsnn_rs.presets import default_network
from hrsnn_rs.report import format_summary, write_report
from hrsnn_rs.systems import CONTROLS, Clips
from hrsnn_rs.terminal import Bar, aligned, is_watched, one_line, print_json, print_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from hrsnn_rs.events import Events
    from hrsnn_rs.samples import EventSamples

_DESCRIPTION = """\
Heterogeneous recurrent spiking neural networks that learn without labels.

Start with `hrsnn demo`: it makes gestures as an event camera would see them,
trains four variants of a network beside three controls, and says honestly
what came out. No download, a few minutes.
"""

_EXAMPLES = """\
examples:
  hrsnn demo                                   the whole story on made-up gestures
  hrsnn demo --data FOLDER --seeds 5           the same on your own clips
  hrsnn train gestures --model m.safetensors --groups 0 1 2 3
  hrsnn evaluate m.safetensors gestures --groups 4 5 --json
  hrsnn compare KTH --split train --cache      variants and controls on a data set
  hrsnn data doctor DvsGesture                 what is missing, and where to get it

FOLDER holds <class>/<n>.npz with arrays t (µs), x, y, p, or a data set as it was
unpacked: `hrsnn data doctor FOLDER` says which, and whether it is complete. The
word `gestures` stands for the built-in, rendered data set.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the program's name. `None` means those of the process.

    Returns
    -------
    int
        Exit code: 0 fine, 1 error, 2 wrong usage, 130 interrupted.

    Examples
    --------
    >>> from hrsnn_rs.cli import main
    >>> main(["--version"])
    hrsnn ...
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parser().parse_args(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    arguments.command_line = shlex.join(["hrsnn", *words])
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return int(arguments.run(arguments))
    except KeyboardInterrupt:
        folder = getattr(arguments, "checkpoint", None)
        hint = "" if folder is None else f"; the same command goes on from {folder}"
        print(f"hrsnn: interrupted{hint}", file=sys.stderr)
        return 130
    except (HRSNNError, OSError) as error:
        print(f"hrsnn: error: {one_line(error)}", file=sys.stderr)
    except Exception as error:
        kind = type(error).__name__
        print(f"hrsnn: failure: {kind}: {one_line(error)}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    """Describe commands and options."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="hrsnn", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=f"hrsnn {_hrsnn.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="compare the variants with the controls; a few minutes",
        description="Compare four variants of a network with three controls, over seeds.",
    )
    demo.add_argument("--data", metavar="FOLDER", default="gestures", help=_DATA_HELP)
    demo.add_argument(
        "--seeds", type=_positive, metavar="K", help="seeds 0 … K-1 (3; for a folder 5)"
    )
    demo.add_argument(
        "--neurons", type=_positive, metavar="N", help="neurons (500; for a folder 1000)"
    )
    demo.add_argument(
        "--subjects", type=_positive, default=12, metavar="S", help="made-up persons (12)"
    )
    demo.add_argument(
        "--report",
        metavar="HTML",
        help="page with tables and figures (report.html; with --json none)",
    )
    demo.set_defaults(run=_demo)

    train = commands.add_parser(
        "train",
        help="train a classifier and write it to a file",
        description="Train a network without labels, fit its readout, and save both.",
    )
    train.add_argument("data", metavar="DATA", help=_DATA_HELP)
    train.add_argument("--model", required=True, metavar="FILE", help="model to write")
    train.add_argument("--epochs", type=_count, default=1, metavar="E", help="passes (1)")
    train.add_argument(
        "--batch",
        type=_positive,
        default=1,
        metavar="K",
        help="clips that learn side by side, an approximation (1: one after the other)",
    )
    train.add_argument("--neurons", type=_positive, default=1000, metavar="N", help="(1000)")
    train.add_argument("--seed", type=_count, default=0, metavar="S", help="seed (0)")
    train.add_argument("--windows", type=_positive, default=4, metavar="K", help="windows (4)")
    train.add_argument("--groups", nargs="+", metavar="G", help="persons to train on (all)")
    train.add_argument(
        "--checkpoint", metavar="DIR", help="keep the state here; the same command goes on from it"
    )
    train.add_argument(
        "--checkpoint-every", type=_positive, metavar="N", help="samples (as many as take 30 s)"
    )
    train.set_defaults(run=_train)

    evaluate = commands.add_parser(
        "evaluate",
        help="evaluate a saved classifier",
        description="Evaluate a model file; says whether it has seen these persons or clips.",
    )
    evaluate.add_argument("model", metavar="MODEL", help="file that `hrsnn train` wrote")
    evaluate.add_argument("data", metavar="DATA", help=_DATA_HELP)
    evaluate.add_argument("--groups", nargs="+", metavar="G", help="persons to evaluate on (all)")
    evaluate.set_defaults(run=_evaluate)

    rows = commands.add_parser(
        "compare",
        help="measure the variants beside the controls on a data set",
        description="Measure four variants of a network and three controls on a data set, over "
        "seeds; validation is on persons that nothing was fitted to.",
    )
    rows.add_argument("data", metavar="DATA", help=_DATA_HELP)
    rows.add_argument("--seeds", type=_positive, default=3, metavar="K", help="seeds 0 … K-1 (3)")
    rows.add_argument("--neurons", type=_positive, default=1000, metavar="N", help="(1000)")
    rows.add_argument("--epochs", type=_count, default=1, metavar="E", help="passes (1)")
    rows.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    rows.add_argument("--controls", nargs="*", choices=CONTROLS, default=list(CONTROLS))
    rows.add_argument("--no-memory", action="store_true", help="leave out the memory task")
    rows.add_argument("--output", "-o", metavar="FILE", help="rows as Parquet")
    rows.set_defaults(run=_compare)

    add_data_commands(commands)

    for command in (train, evaluate, rows):
        command.add_argument("--split", metavar="S", help="official part, such as train (all)")
        command.add_argument(
            "--cache",
            nargs="?",
            const=True,
            metavar="FOLDER",
            help="keep what is decoded, in FOLDER or in the usual place",
        )
        command.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="option of the data set, such as fold=2 or damaged=warn; may be repeated",
        )
    for command in (demo, train, evaluate, rows):
        command.add_argument("--json", action="store_true", help="print JSON, no progress bar")
        command.add_argument("--threads", type=_positive, metavar="T", help="threads (all cores)")
    return parser


#: The word for the built-in data set.
GESTURES = "gestures"
_DATA_HELP = "folder of a data set (see `hrsnn data doctor`), or the word `gestures`"


def _demo(arguments: argparse.Namespace) -> int:
    """Compare, print a table and a sentence, and write the report."""
    dataset = (
        make_gestures(n_subjects=arguments.subjects, n_repeats=2, seed=0)
        if arguments.data == GESTURES
        else open_dataset(arguments.data)
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
        clips = Clips.of_dataset(dataset, name=_name(arguments.data), progress=bar)
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
    _print_rows(rows, arguments.json, report)
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    """Compare on a data set, and print or write the rows."""
    output = arguments.output and Path(arguments.output)
    if output and not output.absolute().parent.is_dir():
        raise ParameterError(f"--output must lie in a folder that exists; got {output}.")
    dataset = _dataset(arguments)
    with Bar(arguments.json) as bar:
        clips = Clips.of_dataset(dataset, name=_name(arguments.data), progress=bar)
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
    if output:
        rows.write_parquet(output)
    _print_rows(rows, arguments.json, None)
    return 0


def _print_rows(rows: pl.DataFrame, is_json: bool, report: str | None) -> None:
    """Print what the rows of a comparison say."""
    summary = summarize(rows)
    if is_json:
        differences = {metric: gap.to_dict() for metric, gap in summary.differences.items()}
        print_json(
            {
                "rows": rows.to_dicts(),
                "summary": summary.table.to_dicts(),
                "differences": differences,
                "verdict": verdict(rows),
                "report": report,
            }
        )
        return
    print(aligned(format_summary(rows)))
    print()
    print(verdict(rows))
    for metric, gap in summary.differences.items():
        print(f"HeNHeS minus HoNHoS, {metric}, paired by seed: {gap}")
    if report is not None:
        print(f"Report: {report}")


def _train(arguments: argparse.Namespace) -> int:
    """Fit a classifier on a data set and save it."""
    dataset = _dataset(arguments)
    chosen, groups = _chosen(dataset, arguments.groups)
    names = _names(dataset, chosen)
    model = Path(arguments.model)
    if not model.absolute().parent.is_dir():
        raise ParameterError(f"--model must lie in a folder that exists; got {model}.")
    first, _ = dataset[chosen[0]]
    encoder = EventEncoder(height=first.height, width=first.width)
    classifier = HRSNNClassifier(
        network=default_network(
            encoder.n_channels, n_neurons=arguments.neurons, seed=arguments.seed
        ),
        encoder=encoder,
        n_windows=arguments.windows,
        epochs=arguments.epochs,
        batch=arguments.batch,
        seed=arguments.seed,
        n_threads=arguments.threads,
        progress=is_watched(arguments.json),
        checkpoint=arguments.checkpoint,
        checkpoint_every=arguments.checkpoint_every,
    )
    events = _encoded(dataset, chosen, encoder, arguments.json)
    classifier.fit(events, names, groups=groups)
    classifier.save(
        model,
        metadata={
            "dataset": _name(arguments.data),
            "command": arguments.command_line,
            "version": _hrsnn.__version__,
            "commit": library_commit(),
        },
    )
    row = {
        "model": str(model),
        "dataset": _name(arguments.data),
        "n_samples": len(events),
        "n_classes": len(classifier.classes_),
        "groups": classifier.groups_,
        "n_neurons": classifier.network_.n_neurons,
        "n_synapses": classifier.network_.n_synapses,
        "gain": classifier.network_.input_gain,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
    }
    print_row(row, arguments.json)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    """Load a classifier and say how well it does on a data set."""
    classifier = HRSNNClassifier.load(arguments.model)
    classifier.n_threads = arguments.threads
    dataset = _dataset(arguments)
    chosen, groups = _chosen(dataset, arguments.groups)
    names = _names(dataset, chosen)
    encoder = classifier.encoder_
    if not isinstance(encoder, EventEncoder):
        raise ParameterError(f"MODEL must have an encoder of sensor events; got {encoder!r}.")
    events = _encoded(dataset, chosen, encoder, arguments.json)
    features = classifier.window_features(events)
    predicted = classifier.readout_.predict(features)
    known_groups = set(map(str, classifier.groups_)) & set(map(str, groups.tolist()))
    same_dataset = classifier.notes_.get("dataset") == _name(arguments.data)
    n_seen = int(classifier.seen(events).sum())
    row = {
        "model": arguments.model,
        "dataset": _name(arguments.data),
        "n_samples": len(events),
        "groups": np.unique(groups).tolist(),
        "split_warning": _leak(dataset, n_seen, known_groups if same_dataset else set()),
        "accuracy": accuracy(names, predicted.astype(str)),
        "recall": {
            line["label"]: line["recall"]
            for line in recall_of_classes(names, predicted.astype(str)).to_dicts()
        },
        "unknown_classes": sorted(set(names.tolist()) - set(map(str, classifier.classes_))),
        "spikes_per_sample": float(features.sum() / len(events)),
        "seen_in_training": n_seen > 0 or (same_dataset and bool(known_groups)),
        "n_seen_in_training": n_seen,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
    }
    print_row(row, arguments.json)
    return 0


def _leak(dataset: EventSamples, n_seen: int, shared: set[str]) -> str | None:
    """Say why a model may know these clips or persons already."""
    if n_seen:
        return f"{n_seen} of these clips were trained on"
    if shared and dataset.subjects_known:
        return f"{len(shared)} of these persons were trained on"
    if not dataset.subjects_known:
        return "the split may leak: it is not recorded who is in a clip"
    said: str | None = getattr(dataset, "split_warning", None)
    return said


def _encoded(dataset: Any, chosen: list[int], encoder: EventEncoder, is_json: bool) -> list[Events]:
    """Encode the chosen clips behind a progress bar."""
    with Bar(is_json) as bar:
        events = []
        for done, index in enumerate(chosen):
            bar(done, len(chosen), "encoding")
            events.append(encoder(dataset[index][0]))
    return events


def _dataset(arguments: argparse.Namespace) -> EventSamples:
    """Open a folder with its options, or make the built-in gestures."""
    options: dict[str, Any] = {}
    for word in arguments.option:
        name, is_given, value = word.partition("=")
        if not is_given or not name.isidentifier():
            raise ParameterError(f"--option must be NAME=VALUE; got {word}.")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    if arguments.cache is not None:
        options["cache"] = arguments.cache
    if arguments.data != GESTURES:
        return open_dataset(arguments.data, arguments.split, **options)
    for name in ("split", "cache", "option"):
        if getattr(arguments, name):
            raise ParameterError(f"--{name} must be left out for {GESTURES}.")
    return make_gestures(n_subjects=12, n_repeats=2, seed=0)


def _name(word: str) -> str:
    return word if word == GESTURES else Path(word).resolve().name


def _chosen(
    dataset: EventSamples, groups: list[str] | None
) -> tuple[list[int], np.ndarray[Any, Any]]:
    """Give places and groups of the clips whose group was asked for."""
    words = dataset.groups.astype(str)
    if groups is None:
        return list(range(len(dataset))), dataset.groups
    for group in groups:
        if group not in words:
            known = ", ".join(map(str, np.unique(dataset.groups)))
            raise ParameterError(f"--groups must be of {known}; got {group}.")
    chosen = np.flatnonzero(np.isin(words, groups))
    return chosen.tolist(), dataset.groups[chosen]


def _names(dataset: EventSamples, chosen: list[int]) -> np.ndarray[Any, Any]:
    """Give class names, so that a model fits folders whose order of classes differs."""
    names: np.ndarray[Any, Any] = np.array(dataset.classes)[dataset.labels[chosen]]
    return names


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative; got {text}")
    return number


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"hrsnn: warning: {' '.join(str(message).split())}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())

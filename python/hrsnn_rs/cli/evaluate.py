"""`hrsnn evaluate`: how well a saved classifier does, and whether it has seen these persons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.cli.options import (
    DATA_HELP,
    add_common_options,
    add_data_options,
    chosen_clips,
    class_names,
    data_name,
    encoded,
    open_data,
)
from hrsnn_rs.cli.terminal import print_row, readable
from hrsnn_rs.encoding import SensorEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import (
    HRSNNClassifier,
    accuracy,
    early_recognition,
    library_commit,
    recall_of_classes,
)

if TYPE_CHECKING:
    import argparse

    from hrsnn_rs.datasets import EventSamples


DESCRIPTION = "Evaluate a model file; says whether it has seen these persons or clips."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="file that `hrsnn train` wrote")
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--groups", nargs="+", metavar="G", help="persons to evaluate on (all)")
    parser.add_argument(
        "--early",
        action="store_true",
        help="also the accuracy where only 10, 20 ... 90 percent of each clip have been seen",
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Load a classifier and say how well it does on a data set."""
    readable("MODEL", Path(arguments.model), "a file that `hrsnn train` wrote")
    classifier = HRSNNClassifier.load(arguments.model)
    classifier.n_threads = arguments.threads
    dataset = open_data(arguments)
    chosen, groups = chosen_clips(dataset, arguments.groups)
    names = class_names(dataset, chosen)
    encoder = classifier.encoder_
    if not isinstance(encoder, SensorEncoder):
        raise ParameterError(f"MODEL must have an encoder of sensor events; got {encoder!r}.")
    events = encoded(dataset, chosen, encoder, arguments.json)
    features, stats = classifier.window_features_with_stats(events)
    predicted = classifier.readout_.predict(features)
    persons = [] if groups is None else np.unique(groups).tolist()
    known_groups = set(map(str, classifier.groups_)) & set(map(str, persons))
    same_dataset = classifier.notes_.get("dataset") == data_name(arguments.data)
    n_seen = int(classifier.seen(events).sum())
    row = {
        "model": arguments.model,
        "dataset": data_name(arguments.data),
        "n_samples": len(events),
        "subjects_known": dataset.subjects_known,
        "groups": persons,
        "split_warning": _leak(dataset, n_seen, known_groups if same_dataset else set()),
        "accuracy": accuracy(names, predicted.astype(str)),
        "recall": {
            line["label"]: line["recall"]
            for line in recall_of_classes(names, predicted.astype(str)).to_dicts()
        },
        "unknown_classes": sorted(set(names.tolist()) - set(map(str, classifier.classes_))),
        "spikes_per_sample": sum(one.n_spikes for one in stats) / len(events),
        "seen_in_training": n_seen > 0 or (same_dataset and bool(known_groups)),
        "n_seen_in_training": n_seen,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
    }
    if arguments.early:
        clips = (dataset[index][0] for index in chosen)
        table = early_recognition(classifier, clips, names)
        row["early"] = {
            f"{100 * share:.0f} %": right
            for share, right in table.select("share", "accuracy").iter_rows()
        }
    print_row(row, arguments.json)
    return 0


def _leak(dataset: EventSamples, n_seen: int, shared: set[str]) -> str | None:
    """Say why a model may know these clips or persons already."""
    if n_seen:
        return f"{n_seen} of these clips were trained on"
    if shared:
        return f"{len(shared)} of these persons were trained on"
    if not dataset.subjects_known:
        return "the split may leak: it is not recorded who is in a clip"
    said: str | None = getattr(dataset, "split_warning", None)
    return said

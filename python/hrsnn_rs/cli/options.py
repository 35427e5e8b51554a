"""Arguments that several commands share, and what becomes of them: the data set and its clips."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.cli.terminal import Bar
from hrsnn_rs.datasets import make_gestures, open_dataset
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from hrsnn_rs.datasets import EventSamples
    from hrsnn_rs.encoding import SensorEncoder
    from hrsnn_rs.events import Events

#: The word for the built-in data set.
GESTURES = "gestures"
DATA_HELP = "folder of a data set (see `hrsnn data doctor`), or the word `gestures`"


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Describe how a data set is opened."""
    parser.add_argument("--split", metavar="S", help="official part, such as train (all)")
    parser.add_argument(
        "--cache",
        nargs="?",
        const=True,
        metavar="FOLDER",
        help="keep what is decoded, in FOLDER or in the usual place",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the data set, such as fold=2 or damaged=warn; may be repeated",
    )


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Describe what every command that computes can be told."""
    parser.add_argument("--json", action="store_true", help="print JSON, no progress bar")
    parser.add_argument("--threads", type=positive, metavar="T", help="threads (all cores)")


def encoded(dataset: Any, chosen: list[int], encoder: SensorEncoder, is_json: bool) -> list[Events]:
    """Encode the chosen clips behind a progress bar."""
    with Bar(is_json) as bar:
        events = []
        for done, index in enumerate(chosen):
            bar(done, len(chosen), "encoding")
            events.append(encoder(dataset[index][0]))
    return events


def open_data(arguments: argparse.Namespace) -> EventSamples:
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


def data_name(word: str) -> str:
    """Name a data set as its folder is named."""
    return word if word == GESTURES else Path(word).resolve().name


def chosen_clips(
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


def class_names(dataset: EventSamples, chosen: list[int]) -> np.ndarray[Any, Any]:
    """Give class names, so that a model fits folders whose order of classes differs."""
    names: np.ndarray[Any, Any] = np.array(dataset.classes)[dataset.labels[chosen]]
    return names


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number


def count(text: str) -> int:
    """Read a whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative; got {text}")
    return number

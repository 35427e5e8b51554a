"""Arguments that several commands share, and what becomes of them: the data set and its clips."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.cli.terminal import Bar
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.datasets.doctor import opened, options_of, recognise
from hrsnn_rs.datasets.walk import natural
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning.clips import encoded_clip

if TYPE_CHECKING:
    from hrsnn_rs.datasets import EventSamples, Inspection
    from hrsnn_rs.encoding import SensorEncoder

_WANTED = {
    "int": "a whole number",
    "bool": "true or false",
    "tuple[int, int]": "rows and columns, such as 120x160,",
    "None": "none",
}
#: The word for the built-in data set.
GESTURES = "gestures"
DATA_HELP = "folder of a data set (see `hrsnn data doctor`), or the word `gestures`"


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Describe how a data set is opened."""
    parser.add_argument("--split", metavar="S", help="official part, such as train (all)")
    parser.add_argument(
        "--cache",
        type=_folder,
        nargs="?",
        const=True,
        metavar="FOLDER",
        help="keep what is decoded, in FOLDER or in the usual place",
    )
    add_option(parser)


def add_option(parser: argparse.ArgumentParser) -> None:
    """Describe the options of data sets."""
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the data set, such as fold=2, frame_size=120x160 or subject='^([a-z]+)_' "
        "(a pattern that finds the person in the name of a file); may be repeated",
    )


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Describe what every command that computes can be told."""
    parser.add_argument("--json", action="store_true", help="print JSON, no progress bar")
    parser.add_argument("--threads", type=positive, metavar="T", help="threads (all cores)")


def encoded(dataset: Any, chosen: list[int], encoder: SensorEncoder, is_json: bool) -> EventStore:
    """Encode the chosen clips behind a progress bar."""
    with Bar(is_json) as bar:
        events = EventStore()
        for done, index in enumerate(chosen):
            bar(done, len(chosen), "encoding")
            events.append(encoded_clip(dataset, index, dataset[index][0], encoder))
    return events


def open_data(arguments: argparse.Namespace) -> EventSamples:
    """Open a folder with its options, or make the built-in gestures."""
    if arguments.data == GESTURES:
        for name in ("split", "cache", "option"):
            if getattr(arguments, name):
                raise ParameterError(f"--{name} must be left out for {GESTURES}.")
        return make_gestures(n_subjects=12, n_repeats=2, seed=0)
    answer = recognise(arguments.data)
    options = typed_options(answer, arguments.option)
    if arguments.cache is not None:
        options["cache"] = arguments.cache
    return opened(answer, arguments.split, **options)


def options_for(folder: str, words: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE as the data set in a folder takes it."""
    return typed_options(recognise(folder), words) if words else {}


def typed_options(answer: Inspection, words: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE as the data set that was found takes it."""
    known = options_of(answer)
    options: dict[str, Any] = {}
    for word in words:
        name, is_given, value = word.partition("=")
        if not is_given or not name.isidentifier():
            raise ParameterError(f"--option must be NAME=VALUE; got {word}.")
        if known and name not in known:
            raise ParameterError(
                f"--option must be of {', '.join(known)} for {answer.dataset}; got {name}."
            )
        options[name] = _typed(name, value, known.get(name, "str").split(" | "))
    return options


def _typed(name: str, value: str, kinds: list[str]) -> Any:
    """Read a value as the first of some types, as Python writes them, that takes it."""
    word = value.lower()
    if "None" in kinds and word == "none":
        return None
    if "bool" in kinds and word in ("true", "false"):
        return word == "true"
    if "str" in kinds:
        return value
    if "int" in kinds and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        return int(value)
    sides = re.fullmatch(r"([0-9]{1,9})[x,]([0-9]{1,9})", word.strip("()[]").replace(" ", ""))
    if "tuple[int, int]" in kinds and sides:
        return int(sides[1]), int(sides[2])
    wanted = " or ".join(_WANTED[kind] for kind in kinds if kind in _WANTED)
    raise ParameterError(f"--option {name} must be {wanted}; got {value}.")


def data_name(word: str) -> str:
    """Name a data set as its folder is named."""
    return word if word == GESTURES else Path(word).resolve().name


def chosen_clips(
    dataset: EventSamples, groups: list[str] | None
) -> tuple[list[int], np.ndarray[Any, Any] | None]:
    """Give places of the clips of the persons asked for, and who they are, if anybody knows."""
    persons = dataset.subjects if dataset.subjects_known else None
    if groups is None:
        return list(range(len(dataset))), persons
    if persons is None:
        warning = getattr(dataset, "split_warning", None) or "nothing says who is in a clip"
        raise ParameterError(f"--groups must be left out: {warning}.")
    words = persons.astype(str)
    for group in groups:
        if group not in words:
            known = ", ".join(sorted(set(words.tolist()), key=natural))
            raise ParameterError(f"--groups must be of {known}; got {group}.")
    chosen = np.flatnonzero(np.isin(words, groups))
    return chosen.tolist(), persons[chosen]


def class_names(dataset: EventSamples, chosen: list[int]) -> np.ndarray[Any, Any]:
    """Give class names, so that a model fits folders whose order of classes differs."""
    names: np.ndarray[Any, Any] = np.array(dataset.classes)[dataset.labels[chosen]]
    return names


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number


def count(text: str) -> int:
    """Read a whole number of at least 0."""
    number = _whole(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative; got {text}")
    return number


def above_zero(text: str) -> float:
    """Read a finite number greater than 0."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number; got {text}") from None
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be greater than 0; got {text}")
    return number


def _folder(text: str) -> str:
    """Read a name, which an empty one is not: that would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("must be a folder, or have no name after it; got ''")
    return text


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; got {text}") from None

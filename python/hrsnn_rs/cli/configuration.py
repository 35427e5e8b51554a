"""Options of a command from a file: `hrsnn compare DATA --config study.toml`.

A TOML file names options as the command line does, without dashes before them; what stands on the
command line wins. `--print-config` writes down all that a command would go by, as such a file.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Options that say where the others come from or go, or stop the command.
_OUTSIDE = {"config", "print_config", "help"}


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Describe where options may come from."""
    parser.add_argument("--config", metavar="FILE", help="TOML file of options; those given win")
    parser.add_argument(
        "--print-config",
        action="store_true",
        help="print all options that are in force as such a file, and stop",
    )


def take_defaults(parser: argparse.ArgumentParser, words: Sequence[str]) -> dict[str, Any]:
    """Make what the file behind `--config` says the defaults of a command's options.

    Returned is what it says of options that exclude each other: `take_alternatives` takes it.
    """
    alternatives: dict[str, Any] = {}
    path = _named(words)
    if path is None:
        return alternatives
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        parser.error(f"--config: {path} must be a TOML file that can be read: {error}")
    known = dict(_options(parser))
    grouped = [one for group in parser._mutually_exclusive_groups for one in group._group_actions]
    for name, value in content.items():
        action = known.get(name.replace("_", "-"))
        if action is None:
            parser.error(f"--config: {path} must name options of {parser.prog}; got {name!r}")
        try:
            read = _value(action, value)
        except (argparse.ArgumentTypeError, TypeError, ValueError) as error:
            parser.error(f"--config: {name} in {path}: {error}")
        if action in grouped:
            alternatives[action.dest] = read
        else:
            parser.set_defaults(**{action.dest: read})
        action.required = False
    return alternatives


def take_alternatives(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, said: dict[str, Any]
) -> None:
    """Take what a file says of options that exclude each other, where none of them was given."""
    for group in parser._mutually_exclusive_groups:
        actions = group._group_actions
        if any(getattr(arguments, one.dest) != one.default for one in actions):
            continue
        taken = [one for one in actions if said.get(one.dest) is not None]
        if len(taken) > 1:
            names = " and ".join(one.option_strings[0] for one in taken)
            parser.error(f"--config: only one may be given of {names}")
        vars(arguments).update((one.dest, said[one.dest]) for one in taken)


def written(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """Return the options in force as TOML; those that are not set are left out."""
    lines = []
    for name, action in _options(parser):
        value = getattr(arguments, action.dest)
        if value is None:
            continue
        # JSON's numbers, truth values, strings and lists are TOML's too.
        value = list(map(str, value)) if isinstance(value, (list, tuple)) else value
        lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines)


def _named(words: Sequence[str]) -> str | None:
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--config")
    try:
        found: str | None = finder.parse_known_args(list(words))[0].config
    except argparse.ArgumentError:  # without a value: the command itself says so
        return None
    return found


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if action.option_strings and action.dest not in _OUTSIDE:
            longest = max(action.option_strings, key=len)
            yield longest.removeprefix("--"), action


def _value(action: argparse.Action, value: Any) -> Any:
    """Return what the option would be if its words stood on the command line."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false; got {value!r}")
        return value
    if isinstance(action, argparse._AppendAction):
        if isinstance(value, dict):
            value = [f"{key}={_word(one)}" for key, one in value.items()]
        return [_word(one) for one in _listed(value)]
    if action.nargs == "?" and isinstance(value, bool):
        return action.const if value else None
    if action.nargs in ("*", "+"):
        if value == [] and action.nargs == "+":
            raise ValueError("must not be empty")
        return [_converted(action, one) for one in _listed(value)]
    return _converted(action, value)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list; got {value!r}")
    return value


def _word(value: Any) -> str:
    """Return a value as the command line would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"must be a string or a number; got {value!r}")
    return str(value)


def _converted(action: argparse.Action, value: Any) -> Any:
    word = _word(value)
    read = action.type(word) if callable(action.type) else word
    if action.choices is not None and read not in action.choices:
        names = ", ".join(map(str, action.choices))
        raise ValueError(f"must be one of {names}; got {value!r}")
    return read

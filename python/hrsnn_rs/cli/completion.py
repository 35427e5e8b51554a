"""Completion by the shell: `hrsnn --print-completion bash` prints what a shell has to be told.

Written by shtab from the commands' own descriptions, which are loaded for it.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from hrsnn_rs.cli.configuration import add_config_options
from hrsnn_rs.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Shells that are known.
SHELLS = ("bash", "zsh", "tcsh")
#: Words for arguments that are completed by files and by folders.
_FILES = {"FILE", "HTML", "MODEL", "PNG"}
_FOLDERS = {"DATA", "DIR", "FOLDER", "PATH"}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what a shell is to be told.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        That of `hrsnn`, whose commands are still without arguments. Changed: they get theirs.
    shell : {"bash", "zsh", "tcsh"}
        Whose language it is written in.

    Returns
    -------
    str
        A script, to be kept where the shell looks for completions.

    Raises
    ------
    MissingDependencyError
        If shtab is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise MissingDependencyError(
            '--print-completion needs shtab: pip install "hrsnn_rs[cli]"'
        ) from None
    for name, command in _commands(parser):
        of_command = import_module(f"hrsnn_rs.cli.{name}")
        of_command.add_arguments(command)
        if hasattr(of_command, "run"):
            add_config_options(command)
    _say_what_is_a_file(parser, shtab.FILE, shtab.DIRECTORY)
    written: str = shtab.complete(parser, shell=shell)
    return written


def _commands(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _say_what_is_a_file(parser: argparse.ArgumentParser, file: object, folder: object) -> None:
    for action in parser._actions:
        if action.metavar in _FILES:
            action.complete = file  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = folder  # type: ignore[attr-defined]
    for _, command in _commands(parser):
        _say_what_is_a_file(command, file, folder)

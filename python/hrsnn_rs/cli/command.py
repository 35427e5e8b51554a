"""The command `hrsnn`: its subcommands, and what becomes of errors.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 an error that is told in
one line, 2 wrong usage, 130 interrupted (143 by SIGTERM, 129 by SIGHUP), 141 nobody reads on
(`hrsnn ... | head`). A subcommand is a file of this folder, loaded when it is the one that was
asked for: `add_arguments`, `DESCRIPTION` and `run`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shlex
import signal
import sys
import threading
import warnings
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hrsnn_rs import _hrsnn
from hrsnn_rs.cli.terminal import one_line
from hrsnn_rs.errors import HRSNNError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "demo": "compare the variants with the controls; a few minutes",
    "train": "train a classifier and write it to a file",
    "evaluate": "evaluate a saved classifier",
    "live": "let a model work on events as they come",
    "compare": "measure the variants beside the controls on a data set",
    "experiment": "show on a task where heterogeneity pays",
    "search": "search laws of a network's parameters",
    "data": "look at folders of recordings",
}
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
  hrsnn live m.safetensors clip.npz            scores every 50 ms, at the clip's own pace
  hrsnn compare KTH --cache -o rows.parquet    variants and controls, each person left out
  hrsnn experiment interval -o rows.parquet    a law of time constants against the best one
  hrsnn search KTH -o study.db --test-groups 8 9      laws that do well on left-out persons
  hrsnn compare KTH --config study.toml        options from a file; --print-config writes one
  hrsnn data doctor DvsGesture                 what is missing, and where to get it

FOLDER holds <class>/<clip>.npz with arrays t (µs), x, y, p, or a data set as it was
unpacked: `hrsnn data doctor FOLDER` says which, and whether it is complete. The
word `gestures` stands for the built-in, rendered data set.
"""


class _Parser(argparse.ArgumentParser):
    """A parser to which options are written in full, and that says when it could not print."""

    def __init__(self, **settings: Any) -> None:
        # What looks for `--config` before a command is parsed must see what the parser sees.
        super().__init__(**settings, allow_abbrev=False)

    def _print_message(self, message: str, file: Any = None) -> None:
        # That of argparse lets a full disk pass for success.
        if message:
            (file or sys.stderr).write(message)


class _Subcommand(_Parser):
    """A subcommand whose file is loaded once its arguments are to be read."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        name = self.prog.partition(" ")[2]
        if name in _COMMANDS:
            of_command = import_module(f"hrsnn_rs.cli.{name}")
            self.description = of_command.DESCRIPTION
            of_command.add_arguments(self)
            if hasattr(of_command, "run"):
                self.set_defaults(run=of_command.run)
                return self._parse_configured(args, namespace)
        return super().parse_known_args(args, namespace)

    def _parse_configured(self, args: Any, namespace: Any) -> Any:
        """Parse with a file's options as defaults; print those in force, if that is asked for."""
        configuration = import_module("hrsnn_rs.cli.configuration")
        configuration.add_config_options(self)
        alternatives = configuration.take_defaults(self, args)
        parsed, rest = super().parse_known_args(args, namespace)
        configuration.take_alternatives(self, parsed, alternatives)
        if parsed.print_config:
            if rest:
                self.error(f"unrecognized arguments: {' '.join(rest)}")
            print(configuration.written(self, parsed), end="")
            self.exit()
        return parsed, rest


class _PrintCompletion(argparse.Action):
    """Print a script for a shell, and stop; what writes it is loaded then."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: Any = None
    ) -> None:
        completion = import_module("hrsnn_rs.cli.completion")
        if values not in completion.SHELLS:
            shells = ", ".join(completion.SHELLS)
            raise argparse.ArgumentError(self, f"must be one of {shells}; got {values!r}")
        try:
            print(completion.script(parser, values))
        except HRSNNError as error:
            parser.exit(1, f"hrsnn: error: {one_line(error)}\n")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the program's name. `None` means those of the process.

    Returns
    -------
    int
        Exit code: 0 fine, 1 error, 2 wrong usage, 130 interrupted (143 by SIGTERM, 129 by
        SIGHUP), 141 nobody reads on.

    Examples
    --------
    >>> from hrsnn_rs.cli import main
    >>> main(["--version"])
    hrsnn ...
    0
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot write "±" must not cost the results.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    code = 0
    try:
        code = _answer(list(sys.argv[1:] if argv is None else argv))
        # What is still held back meets a closed pipe or a full disk here, and not at Python's end.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BrokenPipeError:
        _stop_writing()
        return 141
    except OSError as error:
        if not code:
            _tell(f"error: {one_line(error)}")
        _stop_writing()
        return code or 1
    return code


def _answer(words: list[str]) -> int:
    """Run a command, and tell its errors."""
    arguments = argparse.Namespace()
    with _Ends() as ends:
        try:
            # Much is loaded along the way.
            arguments = _parser().parse_args(words)
            arguments.command_line = shlex.join(["hrsnn", *words])
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return int(arguments.run(arguments))
        except SystemExit as stop:
            return int(stop.code or 0)
        except KeyboardInterrupt:
            folder = getattr(arguments, "checkpoint", None)
            hint = "" if folder is None else f"; the same command goes on from {folder}"
            _tell(f"interrupted{hint}")
            return 128 + ends.number
        except BrokenPipeError:
            raise
        except (HRSNNError, OSError) as error:
            _tell(f"error: {one_line(error)}")
        except Exception as error:
            _tell(f"failure: {type(error).__name__}: {one_line(error)}")
    return 1


class _Ends(AbstractContextManager["_Ends"]):
    """SIGTERM and SIGHUP end a command as Ctrl-C does, unless somebody else has settled that."""

    def __init__(self) -> None:
        #: What the command was ended by.
        self.number = int(signal.SIGINT)
        self._mine: list[signal.Signals] = []

    def __enter__(self) -> _Ends:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGHUP"):
                one = getattr(signal, name, None)  # Windows has no SIGHUP.
                if one is not None and signal.getsignal(one) is signal.SIG_DFL:
                    signal.signal(one, self._answer)
                    self._mine.append(one)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._mine:
            signal.signal(one, signal.SIG_DFL)

    def _answer(self, number: int, _: Any) -> None:
        self.number = number
        raise KeyboardInterrupt


def _tell(words: str) -> None:
    """Say how a command ended, if there is still somebody to say it to."""
    try:
        print(f"hrsnn: {words}", file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError:  # as of a terminal that was hung up
        pass


def _stop_writing() -> None:
    """Send what is left to nowhere: Python would complain about a closed pipe when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="hrsnn", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"hrsnn {_hrsnn.__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        metavar="SHELL",
        help="print what bash, zsh or tcsh needs to complete commands and options",
    )
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_Subcommand
    )
    for name, words in _COMMANDS.items():
        commands.add_parser(name, help=words)
    return parser


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"hrsnn: warning: {' '.join(str(message).split())}", file=sys.stderr)

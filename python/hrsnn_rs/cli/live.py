"""`hrsnn live`: a model at work on a recording at its own pace, or on events from a pipe."""

from __future__ import annotations

import signal
import sys
import threading
import time
import warnings
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.cli.live_view import Bars, Lines, View
from hrsnn_rs.cli.options import above_zero, add_common_options
from hrsnn_rs.cli.terminal import readable, writable
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.learning import HRSNNClassifier, LiveStream
from hrsnn_rs.learning.live import MOST_JUMP
from hrsnn_rs.recordings import read_events
from hrsnn_rs.recordings.event_pipe import FORMS, pieces_of_pipe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from hrsnn_rs.events import SensorEvents

#: Seconds; no system can be asked to wait for much longer.
_LONGEST_WAIT = 1e9

DESCRIPTION = """\
Let a model work on events as they come: a recording, played at its own pace, or
a pipe (-). Prints the scores of the classes every 50 ms: bars in a terminal, a
line each elsewhere, JSON with --json.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="file that `hrsnn train` wrote")
    parser.add_argument(
        "source", metavar="FILE", help="recording (.npz, .aedat ...), or - for standard input"
    )
    parser.add_argument(
        "--form",
        choices=FORMS,
        default="csv",
        help="what a pipe holds: lines t,x,y,p (µs, column, row, 0 or 1), or records of 16 bytes: "
        "int64 t, uint16 x and y, uint8 p, 3 of padding (csv)",
    )
    parser.add_argument(
        "--speed",
        type=above_zero,
        default=1.0,
        metavar="N",
        help="play a recording so many times as fast as it was; 1e6: as fast as it goes (1)",
    )
    parser.add_argument(
        "--chunk",
        type=above_zero,
        default=10.0,
        metavar="MS",
        help="ms of a recording at a time (10)",
    )
    parser.add_argument(
        "--every", type=above_zero, metavar="MS", help="ms from score to score (50)"
    )
    parser.add_argument(
        "--window",
        type=above_zero,
        metavar="MS",
        help="how much of the past a score looks at (as long as training samples were)",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="where to keep the stream's state"
    )
    parser.add_argument("--resume", metavar="FILE", help="state from which the stream goes on")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Feed a stream and show its scores."""
    _name_idle(arguments)
    if arguments.save is not None:
        writable("--save", arguments.save)
    readable("MODEL", Path(arguments.model), "a file that `hrsnn train` wrote")
    if arguments.source != "-":
        readable("FILE", Path(arguments.source), "a recording, or -")
    if arguments.resume is not None:
        readable("--resume", Path(arguments.resume), "a file that --save wrote")
    classifier = HRSNNClassifier.load(arguments.model)
    classifier.n_threads = arguments.threads
    if arguments.resume is None:
        stream = classifier.stream(every=arguments.every or 50.0, window=arguments.window)
    else:
        for name in ("every", "window"):
            if getattr(arguments, name) is not None:
                raise ParameterError(f"--{name} must be left out where --resume says it.")
        stream = LiveStream.load(arguments.resume, classifier)
    is_watched = not arguments.json and sys.stdout.isatty()
    view: View = Bars() if is_watched else Lines(is_json=arguments.json)
    try:
        with view, _Patience() as patience:
            for chunk, until, due in _chunks(arguments, stream, patience):
                view.show(stream, chunk, until, due)
                patience.check()
    except KeyboardInterrupt:
        with suppress(OSError):  # The terminal may have gone.
            view.sum_up()
        raise
    finally:
        # Within a chunk it is never interrupted, unless somebody insists.
        if arguments.save is not None and stream.is_whole:
            stream.save(arguments.save)
    view.sum_up()
    return 0


def _name_idle(arguments: argparse.Namespace) -> None:
    """Name the options that are of the other kind of source."""
    usual: dict[str, Any] = {"form": "csv"}
    why = "a recording's name says what it holds"
    if arguments.source == "-":
        usual = {"speed": 1.0, "chunk": 10.0}
        why = "a pipe gives its events at its own pace"
    idle = [f"--{name}" for name, value in usual.items() if getattr(arguments, name) != value]
    if idle:
        words = f"{' and '.join(idle)} {'are' if len(idle) > 1 else 'is'} of no effect: {why}"
        warnings.warn(words, UserWarning, stacklevel=2)


class _Patience(AbstractContextManager["_Patience"]):
    """Ctrl-C ends waiting at once, and work after the chunk; a second one ends work too.

    So does whatever else ends a command, such as SIGTERM.
    """

    def __init__(self) -> None:
        self._is_waiting = False
        #: The signal that asked for an end.
        self._asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Patience:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                one = getattr(signal, name, None)  # Windows has no SIGHUP.
                # What is ignored, or ends the process, is so by somebody's wish.
                if one is not None and callable(before := signal.getsignal(one)):
                    self._before[one] = before
                    signal.signal(one, self._answer)
        return self

    def __exit__(self, *_: object) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)

    def _answer(self, number: int, frame: Any) -> None:
        if self._is_waiting or self._asked is not None:
            self._before[number](number, frame)
        self._asked = number

    def check(self) -> None:
        """Stop if that was asked for meanwhile."""
        if self._asked is not None:
            self._before[self._asked](self._asked, None)

    def wait(self, step: Any) -> Any:
        """Wait for what `step` waits for."""
        self._is_waiting = True
        try:
            self.check()
            return step()
        finally:
            self._is_waiting = False


def _chunks(
    arguments: argparse.Namespace, stream: LiveStream, patience: _Patience
) -> Iterator[tuple[Any, int | None, float | None]]:
    """Give chunk after chunk: its events, until when it goes, and when it was due."""
    encoder = stream.classifier.encoder_
    if arguments.source == "-":
        pieces = pieces_of_pipe(
            sys.stdin.buffer,
            encoder.height,
            encoder.width,
            form=arguments.form,
            since=stream.t or None,
            most_jump=MOST_JUMP,
        )
        try:
            while (piece := patience.wait(lambda: next(pieces, None))) is not None:
                yield piece, None, None
        except FormatError as error:
            raise FormatError(f"standard input: {error}") from None
        return
    events = read_events(arguments.source)
    if (events.height, events.width) != (encoder.height, encoder.width):
        raise ParameterError(
            f"FILE must come from a sensor of {encoder.height} x {encoder.width}, as the model's "
            f"training samples did; got {events.height} x {events.width}."
        )
    yield from _played(events, stream.t, arguments, patience)


def _played(
    events: SensorEvents, since: int, arguments: argparse.Namespace, patience: _Patience
) -> Iterator[tuple[Any, int, float]]:
    """Play a recording from a time on: no chunk comes before its time."""
    # A longer chunk is the whole recording, as is a slower one an endless wait.
    step = max(round(min(1000.0 * arguments.chunk, float(max(events.duration, 1)))), 1)
    if 0 < events.duration <= since:
        raise ParameterError(
            f"FILE must last longer than the {since} µs that --resume goes on from, on the same "
            f"clock; got {events.duration} µs."
        )
    first = max(int(events.t[0]) if len(events) else 0, since)
    begin = time.perf_counter()
    for start in range(first, events.duration, step):
        until = min(start + step, events.duration)
        inside = slice(*np.searchsorted(events.t, [start, until]))
        due = begin + (until - first) / 1e6 / arguments.speed
        pause = due - time.perf_counter()
        if pause > 0.0:
            patience.wait(lambda pause=pause: time.sleep(min(pause, _LONGEST_WAIT)))
        columns = (events.t, events.x, events.y, events.p)
        yield tuple(column[inside] for column in columns), until, due

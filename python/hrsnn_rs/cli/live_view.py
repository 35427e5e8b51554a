"""What people and machines see of a live stream.

Lives here: bars in a terminal, lines, JSON, and the numbers at the end. Not here: what the scores
are (`learning.live`), and where the events come from (`live`). Invariant: scores go to stdout, the
summary to stderr.
"""

from __future__ import annotations

import shutil
import sys
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.cli.terminal import print_json
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from hrsnn_rs.learning import LiveScore, LiveStream

__all__ = ["Bars", "Lines", "View"]

_MOST_BARS = 12
_BAR = 24


class View(AbstractContextManager["View"], ABC):
    """Shows scores as they come, and counts what they take."""

    def __init__(self) -> None:
        self._took: list[float] = []
        self._behind: list[float] = []
        self._n_events = 0
        self._n_scores = 0
        self._begin = time.perf_counter()
        #: Events and time of the stream at the score before.
        self._before = (0, 0)

    def show(self, stream: LiveStream, chunk: Any, until: int | None, due: float | None) -> None:
        """Push a chunk, and show the scores that have become due."""
        start = time.perf_counter()
        scores = stream.push(chunk, until=until)
        now = time.perf_counter()
        self._took.append(1e3 * (now - start))
        self._behind.append(0.0 if due is None else max(1e3 * (now - due), 0.0))
        self._n_events += len(chunk[0]) if isinstance(chunk, tuple) else len(chunk)
        for score in scores:
            self._n_scores += 1
            self._tell(stream.classifier.classes_, score, self._rate(score), self._behind[-1])
        if scores:
            sys.stdout.flush()

    def _rate(self, score: LiveScore) -> float:
        """Events a second of the stream that the encoder has passed on since the last score."""
        n, t = self._before
        self._before = (score.n_events, score.t)
        return 1e6 * (score.n_events - n) / max(score.t - t, 1) if n else 0.0

    @abstractmethod
    def _tell(self, classes: Any, score: LiveScore, rate: float, behind: float) -> None:
        """Show one score."""

    def sum_up(self) -> None:
        """Say what it took."""
        if not self._took:
            print("no events", file=sys.stderr)
            return
        seconds = time.perf_counter() - self._begin
        print(
            f"{counted(self._n_events, 'event')} and {counted(self._n_scores, 'score')} in "
            f"{seconds:.1f} s; a chunk took {np.median(self._took):.1f} ms, 99 of 100 at most "
            f"{np.quantile(self._took, 0.99):.1f} ms; at most {max(self._behind):.0f} ms behind",
            file=sys.stderr,
        )


class Lines(View):
    """A line for each score."""

    def __init__(self, *, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def __exit__(self, *_: object) -> None:
        pass

    def _tell(self, classes: Any, score: LiveScore, rate: float, behind: float) -> None:
        if self._is_json:
            row = {
                "t": score.t,
                "label": str(score.label),
                "probability": dict(zip(map(str, classes), score.probability, strict=True)),
                "decision": score.decision,
                "n_events": score.n_events,
                "n_spikes": score.n_spikes,
                "rate": rate,
                "age": score.age,
                "behind": behind,
            }
            print_json(row)
            return
        best = float(score.probability.max())
        print(
            f"{score.t / 1e6:9.3f} s  {score.label!s:<20} {best:6.1%}  {rate:11,.0f} events/s  "
            f"{score.age:5.1f} ms old  {behind:5.0f} ms behind"
        )


class Bars(View):
    """A bar for each class, drawn over the ones before."""

    def __init__(self) -> None:
        super().__init__()
        self._n_lines = 0

    def __enter__(self) -> Bars:
        # The cursor would blink through the bars.
        sys.stdout.write("\x1b[?25l")
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.write("\x1b[?25h")
        sys.stdout.flush()

    def _tell(self, classes: Any, score: LiveScore, rate: float, behind: float) -> None:
        columns, rows = shutil.get_terminal_size()
        n = max(min(_MOST_BARS, rows - 3, len(classes)), 1)
        # The likeliest, where not all have room; in the order of the classes, so that bars stay.
        shown = np.sort(np.argsort(-score.probability, kind="stable")[:n])
        width = max(len(str(classes[place])) for place in shown)
        lines = [
            f"{score.t / 1e6:.2f} s   {rate:,.0f} events/s   {behind:.0f} ms behind",
        ]
        for place in shown:
            share = float(score.probability[place])
            bar = ("#" * round(share * _BAR)).ljust(_BAR)
            mark = ">" if classes[place] == score.label else " "
            lines.append(f"{mark} {classes[place]!s:<{width}} {bar} {share:6.1%}")
        up = f"\x1b[{self._n_lines}A" if self._n_lines else ""
        sys.stdout.write(up + "".join(f"\x1b[2K{line[: columns - 1]}\n" for line in lines))
        self._n_lines = len(lines)

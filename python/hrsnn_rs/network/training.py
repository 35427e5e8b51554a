"""Training that survives its process: learn, keep the state now and then, go on from it.

Lives here: the loop over samples between checkpoints, and the proof that what goes on is what was
stopped. Not here: the folder (`checkpoint`). Invariant: what is written of a training and the
number of samples written with it belong to the same moment, whatever line an exception hit.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Sized
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import as_array, check_array, check_number
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.network.checkpoint import Progress, chained, digest
from hrsnn_rs.network.results import RunStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from hrsnn_rs import _hrsnn
    from hrsnn_rs.arguments import Range
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.checkpoint import Checkpoints
    from hrsnn_rs.network.state import NetworkState

__all__ = ["batches", "checked", "learn_batch", "train_with_checkpoints"]


def train_with_checkpoints(
    network: NetworkState,
    checkpoints: Checkpoints,
    samples: Iterable[Any],
    epochs: int,
    batch: int,
    shown: Callable[[str], Iterable[Any]],
    n_threads: int | None,
    schedule: Schedule,
) -> RunStats:
    """Go on from the newest checkpoint, or begin, and write checkpoints along the way.

    Parameters
    ----------
    network : NetworkState
        Learns; takes the state of the checkpoint first.
    checkpoints : Checkpoints
        The folder.
    samples : iterable
        What `Network.train` was given.
    epochs : int
        Passes over them.
    batch : int
        Samples that learn side by side.
    shown : callable
        Gives the samples of the pass of a name, behind a progress bar or not.
    n_threads : int or None
        As in `Network.run`.
    schedule : Schedule
        The learning rate of each sample.

    Returns
    -------
    RunStats
        Sums over all samples, those of earlier calls among them.

    Raises
    ------
    ParameterError
        If the folder is of another network, of other samples or other arguments.
    OSError
        If a checkpoint cannot be written.
    """
    n_samples = len(samples) if isinstance(samples, Sized) else None
    assembly, gain = network._assembly(), network._gain
    done = Progress(digest(assembly, gain), epochs, n_samples, batch, schedule.digest())
    found = checkpoints.newest()
    if found is None:
        # Whatever is wrong with the folder shows now and not in half an hour.
        checkpoints.write(assembly, gain, done)
    else:
        found.progress.check_same_training(done, checkpoints.folder)
        if done.start not in (found.progress.start, digest(found.assembly, found.gain)):
            raise ParameterError(
                f"checkpoint must be a folder of this training; {checkpoints.folder} is of one that"
                " began from another network. Choose another folder, or empty this one."
            )
        done = found.progress
        network._set_up(found.assembly, found.gain, network._arguments)
    del assembly, found
    core, tally = network._core, _Tally(network._core, done)

    def write(progress: Progress) -> None:
        checkpoints.write(network._assembly(), network._gain, progress)

    try:
        for epoch in range(done.epoch, epochs):
            rest = iter(shown(f"train {epoch + 1}/{epochs}" if epochs > 1 else "train"))
            if epoch == done.epoch:
                _skip(rest, network.n_inputs, done, checkpoints)
            else:
                tally.next_epoch()
            for together in batches(rest, network.n_inputs, batch, start=tally.now().position):
                rate = schedule[tally.now().n_done]
                tally.expect(together)
                if batch == 1:
                    (one,) = together
                    core.run(
                        one.t, one.channel, one.duration, True, n_threads, undo=True, scale=rate
                    )
                else:
                    learn_batch(core, together, rate, n_threads)
                now = tally.now()
                if checkpoints.due(now.n_done):
                    write(now)
        if not done.finished:
            write(replace(tally.now(), finished=True))
    except BaseException as error:
        try:
            if tally.now().n_done > checkpoints.n_written:
                write(tally.now())
        except (HRSNNError, OSError) as failure:
            error.add_note(f"No checkpoint of this moment was written: {failure}")
        raise
    return tally.now().stats


#: What a learning rate may be: the core's bounds.
LEARNING_RATE: Range = ("in [0, 1e30]", lambda rate: (rate >= 0.0) & (rate <= 1e30))


class Schedule:
    """The learning rate of each sample of a training.

    Parameters
    ----------
    learning_rate : float or array_like of float, shape (n,)
        One for all samples, or one for each, over all passes.
    n : int, default=None
        Samples of all passes, where they can be counted beforehand.

    Examples
    --------
    >>> Schedule([1.0, 0.5])[1]
    0.5
    """

    def __init__(self, learning_rate: float | ArrayLike, n: int | None = None) -> None:
        is_one = np.ndim(as_array("learning_rate", learning_rate)) == 0
        rates = [check_number("learning_rate", learning_rate)] if is_one else learning_rate
        self._rates = check_array("learning_rate", rates, *LEARNING_RATE, at="sample")
        self._is_one = is_one
        if n is not None and not is_one and self._rates.size != n:
            raise ShapeError(
                f"learning_rate must have a value for each of {n} samples; got {self._rates.size}."
            )

    def __getitem__(self, n: int) -> float:
        if self._is_one:
            return float(self._rates[0])
        if n >= self._rates.size:
            raise ShapeError(
                f"learning_rate must have a value for each sample; got {self._rates.size}."
            )
        return float(self._rates[n])

    def digest(self) -> str:
        """Give a word that another schedule does not have."""
        return hashlib.blake2b(self._rates.tobytes(), digest_size=16).hexdigest()


def checked(samples: Iterable[Any], n_inputs: int, start: int = 0) -> Iterator[Events]:
    """Turn samples into `Events` one by one; a fault names the sample it is of.

    Parameters
    ----------
    samples : iterable
        Each what `Network.run` takes.
    n_inputs : int
        Number of channels that each must have.
    start : int, default=0
        Number of the first sample.

    Yields
    ------
    Events

    Raises
    ------
    ParameterError, ShapeError
        If a sample cannot be taken as events.

    Examples
    --------
    >>> list(checked([([5], [1])], n_inputs=2))
    [Events(1 events, n_channels=2, duration=6 µs)]
    """
    for index, sample in enumerate(samples, start):
        try:
            yield as_events(sample, n_inputs)
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"samples[{index}]: {error}") from error


def batches(
    samples: Iterable[Any], n_inputs: int, size: int, start: int = 0
) -> Iterator[list[Events]]:
    """Turn samples into lists of `Events`, each of `size` but for the last.

    Parameters
    ----------
    samples : iterable
        Each what `Network.run` takes.
    n_inputs : int
        Number of channels that each must have.
    size : int
        Samples of a list.
    start : int, default=0
        Number of the first sample.

    Yields
    ------
    list of Events

    Raises
    ------
    ParameterError, ShapeError
        If a sample cannot be taken as events.

    Examples
    --------
    >>> [len(together) for together in batches([([5], [1])] * 5, n_inputs=2, size=2)]
    [2, 2, 1]
    """
    rest = checked(samples, n_inputs, start)
    while together := list(itertools.islice(rest, size)):
        yield together


def learn_batch(
    core: _hrsnn.Network, samples: Sequence[Events], rate: float, n_threads: int | None
) -> list[list[int]]:
    """Learn from `samples` side by side and merge what each has changed.

    Parameters
    ----------
    core : _hrsnn.Network
        Learns; is as before if interrupted.
    samples : sequence of Events
        One batch.
    rate : float
        Factor of `a_plus` and `a_minus`.
    n_threads : int or None
        As in `Network.run`.

    Returns
    -------
    list of list of int
        What each sample took.
    """
    return core.learn_batch([(s.t, s.channel, s.duration) for s in samples], n_threads, scale=rate)


def _skip(samples: Iterator[Any], n_inputs: int, done: Progress, checkpoints: Checkpoints) -> None:
    """Pass over the samples of this epoch that are done, and see that they are the same."""
    seen, n_seen = "", 0
    for sample in checked(itertools.islice(samples, done.position), n_inputs):
        seen, n_seen = chained(seen, sample), n_seen + 1
    if (seen, n_seen) != (done.samples, done.position):
        raise ParameterError(
            f"samples must be those of the training that {checkpoints.folder} is of; some of the"
            f" first {done.position} differ. Choose another folder, or empty this one."
        )
    if done.finished and next(samples, None) is not None:
        raise ParameterError(
            f"samples must be those of the training that {checkpoints.folder} is of, which ended"
            f" after {done.position}; got more."
        )


class _Tally:
    """Where a training stands, told by what the core itself has counted."""

    def __init__(self, core: _hrsnn.Network, done: Progress) -> None:
        self._core = core
        self._begun = done.stats
        self._start = time.perf_counter()
        self._n_before, self._duration_before, self._counts_before = core.learned
        #: Where the training stands after as many samples as the core has learned from.
        self._places = {self._n_before: done}

    def expect(self, samples: Sequence[Events]) -> None:
        """Note where the training will stand once all of `samples` are learned from."""
        n, now = self._place()
        then = now
        for sample in samples:
            then = then.after(sample)
        self._places = {n: now, n + len(samples): then}

    def next_epoch(self) -> None:
        """Note that a new pass begins."""
        n, now = self._place()
        self._places = {n: replace(now, epoch=now.epoch + 1, position=0, samples="")}

    def _place(self) -> tuple[int, Progress]:
        n = self._core.learned[0]
        if n not in self._places:
            raise ParameterError(
                "network must learn from one training at a time; another thread taught it too."
            )
        return n, self._places[n]

    def now(self) -> Progress:
        """Give where the training stands."""
        _, duration, counts = self._core.learned
        new = [now - before for now, before in zip(counts, self._counts_before, strict=True)]
        elapsed = time.perf_counter() - self._start
        stats = RunStats.from_counts(new, duration - self._duration_before, elapsed)
        return replace(self._place()[1], stats=RunStats.total([self._begun, stats]))

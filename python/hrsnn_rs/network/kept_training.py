"""Training that survives its process: learn, keep the state now and then, go on from it.

Lives here: the loop over samples between checkpoints, and the proof that what goes on is what was
stopped. Not here: the folder (`checkpoint`). Invariant: what is written of a training and the
number of samples written with it belong to the same moment, whatever line an exception hit.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sized
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hrsnn_rs.errors import HRSNNError, ParameterError
from hrsnn_rs.network.checkpoint import Progress, chained, digest, drive_digest, hashed
from hrsnn_rs.network.results import RunStats
from hrsnn_rs.network.training import batches, checked, drive_after, learn_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hrsnn_rs import _hrsnn
    from hrsnn_rs.events.drive import PoissonDrive
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.checkpoint import Checkpoints
    from hrsnn_rs.network.state import NetworkState
    from hrsnn_rs.network.training import Schedule

__all__ = ["train_with_checkpoints"]


def train_with_checkpoints(
    network: NetworkState,
    checkpoints: Checkpoints,
    samples: Iterable[Any],
    epochs: int,
    batch: int,
    shown: Callable[[str], Iterable[Any]],
    n_threads: int | None,
    schedule: Schedule,
    drive: PoissonDrive | None = None,
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
    drive : PoissonDrive or None, default=None
        What is drawn beside the events of the first sample.

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
    rates = hashed(schedule.rates.data)
    done = Progress(digest(assembly, gain), epochs, n_samples, batch, rates, drive_digest(drive))
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
                n_done = tally.now().n_done
                rate = schedule[n_done]
                tally.expect(together)
                if batch == 1:
                    (one,) = together
                    drawn = drive_after(drive, n_done)
                    core.run(
                        one.t,
                        one.channel,
                        one.duration,
                        True,
                        n_threads,
                        undo=True,
                        scale=rate,
                        drive=None if drawn is None else drawn._core,
                    )
                else:
                    learn_batch(core, together, rate, n_threads, drive, n_done)
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
    schedule.check_used(tally.now().n_done)
    return tally.now().stats


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

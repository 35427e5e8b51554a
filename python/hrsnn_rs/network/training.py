"""What a training is given: samples, checked one by one and in batches, and learning rates.

Not here: passes over the samples (`running`), and the state that is kept meanwhile
(`kept_training`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import as_array, check_array, check_number
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.forms import as_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from hrsnn_rs import _hrsnn
    from hrsnn_rs.arguments import Range
    from hrsnn_rs.events.drive import PoissonDrive
    from hrsnn_rs.events.events import Events

__all__ = [
    "LEARNING_RATE",
    "Schedule",
    "batches",
    "checked",
    "drive_after",
    "learn_batch",
    "short_enough",
]

#: µs that a network can run at a time.
_LONGEST = 2**50

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

    Attributes
    ----------
    rates : float64 array of shape (n,) or (1,)
        What was given, checked.

    Examples
    --------
    >>> Schedule([1.0, 0.5])[1]
    0.5
    """

    def __init__(self, learning_rate: float | ArrayLike, n: int | None = None) -> None:
        is_one = np.ndim(as_array("learning_rate", learning_rate)) == 0
        rates = [check_number("learning_rate", learning_rate)] if is_one else learning_rate
        self.rates = check_array("learning_rate", rates, *LEARNING_RATE, at="sample")
        self._is_one = is_one
        if n is not None:
            self.check_used(n)

    def __getitem__(self, n: int) -> float:
        if self._is_one:
            return float(self.rates[0])
        if n >= self.rates.size:
            raise ShapeError(
                f"learning_rate must have a value for each sample; got {self.rates.size}."
            )
        return float(self.rates[n])

    def check_used(self, n: int) -> None:
        """Refuse rates that none of `n` samples had; an iterator is counted only by reading it."""
        if not self._is_one and self.rates.size != n:
            raise ShapeError(
                f"learning_rate must have a value for each of {n} samples; got {self.rates.size}."
            )


def short_enough(events: Events) -> Events:
    """Return events if a network can run so long.

    Parameters
    ----------
    events : Events
        A sample.

    Returns
    -------
    Events
        The same.

    Raises
    ------
    ParameterError
        If it lasts longer than 2**50 µs.

    Examples
    --------
    >>> from hrsnn_rs.events import Events
    >>> short_enough(Events([5], [1], n_channels=2))
    Events(1 event, n_channels=2, duration=6 µs)
    """
    if events.duration > _LONGEST:
        raise ParameterError(f"duration must be at most {_LONGEST} µs; got {events.duration}.")
    return events


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
        If a sample cannot be taken as events, or is too long.

    Examples
    --------
    >>> list(checked([([5], [1])], n_inputs=2))
    [Events(1 event, n_channels=2, duration=6 µs)]
    """
    for index, sample in enumerate(samples, start):
        try:
            yield short_enough(as_events(sample, n_inputs))
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
    core: _hrsnn.Network,
    samples: Sequence[Events],
    rate: float,
    n_threads: int | None,
    drive: PoissonDrive | None = None,
    n_done: int = 0,
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
    drive : PoissonDrive or None, default=None
        That of the first sample of the training.
    n_done : int, default=0
        Samples before the first one here.

    Returns
    -------
    list of list of int
        What each sample took.
    """
    return core.learn_batch(
        [(s.t, s.channel, s.duration) for s in samples],
        n_threads,
        scale=rate,
        drive=None if drive is None else drive._core,
        first=0 if drive is None else drive.sample + n_done,
    )


def drive_after(drive: PoissonDrive | None, n_done: int) -> PoissonDrive | None:
    """Give the drive of a sample that comes after `n_done` others.

    Parameters
    ----------
    drive : PoissonDrive or None
        That of the first sample.
    n_done : int
        Samples before.

    Returns
    -------
    PoissonDrive or None

    Examples
    --------
    >>> from hrsnn_rs.events import PoissonDrive
    >>> drive_after(PoissonDrive([1.0]).for_sample(2), 3)
    PoissonDrive(1 channel, seed=0, sample=5)
    """
    return None if drive is None else drive.for_sample(drive.sample + n_done)

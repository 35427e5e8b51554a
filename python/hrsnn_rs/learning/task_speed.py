"""The speed task: to tell how fast a recorded clip is played.

Every clip is played once, at one of seven speeds from an eighth to eight times, and a readout that
sees each neuron's count of the whole clip names the speed. Speed changes no count of events: only
what happens between them, in the membranes, can tell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_kind
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.events import Events
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import calibrated_counts
from hrsnn_rs.learning.tasks import run_task
from hrsnn_rs.network import default_network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    import polars as pl

    from hrsnn_rs.description import Distribution

SPEEDS = 2.0 ** np.arange(-3, 4)
"""Classes; each clip is up to 15 % faster or slower than its class."""
CONDITIONS = ("no recurrence",)

_JITTER = 0.2  # octaves
_RATE = 1.0  # Hz
_N_CALIBRATION = 48


def measure_speed(
    clips: Clips,
    seeds: Iterable[int] = range(12),
    *,
    n_neurons: int = 300,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Name the speed at which recorded clips are played, by persons that nothing was fitted to.

    The network is the default one without its recurrence, calibrated to 1 Hz. Validation is on two
    groups of clips, which go round with the seed.

    Parameters
    ----------
    clips : Clips
        Encoded clips of at least three groups. Not changed.
    seeds : iterable of int, default=range(12)
        Seeds of speeds, split and network.
    n_neurons : int, default=300
        Neurons.
    output : str or path-like, default=None
        Parquet file of the rows; a run that was stopped goes on from it.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        Rows as of `run_task`; `score` is the accuracy, `n_samples` the number of clips.

    Raises
    ------
    ParameterError
        If a seed or a size is out of range, there are too few groups, or the rows in `output` are
        of something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import Clips, measure_speed
    >>> clips = Clips.of_dataset(make_gestures(3, 1, size=32, duration=400_000))
    >>> measure_speed(clips, [0], n_neurons=20)["n_samples"][0]
    33
    """
    check_kind("clips", clips, Clips)
    check_threads(n_threads)

    def prepare(condition: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        random = np.random.default_rng([seed, 0])
        labels = random.integers(0, SPEEDS.size, len(clips.events))
        factors = SPEEDS[labels] * 2.0 ** random.uniform(-_JITTER, _JITTER, labels.size)
        played = [at_speed(one, f) for one, f in zip(clips.events, factors, strict=True)]
        training = split_for(clips.groups, seed, subjects_known=clips.subjects_known).training
        known = [one for one, here in zip(played, training, strict=True) if here]
        new = [one for one, here in zip(played, training, strict=True) if not here]

        def measure(law: Distribution) -> dict[str, Any]:
            network = default_network(
                played[0].n_channels, n_neurons=n_neurons, seed=seed, tau_m=law
            ).without_recurrence()
            seen, unseen, cost = calibrated_counts(
                network, known, new, rate=_RATE, n_samples=_N_CALIBRATION, n_threads=n_threads
            )
            readout = Readout().fit(seen, labels[training], groups=clips.groups[training])
            return {"score": readout.score(unseen, labels[~training]), **cost}

        return measure

    return run_task(
        "speed", CONDITIONS, seeds, prepare,
        n_neurons=n_neurons, n_samples=len(clips.events), clips=clips.digest,
        output=output, progress=progress,
    )  # fmt: skip


def at_speed(events: Events, factor: float) -> Events:
    """Play a clip `factor` times as fast.

    Parameters
    ----------
    events : Events
        Clip. Not changed.
    factor : float
        Greater than 0.

    Returns
    -------
    Events
        The same events at times divided by `factor`, rounded down to µs.

    Examples
    --------
    >>> from hrsnn_rs.events import Events
    >>> from hrsnn_rs.learning.task_speed import at_speed
    >>> at_speed(Events([10, 30], [0, 1], n_channels=2, duration=50), 2.0).t.tolist()
    [5, 15]
    """
    t = (events.t / factor).astype(np.int64)
    return Events(
        t, events.channel, n_channels=events.n_channels, duration=int(events.duration / factor) + 1
    )

"""The direction task: a clip as it was recorded, or played backwards.

Both have the same events at each pixel, polarity kept, and a readout sees each neuron's count of
the whole clip: what tells one from the other must be held within the network while it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_kind
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.metrics import direction_scores
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

NO_RECURRENCE = "no recurrence"
WITH_DELAYS = "recurrent delays 1-200 ms"
CONDITIONS = (NO_RECURRENCE, WITH_DELAYS)

_RATE = 3.0  # Hz
_W_RECURRENT = 0.1  # of the threshold
_N_CALIBRATION = 48


def measure_direction(
    clips: Clips,
    seeds: Iterable[int] = range(12),
    *,
    n_neurons: int = 300,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Tell clips from the same clips backwards, in groups that nothing was fitted to.

    The network is the default one, with recurrent weights of a tenth of the threshold or without
    recurrence, calibrated to 3 Hz. The readout names class and direction; right is who holds the
    true direction of the true class for likelier than the other. Validation is on two groups of
    clips, which go round with the seed.

    Parameters
    ----------
    clips : Clips
        Encoded clips of at least three groups. Not changed.
    seeds : iterable of int, default=range(12)
        Seeds of split and network.
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
        Rows as of `run_task`; `score` is the share of right directions, 0.5 by chance.

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
    >>> from hrsnn_rs.learning import Clips, measure_direction
    >>> clips = Clips.of_dataset(make_gestures(3, 1, size=16, duration=200_000))
    >>> measure_direction(clips, [0], n_neurons=10)["n_samples"][0]
    33
    """
    check_kind("clips", clips, Clips)
    check_threads(n_threads)

    def prepare(condition: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        training = split_for(clips.groups, seed, subjects_known=clips.subjects_known).training
        # Of a class without a training clip nobody can know the direction.
        new = ~training & np.isin(clips.labels, clips.labels[training])
        sides = [
            [clips.events[place] for place in np.flatnonzero(side)] for side in (training, new)
        ]
        known, unseen = ([*side, *(one.reversed() for one in side)] for side in sides)
        labels, expected = (
            np.concatenate([2 * clips.labels[side], 2 * clips.labels[side] + 1])
            for side in (training, new)
        )
        groups = np.tile(clips.groups[training], 2)

        def measure(law: Distribution) -> dict[str, Any]:
            network = default_network(
                known[0].n_channels,
                n_neurons=n_neurons,
                seed=seed,
                tau_m=law,
                w_recurrent=_W_RECURRENT,
            )
            if condition == NO_RECURRENCE:
                network = network.without_recurrence()
            fitted, asked, cost = calibrated_counts(
                network, known, unseen, rate=_RATE, n_samples=_N_CALIBRATION, n_threads=n_threads
            )
            readout = Readout().fit(fitted, labels, groups=groups)
            right = direction_scores(readout.decision_function(asked), readout.classes_, expected)
            return {"score": float(right.mean()), **cost}

        return measure

    return run_task(
        "direction", CONDITIONS, seeds, prepare,
        n_neurons=n_neurons, n_samples=len(clips.events), clips=clips.digest,
        output=output, progress=progress,
    )  # fmt: skip

"""The order task: which of two gestures came first.

Two clips of one person follow each other, in either order, with or without a pause between them. In
all, both orders have the same events, so that counts of the whole tell nothing. What does tell the
order is held against each other: windows, in which counts or features are read one after the other,
and networks, read as a whole, with and without recurrence.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import check_integer, check_kind
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events import Events
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.feature_systems import layer_for, pooled_counts
from hrsnn_rs.learning.metrics import direction_scores
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import calibrated_counts, costs
from hrsnn_rs.learning.tasks import SYSTEMS, run_task
from hrsnn_rs.network import default_network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    import polars as pl
    from numpy.typing import NDArray

    from hrsnn_rs.description import Distribution
    from hrsnn_rs.learning.feature_layer import FeatureLayer

    Counts = NDArray[Any]

PAUSES = {"no pause": 0, "pause of 500 ms": 500_000}
"""Conditions: µs between the two clips. Recurrent delays are 200 ms at most."""


class Windows(NamedTuple):
    """A system without a network: features, or counts of events pooled as they are."""

    of: str
    n_windows: int


class Unconnected(NamedTuple):
    """A system without recurrence."""

    law: Distribution


ORDER_SYSTEMS: dict[str, Any] = {
    **SYSTEMS,
    **{
        f"no recurrence, {name}": Unconnected(SYSTEMS[name])
        for name in ("80 ms", "320 ms", "640 ms", "log-uniform 5-500 ms")
    },
    "counts, 1 window": Windows("counts", 1),
    "counts, 4 windows": Windows("counts", 4),
    "features, 1 window": Windows("features", 1),
    "features, 4 windows": Windows("features", 4),
}
"""Recurrent networks, whose constants are the controls, and what they are held against."""

_RATE = 3.0  # Hz
_W_RECURRENT = 0.1  # of the threshold
_N_CALIBRATION = 48


class _Input(NamedTuple):
    """Samples of one side of the split, and who is in them."""

    events: list[Events]
    labels: NDArray[np.int64]
    groups: NDArray[Any]


def measure_order(
    clips: Clips,
    seeds: Iterable[int] = range(12),
    *,
    n_classes: int = 4,
    n_neurons: int = 300,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Name which of two gestures came first, in groups that nothing was fitted to.

    Networks are the default one, with recurrent weights of a tenth of the threshold or without
    recurrence, calibrated to 3 Hz and read in one window. Features are those of the default layer,
    learned from clips of the training groups; counts are pooled as they are. The readout names the
    pair and its order; right is who holds the true order of the true pair for likelier than the
    other. Validation is on two groups, which go round with the seed.

    Parameters
    ----------
    clips : Clips
        Encoded events of a sensor of 32 x 32 pixels, of at least three groups. Not changed.
    seeds : iterable of int, default=range(12)
        Seeds of split, feature layer and network.
    n_classes : int, default=4
        The first so many classes make the pairs; at least 2.
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
        Rows as of `run_task` with the systems `ORDER_SYSTEMS`; `score` is the share of right
        orders, 0.5 by chance. Costs are of the network, or of the feature layer.

    Raises
    ------
    ParameterError
        If a seed or a size is out of range, there are too few groups or clips, or the rows in
        `output` are of something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    What one seed takes is a matter of minutes; what is measured:

    >>> from hrsnn_rs.learning.task_order import ORDER_SYSTEMS, PAUSES
    >>> list(PAUSES), len(ORDER_SYSTEMS)
    (['no pause', 'pause of 500 ms'], 18)
    """
    check_kind("clips", clips, Clips)
    check_threads(n_threads)
    n_classes = check_integer("n_classes", n_classes, 2, len(clips.classes))
    pairs, labels, groups = clip_pairs(clips.labels, clips.groups, n_classes)

    @lru_cache(maxsize=1)
    def learned(seed: int) -> FeatureLayer:
        known = split_for(clips.groups, seed).training & (clips.labels < n_classes)
        layer = layer_for(clips, seed, "learned", n_threads)
        return layer.fit([clips.events[place] for place in np.flatnonzero(known)])

    def prepare(condition: str, seed: int) -> Callable[[Any], dict[str, Any]]:
        split = split_for(clips.groups, seed, subjects_known=clips.subjects_known)
        samples = [in_turn(clips.events[a], clips.events[b], PAUSES[condition]) for a, b in pairs]
        training = split.training[pairs[:, 0]]
        # Of a pair without a training sample nobody can know the order.
        new = ~training & np.isin(labels, labels[training])
        known, unseen = (
            _Input(
                [samples[place] for place in np.flatnonzero(side)],
                labels[side],
                groups[side],
            )
            for side in (training, new)
        )

        def by_network(
            law: Distribution, *, recurrent: bool
        ) -> tuple[Counts, Counts, dict[str, Any]]:
            network = default_network(
                samples[0].n_channels,
                n_neurons=n_neurons,
                seed=seed,
                tau_m=law,
                w_recurrent=_W_RECURRENT,
            )
            if not recurrent:
                network = network.without_recurrence()
            return calibrated_counts(
                network, known.events, unseen.events,
                rate=_RATE, n_samples=_N_CALIBRATION, n_threads=n_threads,
            )  # fmt: skip

        def by_windows(system: Windows) -> tuple[Counts, Counts, dict[str, Any]]:
            n = system.n_windows
            if system.of == "counts":
                layer = layer_for(clips, seed, "drawn", n_threads)
                known_counts, unseen_counts = (
                    np.asarray(pooled_counts(layer, side.events, n, "events"))
                    for side in (known, unseen)
                )
                return known_counts, unseen_counts, {}
            layer = learned(seed)
            fitted, _ = layer.window_features(known.events, n)
            asked, each = layer.window_features(unseen.events, n)
            return fitted, asked, costs(layer.network_, layer.calibration_, each)

        def measure(system: Distribution | Unconnected | Windows) -> dict[str, Any]:
            if isinstance(system, Windows):
                (fitted, asked, taken), readout = by_windows(system), Readout(scaling="common")
            else:
                recurrent = not isinstance(system, Unconnected)
                law = system.law if isinstance(system, Unconnected) else system
                (fitted, asked, taken), readout = by_network(law, recurrent=recurrent), Readout()
            readout.fit(fitted, known.labels, groups=known.groups)
            decision = readout.decision_function(asked)
            right = direction_scores(decision, readout.classes_, unseen.labels)
            return {"score": float(right.mean()), **taken}

        return measure

    return run_task(
        "order", dict.fromkeys(PAUSES, ORDER_SYSTEMS), seeds, prepare,
        n_neurons=n_neurons, n_samples=len(pairs), clips=clips.digest,
        output=output, progress=progress,
    )  # fmt: skip


def clip_pairs(
    labels: NDArray[np.int64], groups: NDArray[Any], n_classes: int
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[Any]]:
    """Pair the clips of a group: each pair of classes, clip by clip, in both orders.

    Parameters
    ----------
    labels : int64 ndarray of shape (n_clips,)
        Classes.
    groups : ndarray of shape (n_clips,)
        Who made each clip.
    n_classes : int
        The first so many classes are paired.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2)
        Places of the first and of the second clip.
    labels : int64 ndarray of shape (n_pairs,)
        Twice the number of the pair of classes, and 1 more where the lower class comes second.
    groups : ndarray of shape (n_pairs,)
        Of both.

    Raises
    ------
    ParameterError
        If no group has clips of two of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.task_order import clip_pairs
    >>> pairs, labels, _ = clip_pairs(np.array([0, 1, 5]), np.zeros(3, int), 2)
    >>> pairs.tolist(), labels.tolist()
    ([[0, 1], [1, 0]], [0, 1])
    """
    found: list[tuple[int, int]] = []
    names: list[int] = []
    for group in np.unique(groups):
        of = [np.flatnonzero((groups == group) & (labels == one)) for one in range(n_classes)]
        for number, (lower, upper) in enumerate(combinations(range(n_classes), 2)):
            for a, b in zip(of[lower].tolist(), of[upper].tolist(), strict=False):
                found += [(a, b), (b, a)]
                names += [2 * number, 2 * number + 1]
    if not found:
        raise ParameterError(f"clips must have a group with two of the first {n_classes} classes.")
    pairs = np.array(found)
    return pairs, np.array(names, dtype=np.int64), groups[pairs[:, 0]]


def in_turn(first: Events, second: Events, pause: int) -> Events:
    """Play one clip after another, `pause` µs between them."""
    return Events.concatenate([first, second.shift(pause)])

"""Feature layers as systems of an experiment: learned, and what a learned one is held against.

Lives here: which feature systems there are, what they count, and clips as a network on top of
features sees them. Not here: the layer itself (`feature_layer`), networks (`systems`), and labels.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_choice, check_integer, check_kind
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning.counting_checks import check_counting, check_division, check_readout
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.recipes import default_layer
from hrsnn_rs.learning.systems import Features, costs, window_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.learning.clips import Clips
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.network.results import RunStats

#: The filters of each system with a feature layer.
_FILTERS = {
    "features": "learned",
    "drawn features": "drawn",
    "shuffled features": "shuffled",
    "exemplars": "exemplars",
}
FEATURE_SYSTEMS = (*_FILTERS, "pooled counts")
"""A feature layer that has learned; its controls; and event counts pooled as features are."""


def layer_for(clips: Clips, seed: int, filters: str, n_threads: int | None) -> FeatureLayer:
    """Give the default feature layer for such clips, not fitted.

    Parameters
    ----------
    clips : Clips
        Encoded clips.
    seed : int
        Of the layer.
    filters : str
        As for `FeatureLayer`.
    n_threads : int or None
        Threads.

    Returns
    -------
    FeatureLayer

    Raises
    ------
    ParameterError
        If the clips are not encoded events of a sensor.
    """
    if clips.encoder is None:
        raise ParameterError(
            "features must be left out where clips are not encoded here: nothing says where their "
            "channels lie."
        )
    return default_layer(
        clips.encoder, is_video=clips.is_video, seed=seed, filters=filters, n_threads=n_threads
    )


def feature_features(
    system: str,
    seed: int,
    clips: Clips,
    training: NDArray[np.bool_],
    *,
    readout: Readout,
    n_windows: int,
    windows: str,
    memory: bool,
    n_threads: int | None,
) -> Features:
    """Let one feature system turn clips into counts.

    Parameters
    ----------
    system : str
        Of `FEATURE_SYSTEMS`.
    seed : int
        Of the layer.
    clips : Clips
        Encoded events of a sensor. Not changed.
    training : bool ndarray of shape (n_clips,)
        Which clips the layer may learn from and be calibrated on.
    readout : Readout
        That of the experiment; of scaling "auto" it becomes "common".
    n_windows : int
        Windows of a clip.
    windows : {"events", "time"}
        Kind of windows.
    memory : bool
        Whether to count the time-reversed copies too.
    n_threads : int or None
        Threads; the result does not depend on them.

    Returns
    -------
    Features
        Pooled counts of all clips; costs are means over those not in `training`.

    Raises
    ------
    ParameterError, ShapeError
        If the clips are not encoded events of a sensor, or an argument is not what it should be.
    CalibrationError
        If the number of spikes cannot be reached.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import Clips, Readout, feature_features
    >>> clips = Clips.of_dataset(make_gestures(2, 1, duration=400_000))
    >>> feature_features(
    ...     "pooled counts", 0, clips, clips.groups == 0, readout=Readout(), n_windows=4,
    ...     windows="events", memory=False, n_threads=None).counts.shape
    (22, 4, 128)
    """
    begin = time.perf_counter()
    check_choice("system", system, FEATURE_SYSTEMS)
    check_integer("seed", seed)
    check_division(clips, training)
    check_kind("readout", readout, Readout)
    check_readout(readout)
    check_counting(n_windows=n_windows, windows=windows, memory=memory, n_threads=n_threads)
    if readout.scaling == "auto":
        readout = Readout(**readout.get_params() | {"scaling": "common"})
    layer = layer_for(clips, seed, _FILTERS.get(system, "drawn"), n_threads)
    backwards = None
    if system == "pooled counts":
        counts = pooled_counts(layer, clips.events, n_windows, windows)
        if memory:
            reverse = (one.reversed() for one in clips.events)
            backwards = np.asarray(pooled_counts(layer, reverse, 1, windows))
        seconds = time.perf_counter() - begin
        return Features(counts, backwards, seconds=seconds, readout=readout)
    layer.fit(clips.events.subset(training))
    count = partial(layer.window_features, n_windows=n_windows, windows=windows)
    counts, stats = FeatureTable.of_chunks(count, clips.events)
    if memory:
        backwards, _ = layer.window_features((one.reversed() for one in clips.events), 1)
    unseen = [one for one, known in zip(stats, training, strict=True) if not known]
    network = layer.network_
    return Features(
        counts,
        backwards,
        seconds=time.perf_counter() - begin,
        n_neurons=network.n_neurons,
        n_synapses=network.n_synapses,
        network=network,
        readout=readout,
        **costs(network, layer.calibration_, unseen),
    )


def mapped_clips(
    clips: Clips, training: NDArray[np.bool_], seed: int, n_threads: int | None
) -> tuple[Clips, FeatureLayer]:
    """Give clips as a network on top of a learned feature layer sees them.

    Parameters
    ----------
    clips : Clips
        Encoded events of a sensor. Not changed.
    training : bool ndarray of shape (n_clips,)
        Which clips the layer may learn from.
    seed : int
        Of the layer.
    n_threads : int or None
        Threads.

    Returns
    -------
    clips : Clips
        The same, with the spikes of the feature maps for events.
    layer : FeatureLayer
        The layer.
    """
    layer = layer_for(clips, seed, "learned", n_threads)
    layer.fit(clips.events.subset(training))
    return replace(clips, events=EventStore(layer.feature_maps(clips.events))), layer


def pooled_counts(
    layer: FeatureLayer, events: Iterable[Events], n_windows: int, windows: str
) -> FeatureTable:
    """Count input events in squares as wide as the pools of a layer."""
    side = layer.stride * layer.pool
    height, width = layer.plane
    p, y, x = np.indices((layer.polarities, height, width)).reshape(3, -1)
    rows, columns = (-(-extent // side) for extent in (height, width))
    pool = (p * rows + y // side) * columns + x // side
    to_pool = np.zeros((pool.size, layer.polarities * rows * columns), np.float32)
    to_pool[np.arange(pool.size), pool] = 1.0

    def count(chunk: list[Events]) -> tuple[NDArray[Any], list[RunStats]]:
        return np.stack([window_counts(one, n_windows, windows) @ to_pool for one in chunk]), []

    return FeatureTable.of_chunks(count, events)[0]

"""The figures of `hrsnn demo`: one network looked at from several sides.

One HeNHeS network is calibrated and trained as the experiment does it; what it does and what
it has learned is drawn. Rows and tables come from `experiment`, the page from `report`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, check_callable, check_integer
from hrsnn_rs.datasets.splits import validation_groups
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.comparison import check_rows
from hrsnn_rs.learning.feature_systems import layer_for
from hrsnn_rs.learning.metrics import confusion_matrix
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import network_features
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.presets import default_network
from hrsnn_rs.plotting import figures as plotting
from hrsnn_rs.plotting.fields import receptive_fields
from hrsnn_rs.report.page import ReportFigure, attempted

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hrsnn_rs.network.network import Network


def demo_figures(
    clips: Clips,
    rows: pl.DataFrame,
    *,
    seed: int = 0,
    n_neurons: int = 500,
    make_network: Callable[..., Network] | None = None,
    n_threads: int | None = None,
) -> list[ReportFigure]:
    """Draw scores, learned fields, a raster, a confusion matrix, time constants and weights.

    Parameters
    ----------
    clips : Clips
        Encoded clips of at least three groups. Not changed.
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.
    seed : int, default=0
        Seed of the network and of the split that are drawn.
    n_neurons : int, default=500
        Neurons of the default network.
    make_network : callable, default=None
        As for `experiment.compare`.
    n_threads : int, default=None
        Threads; `None` means all cores.

    Returns
    -------
    list of ReportFigure
        Six figures (five where channels have no places), each with a sentence that says what to
        look for; fewer, with a `FigureWarning` each, where one cannot be drawn.

    Raises
    ------
    ParameterError
        If an argument is not what it should be; found out before the work.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.report import demo_figures
    >>> from hrsnn_rs.learning import compare
    >>> from hrsnn_rs.learning import Clips
    >>> clips = Clips.of_dataset(make_gestures(3, 1, duration=400_000))
    >>> rows = compare(clips, [0], ["HeNHeS"], [], memory=False, n_neurons=60)
    >>> [figure.title for figure in demo_figures(clips, rows, n_neurons=60)][:2]
    ['Scores', 'What features look for']
    """
    if not isinstance(clips, Clips):
        raise ParameterError(f"clips must be Clips; got {kind_of(clips)}.")
    check_rows(rows)
    seed = check_integer("seed", seed, high=MOST_SEED)
    n_neurons = check_integer("n_neurons", n_neurons, 1)
    if make_network is not None:
        check_callable("make_network", make_network)
    check_threads(n_threads)
    figures = attempted(
        "Scores",
        "Look whether blue bars (variants) end to the right of grey ones (controls) by more "
        "than the lines at their ends; the dashed line is chance in the memory task. Whether that "
        "means anything stands under Differences.",
        lambda: plotting.scores(rows),
    )
    if make_network is None:
        make_network = partial(default_network, clips.events[0].n_channels, n_neurons=n_neurons)
    network = make_network(seed=seed)
    before = network.recurrent_weights
    training = ~np.isin(clips.groups, validation_groups(clips.groups, seed))
    if clips.encoder is not None:
        figures += attempted(
            "What features look for",
            "Fields learned without labels, each of which stands at all places: look for edges, "
            "with ON events (red) on one side and OFF events (green) on the other. As drawn they "
            "are noise.",
            lambda: _fields(clips, training, seed, n_threads),
        )
    features = network_features(
        network,
        clips,
        training,
        epochs=1,
        rate=3.0,
        n_calibration=64,
        n_windows=4,
        windows="events",
        memory=False,
        n_threads=n_threads,
    )
    readout = Readout().fit(
        features.counts[training], clips.labels[training], groups=clips.groups[training]
    )
    predicted = readout.predict(features.counts[~training])
    truth = clips.labels[~training]
    matrix = confusion_matrix(truth, predicted, classes=np.arange(len(clips.classes)))
    inhibitory = network.inhibitory
    plastic = _excitatory_pairs(before, inhibitory)
    unseen = np.flatnonzero(~training)
    n_spikes = features.counts[unseen].sum(axis=(1, 2))
    shown = int(unseen[np.argsort(n_spikes, kind="stable")[len(unseen) // 2]])
    clip = clips.events[shown]
    name = clips.classes[int(clips.labels[shown])]
    spikes = network.run(clip).spikes
    figures += attempted(
        "One sample",
        "This is the left-out clip with the median number of spikes. Look for spikes over the "
        "whole gesture and for the grey band: neurons that are silent in this clip.",
        lambda: plotting.raster(spikes, inhibitory, clip.duration, f"Spikes during one {name!r}"),
    )
    figures += attempted(
        "Which gestures are taken for which",
        "Look for pairs off the diagonal: gestures that differ only in the order of events "
        "are the hard ones.",
        lambda: plotting.confusion(matrix, clips.classes, f"HeNHeS, seed {seed}, persons left out"),
    )
    figures += attempted(
        "How long neurons remember",
        "Look at the width: this is the neurons' heterogeneity; in the homogeneous variants "
        "every neuron has the mean of the law.",
        lambda: plotting.time_constants(network.neuron_parameters["tau_m"], inhibitory),
    )
    figures += attempted(
        "What was learned",
        "Look at the right how many synapses moved away from the dashed line: that is what one "
        "pass without labels changed. On the left, a heap at 0 or at the top means that "
        "weights ran into a bound.",
        lambda: plotting.weights(before.data[plastic], network.recurrent_weights.data[plastic]),
    )
    return figures


def _fields(clips: Clips, training: NDArray[np.bool_], seed: int, n_threads: int | None) -> Figure:
    """Draw the fields that the default feature layer learns."""
    layer = layer_for(clips, seed, "learned", n_threads)
    layer.fit(clips.events.subset(training))
    return receptive_fields(layer.fields_)


def _excitatory_pairs(weights: Any, inhibitory: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the synapses, in the order of `weights.data`, from excitatory to excitatory."""
    pre = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    marked: NDArray[np.bool_] = ~inhibitory[pre] & ~inhibitory[weights.indices]
    return marked

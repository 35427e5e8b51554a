"""What an experiment compares: each system turns encoded clips into counts.

A system is the event counts themselves or a network in one of its variants. All see the
same clips, are calibrated by the same rule and hand over the same kind of features, so that
one readout serves all. Labels come in to be checked, and go no further.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import check_choice, check_integer, check_kind
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.counting_checks import (
    WINDOWS,
    check_counting,
    check_division,
    check_learning,
)
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.results import RunStats
from hrsnn_rs.network.running import MOST_WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.events.store import EventStore
    from hrsnn_rs.learning.readout import Readout
    from hrsnn_rs.network.results import Calibration

CONTROLS = ("event counts", "untrained", "no recurrence")
"""What stands beside every accuracy."""


@dataclass(frozen=True, eq=False)
class Features:
    """Counts of one system, and what they cost.

    Parameters
    ----------
    counts : FeatureTable or ndarray of shape (n_clips, n_windows, n_units)
        Counts of every clip; `numpy.asarray` reads a table into memory.
    reversed_counts : ndarray of shape (n_clips, 1, n_units) or None
        Counts of each clip's time-reversed copy in one window.
    n_neurons, n_synapses : int
        Size of the network; 0 without one.
    spikes_per_sample, synaptic_operations : float
        Means over the validation clips.
    rate : float or None
        Mean rate of a neuron in Hz over the validation clips.
    weight_updates : int
        Changes of weights in training.
    gain : float or None
        Input gain that calibration set.
    seconds : float
        Wall time of calibration, training and simulation.
    suprathreshold : float or None
        Share of excitatory input synapses that alone drive their neuron over threshold.
    network : Network or None
        The network as it is after training.
    tau_m : float or None
        Membrane time constant in ms of all neurons, where one was chosen.
    readout : Readout or None
        Readout that suits these counts, to be cloned; `None` means that of the experiment.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning import Features
    >>> Features(counts=np.zeros((3, 4, 10)), reversed_counts=None, seconds=0.0).n_synapses
    0
    """

    counts: FeatureTable | NDArray[Any]
    reversed_counts: NDArray[Any] | None
    seconds: float
    n_neurons: int = 0
    n_synapses: int = 0
    spikes_per_sample: float = 0.0
    synaptic_operations: float = 0.0
    rate: float | None = None
    weight_updates: int = 0
    gain: float | None = None
    suprathreshold: float | None = None
    network: Network | None = None
    tau_m: float | None = None
    readout: Readout | None = None


def costs(network: Network, calibration: Calibration, stats: list[RunStats]) -> dict[str, Any]:
    """Say what samples took: means over them, by the names of `Features`.

    Parameters
    ----------
    network : Network
        What ran them.
    calibration : Calibration
        The last one.
    stats : list of RunStats
        One for each sample.

    Returns
    -------
    dict
        `spikes_per_sample`, `rate`, `gain`, `suprathreshold` and `synaptic_operations`.
    """
    total = RunStats.total(stats)
    return {
        "spikes_per_sample": total.n_spikes / len(stats),
        "rate": 1e6 * total.n_spikes / (network.n_neurons * total.duration),
        "gain": network.input_gain,
        "suprathreshold": calibration.suprathreshold,
        "synaptic_operations": total.n_synaptic_operations / len(stats),
    }


def calibrated_counts(
    network: Network,
    known: list[Events],
    new: list[Events],
    *,
    n_threads: int | None,
    **calibration: Any,
) -> tuple[NDArray[Any], NDArray[Any], dict[str, Any]]:
    """Calibrate a network to known samples, and count its spikes in one window of each sample.

    Parameters
    ----------
    network : Network
        Its input gain is set.
    known, new : list of Events
        Samples to fit to, and to judge by.
    n_threads : int or None
        Threads.
    **calibration
        Of `Network.calibrate`, such as `rate`.

    Returns
    -------
    seen, unseen : ndarray of shape (n_samples, 1, n_neurons)
        Counts of the known samples and of the new ones.
    cost : dict
        Of the new ones, as `costs` gives it.
    """
    calibrated = network.calibrate(known, n_threads=n_threads, **calibration)
    seen = network.transform(known, n_threads=n_threads)
    unseen, each = network.transform(new, n_threads=n_threads, return_stats=True)
    return seen, unseen, costs(network, calibrated, each)


def window_counts(events: Events, n_windows: int, windows: str = "events") -> NDArray[np.float32]:
    """Count a sample's input events per window and channel.

    Parameters
    ----------
    events : Events
        Sample. Not changed.
    n_windows : int
        Number of windows, at least 1.
    windows : {"events", "time"}, default="events"
        Windows of equal shares of the events, or of the duration.

    Returns
    -------
    float32 ndarray of shape (n_windows, n_channels)
        Counts; their sum is the number of events.

    Raises
    ------
    ParameterError
        If `events` are none, or `n_windows` or `windows` is not allowed.

    Examples
    --------
    >>> from hrsnn_rs.events import Events
    >>> from hrsnn_rs.learning import window_counts
    >>> events = Events([1, 2, 3, 90], [0, 0, 1, 1], n_channels=2, duration=100)
    >>> window_counts(events, 2).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    >>> window_counts(events, 2, windows="time").tolist()
    [[2.0, 1.0], [0.0, 1.0]]
    """
    if not isinstance(events, Events):
        raise ParameterError(f"events must be Events; got {kind_of(events)}.")
    n_windows = check_integer("n_windows", n_windows, 1, MOST_WINDOWS)
    check_choice("windows", windows, WINDOWS)
    # Ends as the core cuts them, so that counts and spikes are of the same windows.
    inner = np.arange(1, n_windows)
    if windows == "events":
        ends = np.append(events.t, events.duration)[inner * len(events) // n_windows]
    else:
        ends = inner * events.duration // n_windows
    window = np.searchsorted(ends, events.t, side="right")
    place = window * events.n_channels + events.channel
    counts = np.bincount(place, minlength=n_windows * events.n_channels)
    return counts.reshape(n_windows, events.n_channels).astype(np.float32)


def count_features(clips: Clips, *, n_windows: int, windows: str, memory: bool) -> Features:
    """Give the event counts themselves as features: the control without any network.

    Parameters
    ----------
    clips : Clips
        Encoded clips. Not changed.
    n_windows : int
        Windows of a clip.
    windows : {"events", "time"}
        Kind of windows.
    memory : bool
        Whether to count the time-reversed copies too.

    Returns
    -------
    Features
        With no neuron and no spike.

    Raises
    ------
    ParameterError
        If an argument is not what it should be.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import Clips, count_features
    >>> clips = Clips.of_dataset(make_gestures(1, 1, size=32, duration=200_000))
    >>> count_features(clips, n_windows=4, windows="events", memory=False).counts.shape
    (11, 4, 2048)
    """
    begin = time.perf_counter()
    check_kind("clips", clips, Clips)
    check_counting(n_windows=n_windows, windows=windows, memory=memory)

    def count(chunk: list[Events]) -> tuple[NDArray[Any], list[RunStats]]:
        return np.stack([window_counts(one, n_windows, windows) for one in chunk]), []

    counts, _ = FeatureTable.of_chunks(count, clips.events)
    backwards = None
    if memory:
        backwards = np.stack([window_counts(one.reversed(), 1) for one in clips.events])
    return Features(counts, backwards, seconds=time.perf_counter() - begin)


def network_features(
    network: Network,
    clips: Clips,
    training: NDArray[np.bool_],
    *,
    epochs: int,
    rate: float | None,
    spikes: float | None = None,
    n_calibration: int,
    n_windows: int,
    windows: str,
    memory: bool,
    n_threads: int | None,
    recalibrate: bool = True,
) -> Features:
    """Calibrate a network, train it without labels, calibrate it anew and count its spikes.

    Parameters
    ----------
    network : Network
        Network as it was drawn. Its gain and weights are changed.
    clips : Clips
        Encoded clips. Not changed.
    training : bool ndarray of shape (n_clips,)
        Which clips calibration and training may see.
    epochs : int
        Passes over the training clips; 0 for none.
    rate : float or None
        Mean rate in Hz to calibrate to; `None` means 3, unless `spikes` is given.
    spikes : float, default=None
        Spikes of all neurons in a clip to calibrate to, in place of a rate.
    n_calibration : int
        Training clips, evenly spaced, that calibration looks at.
    n_windows : int
        Windows of a clip.
    windows : {"events", "time"}
        Kind of windows.
    memory : bool
        Whether to run the time-reversed copies too.
    n_threads : int or None
        Threads; the result does not depend on them.
    recalibrate : bool, default=True
        Whether a network that has learned is calibrated again, so that it fires as much as one
        that has not.

    Returns
    -------
    Features
        Counts of all clips; costs are means over those not in `training`.

    Raises
    ------
    CalibrationError
        If the rate cannot be reached.
    ParameterError, ShapeError
        If both a rate and a number of spikes are given, or an argument is not what it should be.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.network import default_network
    >>> from hrsnn_rs.learning import Clips, network_features
    >>> clips = Clips.of_dataset(make_gestures(2, 1, duration=400_000))
    >>> features = network_features(
    ...     default_network(n_neurons=50), clips, training=clips.groups == 0, epochs=1, rate=3.0,
    ...     n_calibration=8, n_windows=4, windows="events", memory=False, n_threads=None)
    >>> features.counts.shape
    (22, 4, 50)
    """
    begin = time.perf_counter()
    check_kind("network", network, Network)
    check_division(clips, training)
    check_counting(n_windows=n_windows, windows=windows, memory=memory, n_threads=n_threads)
    check_learning(epochs=epochs, n_calibration=n_calibration, recalibrate=recalibrate)
    prepared = prepare(
        network,
        clips,
        training,
        epochs=epochs,
        rate=rate,
        spikes=spikes,
        n_calibration=n_calibration,
        n_windows=n_windows,
        windows=windows,
        n_threads=n_threads,
        recalibrate=recalibrate,
    )
    return tested_features(prepared, clips, training, memory=memory, begin=begin, tau_m=None)


class Counting(NamedTuple):
    """How the spikes of samples are counted.

    Attributes
    ----------
    n_windows : int
        Windows of a sample.
    windows : {"events", "time"}
        Kind of windows.
    n_threads : int or None
        Threads; the result does not depend on them.
    """

    n_windows: int
    windows: str
    n_threads: int | None

    def of(self, network: Network, events: EventStore) -> tuple[FeatureTable, list[RunStats]]:
        """Count a network's spikes in samples, and say what they took."""

        def count(chunk: list[Events]) -> tuple[NDArray[Any], list[RunStats]]:
            return network.transform(
                chunk,
                self.n_windows,
                windows=self.windows,
                n_threads=self.n_threads,
                return_stats=True,
            )

        return FeatureTable.of_chunks(count, events)


class Prepared(NamedTuple):
    """A network that has seen the training clips and no other.

    Attributes
    ----------
    network : Network
        Calibrated and trained.
    calibration : Calibration
        The last one, and what came of it.
    weight_updates : int
        Changes of weights in training.
    counts : FeatureTable of shape (n_training, n_windows, n_neurons)
        Counts of the training clips.
    counting : Counting
        How they were counted.
    """

    network: Network
    calibration: Calibration
    weight_updates: int
    counts: FeatureTable
    counting: Counting


def prepare(
    network: Network,
    clips: Clips,
    training: NDArray[np.bool_],
    *,
    epochs: int,
    rate: float | None,
    spikes: float | None,
    n_calibration: int,
    n_windows: int,
    windows: str,
    n_threads: int | None,
    recalibrate: bool = True,
) -> Prepared:
    """Calibrate and train a network, calibrate it anew, and count its spikes in the training clips.

    Parameters and errors are those of `network_features`.
    """
    seen = clips.events.subset(training)
    calibrate = partial(
        network.calibrate,
        seen,
        rate=rate,
        spikes=spikes,
        n_samples=n_calibration,
        n_threads=n_threads,
    )
    calibration = calibrate()
    weight_updates = 0
    if epochs:
        weight_updates = network.train(seen, epochs=epochs, n_threads=n_threads).n_weight_updates
        if recalibrate:
            calibration = calibrate()
    counting = Counting(n_windows, windows, n_threads)
    counts, _ = counting.of(network, seen)
    return Prepared(network, calibration, weight_updates, counts, counting)


def tested_features(
    prepared: Prepared,
    clips: Clips,
    training: NDArray[np.bool_],
    *,
    memory: bool,
    begin: float,
    tau_m: float | None,
) -> Features:
    """Count spikes in the other clips too; `begin` is when work on the network began, in s.

    Other parameters are those of `network_features` and `Features`.
    """
    network, counting = prepared.network, prepared.counting
    new, stats = counting.of(network, clips.events.subset(~training))
    both = FeatureTable(rows for table in (prepared.counts, new) for _, rows in table.blocks())
    counts = both[np.argsort(np.argsort(~training, kind="stable"))]
    backwards = None
    if memory:
        copies = (one.reversed() for one in clips.events)
        backwards = network.transform(copies, n_threads=counting.n_threads)
    return Features(
        counts,
        backwards,
        seconds=time.perf_counter() - begin,
        n_neurons=network.n_neurons,
        n_synapses=network.n_synapses,
        weight_updates=prepared.weight_updates,
        network=network,
        tau_m=tau_m,
        **costs(network, prepared.calibration, stats),
    )

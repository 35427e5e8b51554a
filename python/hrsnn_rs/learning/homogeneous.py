"""The best homogeneous network: the control that a spread of time constants has to beat.

The constant of the same mean may be a bad one. So membrane time constants are swept and the best is
taken, judged on training clips alone: a readout is fitted without some of the training groups and
asked about them. Invariant: the clips that are reported have no part in the choice.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from hrsnn_rs.arguments import check_choice, check_kind
from hrsnn_rs.description.distributions import Constant
from hrsnn_rs.errors import CalibrationError, CalibrationWarning
from hrsnn_rs.learning.counting_checks import (
    check_counting,
    check_division,
    check_learning,
    check_readout,
)
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import prepare, tested_features
from hrsnn_rs.network.network import VARIANTS, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.learning.clips import Clips
    from hrsnn_rs.learning.feature_table import FeatureTable
    from hrsnn_rs.learning.systems import Features

CONSTANTS = tuple(Constant(5.0 * 2**power) for power in range(8))
"""The sweep: membrane time constants from 5 to 640 ms."""

HOMOGENEOUS = tuple(
    name for name, (is_heterogeneous, _) in VARIANTS.items() if not is_heterogeneous
)
"""Variants whose neurons are all the same."""

_N_SPLITS = 5


def best_homogeneous_features(
    network: Network,
    variant: str,
    clips: Clips,
    training: NDArray[np.bool_],
    readout: Readout,
    *,
    memory: bool,
    **settings: Any,
) -> Features:
    """Count the spikes of a homogeneous variant with the best of several time constants.

    Each constant has a network of its own, calibrated and trained on the training clips. The
    readout is fitted without a fifth of the training groups, and asked about them, five times; the
    constant with the most correct answers is taken, of equals the smallest.

    Parameters
    ----------
    network : Network
        Heterogeneous network as it was drawn. Not changed.
    variant : {"HoNHoS", "HoNHeS"}
        Which variant.
    clips : Clips
        Encoded clips. Not changed.
    training : bool ndarray of shape (n_clips,)
        Which clips may be seen.
    readout : Readout
        Readout that judges; cloned.
    memory, **settings
        As in `network_features`.

    Returns
    -------
    Features
        Of the network with the constant that was chosen; `tau_m` is that constant in ms.

    Raises
    ------
    CalibrationError
        If no constant reaches the rate.
    ParameterError, ShapeError
        If an argument is not what it should be.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.network import default_network
    >>> from hrsnn_rs.learning import Clips, Readout, best_homogeneous_features
    >>> clips = Clips.of_dataset(make_gestures(3, 1, duration=400_000))
    >>> features = best_homogeneous_features(
    ...     default_network(n_neurons=30), "HoNHoS", clips, clips.groups < 2, Readout(), epochs=0,
    ...     rate=3.0, spikes=None, n_calibration=8, n_windows=4, windows="events", memory=False,
    ...     n_threads=None)
    >>> features.tau_m in [law.value for law in CONSTANTS]
    True
    """
    begin = time.perf_counter()
    check_kind("network", network, Network)
    check_choice("variant", variant, HOMOGENEOUS)
    check_division(clips, training)
    check_kind("readout", readout, Readout)
    check_readout(readout)
    counting = ("n_windows", "windows", "n_threads")
    check_counting(memory=memory, **{name: settings[name] for name in counting})
    learning = ("epochs", "n_calibration", "recalibrate")
    check_learning(**{name: settings[name] for name in learning if name in settings})
    best, best_score, missed = None, -1.0, None
    for law in CONSTANTS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CalibrationWarning)
                one = network.variant(variant, tau_m=law.value)
                prepared = prepare(one, clips, training, **settings)
        except CalibrationError as error:
            missed = error
            continue
        score = left_out_accuracy(
            prepared.counts, clips.labels[training], clips.groups[training], readout
        )
        if score > best_score:
            best, best_score = (law, prepared), score
    if best is None:
        assert missed is not None, "there is a constant"
        raise missed
    law, prepared = best
    return tested_features(prepared, clips, training, memory=memory, begin=begin, tau_m=law.value)


def left_out_accuracy(
    counts: FeatureTable | NDArray[Any],
    labels: NDArray[np.int64],
    groups: NDArray[Any],
    readout: Readout,
) -> float:
    """Give the share of clips that are named rightly by a readout that has not seen their group.

    Parameters
    ----------
    counts : FeatureTable or ndarray of shape (n_clips, n_windows, n_units)
        Features.
    labels : ndarray of int64, shape (n_clips,)
        Classes.
    groups : ndarray of shape (n_clips,)
        Groups; of a single one, clips are left out in its place.
    readout : Readout
        Cloned for each fold; a fold that leaves one class to fit to counts as wrong.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning import Readout
    >>> counts = np.array([1, 9, 2, 8, 1, 7]).reshape(6, 1, 1)
    >>> left_out_accuracy(counts, np.array([0, 1] * 3), np.array([0, 0, 1, 1, 2, 2]), Readout())
    1.0
    """
    codes = np.unique(groups, return_inverse=True)[1]
    if codes.max() == 0:
        codes = np.arange(len(codes))
    n_splits = min(_N_SPLITS, int(codes.max()) + 1)
    if n_splits < 2:
        return 0.0
    n_right = 0
    for fitted, left_out in GroupKFold(n_splits).split(counts, groups=codes):
        if len(np.unique(labels[fitted])) > 1:
            one = clone(readout).fit(counts[fitted], labels[fitted], groups=groups[fitted])
            n_right += int((one.predict(counts[left_out]) == labels[left_out]).sum())
    return n_right / len(labels)

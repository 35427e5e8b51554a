"""Checks of what systems of an experiment are asked with, made before any of the work.

Lives here: which clips may be seen, how spikes are counted, how a network learns, and what reads it
out. Not here: checks that know neither clips nor networks (`arguments`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hrsnn_rs.arguments import as_array, check_choice, check_integer, check_kind, check_truth
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.settings import check_part
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.running import MOST_WINDOWS

__all__ = ["WINDOWS", "check_counting", "check_division", "check_learning", "check_readout"]

WINDOWS = ("events", "time")
"""Kinds of windows."""


def check_division(clips: object, training: object) -> None:
    """Refuse what are no clips, or marks that do not divide them into known and new ones.

    Parameters
    ----------
    clips : Clips
        Not changed.
    training : bool ndarray of shape (n_clips,)
        Not changed.

    Raises
    ------
    ParameterError
        If the clips are none, or marks are none, or all of them are of one side.
    ShapeError
        If there are not as many marks as clips.

    Examples
    --------
    >>> check_division(None, [True])
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: clips must be of type Clips; got None.
    """
    n = len(check_kind("clips", clips, Clips).events)
    marks = as_array("training", training)
    if marks.dtype.kind != "b" or not isinstance(training, np.ndarray):
        raise ParameterError(f"training must be an array of True and False; got {training!r}.")
    if marks.shape != (n,):
        raise ShapeError(f"training must have shape ({n},); got {marks.shape}.")
    if marks.all() or not marks.any():
        raise ParameterError(f"training must be True for some clips, not all; got {marks.sum()}.")


def check_counting(
    *, n_windows: object, windows: object, memory: object, n_threads: Any = None
) -> None:
    """Refuse what says in no way how to count, before any work."""
    check_integer("n_windows", n_windows, 1, MOST_WINDOWS)
    check_choice("windows", windows, WINDOWS)
    check_truth("memory", memory)
    check_threads(n_threads)


def check_learning(*, epochs: object, n_calibration: object, recalibrate: object = True) -> None:
    """Refuse what says in no way how a network is calibrated and trained, before any work."""
    check_integer("epochs", epochs)
    check_integer("n_calibration", n_calibration, 1)
    check_truth("recalibrate", recalibrate)


def check_readout(readout: object) -> None:
    """Refuse what is no readout, or one that was set to nonsense; `None` leaves it open.

    Parameters
    ----------
    readout : Readout or None
        To be cloned. Not changed.

    Raises
    ------
    ParameterError, ShapeError
        If it is neither, or one of its parameters is not allowed: named `readout__alpha`.

    Examples
    --------
    >>> from hrsnn_rs.learning import Readout
    >>> check_readout(Readout(alpha=-1.0))
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: readout__alpha must be finite and greater than 0; got -1.0.
    """
    check_kind("readout", readout, Readout, type(None))
    if isinstance(readout, Readout):
        check_part("readout", readout)

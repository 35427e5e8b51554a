"""Numbers that say how well classes are told apart: accuracy, confusion, direction in time.

Pure functions of arrays; nothing here runs a network. Accuracy and the confusion matrix are
scikit-learn's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as _confusion_matrix

from hrsnn_rs.arguments import as_array
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import whole_numbers
from hrsnn_rs.learning.labels import encode
from hrsnn_rs.learning.statistics import as_numbers, paired_arrays

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

_TIE = 1e-9
"""Decision values nearer than this share of their scale are a tie: rounding is no memory."""


def accuracy(y: ArrayLike, predicted: ArrayLike) -> float:
    """Give the share of samples that are named rightly.

    Parameters
    ----------
    y, predicted : array of shape (n_samples,)
        True and predicted labels.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ShapeError
        If the lengths differ or are 0.
    ParameterError
        If a label is missing, or they are not of one kind.

    Examples
    --------
    >>> from hrsnn_rs.learning import accuracy
    >>> accuracy([1, 2, 3, 4], [1, 2, 3, 3])
    0.75
    """
    true, guess = _labelled(y, predicted)
    return float(accuracy_score(true, guess))


def confusion_matrix(
    y: ArrayLike, predicted: ArrayLike, classes: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Count true class (row) against predicted class (column).

    Parameters
    ----------
    y, predicted : array of shape (n_samples,)
        True and predicted labels.
    classes : array of shape (n_classes,), default=None
        Order of rows and columns. `None` means the sorted labels of both.

    Returns
    -------
    int64 ndarray of shape (n_classes, n_classes)
        Counts; their sum is n_samples when `classes` holds every label.

    Raises
    ------
    ShapeError
        If the lengths differ or are 0.
    ParameterError
        If a label is missing, they are not of one kind, or `classes` holds none of them.

    Examples
    --------
    >>> from hrsnn_rs.learning import confusion_matrix
    >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"])
    array([[1, 1],
           [0, 1]])
    """
    true, guess = _labelled(y, predicted)
    labels = None if classes is None else _labels("classes", classes)
    if labels is not None:
        listed = labels.tolist()
        for place, label in enumerate(listed):
            if label in listed[:place]:
                raise ParameterError(f"classes must be different; got {label!r} twice.")
        if not set(listed) & set(true.tolist()):
            raise ParameterError(f"classes must hold a label of y; got {listed}.")
    return np.asarray(_confusion_matrix(true, guess, labels=labels), dtype=np.int64)


def recall_of_classes(y: ArrayLike, predicted: ArrayLike) -> pl.DataFrame:
    """Give, for each true class, how many samples it has and which share is found.

    Parameters
    ----------
    y, predicted : array of shape (n_samples,)
        True and predicted labels.

    Returns
    -------
    polars.DataFrame
        Columns `label`, `n_samples`, `recall`; one row per class in `y`, sorted.

    Raises
    ------
    ShapeError
        If the lengths differ or are 0.
    ParameterError
        If a label is missing, or they are not of one kind.

    Examples
    --------
    >>> from hrsnn_rs.learning import recall_of_classes
    >>> recall_of_classes(["a", "a", "b"], ["a", "b", "b"]).rows()
    [('a', 2, 0.5), ('b', 1, 1.0)]
    """
    true, guess = _labelled(y, predicted)
    classes, inverse, counts = np.unique(true, return_inverse=True, return_counts=True)
    found = np.bincount(inverse, weights=true == guess, minlength=len(classes))
    return pl.DataFrame(
        {"label": classes.tolist(), "n_samples": counts.tolist(), "recall": found / counts}
    )


def _labelled(y: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """View true and predicted labels as arrays, of the same length."""
    paired_arrays(y=y, predicted=predicted)
    return _labels("y", y), _labels("predicted", predicted)


def _labels(name: str, given: ArrayLike) -> NDArray[Any]:
    """Give labels as an array of one type."""
    found = encode(name, given)
    return found.values[found.codes]


def direction_scores(decision: ArrayLike, classes: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Say of each sample whether its direction in time is known, given what it shows.

    The memory task has two classes for each gesture `g`: `2 g` forwards and `2 g + 1` with
    the order of its events reversed. Of the two decision values of the true gesture the one
    of the true direction must be larger. A tie counts one half, so a classifier that cannot
    tell the two apart has exactly 0.5.

    Parameters
    ----------
    decision : array of shape (n_samples, n_classes), or (n_samples,) for two classes
        Decision values, columns in the order of `classes`.
    classes : integer array of shape (n_classes,)
        Class of each column: twice the gesture plus the direction.
    y : integer array of shape (n_samples,)
        True class of each sample.

    Returns
    -------
    float64 ndarray of shape (n_samples,)
        1 right, 0 wrong, 0.5 a tie.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ParameterError
        If a class or its other direction has no column, or something is no number.

    Notes
    -----
    Values that differ by less than 1e-9 of the largest decision value are a tie.

    Examples
    --------
    >>> from hrsnn_rs.learning import direction_scores
    >>> decision = [[0.9, 0.1, 0.0, 0.0], [0.2, 0.2, 0.9, 0.0]]
    >>> direction_scores(decision, classes=[0, 1, 2, 3], y=[0, 1]).tolist()
    [1.0, 0.5]
    """
    given = as_array("decision", decision)
    values = as_numbers("decision", given, ndim=1 if given.ndim == 1 else 2)
    columns = whole_numbers(classes, "classes", at="column")
    true = whole_numbers(y, "y", at="sample")
    if values.ndim == 1 and len(columns) == 2:
        values = np.column_stack([-values, values])
    if values.shape != (len(true), len(columns)) or len(true) == 0:
        raise ShapeError(
            f"decision must have shape ({len(true)}, {len(columns)}), by y and classes, and hold a "
            f"sample; got {values.shape}."
        )
    column_of = {int(label): column for column, label in enumerate(columns)}
    for label in np.unique(true):
        for needed in (int(label), int(label) ^ 1):
            if needed not in column_of:
                raise ParameterError(f"classes must hold {needed}, a direction of a class in y.")
    row = np.arange(len(true))
    right = values[row, [column_of[int(label)] for label in true]]
    wrong = values[row, [column_of[int(label) ^ 1] for label in true]]
    tie = np.abs(right - wrong) <= _TIE * max(float(np.abs(values).max()), 1e-300)
    return np.where(tie, 0.5, right > wrong)


def direction_accuracy(decision: ArrayLike, classes: ArrayLike, y: ArrayLike) -> float:
    """Give the share of samples whose direction in time is known, given what they show.

    It is the mean of `direction_scores`.

    Parameters
    ----------
    decision : array of shape (n_samples, n_classes), or (n_samples,) for two classes
        Decision values, columns in the order of `classes`.
    classes : integer array of shape (n_classes,)
        Class of each column: twice the gesture plus the direction.
    y : integer array of shape (n_samples,)
        True class of each sample.

    Returns
    -------
    float
        Between 0 and 1; 0.5 is chance.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ParameterError
        If a class or its other direction has no column, or something is no number.

    Examples
    --------
    >>> from hrsnn_rs.learning import direction_accuracy
    >>> decision = [[0.9, 0.1, 0.0, 0.0], [0.2, 0.2, 0.9, 0.0]]
    >>> direction_accuracy(decision, classes=[0, 1, 2, 3], y=[0, 1])
    0.75
    """
    return float(direction_scores(decision, classes, y).mean())

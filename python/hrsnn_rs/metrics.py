"""Numbers that say how well and how dearly: accuracy, memory, spread over seeds, operations.

Pure functions of arrays; nothing here runs a network. Accuracy and the confusion matrix are
scikit-learn's own. Spread is always over seeds, and comparisons are paired by seed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import stats
from sklearn.metrics import accuracy_score
from sklearn.metrics import confusion_matrix as _confusion_matrix

from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TIE = 1e-9
"""Decision values nearer than this share of their scale are a tie: rounding is no memory."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of one number over seeds.

    Parameters
    ----------
    mean : float
        Mean over seeds.
    sd : float
        Sample standard deviation (n - 1); NaN for one seed.
    n : int
        Number of seeds.

    Examples
    --------
    >>> from hrsnn_rs.metrics import Spread
    >>> str(Spread(mean=0.8512, sd=0.0123, n=3))
    '0.851 ± 0.012'
    """

    mean: float
    sd: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f}" if self.n < 2 else f"{self.mean:.3f} ± {self.sd:.3f}"


@dataclass(frozen=True)
class PairedDifference:
    """Mean of the differences seed by seed, with its 95 % Student t interval.

    Parameters
    ----------
    mean : float
        Mean difference.
    low, high : float
        Ends of the interval; NaN for one seed.
    sd : float
        Sample standard deviation of the differences; NaN for one seed.
    n : int
        Number of seeds.

    Examples
    --------
    >>> from hrsnn_rs.metrics import PairedDifference
    >>> PairedDifference(mean=0.02, low=0.01, high=0.03, sd=0.008, n=5).is_clear
    True
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0.0 or self.high < 0.0

    def __str__(self) -> str:
        if self.n < 2:
            return f"{self.mean:+.3f} (one seed: no interval)"
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}] (95 %, {self.n} seeds)"

    def to_dict(self) -> dict[str, float | int]:
        """Give the fields as a dictionary.

        Returns
        -------
        dict
            `mean`, `low`, `high`, `sd`, `n`.

        Examples
        --------
        >>> from hrsnn_rs.metrics import PairedDifference
        >>> PairedDifference(mean=0.5, low=0.25, high=0.75, sd=0.1, n=2).to_dict()
        {'mean': 0.5, 'low': 0.25, 'high': 0.75, 'sd': 0.1, 'n': 2}
        """
        return asdict(self)


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

    Examples
    --------
    >>> from hrsnn_rs.metrics import accuracy
    >>> accuracy([1, 2, 3, 4], [1, 2, 3, 3])
    0.75
    """
    true, guess = _pair(y, predicted)
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

    Examples
    --------
    >>> from hrsnn_rs.metrics import confusion_matrix
    >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"])
    array([[1, 1],
           [0, 1]])
    """
    true, guess = _pair(y, predicted)
    labels = None if classes is None else np.asarray(classes)
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

    Examples
    --------
    >>> from hrsnn_rs.metrics import recall_of_classes
    >>> recall_of_classes(["a", "a", "b"], ["a", "b", "b"]).rows()
    [('a', 2, 0.5), ('b', 1, 1.0)]
    """
    true, guess = _pair(y, predicted)
    classes, inverse, counts = np.unique(true, return_inverse=True, return_counts=True)
    found = np.bincount(inverse, weights=true == guess, minlength=len(classes))
    return pl.DataFrame(
        {"label": classes.tolist(), "n_samples": counts.tolist(), "recall": found / counts}
    )


def direction_accuracy(decision: ArrayLike, classes: ArrayLike, y: ArrayLike) -> float:
    """Give the share of samples whose direction in time is known, given what they show.

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
    float
        Between 0 and 1; 0.5 is chance.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ParameterError
        If a class or its other direction has no column.

    Notes
    -----
    Values that differ by less than 1e-9 of the largest decision value are a tie.

    Examples
    --------
    >>> from hrsnn_rs.metrics import direction_accuracy
    >>> decision = [[0.9, 0.1, 0.0, 0.0], [0.2, 0.2, 0.9, 0.0]]
    >>> direction_accuracy(decision, classes=[0, 1, 2, 3], y=[0, 1])
    0.75
    """
    values = np.asarray(decision, dtype=np.float64)
    columns, true = np.asarray(classes), np.asarray(y)
    if values.ndim == 1 and len(columns) == 2:
        values = np.column_stack([-values, values])
    if values.shape != (len(true), len(columns)) or len(true) == 0:
        raise ShapeError(
            f"decision must have shape ({len(true)}, {len(columns)}) and hold a sample; "
            f"got {values.shape}."
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
    return float(np.where(tie, 0.5, right > wrong).mean())


def spread(values: ArrayLike) -> Spread:
    """Summarise one number measured with several seeds.

    Parameters
    ----------
    values : array of shape (n_seeds,)
        One value per seed.

    Returns
    -------
    Spread
        Mean and sample standard deviation.

    Raises
    ------
    ShapeError
        If there is no value.

    Examples
    --------
    >>> from hrsnn_rs.metrics import spread
    >>> str(spread([0.8, 0.9, 1.0]))
    '0.900 ± 0.100'
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if len(numbers) == 0:
        raise ShapeError("values must hold at least one value; got 0.")
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan")
    return Spread(mean=float(numbers.mean()), sd=sd, n=len(numbers))


def paired_difference(first: ArrayLike, second: ArrayLike) -> PairedDifference:
    """Give the mean of `first - second` over seeds, with its 95 % t interval.

    Parameters
    ----------
    first, second : array of shape (n_seeds,)
        Values of two systems, in the same order of seeds.

    Returns
    -------
    PairedDifference
        Mean and interval.

    Raises
    ------
    ShapeError
        If the lengths differ or are 0.

    Examples
    --------
    >>> from hrsnn_rs.metrics import paired_difference
    >>> str(paired_difference([0.83, 0.86, 0.88], [0.80, 0.85, 0.86]))
    '+0.020 [-0.005, +0.045] (95 %, 3 seeds)'
    """
    one, two = _pair(first, second)
    gaps = one.astype(np.float64) - two.astype(np.float64)
    mean = float(gaps.mean())
    if len(gaps) < 2:
        nan = float("nan")
        return PairedDifference(mean=mean, low=nan, high=nan, sd=nan, n=1)
    sd = float(gaps.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(gaps) - 1)) * sd / len(gaps) ** 0.5
    return PairedDifference(mean=mean, low=mean - half, high=mean + half, sd=sd, n=len(gaps))


def synaptic_operations(
    *,
    n_synaptic_events: int,
    n_spikes: int,
    n_samples: int,
    duration: int,
    n_inputs: int,
    n_neurons: int,
    n_synapses: int,
    dt: float = 1.0,
) -> dict[str, Any]:
    """Give operations and sparsity per sample under the names that NeuroBench uses.

    Parameters
    ----------
    n_synaptic_events : int
        Arrivals at synapses, from inputs and from neurons, in all samples together.
    n_spikes : int
        Spikes of the recurrent neurons in all samples together.
    n_samples : int
        Number of samples.
    duration : int
        Length of all samples together in µs.
    n_inputs, n_neurons, n_synapses : int
        Size of the network; synapses of inputs and of recurrence together.
    dt : float, default=1.0
        Step in ms of the clock-driven machine that `Dense` and `activation_sparsity` are
        stated for. The simulation itself has no step.

    Returns
    -------
    dict
        `synaptic_operations`: `Effective_ACs` (additions caused by a spike),
        `Effective_MACs` (always 0: a spike multiplies nothing) and `Dense` (every possible
        connection in every step), each per sample; `activation_sparsity`;
        `connection_sparsity`.

    Raises
    ------
    ParameterError
        If a size is not greater than 0, or a count is negative.

    Notes
    -----
    An operation here is a whole sample, where NeuroBench counts per execution of a model.

    References
    ----------
    .. [1] Yik et al. (2025), The neurobench framework for benchmarking neuromorphic
       computing algorithms and systems, Nat. Commun. 16:1545.

    Examples
    --------
    >>> from hrsnn_rs.metrics import synaptic_operations
    >>> operations = synaptic_operations(
    ...     n_synaptic_events=5_000, n_spikes=100, n_samples=10, duration=1_000_000,
    ...     n_inputs=20, n_neurons=80, n_synapses=800)
    >>> operations["synaptic_operations"]
    {'Effective_MACs': 0.0, 'Effective_ACs': 500.0, 'Dense': 800000.0}
    >>> operations["connection_sparsity"]
    0.9
    """
    sizes = {
        "n_samples": n_samples, "duration": duration, "n_inputs": n_inputs,
        "n_neurons": n_neurons, "dt": dt,
    }  # fmt: skip
    for name, size in sizes.items():
        if not size > 0:
            raise ParameterError(f"{name} must be greater than 0; got {size}.")
    counts = {
        "n_synaptic_events": n_synaptic_events, "n_spikes": n_spikes, "n_synapses": n_synapses,
    }  # fmt: skip
    for name, count in counts.items():
        if count < 0:
            raise ParameterError(f"{name} must not be negative; got {count}.")
    possible = n_inputs * n_neurons + n_neurons * n_neurons
    steps = duration / (1000.0 * dt)
    return {
        "synaptic_operations": {
            "Effective_MACs": 0.0,
            "Effective_ACs": n_synaptic_events / n_samples,
            "Dense": possible * steps / n_samples,
        },
        "activation_sparsity": 1.0 - n_spikes / (n_neurons * steps),
        "connection_sparsity": 1.0 - n_synapses / possible,
    }


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    one, two = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != two.shape or len(one) == 0:
        raise ShapeError(
            f"both arrays must have the same length, at least 1; got {one.shape} and {two.shape}."
        )
    return one, two

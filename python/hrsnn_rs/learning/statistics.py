"""Spread of a number over seeds, and paired differences with what they do and do not show.

A difference of two systems is made clip by clip and seed by seed. Two things vary besides: who was
tested, and what a seed draws. Both are resampled, persons and seeds, as in the pigeonhole bootstrap
of Owen (2007, Ann. Appl. Stat. 1:386). For a mean its variance has a closed form, so nothing is
drawn here: with the sums of the residuals over each person, each seed, and each person within a
seed, it is V_person + V_seed + V_cell. The last is there twice too often: a person with a seed is
part of both. What remains, V_person + V_seed - V_cell, is the two-way variance of Cameron, Gelbach
& Miller (2011, J. Bus. Econ. Stat. 29:238), and is set against Student's t with as many degrees of
freedom as the fewer of persons and seeds, less one. Where each person is tested with one seed only,
this is the t interval of the seeds' means. Several comparisons share one chance of a false alarm by
Holm (1979, Scand. J. Stat. 6:65).

What it does not know: seeds share clips to train on, so it speaks of persons and seeds like these
and of a training set like this one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from hrsnn_rs.arguments import as_array, check_number
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.words import counted, place_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.05
"""Chance of a false alarm that all comparisons share; intervals cover the rest."""

FEWEST_SEEDS = 5
"""Seeds without which nothing is said about a difference."""

FEWEST_PERSONS = 3
"""Persons without whom nothing is said about a difference."""

# Share of experiments in which the smallest difference that "would have been seen" is seen.
_POWER = 0.8


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
    >>> from hrsnn_rs.learning import Spread
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
    """Difference of two systems over the same clips and seeds, with its 95 % interval.

    Interval, standard error and p are NaN below five seeds or three persons.

    Parameters
    ----------
    mean : float
        Mean over seeds of the mean over their clips.
    standard_error : float
        Over persons and seeds.
    low, high : float
        Ends of the interval.
    p : float
        Chance of a difference as large, one way or the other, if there were none.
    n_seeds, n_persons, n_clips : int
        How many different ones it rests on; `n_persons` is 0 if nobody knows.

    Examples
    --------
    >>> from hrsnn_rs.learning import PairedDifference
    >>> gap = PairedDifference(mean=0.02, standard_error=0.01, low=-0.008, high=0.048, p=0.12,
    ...                        n_seeds=5, n_persons=10, n_clips=220)
    >>> str(gap)
    '+0.020 [-0.008, +0.048] (95 %; 5 seeds, 10 persons, 220 clips)'
    """

    mean: float
    standard_error: float
    low: float
    high: float
    p: float
    n_seeds: int
    n_persons: int
    n_clips: int

    @property
    def is_judged(self) -> bool:
        """Whether there are seeds and persons enough for an interval."""
        return self.n_seeds >= FEWEST_SEEDS and self.n_persons >= FEWEST_PERSONS

    def smallest_seen(self, level: float = LEVEL) -> float:
        """Give the true difference that four experiments of five like this one would find.

        Parameters
        ----------
        level : float, default=0.05
            Chance of a false alarm; less where it is shared.

        Returns
        -------
        float
            Minimum detectable effect (Bloom, 1995, Eval. Rev. 19:547); NaN without an interval.

        Raises
        ------
        ParameterError
            If the level is not above 0 and below 1.

        Examples
        --------
        >>> from hrsnn_rs.learning import PairedDifference
        >>> gap = PairedDifference(mean=0.02, standard_error=0.01, low=-0.008, high=0.048, p=0.12,
        ...                        n_seeds=5, n_persons=10, n_clips=220)
        >>> round(gap.smallest_seen(), 3)
        0.037
        """
        level = check_number("level", level, "above 0 and below 1", lambda one: 0.0 < one < 1.0)
        if not self.is_judged:
            return float("nan")
        freedom = _freedom(self.n_seeds, self.n_persons)
        quantiles = stats.t.isf(level / 2, freedom) + stats.t.ppf(_POWER, freedom)
        return float(quantiles) * self.standard_error

    def __str__(self) -> str:
        counts = ((self.n_seeds, "seed"), (self.n_persons, "person"), (self.n_clips, "clip"))
        n = ", ".join(counted(k, of) for k, of in counts)
        if not self.is_judged:
            return f"{self.mean:+.3f} (no interval; {n})"
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}] (95 %; {n})"

    def to_dict(self) -> dict[str, float | int]:
        """Give the fields as a dictionary.

        Returns
        -------
        dict
            A value for each parameter.

        Examples
        --------
        >>> from hrsnn_rs.learning import PairedDifference
        >>> gap = PairedDifference(mean=0.02, standard_error=0.01, low=-0.008, high=0.048, p=0.12,
        ...                        n_seeds=5, n_persons=10, n_clips=220)
        >>> gap.to_dict()["n_clips"]
        220
        """
        return asdict(self)


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
        If there is no value, or they have not one dimension.
    ParameterError
        If a value is not a finite number.

    Examples
    --------
    >>> from hrsnn_rs.learning import spread
    >>> str(spread([0.8, 0.9, 1.0]))
    '0.900 ± 0.100'
    """
    numbers = as_numbers("values", values)
    if len(numbers) == 0:
        raise ShapeError("values must hold at least one value; got 0.")
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan")
    return Spread(mean=float(numbers.mean()), sd=sd, n=len(numbers))


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    seed: ArrayLike,
    clip: ArrayLike,
    person: ArrayLike | None,
) -> PairedDifference:
    """Give the mean of `first - second`, with its 95 % interval over persons and seeds.

    Parameters
    ----------
    first, second : array of shape (n,)
        Scores of two systems, such as 1 for right and 0 for wrong; one for each clip and seed.
    seed, clip : array of shape (n,)
        With which seed, and on which clip. A clip may come back with another seed.
    person : array of shape (n,) or None
        Who is in the clip. `None` where nobody knows: then there is no interval.

    Returns
    -------
    PairedDifference
        Each seed counts the same, however many clips it was tested on.

    Raises
    ------
    ShapeError
        If the lengths differ or are 0.
    ParameterError
        If a score is not finite.

    Notes
    -----
    The variance is never taken for less than the smallest of its three parts, nor the standard
    error for less than one clip's share: where all clips agree, this is about the rule of three
    (an upper end of 3/n for what was never seen in n clips).

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning import paired_difference
    >>> seed = np.repeat(range(5), 4)
    >>> first = np.tile([1, 1, 1, 0], 5)
    >>> second = first.copy()
    >>> second[[0, 4, 9]] = 0
    >>> gap = paired_difference(first, second, seed=seed, clip=range(20), person=seed)
    >>> str(gap)
    '+0.150 [-0.020, +0.320] (95 %; 5 seeds, 5 persons, 20 clips)'
    """
    one, two = paired_arrays(first=first, second=second)
    for name, given in (("first", one), ("second", two)):
        if given.dtype.kind not in "biuf":
            raise ParameterError(f"{name} must be numbers; got dtype {given.dtype}.")
    gaps = one.astype(np.float64) - two.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(gaps))
    if wrong.size:
        place = int(wrong[0])
        raise ParameterError(
            f"first and second must be finite; got {one[place]} and {two[place]} at {place}."
        )
    seeds, clips = _numbered("seed", seed, len(gaps)), _numbered("clip", clip, len(gaps))
    persons = None if person is None else _numbered("person", person, len(gaps))
    n_seeds, n_clips = int(seeds.max()) + 1, int(clips.max()) + 1
    n_persons = 0 if persons is None else int(persons.max()) + 1
    n_tested = np.bincount(seeds)
    mean = float((np.bincount(seeds, weights=gaps) / n_tested).mean())
    nan = float("nan")
    if persons is None or n_seeds < FEWEST_SEEDS or n_persons < FEWEST_PERSONS:
        return PairedDifference(mean, nan, nan, nan, nan, n_seeds, n_persons, n_clips)
    residual = (gaps - mean) / (n_seeds * n_tested[seeds])
    cells = np.unique(persons * n_seeds + seeds, return_inverse=True)[1]
    of_persons, of_seeds, of_cells = (_variance(residual, unit) for unit in (persons, seeds, cells))
    variance = max(of_persons + of_seeds - of_cells, min(of_persons, of_seeds, of_cells))
    error = max(variance**0.5, 1.0 / n_clips)
    freedom = _freedom(n_seeds, n_persons)
    half = float(stats.t.isf(LEVEL / 2, freedom)) * error
    p = float(2.0 * stats.t.sf(abs(mean) / error, freedom))
    return PairedDifference(mean, error, mean - half, mean + half, p, n_seeds, n_persons, n_clips)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Correct the p values of several comparisons for their number.

    Parameters
    ----------
    p : array of shape (n_comparisons,)
        One for each comparison that was made.

    Returns
    -------
    float64 ndarray of shape (n_comparisons,)
        Holm's adjusted values: with those up to 0.05 taken for differences, the chance of any
        false one among all is at most 5 %, however the comparisons depend on each other.

    Raises
    ------
    ParameterError
        If a value is not between 0 and 1.

    Examples
    --------
    >>> from hrsnn_rs.learning import holm
    >>> holm([0.03, 0.01, 0.04]).tolist()
    [0.06, 0.03, 0.06]
    """
    values = as_numbers("p", p, finite=False)
    for place in np.flatnonzero(~((values >= 0.0) & (values <= 1.0))):
        raise ParameterError(f"p must be between 0 and 1; got {values[place]} at {place}.")
    order = np.argsort(values, kind="stable")
    steps = np.minimum((len(values) - np.arange(len(values))) * values[order], 1.0)
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def paired_arrays(**pair: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """View two sequences of the same length, at least 1, given by name, as arrays."""
    one, two = (as_array(name, given) for name, given in pair.items())
    if one.ndim != 1 or one.shape != two.shape or len(one) == 0:
        raise ShapeError(
            f"{' and '.join(pair)} must have the same length, at least 1; got {one.shape} and "
            f"{two.shape}."
        )
    return one, two


def as_numbers(
    name: str, values: ArrayLike, *, ndim: int = 1, finite: bool = True
) -> NDArray[np.float64]:
    """Give numbers, or truth values as 0 and 1, as float64.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    values : array_like of `ndim` dimensions
        Not changed.
    ndim : int, default=1
        Dimensions that it must have.
    finite : bool, default=True
        Whether to refuse what is not finite.

    Returns
    -------
    float64 ndarray of the same shape
        Not a copy if it is float64 already.

    Raises
    ------
    ParameterError
        If an element is no real number, or not finite.
    ShapeError
        If it has another number of dimensions.

    Examples
    --------
    >>> from hrsnn_rs.learning.statistics import as_numbers
    >>> as_numbers("values", [True, False])
    array([1., 0.])
    """
    array = as_array(name, values)
    if array.dtype.kind not in "biuf":
        raise ParameterError(f"{name} must be numbers; got dtype {array.dtype}.")
    if array.ndim != ndim:
        raise ShapeError(f"{name} must have {counted(ndim, 'dimension')}; got {array.shape}.")
    numbers = array.astype(np.float64, copy=False)
    wrong = ~np.isfinite(numbers)
    if finite and wrong.any():
        index = int(wrong.argmax())
        raise ParameterError(
            f"{name} must be finite; got {numbers.flat[index]} at {place_of(index, array.shape)}."
        )
    return numbers


def _numbered(name: str, values: ArrayLike, n: int) -> NDArray[np.intp]:
    """Give each different value a number, from 0."""
    array = as_array(name, values)
    if array.shape != (n,):
        raise ShapeError(f"{name} must have shape ({n},); got {array.shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = int(np.isfinite(array).argmin())
        raise ParameterError(f"{name} must be finite; got {array[place]} at {place}.")
    try:
        return np.unique(array, return_inverse=True)[1]
    except TypeError:
        raise ParameterError(f"{name} must be of one kind; got {array.tolist()!r}.") from None


def _variance(residual: NDArray[np.float64], unit: NDArray[np.intp]) -> float:
    """Give the variance that a sum has when whole units are drawn again."""
    sums = np.bincount(unit, weights=residual)
    return float(sums @ sums) * len(sums) / (len(sums) - 1)


def _freedom(n_seeds: int, n_persons: int) -> int:
    return min(n_seeds, n_persons) - 1

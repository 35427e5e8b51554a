"""Spread of a number over seeds, and differences of two systems paired by seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from hrsnn_rs.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


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
    >>> from hrsnn_rs.learning import PairedDifference
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
        >>> from hrsnn_rs.learning import PairedDifference
        >>> PairedDifference(mean=0.5, low=0.25, high=0.75, sd=0.1, n=2).to_dict()
        {'mean': 0.5, 'low': 0.25, 'high': 0.75, 'sd': 0.1, 'n': 2}
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
        If there is no value.

    Examples
    --------
    >>> from hrsnn_rs.learning import spread
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
    >>> from hrsnn_rs.learning import paired_difference
    >>> str(paired_difference([0.83, 0.86, 0.88], [0.80, 0.85, 0.86]))
    '+0.020 [-0.005, +0.045] (95 %, 3 seeds)'
    """
    one, two = paired_arrays(first, second)
    gaps = one.astype(np.float64) - two.astype(np.float64)
    mean = float(gaps.mean())
    if len(gaps) < 2:
        nan = float("nan")
        return PairedDifference(mean=mean, low=nan, high=nan, sd=nan, n=1)
    sd = float(gaps.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(gaps) - 1)) * sd / len(gaps) ** 0.5
    return PairedDifference(mean=mean, low=mean - half, high=mean + half, sd=sd, n=len(gaps))


def paired_arrays(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """View two sequences of the same length, at least 1, as arrays."""
    one, two = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != two.shape or len(one) == 0:
        raise ShapeError(
            f"both arrays must have the same length, at least 1; got {one.shape} and {two.shape}."
        )
    return one, two

"""What is searched: laws and numbers by name, each within a range.

Lives here: ranges, and the way between a point of the space, the flat numbers that a study keeps
(`tau_m.mean`) and the place of a point. Not here: who chooses points (`sampler`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.stats import qmc

from hrsnn_rs.arguments import POSITIVE, check_mapping, check_number, check_truth
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.quantiles import is_positive
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.search.wasserstein import NODES, embedded_many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import FloatDistribution
    from optuna.trial import Trial

    from hrsnn_rs.arguments import FloatArray

#: A point of a space: a law or a number for each name.
Point: TypeAlias = "dict[str, Distribution | float]"

_N_TYPICAL = 256


class NumberRange:
    """Numbers between two bounds.

    Parameters
    ----------
    low, high : float
        Bounds, both allowed, `low` below `high`.
    log : bool, default=False
        Whether ratios count in place of differences; `low` is then greater than 0.

    Raises
    ------
    ParameterError
        If a bound is not a finite number, or not where it must be.

    Examples
    --------
    >>> from hrsnn_rs.search import NumberRange
    >>> round(NumberRange(1.0, 100.0, log=True).at(0.5), 6)
    10.0
    """

    def __init__(self, low: float, high: float, *, log: bool = False) -> None:
        self.log = check_truth("log", log)
        self.low = check_number("low", low, *(POSITIVE if log else ("a finite number",)))
        self.high = check_number(
            "high", high, f"greater than low, {self.low!r}", lambda value: value > self.low
        )
        if not math.isfinite(self.high - self.low):
            raise ParameterError(f"high must be within 1.8e308 of low; got {high!r}.")

    def __repr__(self) -> str:
        return f"NumberRange({self.low!r}, {self.high!r}, log={self.log})"

    def at(self, share: float) -> float:
        """Give the number at a share of the way from `low` to `high`."""
        return float(self._at(np.asarray(share)))

    def _at(self, share: FloatArray) -> FloatArray:
        if not self.log:
            found = self.low + (self.high - self.low) * share
        else:
            found = np.exp(math.log(self.low) + math.log(self.high / self.low) * share)
        return np.clip(found, self.low, self.high)

    def share(self, value: float) -> float:
        """Give how far from `low` to `high` a number lies."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class LawRange:
    """Laws of one kind whose arguments lie in ranges.

    Parameters
    ----------
    law : type of Distribution
        Kind of the laws.
    log : bool, default=False
        Whether ratios of values count in place of differences, both where arguments are drawn and
        where laws are compared.
    **arguments : float or pair of float
        Each argument of the law: a pair (low, high) is searched, a number stays.

    Raises
    ------
    ParameterError
        If an argument is unknown or a range is none, no argument is searched, an edge of the
        ranges is no law, or `log` is asked of laws with values that are not positive.

    Examples
    --------
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import LawRange
    >>> LawRange(Gamma, mean=(5.0, 200.0), shape=(1.0, 50.0), log=True)
    LawRange(Gamma, mean=(5.0, 200.0), shape=(1.0, 50.0), log=True)
    """

    def __init__(
        self,
        law: type[Distribution],
        *,
        log: bool = False,
        **arguments: float | tuple[float, float],
    ) -> None:
        if not isinstance(law, type) or not issubclass(law, Distribution):
            raise ParameterError(f"law must be a kind of Distribution; got {law!r}.")
        self.law = law
        self.log = check_truth("log", log)
        self.ranges: dict[str, NumberRange] = {}
        self.fixed: dict[str, Any] = {}
        known = [field.name for field in fields(law)]
        for name, given in arguments.items():
            if name not in known:
                raise ParameterError(f"{law.__name__} has no argument {name}; got {given!r}.")
            if not isinstance(given, tuple | list):
                self.fixed[name] = given
                continue
            if len(given) != 2:
                raise ParameterError(f"{name} must be a number or a pair; got {given!r}.")
            try:
                self.ranges[name] = NumberRange(*given, log=log)
            except ParameterError as error:
                raise ParameterError(f"{name}: {error}") from None
        if not self.ranges:
            raise ParameterError(f"{law.__name__} must have an argument to search; got none.")
        for corner in itertools.product(*((one.low, one.high) for one in self.ranges.values())):
            edge = self.made(dict(zip(self.ranges, corner, strict=True)))
            if log and not is_positive(edge):
                raise ParameterError(
                    f"log must be False where values may be 0 or less; got {edge!r}."
                )

    def __repr__(self) -> str:
        words = [f"{name}=({one.low!r}, {one.high!r})" for name, one in self.ranges.items()]
        words += [f"{name}={value!r}" for name, value in self.fixed.items()]
        return f"LawRange({', '.join([self.law.__name__, *words, f'log={self.log}'])})"

    def made(self, values: Mapping[str, float]) -> Distribution:
        """Make the law of these searched arguments."""
        return Distribution.from_dict({"kind": self.law.kind, **self.fixed, **values})

    def _embedded(self, shares: FloatArray) -> FloatArray:
        # Arguments that are not said have the value of a law that was made without them.
        any_law = self.made({name: one.low for name, one in self.ranges.items()})
        values = {f.name: np.array([[getattr(any_law, f.name)]]) for f in fields(any_law)}
        for column, (name, one) in enumerate(self.ranges.items()):
            values[name] = one._at(shares[:, column : column + 1])
        return embedded_many(self.law, values, log=self.log)


class SearchSpace:
    """Laws and numbers to search, by name.

    Parameters
    ----------
    ranges : mapping of str to LawRange or NumberRange
        At least one; names without a dot.

    Raises
    ------
    ParameterError
        If it is no such mapping.

    Examples
    --------
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import LawRange, NumberRange, SearchSpace
    >>> space = SearchSpace({
    ...     "tau_m": LawRange(Gamma, mean=(5.0, 200.0), shape=3.0),
    ...     "w_recurrent": NumberRange(0.01, 0.2, log=True),
    ... })
    >>> list(space.numbers)
    ['tau_m.mean', 'w_recurrent']
    >>> space.point({"tau_m.mean": 20.0, "w_recurrent": 0.1})
    {'tau_m': Gamma(mean=20.0, shape=3.0, low=None, high=None), 'w_recurrent': 0.1}
    """

    def __init__(self, ranges: Mapping[str, LawRange | NumberRange]) -> None:
        self.ranges: dict[str, LawRange | NumberRange] = check_mapping("ranges", ranges)
        #: The range of each number that a study keeps.
        self.numbers: dict[str, NumberRange] = {}
        if not self.ranges:
            raise ParameterError("ranges must hold at least one range; got none.")
        for name, one in self.ranges.items():
            if not isinstance(name, str) or not name or "." in name:
                raise ParameterError(f"ranges must have names without a dot; got {name!r}.")
            if isinstance(one, NumberRange):
                self.numbers[name] = one
            elif isinstance(one, LawRange):
                self.numbers |= {f"{name}.{key}": value for key, value in one.ranges.items()}
            else:
                raise ParameterError(f"ranges must be LawRange or NumberRange; got {one!r}.")
        self._scales = self._typical_distances()

    def __repr__(self) -> str:
        return f"SearchSpace({self.ranges!r})"

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of each law or number in a place."""
        laws = (isinstance(one, LawRange) for one in self.ranges.values())
        return tuple(len(NODES) if is_law else 1 for is_law in laws)

    def distributions(self) -> dict[str, FloatDistribution]:
        """Give the range of each number as optuna has it."""
        from optuna.distributions import FloatDistribution

        return {
            name: FloatDistribution(one.low, one.high, log=one.log)
            for name, one in self.numbers.items()
        }

    def suggest(self, trial: Trial) -> Point:
        """Ask a trial of optuna for a point.

        Parameters
        ----------
        trial : optuna.Trial
            It keeps the numbers.

        Returns
        -------
        dict of str to Distribution or float
            The point.
        """
        return self.point(
            {
                name: trial.suggest_float(name, one.low, one.high, log=one.log)
                for name, one in self.numbers.items()
            }
        )

    def point(self, numbers: Mapping[str, float]) -> Point:
        """Make the laws and numbers that a study kept.

        Parameters
        ----------
        numbers : mapping of str to float
            All of `self.numbers`.

        Returns
        -------
        dict of str to Distribution or float
            The point.

        Raises
        ------
        ParameterError
            If a number is missing, unknown or out of its range.
        """
        given = check_mapping("numbers", numbers)
        for name in {**self.numbers, **given}:
            if name not in given or name not in self.numbers:
                raise ParameterError(f"numbers must be of {', '.join(self.numbers)}; see {name!r}.")
            one = self.numbers[name]
            value = check_number(name, given[name])
            if not one.low <= value <= one.high:
                raise ParameterError(
                    f"{name} must be in [{one.low!r}, {one.high!r}]; got {value!r}."
                )
        return {
            name: one.made({key: float(given[f"{name}.{key}"]) for key in one.ranges})
            if isinstance(one, LawRange)
            else float(given[name])
            for name, one in self.ranges.items()
        }

    def numbers_of(self, point: Mapping[str, Distribution | float]) -> dict[str, float]:
        """Give the numbers of a point; the other way round than `point`.

        Parameters
        ----------
        point : mapping of str to Distribution or float
            A law or number for each name.

        Returns
        -------
        dict of str to float
            All of `self.numbers`.

        Raises
        ------
        ParameterError
            If the point does not lie in the space.
        """
        given = check_mapping("point", point)
        for name in self.ranges:
            if name not in given:
                raise ParameterError(f"point must have a value for {name!r}; got {given!r}.")
        numbers: dict[str, float] = {}
        for name, one in self.ranges.items():
            value = given[name]
            if isinstance(one, NumberRange):
                numbers[name] = check_number(name, value)
                continue
            if type(value) is not one.law:
                raise ParameterError(f"{name} must be a {one.law.__name__}; got {value!r}.")
            numbers |= {f"{name}.{key}": getattr(value, key) for key in one.ranges}
        if self.point(numbers) != {name: given[name] for name in self.ranges}:
            raise ParameterError(f"point must lie in the space; got {given!r}.")
        return numbers

    def shares(self, numbers: Mapping[str, float]) -> FloatArray:
        """Give how far along its range each number lies."""
        return np.array([one.share(numbers[name]) for name, one in self.numbers.items()])

    def numbers_at(self, shares: FloatArray) -> dict[str, float]:
        """Give the numbers that lie so far along their ranges."""
        pairs = zip(self.numbers.items(), shares.tolist(), strict=True)
        return {name: one.at(share) for (name, one), share in pairs}

    def embedded(self, shares: FloatArray) -> FloatArray:
        """Give the place of each point, in typical distances of each law or number.

        Parameters
        ----------
        shares : float64 ndarray of shape (n, n_numbers)
            Points, by how far along its range each number lies.

        Returns
        -------
        float64 ndarray of shape (n, sum(widths))
            One row per point; columns in the order of the names.
        """
        return np.hstack(
            [block / d for block, d in zip(self._blocks(shares), self._scales, strict=True)]
        )

    def _blocks(self, shares: FloatArray) -> list[FloatArray]:
        blocks, column = [], 0
        for one in self.ranges.values():
            n = len(one.ranges) if isinstance(one, LawRange) else 1
            mine = shares[:, column : column + n]
            blocks.append(one._embedded(mine) if isinstance(one, LawRange) else mine)
            column += n
        return blocks

    def _typical_distances(self) -> list[float]:
        """Give the root of the mean squared distance of two points, for each law or number."""
        points = qmc.Sobol(len(self.numbers), scramble=False).random(_N_TYPICAL)
        return [math.sqrt(2.0 * block.var(axis=0).sum()) for block in self._blocks(points)]

"""Laws from which heterogeneous parameters are drawn, and their means in closed form."""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from hrsnn_rs.arguments import POSITIVE, check_number
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.errors import ParameterError

#: Share of a law that a truncation must leave, so that redrawing ends soon.
SMALLEST_MASS = 1e-3


@dataclass(frozen=True)
class Constant(Distribution):
    """The same value for all.

    Parameters
    ----------
    value : float
        The value.

    Raises
    ------
    ParameterError
        If `value` is not a finite number.

    Examples
    --------
    >>> Constant(20.0).mean
    20.0
    """

    kind: ClassVar[str] = "constant"

    value: float

    def __post_init__(self) -> None:
        _set(self, "value", check_number("value", self.value))

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    @property
    def mean_drawn(self) -> float:
        """The value."""
        return self.value

    def _law(self) -> list[float]:
        return [self.value]


@dataclass(frozen=True)
class _Interval(Distribution):
    """What the laws of an interval have in common."""

    low: float
    high: float

    @property
    @abstractmethod
    def mean(self) -> float:
        """Mean of the law."""

    @property
    def mean_drawn(self) -> float:
        """Mean of the law, which is never truncated."""
        return self.mean

    def _law(self) -> list[float]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Uniform(_Interval):
    """Uniform on [low, high].

    Parameters
    ----------
    low, high : float
        Bounds, `low` below `high`.

    Raises
    ------
    ParameterError
        If a bound is not a finite number, or `low` is not below `high`.

    Examples
    --------
    >>> Uniform(10.0, 30.0).mean
    20.0
    """

    kind: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        _check_bounds(self)
        if not math.isfinite(self.high - self.low):
            raise ParameterError(f"high must be within 1.8e308 of low; got {self.high!r}.")

    @property
    def mean(self) -> float:
        """Middle of the interval."""
        return self.low + 0.5 * (self.high - self.low)


@dataclass(frozen=True)
class LogUniform(_Interval):
    """Uniform in the logarithm: each factor between `low` and `high` is as likely as another.

    Parameters
    ----------
    low, high : float
        Bounds, greater than 0, `low` below `high`.

    Raises
    ------
    ParameterError
        If a bound is not a finite number greater than 0, or `low` is not below `high`.

    Examples
    --------
    >>> round(LogUniform(5.0, 500.0).mean, 1)
    107.5
    """

    kind: ClassVar[str] = "loguniform"

    def __post_init__(self) -> None:
        _check_bounds(self)
        check_number("low", self.low, *POSITIVE)
        if not math.isfinite(self.high / self.low):
            raise ParameterError(f"high must be within 1.8e308 times low; got {self.high!r}.")

    @property
    def mean(self) -> float:
        """`(high - low) / log(high / low)`."""
        # log1p: where the bounds are close, their quotient has no digits left for the logarithm.
        return (self.high - self.low) / math.log1p((self.high - self.low) / self.low)


class _Truncated(Distribution):
    """What the laws with optional bounds have in common."""

    mean: float
    low: float | None
    high: float | None

    @abstractmethod
    def _shares(self, x: float) -> tuple[float, float]:
        """Integrals up to `x` of the density, and of value times density."""

    def _bounds(self) -> tuple[float | None, float | None]:
        return self.low, self.high

    def _check_truncation(self) -> None:
        _check_bounds(self)
        if self._truncated_mass()[0] < SMALLEST_MASS:
            raise ParameterError(
                f"low and high must leave at least {SMALLEST_MASS} of the law; got {self!r}."
            )

    def _truncated_mass(self) -> tuple[float, float]:
        below, mean_below = (0.0, 0.0) if self.low is None else self._shares(self.low)
        total, mean_total = (1.0, self.mean) if self.high is None else self._shares(self.high)
        return total - below, mean_total - mean_below

    @property
    def mean_drawn(self) -> float:
        """Mean of the values as drawn: that of the law within [low, high]."""
        if self.low is None and self.high is None:
            return self.mean
        mass, first_moment = self._truncated_mass()
        return first_moment / mass


@dataclass(frozen=True)
class Gamma(_Truncated):
    """Gamma law; its coefficient of variation is `1 / sqrt(shape)`.

    Parameters
    ----------
    mean : float
        Mean before truncation, greater than 0.
    shape : float, default=3.0
        Greater than 0.
    low, high : float, default=None
        Values outside [low, high] are drawn again; `None` leaves that side open.

    Raises
    ------
    ParameterError
        If an argument is not finite or out of range, or the truncation leaves less than
        a thousandth of the law.

    Examples
    --------
    >>> Gamma(mean=20.0, shape=3.0).mean
    20.0
    >>> round(Gamma(mean=20.0, shape=3.0, low=5.0).mean_drawn, 2)
    20.69
    """

    kind: ClassVar[str] = "gamma"

    mean: float
    shape: float = 3.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _set(self, "mean", check_number("mean", self.mean, *POSITIVE))
        _set(self, "shape", check_number("shape", self.shape, *POSITIVE))
        if not _is_normal(self.mean / self.shape):
            raise ParameterError(f"shape must be commensurate with the mean; got {self.shape!r}.")
        self._check_truncation()

    def _law(self) -> list[float]:
        return [self.mean, self.shape]

    def _shares(self, x: float) -> tuple[float, float]:
        from scipy import special

        scaled = max(x, 0.0) / (self.mean / self.shape)
        share = float(special.gammainc(self.shape, scaled))
        return share, self.mean * float(special.gammainc(self.shape + 1.0, scaled))


@dataclass(frozen=True)
class LogNormal(_Truncated):
    """Log-normal law, given by the mean and standard deviation of the values themselves.

    Parameters
    ----------
    mean : float
        Mean before truncation, greater than 0.
    std : float
        Standard deviation before truncation, greater than 0.
    low, high : float, default=None
        Values outside [low, high] are drawn again; `None` leaves that side open.

    Raises
    ------
    ParameterError
        If an argument is not finite or out of range, or the truncation leaves less than
        a thousandth of the law.

    Examples
    --------
    >>> LogNormal(mean=20.0, std=5.0).mean
    20.0
    """

    kind: ClassVar[str] = "lognormal"

    mean: float
    std: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _set(self, "mean", check_number("mean", self.mean, *POSITIVE))
        _set(self, "std", check_number("std", self.std, *POSITIVE))
        ratio = self.std / self.mean
        if not _is_normal(ratio * ratio):
            raise ParameterError(f"std must be commensurate with the mean; got {self.std!r}.")
        self._check_truncation()

    def _law(self) -> list[float]:
        return [self.mean, self.std]

    def _shares(self, x: float) -> tuple[float, float]:
        if x <= 0.0:
            return 0.0, 0.0
        from scipy import special

        variance = math.log1p((self.std / self.mean) ** 2)
        sigma = math.sqrt(variance)
        z = (math.log(x) - math.log(self.mean) + 0.5 * variance) / sigma
        return float(special.ndtr(z)), self.mean * float(special.ndtr(z - sigma))


@dataclass(frozen=True)
class Normal(_Truncated):
    """Normal law.

    Parameters
    ----------
    mean : float
        Mean before truncation.
    std : float
        Standard deviation before truncation, greater than 0.
    low, high : float, default=None
        Values outside [low, high] are drawn again; `None` leaves that side open.

    Raises
    ------
    ParameterError
        If an argument is not finite or out of range, or the truncation leaves less than
        a thousandth of the law.

    Examples
    --------
    >>> Normal(mean=0.0, std=1.0, low=-1.0, high=1.0).mean_drawn
    0.0
    """

    kind: ClassVar[str] = "normal"

    mean: float
    std: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _set(self, "mean", check_number("mean", self.mean))
        _set(self, "std", check_number("std", self.std, *POSITIVE))
        self._check_truncation()

    def _law(self) -> list[float]:
        return [self.mean, self.std]

    def _shares(self, x: float) -> tuple[float, float]:
        from scipy import special

        z = (x - self.mean) / self.std
        share = float(special.ndtr(z))
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return share, self.mean * share - self.std * density


def _set(instance: object, name: str, value: object) -> None:
    """Store a converted argument in a frozen dataclass."""
    object.__setattr__(instance, name, value)


def _is_normal(value: float) -> bool:
    return math.isfinite(value) and value >= sys.float_info.min


def _check_bounds(law: _Interval | _Truncated) -> None:
    for name in ("low", "high"):
        value = getattr(law, name)
        if value is not None or isinstance(law, _Interval):
            _set(law, name, check_number(name, value))
    if law.low is not None and law.high is not None and not law.low < law.high:
        raise ParameterError(f"high must be greater than low ({law.low!r}); got {law.high!r}.")

"""Laws from which heterogeneous parameters are drawn.

Drawing itself runs in the core, from streams keyed by (seed, purpose, row).
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import POSITIVE, check_integer, check_mapping, check_number, check_offsets
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from hrsnn_rs.arguments import FloatArray

#: Share of a law that a truncation must leave, so that redrawing ends soon.
SMALLEST_MASS = 1e-3


@dataclass(frozen=True)
class Distribution(ABC):
    """A law of a parameter; one of `Constant`, `Gamma`, `LogNormal`, `Uniform`, `Normal`.

    Examples
    --------
    >>> isinstance(Gamma(mean=20.0), Distribution)
    True
    """

    #: Name of the law in the core and in model files.
    kind: ClassVar[str]

    @property
    @abstractmethod
    def mean_drawn(self) -> float:
        """Mean of the values as drawn: truncation counts, which the argument `mean` ignores."""

    @abstractmethod
    def _law(self) -> list[float]:
        """Parameters of the law, as the core takes them."""

    def _bounds(self) -> tuple[float | None, float | None]:
        return None, None

    def sample(self, offsets: ArrayLike, seed: int, purpose: str) -> FloatArray:
        """Draw `offsets[r + 1] - offsets[r]` values for each row `r`.

        Row `r` draws from the stream (seed, purpose, r): its values do not depend on
        other rows.

        Parameters
        ----------
        offsets : int array of shape (n_rows + 1,)
            Where each row begins, as in a CSR `indptr`. Not changed.
        seed : int
            In [0, 2**64).
        purpose : str
            What the values are for; part of the key.

        Returns
        -------
        float64 array of shape (offsets[-1],)
            The values, in the unit of the law's parameters.

        Raises
        ------
        ParameterError
            If `offsets` does not start at 0 or decreases, or `seed` is out of range.
        ShapeError
            If `offsets` is not one-dimensional.

        Examples
        --------
        >>> Uniform(0.0, 1.0).sample([0, 1, 3], seed=7, purpose="example").shape
        (3,)
        """
        seed = check_integer("seed", seed)
        if not isinstance(purpose, str):
            raise ParameterError(f"purpose must be a string; got {purpose!r}.")
        return _hrsnn.sample(
            self.kind, self._law(), *self._bounds(), check_offsets(offsets), seed, purpose
        )

    def sample_each(self, n: int, seed: int, purpose: str) -> FloatArray:
        """Draw one value for each of `n` rows.

        Parameters
        ----------
        n : int
            Number of rows.
        seed : int
            In [0, 2**64).
        purpose : str
            What the values are for; part of the key.

        Returns
        -------
        float64 array of shape (n,)
            The values.

        Raises
        ------
        ParameterError
            If `n` or `seed` is out of range.

        Examples
        --------
        >>> Constant(2.0).sample_each(3, seed=7, purpose="example")
        array([2., 2., 2.])
        """
        n = check_integer("n", n, high=2**32 - 1)
        return self.sample(np.arange(n + 1, dtype=np.int64), seed, purpose)

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes; JSON can hold it.

        Returns
        -------
        dict
            "kind" and the arguments.

        Examples
        --------
        >>> Uniform(0.0, 1.0).to_dict()
        {'kind': 'uniform', 'low': 0.0, 'high': 1.0}
        """
        return {"kind": self.kind} | {f.name: getattr(self, f.name) for f in fields(self)}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Distribution:
        """Make the law that `to_dict` described.

        Parameters
        ----------
        content : mapping
            As from `to_dict`.

        Returns
        -------
        Distribution
            An equal law.

        Raises
        ------
        ParameterError
            If the kind is unknown or an argument is missing, unknown or refused.

        Examples
        --------
        >>> Distribution.from_dict({"kind": "constant", "value": 2.0})
        Constant(value=2.0)
        """
        arguments = check_mapping("content", content)
        kind = arguments.pop("kind", None)
        law = next((law for law in _LAWS if law.kind == kind), None)
        if law is None:
            names = ", ".join(law.kind for law in _LAWS)
            raise ParameterError(f"kind must be one of {names}; got {kind!r}.")
        try:
            return law(**arguments)
        except TypeError as error:
            raise ParameterError(f"{kind} must be a complete law: {error}.") from None


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
class Uniform(Distribution):
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

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self)
        if not math.isfinite(self.high - self.low):
            raise ParameterError(f"high must be within 1.8e308 of low; got {self.high!r}.")

    @property
    def mean(self) -> float:
        """Middle of the interval."""
        return self.low + 0.5 * (self.high - self.low)

    @property
    def mean_drawn(self) -> float:
        """Middle of the interval."""
        return self.mean

    def _law(self) -> list[float]:
        return [self.low, self.high]


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


_LAWS: tuple[type[Distribution], ...] = (Constant, Gamma, LogNormal, Uniform, Normal)


def _set(instance: object, name: str, value: object) -> None:
    """Store a converted argument in a frozen dataclass."""
    object.__setattr__(instance, name, value)


def _is_normal(value: float) -> bool:
    return math.isfinite(value) and value >= sys.float_info.min


def _check_bounds(law: Uniform | _Truncated) -> None:
    for name in ("low", "high"):
        value = getattr(law, name)
        if value is not None or isinstance(law, Uniform):
            _set(law, name, check_number(name, value))
    if law.low is not None and law.high is not None and not law.low < law.high:
        raise ParameterError(f"high must be greater than low ({law.low!r}); got {law.high!r}.")

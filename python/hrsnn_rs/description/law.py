"""What all laws have in common: values drawn by rows, and a dictionary that JSON can hold.

Drawing itself runs in the core, from streams keyed by (seed, purpose, row). Not here: the laws.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import MOST_SEED, as_array, check_integer, check_mapping
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.arguments import FloatArray

#: Laws by their kind, each entered where its class is made.
_LAWS: dict[str, type[Distribution]] = {}


@dataclass(frozen=True)
class Distribution(ABC):
    """A law of a parameter; `Constant`, `Uniform`, `LogUniform`, `Gamma`, `LogNormal` or `Normal`.

    Examples
    --------
    >>> from hrsnn_rs import Gamma
    >>> isinstance(Gamma(mean=20.0), Distribution)
    True
    """

    #: Name of the law in the core and in model files.
    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            _LAWS[cls.kind] = cls

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
        >>> from hrsnn_rs import Uniform
        >>> Uniform(0.0, 1.0).sample([0, 1, 3], seed=7, purpose="example").shape
        (3,)
        """
        seed = check_integer("seed", seed, high=MOST_SEED)
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
        >>> from hrsnn_rs import Constant
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
        >>> from hrsnn_rs import Uniform
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
        law = _LAWS.get(kind) if isinstance(kind, str) else None
        if law is None:
            raise ParameterError(f"kind must be one of {', '.join(_LAWS)}; got {kind!r}.")
        try:
            return law(**arguments)
        except TypeError as error:
            raise ParameterError(f"{kind} must be a complete law: {error}.") from None


def check_offsets(offsets: ArrayLike) -> NDArray[np.int64]:
    """Return `offsets` as an int64 array if it starts at 0 and does not decrease.

    Parameters
    ----------
    offsets : int array of shape (n_rows + 1,)
        Where each row begins, and last the number of values, as in a CSR `indptr`.

    Returns
    -------
    int64 array of shape (n_rows + 1,)
        The offsets; a copy only if the type differs.

    Raises
    ------
    ParameterError
        If it is not an integer array that starts at 0 and does not decrease.
    ShapeError
        If it has not one dimension or no element.

    Examples
    --------
    >>> check_offsets([0, 2, 2])
    array([0, 2, 2])
    """
    array = as_array("offsets", offsets)
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(f"offsets must have shape (n_rows + 1,); got shape {array.shape}.")
    if array.dtype.kind not in "iu":
        raise ParameterError(f"offsets must be integers; got dtype {array.dtype}.")
    if array.dtype.kind == "u" and int(array.max()) >= 2**63:
        raise ParameterError(f"offsets must be below 2**63; got {int(array.max())}.")
    array = np.ascontiguousarray(array, dtype=np.int64)
    if array[0] != 0:
        raise ParameterError(f"offsets must start at 0; got {array[0]}.")
    falls = np.flatnonzero(array[1:] < array[:-1])
    if falls.size:
        index = int(falls[0]) + 1
        raise ParameterError(
            f"offsets must not decrease; got {array[index]} after {array[index - 1]}"
            f" at index {index}."
        )
    return array

"""Competition: of a group of neurons only one spikes in a µs, and holds the others down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.arguments import as_array, check_integer, check_number
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.arguments import Range

__all__ = ["NO_GROUP", "Competition", "resolve_groups"]

# The core's bounds, mV and ms.
INHIBITION: Range = ("greater than 0 and at most 1e15 mV", lambda value: 0.0 < value <= 1e15)
_HOLD: Range = ("in [0, 2147483.648] ms", lambda value: 0.0 <= value <= 2147483.648)
#: Stands for "in no group" in the core.
NO_GROUP = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Competition:
    """Groups of neurons of which only one spikes at a time: winner-take-all.

    Of the neurons of a group that are over their threshold in one µs, only the one with the
    largest excess, relative to its way from rest to threshold, spikes; of equals the first. The
    potential of every other neuron of the group that is not refractory is lowered.

    Parameters
    ----------
    groups : int or array_like of int, shape (n_neurons,)
        How many neurons in a row form a group, or the group of each neuron: those of a group lie
        side by side, -1 stands for none.
    inhibition : float, default=30.0
        How far the others are lowered, mV, greater than 0; from their threshold if they are over
        it.
    hold : float, default=0.0
        How long they are held there, ms; what arrives in that time is lost, as when refractory.

    Raises
    ------
    ParameterError
        If a number is out of range.

    See Also
    --------
    hrsnn_rs.learning.FeatureLayer : features of one place that compete.

    Examples
    --------
    Two neurons are driven over their threshold; the one that is driven further spikes:

    >>> import numpy as np, scipy.sparse as sp
    >>> import hrsnn_rs as hr
    >>> network = hr.Network.from_arrays(
    ...     inputs=sp.csr_array(np.array([[16.0, 20.0]])),
    ...     recurrent=sp.csr_array((2, 2)),
    ...     competition=hr.Competition(groups=2),
    ... )
    >>> network.run(([1000], [0])).spikes.rows()
    [(1000, 1)]
    """

    groups: int | ArrayLike
    inhibition: float = 30.0
    hold: float = 0.0

    def __post_init__(self) -> None:
        groups: int | NDArray[np.int64]
        if np.ndim(as_array("groups", self.groups)) == 0:
            groups = check_integer("groups", self.groups, 1, NO_GROUP)
        else:
            groups = _checked_groups(self.groups)
        checked = {
            "groups": groups,
            "inhibition": check_number("inhibition", self.inhibition, *INHIBITION),
            "hold": check_number("hold", self.hold, *_HOLD),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments, as JSON can hold them."""
        groups = self.groups if isinstance(self.groups, int) else np.asarray(self.groups).tolist()
        return {"groups": groups, "inhibition": self.inhibition, "hold": self.hold}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make one of what `to_dict` returned."""
        return cls(**content)


def _checked_groups(groups: ArrayLike) -> NDArray[np.int64]:
    array = as_array("groups", groups)
    if array.ndim != 1:
        raise ShapeError(f"groups must have 1 dimension; got shape {array.shape}.")
    if array.dtype.kind not in "iu":
        raise ParameterError(f"groups must hold whole numbers; got dtype {array.dtype}.")
    wrong = (array < -1) | (array >= NO_GROUP)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ParameterError(
            f"groups must be -1 (none) or at least 0; got {array[index]} at neuron {index}."
        )
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def resolve_groups(competition: Competition, n_neurons: int) -> NDArray[np.uint32]:
    """Give the group of each neuron; `NO_GROUP` where it is in none.

    Raises
    ------
    ParameterError
        If the neurons are no whole number of groups.
    ShapeError
        If there is not one group for each neuron.

    Examples
    --------
    >>> resolve_groups(Competition(groups=2), 4).tolist()
    [0, 0, 1, 1]
    """
    groups = competition.groups
    if isinstance(groups, int):
        if n_neurons % groups:
            raise ParameterError(
                f"groups must divide the number of neurons, {n_neurons}; got {groups}."
            )
        return np.repeat(np.arange(n_neurons // groups, dtype=np.uint32), groups)
    array = np.asarray(groups)
    if array.shape != (n_neurons,):
        raise ShapeError(f"groups must have length {n_neurons}; got shape {array.shape}.")
    return np.where(array < 0, NO_GROUP, array).astype(np.uint32)

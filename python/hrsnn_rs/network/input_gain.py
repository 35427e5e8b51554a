"""What all input weights of a network become when they are scaled together.

Lives here: the gains at which each weight stays one that its synapse may have. Not here: which
gain is wanted (`calibration`). Invariant: a gain that was applied can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_number
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.network.assembly import MOST_MV

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray


class InputScaling:
    """Input weights as they are now, and by how much they may be scaled.

    Parameters
    ----------
    synapses : mapping
        `weight` in mV, in the precision of the network, `indices` and `plastic` of each.
    bounds : mapping or None
        `w_min` and `w_max` of those that learn, mV; None where nothing does.

    Attributes
    ----------
    weight : float64 array of shape (n_synapses,)
        mV.
    target : int array of shape (n_synapses,)
        Neuron of each.
    least, most : float
        Gains between which all weights stay within their bounds.
    """

    def __init__(self, synapses: Mapping[str, Any], bounds: Mapping[str, Any] | None) -> None:
        kind = synapses["weight"].dtype
        self.weight: FloatArray = synapses["weight"].astype(np.float64)
        self.target: NDArray[np.uint32] = synapses["indices"]
        self._low, self._high = np.full((2, self.weight.size), MOST_MV) * [[-1.0], [1.0]]
        if bounds is not None:
            learns = synapses["plastic"]
            self._low[learns] = kind.type(bounds["w_min"])
            self._high[learns] = kind.type(bounds["w_max"])
        some = self.weight != 0.0
        weight, low, high = self.weight[some], self._low[some], self._high[some]
        ends = np.sort([low / weight, high / weight], axis=0)
        self.least = float(ends[0].max(initial=0.0))
        self.most = float(ends[1].min(initial=np.inf))
        # Below it the smallest weight would lose digits, or be none.
        smallest = np.abs(weight).min(initial=np.inf)
        self._smallest = min(float(np.finfo(kind).tiny / smallest), 1.0)

    def at(self, gain: float) -> FloatArray:
        """Give all weights in mV at a gain from `least` to `most`."""
        # Rounding alone may carry a weight beyond its bound.
        return np.clip(self.weight * gain, self._low, self._high)

    def check(self, gain: object, now: float) -> float:
        """Give `gain / now`, by which weights are to be scaled.

        Raises
        ------
        ParameterError
            If `gain` is no positive number, or some weight cannot be scaled by so much.
        """
        wanted = check_number("input_gain", gain, "greater than 0", lambda gain: gain > 0.0)
        least = max(self.least, self._smallest)
        if not least <= wanted / now <= self.most:
            raise ParameterError(
                f"input_gain must be from {least * now:.6g} to {self.most * now:.6g}, between which"
                f" each input weight stays within its bounds; got {gain!r}."
            )
        return wanted / now

"""Memory: what a network takes, estimated before anything is allocated.

Lives here: bytes per neuron and per synapse. Not here: the number of synapses that a rule makes
(`connectivity`), and what there is (`memory_limit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Projected", "network_bytes", "synapse_bytes"]

#: Bytes at rest of an input channel and of a neuron: bounds.
PER_INPUT, PER_NEURON = 24, 256
#: Of a segment (synapses of one source with one delay): without and with the time of its visit.
PER_SEGMENT, PER_PLASTIC_SEGMENT = 8, 16
#: Of a synapse while a network is made, beside what it takes then: index and weight in float64;
#: the constants of STDP and whether it is plastic; a delay where each has its own. Twice, for the
#: core takes a copy of what was drawn.
PER_DRAWN, PER_DRAWN_PLASTIC, PER_DRAWN_DELAY = 2 * 12, 2 * 33, 2 * 8
#: What the core's own steps take beyond, as a share: bounds of tests/network/test_memory.py.
MARGIN = 1.5


def synapse_bytes(dtype: str, *, plastic: bool = False, half_precision: bool = False) -> int:
    """Say what a synapse takes once a network is made.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of the network.
    plastic : bool, default=False
        Whether it learns: it then has two traces and four constants.
    half_precision : bool, default=False
        Whether the constants have 16 bits each.

    Returns
    -------
    int
        Bytes: 2 of its target, and its numbers.

    Examples
    --------
    >>> synapse_bytes("float32"), synapse_bytes("float64")
    (6, 10)
    >>> synapse_bytes("float32", plastic=True)
    30
    >>> synapse_bytes("float32", plastic=True, half_precision=True)
    22
    >>> synapse_bytes("float64", plastic=True)
    58
    """
    number = 8 if dtype == "float64" else 4
    if not plastic:
        return 2 + number
    return 2 + 3 * number + 4 * (2 if half_precision else number)


@dataclass(frozen=True)
class Projected:
    """Expected synapses of one source, and what they are.

    Parameters
    ----------
    n_synapses : float
        How many.
    n_segments : float
        Of these, those that differ in source or delay.
    plastic : bool, default=False
        Whether they carry parameters of STDP.
    half_precision : bool, default=False
        Whether these have 16 bits.
    delays : bool, default=False
        Whether each has a delay of its own.

    Examples
    --------
    >>> Projected(1000.0, 100.0).plastic
    False
    """

    n_synapses: float
    n_segments: float
    plastic: bool = False
    half_precision: bool = False
    delays: bool = False

    def at_rest(self, dtype: str) -> float:
        """Bytes once made."""
        of_synapse = synapse_bytes(dtype, plastic=self.plastic, half_precision=self.half_precision)
        of_segment = PER_PLASTIC_SEGMENT if self.plastic else PER_SEGMENT
        return self.n_synapses * of_synapse + self.n_segments * of_segment

    def drawn(self) -> float:
        """Bytes of what is drawn, and of the copy that the core is given."""
        of_synapse = PER_DRAWN + self.plastic * PER_DRAWN_PLASTIC + self.delays * PER_DRAWN_DELAY
        return self.n_synapses * of_synapse


def network_bytes(
    n_inputs: int,
    n_neurons: int,
    projections: Sequence[Projected],
    dtype: str = "float32",
    *,
    at_rest: bool = False,
) -> int:
    """Estimate what a network takes: at the peak while it is made, or afterwards.

    Parameters
    ----------
    n_inputs, n_neurons : int
        Numbers of input channels and neurons.
    projections : sequence of Projected
        Synapses of inputs and neurons.
    dtype : {"float32", "float64"}, default="float32"
        Of the network.
    at_rest : bool, default=False
        Whether to leave out what making it takes.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> some = Projected(n_synapses=1000.0, n_segments=100.0)
    >>> network_bytes(0, 0, [some], at_rest=True)
    6800
    >>> network_bytes(0, 0, [some])
    46200
    """
    rest = float(n_inputs * PER_INPUT + n_neurons * PER_NEURON)
    rest += sum(projection.at_rest(dtype) for projection in projections)
    if at_rest:
        return int(rest)
    return int(MARGIN * (rest + sum(projection.drawn() for projection in projections)))

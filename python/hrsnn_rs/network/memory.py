"""Memory: what a network takes, estimated before anything is allocated.

Lives here: bytes per neuron and per synapse. Not here: the number of synapses that a rule makes
(`connectivity`), and what there is (`memory_limit`).
"""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hrsnn_rs import _hrsnn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hrsnn_rs.description.connectivity import Connectivity
    from hrsnn_rs.description.parameters import STDP

_Make = TypeVar("_Make", bound="Callable[..., Any]")

__all__ = ["Projected", "give_back", "n_parts", "network_bytes", "projected", "synapse_bytes"]

#: Bytes of an input channel and of a neuron while a network is made.
PER_INPUT, PER_NEURON = 17, 256
#: Bytes of a neuron at rest: of its parameters as they were given, and in the core.
PER_GIVEN, PER_NEURON_AT_REST = 73, {"float32": 56, "float64": 104}
#: Of a segment (synapses of one source with one delay) without and with the time of its visit, and
#: without where all have one delay, which then need not be said.
PER_SEGMENT, PER_PLASTIC_SEGMENT, PER_ROW = 8, 16, 4
#: Synapses of a part of the network that a thread works on, most parts, most neurons of one, and
#: most neurons where a target takes 2 bytes instead of 4. See the core's `engine`.
OF_A_PART, MOST_PARTS, MOST_NEURONS, NEAR = 500_000, 16, 2**19, 2**16
#: Synapses of a network from which on what making it took is given back.
LARGE = 100_000
#: Of a synapse while a network is made, beside what it takes then: index and weight in float64;
#: the constants of STDP and whether it is plastic; a delay where each has its own. Twice, for the
#: core takes a copy of what was drawn.
PER_DRAWN, PER_DRAWN_PLASTIC, PER_DRAWN_DELAY = 2 * 12, 2 * 33, 2 * 8
#: Of a synapse that learns, while the core lays it out.
PER_LAID_OUT = {"float32": 14, "float64": 27}
#: What is told is meant to be more than what is taken, by as much as allocators round.
MARGIN = 1.08


def give_back(make: _Make) -> _Make:
    """Let what makes a network give back the memory that making it took, if that was much.

    Otherwise the allocator would keep it: a network of middle size took three times its own memory.
    """

    @functools.wraps(make)
    def made(owner: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = make(owner, *args, **kwargs)
        network: Any = owner if result is None else result
        if network.n_synapses >= LARGE:
            _hrsnn.give_back_memory()
        return result

    return cast("_Make", made)


def n_parts(n_neurons: int, n_synapses: float) -> int:
    """Say how many parts a network has on this machine, each of which one thread works on.

    Parameters
    ----------
    n_neurons : int
        Neurons.
    n_synapses : float
        Synapses of inputs and neurons.

    Returns
    -------
    int
        How many.

    Examples
    --------
    >>> n_parts(1000, 1e4)
    1
    >>> n_parts(2**20, 1e4)
    2
    """
    allowed = getattr(os, "sched_getaffinity", None)
    n_cores = (os.cpu_count() or 1) if allowed is None else len(allowed(0))
    by_size = max(min(int(n_synapses) // OF_A_PART, n_cores, MOST_PARTS), 1)
    return min(max(by_size, math.ceil(n_neurons / MOST_NEURONS)), max(n_neurons, 1))


def synapse_bytes(
    dtype: str, *, plastic: bool = False, half_precision: bool = False, far: bool = False
) -> int:
    """Say what a synapse takes once a network is made.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of the network.
    plastic : bool, default=False
        Whether it learns: it then has two traces and four constants.
    half_precision : bool, default=False
        Whether the constants have 16 bits each.
    far : bool, default=False
        Whether a part of the network has more than 65,536 neurons.

    Returns
    -------
    int
        Bytes: 2 of its target, or 4 where that is far, and its numbers.

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
    number, target = 8 if dtype == "float64" else 4, 4 if far else 2
    if not plastic:
        return target + number
    return target + 3 * number + 4 * (2 if half_precision else number)


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
    share : float, default=1.0
        How many of those that carry them learn.
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
    share: float = 1.0
    half_precision: bool = False
    delays: bool = False

    @property
    def learning(self) -> float:
        """Share of all synapses that learn."""
        return self.share if self.plastic else 0.0

    def at_rest(self, dtype: str, *, far: bool = False) -> float:
        """Bytes once made; `far`: as in `synapse_bytes`."""
        half, learning = self.half_precision, self.learning
        of_synapse = learning * synapse_bytes(dtype, plastic=True, half_precision=half, far=far)
        of_synapse += (1.0 - learning) * synapse_bytes(dtype, far=far)
        if self.delays:
            of_segment = learning * PER_PLASTIC_SEGMENT + (1.0 - learning) * PER_SEGMENT
        else:
            # Each row has a segment of either kind.
            of_segment = self.plastic * PER_PLASTIC_SEGMENT + (learning < 1.0) * PER_ROW
        return self.n_synapses * of_synapse + self.n_segments * of_segment

    def drawn(self, dtype: str) -> float:
        """Bytes of what is drawn, of the copy that the core is given, and of laying it out."""
        of_synapse = PER_DRAWN + self.plastic * PER_DRAWN_PLASTIC + self.delays * PER_DRAWN_DELAY
        return self.n_synapses * (of_synapse + self.learning * PER_LAID_OUT[dtype])


def projected(
    n_neurons: int,
    rules: Mapping[str, tuple[Connectivity | None, int]],
    plasticity: STDP | None,
    excitatory: float,
) -> list[Projected]:
    """Say what synapses are expected of rules.

    Parameters
    ----------
    n_neurons : int
        Targets.
    rules : mapping of str
        Of "inputs" and "recurrent", the rule and its number of sources.
    plasticity : STDP or None
        What synapses onto neurons learn by.
    excitatory : float
        Share of excitatory neurons.

    Returns
    -------
    list of Projected
        One for each rule that there is.

    Examples
    --------
    >>> from hrsnn_rs.description import RandomConnectivity
    >>> dense = RandomConnectivity(p=1.0)
    >>> projected(10, {"inputs": (dense, 5), "recurrent": (None, 10)}, None, 0.8)[0].n_synapses
    50.0
    """
    expected = [
        (name, rule, n_pre, rule.expected_synapses(n_pre, n_neurons))
        for name, (rule, n_pre) in rules.items()
        if rule is not None
    ]
    parts = n_parts(n_neurons, sum(n_synapses for *_, n_synapses in expected))
    found = []
    for name, rule, n_pre, n_synapses in expected:
        # With one delay for all, a source has one segment in each part of the network.
        delays = getattr(rule, "delay", None)
        one_for_all = delays is None or isinstance(delays, (int, float))
        learns = plasticity is not None and (name == "recurrent" or plasticity.inputs)
        found.append(
            Projected(
                n_synapses,
                parts * n_pre if one_for_all else n_synapses,
                plastic=learns,
                # Those onto excitatory neurons from inputs or from excitatory neurons.
                share=excitatory**2 if name == "recurrent" else excitatory,
                half_precision=plasticity is not None and plasticity.half_precision,
                delays=not one_for_all,
            )
        )
    return found


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
    6400
    >>> network_bytes(0, 0, [some])
    32832
    """
    parts = n_parts(n_neurons, sum(projection.n_synapses for projection in projections))
    far = n_neurons > NEAR * parts
    of_synapses = sum(projection.at_rest(dtype, far=far) for projection in projections)
    if at_rest:
        return int(n_neurons * (PER_GIVEN + PER_NEURON_AT_REST[dtype]) + of_synapses)
    rest = n_inputs * PER_INPUT + n_neurons * PER_NEURON + of_synapses
    return int(MARGIN * (rest + sum(projection.drawn(dtype) for projection in projections)))

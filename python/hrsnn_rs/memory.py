"""Memory: what a request takes and what there is, compared before anything is allocated.

Lives here: bytes per neuron and per synapse, and the limits of this process. Not here: the
number of synapses that a rule makes (`connectivity`). Invariant: a request that cannot be
granted ends in an exception while the process is still well.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs.errors import OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Projected", "available_memory", "check_memory", "network_bytes", "synapse_bytes"]

#: Bytes at rest of an input channel and of a neuron: bounds.
PER_INPUT, PER_NEURON = 24, 256
#: Of a segment (synapses of one source with one delay): without and with the time of its visit.
PER_SEGMENT, PER_PLASTIC_SEGMENT = 8, 16
#: Of a synapse while a network is made, beside what it takes then: index and weight in float64;
#: the constants of STDP and whether it is plastic; a delay where each has its own. Twice, for the
#: core takes a copy of what was drawn.
PER_DRAWN, PER_DRAWN_PLASTIC, PER_DRAWN_DELAY = 2 * 12, 2 * 33, 2 * 8
#: What the core's own steps take beyond, as a share: bounds of tests/test_memory.py.
MARGIN = 1.5

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


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


def available_memory() -> int | None:
    """Say how much this process may still take, as far as the system tells.

    Returns
    -------
    int or None
        Bytes: the least of the machine's memory, that of its control group, and what is left
        of a limit on the process (`ulimit -v`). None where nothing is known.

    Examples
    --------
    >>> available_memory() is None or available_memory() > 0
    True
    """
    known = [amount for amount in (_machine(), _control_group(), _left_of_limit()) if amount]
    return min(known, default=None)


def check_memory(name: str, n_bytes: float) -> None:
    """Refuse a request that is larger than the memory.

    Parameters
    ----------
    name : str
        What it is for, for the message.
    n_bytes : float
        How much it takes.

    Raises
    ------
    OutOfMemoryError
        If there is not so much.

    Examples
    --------
    >>> check_memory("features", 1000)
    """
    available = available_memory()
    if available is not None and n_bytes > available:
        raise OutOfMemoryError(
            f"{name} must be small enough for the memory: it takes some"
            f" {n_bytes / 1e9:.3g} GB, and there are {available / 1e9:.3g} GB."
        )


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _control_group() -> int | None:
    for path in _CGROUPS:
        try:
            return int(Path(path).read_text())
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return None


def _left_of_limit() -> int | None:
    """Bytes left below a limit on the address space; at least 1."""
    if sys.platform != "linux":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return limit
    return max(limit - pages * resource.getpagesize(), 1)

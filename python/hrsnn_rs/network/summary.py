"""What was drawn, as rows of a table.

Lives here: which rows there are, by parameter, population and projection. Not here: the network.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.network.assembly import Assembly, Synapses

__all__ = ["ranges", "summary"]

Row: TypeAlias = "dict[str, str | float | None]"


def ranges(sizes: Mapping[str, int]) -> dict[str, range]:
    """Give the numbers that each name stands for, in the order of the names.

    Examples
    --------
    >>> ranges({"E": 80, "I": 20})
    {'E': range(0, 80), 'I': range(80, 100)}
    """
    ends = np.cumsum([0, *sizes.values()]).tolist()
    return {name: range(*ends) for name, ends in zip(sizes, pairwise(ends), strict=True)}


def summary(assembly: Assembly) -> list[Row]:
    """Describe each parameter: of neurons, inputs and recurrence, or by name where there are names.

    Parameters
    ----------
    assembly : Assembly
        With the weights and thresholds as they are now.

    Returns
    -------
    list of dict
        `parameter`, `unit`, `n`, `mean`, `std`, `min`, `median`, `max`.
    """
    if not assembly.populations:
        rows = [_described(name, values) for name, values in assembly.neurons.items()]
        for source, synapses in (("inputs", assembly.inputs), ("recurrent", assembly.recurrent)):
            rows += _of_synapses(source, synapses, slice(None))
        return rows
    targets = ranges(assembly.populations)
    rows = [
        _described(f"{name}.{parameter}", values[mine.start : mine.stop])
        for name, mine in targets.items()
        for parameter, values in assembly.neurons.items()
    ]
    for sources, synapses in (
        (ranges(assembly.channels), assembly.inputs),
        (targets, assembly.recurrent),
    ):
        for source, theirs in sources.items():
            start, stop = synapses.indptr[[theirs.start, theirs.stop]]
            reached = synapses.indices[start:stop]
            for target, mine in targets.items():
                chosen = np.flatnonzero((reached >= mine.start) & (reached < mine.stop)) + start
                if chosen.size:
                    rows += _of_synapses(f"{source} -> {target}", synapses, chosen)
    return rows


def _of_synapses(name: str, synapses: Synapses, chosen: slice | NDArray[np.intp]) -> Iterator[Row]:
    weight = synapses.weight[chosen]
    yield _described(f"{name}.weight", weight)
    every = np.broadcast_to(synapses.delay, synapses.weight.size)
    yield _described(f"{name}.delay", every[chosen])
    if synapses.plasticity is None:
        return
    plastic = synapses.plasticity["plastic"][chosen]
    if not plastic.any() and not isinstance(chosen, slice):
        return
    for constant in ("a_plus", "a_minus", "tau_plus", "tau_minus"):
        yield _described(f"{name}.{constant}", synapses.plasticity[constant][chosen][plastic])


def _described(name: str, values: NDArray[Any]) -> Row:
    milliseconds = ("tau", "t_ref", "delay")
    row: Row = {
        "parameter": name,
        "unit": "ms" if name.split(".")[-1].startswith(milliseconds) else "mV",
        "n": values.size,
    }
    for statistic in ("mean", "std", "min", "median", "max"):
        row[statistic] = float(getattr(np, statistic)(values)) if values.size else None
    return row

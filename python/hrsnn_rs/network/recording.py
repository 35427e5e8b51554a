"""What is recorded of a run beside its spikes: asked for, checked, and made into tables.

Lives here: the argument `record` and what comes of it. Not here: values (the core), spikes and
rates (`results`). Invariant: what would not fit into the memory is refused before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import as_array, check_number
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.memory_limit import check_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["Plan", "Recorded", "grid_us", "plan"]

#: What neurons have, and what synapses have: the name of the source's column, then the target's.
NEURONS = ("v", "u_ex", "u_in", "theta")
SYNAPSES = {"weight": ("pre", "post"), "input_weight": ("channel", "post")}
#: Longest distance of a grid, ms: that of the longest sample.
LONGEST = 2**50 / 1000.0

_Numbers: TypeAlias = "NDArray[np.uint32]"


@dataclass(frozen=True)
class Plan:
    """What is to be recorded.

    Parameters
    ----------
    every : int
        Distance of the grid in µs.
    wanted : dict of str to tuple
        By the name of the state variable: neurons and None, or sources and targets of synapses.

    Examples
    --------
    >>> Plan(1000, {"v": (np.arange(2, dtype=np.uint32), None)}).to_core()[0]
    1000
    """

    every: int
    wanted: dict[str, tuple[_Numbers, _Numbers | None]]

    def to_core(self) -> tuple[int, list[tuple[str, _Numbers, _Numbers | None]]]:
        """Say it as the core takes it."""
        return self.every, [(name, *some) for name, some in self.wanted.items()]

    def check_memory(self, start: int, stop: int, dtype: str) -> None:
        """Refuse what does not fit, of the times from `start` to `stop` in µs."""
        n_times = len(range(-(-start // self.every) * self.every, stop, self.every))
        of_value = 8 if dtype == "float64" else 4
        n_bytes = 0.0
        for some, others in self.wanted.values():
            # Potentials with their times, values of shards and put together; then times, numbers
            # and values, and the table of them.
            of_row = 5 * of_value + 2 * (8 + 4 * (1 if others is None else 2))
            n_bytes += float(n_times) * some.size * of_row
        check_memory("record", n_bytes)


def plan(record: object, every: object, populations: Mapping[str, range]) -> Plan | None:
    """Check what is asked for.

    Parameters
    ----------
    record : mapping or None
        As in `Network.run`.
    every : float
        ms.
    populations : mapping of str to range
        Neurons by name.

    Returns
    -------
    Plan or None
        None where nothing is.

    Raises
    ------
    ParameterError, ShapeError
        If it is nothing that could be recorded of any network.

    Examples
    --------
    >>> plan({"v": "E"}, 0.5, {"E": range(3)}).wanted["v"][0]
    array([0, 1, 2], dtype=uint32)
    """
    distance = grid_us("every", every)
    if record is None:
        return None
    if not isinstance(record, Mapping):
        raise ParameterError(
            f"record must be a mapping of state variables, such as {{'v': [0, 1]}}; got {record!r}."
        )
    wanted: dict[str, tuple[_Numbers, _Numbers | None]] = {}
    for name, some in record.items():
        label = f"record[{name!r}]"
        if isinstance(name, str) and name in NEURONS:
            wanted[name] = (_neurons(label, some, populations), None)
        elif isinstance(name, str) and name in SYNAPSES:
            pairs = _numbers(label, some, 2)
            wanted[name] = (pairs[:, 0].copy(), pairs[:, 1].copy())
        else:
            known = ", ".join((*NEURONS, *SYNAPSES))
            raise ParameterError(f"record must name some of {known}; got {name!r}.")
    return Plan(distance, wanted)


def grid_us(name: str, every: object) -> int:
    """Round the distance of a grid from ms to µs.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    every : object
        ms.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ParameterError
        If it is no number, below 0.001 ms or longer than any sample.

    Examples
    --------
    >>> grid_us("every", 0.1)
    100
    """
    expected = f"between 0.001 and {LONGEST:.3g} ms"
    return round(1000.0 * check_number(name, every, expected, lambda ms: 1e-3 <= ms <= LONGEST))


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one run.

    Parameters
    ----------
    plan : Plan
        What it is of.
    start : int
        Time in µs from which on it was recorded.
    parts : sequence of sequences
        Of each stretch of the run one for each that was wanted: values row by row of the grid, or
        what the core makes them of.

    Examples
    --------
    >>> of_two = Plan(1000, {"v": (np.arange(2, dtype=np.uint32), None)})
    >>> Recorded(of_two, 500, [[np.array([0.0, 0.1])]]).frames()["v"].rows()
    [(1000, 0, 0.0), (1000, 1, 0.1)]
    """

    plan: Plan
    start: int
    parts: Sequence[Sequence[NDArray[Any] | _hrsnn.Course]]

    def frames(self) -> dict[str, pl.DataFrame]:
        """Make a table of each."""
        return {
            name: self._frame(name, *some, course)
            for (name, some), course in zip(self.plan.wanted.items(), self._values(), strict=True)
        }

    def _values(self) -> list[NDArray[Any]]:
        """Evaluate each."""
        courses = []
        for stretches in zip(*self.parts, strict=True):
            arrays = [
                part.values() if isinstance(part, _hrsnn.Course) else part for part in stretches
            ]
            courses.append(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
        return courses

    def __reduce__(self) -> tuple[type[Recorded], tuple[Plan, int, list[list[NDArray[Any]]]]]:
        return Recorded, (self.plan, self.start, [self._values()])

    def _frame(
        self, name: str, some: _Numbers, others: _Numbers | None, course: NDArray[Any]
    ) -> pl.DataFrame:
        import polars as pl

        every = self.plan.every
        n_times = course.size // some.size if some.size else 0
        t = -(-self.start // every) * every + every * np.arange(n_times, dtype=np.int64)
        columns = {"t": np.repeat(t, some.size)}
        if others is None:
            columns["neuron"] = np.tile(some, n_times)
        else:
            source, target = SYNAPSES[name]
            columns[source] = np.tile(some, n_times)
            columns[target] = np.tile(others, n_times)
        value = name if others is None else "weight"
        return pl.DataFrame({**columns, value: course})


def _neurons(label: str, some: object, populations: Mapping[str, range]) -> _Numbers:
    if isinstance(some, str):
        if some not in populations:
            known = ", ".join(populations) or "neurons by number: this network has no populations"
            raise ParameterError(f"{label} must be one of {known}; got {some!r}.")
        return np.arange(populations[some].start, populations[some].stop, dtype=np.uint32)
    return _numbers(label, some, 1)


def _numbers(label: str, some: object, n_dimensions: int) -> _Numbers:
    """Numbers of neurons, or pairs of them, all different, in their order."""
    array = as_array(label, some)
    shape = "(n,)" if n_dimensions == 1 else "(n, 2)"
    if array.size == 0 and array.ndim >= 1:
        return np.zeros((0, 2)[:n_dimensions], dtype=np.uint32)
    if array.ndim != n_dimensions or (n_dimensions == 2 and array.shape[1] != 2):
        what = "neurons" if n_dimensions == 1 else "pairs (pre, post)"
        raise ShapeError(f"{label} must be {what} of shape {shape}; got shape {array.shape}.")
    if array.dtype.kind not in "iu":
        raise ParameterError(f"{label} must be integers; got dtype {array.dtype}.")
    bad = (array < 0) | (array > np.iinfo(np.uint32).max)
    if bad.any():
        index = tuple(np.argwhere(bad)[0].tolist())
        raise ParameterError(
            f"{label} must be at least 0 and below 2**32; got {array[index]} at index {index[0]}."
        )
    _, first, inverse = np.unique(array, axis=0, return_index=True, return_inverse=True)
    again = first[inverse.ravel()] != np.arange(len(array))
    if again.any():
        at = int(np.argmax(again))
        raise ParameterError(
            f"{label} must name each once; got {array[at].tolist()} again at index {at}."
        )
    return array.astype(np.uint32)

"""What a run gives back: tables of spikes, rates and records, and the counts of what it took."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.recording import grid_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from hrsnn_rs.network.recording import Recorded
    from hrsnn_rs.network.spike_parts import SpikeParts

__all__ = ["Calibration", "RunResult", "RunStats"]


@dataclass(frozen=True)
class RunStats:
    """Counts of one run, or the sum over several.

    Parameters
    ----------
    n_spikes : int
        Spikes of neurons.
    n_input_events : int
        Events that came in.
    n_input_synaptic_events : int
        Synapses that input events arrived at.
    n_synaptic_events : int
        Recurrent synapses that spikes arrived at.
    n_weight_updates : int
        Depressions and potentiations.
    duration : int
        Simulated time in µs.
    wall_time : float
        Seconds it took; in a sum over a parallel call, that of the call.

    Examples
    --------
    >>> RunStats(3, 10, 20, 30, 0, 1_000_000, 0.1).n_synaptic_operations
    50
    """

    n_spikes: int
    n_input_events: int
    n_input_synaptic_events: int
    n_synaptic_events: int
    n_weight_updates: int
    duration: int
    wall_time: float

    @property
    def n_synaptic_operations(self) -> int:
        """All arrivals at synapses, from inputs and neurons alike."""
        return self.n_input_synaptic_events + self.n_synaptic_events

    def to_dict(self) -> dict[str, float]:
        """Return the counts by name, `n_synaptic_operations` among them."""
        return {**asdict(self), "n_synaptic_operations": self.n_synaptic_operations}

    @classmethod
    def from_counts(cls, counts: Sequence[int], duration: int, wall_time: float) -> RunStats:
        """Name what the core counted."""
        n_spikes, n_events, n_from_inputs, n_recurrent, n_updates = counts
        return cls(n_spikes, n_events, n_from_inputs, n_recurrent, n_updates, duration, wall_time)

    @classmethod
    def total(cls, stats: Iterable[RunStats]) -> RunStats:
        """Add up; of nothing it is all zeros."""
        rows = list(zip(*(asdict(one).values() for one in stats), strict=True))
        return cls(*(sum(row) for row in rows)) if rows else cls(0, 0, 0, 0, 0, 0, 0.0)


class RunResult:
    """Spikes and counts of one run.

    Parameters
    ----------
    t : int64 array of shape (n_spikes,)
        Times in µs, sorted.
    neuron : uint32 array of shape (n_spikes,)
        The neuron of each spike; sorted where times are equal.
    stats : RunStats
        What the run took.
    populations : mapping of str to range, default=None
        Neurons by name; `None`: there are no names.
    n_neurons : int, default=None
        Number of neurons; `None`: as many as the populations have.
    recorded : Recorded, default=None
        What was recorded beside the spikes.
    parts : SpikeParts, default=None
        Where the spikes are, if they are not given: they are read when they are first asked for.

    Examples
    --------
    >>> import numpy as np
    >>> stats = RunStats(1, 1, 1, 0, 0, 1000, 0.0)
    >>> RunResult(np.array([5]), np.array([0], np.uint32), stats).spikes.height
    1
    """

    def __init__(
        self,
        t: NDArray[np.int64],
        neuron: NDArray[np.uint32],
        stats: RunStats,
        populations: Mapping[str, range] | None = None,
        n_neurons: int | None = None,
        recorded: Recorded | None = None,
        parts: SpikeParts | None = None,
    ) -> None:
        self._columns = (t, neuron)
        self._parts = parts
        self._populations = dict(populations or {})
        self._n_neurons = n_neurons
        self._recorded = recorded
        self.stats = stats

    @cached_property
    def spikes(self) -> pl.DataFrame:
        """Table of `t` (int64, µs) and `neuron` (uint32), sorted by both."""
        import polars as pl

        if self._parts is not None:
            return self._parts.read()
        t, neuron = self._columns
        return pl.DataFrame({"t": t, "neuron": neuron})

    @property
    def _t(self) -> NDArray[np.int64]:
        return self._columns[0] if self._parts is None else self.spikes["t"].to_numpy()

    @property
    def _neuron(self) -> NDArray[np.uint32]:
        return self._columns[1] if self._parts is None else self.spikes["neuron"].to_numpy()

    def of(self, population: str) -> pl.DataFrame:
        """Give the spikes of one population.

        Parameters
        ----------
        population : str
            Its name; the network is one of `Network.from_populations`.

        Returns
        -------
        polars.DataFrame
            The rows of `spikes` with its neurons, which keep their numbers.

        Raises
        ------
        ParameterError
            If there is no such population.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network.from_populations(
        ...     [hr.Population("E", 3), hr.Population("I", 2, inhibitory=True)],
        ...     [hr.Projection("inputs", "I", hr.OneToOneConnectivity(weight=20.0))],
        ...     inputs=2,
        ... )
        >>> network.run(([100], [1])).of("I").rows()
        [(100, 4)]
        """
        if not isinstance(population, str) or population not in self._populations:
            known = ", ".join(self._populations) or "a network's populations; this one has none"
            raise ParameterError(f"population must be one of {known}; got {population!r}.")
        mine = self._populations[population]
        chosen = (self._neuron >= mine.start) & (self._neuron < mine.stop)
        import polars as pl

        return pl.DataFrame({"t": self._t[chosen], "neuron": self._neuron[chosen]})

    @cached_property
    def record(self) -> dict[str, pl.DataFrame]:
        """Tables of what was recorded, by the names that were given to `run`; {} if nothing was.

        Each has a column `t` (int64, µs), then `neuron` (uint32) and one of the name of the state
        variable (mV, of the type of the network); that of "weight" `pre`, `post` and `weight`, that
        of "input_weight" `channel`, `post` and `weight`. Rows are sorted by time, and for each
        time in the order that was asked for.
        """
        return {} if self._recorded is None else self._recorded.frames()

    def rates(self, every: float = 10.0) -> pl.DataFrame:
        """Give the mean rate of each population in the course of the run.

        Parameters
        ----------
        every : float, default=10.0
            Length of a bin in ms, rounded to µs; the last one ends with the run.

        Returns
        -------
        polars.DataFrame
            Columns `t` (int64, µs, where a bin begins), `population` and `rate` (Hz, mean over its
            neurons), sorted by time and in the order of the populations. Without populations
            there is one, "all".

        Raises
        ------
        ParameterError
            If `every` is below 0.001 ms, or the number of neurons is not known.
        OutOfMemoryError
            If there would be more bins than the memory holds.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
        >>> network.run(([100, 5000], [0, 0]), duration=15_000).rates(every=10.0).rows()
        [(0, 'all', 200.0), (10000, 'all', 0.0)]
        """
        width = grid_us("every", every)
        ranges = self._populations
        if not ranges:
            if self._n_neurons is None:
                raise ParameterError("n_neurons must be known to tell rates; got None.")
            ranges = {"all": range(self._n_neurons)}
        duration = self.stats.duration
        n_bins = -(-duration // width)
        check_memory("every", 40.0 * n_bins * len(ranges))
        begin = width * np.arange(n_bins, dtype=np.int64)
        seconds = 1e-6 * (np.minimum(begin + width, duration) - begin)
        rates = np.empty((n_bins, len(ranges)))
        for column, mine in enumerate(ranges.values()):
            chosen = (self._neuron >= mine.start) & (self._neuron < mine.stop)
            counts = np.bincount(self._t[chosen] // width, minlength=n_bins)
            rates[:, column] = counts / (seconds * max(len(mine), 1))
        import polars as pl

        return pl.DataFrame(
            {
                "t": np.repeat(begin, len(ranges)),
                "population": list(ranges) * n_bins,
                "rate": rates.ravel(),
            },
            schema_overrides={"population": pl.String},
        )

    def __repr__(self) -> str:
        return f"RunResult({self.stats})"


@dataclass(frozen=True)
class Calibration:
    """How the input weights were scaled.

    Parameters
    ----------
    gain : float
        Factor on the input weights as they were before the call.
    rate : float
        Mean rate of a neuron over the samples, in Hz, with that gain.
    suprathreshold : float
        Share of the excitatory input synapses that alone drive their neuron over threshold.
    n_runs : int
        Passes over the samples that the search took.

    Examples
    --------
    >>> Calibration(gain=2.0, rate=3.01, suprathreshold=0.0, n_runs=9).gain
    2.0
    """

    gain: float
    rate: float
    suprathreshold: float
    n_runs: int

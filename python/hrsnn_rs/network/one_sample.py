"""Runs of one sample.

Lives here: what goes into `Network.run` and what comes out. Not here: many samples (`running`), a
sample that can be stopped (`simulation`), the loop over time (the core).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_integer, check_number, check_truth
from hrsnn_rs.events.current import checked_current
from hrsnn_rs.events.drive import checked_drive
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.network.recording import Recorded, plan
from hrsnn_rs.network.results import RunResult, RunStats
from hrsnn_rs.network.spike_parts import PART, SpikeParts
from hrsnn_rs.network.state import NetworkState
from hrsnn_rs.network.training import LEARNING_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import ArrayLike

    from hrsnn_rs.events.current import InjectedCurrent
    from hrsnn_rs.events.drive import PoissonDrive

__all__ = ["OneSample", "check_threads"]


class OneSample(NetworkState):
    """A network's runs of one sample; see `Network`."""

    def run(
        self,
        events: Any,
        *,
        learn: bool = False,
        learning_rate: float = 1.0,
        duration: int | None = None,
        dt: float | None = None,
        sensor_size: tuple[int, int, int] | None = None,
        record: Mapping[str, ArrayLike | str] | None = None,
        every: float = 1.0,
        spikes_to: str | PathLike[str] | None = None,
        drive: PoissonDrive | None = None,
        current: InjectedCurrent | None = None,
        n_threads: int | None = None,
    ) -> RunResult:
        """Simulate one sample, from rest, and return its spikes.

        The result does not depend on `n_threads`.

        Parameters
        ----------
        events : Events, structured array, (t, channel) tuple, polars.DataFrame or raster
            Input; times in µs. Not changed.
        learn : bool, default=False
            Whether STDP (and the adaptive threshold) act. If not, nothing of the network
            changes.
        learning_rate : float, default=1.0
            Factor of `a_plus` and `a_minus` in this sample, at least 0.
        duration : int, default=None
            Length of the sample in µs; `None` means that of `events`.
        dt : float, default=None
            Length of a raster's row in ms.
        sensor_size : tuple of int, default=None
            (width, height, polarities) of a structured array with `x` and `y`.
        record : mapping of str, default=None
            What to record beside the spikes, for `result.record`: of "v", "u_ex", "u_in" and
            "theta" (all in mV) the neurons, as int array of shape (n,) or the name of a population;
            of "weight" and "input_weight" the synapses, as int array of shape (n, 2) of pairs
            (pre, post). It changes nothing else. Potentials are evaluated when
            `result.record` is first asked for.
        every : float, default=1.0
            Distance of the times at which that is recorded, in ms, rounded to µs. They are its
            multiples from 0 on, below the duration. A value is the one that all that happens in
            that µs has left: after a spike at that very time, `v` is `v_reset`.
        spikes_to : str or path, default=None
            Folder, new or empty, into which spikes are written while it runs, as Parquet files of
            some million spikes each (`polars.scan_parquet(folder)` reads them). So memory does
            not grow with their number; `result.spikes` reads them all.
        drive : PoissonDrive, default=None
            Poisson processes beside the events, drawn while it runs and never stored, with a rate
            for each channel. `([], [])` and a `duration` are no events.
        current : InjectedCurrent, default=None
            Current into neurons, beside their `bias`. The run then works on a copy of the network,
            or, where it learns, puts biases back.
        n_threads : int, default=None
            Threads of this call; `None` takes as many as pay.

        Returns
        -------
        RunResult
            `spikes`: table of `t` (µs) and `neuron`; `stats`: counts; `record`: tables.

        Raises
        ------
        ParameterError, ShapeError
            If the events are out of order or out of range, or there is not what is to be recorded:
            a neuron, a current of its own, one synapse between two.
        OutOfMemoryError
            If the record would not fit into the memory.
        OSError
            If the system refuses a file of spikes; what was learned so far is kept.
        KeyboardInterrupt
            On Ctrl-C; what was learned so far is kept, and so are the files that are written.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
        >>> network.run(([100, 5000], [0, 0])).stats.n_spikes
        10
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=8.0))
        >>> result = network.run(([1000], [0]), duration=3000, record={"v": [4]})
        >>> [(t, neuron, round(v, 2)) for t, neuron, v in result.record["v"].rows()]
        [(0, 4, 0.0), (1000, 4, 8.0), (2000, 4, 7.61)]
        """
        learn = check_truth("learn", learn)
        rate = check_number("learning_rate", learning_rate, *LEARNING_RATE)
        sample = as_events(events, self.n_inputs, duration=duration, dt=dt, sensor_size=sensor_size)
        threads = check_threads(n_threads)
        wanted = plan(record, every, self.populations)
        if wanted is not None:
            wanted.check_memory(0, sample.duration, self.dtype)
        drive = checked_drive(drive, self.n_inputs)
        injection = checked_current(current, self.n_neurons)
        parts = None if spikes_to is None else SpikeParts(spikes_to)
        start = time.perf_counter()
        t, neuron, counts, courses = self._core.run(
            sample.t,
            sample.channel,
            sample.duration,
            learn,
            threads,
            scale=rate,
            record=None if wanted is None else wanted.to_core(),
            parts_to=parts,
            part=PART,
            drive=None if drive is None else drive._core,
            injection=injection,
        )
        wall_time = time.perf_counter() - start
        stats = RunStats.from_counts(counts, sample.duration, wall_time)
        recorded = None if wanted is None else Recorded(wanted, 0, [courses])
        return RunResult(t, neuron, stats, self.populations, self.n_neurons, recorded, parts)


def check_threads(n_threads: int | None) -> int | None:
    """Refuse what is no number of threads, and None, which leaves it open.

    Parameters
    ----------
    n_threads : int or None
        What the caller handed over.

    Returns
    -------
    int or None
        The same.

    Raises
    ------
    ParameterError
        If it is not in [1, 1024].

    Examples
    --------
    >>> check_threads(2)
    2
    """
    return None if n_threads is None else check_integer("n_threads", n_threads, 1, 1024)

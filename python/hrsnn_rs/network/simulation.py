"""A sample that can be stopped, kept in a file and gone on with, at any µs.

Lives here: the class that users hold. Not here: the loop over time and all that moves (the core),
the file (`simulation_file`). Invariant: wherever a sample stops, its end is that of `Network.run`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer, check_truth
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.current import checked_current
from hrsnn_rs.events.drive import checked_drive
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.events.no_copies import NoCopies
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.recording import Plan, Recorded, plan
from hrsnn_rs.network.results import RunResult, RunStats
from hrsnn_rs.network.running import progress_bar

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from hrsnn_rs.events.current import InjectedCurrent
    from hrsnn_rs.events.drive import PoissonDrive
    from hrsnn_rs.events.events import Events

__all__ = ["Simulation"]

#: Stops of a run that shows how far it is.
_STEPS = 100


class Simulation(NoCopies):
    """One sample on its way through a network; it can be stopped and saved at any µs.

    Spikes, counts, weights and adapted thresholds at the end are those of
    `network.run(events, learn=learn)`, bit for bit, wherever it stopped and however many threads
    it had before and after.

    Parameters
    ----------
    network : Network
        Is copied; what is learned goes to the copy.
    events : Events, structured array, (t, channel) tuple, polars.DataFrame or raster
        Input, as in `Network.run`; times in µs.
    learn : bool, default=False
        As in `Network.run`.
    duration, dt, sensor_size : int (µs), float (ms), tuple of int, default=None
        As in `Network.run`.
    drive : PoissonDrive, default=None
        As in `Network.run`; wherever the sample stops, the same events are drawn.
    current : InjectedCurrent, default=None
        As in `Network.run`.

    Raises
    ------
    ParameterError, ShapeError
        If an argument is not what it should be; the message names it, the index and the value.

    See Also
    --------
    Network.run : the same in one go.
    Network.train : its `checkpoint` keeps a training between samples.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import hrsnn_rs as hr
    >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> simulation = hr.Simulation(network, ([100, 5000, 9000], [0, 0, 0]))
    >>> simulation.run_until(5000)
    >>> simulation.result.stats.n_spikes
    5
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "half.safetensors"
    ...     simulation.save(path)
    ...     again = hr.Simulation.load(path)
    >>> again
    Simulation(t=5000, duration=9001, learn=False, network=Network(...))
    >>> again.run().stats.n_spikes
    15
    """

    _instead = "save() it, and load() the file"

    def __init__(
        self,
        network: Network,
        events: Any,
        *,
        learn: bool = False,
        duration: int | None = None,
        dt: float | None = None,
        sensor_size: tuple[int, int, int] | None = None,
        drive: PoissonDrive | None = None,
        current: InjectedCurrent | None = None,
    ) -> None:
        if not isinstance(network, Network):
            raise ParameterError(f"network must be a Network; got {network!r}.")
        learn = check_truth("learn", learn)
        sample = as_events(
            events, network.n_inputs, duration=duration, dt=dt, sensor_size=sensor_size
        )
        drive = checked_drive(drive, network.n_inputs)
        self._set_up(network, sample, learn, (drive, current), None, 0.0)

    def _set_up(
        self,
        network: Network,
        events: Events,
        learn: bool,
        sources: tuple[PoissonDrive | None, InjectedCurrent | None],
        state: dict[str, Any] | None,
        wall_time: float,
    ) -> None:
        drive, current = sources
        self._core = _hrsnn.Simulation(
            network._core,
            events.t,
            events.channel,
            events.duration,
            learn,
            state,
            drive=None if drive is None else drive._core,
            injection=checked_current(current, network.n_neurons),
        )
        # All of the network but what moves, which the core has.
        self._still = network._with_core(None)
        self._events = events
        self._wall_time = wall_time
        self._learn = learn
        self._drive, self._current = drive, current

    @property
    def duration(self) -> int:
        """Length of the sample in µs."""
        return self._events.duration

    @property
    def learn(self) -> bool:
        """Whether STDP acts."""
        return self._learn

    @property
    def drive(self) -> PoissonDrive | None:
        """What is drawn beside the events."""
        return self._drive

    @property
    def current(self) -> InjectedCurrent | None:
        """What is injected into neurons."""
        return self._current

    @property
    def t(self) -> int:
        """Time reached in µs: all that happens before it has happened, and nothing else has."""
        return self._core.t

    def run_until(self, t: int, *, n_threads: int | None = None) -> None:
        """Go on until the time `t`.

        At the duration the sample ends as in `Network.run`: thresholds decay, and weights are
        normalised, where that is wanted.

        Parameters
        ----------
        t : int
            µs, not before the time reached, and at most the duration.
        n_threads : int, default=None
            As in `Network.run`.

        Raises
        ------
        ParameterError
            If `t` is past or beyond the duration.
        KeyboardInterrupt
            On Ctrl-C; it then stands somewhere in between and can go on.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> simulation = hr.Simulation(hr.Network(1, 5), ([100], [0]), duration=1000)
        >>> simulation.run_until(17)
        >>> simulation.t
        17
        """
        self._run_until(check_integer("t", t, 0, 2**63 - 1), n_threads, None)

    def _run_until(self, t: int, n_threads: int | None, wanted: Plan | None) -> list[_hrsnn.Course]:
        """Go on until the time `t`; what was recorded on the way."""
        threads = check_threads(n_threads)
        start = time.perf_counter()
        try:
            return self._core.run_until(t, threads, None if wanted is None else wanted.to_core())
        finally:
            self._wall_time += time.perf_counter() - start

    def run(
        self,
        *,
        record: Mapping[str, ArrayLike | str] | None = None,
        every: float = 1.0,
        n_threads: int | None = None,
        progress: bool = False,
    ) -> RunResult:
        """Go on to the end of the sample.

        Parameters
        ----------
        record : mapping of str, default=None
            What to record on the way, as in `Network.run`: the rows of the times from `t`, where it
            stands, on. Whether it has stopped or was saved does not show in them.
        every : float, default=1.0
            As in `Network.run`; the grid counts from 0, not from `t`.
        n_threads : int, default=None
            As in `Network.run`.
        progress : bool, default=False
            As in `Network.train`.

        Returns
        -------
        RunResult
            As `result`, with the `record` of this call.

        Raises
        ------
        ParameterError, ShapeError
            If there is not what is to be recorded.
        OutOfMemoryError
            If the record would not fit into the memory.
        KeyboardInterrupt
            On Ctrl-C; it then stands somewhere in between and can go on, without what this call has
            recorded.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> hr.Simulation(hr.Network(1, 5), ([100], [0])).run().stats.n_input_events
        1
        """
        wanted = plan(record, every, self._still.populations)
        begin = self.t
        if wanted is not None:
            wanted.check_memory(begin, self.duration, self._still.dtype)
        parts = []
        if check_truth("progress", progress):
            with progress_bar(total=self.duration, initial=self.t, desc="run", unit="µs") as bar:
                for step in range(1, _STEPS):
                    stop = max(self.t, step * self.duration // _STEPS)
                    parts.append(self._run_until(stop, n_threads, wanted))
                    bar.update(self.t - bar.n)
        parts.append(self._run_until(self.duration, n_threads, wanted))
        if wanted is None:
            return self.result
        return self._result(Recorded(wanted, begin, parts))

    @property
    def result(self) -> RunResult:
        """Spikes and counts so far; `duration` of the counts is the time reached."""
        return self._result(None)

    def _result(self, recorded: Recorded | None) -> RunResult:
        t, neuron, counts, reached = self._core.result()
        stats = RunStats.from_counts(counts, reached, self._wall_time)
        names, n_neurons = self._still.populations, self._still.n_neurons
        return RunResult(t, neuron, stats, names, n_neurons, recorded)

    @property
    def network(self) -> Network:
        """Copy of the network as it is now, with all that is pending applied to its weights."""
        return self._still._with_core(self._core.network())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a safetensors file: all of it or, on an error, nothing.

        The file holds the network, the events, the drive, the current, the spikes so far and all
        that moves.

        Parameters
        ----------
        path : str or path
            A file that stands there is replaced.

        Raises
        ------
        OSError
            If the system refuses.
        """
        from hrsnn_rs.network.simulation_file import Saved, write_simulation

        core, state = self._core.state()
        now = self._still._with_core(core)
        saved = Saved(
            now._assembly(),
            now._gain,
            self._events,
            self.learn,
            (self.drive, self.current),
            state,
            self._wall_time,
        )
        write_simulation(path, saved)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a simulation; it goes on with the same bits as the one that was saved.

        Parameters
        ----------
        path : str or path
            Written by `save`.

        Returns
        -------
        Simulation

        Raises
        ------
        FormatError
            If the file is damaged, or something else.
        OSError
            If it cannot be read.
        """
        from hrsnn_rs.network.simulation_file import read_simulation

        saved = read_simulation(path)
        simulation = cls.__new__(cls)
        try:
            network = Network._made_of(saved.assembly, saved.gain, None)
            simulation._set_up(
                network, saved.events, saved.learn, saved.sources, saved.state, saved.wall_time
            )
        except (ParameterError, ShapeError) as error:
            raise FormatError(f"{path}: {error}") from None
        return simulation

    def __repr__(self) -> str:
        return (
            f"Simulation(t={self.t}, duration={self.duration}, learn={self.learn},"
            f" network={self._still!r})"
        )

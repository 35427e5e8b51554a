"""Spikes to and from Neo and NWB, in which electrophysiologists keep and analyse them.

Lives here: trains of a run's spikes, and events made of trains. Not here: analyses (Elephant and
others do them). Invariant: spikes that went out and came back are at the same µs.
"""

from __future__ import annotations

import datetime
import pathlib
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from hrsnn_rs.network.results import RunResult

__all__ = ["from_neo", "from_nwb", "to_neo", "to_nwb"]


def to_neo(result: RunResult) -> Any:
    """Give the spikes of a run as a `neo.Segment`.

    Parameters
    ----------
    result : RunResult
        What `Network.run` returned.

    Returns
    -------
    neo.Segment
        A `SpikeTrain` for each neuron, silent ones too, in µs, from 0 to the duration; annotated
        with `neuron` and, where there are some, `population`.

    Raises
    ------
    ParameterError
        If the number of neurons is not known.
    MissingDependencyError
        If Neo is not installed.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.network import to_neo
    >>> result = hr.Network(1, 5).run(([100], [0]))
    >>> len(to_neo(result).spiketrains)                          # doctest: +SKIP
    5
    """
    try:
        import neo
    except ImportError:
        raise MissingDependencyError('to_neo needs neo: pip install "hrsnn_rs[nwb]"') from None
    trains = _trains(result)
    names = _populations(result, len(trains))
    segment = neo.Segment(name="hrsnn_rs")
    for neuron, train in enumerate(trains):
        notes = {"neuron": neuron} | ({"population": names[neuron]} if names else {})
        segment.spiketrains.append(
            neo.SpikeTrain(
                train.astype(np.float64), units="us", t_stop=float(result.stats.duration), **notes
            )
        )
    return segment


def from_neo(trains: Any) -> Events:
    """Make events of trains of spikes, a channel for each train.

    Parameters
    ----------
    trains : neo.Segment, or sequence of neo.SpikeTrain
        Times are rounded to µs and counted from the earliest `t_start`. Not changed.

    Returns
    -------
    Events
        Until the latest `t_stop`.

    Raises
    ------
    ParameterError
        If they are no trains.

    Examples
    --------
    >>> from hrsnn_rs.network import from_neo
    >>> network.run(from_neo(segment))                           # doctest: +SKIP
    """
    try:
        given = list(getattr(trains, "spiketrains", trains))
    except TypeError:
        raise ParameterError(
            f"trains must be a neo.Segment or SpikeTrains; got {trains!r}."
        ) from None
    if not given:
        raise ParameterError("trains must hold at least 1 train; got 0.")
    for index, train in enumerate(given):
        if not hasattr(train, "rescale") or not hasattr(train, "t_stop"):
            raise ParameterError(f"trains must be SpikeTrains; got {kind_of(train)} at {index}.")
    times = [np.asarray(train.rescale("us").magnitude, np.float64) for train in given]
    start = min(float(train.t_start.rescale("us")) for train in given)
    stop = max(float(train.t_stop.rescale("us")) for train in given)
    return _events([one - start for one in times], stop - start)


def to_nwb(
    result: RunResult,
    path: str | os.PathLike[str],
    *,
    description: str = "simulation by hrsnn_rs",
    start: datetime.datetime | None = None,
) -> None:
    """Write the spikes of a run to a file of Neurodata Without Borders.

    Parameters
    ----------
    result : RunResult
        What `Network.run` returned.
    path : str or path
        File to write; replaced if it is there.
    description : str, default="simulation by hrsnn_rs"
        Of the session.
    start : datetime, default=None
        When the session began, with a time zone. `None`: now.

    Raises
    ------
    ParameterError
        If the number of neurons is not known, or `start` has no time zone.
    OSError
        If the file cannot be written.
    MissingDependencyError
        If PyNWB is not installed.

    Examples
    --------
    >>> from hrsnn_rs.network import to_nwb
    >>> to_nwb(network.run(events), "spikes.nwb")                # doctest: +SKIP
    """
    pynwb = _pynwb("to_nwb")
    place = check_path("path", path)
    if not isinstance(description, str) or not description:
        raise ParameterError(f"description must be a text; got {description!r}.")
    if start is None:
        start = datetime.datetime.now(datetime.UTC)
    if not isinstance(start, datetime.datetime) or start.tzinfo is None:
        raise ParameterError(f"start must be a datetime with a time zone; got {start!r}.")
    trains = _trains(result)
    names = _populations(result, len(trains))
    content = pynwb.NWBFile(description, str(uuid.uuid4()), start)
    if names:
        content.add_unit_column("population", "name of the neuron's population")
    seen = [[0.0, result.stats.duration / 1e6]]
    for neuron, train in enumerate(trains):
        more = {"population": names[neuron]} if names else {}
        content.add_unit(id=neuron, spike_times=train / 1e6, obs_intervals=seen, **more)
    with pynwb.NWBHDF5IO(place, "w") as file:
        file.write(content)


def from_nwb(path: str | os.PathLike[str]) -> Events:
    """Read the units of a file of Neurodata Without Borders as events, a channel for each unit.

    Parameters
    ----------
    path : str or path
        The file. Times are rounded to µs.

    Returns
    -------
    Events
        Until the end of the latest observation or, where nobody says it, the last spike.

    Raises
    ------
    FormatError
        If it has no units, or is no such file.
    OSError
        If it cannot be read.
    MissingDependencyError
        If PyNWB is not installed.

    Examples
    --------
    >>> from hrsnn_rs.network import from_nwb
    >>> network.run(from_nwb("spikes.nwb"))                      # doctest: +SKIP
    """
    pynwb = _pynwb("from_nwb")
    place = check_path("path", path)
    # What the system refuses it says itself.
    pathlib.Path(place).open("rb").close()
    try:
        with pynwb.NWBHDF5IO(place, "r") as file:
            units = file.read().units
            if units is None or len(units) == 0:
                raise FormatError(f"{place}: the file has no units.")
            times = [np.asarray(units.get_unit_spike_times(k)) for k in range(len(units))]
            ends = [0.0]
            if "obs_intervals" in units.colnames:
                ends += [float(np.max(units.get_unit_obs_intervals(k))) for k in range(len(units))]
    except FormatError:
        raise
    # A file that is something else makes the libraries raise nearly anything.
    except Exception as error:
        raise FormatError(f"{place}: cannot be read as NWB: {error}") from None
    return _events([one * 1e6 for one in times], max(ends) * 1e6)


def _pynwb(caller: str) -> Any:
    try:
        import pynwb
    except ImportError:
        raise MissingDependencyError(f'{caller} needs pynwb: pip install "hrsnn_rs[nwb]"') from None
    return pynwb


def _trains(result: RunResult) -> list[NDArray[np.int64]]:
    """Give the times of each neuron's spikes, µs."""
    n_neurons = getattr(result, "_n_neurons", None)
    if n_neurons is None:
        raise ParameterError(f"result must be one of Network.run; got {kind_of(result)}.")
    spikes = result.spikes
    t, neuron = spikes["t"].to_numpy(), spikes["neuron"].to_numpy()
    order = np.argsort(neuron, kind="stable")
    ends = np.cumsum(np.bincount(neuron, minlength=n_neurons))[:-1]
    return np.split(t[order], ends)


def _populations(result: RunResult, n_neurons: int) -> list[str]:
    names = [""] * n_neurons if result._populations else []
    for name, mine in result._populations.items():
        names[mine.start : mine.stop] = [name] * len(mine)
    return names


def _events(times: Iterable[NDArray[np.float64]], end: float) -> Events:
    rounded = [np.rint(one).astype(np.int64) for one in times]
    channel = np.repeat(np.arange(len(rounded)), [one.size for one in rounded])
    t = np.concatenate(rounded)
    order = np.argsort(t, kind="stable")
    last = int(t.max()) + 1 if t.size else 1
    return Events(t[order], channel[order], len(rounded), max(round(end), last))

"""Simulation files: a sample on its way as named arrays and texts.

Lives here: what is written besides the network, and how it is checked when read. Not here: the
network's own part (`model_file`), and what a state must be to be gone on with (the core).
Invariant: what is loaded goes on with the same bits as what was saved.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.current import InjectedCurrent, checked_current
from hrsnn_rs.events.drive import PoissonDrive, checked_drive
from hrsnn_rs.events.events import Events
from hrsnn_rs.network.model_file import (
    SIMULATION,
    check_version,
    load_format,
    read_json,
    read_network,
    save_arrays,
    to_state,
)

if TYPE_CHECKING:
    import os

    from hrsnn_rs.network.assembly import Assembly

__all__ = ["Saved", "read_simulation", "write_simulation"]

SIMULATION_VERSION = 1

_STATE, _DRIVE, _CURRENT = "state/", "drive/", "current/"
#: Arrays of the state by their type; None: that of the network.
_ARRAYS = {
    "v": None,
    "since": np.int64,
    "charge_ex": None,
    "charge_in": None,
    "charge_since": np.int64,
    "crossing": np.int64,
    "inputs/x": None,
    "inputs/y": None,
    "recurrent/x": None,
    "recurrent/y": None,
    "spike_t": np.int64,
    "spike_neuron": np.uint32,
}
_NUMBERS = (
    "t",
    "settled",
    "unsettled",
    "n_input_synaptic_events",
    "n_synaptic_events",
    "n_weight_updates",
)


@dataclass(frozen=True)
class Saved:
    """What a file holds.

    Parameters
    ----------
    assembly : Assembly
        The network, whose weights lack what is pending.
    gain : float
        Product of the gains of all calibrations.
    events : Events
        The sample.
    learn : bool
        Whether weights and thresholds change.
    sources : tuple of PoissonDrive or None, and InjectedCurrent or None
        What is drawn beside the events, and what is injected into neurons.
    state : dict
        What moves, as the core gives and takes it.
    wall_time : float
        Seconds it took so far.
    """

    assembly: Assembly
    gain: float
    events: Events
    learn: bool
    sources: tuple[PoissonDrive | None, InjectedCurrent | None]
    state: dict[str, Any]
    wall_time: float


def write_simulation(path: str | os.PathLike[str], saved: Saved) -> None:
    """Write a sample on its way to `path`, atomically.

    Raises
    ------
    OSError
        If the system refuses; what stood at `path` before still does.
    """
    path = check_path("path", path)
    arrays, header = to_state(saved.assembly, saved.gain)
    arrays["events/t"], arrays["events/channel"] = saved.events.t, saved.events.channel
    for name in _ARRAYS:
        arrays[f"{_STATE}{name}"] = saved.state[name]
    drive, current = saved.sources
    told: dict[str, Any] = {"drive": None, "current": None}
    if drive is not None:
        told["drive"] = {"seed": drive.seed, "sample": drive.sample}
        arrays[f"{_DRIVE}rates"] = drive.rates.ravel()
        if drive.edges is not None:
            arrays[f"{_DRIVE}edges"] = drive.edges
    if current is not None:
        told["current"] = {"noise": current.noise, "seed": current.seed}
        arrays[f"{_CURRENT}values"] = current.values.ravel()
        arrays[f"{_CURRENT}edges"] = current.edges
        if current.neurons is not None:
            arrays[f"{_CURRENT}neurons"] = current.neurons
    simulation = {
        "format_version": SIMULATION_VERSION,
        "learn": saved.learn,
        "is_over": saved.state["is_over"],
        "duration": saved.events.duration,
        "wall_time": saved.wall_time,
        **told,
        **{name: saved.state[name] for name in (*_NUMBERS, "n_drawn")},
    }
    save_arrays(
        path,
        arrays,
        {
            "format": SIMULATION,
            "hrsnn_rs": _hrsnn.__version__,
            "header": json.dumps(header),
            "simulation": json.dumps(simulation),
        },
    )


def read_simulation(path: str | os.PathLike[str]) -> Saved:
    """Read what `write_simulation` wrote.

    Raises
    ------
    FormatError
        If the file is damaged, no simulation, or of a later version.
    OSError
        If it cannot be read.
    """
    path = check_path("path", path)
    arrays, texts = load_format(path, SIMULATION)
    fields = read_json(path, texts, "simulation")
    check_version(path, fields, SIMULATION_VERSION)
    of_network = {
        name: values
        for name, values in arrays.items()
        if not name.startswith((_STATE, _DRIVE, _CURRENT, "events/"))
    }
    assembly, gain = read_network(path, of_network, texts)
    try:
        real = np.dtype(assembly.dtype)
        state: dict[str, Any] = {
            name: _column(arrays, f"{_STATE}{name}", kind or real) for name, kind in _ARRAYS.items()
        }
        state.update({name: _whole(fields, name) for name in _NUMBERS})
        state["is_over"] = _truth(fields, "is_over")
        events = Events(
            _column(arrays, "events/t", np.int64),
            _column(arrays, "events/channel", np.uint32),
            n_channels=assembly.inputs.indptr.size - 1,
            duration=_whole(fields, "duration"),
        )
        unknown = arrays.keys() - of_network.keys() - {"events/t", "events/channel"}
        unknown -= {f"{_STATE}{name}" for name in _ARRAYS}
        drive = _drive(arrays, fields, events.n_channels)
        state["n_drawn"] = _n_drawn(fields, drive, min(state["t"], events.duration))
        if drive is not None:
            unknown -= {f"{_DRIVE}rates", f"{_DRIVE}edges"}
        current = _current(arrays, fields, assembly.inhibitory.size)
        if current is not None:
            unknown -= {f"{_CURRENT}{name}" for name in ("values", "edges", "neurons")}
        if unknown:
            raise FormatError(f"{min(unknown)} is not an array of a simulation.")
        wall_time = fields.get("wall_time")
        if not isinstance(wall_time, float) or not 0.0 <= wall_time < math.inf:
            raise FormatError(f"wall_time must be at least 0 s; got {wall_time!r}.")
        learn = _truth(fields, "learn")
    except (FormatError, ParameterError, ShapeError) as error:
        raise FormatError(f"{path}: {error}") from None
    return Saved(assembly, gain, events, learn, (drive, current), state, wall_time)


def _current(
    arrays: dict[str, Any], fields: dict[str, Any], n_neurons: int
) -> InjectedCurrent | None:
    """Make the current again; files of earlier versions say nothing of one."""
    told = fields.get("current")
    if told is None:
        return None
    if not isinstance(told, dict):
        raise FormatError(f"current must be an object; got {told!r}.")
    values, edges = (
        _column(arrays, f"{_CURRENT}{name}", np.float64) for name in ("values", "edges")
    )
    neurons = None
    if f"{_CURRENT}neurons" in arrays:
        neurons = _column(arrays, f"{_CURRENT}neurons", np.uint32)
    n_bins = edges.size - 1
    if values.size != n_bins:
        if neurons is None or values.size != n_bins * neurons.size:
            raise FormatError(f"current/values must have length {n_bins}; got {values.size}.")
        values = values.reshape(n_bins, -1)
    seed = _whole(told, "seed", 2**64)
    noise: Any = told.get("noise")
    current = InjectedCurrent(values, edges, neurons, noise=noise, seed=seed)
    checked_current(current, n_neurons)
    return current


def _drive(arrays: dict[str, Any], fields: dict[str, Any], n_channels: int) -> PoissonDrive | None:
    """Make the drive again; files of earlier versions say nothing of one."""
    told = fields.get("drive")
    if told is None:
        return None
    if not isinstance(told, dict):
        raise FormatError(f"drive must be an object; got {told!r}.")
    rates, edges = _column(arrays, f"{_DRIVE}rates", np.float64), None
    if f"{_DRIVE}edges" in arrays:
        edges = _column(arrays, f"{_DRIVE}edges", np.float64)
        if rates.size != (edges.size - 1) * n_channels:
            raise FormatError(
                f"drive/rates must have length {(edges.size - 1) * n_channels}; got {rates.size}."
            )
        rates = rates.reshape(-1, n_channels)
    drive = PoissonDrive(rates, _whole(told, "seed", 2**64), edges=edges)
    return checked_drive(drive.for_sample(_whole(told, "sample")), n_channels)


def _n_drawn(fields: dict[str, Any], drive: PoissonDrive | None, t: int) -> int:
    """Read how many events a drive gave before `t`; count them where an older file does not say."""
    if "n_drawn" in fields:
        return _whole(fields, "n_drawn")
    return 0 if drive is None else drive._core.count(t)


def _column(arrays: dict[str, Any], name: str, kind: Any) -> Any:
    values = arrays.get(name)
    if values is None:
        raise FormatError(f"{name} is missing.")
    if values.ndim != 1 or values.dtype != kind:
        raise FormatError(
            f"{name} must be a list of {np.dtype(kind)}; got {values.dtype} of shape"
            f" {values.shape}."
        )
    return values


def _whole(fields: dict[str, Any], name: str, below: int = 2**63) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise FormatError(f"{name} must be a whole number from 0 to {below - 1}; got {value!r}.")
    return value


def _truth(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise FormatError(f"{name} must be true or false; got {value!r}.")
    return value

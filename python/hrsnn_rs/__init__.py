"""Heterogeneous recurrent spiking neural networks that learn without labels.

What describes and runs a network is loaded with the package. Other wings, polars, SciPy,
scikit-learn and matplotlib are loaded where they are first used; their names are here all the same.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hrsnn_rs._hrsnn import __version__
from hrsnn_rs.description import (
    LIF,
    STDP,
    AdaptiveThreshold,
    Competition,
    Constant,
    DistanceConnectivity,
    ExplicitConnectivity,
    FixedInDegreeConnectivity,
    Gamma,
    LocalConnectivity,
    LocalRecurrence,
    LogNormal,
    LogUniform,
    Normal,
    OneToOneConnectivity,
    Population,
    Projection,
    RandomConnectivity,
    SmallWorldConnectivity,
    Uniform,
)
from hrsnn_rs.errors import (
    CalibrationError,
    CalibrationWarning,
    CheckpointWarning,
    FormatError,
    HRSNNError,
    InternalError,
    MissingDependencyError,
    OutOfMemoryError,
    ParameterError,
    ShapeError,
)
from hrsnn_rs.events import Events, SensorEvents
from hrsnn_rs.network import Calibration, Network, RunResult, RunStats, Simulation, presets

if TYPE_CHECKING:
    from hrsnn_rs import (
        datasets,
        encoding,
        learning,
        made_up,
        plotting,
        recordings,
        report,
        search,
    )
    from hrsnn_rs.datasets import load_folder, make_gestures, open_dataset, reversed_pairs
    from hrsnn_rs.encoding import EventEncoder, FrameDifference, TemporalContrast, TrackingEncoder
    from hrsnn_rs.learning import HRSNNClassifier, Readout
    from hrsnn_rs.made_up import EventCamera

# Where the names are that are loaded when they are first asked for; None: a wing.
_LATER = {
    "EventCamera": "made_up",
    "EventEncoder": "encoding",
    "FrameDifference": "encoding",
    "HRSNNClassifier": "learning",
    "Readout": "learning",
    "TemporalContrast": "encoding",
    "TrackingEncoder": "encoding",
    "datasets": None,
    "encoding": None,
    "learning": None,
    "load_folder": "datasets",
    "made_up": None,
    "make_gestures": "datasets",
    "open_dataset": "datasets",
    "plotting": None,
    "recordings": None,
    "report": None,
    "reversed_pairs": "datasets",
    "search": None,
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    wing = import_module(f"{__name__}.{_LATER[name] or name}")
    return wing if _LATER[name] is None else getattr(wing, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "LIF",
    "STDP",
    "AdaptiveThreshold",
    "Calibration",
    "CalibrationError",
    "CalibrationWarning",
    "CheckpointWarning",
    "Competition",
    "Constant",
    "DistanceConnectivity",
    "EventCamera",
    "EventEncoder",
    "Events",
    "ExplicitConnectivity",
    "FixedInDegreeConnectivity",
    "FormatError",
    "FrameDifference",
    "Gamma",
    "HRSNNClassifier",
    "HRSNNError",
    "InternalError",
    "LocalConnectivity",
    "LocalRecurrence",
    "LogNormal",
    "LogUniform",
    "MissingDependencyError",
    "Network",
    "Normal",
    "OneToOneConnectivity",
    "OutOfMemoryError",
    "ParameterError",
    "Population",
    "Projection",
    "RandomConnectivity",
    "Readout",
    "RunResult",
    "RunStats",
    "SensorEvents",
    "ShapeError",
    "Simulation",
    "SmallWorldConnectivity",
    "TemporalContrast",
    "TrackingEncoder",
    "Uniform",
    "__version__",
    "datasets",
    "description",
    "encoding",
    "events",
    "learning",
    "load_folder",
    "made_up",
    "make_gestures",
    "network",
    "open_dataset",
    "plotting",
    "presets",
    "recordings",
    "report",
    "reversed_pairs",
    "search",
]

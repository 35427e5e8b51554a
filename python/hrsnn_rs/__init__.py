"""Heterogeneous recurrent spiking neural networks that learn without labels.

A name is loaded when it is first asked for, and with it what it needs: NumPy, SciPy, polars,
scikit-learn, matplotlib. So this import costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hrsnn_rs._hrsnn import __version__
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

if TYPE_CHECKING:
    from hrsnn_rs import (
        datasets,
        description,
        encoding,
        events,
        learning,
        made_up,
        network,
        plotting,
        recordings,
        report,
    )
    from hrsnn_rs.datasets import load_folder, make_gestures, open_dataset, reversed_pairs
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
    from hrsnn_rs.encoding import EventEncoder, FrameDifference, TemporalContrast, TrackingEncoder
    from hrsnn_rs.events import Events, SensorEvents
    from hrsnn_rs.learning import FeatureLayer, HRSNNClassifier, HRSNNTransformer, Readout
    from hrsnn_rs.made_up import EventCamera
    from hrsnn_rs.network import Calibration, Network, RunResult, RunStats, Simulation, presets

# Each wing, and what of it stands here too.
_NAMES_OF: dict[str, tuple[str, ...]] = {
    "datasets": ("load_folder", "make_gestures", "open_dataset", "reversed_pairs"),
    "description": (
        "LIF",
        "STDP",
        "AdaptiveThreshold",
        "Competition",
        "Constant",
        "DistanceConnectivity",
        "ExplicitConnectivity",
        "FixedInDegreeConnectivity",
        "Gamma",
        "LocalConnectivity",
        "LocalRecurrence",
        "LogNormal",
        "LogUniform",
        "Normal",
        "OneToOneConnectivity",
        "Population",
        "Projection",
        "RandomConnectivity",
        "SmallWorldConnectivity",
        "Uniform",
    ),
    "encoding": ("EventEncoder", "FrameDifference", "TemporalContrast", "TrackingEncoder"),
    "events": ("Events", "SensorEvents"),
    "learning": ("FeatureLayer", "HRSNNClassifier", "HRSNNTransformer", "Readout"),
    "made_up": ("EventCamera",),
    "network": ("Calibration", "Network", "RunResult", "RunStats", "Simulation", "presets"),
    "plotting": (),
    "recordings": (),
    "report": (),
}
_WING_OF = {name: wing for wing, names in _NAMES_OF.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _NAMES_OF:
        return import_module(f"{__name__}.{name}")
    if name not in _WING_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WING_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES_OF, *_WING_OF})


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
    "FeatureLayer",
    "FixedInDegreeConnectivity",
    "FormatError",
    "FrameDifference",
    "Gamma",
    "HRSNNClassifier",
    "HRSNNError",
    "HRSNNTransformer",
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
]

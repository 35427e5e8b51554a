"""Heterogeneous recurrent spiking neural networks that learn without labels."""

from hrsnn_rs._hrsnn import __version__
from hrsnn_rs.classifier import HRSNNClassifier
from hrsnn_rs.connectivity import (
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.datasets import load_folder, make_gestures, reversed_pairs
from hrsnn_rs.distributions import Constant, Gamma, LogNormal, Normal, Uniform
from hrsnn_rs.doctor import open_dataset
from hrsnn_rs.encoding import EventCamera, EventEncoder
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
from hrsnn_rs.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.network import Network
from hrsnn_rs.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.readout import Readout
from hrsnn_rs.results import Calibration, RunResult, RunStats
from hrsnn_rs.simulation import Simulation

__all__ = [
    "LIF",
    "STDP",
    "AdaptiveThreshold",
    "Calibration",
    "CalibrationError",
    "CalibrationWarning",
    "CheckpointWarning",
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
    "MissingDependencyError",
    "Network",
    "Normal",
    "OutOfMemoryError",
    "ParameterError",
    "RandomConnectivity",
    "Readout",
    "RunResult",
    "RunStats",
    "SensorEvents",
    "ShapeError",
    "Simulation",
    "SmallWorldConnectivity",
    "TemporalContrast",
    "Uniform",
    "__version__",
    "load_folder",
    "make_gestures",
    "open_dataset",
    "reversed_pairs",
]

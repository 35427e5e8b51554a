"""Words for a network: laws of parameters, parameters of neurons and synapses, who reaches whom.

Not here: a network that could run (`network`), or data. Knows errors, arguments and events.
"""

from hrsnn_rs.description.competition import Competition
from hrsnn_rs.description.connectivity import (
    Connectivity,
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    OneToOneConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.description.distributions import (
    Constant,
    Gamma,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
)
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.description.populations import Population, Projection

__all__ = [
    "LIF",
    "STDP",
    "AdaptiveThreshold",
    "Competition",
    "Connectivity",
    "Constant",
    "DistanceConnectivity",
    "Distribution",
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
]

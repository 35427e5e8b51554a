"""The network: made from its description, run, trained, and kept in a file.

Not here: what its samples are recordings of, and labels. Knows events and descriptions.
"""

from hrsnn_rs.network.network import VARIANTS, Network
from hrsnn_rs.network.nir_graph import from_nir, to_nir
from hrsnn_rs.network.patches import Plane, cut_patches
from hrsnn_rs.network.presets import (
    default_inputs,
    default_network,
    default_neuron,
    default_plasticity,
    default_recurrent,
    default_rule,
)
from hrsnn_rs.network.results import Calibration, RunResult, RunStats
from hrsnn_rs.network.simulation import Simulation
from hrsnn_rs.network.spike_trains import from_neo, from_nwb, to_neo, to_nwb
from hrsnn_rs.network.tiling import Tiling

__all__ = [
    "VARIANTS",
    "Calibration",
    "Network",
    "Plane",
    "RunResult",
    "RunStats",
    "Simulation",
    "Tiling",
    "cut_patches",
    "default_inputs",
    "default_network",
    "default_neuron",
    "default_plasticity",
    "default_recurrent",
    "default_rule",
    "from_neo",
    "from_nir",
    "from_nwb",
    "to_neo",
    "to_nir",
    "to_nwb",
]

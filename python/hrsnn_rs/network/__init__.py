"""The network: made from its description, run, trained, and kept in a file.

Not here: what its samples are recordings of, and labels. Knows events and descriptions.
"""

from hrsnn_rs.network.network import VARIANTS, Network
from hrsnn_rs.network.presets import default_network, default_plasticity
from hrsnn_rs.network.results import Calibration, RunResult, RunStats
from hrsnn_rs.network.simulation import Simulation

__all__ = [
    "VARIANTS",
    "Calibration",
    "Network",
    "RunResult",
    "RunStats",
    "Simulation",
    "default_network",
    "default_plasticity",
]

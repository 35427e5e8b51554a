"""Networks and inputs as dense matrices, for simulators that know no others. Needs NumPy alone."""

from dataclasses import dataclass

import numpy as np
from workload import Workload


def matrix(indptr: np.ndarray, indices: np.ndarray, weight, n_columns: int) -> np.ndarray:
    """Weights of rows of synapses as a float32 matrix; 0 where there is no synapse."""
    n_rows = len(indptr) - 1
    dense = np.zeros((n_rows, n_columns), np.float32)
    dense[np.repeat(np.arange(n_rows), np.diff(indptr)), indices] = weight
    return dense


def recurrent_matrix(work: Workload) -> np.ndarray:
    """Row = source."""
    return matrix(work.indptr, work.indices, work.weight, work.n_neurons)


def input_matrix(work: Workload) -> np.ndarray:
    """Row = channel."""
    return matrix(work.input_indptr, work.input_indices, work.input_weight, work.n_neurons)


def frames(step: np.ndarray, channel: np.ndarray, n_steps: int, n_channels: int) -> np.ndarray:
    """How many events of each channel (column) came in each step (row)."""
    counts = np.zeros((n_steps, n_channels), np.float32)
    np.add.at(counts, (step, channel), 1.0)
    return counts


def input_frames(work: Workload) -> np.ndarray:
    return frames(work.event_step, work.event_channel, work.n_steps, work.n_inputs)


@dataclass(frozen=True)
class Rule:
    """STDP with one set of constants; tau in ms."""

    a_plus: float
    a_minus: float
    tau: float


def rule(work: Workload) -> Rule:
    """Means over the plastic synapses, and over both taus: the mean areas of the windows stay."""
    a_plus, a_minus, tau_plus, tau_minus = (
        float(constants[work.plastic].mean(dtype=float))
        for constants in (work.a_plus, work.a_minus, work.tau_plus, work.tau_minus)
    )
    return Rule(a_plus, a_minus, (tau_plus + tau_minus) / 2.0)

"""Networks and inputs as dense matrices, for simulators that know no others. Needs NumPy alone."""

from dataclasses import dataclass

import numpy as np
from workload import STEP_MS, Stored, Workload


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


@dataclass(frozen=True)
class Clips(Stored):
    """One network and several inputs on the grid; times in ms. Clip k has the events
    `first_event[k]` to `first_event[k + 1]`."""

    tau_m: np.ndarray
    v_threshold: np.ndarray
    t_ref: float
    recurrent: np.ndarray
    inputs: np.ndarray
    n_steps: np.ndarray
    first_event: np.ndarray
    event_step: np.ndarray
    event_channel: np.ndarray

    @classmethod
    def of(cls, network, samples) -> "Clips":
        """Say it of hrsnn_rs. Rest must be 0, synapses deltas, delays 1 ms, `t_ref` one number."""
        parameters = network.neuron_parameters
        (t_ref,) = set(parameters["t_ref"])
        us = round(1000 * STEP_MS)
        return cls(
            tau_m=parameters["tau_m"],
            v_threshold=parameters["v_threshold"],
            t_ref=t_ref,
            recurrent=network.recurrent_weights.toarray(),
            inputs=network.input_weights.toarray(),
            n_steps=np.array([-(-sample.duration // us) for sample in samples]),
            first_event=np.cumsum([0, *map(len, samples)]),
            event_step=np.concatenate([sample.t // us for sample in samples]),
            event_channel=np.concatenate([sample.channel for sample in samples]),
        )

    def frames(self, which: range) -> np.ndarray:
        """Events of some clips, shape (steps, clips, channels); the shorter ones end in zeros."""
        longest = int(self.n_steps[which].max())
        counts = np.zeros((longest, len(which), len(self.inputs)), np.float32)
        for column, k in enumerate(which):
            own = slice(self.first_event[k], self.first_event[k + 1])
            counts[:, column] = frames(
                self.event_step[own], self.event_channel[own], longest, len(self.inputs)
            )
        return counts

"""The workload that all simulators run, drawn once as arrays.

    python benches/peers/workload.py n2k            # draws it, if it is not there, and says where

A balanced network of LIF neurons with delta synapses, a delay of 1 ms, Poisson input on a grid of
1 ms, and pair-based STDP with four constants for each synapse from excitatory to excitatory
neurons. docs/performance.md describes it. Everything starts at rest.

The arrays are rounded to float32 when they are drawn, so that a simulator that keeps a weight in
float32 and one that keeps it in float64 have the same weight. Needs NumPy alone, but for
`drawn`, which asks hrsnn_rs for the input weight that gives the wanted rate.
"""

import argparse
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

#: Neurons, connection probability, input channels, steps of 1 ms.
SIZES = {
    "n200": (200, 0.1, 400, 1000),
    "n500": (500, 0.1, 1000, 10_000),
    "n2k": (2000, 0.1, 1000, 5000),
    "n10k": (10_000, 0.1, 4000, 1000),
    "n100k": (100_000, 0.001, 16_000, 1000),
}
EXCITATORY = 0.8
IN_DEGREE, INPUT_RATE = 20, 20.0  # input synapses of a neuron; Hz
STEP_MS = DELAY_MS = 1.0  # of the grid that the clock-driven simulators share; recurrent
FOLDER = Path(__file__).parent.parent.parent / ".make" / "workload"


class Stored:
    """A dataclass of arrays and numbers that is kept in a file."""

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez(file, **asdict(self))
        Path(file.name).replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as arrays:
            values = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(**{name: v if v.ndim else v.item() for name, v in values.items()})


@dataclass(frozen=True)
class Workload(Stored):
    """One network and its input. Synapses lie row by row, row = source; times are in ms."""

    n_inputs: int
    n_steps: int
    tau_m: np.ndarray
    v_threshold: np.ndarray
    t_ref: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    weight: np.ndarray
    plastic: np.ndarray
    a_plus: np.ndarray
    a_minus: np.ndarray
    tau_plus: np.ndarray
    tau_minus: np.ndarray
    w_max: float
    input_indptr: np.ndarray
    input_indices: np.ndarray
    input_weight: float
    event_step: np.ndarray
    event_channel: np.ndarray
    float32_agrees: bool = False  # whether rounding to float32 changes no spike of a plain run

    @property
    def n_neurons(self) -> int:
        return len(self.tau_m)

    @property
    def n_excitatory(self) -> int:
        return round(EXCITATORY * self.n_neurons)

    @property
    def pre(self) -> np.ndarray:
        """Source of each recurrent synapse."""
        return np.repeat(np.arange(self.n_neurons), np.diff(self.indptr))

    def n_synaptic_events(self, step: np.ndarray, neuron: np.ndarray) -> int:
        """Recurrent synapses that these spikes arrive at before the end."""
        arrives = step < self.n_steps - round(DELAY_MS / STEP_MS)
        return int(np.diff(self.indptr)[neuron[arrives]].sum())


def bernoulli_graph(n: int, p: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """`indptr` and `indices`: each ordered pair with probability `p`, no autapses."""
    # The gaps between successes of a row of coins are geometric.
    most = round(n * n * p + 10 * np.sqrt(n * n * p)) + 100
    pair = np.cumsum(rng.geometric(p, most)) - 1
    row, column = np.divmod(pair[pair < n * n], n)
    keep = row != column
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=n))])
    return indptr.astype(np.int64), column[keep].astype(np.uint32)


def input_graph(n: int, n_inputs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """`indptr` and `indices`: `IN_DEGREE` different channels onto each neuron."""
    channels = np.sort(rng.integers(n_inputs, size=(n, IN_DEGREE)), axis=1)
    while (twice := (np.diff(channels, axis=1) == 0).any(axis=1)).any():
        again = rng.integers(n_inputs, size=(np.count_nonzero(twice), IN_DEGREE))
        channels[twice] = np.sort(again, axis=1)
    source, target = channels.ravel(), np.repeat(np.arange(n), IN_DEGREE)
    by_source = np.argsort(source, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n_inputs))])
    return indptr.astype(np.int64), target[by_source].astype(np.uint32)


def draw(size: str, input_weight: float = 0.2, seed: int = 0) -> Workload:
    """Draw network and input."""
    n, p, n_inputs, n_steps = SIZES[size]
    rng = np.random.default_rng(seed)
    w0 = 0.28 / np.sqrt(n * p)
    inhibitory = np.arange(n) >= round(EXCITATORY * n)
    indptr, indices = bernoulli_graph(n, p, rng)
    from_inhibitory = np.repeat(inhibitory, np.diff(indptr))
    weight = rng.uniform(0.5, 1.5, indices.size) * w0
    weight[from_inhibitory] *= -5.0
    input_indptr, input_indices = input_graph(n, n_inputs, rng)
    w_max = 2.0 * w0
    a_plus, a_minus = 0.005 * w_max * rng.lognormal(0.0, 0.3, (2, indices.size))
    tau_plus, tau_minus = np.clip(rng.gamma(10.0, 2.0, (2, indices.size)), 5.0, 60.0)
    step, channel = np.nonzero(rng.random((n_steps, n_inputs)) < INPUT_RATE * STEP_MS / 1000.0)
    single = np.float32
    return Workload(
        n_inputs=n_inputs,
        n_steps=n_steps,
        tau_m=np.clip(rng.gamma(4.0, 5.0, n), 5.0, 100.0),
        v_threshold=np.clip(rng.normal(1.0, 0.05, n), 0.8, 1.2),
        t_ref=np.where(inhibitory, 2.0, 3.0),
        indptr=indptr,
        indices=indices,
        weight=weight.astype(single),
        plastic=~from_inhibitory & ~inhibitory[indices],
        a_plus=a_plus.astype(single),
        a_minus=(1.15 * a_minus).astype(single),
        tau_plus=tau_plus.astype(single),
        tau_minus=tau_minus.astype(single),
        w_max=float(np.nextafter(single(w_max), single(2.0))),
        input_indptr=input_indptr,
        input_indices=input_indices,
        input_weight=float(single(input_weight)),
        event_step=step,
        event_channel=channel.astype(np.uint32),
    )


def network(work: Workload, dtype: str = "float32", delay_ms=DELAY_MS):
    """Say it in the words of hrsnn_rs."""
    import hrsnn_rs as hr
    import scipy.sparse as sp

    n = work.n_neurons
    weight = np.full(work.input_indices.size, work.input_weight)
    return hr.Network.from_arrays(
        sp.csr_array((weight, work.input_indices, work.input_indptr), shape=(work.n_inputs, n)),
        sp.csr_array((work.weight.astype(float), work.indices, work.indptr), shape=(n, n)),
        recurrent_delay=delay_ms,
        neuron=hr.LIF(tau_m=work.tau_m, v_threshold=work.v_threshold, t_ref=work.t_ref),
        plasticity=hr.STDP(
            work.a_plus, work.a_minus, work.tau_plus, work.tau_minus, w_max=work.w_max
        ),
        plastic=work.plastic,
        dtype=dtype,
    )


def events(work: Workload):
    """The input in the words of hrsnn_rs."""
    import hrsnn_rs as hr

    us = round(1000 * STEP_MS)
    t, duration = work.event_step * us, work.n_steps * us
    return hr.Events(t, work.event_channel, work.n_inputs, duration=duration)


def float32_agrees(work: Workload) -> bool:
    """Whether a plain run in float32 has the very spikes of one in float64."""
    single, double = (
        network(work, dtype).run(events(work)).spikes for dtype in ("float32", "float64")
    )
    return single.equals(double)


def drawn(size: str, rate: float = 10.0) -> Path:
    """Where the workload is, drawn if need be.

    The input weight is the one that gives `rate` (Hz), or one at most 0.5 % from it with which no
    potential comes so near a threshold that rounding to float32 decides: then spike counts can be
    compared exactly. In the largest network there is no such weight to be hoped for.
    """
    path = FOLDER / f"{size}-{rate:g}Hz.npz"
    if path.exists():
        return path
    work = draw(size)
    found = network(work).calibrate([events(work)], rate=rate, n_samples=1)
    n_trials = 10 if work.n_neurons <= 10_000 else 1
    for trial in range(n_trials):
        factor = 1.0 + 0.0005 * trial * (-1) ** trial
        work = draw(size, 0.2 * found.gain * factor)
        if agrees := float32_agrees(work):
            break
    replace(work, float32_agrees=agrees).save(path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="+", choices=SIZES)
    parser.add_argument("--rate", type=float, default=10.0, help="mean rate in Hz")
    arguments = parser.parse_args()
    for size in arguments.size:
        path = drawn(size, arguments.rate)
        work = Workload.load(path)
        print(
            f"{path}: {work.n_neurons:,} neurons, {work.indices.size:,} synapses"
            f" ({np.mean(work.plastic):.0%} plastic), input weight {work.input_weight:.4g} mV,"
            f" float32 {'agrees' if work.float32_agrees else 'parts'}"
        )


if __name__ == "__main__":
    main()

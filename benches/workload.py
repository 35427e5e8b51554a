"""Nanoseconds per synaptic event on a balanced network, with and without plasticity.

python benches/workload.py [--size n500 n2k n10k] [--rounds 3]
"""

import argparse
import statistics

import hrsnn_rs as hr
import numpy as np
import scipy.sparse as sp

#: Neurons, connection probability, input channels, seconds.
SIZES = {
    "n500": (500, 0.1, 1000, 10.0),
    "n2k": (2000, 0.1, 1000, 5.0),
    "n10k": (10_000, 0.1, 4000, 1.0),
}
IN_DEGREE, INPUT_RATE, TARGET_RATE, GRID_US = 20, 20.0, 10.0, 1000


def network(n: int, p: float, n_inputs: int, seed: int = 0) -> hr.Network:
    rng = np.random.default_rng(seed)
    w0 = 0.28 / np.sqrt(n * p)
    inhibitory = np.arange(n) >= 0.8 * n
    matrix = sp.random_array((n, n), density=p, rng=rng, format="coo")
    keep = matrix.coords[0] != matrix.coords[1]
    rows, columns = (axis[keep] for axis in matrix.coords)
    weight = rng.uniform(0.5, 1.5, rows.size) * w0
    weight[inhibitory[rows]] *= -5.0
    recurrent = sp.csr_array((weight, (rows, columns)), shape=(n, n))
    sources = np.argsort(rng.random((n, n_inputs)), axis=1)[:, :IN_DEGREE].ravel()
    targets = np.repeat(np.arange(n), IN_DEGREE)
    inputs = sp.csr_array((np.full(targets.size, 0.2), (sources, targets)), shape=(n_inputs, n))
    by_row = np.repeat(np.arange(n), np.diff(recurrent.indptr))
    a_plus, a_minus = 0.01 * w0 * rng.lognormal(0.0, 0.3, (2, recurrent.nnz))
    tau_plus, tau_minus = np.clip(rng.gamma(10.0, 2.0, (2, recurrent.nnz)), 5.0, 60.0)
    return hr.Network.from_arrays(
        inputs,
        recurrent,
        neuron=hr.LIF(
            tau_m=np.clip(rng.gamma(4.0, 5.0, n), 5.0, 100.0),
            v_threshold=np.clip(rng.normal(1.0, 0.05, n), 0.8, 1.2),
            t_ref=np.where(inhibitory, 2.0, 3.0),
        ),
        plasticity=hr.STDP(a_plus, 1.15 * a_minus, tau_plus, tau_minus, w_max=2.0 * w0),
        plastic=~inhibitory[by_row] & ~inhibitory[recurrent.indices],
        dtype="float32",
    )


def poisson(n_inputs: int, seconds: float, seed: int = 1) -> hr.Events:
    rng = np.random.default_rng(seed)
    steps = int(seconds * 1e6 / GRID_US)
    step, channel = np.nonzero(rng.random((steps, n_inputs)) < INPUT_RATE * GRID_US * 1e-6)
    return hr.Events(step * GRID_US, channel, n_inputs, duration=steps * GRID_US)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", nargs="+", choices=SIZES, default=["n500", "n2k"])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for size in arguments.size:
        n, p, n_inputs, seconds = SIZES[size]
        net, events = network(n, p, n_inputs), poisson(n_inputs, seconds)
        net.calibrate([events], rate=TARGET_RATE, n_samples=1)
        times: dict[tuple[bool, int], list[float]] = {}
        for _ in range(arguments.rounds):
            for learn in (False, True):
                for n_threads in (1, 2):
                    stats = net.copy().run(events, learn=learn, n_threads=n_threads).stats
                    cost = 1e9 * stats.wall_time / stats.n_synaptic_events
                    times.setdefault((learn, n_threads), []).append(cost)
        for (learn, n_threads), costs in times.items():
            kind = "STDP" if learn else "run"
            print(f"{size} {kind} {n_threads} thread(s): {statistics.median(costs):.2f} ns/event")


if __name__ == "__main__":
    main()

"""Promise 1 on random networks: features do not depend on threads, nor on who is run along.

The core's `engine/same_bits.rs` does the same for shards, and for all that learning changes.
"""

import os

import hrsnn_rs as hr
import numpy as np
import pytest
from random_networks import random_case, random_case_with_currents

N_SAMPLES = 7
MOST_THREADS = 16


def check(seed: int) -> int:
    """Transform slices of a random case in chunks of 1, of 5 and at once; give the spikes."""
    case = random_case_with_currents(seed) if seed % 2 else random_case(seed)
    length = min(case.duration // N_SAMPLES, 20_000)
    samples = []
    for k in range(N_SAMPLES):
        here = (case.t >= k * length) & (case.t < (k + 1) * length)
        t, channel = case.t[here] - k * length, case.channel[here]
        samples.append(hr.Events(t, channel, case.inputs.shape[0], duration=length))
    net = case.network("float32" if seed % 4 < 2 else "float64")
    net.run(samples[0], learn=True, n_threads=1)
    kind = {"n_windows": 1 + seed % 3, "features": ("counts", "both", "lowpass")[seed % 3]}
    right, counts = net.transform(samples, n_threads=1, return_stats=True, **kind)
    for turn, size in enumerate((1, 5, N_SAMPLES)):
        n_threads = 1 + (seed + 5 * turn) % MOST_THREADS
        parts = [
            net.transform(samples[first : first + size], n_threads=n_threads, **kind)
            for first in range(0, N_SAMPLES, size)
        ]
        assert np.concatenate(parts).tobytes() == right.tobytes(), (
            f"case {seed}, {n_threads} threads, {size} samples at a time"
        )
    return sum(stats.n_spikes for stats in counts)


def check_all(seeds: range) -> None:
    n_spikes = np.array([check(seed) for seed in seeds])
    assert np.median(n_spikes) > 50, n_spikes


def test_chunks_of_200_random_networks():
    check_all(range(200))


@pytest.mark.slow
def test_chunks_of_thousands_of_random_networks():
    """As many as HRSNN_SAME_BITS says."""
    check_all(range(200, int(os.environ.get("HRSNN_SAME_BITS", "5000"))))

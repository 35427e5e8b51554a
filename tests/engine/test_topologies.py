"""Large known networks: chains, rings, very many synapses onto one neuron and in one µs."""

import math

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

STRONG = 20.0  # mV, over the threshold of 15 from rest
NEURON = {"tau_m": 20.0, "v_threshold": 15.0, "t_ref": 0.0}
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
DTYPES = tuple(UNIT)


def relay(source, target, delay_us, n, dtype="float64", weight=STRONG, learn=False):
    """Build a network in which neuron 0 is started by channel 0 and each synapse suffices."""
    matrix = csr_array(coo_array((np.full(len(source), weight), (source, target)), shape=(n, n)))
    # Delays in the order of the matrix: by source, then by target.
    order = np.lexsort((target, source))
    delay = np.broadcast_to(delay_us, len(source))[order] / 1000.0
    start = csr_array(coo_array(([STRONG], ([0], [0])), shape=(1, n)))
    return hr.Network.from_arrays(
        inputs=start, recurrent=matrix, recurrent_delay=delay, neuron=hr.LIF(**NEURON),
        plasticity=hr.STDP(a_plus=0.1, a_minus=0.1, w_min=15.0, w_max=50.0) if learn else None,
        dtype=dtype,
    )  # fmt: skip


def rows(network, duration, learn=False) -> list[tuple[int, int]]:
    return network.run(hr.Events([0], [0], 1, duration), learn=learn).spikes.rows()


# --- chains and rings -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("delay", [1, 1000, 3701])
def test_in_a_chain_neuron_k_fires_at_k_delays(delay, dtype):
    n = 1000
    network = relay(np.arange(n - 1), np.arange(1, n), delay, n, dtype)
    assert rows(network, n * delay) == [(k * delay, k) for k in range(n)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("learn", [False, True])
def test_in_a_chain_of_different_delays_neuron_k_fires_at_their_sum(learn, dtype):
    # The neurons of the chain are numbered at random. Learning cannot move a spike: each arrival
    # fires its target in the same µs, and a coincidence changes nothing.
    rng = np.random.default_rng(31)
    n = 1000
    number = np.concatenate([[0], rng.permutation(np.arange(1, n))])
    delay = rng.integers(1, 20_000, n - 1)
    arrival = np.concatenate([[0], np.cumsum(delay)])
    network = relay(number[:-1], number[1:], delay, n, dtype, learn=learn)
    expected = list(zip(arrival.tolist(), number.tolist(), strict=True))
    assert rows(network, int(arrival[-1]) + 1, learn) == expected
    assert (network.recurrent_weights.data == STRONG).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_in_a_ring_of_different_delays_neuron_k_fires_once_a_round(dtype):
    rng = np.random.default_rng(32)
    n, n_rounds = 100, 20
    delay = rng.integers(1, 5000, n)
    network = relay(np.arange(n), np.roll(np.arange(n), -1), delay, n, dtype)
    times = np.concatenate([[0], np.cumsum(np.tile(delay, n_rounds))])
    expected = [(int(t), k % n) for k, t in enumerate(times)]
    assert rows(network, int(times[-1]) + 1) == expected


def test_a_spike_takes_every_path_of_a_tree():
    # Ten levels of two branches with delays of their own: each neuron fires at the sum of its path.
    rng = np.random.default_rng(33)
    n = 2**11 - 1
    child = np.arange(1, n)
    parent = (child - 1) // 2
    delay = rng.integers(1, 3000, n - 1)
    t = np.zeros(n, dtype=int)
    for k in child:
        t[k] = t[parent[k - 1]] + delay[k - 1]
    expected = sorted(zip(t.tolist(), range(n), strict=True))
    assert rows(relay(parent, child, delay, n), int(t.max()) + 1) == expected


# --- very many synapses ---------------------------------------------------------------------


def all_at_once(weights: np.ndarray, threshold: np.ndarray, dtype: str) -> np.ndarray:
    """Fire all channels in one µs; weights of (channel, neuron). Return the neurons that spike."""
    n_inputs, n = weights.shape
    network = hr.Network.from_arrays(
        inputs=csr_array(weights), recurrent=csr_array((n, n)),
        neuron=hr.LIF(**(NEURON | {"v_threshold": threshold})), dtype=dtype,
    )  # fmt: skip
    channel = np.arange(n_inputs)
    result = network.run(hr.Events(np.full(n_inputs, 7), channel, n_inputs, 100))
    assert result.stats.n_input_synaptic_events == weights.size
    assert (result.spikes["t"] == 7).all()
    return result.spikes["neuron"].to_numpy()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sum_of_binary_fractions_is_exact(dtype):
    # 1/64 mV to 1 mV: every partial sum fits in the 24 bits of float32 (1e5 * 64 < 2**24), so the
    # order does not matter, and the threshold can stand on the very sum.
    rng = np.random.default_rng(34)
    shape = (100_000, 3)
    sixtyfourths = rng.integers(1, 65, shape)
    total = (sixtyfourths.sum(axis=0) / 64.0).astype(dtype)
    beside = np.nextafter(total, np.where(np.arange(shape[1]) % 3 == 1, np.inf, total))
    spiked = all_at_once(sixtyfourths / 64.0, beside.astype(float), dtype)
    assert spiked.tolist() == [i for i in range(shape[1]) if i % 3 != 1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(100_000, 4), (1000, 1000)])
def test_a_sum_of_any_weights_is_right_within_rounding(shape, dtype):
    # n additions, each rounded: at most n units of the sum of all magnitudes, for any order; and
    # one unit of the same for storing the weights.
    rng = np.random.default_rng(35)
    weights = rng.gamma(3.0, 1.0, shape) * np.where(rng.random(shape) < 0.2, -1.0, 1.0)
    total = np.array([math.fsum(column) for column in weights.T])
    margin = (shape[0] + 2) * UNIT[dtype] * np.abs(weights).sum(axis=0)
    below = np.arange(shape[1]) % 2 == 0
    threshold = total + np.where(below, -margin, margin)
    assert all_at_once(weights, threshold, dtype).tolist() == np.flatnonzero(below).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_plastic_synapses_in_one_microsecond(dtype):
    # A thousand neurons fire at once, each onto each, and again through these synapses; those
    # whose threshold stands just over the sum of the binary fractions do not.
    rng = np.random.default_rng(36)
    n = 1000
    weights = rng.integers(1, 65, (n, n)) / 64.0
    total = weights.sum(axis=0)
    high = rng.random(n) < 0.5
    threshold = np.where(high, np.nextafter(total.astype(dtype), np.inf), total)
    delay_us = 2000
    network = hr.Network.from_arrays(
        inputs=csr_array(np.full((1, n), 1e4)), recurrent=csr_array(weights),
        recurrent_delay=delay_us / 1000.0,
        neuron=hr.LIF(tau_m=1.0, v_threshold=threshold, v_reset=0.0, t_ref=1.0),
        plasticity=hr.STDP(a_plus=0.5, a_minus=0.25, tau_plus=10.0, tau_minus=20.0, w_max=9.0),
        dtype=dtype,
    )  # fmt: skip
    result = network.run(hr.Events([0], [0], 1, 2 * delay_us), learn=True)
    expected = [(0, i) for i in range(n)] + [(delay_us, int(i)) for i in np.flatnonzero(~high)]
    assert result.spikes.rows() == expected
    assert result.stats.n_synaptic_events == n * n
    # One depression for each arrival; n potentiations, by nothing, for each spike.
    assert result.stats.n_weight_updates == n * n + n * len(expected)
    # Each arrival finds the post spike of 2 ms ago, and the second spike coincides with it.
    learned = np.maximum(weights - 0.25 * math.exp(-2.0 / 20.0), 0.0)
    found = network.recurrent_weights.toarray()
    np.testing.assert_allclose(found, learned, rtol=0, atol=4 * UNIT[dtype])


def test_one_synapse_and_none():
    one = relay([0], [1], 1500, 2)
    assert rows(one, 10_000) == [(0, 0), (1500, 1)]
    none = one.without_recurrence()
    assert rows(none, 10_000) == [(0, 0)]
    assert none.n_synapses == one.n_synapses - 1 == 1

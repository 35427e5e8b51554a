"""Firing times and potentials of 1,000 different neurons at once, against the closed form.

A neuron that starts a hold or an interval does so on a whole µs, so its spikes follow from two
numbers: the time from rest to threshold and the time from reset to threshold, each rounded up to
the lattice. Nothing is carried on from one interval to the next but that rounding.
"""

import math

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import csr_array

N = 1000
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}  # largest relative error of one rounding
DTYPES = tuple(UNIT)


def random_neurons(seed: int) -> dict[str, np.ndarray]:
    """Draw neurons that all spike, from 2 to 2,000 times a second."""
    rng = np.random.default_rng(seed)
    v_rest = rng.uniform(-75.0, -50.0, N)
    height = rng.uniform(5.0, 20.0, N)
    return {
        "tau_m": np.exp(rng.uniform(math.log(2.0), math.log(100.0), N)),
        "v_rest": v_rest,
        "v_reset": v_rest + height * rng.uniform(-0.5, 0.9, N),
        "v_threshold": v_rest + height,
        "t_ref": rng.uniform(0.0, 6.0, N),
        "bias": height * (1.0 + np.exp(rng.uniform(math.log(0.01), math.log(5.0), N))),
    }


def isolated(neuron: dict, dtype="float64", inputs=None, input_delay=0.0) -> hr.Network:
    """Build a network of neurons that nothing connects."""
    n = max(np.size(value) for value in neuron.values())
    return hr.Network.from_arrays(
        inputs=csr_array((1, n)) if inputs is None else csr_array(inputs),
        recurrent=csr_array((n, n)),
        input_delay=input_delay,
        neuron=hr.LIF(**neuron),
        dtype=dtype,
    )


def driven(neuron: dict, duration: int, dtype="float64") -> list[np.ndarray]:
    """Run without input and return the firing times of each neuron."""
    network = isolated(neuron, dtype)
    spikes = network.run(hr.Events([], [], 1, duration)).spikes
    t, i = spikes["t"].to_numpy(), spikes["neuron"].to_numpy()
    order = np.argsort(i, kind="stable")
    return np.split(t[order], np.searchsorted(i[order], np.arange(1, network.n_neurons)))


def time_to_threshold(neuron: dict, start: np.ndarray) -> np.ndarray:
    """Time in µs, a real number, that the drive takes from `start` to the threshold."""
    end = neuron["v_rest"] + neuron["bias"]
    return 1000.0 * neuron["tau_m"] * np.log((end - start) / (end - neuron["v_threshold"]))


def rounding(neuron: dict, start: np.ndarray, dtype: str) -> np.ndarray:
    """Bound in µs of what rounding v does to the time of a crossing.

    v = end + (start - end) e, e = exp(-t / tau_m). Each of end, start and threshold is rounded
    once when it is stored and end + ... once more near the threshold; with g = end - threshold
    left at the crossing, the difference and the product err by g each, exp by two units in its
    last place, 4 g, and its argument a = t / tau_m by twice (rate, product), 2 a g. That error in
    mV over the slope there, g / tau_m, is one in time.
    """
    end, threshold = neuron["v_rest"] + neuron["bias"], neuron["v_threshold"]
    g = end - threshold
    a = time_to_threshold(neuron, start) / (1000.0 * neuron["tau_m"])
    error = np.abs(end) + np.abs(start) + 2.0 * np.abs(threshold) + g * (6.0 + 2.0 * a)
    return UNIT[dtype] * error / g * 1000.0 * neuron["tau_m"]


# --- under a constant drive -----------------------------------------------------------------


def test_every_firing_time_of_a_thousand_neurons_is_the_theory_rounded_up(measure):
    neuron, duration = random_neurons(21), 2_000_000
    first, again = (time_to_threshold(neuron, neuron[v]) for v in ("v_rest", "v_reset"))
    for span, start in ((first, neuron["v_rest"]), (again, neuron["v_reset"])):
        # No crossing of this seed is so close to the lattice that rounding could decide it.
        assert (np.abs(span - np.rint(span)) > 4.0 * rounding(neuron, start, "float64")).all()
    t_ref = np.rint(1000.0 * neuron["t_ref"])
    found = driven(neuron, duration)
    worst = 0.0
    for i in range(N):
        theory = np.arange(np.ceil(first[i]), duration, t_ref[i] + np.ceil(again[i]))
        assert len(found[i]) == len(theory) >= 3, f"neuron {i}"
        worst = max(worst, np.abs(found[i] - theory).max())
    measure("deviation from the theory rounded up, µs", worst)
    assert worst == 0.0, f"largest deviation from the theory on the lattice: {worst} µs"


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_interval_is_within_a_microsecond_of_theory(dtype, measure):
    # Here the theory is a real number and nothing is rounded up: the deviation is that of the
    # lattice, 0 to 1 µs, and what rounding in the dtype adds on either side.
    neuron = random_neurons(22)
    found = driven(neuron, 2_000_000, dtype)
    first, again = (time_to_threshold(neuron, neuron[v]) for v in ("v_rest", "v_reset"))
    low, high = np.inf, -np.inf
    for i, times in enumerate(found):
        intervals = np.diff(times) - np.rint(1000.0 * neuron["t_ref"][i])
        for span, theory, start in (
            (times[:1], first[i], "v_rest"),
            (intervals, again[i], "v_reset"),
        ):
            late = span - theory
            one = {name: value[i] for name, value in neuron.items()}
            margin = rounding(one, one[start], dtype)
            assert (late >= -margin).all(), f"neuron {i}: {late.min()} µs early, {margin} allowed"
            assert (late <= 1.0 + margin).all(), f"neuron {i}: {late.max()} µs, 1 + {margin}"
            low, high = min(low, late.min()), max(high, late.max())
    measure(f"{dtype}, deviation from the theory as a real number, µs", max(-low, high))
    # Over a thousand neurons the lattice must show on both sides.
    assert low < 0.01, (low, high)
    assert high > 0.99, (low, high)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rate_against_drive(dtype):
    # f = 1 / (t_ref + tau_m ln((b - v_reset) / (b - threshold))) above threshold, else 0.
    b = np.concatenate([np.linspace(-5.0, 15.0, 21), 15.0 + np.logspace(-2, 9, 100)])
    neuron = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": -2.0, "v_threshold": 15.0, "t_ref": 2.0}
    duration = 5_000_000
    found = driven(neuron | {"bias": b}, duration, dtype)
    count = np.array([len(times) for times in found])
    assert (count[b <= 15.0] == 0).all()
    over = b > 15.0
    full = {k: np.full(over.sum(), v) for k, v in neuron.items()} | {"bias": b[over]}
    again = time_to_threshold(full, full["v_reset"])
    period = 2000.0 + again
    rate = 1e6 / period
    # Counting errs by one spike at either end; the lattice adds at most 1 µs to each period, and
    # rounding what it may.
    margin = 1.0 + rounding(full, full["v_reset"], dtype)
    error = np.abs(count[over] * 1e6 / duration - rate)
    allowed = 2e6 / duration + rate * margin / period
    assert (error <= allowed).all(), f"largest error {error.max()} Hz"
    assert (np.diff(count) >= 0).all()
    # The ceiling: one lattice step after each refractory period.
    assert count[-1] == -(-(duration - 1) // 2001)


def test_without_a_refractory_period_the_lattice_is_the_ceiling():
    neuron = {"v_threshold": 15.0, "t_ref": 0.0, "bias": np.array([1e12])}
    assert driven(neuron, 1000)[0].tolist() == list(range(1, 1000))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_thousand_potentials_below_threshold(dtype, measure):
    # A probe that lacks a hair of the threshold, or is a hair over; hairs are halved from the
    # tolerance, relative to the size of v and threshold, down to a few roundings.
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    hairs = tolerance * 2.0 ** -np.arange(np.ceil(np.log2(tolerance / UNIT[dtype])))
    neuron = random_neurons(25)
    height = neuron["v_threshold"] - neuron["v_rest"]
    neuron["bias"] = height * np.random.default_rng(26).uniform(-2.0, 0.999, N)
    v_infinity = neuron["v_rest"] + neuron["bias"]
    probe = np.random.default_rng(27).integers(1, 400_000, N)
    v = v_infinity - neuron["bias"] * np.exp(-probe / (1000.0 * neuron["tau_m"]))
    size = np.maximum(np.abs(v), np.abs(neuron["v_threshold"]))
    over = np.concatenate([hairs, -hairs])[:, None] * size
    weights = (neuron["v_threshold"] - v + over).ravel()
    copies = {name: np.tile(value, 2 * len(hairs)) for name, value in neuron.items()}
    delay = np.tile(probe, 2 * len(hairs)) / 1000.0
    network = isolated(copies, dtype, weights[None], delay)
    spikes = network.run(hr.Events([0], [0], 1, 400_001)).spikes
    spiked = np.bincount(spikes["neuron"].to_numpy(), minlength=len(weights))
    wrong = (spiked.reshape(2, len(hairs), N) != np.array([1, 0])[:, None, None]).any(axis=(0, 2))
    assert not wrong[0], "some potential is not within the tolerance"
    held = hairs[~np.logical_or.accumulate(wrong)]
    measure(f"{dtype}, relative deviation of v at most", held.min())


# --- arrivals -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_potentials_of_many_arrivals_add_up(dtype):
    # 40 arrivals of either sign at each neuron, each at a time of its own, on top of a drive that
    # stays below threshold; then a probe that lacks a hair of the threshold, or is a hair over.
    rng = np.random.default_rng(23)
    n_arrivals, probe = 40, 400_000
    weights = rng.normal(0.0, 3.0, (n_arrivals, N))
    delay = rng.integers(0, probe, (n_arrivals, N))
    v_rest, tau_m = rng.uniform(-75.0, -50.0, N), rng.uniform(2.0, 100.0, N)
    bias = rng.uniform(-5.0, 5.0, N)
    threshold = v_rest + 100.0
    decay = np.exp(-(probe - delay) / (1000.0 * tau_m))
    v = v_rest - bias * np.expm1(-probe / (1000.0 * tau_m)) + (weights * decay).sum(axis=0)
    # At each of 41 arrivals v, below 200 mV, is rounded some ten times over.
    hair = 41 * 10 * 200.0 * UNIT[dtype]
    over = rng.random(N) < 0.5
    missing = threshold - v + np.where(over, hair, -hair)
    neuron = {"tau_m": tau_m, "v_rest": v_rest, "v_reset": v_rest, "v_threshold": threshold,
              "bias": bias, "t_ref": 2.0}  # fmt: skip
    delays = np.vstack([delay, np.full(N, probe)]) / 1000.0
    network = isolated(neuron, dtype, np.vstack([weights, missing]), delays.ravel())
    channels = np.arange(n_arrivals + 1)
    found = network.run(hr.Events(np.zeros_like(channels), channels, len(channels), probe + 1))
    assert found.spikes["neuron"].to_list() == np.flatnonzero(over).tolist()
    assert (found.spikes["t"] == probe).all()


def test_a_thousand_refractory_ceilings():
    # A strong event at every 100 µs: each neuron takes the first at or after the end of its hold.
    t_ref = np.random.default_rng(24).integers(0, 20_000, N)
    t = np.arange(0, 200_000, 100)
    network = isolated({"v_threshold": 15.0, "t_ref": t_ref / 1000.0}, inputs=np.full((1, N), 20.0))
    spikes = network.run(hr.Events(t, np.zeros_like(t), 1)).spikes
    period = np.maximum(100, -(-t_ref // 100) * 100)
    expected = sorted((int(s), i) for i in range(N) for s in range(0, 200_000, int(period[i])))
    assert spikes.rows() == expected

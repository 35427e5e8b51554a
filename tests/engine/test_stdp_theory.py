"""The learning rule on very many synapses at once, against sums over pairs.

Each synapse stands between two neurons of its own whose spikes are forced by static input
synapses of 1 V, so that no plastic weight can move a spike. All times are whole µs; a pair is an
arrival at the synapse and a spike of the post neuron, and their lag is positive when the arrival
comes first.
"""

import itertools

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

FORCED = 1000.0  # mV, ten times the threshold
NEURON = {"tau_m": 20.0, "v_threshold": 100.0, "t_ref": 0.0}
PAIRINGS = ("all_to_all", "nearest")
# mV, at weights of some 1 mV, below 2. 200 changes, each rounded by at most 2**-53 or 2**-24 mV,
# err by 2e-14 or 1e-5 if all have one sign, and by a tenth of that if not; traces add to it what
# is small against one of these roundings for each change.
TOLERANCE = {"float64": 1e-13, "float32": 1e-5}
DTYPES = tuple(TOLERANCE)
CONSTANTS = ("a_plus", "a_minus", "tau_plus", "tau_minus")


def learn(arrivals, posts, weight, rule, dtype) -> np.ndarray:
    """Return what each synapse has learned from the arrival and post times of its lists."""
    n = len(weight)
    rng = np.random.default_rng(40)
    delay = rng.integers(1, 60_000, n)  # µs; no arrival is so early
    t_pre = [times - d for times, d in zip(arrivals, delay, strict=True)]
    t = np.concatenate([*t_pre, *posts])
    channel = np.repeat(np.arange(2 * n), [len(times) for times in (*t_pre, *posts)])
    order = np.lexsort((channel, t))
    t, channel = t[order], channel[order]
    synapses = np.arange(n)
    network = hr.Network.from_arrays(
        inputs=csr_array(diags_array(np.full(2 * n, FORCED))),
        recurrent=csr_array((weight, (synapses, n + synapses)), shape=(2 * n, 2 * n)),
        recurrent_delay=delay / 1000.0,
        neuron=hr.LIF(**NEURON),
        plasticity=hr.STDP(**rule),
        plastic=np.ones(n, dtype=bool),
        dtype=dtype,
    )
    result = network.run(hr.Events(t, channel, 2 * n, int(t[-1]) + 60_000), learn=True)
    np.testing.assert_array_equal(result.spikes["t"], t)  # as forced, and no others
    np.testing.assert_array_equal(result.spikes["neuron"], channel)
    # One depression for each arrival, one potentiation for each post spike.
    assert result.stats.n_weight_updates == len(t)
    return network.recurrent_weights.data


def random_rule(rng, n: int, amplitude: float, **shared) -> dict:
    """Draw four constants for each of `n` synapses."""
    return {
        "a_plus": amplitude * rng.gamma(3.0, 1.0, n),
        "a_minus": amplitude * rng.gamma(3.0, 1.0, n),
        "tau_plus": 1.0 + rng.gamma(3.0, 5.0, n),
        "tau_minus": 1.0 + rng.gamma(3.0, 11.0, n),
    } | shared


def of_synapse(rule: dict, k: int) -> dict:
    return {name: value[k] if name in CONSTANTS else value for name, value in rule.items()}


# --- pairs ----------------------------------------------------------------------------------

BOUNDS = {
    "additive": {"w_min": 0.0, "w_max": 2.0, "mu_plus": 0.0, "mu_minus": 0.0},
    "hard": {"w_min": 0.97, "w_max": 1.03, "mu_plus": 0.0, "mu_minus": 0.0},
    "soft, 0.4": {"w_min": 0.1, "w_max": 1.7, "mu_plus": 0.4, "mu_minus": 0.4},
    "soft, 1": {"w_min": 0.1, "w_max": 1.7, "mu_plus": 1.0, "mu_minus": 1.0},
    "soft, 2": {"w_min": 0.1, "w_max": 1.7, "mu_plus": 2.0, "mu_minus": 2.0},
    "one soft": {"w_min": 0.1, "w_max": 1.7, "mu_plus": 0.0, "mu_minus": 1.0},
}


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_a_thousand_pairs(bounds, pairing, measure):
    # lag > 0: w + a_plus exp(-lag / tau_plus) (w_max - w)^mu; lag < 0: likewise with minus; within
    # the bounds. Lags are from 100 ms before to 100 ms after, dense around 0.
    rng = np.random.default_rng(41)
    n = 1000
    lag = np.where(rng.random(n) < 0.2, rng.integers(-3, 4, n), rng.integers(-100_000, 100_001, n))
    assert {-1, 0, 1} <= set(lag.tolist())
    rule = random_rule(rng, n, 0.01, **BOUNDS[bounds], pairing=pairing)
    low, high = rule["w_min"], rule["w_max"]
    weight = 1.0 + rng.uniform(-0.02, 0.02, n)
    arrival = rng.integers(60_000, 90_000, n) + np.maximum(0, -lag)
    after, before = (
        np.exp(-np.abs(lag) / (1000.0 * rule[tau])) for tau in ("tau_plus", "tau_minus")
    )
    room = {"plus": (high - weight) ** rule["mu_plus"], "minus": (weight - low) ** rule["mu_minus"]}
    change = np.where(lag > 0, rule["a_plus"] * after * room["plus"], 0.0)
    change -= np.where(lag < 0, rule["a_minus"] * before * room["minus"], 0.0)
    theory = np.clip(weight + change, low, high)
    assert ((theory == low) | (theory == high)).any() == (bounds == "hard")
    for dtype in DTYPES:
        found = learn(arrival[:, None], (arrival + lag)[:, None], weight, rule, dtype)
        assert np.array_equal(found[lag == 0], weight[lag == 0].astype(dtype))
        worst = np.abs(found - theory).max()
        measure(f"{dtype}, deviation from theory, mV", worst)
        assert worst <= TOLERANCE[dtype], f"{dtype}: largest deviation {worst} mV"


# --- trains ---------------------------------------------------------------------------------


def random_trains(rng, n: int, n_spikes: int):
    """Draw arrivals and post spikes: at any µs, on whole ms, or at most 1 µs from each other."""
    arrivals, posts = [], []
    for k in range(n):
        step = 1000 if k % 3 == 1 else 1
        first, last = 60_000 // step, 2_000_000 // step
        a, p = (first + rng.choice(last - first, n_spikes, replace=False) for _ in range(2))
        if k % 3 == 2:
            p[: n_spikes // 2] = a[: n_spikes // 2] + rng.integers(-1, 2, n_spikes // 2)
        arrivals.append(np.unique(a) * step)
        posts.append(np.unique(p) * step)
    return arrivals, posts


def double_sum(arrivals, posts, rule) -> tuple[float, float]:
    """Potentiation and depression of one synapse: sums over pairs of different µs.

    All-to-all: every pair. Nearest: each post spike with the latest arrival before it, and each
    arrival with the latest post spike before it.
    """
    lag = posts[None, :] - arrivals[:, None]  # row: arrival, column: post spike
    causal, acausal = lag > 0, lag < 0
    if rule["pairing"] == "nearest":
        # The latest arrival before a post spike has the least positive lag in its column.
        causal &= lag == np.where(lag > 0, lag, lag.max() + 1).min(axis=0)[None, :]
        acausal &= lag == np.where(lag < 0, lag, lag.min() - 1).max(axis=1)[:, None]
    up = np.exp(-lag[causal] / (1000.0 * rule["tau_plus"])).sum()
    down = np.exp(lag[acausal] / (1000.0 * rule["tau_minus"])).sum()
    return rule["a_plus"] * up, rule["a_minus"] * down


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_two_hundred_trains_of_a_hundred_spikes(pairing, measure):
    rng = np.random.default_rng(42)
    n = 200
    arrivals, posts = random_trains(rng, n, 100)
    assert sum(np.isin(a, p).sum() for a, p in zip(arrivals, posts, strict=True)) > 1000
    rule = random_rule(rng, n, 2e-4, w_min=0.0, w_max=3.0, pairing=pairing)
    weight = rng.uniform(1.0, 2.0, n)
    sums = [double_sum(arrivals[k], posts[k], of_synapse(rule, k)) for k in range(n)]
    up, down = np.array(sums).T
    # No weight can have met a bound on its way, so that order does not matter.
    assert (weight + up < 3.0).all()
    assert (weight - down > 0.0).all()
    assert np.median(up) > 0.02
    assert np.median(down) > 0.02
    for dtype in DTYPES:
        found = learn(arrivals, posts, weight, rule, dtype)
        worst = np.abs(found - (weight + up - down)).max()
        measure(f"{dtype}, deviation from theory, mV", worst)
        assert worst <= TOLERANCE[dtype], f"{dtype}: largest deviation {worst} mV"


def in_sequence(arrivals, posts, weight, rule) -> tuple[float, int]:
    """Change by change, each from sums over the past; also how often the weight was clipped."""
    n_clipped = 0
    low, high, nearest = rule["w_min"], rule["w_max"], rule["pairing"] == "nearest"
    for t in np.union1d(arrivals, posts):
        past_arrivals = arrivals[: np.searchsorted(arrivals, t)]
        past_posts = posts[: np.searchsorted(posts, t)]
        if nearest:
            past_arrivals, past_posts = past_arrivals[-1:], past_posts[-1:]
        changes = []
        if t in arrivals:
            y = np.exp((past_posts - t) / (1000.0 * rule["tau_minus"])).sum()
            changes.append(lambda w, y=y: -rule["a_minus"] * y * (w - low) ** rule["mu_minus"])
        if t in posts:
            x = np.exp((past_arrivals - t) / (1000.0 * rule["tau_plus"])).sum()
            changes.append(lambda w, x=x: rule["a_plus"] * x * (high - w) ** rule["mu_plus"])
        for change in changes:
            free = weight + change(weight)
            weight = min(max(free, low), high)
            n_clipped += weight != free
    return weight, n_clipped


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("mu", [(0.0, 0.0), (0.4, 0.4), (1.0, 1.0), (2.0, 2.0), (0.0, 1.0)])
def test_trains_between_bounds(mu, pairing):
    rng = np.random.default_rng(43)
    n = 20
    arrivals, posts = random_trains(rng, n, 100)
    rule = random_rule(rng, n, 0.02, w_min=0.5, w_max=1.5, mu_plus=mu[0], mu_minus=mu[1],
                       pairing=pairing)  # fmt: skip
    weight = rng.uniform(0.5, 1.5, n)
    walks = [in_sequence(arrivals[k], posts[k], weight[k], of_synapse(rule, k)) for k in range(n)]
    theory, n_clipped = np.array(walks).T
    if mu == (0.0, 0.0):
        assert (n_clipped > 10).mean() > 0.5
    for dtype in DTYPES:
        found = learn(arrivals, posts, weight, rule, dtype)
        worst = np.abs(found - theory).max()
        assert worst <= TOLERANCE[dtype], f"{dtype}: largest deviation {worst} mV"


# --- bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("mu", list(itertools.product((0.0, 0.5, 1.0, 2.0), repeat=2)))
def test_weights_never_leave_their_bounds(mu, pairing):
    # Amplitudes from 1e-3 to 1e27 times the room; bounds that are no binary fractions.
    rng = np.random.default_rng(44)
    n = 40
    arrivals, posts = random_trains(rng, n, 20)
    rule = random_rule(rng, n, 1.0, w_min=0.1, w_max=1.1, mu_plus=mu[0], mu_minus=mu[1],
                       pairing=pairing)  # fmt: skip
    for name in ("a_plus", "a_minus"):
        rule[name] *= 10.0 ** rng.uniform(-3.0, 27.0, n)
    weight = np.concatenate([[0.1, 1.1], rng.uniform(0.1, 1.1, n - 2)])
    for dtype in DTYPES:
        found = learn(arrivals, posts, weight, rule, dtype)
        low, high = (np.dtype(dtype).type(bound) for bound in (0.1, 1.1))
        assert ((found >= low) & (found <= high)).all(), found  # NaN is neither
        assert np.isin(found, (low, high)).mean() > 0.5


@pytest.mark.parametrize(
    ("dtype", "amplitude", "mu"),
    [("float64", 1.7e308, 0.5), ("float32", 3e38, 0.5), ("float32", 1e300, 0.0)],
)
def test_amplitudes_that_overflow_are_refused_or_clipped(dtype, amplitude, mu):
    rule = {"a_plus": amplitude, "a_minus": amplitude, "tau_plus": 15.0, "tau_minus": 34.0,
            "w_max": 2.0, "mu_plus": mu, "mu_minus": mu}  # fmt: skip
    arrivals, posts = np.array([[70_000, 70_001, 70_002]]), np.array([[70_003, 70_004, 70_005]])
    try:
        found = learn(arrivals, posts, np.ones(1), rule, dtype)
    except hr.ParameterError:
        return
    assert 0.0 <= found[0] <= 2.0

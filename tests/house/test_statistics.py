"""Random streams are independent of each other; the two levels of testing can pass and fail.

Streams are keyed by (seed, purpose, index). 11 cases at 1e-6 each (`two_levels`), and 1e-6 for
distinctness: with fresh seeds right streams would fail somewhere in this file with a probability
of at most 1.2e-5. With the fixed seeds they fail always or never: a failure is a finding.

Laws of values: test_distribution_statistics.py; of graphs: test_connectivity_statistics.py,
test_small_world_statistics.py, test_local_statistics.py; of what a network draws:
test_assembly_statistics.py; of the camera: test_camera_statistics.py.

Power: each `wrong` generator must fail, such as numbers of 32 bits, one key in twenty used twice,
or pairs correlated by 0.05.
"""

import math

import numpy as np
import pytest
from hrsnn_rs.description.parameters import Uniform
from scipy import special, stats
from two_levels import (
    ALPHA,
    LARGEST_EXACT,
    N_SEEDS,
    Binomial,
    Case,
    complaints,
    distance_allowed,
    of_choices,
    of_counts,
    of_groups,
    of_multinomial,
    of_rank,
    of_regression,
    of_runs,
    right_cases,
    smirnov,
    states_rate,
    wrong_cases,
)

UNIT = Uniform(0.0, 1.0)
N = 4096
BITS = 53
SIDE = 8


def stream(seed: int, purpose: str = "a", index: int = 0, n: int = N):
    offsets = np.zeros(index + 2, dtype=np.int64)
    offsets[-1] = n
    return UNIT.sample(offsets, seed, purpose)


# Bits


def of_bits(values, draw):
    """Each of the 53 bits of a number is set in half of them."""
    whole = (values * 2.0**BITS).astype(np.uint64)
    assert (whole * 2.0**-BITS == values).all()
    counts = [(whole >> np.uint64(bit) & np.uint64(1)).sum() for bit in range(BITS)]
    return of_counts(Binomial(values.size, 0.5), counts, draw)


def few_bits(seed):
    return np.random.default_rng(seed).integers(0, 2**32, N) * 2.0**-32


def one_uneven_bit(seed):
    """Bit 20 is set in 0.6 of the numbers."""
    random = np.random.default_rng(seed)
    whole = random.integers(0, 2**BITS, N) | ((random.random(N) < 0.2).astype(int) << 20)
    return whole * 2.0**-BITS


# Pairs


def of_pairs(pairs, draw):
    """Numbers of pairs in each square of a grid; independent pairs fill them all alike."""
    a, b = ((np.asarray(each) * SIDE).astype(int) for each in pairs)
    counts = np.bincount(a * SIDE + b, minlength=SIDE**2)
    return of_multinomial(np.full(SIDE**2, SIDE**-2.0), counts, draw)


def apart(values, lag):
    """Pairs of numbers that are `lag` apart; each number is in one pair, or they would depend."""
    return values.reshape(-1, 2, lag).swapaxes(0, 1).reshape(2, -1)


PAIRS = {
    "seed and the next": lambda seed: (stream(seed), stream(seed + 1)),
    "seed and its highest bit": lambda seed: (stream(seed), stream(seed + 2**63)),
    "two purposes": lambda seed: (stream(seed, "a"), stream(seed, "b")),
    "purpose and one that begins alike": lambda seed: (
        stream(seed, "recurrent"),
        stream(seed, "recurrent/weight"),
    ),
    "two indices": lambda seed: (stream(seed, index=0), stream(seed, index=1)),
    "distant indices": lambda seed: (stream(seed, index=0), stream(seed, index=2**16)),
    "seed against index": lambda seed: (stream(seed, index=1), stream(seed + 1, index=0)),
    "first values of neighbouring indices": lambda seed: apart(
        UNIT.sample_each(2 * N, seed, "a"), 1
    ),
    "neighbours in a stream": lambda seed: apart(stream(seed, n=2 * N), 1),
    # The generator makes 64 bytes, 8 numbers, at a time.
    "neighbouring blocks of a stream": lambda seed: apart(stream(seed, n=2 * N), 8),
}


def same_stream(seed):
    return stream(seed), stream(seed)


def partly_same(seed):
    """One number in twenty is used twice."""
    a, b = stream(seed), stream(seed + 1)
    return a, np.where(np.arange(N) % 20 == 0, a, b)


def correlated(seed):
    """Normal scores correlated by 0.05."""
    a, b = (special.ndtri(stream(seed + step)) for step in (0, 1))
    return special.ndtr(a), special.ndtr(0.05 * a + math.sqrt(1.0 - 0.05**2) * b)


def congruential(seed):
    """A multiplier as small as those of generators long past."""
    values = [(seed * 7919 + 12_345) % (2**31 - 1)]
    for _ in range(2 * N - 1):
        values.append(values[-1] * 23 % (2**31 - 1))
    return apart(np.array(values) / (2**31 - 1), 1)


WRONG = {
    "seed and the next": {"correlated": correlated},
    "two purposes": {"the same": same_stream, "partly the same": partly_same},
    "neighbours in a stream": {"congruential": congruential},
}
CASES = {
    "bits": Case(of_bits, stream, {"32 bits": few_bits, "an uneven bit": one_uneven_bit}),
    **{name: Case(of_pairs, generator, WRONG.get(name, {})) for name, generator in PAIRS.items()},
}


@right_cases(CASES)
def test_streams(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_streams_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_no_two_streams_overlap():
    keys = [(s, p, i) for s in (0, 1, 2, 2**32, 2**63) for p in ("a", "b", "a/b") for i in range(9)]
    values = np.concatenate([stream(s, p, i, 900) for s, p, i in keys])
    # Streams that overlap share values. Chance makes two of the numbers of 53 bits the same with a
    # probability below that of the next line.
    assert values.size**2 / 2**54 < ALPHA
    assert np.unique(values).size == values.size


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES), n_more=1)


# The two levels themselves, on NumPy's generator


def uniform_rows(seed, n):
    return list(np.random.default_rng(seed).random((N_SEEDS, n)))


@pytest.mark.parametrize("n", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_false_alarms_are_no_more_frequent_than_said(n):
    alpha, n_trials = 0.05, 400
    alarms = sum(complaints(uniform_rows(seed, n), alpha) != [] for seed in range(n_trials))
    # Independent trials; more alarms than this with probability 1e-6 where the rate is alpha.
    assert alarms <= stats.binom.isf(1e-6, n_trials, alpha)
    # Nor much less: ten examinations, some of them related, share alpha.
    assert alarms >= stats.binom.ppf(1e-6, n_trials, alpha / 3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda u: u**1.05, "mean: distribution"),
        (lambda u: special.ndtr(0.95 * special.ndtri(u)), "spread: distribution"),
        (lambda u: u + 0.02 * np.sin(2 * np.pi * 4 * u), "shape: distribution"),
        (lambda u: np.where(np.arange(N_SEEDS)[:, None] == 17, u**1.3, u), "mean: extreme"),
        (lambda u: np.where(np.arange(1000) % 2 == 0, u**1.1, u**0.9), "places: sum of squares"),
        (lambda u: np.where(np.arange(1000) == 17, u**2, u), "places: largest"),
    ],
    ids=["shifted", "narrower", "wavy", "one odd seed", "every second place", "one odd place"],
)
def test_each_examination_can_complain(change, complaint):
    rows = list(change(np.array(uniform_rows(3, 1000))))
    assert any(text.startswith(complaint) for text in complaints(rows))


def test_discrete_claims_give_uniform_numbers():
    def rows(claim):
        return [
            np.atleast_1d(claim(np.random.default_rng([5, seed]), np.random.default_rng(seed)))
            for seed in range(N_SEEDS)
        ]

    def runs(random, draw):
        return of_runs(random.permuted(np.tile(np.arange(9) < 3, (50, 1)), axis=1), draw)

    p = np.array([0.5, 0.3, 0.15, 0.05])
    claims = {
        "counts": lambda random, draw: of_counts(
            stats.binom(7, 0.3), random.binomial(7, 0.3, 50), draw
        ),
        "choices": lambda random, draw: of_choices(
            np.tile(p, (50, 1)), random.choice(4, 50, p=p), draw
        ),
        "multinomial": lambda random, draw: of_multinomial(p, random.multinomial(50, p), draw),
        "groups": lambda random, draw: of_groups(
            [5, 9, 2, 4], random.multivariate_hypergeometric([5, 9, 2, 4], 6), draw
        ),
        "runs": runs,
        "rank": lambda random, draw: of_rank(random.random(), random.random(9), draw),
        "regression": lambda random, _: of_regression(random.random(20), np.eye(20)[:5] + 0.3),
    }
    # 7 claims at 1e-6 each, of NumPy's generator and of the tests' own arithmetic.
    for name, claim in claims.items():
        assert complaints(rows(claim)) == [], name


def test_runs_of_subsets_without_members_and_of_all():
    subset = np.array([[False] * 4, [True] * 4])
    numbers = of_runs(subset, np.random.default_rng(0))
    assert ((numbers > 0.0) & (numbers < 1.0)).all()


@pytest.mark.parametrize("n", [5, LARGEST_EXACT, LARGEST_EXACT + 1, 1000])
def test_law_of_the_one_sided_distance(n):
    excess = np.linspace(0.0, 2.2, 100) / math.sqrt(n)
    found = [smirnov(n, each) for each in excess]
    assert np.abs(found - special.smirnov(n, excess)).max() < 5e-4


def test_allowed_distance_bounds_the_exact_one():
    exact = stats.kstwo.isf(ALPHA, N_SEEDS)
    assert exact <= distance_allowed(0.0, N_SEEDS) < 1.1 * exact
    assert ALPHA <= 2.0 * special.smirnov(N_SEEDS, exact) < 1.001 * ALPHA

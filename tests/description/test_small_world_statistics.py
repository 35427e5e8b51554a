"""Small worlds: how many synapses are rewired, where to, and what becomes of the graph.

Two-level tests (`two_levels`): 11 cases at 1e-6 each, and three clusterings at 1e-6 each: with
fresh seeds a right generator would fail somewhere in this file with a probability of at most
1.4e-5. With the fixed seeds it fails always or never: a failure is a finding.

A rewired synapse takes a neuron that is not yet reached, and leaves its own target free for those
after it. So the number of synapses that leave is not quite binomial; its law is computed below,
step by step. Clustering and path lengths have no law in closed form at 0 < p_rewire < 1. They are
ranked among those of another generator, below, which does what the documentation says, word for
word; beside that stand the values of the ring and of Watts & Strogatz (1998, Nature 393:440).

Power: each `wrong` generator must fail, such as p_rewire off by 3 %, a rewired synapse that may
return to its own target, or targets that are near.
"""

import itertools
import math
from functools import cache

import numpy as np
import pytest
from hrsnn_rs.description.connectivity import SmallWorldConnectivity
from scipy import sparse, stats
from scipy.sparse import csgraph
from two_levels import (
    ALPHA,
    Case,
    Hypergeometric,
    of_choices,
    of_counts,
    of_multinomial,
    of_rank,
    of_runs,
    right_cases,
    states_rate,
    wrong_cases,
)

N, K = 100, 8
N_FEW, K_FEW, P_FEW = 8, 3, 0.4
N_RANKED, K_RANKED, P_RANKED, N_OTHERS = 40, 4, 0.1, 5


def world(p_rewire, n=N, k=K):
    """Generator of graphs: a row for each neuron, a bool for each step along the ring."""
    rule = SmallWorldConnectivity(k=k, p_rewire=p_rewire)

    def generate(seed):
        indptr, indices = rule.generate(n, n, seed, "graph")
        assert (np.diff(indptr) == k).all()
        steps = (indices.reshape(n, k).astype(int) - np.arange(n)[:, None]) % n
        assert (steps > 0).all()
        rows = np.zeros((n, n), dtype=bool)
        np.put_along_axis(rows, steps, True, axis=1)
        assert (rows.sum(axis=1) == k).all()
        return rows

    return generate


def ring_steps(n, k):
    """+1, -1, +2, ... modulo n, nearest first."""
    return [step % n for i in range(1, n) for step in (i, -i)][:k]


def as_documented(seed, n_rows, n, k, p_rewire, fault=None):
    """Rows of small worlds; `fault` is how they deviate from the documentation."""
    random = np.random.default_rng([seed, 2])
    rows = np.zeros((n_rows, n), dtype=bool)
    rows[:, ring_steps(n, k)] = True
    for step in ring_steps(n, k):
        rewired = np.flatnonzero(random.random(n_rows) < p_rewire)
        keys = random.random((rewired.size, n))
        keys[rows[rewired]] = -1.0
        keys[:, 0] = -1.0
        if fault == "own target again":
            keys[:, step] = random.random(rewired.size)
        if fault == "not the last":
            keys[:, n - 1] = -1.0
        if fault == "clockwise":
            keys[:, n // 2 :] *= 0.98
        if fault == "beside others":
            keys[~np.roll(rows[rewired], 1, axis=1)] *= 0.98
        if fault == "near":
            keys[:, n // 4 : 3 * n // 4] *= 0.98
        if fault == "even steps":
            keys[:, 1::2] *= 0.98
        rows[rewired, step] = False
        rows[rewired, keys.argmax(axis=1)] = True
    return rows


def faulty(fault, p_rewire, n_rows=N, n=N, k=K):
    return lambda seed: as_documented(seed, n_rows, n, k, p_rewire, fault)


def towards_the_first(seed):
    """One row in ten exchanges a target far away for one of the first ten neurons."""
    random = np.random.default_rng(seed)
    rows = world(0.5)(seed)
    for row in np.flatnonzero(random.random(N) < 0.1):
        targets, (step,) = (row + np.arange(N)) % N, random.integers(K, N - K, 1)
        first = np.flatnonzero(~rows[row] & (targets < 10) & (np.arange(N) > 0))
        if rows[row, step:].any() and first.size:
            rows[row, step + rows[row, step:].argmax()] = False
            rows[row, first[0]] = True
    return rows


# How many, and where to


def few_worlds(seed):
    generate = world(P_FEW, N_FEW, K_FEW)
    return np.concatenate([generate(20 * seed + i) for i in range(20)])


@cache
def law_of_target_sets(n, k, p_rewire):
    """Probability of each set of targets, by following every rewiring."""
    states = {tuple(ring_steps(n, k)): 1.0}
    for i in range(k):
        following = {}
        for reached, p in states.items():
            following[reached] = following.get(reached, 0.0) + p * (1.0 - p_rewire)
            for free in set(range(1, n)) - set(reached):
                rewired = (*reached[:i], free, *reached[i + 1 :])
                following[rewired] = following.get(rewired, 0.0) + p * p_rewire / (n - 1 - k)
        states = following
    law = dict.fromkeys(itertools.combinations(range(1, n), k), 0.0)
    for reached, p in states.items():
        law[tuple(sorted(reached))] += p
    return law


def of_target_sets(rows, draw):
    law = law_of_target_sets(N_FEW, K_FEW, P_FEW)
    number = {targets: i for i, targets in enumerate(law)}
    found = np.nonzero(rows)[1].reshape(-1, K_FEW)
    counts = np.bincount([number[tuple(row)] for row in found.tolist()], minlength=len(number))
    return of_multinomial(list(law.values()), counts, draw)


def law_of_leaving(p_rewire):
    """Probability of each number of ring neighbours that are not reached in the end."""
    law = np.eye(K + 1)[0]
    for _ in range(K):
        # Who is rewired leaves one more, unless it takes a neighbour that was left before.
        more = law * p_rewire * (1.0 - np.arange(K + 1) / (N - 1 - K))
        law = law - more + np.roll(more, 1)
    return law


def of_leaving(p_rewire):
    def claim(rows, draw):
        left = K - rows[:, ring_steps(N, K)].sum(axis=1)
        return of_choices(np.tile(law_of_leaving(p_rewire), (N, 1)), left, draw)

    return claim


def of_part(chosen):
    """How many rewired synapses go to a part of what lies beyond the ring's neighbours."""
    beyond = np.delete(np.arange(1, N), np.array(ring_steps(N, K)) - 1)
    part = np.broadcast_to(chosen(np.arange(N)[:, None], np.arange(N)), (N, N))[:, beyond]

    def claim(rows, draw):
        found = rows[:, beyond]
        law = Hypergeometric(beyond.size, part.sum(axis=1), found.sum(axis=1))
        return of_counts(law, (found & part).sum(axis=1), draw)

    return claim


def of_neighbours(rows, draw):
    return of_runs(np.delete(rows, [0, *ring_steps(N, K)], axis=1), draw)


# What becomes of the graph


def matrix(rows):
    """From steps along the ring to targets."""
    n = len(rows)
    steps = (np.arange(n) - np.arange(n)[:, None]) % n
    return sparse.csr_array(np.take_along_axis(rows, steps, axis=1).astype(float))


def clustering(rows):
    """Share of pairs of a neuron's targets of which the first reaches the second."""
    found, k = matrix(rows), rows[0].sum()
    return (found @ found).multiply(found).sum() / (len(rows) * k * (k - 1))


def path_lengths(rows):
    """Shortest path between each two neurons, in synapses; infinite where there is none."""
    return csgraph.shortest_path(matrix(rows), unweighted=True)


def closeness(rows):
    """Mean inverse path length, which is finite where there is no path."""
    n = len(rows)
    return (1.0 / (path_lengths(rows) + np.eye(n)) - np.eye(n)).sum() / (n * (n - 1))


def of_ranked(statistic):
    def claim(rows, draw):
        n_rows, seed = N_OTHERS * N_RANKED, draw.integers(2**32)
        others = np.split(as_documented(seed, n_rows, N_RANKED, K_RANKED, P_RANKED), N_OTHERS)
        return of_rank(statistic(rows), [statistic(other) for other in others], draw)

    return claim


HALF, FULL = world(0.5), world(1.0)
RANKED = world(P_RANKED, N_RANKED, K_RANKED)
MORE_RANKED = world(1.3 * P_RANKED, N_RANKED, K_RANKED)

CASES = {
    "target sets of few": Case(
        of_target_sets,
        few_worlds,
        {
            "own target again": faulty("own target again", P_FEW, 160, N_FEW, K_FEW),
            "not the last": faulty("not the last", P_FEW, 160, N_FEW, K_FEW),
        },
    ),
    "leaving, p = 0.05": Case(of_leaving(0.05), world(0.05), {"10 % more": world(0.055)}),
    "leaving, p = 0.5": Case(
        of_leaving(0.5),
        HALF,
        {"3 % more": world(0.515)},
    ),
    "leaving, p = 1": Case(
        of_leaving(1.0), FULL, {"own target again": faulty("own target again", 1.0)}
    ),
    "clockwise": Case(
        of_part(lambda row, step: step < N // 2), HALF, {"clockwise": faulty("clockwise", 0.5)}
    ),
    "far away": Case(
        of_part(lambda row, step: abs(step - N // 2) < N // 4), HALF, {"near": faulty("near", 0.5)}
    ),
    "even steps": Case(
        of_part(lambda row, step: step % 2 == 0), FULL, {"even steps": faulty("even steps", 1.0)}
    ),
    "to the first ten": Case(
        of_part(lambda row, step: (row + step) % N < 10), HALF, {"more": towards_the_first}
    ),
    "neighbours of the rewired": Case(
        of_neighbours, HALF, {"beside others": faulty("beside others", 0.5)}
    ),
    "clustering": Case(of_ranked(clustering), RANKED, {"p 30 % more": MORE_RANKED}),
    "closeness": Case(of_ranked(closeness), RANKED, {"p 30 % more": MORE_RANKED}),
}


@right_cases(CASES)
def test_small_worlds(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_small_worlds_are_found_out(case, generator):
    assert case.complaints(generator) != []


@pytest.mark.parametrize(("n", "k"), [(9, 4), (10, 5), (12, 6), (7, 0), (7, 6)])
def test_without_rewiring_there_is_the_ring(n, k):
    expected = np.zeros(n, dtype=bool)
    expected[ring_steps(n, k)] = True
    assert (world(0.0, n, k)(3) == expected).all()


@pytest.mark.parametrize("p_rewire", [0.0, 0.3, 1.0])
def test_a_complete_graph_has_nowhere_to_rewire(p_rewire):
    assert (world(p_rewire, 7, 6)(3) == np.array([False] + [True] * 6)).all()


def test_clustering_and_path_lengths_of_the_ring():
    n, k = 60, 6
    rows = world(0.0, n, k)(1)
    assert math.isclose(clustering(rows), 3 * (k - 2) / (4 * (k - 1)))
    steps = np.arange(n)
    expected = np.ceil(np.minimum(steps, n - steps) / (k / 2))
    assert (path_lengths(rows)[0] == expected).all()


def mean_path_length(rows):
    lengths = path_lengths(rows)
    return lengths.sum() / (rows.shape[0] * (rows.shape[0] - 1))


@pytest.mark.parametrize("p_rewire", [0.02, 0.1, 0.5])
def test_clustering_falls_as_the_third_power(p_rewire):
    n, k, n_graphs = 100, 8, 20
    values = np.array([clustering(world(p_rewire, n, k)(seed)) for seed in range(n_graphs)])
    # A triangle of the ring stays if its three synapses do. Chance adds at most 2 k / free: so
    # often a target drawn among `free` neurons reaches another, or is reached by it.
    least = 3 * (k - 2) / (4 * (k - 1)) * (1.0 - p_rewire) ** 3
    # Student's t; ALPHA for both sides together.
    margin = stats.t.isf(ALPHA / 2, n_graphs - 1) * values.std(ddof=1) / math.sqrt(n_graphs)
    assert least - margin < values.mean() < least + 2 * k / (n - 1 - k) + margin


def test_paths_shorten_long_before_clusters_dissolve():
    n, k = 150, 6
    ring, small, random = (world(p, n, k)(1) for p in (0.0, 0.05, 1.0))
    assert mean_path_length(small) < 0.4 * mean_path_length(ring)
    assert clustering(small) > 0.75 * clustering(ring)
    # A random graph reaches k, k^2, ... neurons; its clustering is its density.
    assert mean_path_length(random) < 1.2 * math.log(n) / math.log(k)
    assert clustering(random) < 2 * k / n


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES), n_more=3)

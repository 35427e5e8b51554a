"""Graphs in which all pairs are alike: degrees, and nothing but chance besides.

Two-level tests (`two_levels`): 19 cases at 1e-6 each: with fresh seeds a right generator would
fail somewhere in this file with a probability of at most 1.9e-5. With the fixed seeds it fails
always or never: a failure is a finding.

Power: each `wrong` generator must fail, such as a probability off by 2 %, one more source for
each target, autapses that are dropped after they were drawn, or a choice by remainder.
"""

import itertools

import numpy as np
from hrsnn_rs.description.connectivity import FixedInDegreeConnectivity, RandomConnectivity
from two_levels import (
    Binomial,
    Case,
    Hypergeometric,
    law_of_trials,
    of_choices,
    of_counts,
    of_multinomial,
    of_runs,
    right_cases,
    states_rate,
    wrong_cases,
)

N, P = 100, 0.1
K = 20


def dense(rule, n_pre=N, n_post=N, **options):
    """Generator of bool matrices, row = source."""

    def generate(seed):
        indptr, indices = rule.generate(n_pre, n_post, seed, "graph", **options)
        found = np.zeros((n_pre, n_post), dtype=bool)
        found[np.repeat(np.arange(n_pre), np.diff(indptr)), indices] = True
        assert found.sum() == indices.size
        return found

    return generate


def changed(generator, change):
    return lambda seed: change(generator(seed).copy(), np.random.default_rng([seed, 1]))


def without_itself(found):
    """Columns are targets; their sources counted from the target on, the target left out."""
    n = found.shape[0]
    steps = (np.arange(n)[:, None] + np.arange(1, n)) % n
    return found[steps, np.arange(n)[:, None]]


# Each pair with probability p


def of_in_degrees(n, p):
    return lambda found, draw: of_counts(Binomial(n, p), found.sum(axis=0), draw)


def of_out_degrees(n, p):
    return lambda found, draw: of_counts(Binomial(n, p), found.sum(axis=1), draw)


def of_steps(found, draw):
    """Synapses by the way along the ring of numbers, which means nothing."""
    return of_counts(Binomial(N, P), without_itself(found).sum(axis=0), draw)


def of_mutual_pairs(found, draw):
    law = Binomial(N * (N - 1) // 2, P**2)
    return of_counts(law, [(found & found.T).sum() // 2], draw)


def of_twins(found, draw):
    """Targets 2i and 2i + 1 of one source; own pairs left out."""
    both = found[:, ::2] & found[:, 1::2]
    both[np.arange(N), np.arange(N) // 2] = False
    return of_counts(Binomial(N * (N // 2 - 1), P**2), [both.sum()], draw)


def of_autapses(found, draw):
    return of_counts(Binomial(N, P), [np.diag(found).sum()], draw)


def one_more_source(found, random):
    found[random.integers(0, N, N), np.arange(N)] = True
    return found


def without_autapses(found, _):
    """Drawn with autapses, which are then dropped."""
    np.fill_diagonal(found, False)
    return found


def a_hub(found, random):
    found[:, 17] |= random.random(N) < 0.05
    return found


def favours_next(found, random):
    """Every fifth neuron reaches the next one."""
    rows = np.flatnonzero(random.random(N - 1) < 0.2)
    found[rows, rows + 1] = True
    return found


def answers(found, random):
    """One in ten synapses is answered."""
    return found | (found.T & (random.random((N, N)) < 0.1))


def in_clusters(found, random):
    """One in ten synapses brings one onto the next neuron along."""
    beside = np.zeros_like(found)
    beside[:, 1:] = found[:, :-1] & (random.random((N, N - 1)) < 0.1)
    np.fill_diagonal(beside, False)
    return found | beside


RANDOM = dense(RandomConnectivity(p=P))
OFF_BY_2_PERCENT = dense(RandomConnectivity(p=1.02 * P))
WITH_AUTAPSES = dense(RandomConnectivity(p=P, allow_autapses=True))
SPARSE = dense(RandomConnectivity(p=0.01), 60, 110)
FULL = dense(RandomConnectivity(p=0.9), 60, 110)

RANDOM_CASES = {
    "random: in-degrees": Case(
        of_in_degrees(N - 1, P),
        RANDOM,
        {
            "p 2 % more": OFF_BY_2_PERCENT,
            "one more source": changed(RANDOM, one_more_source),
            "a hub": changed(RANDOM, a_hub),
            "exact in-degrees": dense(FixedInDegreeConnectivity(k=10)),
        },
    ),
    "random: out-degrees": Case(
        of_out_degrees(N - 1, P),
        RANDOM,
        {
            "p 2 % more": OFF_BY_2_PERCENT,
            "exact out-degrees": lambda seed: dense(FixedInDegreeConnectivity(k=10))(seed).T,
        },
    ),
    "random: steps": Case(of_steps, RANDOM, {"favours the next": changed(RANDOM, favours_next)}),
    "random: mutual pairs": Case(of_mutual_pairs, RANDOM, {"answers": changed(RANDOM, answers)}),
    "random: twins": Case(of_twins, RANDOM, {"clusters": changed(RANDOM, in_clusters)}),
    "random, autapses: in-degrees": Case(of_in_degrees(N, P), WITH_AUTAPSES),
    "random, autapses: autapses": Case(
        of_autapses, WITH_AUTAPSES, {"dropped": changed(WITH_AUTAPSES, without_autapses)}
    ),
    "random inputs, p = 0.01: out-degrees": Case(
        of_out_degrees(110, 0.01),
        SPARSE,
        {"p 10 % more": dense(RandomConnectivity(p=0.011), 60, 110)},
    ),
    "random inputs, p = 0.01: in-degrees": Case(of_in_degrees(60, 0.01), SPARSE),
    "random inputs, p = 0.9: out-degrees": Case(
        of_out_degrees(110, 0.9), FULL, {"p 1 % less": dense(RandomConnectivity(p=0.891), 60, 110)}
    ),
    "random inputs, p = 0.9: in-degrees": Case(of_in_degrees(60, 0.9), FULL),
}


# k sources for each target


def of_all_subsets(n, k):
    """Each set of k out of n sources is equally likely; rows are targets."""
    number = {subset: i for i, subset in enumerate(itertools.combinations(range(n), k))}

    def claim(choices, draw):
        assert (choices.sum(axis=1) == k).all()
        found = np.nonzero(choices)[1].reshape(-1, k)
        counts = np.bincount([number[tuple(row)] for row in found.tolist()], minlength=len(number))
        return of_multinomial(np.full(len(number), 1.0 / len(number)), counts, draw)

    return claim


def small_inputs(n, k):
    return lambda seed: dense(FixedInDegreeConnectivity(k=k), n, 150)(seed).T


def small_recurrence(n, k):
    generate = dense(FixedInDegreeConnectivity(k=k), n, n)
    return lambda seed: np.concatenate([without_itself(generate(20 * seed + i)) for i in range(20)])


def of_near_and_far(found, draw):
    """How many of a target's sources are among the nearest half, by number."""
    near = np.minimum(np.arange(1, N), N - np.arange(1, N)) <= N // 4
    among = (without_itself(found) & near).sum(axis=1)
    return of_counts(Hypergeometric(N - 1, near.sum(), K), among, draw)


def of_first_half(found, draw):
    own = (np.arange(N) < N // 2).astype(int)
    return of_counts(Hypergeometric(N - 1, N // 2 - own, K), found[: N // 2].sum(axis=0), draw)


def of_source_runs(found, draw):
    return of_runs(without_itself(found), draw)


def of_source_degrees(found, draw):
    """Out-degrees, each given the choices that were made of the sources before it."""
    n, k = found.shape[0], found.sum(axis=0)
    before = np.cumsum(found, axis=0) - found
    possible = n - 1 - np.arange(n)[:, None] + (np.arange(n)[:, None] > np.arange(n))
    p = np.where(np.eye(n, dtype=bool), 0.0, (k - before) / np.maximum(possible, 1))
    return of_choices(law_of_trials(p[:-1]), found.sum(axis=1)[:-1], draw)


def of_multinomial_degrees(found, draw):
    """With k = 1 all choices are independent, and out-degrees multinomial."""
    n = found.shape[0]
    return of_multinomial(np.full(n, 1.0 / n), found.sum(axis=1), draw)


def next_if_taken(seed):
    """Who draws the same source again takes the next one."""
    random = np.random.default_rng(seed)
    choices = np.zeros((150, 6), dtype=bool)
    for row in choices:
        first, second = random.integers(0, 6, 2)
        row[[first, second if second != first else (second + 1) % 6]] = True
    return choices


def by_remainder(seed):
    """The remainder of 8 bits favours the first 256 % 60 sources."""
    sources = np.random.default_rng(seed).integers(0, 256, 600) % 60
    return sources[None] == np.arange(60)[:, None]


def towards_the_first(found, random):
    """One in ten targets exchanges its last source for an early one."""
    for target in np.flatnonzero(random.random(found.shape[1]) < 0.1):
        late = np.flatnonzero(found[:, target])[-1]
        early = np.flatnonzero(~found[: found.shape[0] // 2, target])
        found[[late, early[early != target][0]], target] = False, True
    return found


def along_the_ring(found, random):
    """Every third target exchanges its farthest source for the nearest."""
    for target in np.flatnonzero(random.random(N) < 1 / 3):
        way = np.abs((np.arange(N) - target + N // 2) % N - N // 2)
        sources = np.flatnonzero(found[:, target])
        found[sources[way[sources].argmax()], target] = False
        free = np.flatnonzero(~found[:, target] & (way > 0))
        found[free[way[free].argmin()], target] = True
    return found


def in_pairs(found, random):
    """Every fifth target exchanges its first source for the neighbour of its last."""
    for target in np.flatnonzero(random.random(N) < 0.2):
        sources = np.flatnonzero(found[:, target])
        beside = sources[-1] - 1
        if beside not in sources and beside != target:
            found[[sources[0], beside], target] = False, True
    return found


FIXED = dense(FixedInDegreeConnectivity(k=K))
FEW = dense(FixedInDegreeConnectivity(k=8), 40, 40)
FIXED_CASES = {
    "in-degree: sets of 2 of 6": Case(
        of_all_subsets(6, 2), small_inputs(6, 2), {"next if taken": next_if_taken}
    ),
    "in-degree: sets of 4 of 6": Case(of_all_subsets(6, 4), small_inputs(6, 4)),
    "in-degree: sets of 2 of 6 others": Case(of_all_subsets(6, 2), small_recurrence(7, 2)),
    "in-degree: near and far": Case(
        of_near_and_far, FIXED, {"along the ring": changed(FIXED, along_the_ring)}
    ),
    "in-degree: first half": Case(
        of_first_half, FIXED, {"towards the first": changed(FIXED, towards_the_first)}
    ),
    "in-degree: runs": Case(of_source_runs, FIXED, {"in pairs": changed(FIXED, in_pairs)}),
    "in-degree: out-degrees": Case(
        of_source_degrees, FEW, {"towards the first": changed(FEW, towards_the_first)}
    ),
    "in-degree: out-degrees of k = 1": Case(
        of_multinomial_degrees,
        dense(FixedInDegreeConnectivity(k=1), 60, 600),
        {"by remainder": by_remainder},
    ),
}

CASES = RANDOM_CASES | FIXED_CASES


@right_cases(CASES)
def test_graphs(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_graphs_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_degrees_that_are_exact():
    for seed in range(10):
        assert (FIXED(seed).sum(axis=0) == K).all()
        assert not np.diag(FIXED(seed)).any()
        assert not np.diag(RANDOM(seed)).any()


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES))

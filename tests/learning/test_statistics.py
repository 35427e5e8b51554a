"""Differences: closed forms, another way of computing them, and how often they are wrong.

Experiments are made up with fixed seeds; each bound says how often fresh ones would break it.
"""

import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.statistics import holm, paired_difference, spread
from scipy import stats


def test_one_seed_has_no_spread():
    assert np.isnan(spread([0.8]).sd)
    assert str(spread([0.8])) == "0.800"
    with pytest.raises(ShapeError, match="at least one value"):
        spread([])


def design(n_seeds, n_persons, n_clips):
    """Seed, person and clip of every test, as splits give them: two persons for each seed."""
    cells = [
        (seed, (2 * seed + k) % n_persons, repeat)
        for seed in range(n_seeds)
        for k in (0, 1)
        for repeat in range(n_clips)
    ]
    seed, person, repeat = np.array(cells).T
    return {"seed": seed, "person": person, "clip": person * n_clips + repeat}


# Closed forms


@pytest.mark.parametrize("n_clips", [1, 3, 22])
@pytest.mark.parametrize("n_seeds", [5, 6, 12])
def test_of_persons_tested_once_it_is_the_t_interval_of_seeds(n_seeds, n_clips):
    where = design(n_seeds, 2 * n_seeds, n_clips)
    first, second = np.random.default_rng(n_seeds).random((2, 2 * n_seeds * n_clips))
    gap = paired_difference(first, second, **where)
    of_seeds = (first - second).reshape(n_seeds, -1).mean(axis=1)
    test = stats.ttest_1samp(of_seeds, 0.0)
    interval = test.confidence_interval(0.95)
    assert gap.mean == pytest.approx(of_seeds.mean())
    floor = 1 / gap.n_clips
    assert of_seeds.std(ddof=1) / n_seeds**0.5 > floor or n_clips == 1
    if n_clips > 1:
        assert (gap.low, gap.high, gap.p) == pytest.approx((*interval, test.pvalue))
    else:
        assert gap.standard_error >= floor


def test_each_seed_counts_the_same_whatever_it_was_tested_on():
    where = design(5, 10, 4)
    kept = np.arange(40) < 37
    first = np.random.default_rng(0).integers(0, 2, 40)
    gap = paired_difference(
        first[kept], np.zeros(37), **{name: part[kept] for name, part in where.items()}
    )
    means = [first[kept & (where["seed"] == seed)].mean() for seed in range(5)]
    assert gap.mean == pytest.approx(np.mean(means))


@pytest.mark.parametrize("shape", [(12, 6, 5), (7, 3, 5), (8, 12, 5), (9, 5, 8)])
def test_it_is_the_pigeonhole_bootstrap_less_what_that_counts_twice(shape):
    """Persons and seeds drawn again and again, with replacement, beside the closed form."""
    where, (n_seeds, n_persons, _) = design(*shape), shape
    random = np.random.default_rng(5)
    scores = random.normal(size=len(where["seed"]))
    scores += random.normal(size=n_seeds)[where["seed"]]
    scores += random.normal(size=n_persons)[where["person"]]
    gap = paired_difference(scores, np.zeros(len(scores)), **where)
    cells = np.zeros((n_persons, n_seeds))
    np.add.at(cells, (where["person"], where["seed"]), (scores - scores.mean()) / len(scores))

    n_drawn = 40_000
    persons = random.multinomial(n_persons, np.full(n_persons, 1 / n_persons), n_drawn)
    seeds = random.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), n_drawn)
    drawn = np.einsum("bp,ps,bs->b", persons, cells, seeds).var()
    of_persons, of_seeds = ((cells.sum(axis=axis) ** 2).sum() for axis in (1, 0))
    of_cells, n_cells = (cells**2).sum(), np.count_nonzero(cells)
    few_persons, few_seeds, few_cells = ((n - 1) / n for n in (n_persons, n_seeds, n_cells))
    # A product of weights has a standard error of up to 1.5 % of the variance; four of them.
    expected = few_seeds * of_persons + few_persons * of_seeds + of_cells
    assert drawn == pytest.approx(expected, rel=0.06)
    parts = of_persons / few_persons, of_seeds / few_seeds, of_cells / few_cells
    variance = max(parts[0] + parts[1] - parts[2], min(parts))
    assert gap.standard_error**2 == pytest.approx(variance)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 0.5])
def test_clips_that_all_agree_leave_an_interval(value):
    gap = paired_difference(np.full(60, value), np.zeros(60), **design(5, 10, 6))
    assert gap.high - gap.low == pytest.approx(2 * stats.t.ppf(0.975, 4) / 60)
    assert (gap.p <= 0.05) == (value != 0.0)


# Too few, and nonsense


@pytest.mark.parametrize("shape", [(1, 12, 3), (3, 12, 3), (4, 3, 3), (5, 2, 3), (30, 2, 3)])
def test_below_five_seeds_or_three_persons_nothing_is_said(shape):
    where = design(*shape)
    first = np.ones(len(where["seed"]))
    gap = paired_difference(first, np.zeros(len(first)), **where)
    assert not gap.is_judged
    assert gap.mean == 1.0
    assert np.isnan([gap.low, gap.high, gap.p, gap.standard_error, gap.smallest_seen()]).all()
    assert "no interval" in str(gap)


def test_persons_that_nobody_knows_leave_no_interval():
    where = design(6, 12, 3) | {"person": None}
    gap = paired_difference(np.ones(36), np.zeros(36), **where)
    assert (gap.n_persons, gap.is_judged) == (0, False)
    assert gap.to_dict()["n_seeds"] == 6


@pytest.mark.parametrize("name", ["second", "seed", "clip", "person"])
def test_lengths_must_fit(name):
    arrays = design(5, 10, 2) | {"first": np.ones(20), "second": np.ones(20)}
    with pytest.raises(ShapeError, match=r"\(19,\)"):
        paired_difference(**arrays | {name: arrays[name][1:]})
    with pytest.raises(ShapeError, match="at least 1"):
        paired_difference([], [], seed=[], clip=[], person=[])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_must_be_finite(value):
    first = np.where(np.arange(20) == 3, value, 1.0)
    with pytest.raises(ParameterError, match=f"finite; got {value} and 1.0 at 3"):
        paired_difference(first, np.ones(20), **design(5, 10, 2))


# Several comparisons


def test_holm_is_the_procedure_step_by_step():
    random = np.random.default_rng(0)
    for n in (1, 2, 7, 12):
        for _ in range(50):
            p = random.random(n) ** 4
            rejected = np.zeros(n, bool)
            for step, place in enumerate(np.argsort(p)):
                if p[place] > 0.05 / (n - step):
                    break
                rejected[place] = True
            assert ((holm(p) <= 0.05) == rejected).all()
    assert holm([]).size == 0


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_holm_takes_chances(value):
    with pytest.raises(ParameterError, match=r"p must be between 0 and 1; got .* at 1"):
        holm([0.5, value])


# How often it is wrong, and how often right


def experiment(random, where, n_systems, of_person, of_seed, better=0.0):
    """Right and wrong of each system on each clip; each has good and bad persons and seeds."""
    seed, person, clip = where["seed"], where["person"], where["clip"]
    ease = random.normal(1.2, 1.0, clip.max() + 1)[clip]
    ease = ease + random.normal(0, 0.5, person.max() + 1)[person]
    return np.array(
        [
            ease
            + better * (system == 0)
            + random.normal(0, of_person, person.max() + 1)[person]
            + random.normal(0, of_seed, seed.max() + 1)[seed]
            + random.logistic(0, 0.6, len(seed))
            > 0
            for system in range(n_systems)
        ],
        dtype=float,
    )


def resolved(right, where):
    """Which differences of the first system from the others stand after Holm's correction."""
    gaps = [paired_difference(right[0], other, **where) for other in right[1:]]
    return holm([gap.p for gap in gaps]) <= 0.05


SPREADS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4)]
N_EXPERIMENTS = 500


@pytest.mark.parametrize(("of_person", "of_seed"), SPREADS)
@pytest.mark.parametrize("shape", [(5, 12, 22), (5, 9, 10), (12, 6, 10), (8, 12, 10), (10, 3, 10)])
def test_without_a_difference_five_experiments_in_a_hundred_find_one(
    measure, shape, of_person, of_seed
):
    random, where = np.random.default_rng([*shape, int(10 * of_person)]), design(*shape)
    n_false = sum(
        resolved(experiment(random, where, 7, of_person, of_seed), where).any()
        for _ in range(N_EXPERIMENTS)
    )
    # At 5 %, more than 42 of 500 come in 0.03 % of all draws: 0.6 % for the twenty cases.
    measure("share of experiments with a false alarm", n_false / N_EXPERIMENTS)
    assert n_false <= 42
    if shape == (5, 12, 22):
        # Where each person is tested once the interval is exact: not much less than 5 % either
        # (Holm's bound leaves some of it, for the comparisons share a system).
        assert n_false >= 5


def test_the_spread_over_three_seeds_found_something_in_most():
    """The rule that this one replaces: beyond one sd of the seeds' differences."""
    random, where = np.random.default_rng(3), design(3, 12, 22)
    n_false = 0
    for _ in range(200):
        right = experiment(random, where, 7, 0.0, 0.0)
        gaps = (right[0] - right[1:]).reshape(6, 3, -1).mean(axis=2)
        n_false += (np.abs(gaps.mean(axis=1)) > gaps.std(axis=1, ddof=1)).any()
    assert n_false > 100


def test_a_large_difference_is_found_and_its_interval_holds_it():
    random, where = np.random.default_rng(4), design(6, 12, 22)
    found = [
        resolved(experiment(random, where, 4, 0.2, 0.2, better=1.5), where).mean()
        for _ in range(200)
    ]
    assert np.mean(found) > 0.8


@pytest.mark.parametrize("shape", [(5, 12, 22), (12, 6, 10)])
def test_what_would_have_been_seen_is_seen_four_times_in_five(shape):
    random, where = np.random.default_rng(6), design(*shape)
    pairs = [experiment(random, where, 2, 0.4, 0.4) for _ in range(800)]
    errors = [paired_difference(*pair, **where).smallest_seen() for pair in pairs]
    truth = np.mean(np.square(errors)) ** 0.5
    gaps = [paired_difference(first + truth, second, **where) for first, second in pairs]
    # 800 experiments: 0.8 within five standard errors of 1.4 %.
    assert np.mean([gap.p <= 0.05 for gap in gaps]) == pytest.approx(0.8, abs=0.07)
    covered = np.mean([gap.low <= truth <= gap.high for gap in gaps])
    assert covered == pytest.approx(0.95, abs=0.04)

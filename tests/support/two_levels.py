"""Two-level tests of random generators, with a rate of false alarms that is known.

A *claim* turns what a generator made of one seed into numbers that are independent and uniform on
(0, 1) if the generator follows its law. The transformation is exact:

- a value goes through the distribution function of its law;
- a count goes through that of its law too, and is then spread over its step by a random number
  of the test's own (`of_counts`, `of_choices`): a randomised p-value. Mid-p-values or chi-square
  statistics of counts would be uniform only nearly;
- dependent counts are taken one by one, each given those before it (`of_multinomial`).

Level 1 examines the numbers of each of `N_SEEDS` seeds. With normal scores q = Phi^-1(u) there
are three p-values, each exactly uniform: of Smirnov's one-sided distance (shape), of the sum of q
(mean; normal), and of the sum of q^2 (spread; chi-square). A single number is its own p-value.
They are one-sided, so that a deviation of the same sign at all seeds moves them together.

Level 2 examines the p-values of all seeds: whether they are uniform (Kolmogorov-Smirnov; twice
Smirnov's probability, which is exact but for an excess that vanishes where it is small), and
whether the most extreme, at either end, is too extreme for their number.

Across levels, all numbers together find the small deviation that all seeds share: by the sums of
all q and of all q^2; and, where all seeds give as many numbers, by the sums over seeds place by
place, where a neuron, a shell or a cell shows that is always preferred: the sum of their squares
(chi-square) and the largest of them. These laws are exact, too.

A case has up to 3 * 2 + 4 such examinations and shares `ALPHA` among them: a right generator
fails it with a probability of at most `ALPHA` when seeds are chosen. As they are fixed (0, 1, 2,
...), a test is deterministic; a failure is a finding and is not to be cured by other seeds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

ALPHA = 1e-6
N_SEEDS = 100
# Up to here Smirnov's law is computed exactly; beyond, where that is slow, to 5e-4. So much moves
# the rate of false alarms of level 2 by 5 % of itself: exp(4 * 100 * 0.27 * 5e-4).
LARGEST_EXACT = 256

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A claim, the generator that must fulfil it, and generators that must not."""

    claim: Callable[[Any, np.random.Generator], ArrayLike]
    right: Callable[[int], Any]
    wrong: dict[str, Callable[[int], Any]] = field(default_factory=dict)

    def complaints(self, generator: Callable[[int], Any], alpha: float = ALPHA) -> list[str]:
        """What speaks against the claim; empty for the right generator."""
        rows = [
            self.claim(generator(seed), np.random.default_rng([seed, 20_250_101]))
            for seed in range(N_SEEDS)
        ]
        return complaints([np.asarray(row, dtype=float).ravel() for row in rows], alpha)


def right_cases(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


def wrong_cases(cases: dict[str, Case]) -> pytest.MarkDecorator:
    pairs = {
        f"{name}: {fault}": (case, generator)
        for name, case in cases.items()
        for fault, generator in case.wrong.items()
    }
    return pytest.mark.parametrize(("case", "generator"), pairs.values(), ids=pairs)


def states_rate(doc: str, n_cases: int, n_more: int = 0) -> bool:
    """Whether a docstring has the number of cases, and the rate of false alarms of all tests."""
    text = " ".join(doc.split())
    rate = f"{(n_cases + n_more) * ALPHA:.1e}".replace("e-0", "e-")
    return f"{n_cases} cases at 1e-6 each" in text and f"at most {rate}." in text


# Levels


def complaints(rows: list[Numbers], alpha: float = ALPHA) -> list[str]:
    """What speaks against independent uniform numbers; each row is those of a seed."""
    scores = [normal_scores(row) for row in rows]
    examined = {
        f"{first}: {second} of {len(rows)} p-values": p
        for first, p_values in level_one(rows, scores).items()
        for second, p in level_two(p_values).items()
    }
    examined |= across_levels(scores)
    return [f"{name}, p = {p:.1e}" for name, p in examined.items() if not p * len(examined) > alpha]


def level_one(rows: list[Numbers], scores: list[Numbers]) -> dict[str, Numbers]:
    """P-values of each row of independent uniform numbers."""
    assert all(row.size for row in rows)
    if all(row.size == 1 for row in rows):
        return {"value": np.concatenate(rows)}
    n = np.array([row.size for row in rows])
    return {
        "shape": np.array([smirnov(row.size, above(row)) for row in rows]),
        "mean": special.ndtr(np.array([q.sum() for q in scores]) / np.sqrt(n)),
        "spread": special.chdtr(n, np.array([q @ q for q in scores])),
    }


def level_two(p_values: Numbers) -> dict[str, float]:
    """How surprising p-values are that should be independent and uniform."""
    n = p_values.size
    extreme = 2.0 * float(np.minimum(p_values, 1.0 - p_values).min())
    return {
        "distribution": min(1.0, 2.0 * float(special.smirnov(n, distance(p_values)))),
        "extreme": _of_least(extreme, n),
    }


def across_levels(scores: list[Numbers]) -> dict[str, float]:
    """How surprising the numbers of all seeds are together, and place by place."""
    together = np.concatenate(scores)
    n, squares = together.size, together @ together
    surprise = {
        "all: sum": 2.0 * special.ndtr(-abs(together.sum()) / math.sqrt(n)),
        "all: sum of squares": 2.0 * min(special.chdtr(n, squares), special.chdtrc(n, squares)),
    }
    if len({row.size for row in scores}) == 1 < scores[0].size:
        sums = np.sum(scores, axis=0) / math.sqrt(len(scores))
        surprise["places: sum of squares"] = special.chdtrc(sums.size, sums @ sums)
        surprise["places: largest"] = _of_least(2.0 * special.ndtr(-np.abs(sums).max()), sums.size)
    return {name: float(p) for name, p in surprise.items()}


def normal_scores(numbers: ArrayLike) -> Numbers:
    """Scores of uniform numbers; finite for 0 and 1, which a wrong generator may yield."""
    return special.ndtri(np.clip(numbers, 1e-300, 1.0 - 2.0**-53))


def distance_allowed(error: float, n: int, alpha: float = ALPHA) -> float:
    """`distance` of `n` p-values that a right generator exceeds with a probability of `alpha`.

    At most so, for p-values whose distribution function is within `error` of the uniform one
    (Dvoretzky, Kiefer & Wolfowitz 1956; Massart 1990).
    """
    return error + math.sqrt(math.log(2.0 / alpha) / (2.0 * n))


def smirnov(n: int, excess: float) -> float:
    """Probability that `above` of `n` numbers is greater; the formula is that of Maag & Dicaire."""
    if n <= LARGEST_EXACT:
        return float(special.smirnov(n, excess))
    return math.exp(-((6 * n * excess + 1) ** 2) / (18 * n))


def _of_least(p: float, n: int) -> float:
    """P-value of the least of `n` p-values."""
    return -math.expm1(n * math.log1p(-p)) if p < 1.0 else 1.0


def above(numbers: Numbers) -> float:
    """By how much the empirical distribution exceeds the uniform one at most (Smirnov)."""
    return float((np.arange(1, numbers.size + 1) / numbers.size - np.sort(numbers)).max())


def distance(numbers: Numbers) -> float:
    """Distance of the empirical distribution from the uniform one (Kolmogorov & Smirnov)."""
    return max(above(numbers), above(1.0 - numbers))


# From counts to uniform numbers


def of_counts(law: Any, counts: ArrayLike, draw: np.random.Generator) -> Numbers:
    """Independent counts of `law` (discrete, with `cdf`)."""
    counts = np.asarray(counts).astype(np.int64)
    below = law.cdf(counts - 1)
    return below + draw.random(counts.shape) * (law.cdf(counts) - below)


@dataclass(frozen=True)
class Binomial:
    """Law of the successes in n trials; making one costs less than `stats.binom`."""

    n: ArrayLike
    p: ArrayLike

    def cdf(self, counts: ArrayLike) -> Numbers:
        counts = np.asarray(counts)
        within = np.clip(counts, 0, self.n)
        return np.where(counts < 0, 0.0, special.bdtr(within, self.n, self.p))


@dataclass(frozen=True)
class Hypergeometric:
    """Law of the members of a part in a random subset of all; as `stats.hypergeom`."""

    everyone: ArrayLike
    part: ArrayLike
    subset: ArrayLike

    def cdf(self, counts: ArrayLike) -> Numbers:
        return stats.hypergeom.cdf(counts, self.everyone, self.part, self.subset)


def law_of_trials(p: ArrayLike) -> Numbers:
    """Probability of each number of successes in rows of trials with probabilities `p`."""
    p = np.asarray(p)
    n = p.shape[1]
    # Characteristic function of the number of successes, then back (Hong 2013).
    turns = np.exp(2j * np.pi * np.arange(n + 1) / (n + 1))
    products = np.prod(1.0 + p[:, None, :] * (turns[:, None] - 1.0), axis=2)
    law = np.clip(np.fft.fft(products, axis=1).real / (n + 1), 0.0, None)
    return law / law.sum(axis=1, keepdims=True)


def of_choices(p: ArrayLike, chosen: ArrayLike, draw: np.random.Generator) -> Numbers:
    """Independent choices, one a row of `p` (n, m); order the alternatives by what matters."""
    p, chosen = np.asarray(p), np.asarray(chosen)[:, None]
    own = np.take_along_axis(p, chosen, axis=1)
    below = np.take_along_axis(np.cumsum(p, axis=1), chosen, axis=1) - own
    return (below + draw.random(own.shape) * own).ravel()


def of_multinomial(p: ArrayLike, counts: ArrayLike, draw: np.random.Generator) -> Numbers:
    """Counts of the cells of one multinomial draw; the last cell follows from the others."""
    p, counts = np.asarray(p, dtype=float), np.asarray(counts)
    assert math.isclose(p.sum(), 1.0)
    left = counts.sum() - np.cumsum(counts) + counts
    share = p / np.cumsum(p[::-1])[::-1]
    return of_counts(Binomial(left[:-1], share[:-1]), counts[:-1], draw)


def of_groups(sizes: ArrayLike, counts: ArrayLike, draw: np.random.Generator) -> Numbers:
    """Members of each group in one random subset of all; the last group follows."""
    sizes, counts = np.asarray(sizes), np.asarray(counts)
    everyone = sizes.sum() - np.cumsum(sizes) + sizes
    chosen = counts.sum() - np.cumsum(counts) + counts
    law = Hypergeometric(everyone[:-1], sizes[:-1], chosen[:-1])
    return of_counts(law, counts[:-1], draw)


def of_runs(subset: NDArray[np.bool_], draw: np.random.Generator) -> Numbers:
    """Runs of neighbours in each row, a subset of which all of its size are equally likely."""
    n, k = subset.shape[1], subset.sum(axis=1)
    runs = subset[:, 0] + (subset[:, 1:] & ~subset[:, :-1]).sum(axis=1)
    # Gaps beside the chosen, of which there are n - k + 1, hold the runs; an empty subset has none.
    return of_counts(Hypergeometric(n, np.minimum(n - k + 1, n), k), runs, draw)


def of_rank(value: float, others: ArrayLike, draw: np.random.Generator) -> Numbers:
    """Rank of a value among values of an independent generator of the same law."""
    others = np.asarray(others)
    below, ties = (others < value).sum(), (others == value).sum()
    return (below + draw.random(1) * (ties + 1)) / (others.size + 1)


def of_regression(u: ArrayLike, covariates: ArrayLike) -> Numbers:
    """Uniform numbers that nothing in `covariates` (n_covariates, n) may predict.

    Normal scores are projected on the orthonormal span of the covariates, which the claim takes
    as given: independent and normal again, one for each covariate, given those before it.
    """
    basis, coefficients = np.linalg.qr(np.asarray(covariates, dtype=float).T)
    # The sign of a direction is arbitrary; that of its covariate makes it the same at all seeds.
    return special.ndtr(np.sign(np.diag(coefficients)) * (basis.T @ normal_scores(u)))

"""Neurons on a grid: how often each distance is connected, by kinds of source and target.

Two-level tests (`two_levels`): 4 cases at 1e-6 each: with fresh seeds a right generator would
fail somewhere in this file with a probability of at most 4.0e-6. With the fixed seeds it fails
always or never: a failure is a finding.

All pairs of the same distance and kinds have the same probability and are independent: their
number is binomial. A neuron's degrees are sums of trials with many probabilities, whose law is
computed.

Power: each `wrong` generator must fail, such as lambda off by 3 %, one C by 5 %, kinds in the
wrong order, or an exponent without its square.
"""

import numpy as np
from hrsnn_rs.description.connectivity import DistanceConnectivity
from two_levels import (
    Binomial,
    Case,
    law_of_trials,
    of_choices,
    of_counts,
    right_cases,
    states_rate,
    wrong_cases,
)

GRID, LAMBDA = (4, 5, 6), 2.0
N = 120
INHIBITORY = np.arange(N) % 5 == 2
C = {"c_ee": 0.3, "c_ei": 0.2, "c_ie": 0.4, "c_ii": 0.1}


def on_grid(mask=INHIBITORY, **options):
    arguments = {"grid": GRID, "lambda_": LAMBDA, **C, **options}
    rule = DistanceConnectivity(**arguments)

    def generate(seed):
        indptr, indices = rule.generate(N, N, seed, "graph", inhibitory=mask)
        found = np.zeros((N, N), dtype=bool)
        found[np.repeat(np.arange(N), np.diff(indptr)), indices] = True
        return found

    return generate


PLACES = np.stack(np.unravel_index(np.arange(N), GRID), axis=1)
SQUARES = ((PLACES[:, None] - PLACES) ** 2).sum(axis=2)
KINDS = 2 * INHIBITORY[:, None] + INHIBITORY
PROBABILITIES = np.array(list(C.values()))[KINDS] * np.exp(-SQUARES / LAMBDA**2)
np.fill_diagonal(PROBABILITIES, 0.0)


def of_shells(keys):
    """Synapses of each class of pairs; those of a class have the same probability."""
    pairs = ~np.eye(N, dtype=bool)
    number = np.unique(keys[pairs], return_inverse=True)[1]
    sizes = np.bincount(number)
    law = Binomial(sizes, np.bincount(number, weights=PROBABILITIES[pairs]) / sizes)
    return lambda found, draw: of_counts(law, np.bincount(number, weights=found[pairs]), draw)


def of_degrees(axis):
    """In-degrees (axis 0) or out-degrees (axis 1): trials with many probabilities."""
    law = law_of_trials(PROBABILITIES.T if axis == 0 else PROBABILITIES)
    return lambda found, draw: of_choices(law, found.sum(axis=axis), draw)


def lopsided(seed):
    """Every tenth synapse upwards is left out."""
    found = on_grid()(seed)
    upwards = PLACES[:, None, 2] < PLACES[:, 2]
    return found & ~(upwards & (np.random.default_rng(seed).random((N, N)) < 0.1))


def without_square(seed):
    p = PROBABILITIES * np.exp(SQUARES / LAMBDA**2 - np.sqrt(SQUARES) / LAMBDA)
    return np.random.default_rng(seed).random((N, N)) < p


def exact_out_degrees(seed):
    """As many targets as the mean, with the right probabilities but for that."""
    random = np.random.default_rng(seed)
    keys = np.log(-np.log(random.random((N, N)))) - np.log(np.maximum(PROBABILITIES, 1e-300))
    degrees = np.round(PROBABILITIES.sum(axis=1)).astype(int)
    return keys.argsort(axis=1).argsort(axis=1) < degrees[:, None]


UPWARDS = np.sign(PLACES[:, None, 2] - PLACES[:, 2])
CASES = {
    "shells": Case(
        of_shells(100 * KINDS + SQUARES),
        on_grid(),
        {
            "lambda 3 % more": on_grid(lambda_=1.03 * LAMBDA),
            "C of e to e 5 % more": on_grid(c_ee=0.315),
            "target kind first": on_grid(c_ei=C["c_ie"], c_ie=C["c_ei"]),
            "an exponent without its square": without_square,
            "2 in the exponent": on_grid(lambda_=np.sqrt(2.0) * LAMBDA),
        },
    ),
    "shells and sides": Case(
        of_shells(1000 * KINDS + 10 * SQUARES + UPWARDS), on_grid(), {"lopsided": lopsided}
    ),
    "in-degrees": Case(
        of_degrees(0), on_grid(), {"another neuron inhibitory": on_grid(np.arange(N) % 5 == 3)}
    ),
    "out-degrees": Case(of_degrees(1), on_grid(), {"exact": exact_out_degrees}),
}


@right_cases(CASES)
def test_grids(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_grids_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_no_neuron_reaches_itself():
    certain = on_grid(lambda_=1e6, c_ee=1.0, c_ei=1.0, c_ie=1.0, c_ii=1.0)
    assert (certain(0) == ~np.eye(N, dtype=bool)).all()


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES))

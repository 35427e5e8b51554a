"""Quantiles against SciPy's laws, and in tails where a share has no digits left."""

from dataclasses import fields

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.description.quantiles import is_positive, quantiles
from scipy import stats

Z = np.linspace(-3.0, 3.0, 13)


def of(law: hr.description.Distribution, log: bool = False) -> np.ndarray:
    values = {field.name: np.array([[getattr(law, field.name)]]) for field in fields(law)}
    return quantiles(type(law), values, Z, log=log)[0]


SIGMA = np.sqrt(np.log1p(0.25))
CASES = [
    (hr.Constant(3.0), np.full(13, 3.0)),
    (hr.Uniform(2.0, 6.0), stats.uniform(2.0, 4.0).ppf(stats.norm.cdf(Z))),
    (hr.LogUniform(2.0, 6.0), stats.loguniform(2.0, 6.0).ppf(stats.norm.cdf(Z))),
    (hr.Normal(-2.0, 3.0), -2.0 + 3.0 * Z),
    (hr.Gamma(20.0, 3.0), stats.gamma(3.0, scale=20.0 / 3.0).ppf(stats.norm.cdf(Z))),
    (hr.LogNormal(20.0, 10.0), np.exp(np.log(20.0) - 0.5 * SIGMA**2 + SIGMA * Z)),
    (
        hr.Normal(0.0, 1.0, low=-1.0, high=2.0),
        stats.truncnorm(-1.0, 2.0).ppf(stats.norm.cdf(Z)),
    ),
]


# Both are roots found to some 1e-12; shares near 1 have 1e-13 of the tail that is 1e-3.
@pytest.mark.parametrize(("law", "wanted"), CASES, ids=lambda one: str(one)[:40])
def test_quantiles_are_those_of_the_law(law, wanted):
    np.testing.assert_allclose(of(law), wanted, rtol=1e-9)
    if is_positive(law):
        np.testing.assert_allclose(of(law, log=True), np.log(wanted), rtol=1e-9)


@pytest.mark.parametrize(
    "law",
    [
        hr.Gamma(20.0, 3.0, low=5.0, high=60.0),
        hr.Gamma(20.0, 3.0, low=30.0),
        hr.LogNormal(20.0, 10.0, high=25.0),
        hr.Normal(20.0, 10.0, low=5.0),
    ],
    ids=str,
)
def test_quantiles_of_truncated_laws_are_those_of_what_is_drawn(law):
    drawn = law.sample_each(200_000, seed=7, purpose="test")
    share = stats.norm.cdf(Z)
    # The spread of a share of n values is at most sqrt(1 / 4 n): 5 of them.
    below = (drawn[:, None] < of(law)).mean(axis=0)
    np.testing.assert_allclose(below, share, atol=5 * np.sqrt(0.25 / drawn.size))


def test_an_upper_tail_has_all_its_digits():
    far = {"mean": np.array([[1.0]]), "shape": np.array([[1.0]])}
    far |= {"low": np.array([[None]]), "high": np.array([[None]])}
    z = np.array([9.0])
    found = quantiles(hr.Gamma, far, z, log=False)[0, 0]
    # Of an exponential law: minus the logarithm of the share above, which 1 - share would lose.
    assert found == pytest.approx(-stats.norm.logsf(9.0), rel=1e-12)


@pytest.mark.parametrize(
    ("law", "positive"),
    [
        (hr.Constant(0.0), False),
        (hr.Constant(1.0), True),
        (hr.Uniform(0.0, 1.0), False),
        (hr.Uniform(0.5, 1.0), True),
        (hr.LogUniform(0.5, 1.0), True),
        (hr.Normal(5.0, 1.0), False),
        (hr.Normal(5.0, 1.0, low=0.1), True),
        (hr.Gamma(5.0), True),
        (hr.LogNormal(5.0, 1.0), True),
    ],
    ids=str,
)
def test_which_laws_have_logarithms(law, positive):
    assert is_positive(law) is positive

"""The kernel: positive definite, its gradient, its closed form; and what is believed."""

import numpy as np
import pytest
from hrsnn_rs import Gamma
from hrsnn_rs.search import LawRange, NumberRange, SearchSpace, WassersteinMatern, wasserstein
from hrsnn_rs.search.process import Belief
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import norm

SPACE = SearchSpace(
    {
        "tau_m": LawRange(Gamma, mean=(5.0, 200.0), shape=(0.3, 50.0), log=True),
        "a_plus": LawRange(Gamma, mean=(0.001, 0.1), shape=(0.3, 50.0)),
        "w": NumberRange(0.01, 0.2),
    }
)


def lowest_eigenvalue(K: np.ndarray) -> float:
    assert np.array_equal(K, K.T)
    return float(np.linalg.eigvalsh(K)[0])


def test_it_is_positive_definite_on_ten_thousand_sets_of_laws(measure):
    random, n = np.random.default_rng(7), 12
    pool = SPACE.embedded(random.random((3000, 5)))
    ends = np.cumsum(SPACE.widths)
    lowest = []
    for _ in range(10_000):
        # Each parameter's laws are picked apart from the others'.
        picks = random.integers(0, len(pool), (3, n))
        blocks = [pool[pick, end - width : end]
                  for pick, width, end in zip(picks, SPACE.widths, ends, strict=True)]  # fmt: skip
        scale = np.exp(random.uniform(np.log(0.05), np.log(50.0), 3))
        lowest.append(lowest_eigenvalue(WassersteinMatern(scale, SPACE.widths)(np.hstack(blocks))))
    measure("minus the lowest eigenvalue", -min(lowest))
    # Distances come from products of matrices, right to some 1e-15 of the squares that they hold.
    assert min(lowest) > -1e-12


def test_a_function_of_distance_that_is_no_kernel_is_seen():
    x = np.linspace(0.0, 1.0, 8)
    assert lowest_eigenvalue(np.exp(-9.0 * np.abs(x[:, None] - x) ** 2.5)) < -1e-3


def test_it_is_the_formula():
    laws = [Gamma(20.0, 3.0), Gamma(60.0, 9.0)], [Gamma(0.01, 3.0), Gamma(0.02, 1.0)]
    numbers = [{"tau_m.mean": a.mean, "tau_m.shape": a.shape, "a_plus.mean": b.mean,
                "a_plus.shape": b.shape, "w": w}
               for a, b, w in zip(*laws, (0.1, 0.15), strict=True)]  # fmt: skip
    places = SPACE.embedded(np.stack([SPACE.shares(one) for one in numbers]))
    scale = np.array([0.7, 1.3, 2.0])
    distances = [
        wasserstein(*laws[0], log=True), wasserstein(*laws[1]), (0.15 - 0.1) / (0.2 - 0.01)
    ]  # fmt: skip
    typical = np.array(distances) / np.array(SPACE._scales) / scale
    d = np.sqrt((typical**2).sum())
    wanted = (1.0 + np.sqrt(5.0) * d + 5.0 / 3.0 * d**2) * np.exp(-np.sqrt(5.0) * d)
    assert WassersteinMatern(scale, SPACE.widths)(places)[0, 1] == pytest.approx(wanted, rel=1e-9)


def test_its_gradient_is_that_of_differences():
    places = SPACE.embedded(np.random.default_rng(7).random((6, 5)))
    kernel = WassersteinMatern(np.array([0.7, 1.3, 2.0]), SPACE.widths)
    _, gradient = kernel(places, eval_gradient=True)
    for i, j in ((0, 1), (2, 5), (3, 3)):
        wanted = approx_fprime(
            kernel.theta, lambda theta, i=i, j=j: kernel.clone_with_theta(theta)(places)[i, j], 1e-6
        )
        # Differences of step 1e-6 are right to some 1e-6.
        np.testing.assert_allclose(gradient[i, j], wanted, atol=1e-5)


def test_it_is_a_kernel_of_scikit_learn():
    kernel = WassersteinMatern(np.ones(3), SPACE.widths)
    assert kernel.n_dims == 3
    assert kernel.is_stationary()
    places = SPACE.embedded(np.random.default_rng(7).random((4, 5)))
    np.testing.assert_array_equal(np.diag(kernel(places)), kernel.diag(places))
    assert kernel.clone_with_theta(np.log([1.0, 2.0, 3.0])).length_scale.tolist() == pytest.approx(
        [1.0, 2.0, 3.0]
    )


def belief(n: int = 25) -> tuple[Belief, np.ndarray, np.ndarray]:
    shares = np.random.default_rng(7).random((n, 5))
    places = SPACE.embedded(shares)
    values = -((shares[:, 0] - 0.4) ** 2)
    return Belief(places, values, SPACE.widths, seed=0), places, values


def test_expected_improvement_is_its_integral():
    given, *_ = belief()
    places = SPACE.embedded(np.random.default_rng(8).random((5, 5)))
    found = given.expected_improvement(places)
    best = given._process.predict(given._places).max()
    mean, std = given._process.predict(places, return_std=True)
    std = np.sqrt(std**2 - given._process.kernel_.k2.noise_level)
    for gain, m, s in zip(found, mean, std, strict=True):
        wanted, _ = quad(lambda y, m=m, s=s: (y - best) * norm.pdf(y, m, s), best, m + 12 * s)
        assert gain == pytest.approx(max(wanted, 0.0), abs=1e-9)


def test_where_others_are_trying_less_is_expected():
    given, *_ = belief()
    candidates = SPACE.embedded(np.random.default_rng(9).random((200, 5)))
    gains = given.expected_improvement(candidates)
    best = int(np.argmax(gains))
    after = given.with_running(candidates[best : best + 1]).expected_improvement(candidates)
    assert after[best] < 0.5 * gains[best]


def test_equal_values_are_no_nonsense():
    places = SPACE.embedded(np.random.default_rng(7).random((5, 5)))
    gains = Belief(places, np.ones(5), SPACE.widths, seed=0).expected_improvement(places)
    assert np.isfinite(gains).all()

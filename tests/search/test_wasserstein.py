"""The distance of laws against its closed forms."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.search import embedded, wasserstein


# The rule's error falls faster than any power of its step.
@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0, 12.0, 400.0])
@pytest.mark.parametrize(("first", "second"), [(20.0, 30.0), (1.0, 500.0)])
def test_gamma_laws_of_equal_shape(shape, first, second, measure):
    scales = first / shape, second / shape
    wanted = abs(scales[0] - scales[1]) * np.sqrt(shape * (shape + 1.0))
    found = wasserstein(hr.Gamma(first, shape), hr.Gamma(second, shape))
    measure("relative error", abs(found / wanted - 1.0))
    assert found == pytest.approx(wanted, rel=1e-9)


def test_normal_laws():
    found = wasserstein(hr.Normal(1.0, 2.0), hr.Normal(-3.0, 5.0))
    assert found == pytest.approx(5.0, rel=1e-9)  # sqrt(4**2 + 3**2)


def test_uniform_laws():
    # Middles 2 and 7, widths 2 and 8: sqrt(25 + 36 / 12).
    assert wasserstein(hr.Uniform(1.0, 3.0), hr.Uniform(3.0, 11.0)) == pytest.approx(
        np.sqrt(28.0), rel=1e-9
    )


def test_a_law_and_a_constant():
    # The second moment about the constant: variance and squared difference of the means.
    assert wasserstein(hr.Gamma(20.0, 4.0), hr.Constant(15.0)) == pytest.approx(
        np.sqrt(20.0**2 / 4.0 + 5.0**2), rel=1e-9
    )


def test_log_normal_laws_by_their_logarithms():
    sigma = [np.sqrt(np.log1p((std / mean) ** 2)) for mean, std in ((20.0, 10.0), (50.0, 5.0))]
    middle = [np.log(mean) - 0.5 * s**2 for mean, s in zip((20.0, 50.0), sigma, strict=True)]
    found = wasserstein(hr.LogNormal(20.0, 10.0), hr.LogNormal(50.0, 5.0), log=True)
    assert found == pytest.approx(np.hypot(np.diff(middle)[0], np.diff(sigma)[0]), rel=1e-9)


def test_by_logarithms_a_factor_is_its_logarithm():
    found = wasserstein(hr.Gamma(20.0, 3.0), hr.Gamma(60.0, 3.0), log=True)
    assert found == pytest.approx(np.log(3.0), rel=1e-9)


def test_laws_of_different_kinds_against_drawn_values():
    laws = hr.Gamma(20.0, 3.0), hr.Uniform(5.0, 50.0)
    drawn = [np.sort(law.sample_each(400_000, 7, "test")) for law in laws]
    # Of sorted values of two laws the distance is that of the laws but for some 1 / sqrt(n).
    assert wasserstein(*laws) == pytest.approx(
        np.sqrt(((drawn[0] - drawn[1]) ** 2).mean()), rel=0.01
    )


def test_it_is_a_distance():
    laws = [hr.Gamma(20.0, 3.0), hr.LogNormal(30.0, 4.0), hr.Uniform(1.0, 9.0), hr.Normal(0.0, 1.0)]
    for a in laws:
        assert wasserstein(a, a) == 0.0
        for b in laws:
            assert wasserstein(a, b) == wasserstein(b, a)
            for c in laws:
                assert wasserstein(a, c) <= wasserstein(a, b) + wasserstein(b, c) + 1e-12


def test_truncation_counts():
    assert wasserstein(hr.Gamma(20.0, 3.0), hr.Gamma(20.0, 3.0, low=10.0)) > 1.0


def test_a_law_with_nearly_all_its_mass_at_zero_has_a_place():
    assert np.isfinite(embedded(hr.Gamma(1.0, 0.01), log=True)).all()


@pytest.mark.parametrize("law", [None, 3.0, "gamma", hr.Gamma])
def test_what_is_no_law_is_refused(law):
    with pytest.raises(ParameterError, match="second must be of type Distribution; got"):
        wasserstein(hr.Gamma(1.0), law)


@pytest.mark.parametrize("law", [hr.Normal(5.0, 1.0), hr.Uniform(0.0, 1.0), hr.Constant(-1.0)])
def test_logarithms_of_what_has_none_are_refused(law):
    with pytest.raises(ParameterError, match="log must be False where values may be 0"):
        wasserstein(hr.Gamma(1.0), law, log=True)
    with pytest.raises(ParameterError, match="log must be True or False"):
        wasserstein(hr.Gamma(1.0), law, log=1)

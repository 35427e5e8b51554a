"""Spaces of laws: flat numbers, points and places, and what is refused."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.search import LawRange, NumberRange, SearchSpace, wasserstein


def space() -> SearchSpace:
    return SearchSpace(
        {
            "tau_m": LawRange(hr.Gamma, mean=(5.0, 200.0), shape=(1.0, 50.0), log=True),
            "delay": LawRange(hr.Uniform, low=1.0, high=(2.0, 400.0)),
            "w": NumberRange(0.01, 0.2, log=True),
        }
    )


def test_a_study_keeps_flat_numbers():
    assert list(space().numbers) == ["tau_m.mean", "tau_m.shape", "delay.high", "w"]
    numbers = {"tau_m.mean": 20.0, "tau_m.shape": 3.0, "delay.high": 9.0, "w": 0.1}
    point = space().point(numbers)
    assert point == {"tau_m": hr.Gamma(20.0, 3.0), "delay": hr.Uniform(1.0, 9.0), "w": 0.1}
    assert space().numbers_of(point) == numbers


def test_numbers_and_shares_are_each_other():
    shares = np.array([0.0, 1.0, 0.25, 0.5])
    numbers = space().numbers_at(shares)
    assert numbers == pytest.approx(
        {"tau_m.mean": 5.0, "tau_m.shape": 50.0, "delay.high": 101.5, "w": np.sqrt(0.01 * 0.2)}
    )
    np.testing.assert_allclose(space().shares(numbers), shares, atol=1e-12)


def test_optuna_has_the_same_ranges():
    for name, one in space().distributions().items():
        mine = space().numbers[name]
        assert (one.low, one.high, one.log) == (mine.low, mine.high, mine.log)


def test_distances_of_places_are_those_of_the_laws():
    rows = np.random.default_rng(7).random((20, 4))
    given = space()
    places = given.embedded(rows)
    points = [given.point(given.numbers_at(row)) for row in rows]
    begin = 0
    for (name, one), width in zip(given.ranges.items(), given.widths, strict=True):
        found = [np.linalg.norm(place[begin : begin + width] - places[0, begin : begin + width])
                 for place in places]  # fmt: skip
        if isinstance(one, LawRange):
            wanted = [wasserstein(point[name], points[0][name], log=one.log) for point in points]
        else:
            wanted = np.abs(rows[:, 3] - rows[0, 3])
        # Places are in typical distances: one factor for all.
        factor = found[1] / wanted[1]
        np.testing.assert_allclose(found, np.asarray(wanted) * factor, rtol=1e-9, atol=1e-12)
        begin += width


def test_laws_and_numbers_have_alike_typical_distances():
    places = space().embedded(np.random.default_rng(7).random((4000, 4)))
    ends = np.cumsum(space().widths)
    for begin, end in zip(ends - space().widths, ends, strict=True):
        # Twice the variance is the mean squared distance: 1, but for what 256 points miss.
        assert 2.0 * places[:, begin:end].var(axis=0).sum() == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(
    ("low", "high", "log", "message"),
    [
        (1.0, 1.0, False, "high must be greater than low"),
        (0.0, 1.0, True, "low must be greater than 0"),
        (float("nan"), 1.0, False, "low must be a finite number"),
        (0.0, float("inf"), False, "high must be greater than low"),
        (-1.7e308, 1.7e308, False, "high must be within"),
        (None, 1.0, False, "low must be a finite number"),
        (0.0, 1.0, "yes", "log must be True or False"),
    ],
)
def test_ranges_that_are_none_are_refused(low, high, log, message):
    with pytest.raises(ParameterError, match=message):
        NumberRange(low, high, log=log)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"law": 3}, "law must be a kind of Distribution"),
        ({"law": hr.Gamma(1.0)}, "law must be a kind of Distribution"),
        ({"law": hr.Gamma, "mean": 3.0}, "must have an argument to search"),
        ({"law": hr.Gamma, "rate": (1.0, 2.0)}, "Gamma has no argument rate"),
        ({"law": hr.Gamma, "mean": (1.0, 2.0, 3.0)}, "mean must be a number or a pair"),
        ({"law": hr.Gamma, "mean": (2.0, 1.0)}, "mean: high must be greater than low"),
        ({"law": hr.Gamma, "mean": (-1.0, 1.0)}, "mean must be greater than 0"),
        ({"law": hr.Gamma, "shape": (1.0, 2.0)}, "mean"),
        ({"law": hr.Uniform, "low": (1.0, 5.0), "high": (4.0, 9.0)}, "high must be greater"),
        ({"law": hr.Normal, "mean": (1.0, 5.0), "std": 1.0, "log": True}, "log must be False"),
        ({"law": hr.Gamma, "mean": (1.0, 5.0), "log": 1}, "log must be True or False"),
    ],
)
def test_laws_that_are_none_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        LawRange(**arguments)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "at least one range"),
        (3, "ranges must be a mapping"),
        ({"a.b": NumberRange(0.0, 1.0)}, "names without a dot; got 'a.b'"),
        ({"a": (0.0, 1.0)}, "ranges must be LawRange or NumberRange"),
    ],
)
def test_spaces_that_are_none_are_refused(ranges, message):
    with pytest.raises(ParameterError, match=message):
        SearchSpace(ranges)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": 0.3}, r"w must be in \[0.01, 0.2\]; got 0.3"),
        ({"w": float("nan")}, "w must be a finite number; got nan"),
        ({"v": 0.1}, "numbers must be of tau_m.mean, .*; see 'v'"),
    ],
)
def test_numbers_outside_are_refused(change, message):
    good = space().numbers_at(np.full(4, 0.5))
    with pytest.raises(ParameterError, match=message):
        space().point({**good, **change})
    del good["w"]
    with pytest.raises(ParameterError, match="see 'w'"):
        space().point(good)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tau_m": 20.0}, "tau_m must be a Gamma; got 20.0"),
        ({"tau_m": hr.Gamma(3.0)}, "tau_m.mean must be in"),
        ({"tau_m": hr.Gamma(20.0, low=1.0)}, "point must lie in the space"),
        ({"delay": hr.Uniform(1.5, 9.0)}, "point must lie in the space"),
        ({"w": None}, "w must be a finite number"),
    ],
)
def test_points_outside_are_refused(change, message):
    good = {"tau_m": hr.Gamma(20.0), "delay": hr.Uniform(1.0, 9.0), "w": 0.1}
    with pytest.raises(ParameterError, match=message):
        space().numbers_of({**good, **change})

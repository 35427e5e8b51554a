"""Competition as it is described: what is kept, and what is refused by name."""

import re

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.description.competition import NO_GROUP, resolve_groups


@pytest.mark.parametrize(
    ("groups", "n", "resolved"),
    [
        (1, 3, [0, 1, 2]),
        (2, 4, [0, 0, 1, 1]),
        ([5, 5, -1, 2], 4, [5, 5, NO_GROUP, 2]),
        (np.array([0, 0], np.uint8), 2, [0, 0]),
    ],
)
def test_groups_are_those_that_were_given(groups, n, resolved):
    assert resolve_groups(hr.Competition(groups), n).tolist() == resolved


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"groups": 0}, hr.ParameterError, "groups must be at least 1; got 0."),
        ({"groups": 2.5}, hr.ParameterError, "groups must be a whole number; got 2.5."),
        ({"groups": [0, -2]}, hr.ParameterError, "groups must be -1 (none) or at least 0; got -2"),
        ({"groups": [0.0, 1.0]}, hr.ParameterError, "groups must hold whole numbers; got dtype"),
        ({"groups": [[1]]}, hr.ShapeError, "groups must have 1 dimension; got shape (1, 1)."),
        (
            {"inhibition": 0.0},
            hr.ParameterError,
            "inhibition must be greater than 0 and at most 1e15 mV",
        ),
        (
            {"inhibition": np.nan},
            hr.ParameterError,
            "inhibition must be greater than 0 and",
        ),
        ({"hold": -1.0}, hr.ParameterError, "hold must be in [0, 2147483.648] ms; got -1.0."),
        ({"hold": np.inf}, hr.ParameterError, "hold must be in [0, 2147483.648] ms; got inf."),
    ],
)
def test_nonsense_is_refused(arguments, error, words):
    with pytest.raises(error, match="^" + re.escape(words)):
        hr.Competition(**{"groups": 2} | arguments)


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        (3, hr.ParameterError, "groups must divide the number of neurons, 4; got 3."),
        ([0, 0, 1], hr.ShapeError, "groups must have length 4; got shape (3,)."),
        ([0, 1, 0, 1], hr.ParameterError, "group"),
    ],
)
def test_groups_that_do_not_fit_a_network_are_refused(groups, error, words):
    with pytest.raises(error, match=re.escape(words)):
        hr.Network(2, 4, competition=hr.Competition(groups))


def test_what_is_described_is_what_is_made_again():
    for groups in (2, [0, 0, -1]):
        described = hr.Competition(groups, inhibition=2.0, hold=3.0).to_dict()
        assert hr.Competition.from_dict(described).to_dict() == described

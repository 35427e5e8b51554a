"""Rules of connectivity there and back: the same graph, weights and delays."""

import json

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.rules import RULES, rule_from_dict, rule_to_dict
from hrsnn_rs.errors import ParameterError

EXAMPLES = [
    hr.RandomConnectivity(p=0.4, weight=hr.Gamma(mean=0.1, shape=3.0), delay=np.float64(2.5)),
    hr.FixedInDegreeConnectivity(k=np.int64(3), delay=hr.Uniform(1.0, 7.0)),
    hr.OneToOneConnectivity(weight=np.arange(12) / 7.0),
    hr.SmallWorldConnectivity(k=4, p_rewire=0.25),
    hr.DistanceConnectivity(grid=(2, 2, 3), lambda_=1.5, c_ei=0.9),
    hr.LocalRecurrence(sensor=(3, 2), k=5),
    hr.LocalConnectivity(sensor=(3, 2), polarities=2, k=2, negative=0.5),
]


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: type(rule).__name__)
def test_rules_survive_json(rule):
    again = rule_from_dict(json.loads(json.dumps(rule_to_dict(rule), allow_nan=False)))
    assert type(again) is type(rule)
    assert repr(again) == repr(rule)
    one, other = (of.generate(12, 12, 5, "recurrent") for of in (rule, again))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    n = one[1].size
    for name in ("weight", "delay"):
        values = [getattr(of, name) for of in (rule, again)]
        if isinstance(values[0], Distribution):
            values = [law.sample(np.array([0, n]), 3, "x") for law in values]
        assert np.array_equal(*values) if values[0] is not None else values[1] is None


def test_each_rule_has_an_example():
    assert {type(rule) for rule in EXAMPLES} == set(RULES)


def test_planes_may_be_left_open():
    for rule in (hr.LocalRecurrence(), hr.LocalConnectivity(k=3)):
        assert rule_from_dict(rule_to_dict(rule)).sensor is None
        for ask in (lambda r: r.generate(4, 4, 1, "x"), lambda r: r.positions(4, 1)):
            with pytest.raises(ParameterError, match=r"^sensor must be \(height, width\) here"):
                ask(rule)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "kind must be one of Dist.*; got None"),
        ({"kind": "Matrix"}, "kind must be one of .*; got 'Matrix'"),
        ({"kind": ["p"]}, "kind must be one of"),
        ({"kind": "RandomConnectivity", "q": 1}, "RandomConnectivity has the arguments p, .*'q'"),
        ({"kind": "RandomConnectivity", "p": 2.0}, "p must be"),
        ([], "content must be"),
    ],
)
def test_nonsense_is_refused(content, message):
    with pytest.raises(ParameterError, match=message):
        rule_from_dict(content)


def test_matrices_are_no_rules():
    matrix = hr.ExplicitConnectivity(sp.csr_array(np.eye(3)))
    with pytest.raises(ParameterError, match="rule must be one of"):
        rule_to_dict(matrix)

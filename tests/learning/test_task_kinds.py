import pytest
from hrsnn_rs.description import Constant
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import measure_kinds, outcome
from hrsnn_rs.learning.task_kinds import KINDS

SMALL = {"n_neurons": 12, "n_samples": 2, "n_threads": 1}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "membrane time constants"])
def test_the_value_that_all_others_have_is_one_network_for_every_kind(kind):
    """Each kind is set where it belongs: at its usual value nothing differs from another kind."""
    usual = {"input delays": "0 ms", "refractory periods": "2 ms", "biases": "0 mV"}
    usual |= {"thresholds": "15 mV", "input weights": "Gamma 1 mV"}
    rows = measure_kinds([1], kinds=[kind, "thresholds"], **SMALL)
    gains = dict(rows.filter(condition=kind).select("system", "gain").iter_rows())
    expected = rows.filter(system="15 mV")["gain"][0]
    assert gains[usual[kind]] == expected
    others = [gain for name, gain in gains.items() if name != usual[kind]]
    # A delay of 80 ms for all may leave the spikes of all calibration samples as they are.
    assert len({*others, expected}) >= len(others) + (kind != "input delays")


def test_each_kind_has_a_control_and_a_law():
    rows = measure_kinds([0], kinds=["thresholds", "input weights"], **SMALL)
    assert outcome(rows)["condition"].to_list() == ["thresholds", "input weights"]
    for systems in KINDS.values():
        assert {isinstance(law, Constant) for law in systems.values()} == {True, False}


def test_unknown_kinds_are_refused():
    with pytest.raises(ParameterError, match=r"kinds\[1\] must be one of .*; got 'colour'\."):
        measure_kinds([0], kinds=["thresholds", "colour"])

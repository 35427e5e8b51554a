import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import TASK_SCHEMA, measure_balance, useful_ranges
from hrsnn_rs.learning.task_balance import RULES, plasticity
from scipy import stats

BALANCES = np.geomspace(0.25, 4.0, 9)


def made_rows(curves, untrained=1.0):
    """Rows of one rule or two; a curve gives rate and memory for a balance, one for each seed."""
    cells = []
    for seed in range(len(next(iter(curves.values())))):
        cells.append(("untrained", "untrained", seed, 4.0, untrained))
        for system, curve in curves.items():
            cells += [(f"{b:.6f}", system, seed, *curve[seed](b)) for b in BALANCES]
    names = ("condition", "system", "seed", "rate", "score")
    rows = [dict(zip(names, cell, strict=True)) for cell in cells]
    return pl.DataFrame(rows, schema=TASK_SCHEMA)


def falling(begin, end):
    """Rate is 8 Hz at `begin` and falls as 1/b; memory is 1 at `end` and falls with ln(b)."""
    return lambda b: (8.0 * begin / b, 1.0 + np.log(end / b))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("balance", [0.3, 1.0, 3.0])
def test_balance_and_strength_are_those_at_the_first_weights(rule, balance):
    stdp = plasticity(rule, balance)
    mean = {
        name: getattr(value, "mean", value)
        for name in ("a_plus", "a_minus", "tau_plus", "tau_minus")
        for value in [getattr(stdp, name)]
    }
    first = 0.75
    up = mean["a_plus"] * (stdp.w_max - first) ** stdp.mu_plus
    down = mean["a_minus"] * first**stdp.mu_minus
    assert up == pytest.approx(0.05)
    assert down * mean["tau_minus"] / (up * mean["tau_plus"]) == pytest.approx(balance)


def test_widths_are_paired_by_seed():
    one = [falling(1.0, 1.2), falling(1.0, 1.3), falling(0.9, 1.3)]
    own = [falling(1.0, 2.4), falling(1.1, 2.6), falling(0.9, 2.0)]
    table = useful_ranges(made_rows({RULES[0]: one, RULES[1]: own}))
    expected = np.log([[1.2, 1.3, 1.3 / 0.9], [2.4, 2.6 / 1.1, 2.0 / 0.9]])
    # Places are a 4000th of ln 16 apart, and each end is off by one at most.
    near = {"abs": 2 * np.log(16.0) / 4000}
    assert np.array(table["widths"].to_list()) == pytest.approx(expected, **near)
    assert table["begin"][1] == pytest.approx(0.99 ** (1 / 3), **near)
    gaps = expected[1] - expected[0]
    interval = stats.ttest_1samp(gaps, 0.0).confidence_interval()
    found = [table[name][1] for name in ("difference", "low", "high")]
    assert found == pytest.approx([gaps.mean(), *interval], abs=0.01)


def test_one_rule_is_the_control_wherever_it_stands():
    rows = made_rows({RULES[2]: [falling(0.5, 2.0)] * 2, RULES[0]: [falling(1.0, 2.0)] * 2})
    table = useful_ranges(rows)
    assert table["system"].to_list() == [RULES[0], RULES[2]]
    assert table["difference"].to_list() == pytest.approx([0.0, np.log(2.0)], abs=0.002)


def test_the_order_in_which_balances_were_asked_for_says_nothing():
    rows = made_rows({RULES[0]: [falling(1.0, 2.0), falling(0.9, 1.5)]})
    table = useful_ranges(rows.sample(fraction=1.0, shuffle=True, seed=2))
    again = useful_ranges(rows).row(0, named=True)
    found = table.row(0, named=True)
    assert sorted(found.pop("widths")) == sorted(again.pop("widths"))
    assert list(found.values()) == pytest.approx(list(again.values()), nan_ok=True)


def test_silent_networks_are_of_no_use_however_much_they_remember():
    rows = made_rows({RULES[0]: [lambda b: (1.9, 5.0)], RULES[1]: [lambda b: (8.1, 5.0)]})
    table = useful_ranges(rows)
    assert table["width"].to_list() == [0.0, 0.0]
    assert table["begin"].to_list() == [None, None]


def test_without_an_untrained_network_nothing_is_of_use():
    rows = made_rows({RULES[0]: [falling(1.0, 2.0)]}, untrained=None)
    assert useful_ranges(rows)["width"].to_list() == [0.0]


def test_each_rule_learns_in_its_own_way_and_below_the_limit_soft_bounds_alone():
    rows = measure_balance([3], balances=[0.5, 1.0], n_neurons=12, n_samples=400)
    assert rows.select("condition", "system").rows() == [
        ("untrained", "untrained"),
        ("0.5", RULES[2]),
        *(("1", rule) for rule in RULES),
    ]
    assert rows["rate"][0] == pytest.approx(4.0, rel=0.25)
    assert rows["rate"].n_unique() == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balances": [1.0, 0.0]}, r"balances\[1\] must be greater than 0; got 0\.0\."),
        ({"n_samples": 399}, r"n_samples must be at least 400; got 399\."),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ParameterError, match=message):
        measure_balance([0], **options)


def test_no_rows():
    with pytest.raises(ShapeError, match="at least one row"):
        useful_ranges(pl.DataFrame(schema=TASK_SCHEMA))

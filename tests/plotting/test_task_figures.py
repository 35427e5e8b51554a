import io

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import TASK_SCHEMA, predict_interval, run_task
from hrsnn_rs.learning.task_interval import CONDITIONS
from hrsnn_rs.plotting import balance_outcome, task_gains, task_outcome

pytest.importorskip("matplotlib")


def toy(conditions, lags=False):
    def prepare(condition, seed):
        random = np.random.default_rng([len(condition), seed])

        def measure(law):
            return {"score": random.random(), "by_lag": [0.5, 0.25] if lags else None}

        return measure

    return run_task("toy", conditions, range(3), prepare, n_neurons=2, n_samples=1)


@pytest.mark.parametrize(
    ("conditions", "lags", "titles"),
    [
        (["c"], False, ["c"]),
        (["c", "d"], True, ["c", "d", "c, by lag"]),
        (["c", "d", "e"], False, ["c", "d", "e", "gain over the best constant (x: theory)"]),
    ],
)
def test_panels(conditions, lags, titles):
    figure = task_outcome(toy(conditions, lags))
    assert [a.get_title() for a in figure.axes if a.get_visible()] == titles
    figure.savefig(io.BytesIO(), format="png")


def test_theory_is_dashed_where_there_is_one():
    figure = task_outcome(toy(CONDITIONS), predict_interval())
    dashed = [sum(line.get_linestyle() == "--" for line in a.lines) for a in figure.axes[:5]]
    assert dashed == [3, 3, 3, 3, 0]


def test_a_law_stands_at_its_mean():
    rows = toy(["c"])
    axes = task_outcome(rows).axes[0]
    law = next(line for line in axes.lines if line.get_label() == "Gamma 80 ms")
    mean = rows.filter(pl.col("system") == "Gamma 80 ms")["score"].mean()
    assert law.get_ydata()[0] == pytest.approx(mean)


def test_useful_rates_are_shaded_and_widths_drawn():
    cells = [
        {"condition": name, "system": system, "seed": seed, "rate": rate, "score": 2.0}
        for seed in range(3)
        for name, system, rate in (
            ("untrained", "untrained", 4.0), ("1", "one rule", 8.0), ("4", "one rule", 2.0),
        )
    ]  # fmt: skip
    figure = balance_outcome(pl.DataFrame(cells, schema=TASK_SCHEMA))
    rate, memory, width = figure.axes
    assert rate.patches[0].get_extents().height > 0.0
    assert memory.lines[-1].get_label() == "untrained"
    # Both ends are just inside: all of ln 4.
    assert width.lines[0].get_xdata()[0] == pytest.approx(np.log(4.0))
    figure.savefig(io.BytesIO(), format="png")


def test_a_gain_is_drawn_in_points_and_a_missing_one_is_empty():
    cells = [
        {"condition": "c", "system": name, "constant": tau, "seed": seed, "score": score}
        for name, tau, score in (("20 ms", 20.0, 0.5), ("wide", None, 0.75), ("odd", None, None))
        for seed in range(3)
    ]
    axes = task_gains(pl.DataFrame(cells, schema=TASK_SCHEMA)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c: wide", "c: odd"]
    drawn = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert drawn == [[[pytest.approx(25.0), 0.0]]]


def test_a_condition_without_constants_is_named():
    rows = toy(["c", "d"])
    laws = rows.filter((pl.col("condition") == "c") | pl.col("constant").is_null())
    with pytest.raises(ParameterError, match="rows must hold a constant in 'd'; got laws alone"):
        task_outcome(laws)


@pytest.mark.parametrize("draw", [task_outcome, task_gains, balance_outcome])
def test_no_rows(draw):
    with pytest.raises(ShapeError, match="at least one row"):
        draw(pl.DataFrame(schema=TASK_SCHEMA))

import io

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ShapeError
from hrsnn_rs.learning import TASK_SCHEMA, predict_interval, run_task
from hrsnn_rs.learning.task_interval import CONDITIONS
from hrsnn_rs.plotting import task_outcome

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


def test_no_rows():
    with pytest.raises(ShapeError, match="at least one row"):
        task_outcome(pl.DataFrame(schema=TASK_SCHEMA))

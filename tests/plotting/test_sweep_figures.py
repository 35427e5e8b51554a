import io

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import TASK_SCHEMA
from hrsnn_rs.plotting import sweep_outcome

pytest.importorskip("matplotlib")


def made_rows(scores):
    """A constant of 0.5 and a law with the score of each condition, for three seeds."""
    cells = [
        {"condition": name, "system": system, "constant": tau, "seed": seed, "score": value}
        for name, score in scores.items()
        for system, tau, value in (("20 ms", 20.0, 0.5), ("wide", None, score))
        for seed in range(3)
    ]
    return pl.DataFrame(cells, schema=TASK_SCHEMA)


def test_scores_and_differences_stand_over_the_number():
    figure = sweep_outcome(made_rows({"10% of training": 0.5, "100% of training": 0.75}))
    score, gain = figure.axes
    assert score.get_xlabel() == "% of training"
    assert score.lines[0].get_xydata().tolist() == [[10.0, 0.5], [100.0, 0.5]]
    assert gain.lines[0].get_xydata().tolist() == [[10.0, 0.0], [100.0, 0.25]]
    figure.savefig(io.BytesIO(), format="png")


def test_two_numbers_make_maps():
    scores = {"inputs 0.1, recurrent 0": 0.25, "inputs 0.1, recurrent 0.2": 0.75}
    figure = sweep_outcome(made_rows(scores | {"inputs 0.8, recurrent 0": 0.5}))
    score, gain = (axes for axes in figure.axes if axes.images)
    assert score.get_xlabel() == "recurrent"
    assert score.get_ylabel() == "inputs"
    expected = [[0.25, 0.75], [0.5, np.nan]]
    np.testing.assert_allclose(score.images[0].get_array().filled(np.nan), expected)
    np.testing.assert_allclose(
        gain.images[0].get_array().filled(np.nan), np.subtract(expected, 0.5)
    )
    figure.savefig(io.BytesIO(), format="png")


def test_conditions_without_a_number_are_refused():
    with pytest.raises(ParameterError, match="must hold numbers"):
        sweep_outcome(made_rows({"quiet": 0.5}))


def test_maps_need_two_numbers_of_each_and_a_law():
    rows = made_rows({"inputs 0.1, recurrent 0": 0.25, "inputs 0.1": 0.75})
    with pytest.raises(ParameterError, match="conditions of rows must hold numbers, all of them"):
        sweep_outcome(rows)
    rows = made_rows({"inputs 0.1, recurrent 0": 0.25, "inputs 0.1, recurrent 1": 0.75})
    with pytest.raises(ParameterError, match="rows must hold a law; got constants alone"):
        sweep_outcome(rows.drop_nulls("constant"))


def test_no_rows():
    with pytest.raises(ShapeError, match="at least one row"):
        sweep_outcome(pl.DataFrame(schema=TASK_SCHEMA))

import io

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import TASK_SCHEMA
from hrsnn_rs.plotting import (
    balance_outcome,
    scores,
    sweep_outcome,
    task_gains,
    task_outcome,
    traces,
)
from hrsnn_rs.plotting import figures as plotting

pytest.importorskip("matplotlib")


def drawn(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@pytest.fixture
def rows():
    return pl.DataFrame(
        {
            "system": ["event counts", "HoNHoS", "HeNHeS"] * 2,
            "seed": [0, 0, 0, 1, 1, 1],
            "accuracy": [0.8, 0.82, 0.81, 0.79, 0.83, 0.84],
            "memory": [0.5, 0.6, 0.7, 0.5, 0.62, 0.66],
        }
    )


def test_raster_sorts_by_first_spike_and_shows_the_silent():
    spikes = pl.DataFrame({"t": [10, 20, 30, 40], "neuron": [3, 0, 2, 3]})
    figure = plotting.raster(spikes, [False, True, False, False, True], duration=1_000)
    axes = figure.axes[0]
    excitatory = axes.lines[0]
    # Neuron 3 is first, then 0, then 2; the inhibitory 1 and 4 lie above and are silent.
    assert excitatory.get_ydata().tolist() == [0, 1, 2, 0]
    bands = [patch.get_bbox() for patch in axes.patches]
    assert [(band.y0, band.y1) for band in bands] == [(2.5, 4.5)]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["excitatory: 3 of 3 fire", "inhibitory: 0 of 2 fire", "silent"]
    assert drawn(figure)


def test_raster_of_nothing_is_all_grey():
    spikes = pl.DataFrame({"t": [], "neuron": []}, schema={"t": pl.Int64, "neuron": pl.UInt32})
    assert drawn(plotting.raster(spikes, np.zeros(4, bool), duration=100))


def test_raster_needs_every_neuron():
    with pytest.raises(ShapeError, match="got 2 and a spike of neuron 7"):
        plotting.raster(pl.DataFrame({"t": [1], "neuron": [7]}), [False, True], duration=10)


@pytest.mark.parametrize(
    ("spikes", "says"),
    [
        ({"t": [5, 6], "neuron": [0, -1]}, "neuron of spikes must be at least 0; got -1 at row 1"),
        (
            {"t": [5, None], "neuron": [0, 1]},
            "t of spikes must be a whole number; got nan at row 1",
        ),
        ({"t": [5]}, "spikes must have the column 'neuron'; it has t"),
    ],
)
def test_spikes_of_nobody_are_named(spikes, says):
    with pytest.raises(ParameterError, match=says):
        plotting.raster(pl.DataFrame(spikes), [False, True], duration=10)


def test_every_figure_can_be_drawn_without_pyplot(rows, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    random = np.random.default_rng(0)
    for figure in (
        plotting.confusion([[3, 0], [1, 2]], ["left", "right"]),
        plotting.time_constants(random.gamma(3.0, 27.0, 200)),
        plotting.time_constants(random.gamma(3.0, 27.0, 200), np.arange(200) < 40),
        plotting.weights(random.random(300), random.random(300)),
        plotting.scores(rows),
    ):
        assert drawn(figure).startswith(b"\x89PNG")


def test_scores_leave_out_what_was_not_measured(rows):
    assert len(plotting.scores(rows).axes) == 2
    without = rows.with_columns(pl.lit(None, dtype=pl.Float64).alias("memory"))
    assert len(plotting.scores(without).axes) == 1


def test_shapes_are_checked(rows):
    with pytest.raises(ShapeError, match=r"matrix must have shape \(3, 3\)"):
        plotting.confusion([[1, 0], [0, 1]], "abc")
    with pytest.raises(ShapeError, match="one shape"):
        plotting.time_constants([1.0, 2.0], [True])
    with pytest.raises(ShapeError, match="one shape"):
        plotting.weights([1.0], [1.0, 2.0])
    with pytest.raises(ShapeError, match="at least one row"):
        plotting.scores(rows.head(0))
    nothing = pl.lit(None, dtype=pl.Float64)
    with pytest.raises(ShapeError, match="rows must hold an accuracy or a memory; got neither"):
        plotting.scores(rows.with_columns(accuracy=nothing, memory=nothing))


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (scores, "rows must have the column 'system'; it has t"),
        (sweep_outcome, "rows must have the column 'condition'; it has t"),
        (task_gains, "rows must have the column 'condition'; it has t"),
        (task_outcome, "rows must have the column 'condition'; it has t"),
        (balance_outcome, "rows must have the column 'condition'; it has t"),
        (
            lambda table: task_outcome(pl.DataFrame([{"score": 0.5}], schema=TASK_SCHEMA), table),
            "theory must have the column 'condition'; it has t",
        ),
        (
            lambda table: traces(pl.DataFrame({"t": [0], "neuron": [1], "v": [0.5]}), table),
            "spikes must have the column 'neuron'; it has t",
        ),
    ],
)
def test_a_column_that_a_figure_needs_is_named(draw, says):
    with pytest.raises(ParameterError, match=says):
        draw(pl.DataFrame({"t": [1]}))


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: plotting.time_constants([20.0, np.nan]), r"tau_m must .* got nan at neuron 1"),
        (lambda: plotting.time_constants([20.0, -1.0]), r"tau_m must .* got -1\.0 at neuron 1"),
        (lambda: plotting.time_constants([20.0], [2]), "inhibitory must be below 2; got 2"),
        (lambda: plotting.weights([0.5, np.inf], [0.5, 1.0]), r"before must .* at synapse 1"),
        (lambda: plotting.confusion([[1, -1], [0, 1]], "ab"), r"matrix must .* \(0, 1\)"),
        (lambda: plotting.confusion([[1, 0], [0, 1]], 2), "classes must be a sequence; got a int"),
    ],
)
def test_numbers_that_cannot_be_drawn_are_named(draw, says):
    with pytest.raises(ParameterError, match=says):
        draw()

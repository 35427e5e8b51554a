"""Courses: each line has its own values, spikes stand above, and nonsense is refused."""

import hrsnn_rs as hr
import polars as pl
import pytest
from hrsnn_rs.plotting import traces

pytest.importorskip("matplotlib")

RECORD = pl.DataFrame(
    {"t": [0, 0, 500, 500], "neuron": [4, 1, 4, 1], "v": [0.0, 1.0, 2.0, 3.0]},
    schema_overrides={"neuron": pl.UInt32},
)


def lines(figure) -> dict[str, list[list[float]]]:
    return {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}


def test_each_neuron_has_its_line_and_its_spikes():
    assert lines(traces(RECORD)) == {
        "neuron 4": [[0.0, 0.0], [0.5, 2.0]],
        "neuron 1": [[0.0, 1.0], [0.5, 3.0]],
    }
    spikes = pl.DataFrame({"t": [100, 200, 300], "neuron": [1, 2, 1]})
    four, one, none, ticks = traces(RECORD, spikes, "a title").axes[0].lines
    assert none.get_xdata().tolist() == []
    assert ticks.get_xdata().tolist() == [0.1, 0.3]
    assert ticks.get_color() == one.get_color() != four.get_color()
    assert min(ticks.get_ydata()) >= 3.0


def test_synapses_are_named_by_both_ends_and_many_not_at_all():
    weights = pl.DataFrame({"t": [0], "pre": [1], "post": [2], "weight": [0.5]})
    figure = traces(weights)
    assert list(lines(figure)) == ["1 → 2"]
    assert figure.axes[0].get_ylabel() == "weight (mV)"
    many = pl.DataFrame({"t": [0] * 11, "neuron": list(range(11)), "v": [0.0] * 11})
    assert traces(many).axes[0].get_legend() is None
    assert traces(many.head(10)).axes[0].get_legend() is not None


@pytest.mark.parametrize("wrong", [None, {"t": [0]}, RECORD.select("neuron", "t", "v"), 3.0])
def test_other_tables_are_refused(wrong):
    with pytest.raises(hr.ParameterError, match=r"^record must be a table of RunResult.record"):
        traces(wrong)


def test_nothing_is_not_drawn():
    with pytest.raises(hr.ShapeError, match="record must hold at least one value; got 0"):
        traces(RECORD.clear())

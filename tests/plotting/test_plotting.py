import io

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ShapeError
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

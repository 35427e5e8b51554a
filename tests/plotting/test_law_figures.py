"""Laws as curves: where they lie, and that a curve holds its whole law."""

import hrsnn_rs as hr
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from hrsnn_rs.errors import ShapeError
from hrsnn_rs.plotting import laws, png


def test_each_parameter_has_a_panel_and_each_law_a_curve():
    panels = {
        "tau_m": {"start": hr.Gamma(80.0), "found": hr.LogNormal(30.0, 5.0)},
        "bias": {"start": hr.Normal(0.0, 1.0), "found": hr.Uniform(-1.0, 2.0)},
        "rate": {"start": hr.Constant(3.0), "found": hr.Constant(4.0)},
        "delay": {"start": hr.LogUniform(1.0, 200.0)},
    }
    figure = laws(panels, "found")
    used = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_xlabel() for axes in used] == ["tau_m (ms)", "bias", "rate", "delay"]
    assert [len(axes.lines) for axes in used] == [2, 2, 2, 1]
    assert [axes.get_xscale() for axes in used] == ["log", "linear", "log", "log"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["start", "found"]
    assert png(figure) == png(laws(panels, "found"))


@pytest.mark.parametrize(
    "law", [hr.Gamma(80.0), hr.LogNormal(3.0, 1.0), hr.Uniform(-1.0, 2.0), hr.LogUniform(1.0, 9.0)]
)
def test_the_area_below_a_curve_is_one(law):
    axes = laws({"x": {"law": law}}).axes[0]
    x, density = axes.lines[0].get_data()
    x = np.log(x) if axes.get_xscale() == "log" else x
    # But for a thousandth at either end, and what straight pieces between 400 points miss.
    assert np.trapezoid(density, x) == pytest.approx(0.998, abs=2e-3)


@pytest.mark.parametrize("panels", [{}, {"tau_m": {}}])
def test_nothing_is_refused(panels):
    with pytest.raises(ShapeError, match="at least one law"):
        laws(panels)

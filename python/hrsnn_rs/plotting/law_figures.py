"""Figures of laws: those that were found beside those that a search started from."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_mapping, check_text
from hrsnn_rs.description.distributions import Constant
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.quantiles import is_positive, quantiles
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.plotting.canvas import blank, own_settings
from hrsnn_rs.plotting.figures import CONTROL, EXCITATORY, INHIBITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from hrsnn_rs.arguments import FloatArray

_COLOURS = (CONTROL, EXCITATORY, INHIBITORY, "#3a7d44", "#7d5ba6")
_UNITS = {"axon_delay": "ms"} | dict.fromkeys(("tau_m", "tau_plus", "tau_minus"), "ms")
_UNITS |= dict.fromkeys(("a_plus", "a_minus"), "mV")
#: From the lowest to the highest thousandth of a law.
_Z = np.linspace(-3.1, 3.1, 400)


@own_settings
def laws(panels: Mapping[str, Mapping[str, Distribution]], title: str = "") -> Figure:
    """Draw the densities of laws, a panel for each parameter.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Distribution
        For each parameter, laws by what they are called. Not changed.
    title : str, default=""
        What the laws are.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per parameter: density per factor of e over a logarithmic axis where all values
        are above 0, else per unit; a constant is a line.

    Raises
    ------
    ShapeError
        If there is no law.
    ParameterError
        If it is no mapping of mappings of laws.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.plotting import laws
    >>> figure = laws({"tau_m": {"start": Gamma(mean=80.0), "found": Gamma(mean=30.0, shape=9.0)}})
    >>> figure.axes[0].get_xlabel()
    'tau_m (ms)'
    """
    check_text("title", title)
    panels = {
        name: check_mapping(f"panels[{name!r}]", named)
        for name, named in check_mapping("panels", panels).items()
    }
    n = len(panels)
    if n == 0 or not all(panels.values()):
        raise ShapeError("panels must hold at least one law each; got none.")
    for name, named in panels.items():
        for label, law in named.items():
            if not isinstance(law, Distribution):
                raise ParameterError(
                    f"panels[{name!r}][{label!r}] must be a Distribution; got {law!r}."
                )
    n_columns = min(n, 3)
    n_lines = -(-n // n_columns)
    figure = blank(4.0 * n_columns, 2.9 * n_lines + 0.4)
    grid = list(figure.subplots(n_lines, n_columns, squeeze=False).ravel())
    for axes, (name, named) in zip(grid, panels.items(), strict=False):
        log = all(is_positive(law) for law in named.values())
        for colour, (label, law) in zip(_COLOURS, named.items(), strict=False):
            if isinstance(law, Constant):
                axes.axvline(law.value, color=colour, linewidth=2, label=label)
                continue
            x, density = _density(law, log)
            axes.plot(np.exp(x) if log else x, density, color=colour, linewidth=2, label=label)
            axes.fill_between(np.exp(x) if log else x, density, color=colour, alpha=0.15)
        if log:
            axes.set_xscale("log")
            low, high = axes.get_xlim()
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter("{x:g}" if high < 10.0 * low else "")
        unit = f" ({_UNITS[name]})" if name in _UNITS else ""
        axes.set_xlabel(f"{name}{unit}")
        axes.set_ylim(bottom=0.0)
        axes.set_yticks([])
    for axes in grid[n:]:
        axes.set_axis_off()
    marks: dict[str, Any] = {}
    for axes in grid[:n]:
        marks |= {
            label: mark for mark, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
    figure.legend(
        marks.values(), marks.keys(), loc="outside lower center", ncols=len(marks), frameon=False
    )
    figure.suptitle(title or "Laws of parameters")
    return figure


def _density(law: Distribution, log: bool) -> tuple[FloatArray, FloatArray]:
    """Give values of a law, or their logarithms, and its density there."""
    values = {field.name: np.array([[getattr(law, field.name)]]) for field in fields(law)}
    x = quantiles(type(law), values, _Z, log=log)[0]
    normal = np.exp(-0.5 * _Z**2) / np.sqrt(2.0 * np.pi)
    return x, normal / np.gradient(x, _Z, edge_order=2)

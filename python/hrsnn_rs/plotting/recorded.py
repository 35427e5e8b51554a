"""Figures of what was recorded of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hrsnn_rs.arguments import check_text
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import check_table
from hrsnn_rs.plotting.canvas import blank, own_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Most lines that are told apart by name.
_NAMED = 10


@own_settings
def traces(record: pl.DataFrame, spikes: pl.DataFrame | None = None, title: str = "") -> Figure:
    """Draw the course of a state variable, one line for each neuron or synapse.

    Parameters
    ----------
    record : polars.DataFrame
        A table of `RunResult.record`: `t` (µs), whose it is, and last the values (mV). Not
        changed.
    spikes : polars.DataFrame, default=None
        `RunResult.spikes`: those of the neurons drawn become ticks above the lines, for `v` does
        not show them. Not changed.
    title : str, default=""
        What was run.

    Returns
    -------
    matplotlib.figure.Figure
        One axes; time in ms. Up to ten lines are named.

    Raises
    ------
    ParameterError
        If one of the two is no such table.
    ShapeError
        If nothing was recorded.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.plotting import traces
    >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=8.0))
    >>> result = network.run(([1000], [0]), duration=50_000, record={"v": [0, 1]}, every=0.1)
    >>> traces(result.record["v"], result.spikes).axes[0].get_ylabel()
    'v (mV)'
    """
    check_text("title", title)
    columns = record.columns if isinstance(record, pl.DataFrame) else []
    if len(columns) < 3 or columns[0] != "t":
        raise ParameterError(f"record must be a table of RunResult.record; got {record!r}.")
    if record.height == 0:
        raise ShapeError("record must hold at least one value; got 0.")
    if spikes is not None:
        check_table("spikes", spikes, "t", "neuron")
    of, value = columns[1:-1], columns[-1]
    figure = blank(8.0, 3.6)
    axes = figure.add_subplot()
    parts = record.partition_by(of, maintain_order=True, as_dict=True)
    colours = {}
    for whose, part in parts.items():
        name = f"{of[0]} {whose[0]}" if len(of) == 1 else " → ".join(map(str, whose))
        (line,) = axes.plot(
            part["t"].to_numpy() / 1000.0, part[value].to_numpy(), linewidth=1.0, label=name
        )
        colours[whose] = line.get_color()
    if spikes is not None and of == ["neuron"]:
        _, top = axes.get_ylim()
        for (neuron,), colour in colours.items():
            t = spikes.filter(neuron=neuron)["t"].to_numpy() / 1000.0
            axes.plot(t, [top] * len(t), linestyle="none", marker="|", markersize=9, color=colour)
    axes.set_xlabel("t (ms)")
    axes.set_ylabel(f"{value} (mV)")
    axes.set_title(title or f"Course of {value}")
    axes.spines[["top", "right"]].set_visible(False)
    if len(parts) <= _NAMED:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    return figure

"""Figures: one function each, arrays and tables in, a matplotlib Figure out.

Each is made on a canvas of its own, as `canvas` says. Nothing here runs a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.arguments import (
    NOT_NEGATIVE,
    POSITIVE,
    as_array,
    check_array,
    check_integer,
    check_text,
)
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import check_table, kind_of, whole_numbers
from hrsnn_rs.plotting.canvas import blank, own_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

EXCITATORY = "#1b6ca8"
INHIBITORY = "#d1495b"
_SILENT = "#e4e4e4"
CONTROL = "#9aa5b1"
_MEASURES = ("accuracy", "memory")


@own_settings
def raster(spikes: pl.DataFrame, inhibitory: ArrayLike, duration: int, title: str = "") -> Figure:
    """Draw the spikes of one sample, excitatory and inhibitory neurons in two colours.

    Neurons are sorted by the time of their first spike, excitatory ones below. Neurons without
    a spike keep their rows, as a grey band, so that silence is seen.

    Parameters
    ----------
    spikes : polars.DataFrame
        Columns `t` (µs) and `neuron`, as in `RunResult.spikes`. Not changed.
    inhibitory : bool array of shape (n_neurons,)
        Which neurons are inhibitory.
    duration : int
        Length of the sample in µs.
    title : str, default=""
        What the sample is.

    Returns
    -------
    matplotlib.figure.Figure
        One axes; time in ms, one row per neuron.

    Raises
    ------
    ShapeError
        If a spike is of a neuron that `inhibitory` does not have.
    ParameterError
        If `spikes` is no such table, or an argument is not what it should be.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.plotting import raster
    >>> spikes = pl.DataFrame({"t": [100, 900], "neuron": [2, 0]})
    >>> raster(spikes, inhibitory=[False, False, True], duration=1_000).axes[0].get_ylabel()
    'neuron (sorted by first spike)'
    """
    check_text("title", title)
    duration = check_integer("duration", duration, 1, unit="µs")
    mask = _mask(inhibitory)
    check_table("spikes", spikes, "t", "neuron")
    t, neuron = (
        whole_numbers(spikes[name].to_numpy(), f"{name} of spikes", at="row")
        for name in ("t", "neuron")
    )
    if len(neuron) and neuron.max() >= len(mask):
        raise ShapeError(
            f"inhibitory must have a value for each neuron; got {len(mask)} and a spike of "
            f"neuron {neuron.max()}."
        )
    first = np.full(len(mask), np.iinfo(np.int64).max)
    np.minimum.at(first, neuron, t)
    order = np.lexsort((np.arange(len(mask)), first, mask))
    row_of = np.empty(len(mask), dtype=np.int64)
    row_of[order] = np.arange(len(mask))
    fires = np.zeros(len(mask), dtype=bool)
    fires[neuron] = True

    figure = blank(8.0, 4.6)
    axes = figure.add_subplot()
    base = 0
    for kind, colour, name in (
        (~mask, EXCITATORY, "excitatory"),
        (mask, INHIBITORY, "inhibitory"),
    ):
        n, n_firing = int(kind.sum()), int((kind & fires).sum())
        if n == 0:
            continue
        mine = kind[neuron]
        axes.plot(
            t[mine] / 1000.0,
            row_of[neuron[mine]],
            linestyle="none",
            marker="|",
            markersize=3.0 if len(mask) > 120 else 6.0,
            color=colour,
            label=f"{name}: {n_firing} of {n} fire",
        )
        if n_firing < n:
            axes.axhspan(base + n_firing - 0.5, base + n - 0.5, color=_SILENT, linewidth=0)
        base += n
    axes.set_xlim(0, duration / 1000.0)
    axes.set_ylim(-0.5, len(mask) - 0.5)
    axes.set_xlabel("t (ms)")
    axes.set_ylabel("neuron (sorted by first spike)")
    axes.set_title(title or "Spikes of one sample")
    axes.plot([], [], color=_SILENT, linewidth=6, label="silent")
    _legend_below(axes, 3)
    return figure


@own_settings
def confusion(matrix: ArrayLike, classes: Sequence[Any], title: str = "") -> Figure:
    """Draw a confusion matrix: counts written, shares of the true class as colour.

    Parameters
    ----------
    matrix : int array of shape (n_classes, n_classes)
        Row is the true class, column the predicted one.
    classes : sequence of length n_classes
        Names of the classes.
    title : str, default=""
        What was predicted.

    Returns
    -------
    matplotlib.figure.Figure
        One axes.

    Raises
    ------
    ShapeError
        If the matrix is not square or not as long as `classes`.
    ParameterError
        If a count is negative, or no finite number, or `classes` are no sequence.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs.plotting import confusion
    >>> confusion([[3, 1], [0, 4]], ["left", "right"]).axes[0].get_xlabel()
    'predicted'
    """
    check_text("title", title)
    names = _names(classes)
    counts = as_array("matrix", matrix)
    if counts.shape != (len(names), len(names)):
        raise ShapeError(
            f"matrix must have shape ({len(names)}, {len(names)}), as there are classes;"
            f" got {counts.shape}."
        )
    checked = check_array("matrix", counts, *NOT_NEGATIVE, ndim=2)
    shares = checked / np.maximum(checked.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.34 * len(names)
    figure = blank(side + 0.6, side)
    axes = figure.add_subplot()
    axes.imshow(shares, vmin=0.0, vmax=1.0, cmap="Blues")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.6 else "#222222"
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", color=colour, size=8
        )
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title or "Confusion matrix")
    return figure


@own_settings
def time_constants(tau_m: ArrayLike, inhibitory: ArrayLike | None = None) -> Figure:
    """Draw how membrane time constants are distributed over neurons.

    Parameters
    ----------
    tau_m : array of shape (n_neurons,)
        Time constants in ms.
    inhibitory : bool array of shape (n_neurons,), default=None
        Which neurons are inhibitory; `None` draws all in one colour.

    Returns
    -------
    matplotlib.figure.Figure
        One axes: a histogram, with the mean as a line.

    Raises
    ------
    ShapeError
        If the arrays are not equally long, or empty.
    ParameterError
        If a time constant is not above 0, or `inhibitory` holds what is neither True nor False.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs.plotting import time_constants
    >>> time_constants([20.0, 25.0, 60.0]).axes[0].get_xlabel()
    'membrane time constant (ms)'
    """
    values = check_array("tau_m", tau_m, *POSITIVE, at="neuron")
    mask = np.zeros(len(values), bool) if inhibitory is None else _mask(inhibitory)
    if mask.shape != values.shape or len(values) == 0:
        raise ShapeError(
            f"tau_m and inhibitory must have one shape (n_neurons,); got {values.shape} "
            f"and {mask.shape}."
        )
    figure = blank(6.4, 3.6)
    axes = figure.add_subplot()
    edges = np.linspace(0.0, float(values.max()) * 1.02, 41).tolist()
    parts = [(values[~mask], EXCITATORY, "excitatory" if mask.any() else "all")]
    if mask.any():
        parts.append((values[mask], INHIBITORY, "inhibitory"))
    axes.hist(
        [part for part, _, _ in parts],
        bins=edges,
        stacked=True,
        color=[colour for _, colour, _ in parts],
        label=[name for _, _, name in parts],
    )
    axes.axvline(values.mean(), color="#222222", linewidth=1, linestyle="--")
    axes.set_xlabel("membrane time constant (ms)")
    axes.set_ylabel("neurons")
    axes.set_title(f"Time constants: mean {values.mean():.1f} ms, sd {values.std():.1f} ms")
    _legend_below(axes, 2)
    return figure


@own_settings
def weights(before: ArrayLike, after: ArrayLike) -> Figure:
    """Draw plastic weights before and after training.

    Parameters
    ----------
    before, after : array of shape (n_plastic,)
        Weights in mV of the same synapses.

    Returns
    -------
    matplotlib.figure.Figure
        Left histograms of the weights, right one of their changes; counts on a log axis.

    Raises
    ------
    ShapeError
        If the arrays are not equally long, or empty.
    ParameterError
        If a weight is no finite number.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs.plotting import weights
    >>> len(weights([0.5, 0.7, 0.9], [0.4, 0.8, 0.9]).axes)
    2
    """
    old = check_array("before", before, at="synapse")
    new = check_array("after", after, at="synapse")
    if old.shape != new.shape or len(old) == 0:
        raise ShapeError(
            f"before and after must have one shape (n_plastic,); got {old.shape} and {new.shape}."
        )
    figure = blank(8.0, 3.6)
    left, right = figure.subplots(1, 2)
    ends = [min(0.0, float(old.min()), float(new.min())), max(float(old.max()), float(new.max()))]
    edges = np.linspace(ends[0], ends[1] * 1.02 or 1.0, 51).tolist()
    left.hist(old, bins=edges, color=CONTROL, label="before")
    left.hist(new, bins=edges, histtype="step", color=EXCITATORY, linewidth=1.5, label="after")
    left.set_xlabel("weight (mV)")
    _legend_below(left, 2)
    change = new - old
    right.hist(change, bins=51, color=EXCITATORY)
    right.axvline(0.0, color="#222222", linewidth=1, linestyle="--")
    right.set_xlabel("change of a synapse (mV)")
    right.spines[["top", "right"]].set_visible(False)
    for axes in (left, right):
        # Most synapses hardly change; on a linear axis they hide those that do.
        axes.set_yscale("log")
        axes.set_ylabel("synapses")
    figure.suptitle(
        f"Plastic weights: mean {old.mean():.3f} to {new.mean():.3f} mV, "
        f"mean size of a change {np.abs(change).mean():.3f} mV"
    )
    return figure


@own_settings
def scores(rows: pl.DataFrame) -> Figure:
    """Draw accuracy and memory of each system, controls in grey.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `compare` gives them. Not changed.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per measure that is there: bars are means over seeds, lines standard
        deviations, dots single seeds.

    Raises
    ------
    ParameterError
        If it is no such table.
    ShapeError
        If there is no row, or nothing was measured.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.plotting import scores
    >>> rows = pl.DataFrame({"system": ["untrained", "HeNHeS"], "accuracy": [0.8, 0.8],
    ...                      "memory": [None, None]}, schema_overrides={"memory": pl.Float64})
    >>> scores(rows).axes[0].get_title()
    'accuracy'
    """
    check_rows("rows", rows, "system", *_MEASURES)
    measures = [name for name in _MEASURES if rows[name].null_count() < rows.height]
    if not measures:
        raise ShapeError("rows must hold an accuracy or a memory; got neither.")
    systems = rows["system"].unique(maintain_order=True).to_list()
    figure = blank(1.0 + 4.2 * len(measures), 1.3 + 0.42 * len(systems))
    panels = figure.subplots(1, len(measures), squeeze=False, sharey=True)[0]
    place = np.arange(len(systems))[::-1]
    for axes, measure in zip(panels, measures, strict=True):
        for y, system in zip(place, systems, strict=True):
            values = rows.filter(pl.col("system") == system)[measure].drop_nulls().to_numpy()
            if len(values) == 0:
                continue
            is_variant = system.startswith("H") and system.endswith("S")
            axes.barh(
                y,
                values.mean(),
                xerr=values.std(ddof=1) if len(values) > 1 else None,
                color=EXCITATORY if is_variant else CONTROL,
                height=0.7,
                capsize=3,
            )
            axes.plot(
                values,
                np.full(len(values), y),
                linestyle="none",
                marker="o",
                markersize=3.5,
                markerfacecolor="white",
                markeredgecolor="#222222",
            )
            axes.text(0.02, y, f"{values.mean():.3f}", va="center", color="white", size=9)
        if measure == "memory":
            axes.axvline(0.5, color="#222222", linewidth=1, linestyle="--")
        axes.set_xlim(0.0, 1.0)
        axes.set_title("accuracy" if measure == "accuracy" else "memory: direction in time")
    panels[0].set_yticks(place, systems)
    return figure


def check_rows(name: str, rows: Any, *columns: str) -> None:
    """Refuse what is no table with some columns and at least one row."""
    if check_table(name, rows, *columns).height == 0:
        raise ShapeError(f"{name} must hold at least one row; got 0.")


def _mask(inhibitory: ArrayLike) -> NDArray[np.bool_]:
    """Return which neurons are inhibitory; 0 and 1 will do."""
    return whole_numbers(inhibitory, "inhibitory", below=2, at="neuron", booleans=True) > 0


def _names(classes: Any) -> list[str]:
    """Return what classes are called; anything that can be told apart has a name."""
    try:
        given = list(classes)
    except TypeError:
        raise ParameterError(f"classes must be a sequence; got {kind_of(classes)}.") from None
    if as_array("classes", given).ndim != 1:
        raise ShapeError(f"classes must be one-dimensional; got {kind_of(classes)}.")
    return [str(name) for name in given]


def _legend_below(axes: Any, n_columns: int) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=n_columns, frameon=False, fontsize=9
    )

"""Figures of the tasks: constants as a sweep, laws as levels beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import stats

from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import check_table
from hrsnn_rs.learning.task_balance import FACTOR, RATE, UNTRAINED, useful_ranges
from hrsnn_rs.learning.tasks import best_constants, outcome
from hrsnn_rs.plotting.canvas import blank, own_settings
from hrsnn_rs.plotting.figures import CONTROL, EXCITATORY, INHIBITORY, check_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("condition", "system", "constant", "seed", "score", "spikes_per_sample")
"""Columns of a task's rows that are needed to hold laws against the best constant."""
LAW_COLOURS = (EXCITATORY, INHIBITORY, "#3a7d44", "#7d5ba6")


@own_settings
def task_outcome(rows: pl.DataFrame, theory: pl.DataFrame | None = None) -> Figure:
    """Draw the scores of a task: a panel for each condition, and what the laws gain.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one task, as `run_task` gives them. Not changed.
    theory : polars.DataFrame, default=None
        What is expected: `condition`, `system`, `theory`; drawn dashed. Not changed.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per condition: the score of each constant with its 95 % interval over seeds, and
        each law as a line with its own. Of three conditions and more, one with the gain over the
        best constant; of the memory task, one with the capacity by lag.

    Raises
    ------
    ParameterError
        If it is no such table.
    ShapeError
        If there is no row.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA
    >>> from hrsnn_rs.plotting import task_outcome
    >>> rows = pl.DataFrame(
    ...     [{"condition": "c", "system": name, "constant": tau, "seed": seed, "score": score}
    ...      for name, tau, score in (("20 ms", 20.0, 0.5), ("wide", None, 0.75))
    ...      for seed in range(3)], schema=TASK_SCHEMA)
    >>> task_outcome(rows).axes[0].get_title()
    'c'
    """
    check_rows("rows", rows, *COLUMNS, "by_lag")
    if theory is not None:
        check_table("theory", theory, "condition", "system", "theory")
    conditions = rows["condition"].unique(maintain_order=True).to_list()
    has_lags = rows["by_lag"].null_count() < rows.height
    has_gain = len(conditions) >= 3
    n = len(conditions) + has_lags + has_gain
    n_columns = min(n, 3)
    n_lines = -(-n // n_columns)
    figure = blank(4.2 * n_columns, 3.6 * n_lines)
    panels = list(figure.subplots(n_lines, n_columns, squeeze=False).ravel())
    for axes, condition in zip(panels, conditions, strict=False):
        expected = None
        if theory is not None:
            expected = theory.filter(pl.col("condition") == condition)
        _sweep(axes, rows.filter(pl.col("condition") == condition), expected)
        axes.set_title(condition)
    marks = panels[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=len(marks[0]), frameon=False)
    if has_gain:
        _gains(panels[len(conditions)], outcome(rows, theory))
    if has_lags:
        _lags(panels[n - 1], rows, conditions[0])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[n:]:
        axes.set_visible(False)
    return figure


@own_settings
def task_gains(rows: pl.DataFrame) -> Figure:
    """Draw what each system of a task is worth beside the best constant, a line for each.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one task, as `run_task` gives them. Not changed.

    Returns
    -------
    matplotlib.figure.Figure
        Differences to the best constant with their 95 % intervals over seeds; a system that
        missed the rate has an empty line.

    Raises
    ------
    ParameterError
        If it is no such table.
    ShapeError
        If there is no row.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA
    >>> from hrsnn_rs.plotting import task_gains
    >>> rows = pl.DataFrame(
    ...     [{"condition": "delays", "system": name, "constant": value, "seed": seed, "score": 0.5}
    ...      for name, value in (("20 ms", 20.0), ("wide", None))
    ...      for seed in range(3)], schema=TASK_SCHEMA)
    >>> task_gains(rows).axes[0].get_yticklabels()[0].get_text()
    'delays: wide'
    """
    check_rows("rows", rows, *COLUMNS)
    table = outcome(rows)
    figure = blank(8.4, 1.2 + 0.3 * table.height)
    axes = figure.subplots()
    conditions = table["condition"].unique(maintain_order=True).to_list()
    places = np.arange(table.height)
    for place, row in zip(places, table.iter_rows(named=True), strict=True):
        if row["difference"] is None:
            continue
        gap = 100.0 * row["difference"]
        sides = [[gap - 100.0 * row["low"]], [100.0 * row["high"] - gap]]
        colour = LAW_COLOURS[conditions.index(row["condition"]) % 2]
        axes.errorbar([gap], [place], xerr=sides, color=colour, marker="o", capsize=3)
    names = [": ".join(names) for names in table.select("condition", "system").iter_rows()]
    axes.set_yticks(places, names)
    axes.set_ylim(table.height - 0.5, -0.5)
    axes.axvline(0.0, color="#222222", linewidth=1)
    axes.set_xlabel("difference to the best constant (points)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


@own_settings
def balance_outcome(rows: pl.DataFrame) -> Figure:
    """Draw what learning does to rate and memory over the balance of each rule.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `measure_balance` gives them. Not changed.

    Returns
    -------
    matplotlib.figure.Figure
        Medians over seeds: the rate, with the useful ones shaded; the memory capacity, with that of
        the untrained network; and the width of the useful range with its 95 % interval.

    Raises
    ------
    ParameterError
        If it is no such table.
    ShapeError
        If there is no row.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA
    >>> from hrsnn_rs.plotting import balance_outcome
    >>> cells = [{"condition": b, "system": system, "rate": 4.0, "score": 1.0}
    ...          for b, system in (("untrained",) * 2, ("1", "one rule"), ("2", "one rule"))]
    >>> rows = pl.DataFrame(cells, schema=TASK_SCHEMA).with_columns(seed=pl.lit(0))
    >>> len(balance_outcome(rows).axes)
    3
    """
    check_rows("rows", rows, "condition", "system", "seed", "rate", "score")
    table = useful_ranges(rows)
    learned = rows.filter(pl.col("condition") != UNTRAINED).with_columns(
        balance=pl.col("condition").cast(pl.Float64)
    )
    medians = learned.group_by("system", "balance").agg(pl.col("rate", "score").median())
    figure = blank(12.6, 3.6)
    rate, memory, width = figure.subplots(1, 3)
    for place, (system, colour) in enumerate(zip(table["system"], LAW_COLOURS, strict=False)):
        curve = medians.filter(pl.col("system") == system).sort("balance")
        rate.plot(curve["balance"], curve["rate"], color=colour, marker=".", label=system)
        memory.plot(curve["balance"], curve["score"], color=colour, marker=".")
        widths = table.filter(pl.col("system") == system)["widths"].explode()
        mean, half = spread_of(widths)
        width.errorbar([mean], [-place], xerr=[half], color=colour, marker="o", capsize=3)
    rate.axhspan(RATE / FACTOR, RATE * FACTOR, color=CONTROL, alpha=0.25, linewidth=0)
    untrained = rows.filter(pl.col("condition") == UNTRAINED)["score"].median()
    memory.axhline(untrained, color=CONTROL, label="untrained")
    memory.legend(frameon=False)
    rate.set(yscale="log", ylabel="rate after learning (Hz)", title="rate")
    memory.set(ylabel="memory capacity", title="memory")
    for axes in (rate, memory):
        axes.set(xscale="log", xlabel="depression over potentiation")
        axes.set_xticks([0.25, 0.5, 1.0, 2.0, 4.0], ["1/4", "1/2", "1", "2", "4"])
        axes.minorticks_off()
    width.set(yticks=[], xlabel="width of ln(balance)", title="useful range")
    width.set_xlim(left=0.0)
    for axes in (rate, memory, width):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


def _sweep(axes: Any, rows: pl.DataFrame, theory: pl.DataFrame | None) -> None:
    """Draw constants over their time constant and laws as levels."""
    expected = {} if theory is None else dict(theory.select("system", "theory").iter_rows())
    constants = rows.filter(pl.col("constant").is_not_null())
    taus = constants["constant"].unique(maintain_order=True).to_list()
    if not taus:
        condition = rows["condition"][0]
        raise ParameterError(f"rows must hold a constant in {condition!r}; got laws alone.")
    spreads = [spread_of(constants.filter(pl.col("constant") == tau)["score"]) for tau in taus]
    means, halves = np.array(spreads).T
    axes.errorbar(taus, means, halves, color=CONTROL, marker="o", capsize=3, label="one constant")
    names = constants["system"].unique(maintain_order=True).to_list()
    if expected:
        curve = [expected[name] for name in names]
        axes.plot(taus, curve, color=CONTROL, linestyle="--", label="theory, dashed")
    laws = rows.filter(pl.col("constant").is_null())["system"].unique(maintain_order=True)
    for law, colour in zip(laws, LAW_COLOURS, strict=False):
        mean, half = spread_of(rows.filter(pl.col("system") == law)["score"])
        axes.axhline(mean, color=colour, label=law)
        axes.axhspan(mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
        if expected:
            axes.axhline(expected[law], color=colour, linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(taus, [f"{tau:g}" for tau in taus])
    axes.minorticks_off()
    axes.set_xlabel("membrane time constant (ms)")
    axes.set_ylabel("score")


def _gains(axes: Any, table: pl.DataFrame) -> None:
    """Draw the differences to the best constant, and the theory's as crosses."""
    conditions = table["condition"].unique(maintain_order=True).to_list()
    laws = table["system"].unique(maintain_order=True)
    for place, (law, colour) in enumerate(zip(laws, LAW_COLOURS, strict=False)):
        mine = table.filter(pl.col("system") == law)
        x = np.array([conditions.index(name) for name in mine["condition"]]) + 0.15 * place
        gap, low, high = (mine[name].to_numpy() for name in ("difference", "low", "high"))
        axes.errorbar(
            x, gap, (gap - low, high - gap), color=colour, linestyle="none", marker="o", capsize=3
        )
        axes.plot(
            x, mine["theory_difference"].to_numpy(), color=colour, linestyle="none", marker="x"
        )
    axes.axhline(0.0, color="#222222", linewidth=1)
    axes.set_xticks(
        range(len(conditions)), [name.replace(", ", ",\n") for name in conditions], fontsize=7
    )
    axes.set_title("gain over the best constant (x: theory)")
    axes.set_ylabel("difference")


def _lags(axes: Any, rows: pl.DataFrame, condition: str) -> None:
    """Draw the mean capacity at each lag, of the best constant and of the laws."""
    here = rows.filter((pl.col("condition") == condition) & pl.col("by_lag").is_not_null())
    best = best_constants(rows, condition)
    control = [
        row["by_lag"] for row in here.iter_rows(named=True) if row["system"] == best[row["seed"]]
    ]
    means = [np.mean(control, axis=0)]
    axes.plot(means[0], color=CONTROL)
    laws = here.filter(pl.col("constant").is_null())["system"].unique(maintain_order=True)
    for law, colour in zip(laws, LAW_COLOURS, strict=False):
        curves = here.filter(pl.col("system") == law)["by_lag"].to_list()
        means.append(np.mean(curves, axis=0))
        axes.plot(means[-1], color=colour)
    # Beyond the last lag of which a hundredth is known there is nothing to see.
    axes.set_xlim(0, 2 + np.flatnonzero(np.max(means, axis=0) > 0.01).max(initial=0))
    axes.set_title(f"{condition}, by lag")
    axes.set_xlabel("lag (steps)")
    axes.set_ylabel("share of variance")


def spread_of(values: pl.Series) -> tuple[float, float]:
    """Give mean and half of the 95 % t interval; NaN without a value, 0 for one."""
    numbers = values.drop_nulls().to_numpy()
    if len(numbers) < 2:
        return (float(numbers.mean()) if len(numbers) else np.nan), 0.0
    error = numbers.std(ddof=1) / len(numbers) ** 0.5
    return float(numbers.mean()), float(stats.t.ppf(0.975, len(numbers) - 1) * error)

"""Figures of sweeps: the best constant and laws over what is swept, or a map of two things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.tasks import best_constants, outcome
from hrsnn_rs.plotting.canvas import blank, own_settings
from hrsnn_rs.plotting.figures import CONTROL, check_rows
from hrsnn_rs.plotting.task_figures import COLUMNS, LAW_COLOURS, spread_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# So that words can be read on every colour.
_BEHIND = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}


@own_settings
def sweep_outcome(rows: pl.DataFrame) -> Figure:
    """Draw a sweep: scores over its one number, or maps over its two.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `measure_sweep` gives them. Not changed. The names of the conditions hold one number
        each, or two.

    Returns
    -------
    matplotlib.figure.Figure
        Over one number, the scores of the best constant and of each law, and the differences, with
        95 % intervals over seeds. Over two numbers, maps of the mean scores of the first law and of
        its mean difference to the best constant.

    Raises
    ------
    ShapeError
        If there is no row.
    ParameterError
        If it is no such table, a condition has no number, or there is no law to map.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA
    >>> from hrsnn_rs.plotting import sweep_outcome
    >>> rows = pl.DataFrame(
    ...     [{"condition": f"{n} neurons", "system": name, "constant": tau, "seed": 0, "score": 0.5}
    ...      for n in (100, 200) for name, tau in (("20 ms", 20.0), ("wide", None))],
    ...     schema=TASK_SCHEMA)
    >>> sweep_outcome(rows).axes[0].get_xlabel()
    'neurons'
    """
    check_rows("rows", rows, *COLUMNS)
    conditions = rows["condition"].unique(maintain_order=True).to_list()
    numbers = [[float(n) for n in re.findall(r"[0-9]+\.?[0-9]*", one)] for one in conditions]
    is_map = len(numbers[0]) == 2
    if not all(len(one) == 2 if is_map else one for one in numbers):
        raise ParameterError(
            f"conditions of rows must hold numbers, all of them one or all two; got {conditions!r}."
        )
    if is_map:
        return _maps(rows, conditions, np.array(numbers))
    figure = blank(8.4, 3.6)
    score, gain = figure.subplots(1, 2)
    x = [one[0] for one in numbers]
    control = []
    for condition in conditions:
        best = best_constants(rows, condition)
        here = rows.filter(pl.col("condition") == condition)
        chosen = [(name, seed) for seed, name in best.items()]
        of = dict(zip(zip(here["system"], here["seed"], strict=True), here["score"], strict=True))
        control.append(spread_of(pl.Series([of[one] for one in chosen])))
    _curve(score, x, control, CONTROL, "best constant")
    laws = rows.filter(pl.col("constant").is_null())["system"].unique(maintain_order=True)
    table = outcome(rows)
    for law, colour in zip(laws, LAW_COLOURS, strict=False):
        mine = rows.filter(pl.col("system") == law)
        scores = [spread_of(mine.filter(pl.col("condition") == c)["score"]) for c in conditions]
        _curve(score, x, scores, colour, law)
        gaps = table.filter(pl.col("system") == law)
        halves = (gaps["high"] - gaps["difference"]).fill_nan(0.0).fill_null(0.0)
        _curve(gain, x, list(zip(gaps["difference"], halves, strict=True)), colour, None)
    gain.axhline(0.0, color="#222222", linewidth=1)
    score.set_ylabel("score")
    gain.set_ylabel("difference to the best constant")
    words = re.sub(r"^[^a-zA-Z]*", "", conditions[0])
    for axes in (score, gain):
        axes.set(xscale="log", xlabel=words if "%" not in conditions[0] else f"% {words}")
        axes.set_xticks(x, [f"{one:g}" for one in x])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _curve(
    axes: Any, x: list[float], points: list[tuple[float, float]], colour: str, label: str | None
) -> None:
    means, halves = np.array(points, dtype=np.float64).T
    axes.errorbar(x, means, halves, color=colour, marker="o", capsize=3, label=label)


def _maps(rows: pl.DataFrame, conditions: list[str], numbers: Any) -> Figure:
    """Draw the scores of the first law, and what it gains, by both numbers."""
    first, second = (np.unique(numbers[:, side]) for side in (0, 1))
    table = outcome(rows)
    if table.height == 0:
        raise ParameterError("rows must hold a law; got constants alone.")
    law = table["system"][0]
    of = {row["condition"]: row for row in table.filter(pl.col("system") == law).to_dicts()}
    figure = blank(10.0, 3.8)
    names = [re.sub(r"[0-9. ]+$", "", part).strip() for part in conditions[0].split(",")]
    for axes, column, colours, title in zip(
        figure.subplots(1, 2), ("score", "difference"), ("viridis", "RdBu_r"),
        (f"score, {law}", "difference to the best constant"), strict=True,
    ):  # fmt: skip
        grid = np.full((len(first), len(second)), np.nan)
        for condition, (a, b) in zip(conditions, numbers, strict=True):
            value = of[condition][column]
            place = np.searchsorted(first, a), np.searchsorted(second, b)
            grid[place] = np.nan if value is None else value
        most = np.nanmax(np.abs(grid)) if column == "difference" else None
        image = axes.imshow(
            grid, origin="lower", aspect="auto", cmap=colours,
            vmin=None if most is None else -most, vmax=most,
        )  # fmt: skip
        for (row, place), value in np.ndenumerate(grid):
            if np.isfinite(value):
                words = f"{value:+.2f}" if most is not None else f"{value:.2f}"
                axes.text(place, row, words, ha="center", va="center", fontsize=8, bbox=_BEHIND)
        axes.set_xticks(range(len(second)), [f"{one:g}" for one in second])
        axes.set_yticks(range(len(first)), [f"{one:g}" for one in first])
        axes.set(xlabel=names[1], ylabel=names[0], title=title)
        figure.colorbar(image, ax=axes)
    return figure

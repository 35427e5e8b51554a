"""What rows of an experiment say, as tables of text: for the terminal and for the page.

Not here: what is compared with what, and how sure it is (`learning.comparison`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrsnn_rs.learning.comparison import comparisons, summarize
from hrsnn_rs.learning.paper import beside_paper

if TYPE_CHECKING:
    import polars as pl

_TESTED = {"n_seeds": "seeds", "n_persons": "persons", "n_clips": "test clips"}
_COLUMNS = {
    "accuracy": ("accuracy", 3),
    "memory": ("memory", 3),
    "spikes_per_sample": ("spikes/sample", 0),
    "rate": ("rate (Hz)", 2),
    "synaptic_operations": ("synaptic ops/sample", 0),
    "seconds": ("seconds", 1),
}


def format_summary(rows: pl.DataFrame) -> list[list[str]]:
    """Give the table of systems as text: a heading, then one line per system.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.

    Returns
    -------
    list of list of str
        How many seeds, persons and clips each was tested on; mean and, with several seeds,
        standard deviation; "-" where nothing was measured, or nobody knows.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA
    >>> from hrsnn_rs.report import format_summary
    >>> rows = pl.DataFrame(
    ...     [{"system": "HeNHeS", "seed": 0, "accuracy": 0.8},
    ...      {"system": "HeNHeS", "seed": 1, "accuracy": 0.9}], schema=ROW_SCHEMA)
    >>> format_summary(rows)[1][:5]
    ['HeNHeS', '2', '-', '-', '0.850 ± 0.071']
    """
    return summary_lines(summarize(rows).table)


def summary_lines(table: pl.DataFrame) -> list[list[str]]:
    """Give what `format_summary` does, of the table of a summary."""
    lines = [["system", *_TESTED.values(), *(heading for heading, _ in _COLUMNS.values())]]
    for row in table.iter_rows(named=True):
        cells = [row["system"], *(_count(row[name]) for name in _TESTED)]
        for name, (_, digits) in _COLUMNS.items():
            # The spread of costs is of no interest; that of scores is the point.
            sd = row[f"{name}_sd"] if name in ("accuracy", "memory") else None
            cells.append(_number(row[f"{name}_mean"], sd, digits))
        lines.append(cells)
    return lines


def format_comparisons(rows: pl.DataFrame, system: str | None = None) -> list[list[str]]:
    """Give the table of comparisons as text: a heading, then one line per metric and other system.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.
    system : str, default=None
        System that is judged; `None` as for `comparisons`.

    Returns
    -------
    list of list of str
        Difference, 95 % interval, p after Holm's correction, outcome, and the smallest difference
        that would have been seen; "-" where there is no verdict.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA
    >>> from hrsnn_rs.report import format_comparisons
    >>> said = {"clip": 7, "person": "ann", "label": "wave"}
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "predictions": [said | {"predicted": "clap"}]},
    ...      {"system": "HeNHeS", "seed": 0, "predictions": [said | {"predicted": "wave"}]}],
    ...     schema=ROW_SCHEMA)
    >>> format_comparisons(rows)[1]
    ['accuracy, untrained', '1', '1', '1', '+1.000', '-', '-', 'no verdict', '-']
    """
    return comparison_lines(comparisons(rows, system))


def comparison_lines(table: pl.DataFrame) -> list[list[str]]:
    """Give what `format_comparisons` does, of comparisons."""
    heading = ["difference", "95 % interval", "p (Holm)", "outcome", "would be seen"]
    leads = table["system"].unique(maintain_order=True).to_list()
    several = len(leads) > 1
    first = "first minus second" if several else f"{[*leads, 'HeNHeS'][0]} minus"
    lines = [[first, *_TESTED.values(), *heading]]
    for row in table.iter_rows(named=True):
        interval = "-" if row["low"] is None else f"{row['low']:+.3f} … {row['high']:+.3f}"
        lines.append(
            [
                f"{row['metric']}, " + (f"{row['system']} - " if several else "") + row["other"],
                *(_count(row[name]) for name in _TESTED),
                f"{row['difference']:+.3f}",
                interval,
                _number(row["p_holm"], None, 3),
                row["outcome"],
                _number(row["smallest_seen"], None, 3),
            ]
        )
    return lines


def format_paper(rows: pl.DataFrame) -> list[list[str]]:
    """Give the accuracies beside the paper's as text: a heading, then one line per system.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.

    Returns
    -------
    list of list of str
        "-" where the paper gives no figure; empty where the data set is none of the paper's.

    Raises
    ------
    ParameterError
        If it is no such table.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA
    >>> from hrsnn_rs.report import format_paper
    >>> rows = pl.DataFrame(
    ...     [{"system": "HeNHeS", "seed": 0, "kind": "UCF11", "accuracy": 0.7}], schema=ROW_SCHEMA)
    >>> format_paper(rows)
    [['accuracy', 'paper', 'here'], ['HeNHeS', '0.796', '0.700']]
    """
    beside = beside_paper(rows)
    if beside is None:
        return []
    lines = [["accuracy", "paper", "here"]]
    for row in beside.table.iter_rows(named=True):
        paper, here = _number(row["paper"], None, 3), _number(row["here"], row["sd"], 3)
        lines.append([row["system"], paper, here])
    return lines


def _count(n: int | None) -> str:
    """Write a number of things; none of them means that nobody counted."""
    return f"{n:,}" if n else "-"


def _number(mean: float | None, sd: float | None, digits: int) -> str:
    if mean is None:
        return "-"
    text = f"{mean:,.{digits}f}"
    return text if sd is None else f"{text} ± {sd:.{digits}f}"

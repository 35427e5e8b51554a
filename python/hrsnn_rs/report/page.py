"""One self-contained HTML page: tables, figures and how to make them again.

Images are embedded; the page loads nothing and runs no script. What the numbers say is worked
out in `experiment`, how figures look in `plotting`.
"""

from __future__ import annotations

import base64
import html
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hrsnn_rs.errors import FigureWarning, MissingDependencyError, ParameterError
from hrsnn_rs.learning.comparison import comparisons, summarize, verdict
from hrsnn_rs.learning.paper import beside_paper
from hrsnn_rs.plotting.canvas import png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import polars as pl
    from matplotlib.figure import Figure

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2733; margin: 2rem auto; max-width: 60rem;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p.say { background: #eef4f9; border-left: 4px solid #1b6ca8; padding: .6rem 1rem; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #dde3e9;
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { border-bottom: 2px solid #9aa5b1; }
div.wide { overflow-x: auto; }
figure { margin: 1rem 0; } img { max-width: 100%; } figcaption { color: #44525f; }
code, pre { background: #f3f5f7; padding: .1rem .3rem; } pre { padding: .6rem; overflow-x: auto; }
"""

_TESTED = {"n_seeds": "seeds", "n_persons": "persons", "n_clips": "test clips"}
_COLUMNS = {
    "accuracy": ("accuracy", 3),
    "memory": ("memory", 3),
    "spikes_per_sample": ("spikes/sample", 0),
    "rate": ("rate (Hz)", 2),
    "synaptic_operations": ("synaptic ops/sample", 0),
    "seconds": ("seconds", 1),
}


_HOW = (
    "Paired by clip and by seed. The interval, 95 % for each line alone, is over persons and "
    "seeds, both resampled (pigeonhole bootstrap in closed form: Owen 2007; Cameron, Gelbach & "
    "Miller 2011). p is corrected for the number of lines (Holm 1979); where it is at most 0.05 a "
    "line is called higher or lower, with a chance of 5 % that any is false. Would be seen: the "
    "true difference that four of five such experiments would have resolved. Fewer than five seeds "
    "or three persons give no verdict. Seeds share clips to train on; that is not in the interval."
)
_UNSHOWN = {"dataset", "kind", "clips", "settings", "version", "commit", "predictions"}


class ReportFigure(NamedTuple):
    """A figure with its heading and a sentence that says what to look for.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    title : str
        Heading.
    look_for : str
        One sentence.
    """

    figure: Figure
    title: str
    look_for: str


def attempted(title: str, look_for: str, draw: Callable[[], Figure]) -> list[ReportFigure]:
    """Draw a figure for the page; one that fails is a warning, and the list is empty."""
    try:
        return [ReportFigure(draw(), title, look_for)]
    except MissingDependencyError:
        raise
    except Exception as error:
        _leave_out(title, error)
        return []


def write_report(
    path: str | PathLike[str],
    rows: pl.DataFrame,
    figures: Sequence[ReportFigure] = (),
    *,
    command: str,
    title: str = "Heterogeneous recurrent spiking networks",
) -> None:
    """Write rows and figures as one HTML file that needs nothing else.

    Parameters
    ----------
    path : path
        File to write; replaced if it is there.
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.
    figures : sequence of ReportFigure, default=()
        Figures, embedded as PNG. One that cannot be drawn is left out with a `FigureWarning`.
    command : str
        What makes the report again.
    title : str, default="Heterogeneous recurrent spiking networks"
        Heading of the page.

    Raises
    ------
    ParameterError
        If there is no row.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA
    >>> from hrsnn_rs.report import write_report
    >>> rows = pl.DataFrame(
    ...     [{"system": "HeNHeS", "seed": 0, "accuracy": 0.8}], schema=ROW_SCHEMA)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder, "report.html")
    ...     write_report(page, rows, command="hrsnn demo")
    ...     "0.800" in page.read_text(encoding="utf-8")
    True
    """
    if rows.height == 0:
        raise ParameterError("rows must hold at least one row; got 0.")
    Path(path).write_text(_page(rows, figures, command, title), encoding="utf-8")


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
    lines = [["system", *_TESTED.values(), *(heading for heading, _ in _COLUMNS.values())]]
    for row in summarize(rows).table.iter_rows(named=True):
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
    heading = ["difference", "95 % interval", "p (Holm)", "outcome", "would be seen"]
    table = comparisons(rows, system)
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


def _page(rows: pl.DataFrame, figures: Sequence[ReportFigure], command: str, title: str) -> str:
    first = rows.row(0, named=True)
    seeds = ", ".join(str(seed) for seed in rows["seed"].unique().sort())
    version = first["version"] or "unknown"
    if first["commit"]:
        version += f" (commit {first['commit']})"
    facts = [
        f"<li>data: {_safe(first['dataset'])}, {_n_clips(first)} clips</li>",
        f"<li>seeds: {_safe(seeds)}; each is validated on groups that nothing was fitted to</li>",
        f"<li>hrsnn_rs {_safe(version)}</li>",
    ]
    parts = [
        f"<h1>{_safe(title)}</h1>",
        f"<ul>{''.join(facts)}</ul>",
        f"<p>Made by</p><pre>{_safe(command)}</pre>",
        "<h2>Systems</h2>",
        f"<p class=say>{_safe(verdict(rows))}</p>",
        _table(format_summary(rows)),
        "<p>Mean ± standard deviation over seeds. <em>Memory</em>: clips and their time-reversed "
        "copies, counts of one window over the whole clip; the share in which the direction is "
        "right, given the gesture. 0.5 is chance, and what event counts have by construction. "
        "<em>Synaptic ops</em>: arrivals at synapses (Effective_ACs).</p>",
        "<h2>Differences</h2>",
        _table(format_comparisons(rows)),
        f"<p>{_safe(_HOW)}</p>",
    ]
    beside = beside_paper(rows)
    if beside is not None:
        parts += ["<h2>Beside the paper</h2>", _table(format_paper(rows))]
        parts.append(f"<p>{_safe(beside.words)}</p>")
    for figure, heading, look_for in figures:
        try:
            image = base64.b64encode(png(figure)).decode("ascii")
        except Exception as error:
            _leave_out(heading, error)
            continue
        parts.append(
            f"<h2>{_safe(heading)}</h2><figure>"
            f'<img alt="{_safe(heading)}" src="data:image/png;base64,{image}">'
            f"<figcaption>{_safe(look_for)}</figcaption></figure>"
        )
    parts += ["<h2>All rows</h2>", _table(_all_rows(rows))]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _n_clips(row: dict[str, Any]) -> str:
    counts = (row["n_training"], row["n_validation"])
    if None in counts:
        return "-"
    # In several folds each clip is tested, and trained on in the others.
    return str(row["n_validation"] if (row["n_folds"] or 1) > 1 else sum(counts))


def _all_rows(rows: pl.DataFrame) -> list[list[str]]:
    shown = [name for name in rows.columns if name not in _UNSHOWN]
    lines = [[name.replace("_", " ") for name in shown]]
    for row in rows.select(shown).iter_rows():
        lines.append(
            [
                "-"
                if value is None
                else f"{value:,.3f}"
                if isinstance(value, float)
                else str(value)
                for value in row
            ]
        )
    return lines


def _table(lines: list[list[str]]) -> str:
    head = "".join(f"<th>{_safe(cell)}</th>" for cell in lines[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in line) + "</tr>" for line in lines[1:]
    )
    return (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _leave_out(title: str, error: Exception) -> None:
    """Say that a figure is not on the page."""
    words = f"the figure {title!r} is left out: {type(error).__name__}: {error}"
    warnings.warn(words, FigureWarning, stacklevel=3)


def _safe(text: Any) -> str:
    return html.escape(str(text), quote=True)

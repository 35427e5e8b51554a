"""One self-contained HTML page: verdict, tables, figures, and how to make them again.

Images are embedded; the page loads nothing and runs no script. How it is laid out stands in
`templates/`. What the numbers say is worked out in `experiment`, how figures look in `plotting`.
"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hrsnn_rs.arguments import check_text
from hrsnn_rs.errors import FigureWarning, MissingDependencyError, ParameterError
from hrsnn_rs.learning.comparison import check_rows, predictions, summarize, verdict_parts
from hrsnn_rs.learning.paper import beside_paper
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.saving import home_of, replace_file
from hrsnn_rs.plotting.canvas import png
from hrsnn_rs.report.origin import origin
from hrsnn_rs.report.parts import chance, part_lines, parts_of, said_of_parts
from hrsnn_rs.report.tables import comparison_lines, format_paper, summary_lines
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    import polars as pl
    from matplotlib.figure import Figure

#: Columns of rows that only the page reads.
_SHOWN = ("kind", "split", "settings", "n_training", "n_validation", "version", "commit")

_HOW = (
    "Paired by clip and by seed. The interval, 95 % for each line alone, is over persons and "
    "seeds, both resampled (pigeonhole bootstrap in closed form: Owen 2007; Cameron, Gelbach & "
    "Miller 2011). p is corrected for the number of lines (Holm 1979); where it is at most 0.05 a "
    "line is called higher or lower, with a chance of 5 % that any is false. Would be seen: the "
    "true difference that four of five such experiments would have resolved. Fewer than five seeds "
    "or three persons give no verdict. Seeds share clips to train on; that is not in the interval."
)
_UNSHOWN = {"dataset", "kind", "clips", "settings", "version", "commit", "predictions"}
# Pixels of a narrow screen for an inch of a figure: letters of 10 points are then 10 pixels high.
_PIXELS = 72


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
    network: Network | None = None,
) -> None:
    """Write rows and figures as one HTML file that needs nothing else.

    Parameters
    ----------
    path : str or path-like
        File to write; one that is there is replaced at once, once the page is whole.
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.
    figures : sequence of ReportFigure, default=()
        Figures, embedded as PNG. One that cannot be drawn is left out with a `FigureWarning`.
    command : str
        What makes the report again.
    title : str, default="Heterogeneous recurrent spiking networks"
        Heading of the page.
    network : Network, default=None
        One of the networks that were compared, whose parameters are then told. Not changed.

    Raises
    ------
    ParameterError
        If there is no row, an argument is not what it should be, or `path` is a device, a pipe or
        a socket.
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
    home = home_of("path", path)
    check_rows(rows, *_SHOWN)
    if rows.height == 0:
        raise ParameterError("rows must hold at least one row; got 0.")
    check_text("command", command)
    check_text("title", title)
    if not isinstance(figures, Sequence):
        raise ParameterError(f"figures must be a sequence of ReportFigure; got {figures!r}.")
    for index, figure in enumerate(figures):
        if not isinstance(figure, ReportFigure):
            raise ParameterError(f"figures[{index}] must be a ReportFigure; got {figure!r}.")
    if network is not None and not isinstance(network, Network):
        raise ParameterError(f"network must be a Network or None; got {network!r}.")
    page = _page(rows, figures, command, title, network)
    replace_file(home, lambda part: part.write_text(page, encoding="utf-8"))


def _page(
    rows: pl.DataFrame,
    figures: Sequence[ReportFigure],
    command: str,
    title: str,
    network: Network | None,
) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    first = rows.row(0, named=True)
    summary, compared = summarize(rows)
    parts = parts_of(rows, compared)
    beside = beside_paper(rows)
    paper = beside and {"table": format_paper(rows), "words": beside.words}
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return templates.get_template("page.html").render(
        title=title,
        headline=_headline(rows, summary),
        verdict=verdict_parts(rows, compared),
        tested=_tested(rows),
        summary=summary_lines(summary),
        has_memory=rows["memory"].count() > 0,
        parts=part_lines(parts),
        said_of_parts=said_of_parts(parts),
        comparisons=comparison_lines(compared),
        how=_HOW,
        paper=paper,
        figures=list(_images(figures)),
        network=network,
        parameters=None if network is None else _parameters(network),
        settings=_settings(first["settings"]),
        command=command,
        origin=_origin(first),
        rows=_all_rows(rows),
        n_rows=counted(rows.height, "row"),
    )


def _headline(rows: pl.DataFrame, summary: pl.DataFrame) -> str:
    """Accuracy of the best, of what is judged and of the worst, with n and chance."""
    table = summary.drop_nulls("accuracy_mean")
    if table.height == 0:
        return "No accuracy was measured."
    judged = [name for name in ("features", "HeNHeS") if name in table["system"]]
    ranked = table.sort("accuracy_mean", descending=True, maintain_order=True)
    shown = dict.fromkeys([ranked["system"][0], *judged, ranked["system"][-1]])
    means = dict(table.select("system", "accuracy_mean").iter_rows())
    words = ", ".join(
        f"{name} {means[name]:.3f}" for name in sorted(shown, key=lambda name: -means[name])
    )
    by_luck = chance(rows)
    beside = ""
    if by_luck is not None:
        chances = f"; chance {by_luck.level:.3f}"
        beside = chances if by_luck.n_classes > 1 else "; all test clips are of one class"
    said = predictions(rows)
    counts = [("seed", rows["seed"].n_unique()), ("person", said["person"].drop_nulls().n_unique())]
    counts.append(("test clip", said["clip"].n_unique()))
    n = ", ".join(counted(k, name) for name, k in counts if k)
    return f"Accuracy: {words}{beside} (n: {n})."


def _tested(rows: pl.DataFrame) -> dict[str, str]:
    """Say what the scores rest on, and what chance would give."""
    first = rows.row(0, named=True)
    n_clips = _n_clips(first)
    data = first["dataset"] or "unknown"
    told = {"data": data if n_clips is None else f"{data}, {counted(n_clips, 'clip')}"}
    seeds = rows["seed"].unique().sort().to_list()
    told["seeds" if len(seeds) > 1 else "seed"] = ", ".join(map(str, seeds))
    splits = rows["split"].drop_nulls().unique(maintain_order=True).to_list()
    if splits:
        told["split"] = splits[0] if len(splits) == 1 else "other clips left out with each seed"
    said = predictions(rows)
    persons = said["person"].drop_nulls()
    if said.height:
        words = counted(said["clip"].n_unique(), "clip")
        if persons.len():
            words += f" of {counted(persons.n_unique(), 'person')}"
        told["tested on"] = f"{words}, over all seeds" if len(seeds) > 1 else words
    by_luck = chance(rows)
    if by_luck is not None and by_luck.n_classes == 1:
        told["chance"] = "all tested clips are of one class, so that an accuracy says nothing"
    elif by_luck is not None:
        always = f"always the most frequent class: {by_luck.most_frequent:.3f}"
        told["chance"] = f"{by_luck.level:.3f} ({counted(by_luck.n_classes, 'class')}); {always}"
    return told


def _origin(row: dict[str, Any]) -> dict[str, str]:
    """Version of what made the rows; date, machine and versions of what makes the page."""
    version = row["version"] or "unknown"
    if row["commit"]:
        version += f" (commit {row['commit']})"
    return {"hrsnn_rs": version} | origin()


def _images(figures: Sequence[ReportFigure]) -> Iterator[dict[str, str | int]]:
    """Draw what can be drawn."""
    for figure, title, look_for in figures:
        try:
            image = base64.b64encode(png(figure)).decode("ascii")
        except Exception as error:
            _leave_out(title, error)
            continue
        least = round(_PIXELS * figure.get_size_inches()[0])
        yield {"title": title, "look_for": look_for, "image": image, "least": least}


def _parameters(network: Network) -> list[list[str]]:
    table = network.describe()
    return [
        table.columns,
        *(
            [f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in table.iter_rows()
        ),
    ]


def _settings(text: str | None) -> dict[str, str]:
    """Name the settings, those of a part after its name."""
    told: dict[str, str] = {}
    for name, value in json.loads(text or "{}").items():
        if isinstance(value, dict):
            value = ", ".join(f"{of}={inner}" for of, inner in value.items())
        told[name] = "-" if value is None else str(value)
    return told


def _n_clips(row: dict[str, Any]) -> int | None:
    counts = (row["n_training"], row["n_validation"])
    if None in counts:
        return None
    # In several folds each clip is tested, and trained on in the others.
    return int(row["n_validation"] if (row["n_folds"] or 1) > 1 else sum(counts))


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


def _leave_out(title: str, error: Exception) -> None:
    """Say that a figure is not on the page."""
    words = f"the figure {title!r} is left out: {type(error).__name__}: {error}"
    warnings.warn(words, FigureWarning, stacklevel=3)

import base64
import re
from html.parser import HTMLParser

import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.experiment import ROW_SCHEMA
from hrsnn_rs.plotting import figures as plotting
from hrsnn_rs.report.page import ReportFigure, format_comparisons, format_summary, write_report

pytest.importorskip("matplotlib")


class Page(HTMLParser):
    """Collects what a browser would load, and whether tags are closed."""

    void = frozenset({"meta", "img", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.loads, self.open, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "data", "action")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def said(seed, is_right):
    guess = "wave" if is_right else "clap"
    return {"clip": seed, "person": "ann" if seed else "bob", "label": "wave", "predicted": guess}


@pytest.fixture
def rows():
    values = {
        ("event counts", 0): (0.80, 0.50, 0.0),
        ("HoNHoS", 0): (0.82, 0.60, 1234.5),
        ("HeNHeS", 0): (0.81, 0.70, 1300.0),
        ("event counts", 1): (0.79, 0.50, 0.0),
        ("HoNHoS", 1): (0.83, 0.62, 1234.5),
        ("HeNHeS", 1): (0.84, 0.66, 1300.0),
    }
    columns = ("accuracy", "memory", "spikes_per_sample")
    return pl.DataFrame(
        [
            {"system": system, "seed": seed, "dataset": "<made & up>"}
            | dict(zip(columns, measured, strict=True))
            | {"predictions": [said(seed, system != "HoNHoS" or seed == 1)]}
            for (system, seed), measured in values.items()
        ],
        schema=ROW_SCHEMA,
    )


def test_page_is_self_contained(tmp_path, rows):
    path = tmp_path / "report.html"
    figures = [
        ReportFigure(plotting.scores(rows), "Scores", "Look at <the> lines."),
        ReportFigure(plotting.confusion([[1, 0], [0, 1]], "ab"), "Confusion", "Look off."),
    ]
    write_report(path, rows, figures, command="hrsnn demo --seeds 2 > 'x'")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.tags.count("img") == 2
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert not re.search(r"(?i)https?://|url\(|@import|file:", text)
    for source in page.loads:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")


def test_page_says_how_it_was_made(tmp_path, rows):
    path = tmp_path / "report.html"
    write_report(path, rows, command="hrsnn demo --seeds 2")
    text = path.read_text(encoding="utf-8")
    for words in (
        "hrsnn demo --seeds 2",
        "seeds: 0, 1",
        "&lt;made &amp; up&gt;",
        "0.825 ± 0.021",
        "<th>persons</th><th>test clips</th><th>accuracy</th>",
        "<td>accuracy, HoNHoS</td><td>2</td><td>2</td><td>2</td><td>+0.500</td>",
        "No verdict: 2 seeds and 2 persons",
        "Owen 2007",
    ):
        assert words in text


def test_summary_lines(rows):
    lines = format_summary(rows)
    assert [line[0] for line in lines] == ["system", "event counts", "HoNHoS", "HeNHeS"]
    assert lines[2][1:7] == ["2", "2", "2", "0.825 ± 0.007", "0.610 ± 0.014", "1,234"]
    assert format_summary(rows.filter(seed=0))[1][4] == "0.800"
    assert len({len(line) for line in lines}) == 1


def test_comparison_lines(rows):
    lines = format_comparisons(rows)
    assert lines[0][:4] == ["HeNHeS minus", "seeds", "persons", "test clips"]
    assert [line[0] for line in lines[1:]] == ["accuracy, event counts", "accuracy, HoNHoS"]
    assert lines[1][4:] == ["+0.000", "-", "-", "no verdict", "-"]
    again = pl.concat(
        rows.with_columns(
            pl.col("seed") + 2 * k,
            pl.col("predictions").list.eval(
                pl.element().struct.with_fields(
                    pl.field("clip") + 2 * k, pl.concat_str(pl.field("person"), pl.lit(f"{k}"))
                )
            ),
        )
        for k in range(3)
    )
    line = format_comparisons(again)[2]
    assert line[1:5] == ["6", "6", "6", "+0.500"]
    assert re.fullmatch(r"-0\.075 … \+1\.075", line[5])
    assert line[7] == "not resolved"
    assert len(format_comparisons(rows, system="luck")) == 1


def test_no_rows_no_report(tmp_path, rows):
    with pytest.raises(ParameterError, match="at least one row"):
        write_report(tmp_path / "report.html", rows.head(0), command="hrsnn demo")
    assert not (tmp_path / "report.html").exists()

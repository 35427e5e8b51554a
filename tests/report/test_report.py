import base64
import contextlib
import json
import re
from html.parser import HTMLParser

import hrsnn_rs as hr
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.comparison import comparisons
from hrsnn_rs.learning.experiment import ROW_SCHEMA
from hrsnn_rs.plotting import figures as plotting
from hrsnn_rs.report import (
    ReportFigure,
    format_comparisons,
    format_parts,
    format_summary,
    write_report,
)
from hrsnn_rs.report.parts import chance, parts_of, said_of_parts

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
        if source.startswith("#"):
            assert f'id="{source[1:]}"' in text
            continue
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")


def test_page_says_how_it_was_made(tmp_path, rows):
    path = tmp_path / "report.html"
    write_report(path, rows, command="hrsnn demo --seeds 2")
    text = path.read_text(encoding="utf-8")
    for words in (
        "hrsnn demo --seeds 2",
        "<dt>seeds</dt><dd>0, 1</dd>",
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


def test_what_a_reader_wants_to_know_first_stands_on_top(tmp_path, rows):
    path = tmp_path / "report.html"
    write_report(path, rows, command="hrsnn demo")
    text = path.read_text(encoding="utf-8")
    first = text[text.index("<body>") : text.index("<h2>")]
    headline = "Accuracy: HoNHoS 0.825, HeNHeS 0.825, event counts 0.795"
    headline += "; all test clips are of one class"
    assert f"{headline} (n: 2 seeds, 2 persons, 2 test clips)." in first
    assert "No verdict: 2 seeds and 2 persons" in first
    assert "<dt>chance</dt><dd>all tested clips are of one class" in first
    assert "1.000" not in first


def test_one_of_a_kind_is_no_plural(tmp_path, rows):
    path = tmp_path / "report.html"
    one = rows.filter(system="HeNHeS", seed=0).with_columns(
        n_training=0, n_validation=1, split=pl.lit("validation on groups 3")
    )
    write_report(path, one, command="hrsnn demo")
    text = path.read_text(encoding="utf-8")
    for words in (
        "(n: 1 seed, 1 person, 1 test clip).",
        "No verdict: there is no other system to hold HeNHeS against, on the same clips.",
        "&lt;made &amp; up&gt;, 1 clip</dd>",
        "<dt>seed</dt><dd>0</dd>",
        "<dt>split</dt><dd>validation on groups 3</dd>",
        "<dt>tested on</dt><dd>1 clip of 1 person</dd>",
        "<summary>1 row, one for each",
    ):
        assert words in text
    assert not re.search(r"\b1 (clips|persons|seeds|classes|rows|test clips)", text)
    # No table of a heading alone.
    assert "HeNHeS minus" not in text
    bare = one.with_columns(
        pl.lit(None, ROW_SCHEMA["predictions"]).alias("predictions"),
        pl.lit(None, pl.Int64).alias("n_training"),
        pl.lit(None, pl.String).alias("dataset"),
    )
    write_report(path, bare, command="hrsnn demo")
    text = path.read_text(encoding="utf-8")
    assert "<dt>data</dt><dd>unknown</dd>" in text
    assert "No verdict: rows of HeNHeS do not say what was predicted" in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"network": 3}, r"^network must be a Network or None; got 3"),
        ({"rows": 3}, r"^rows must be a polars DataFrame"),
        ({"rows": pl.DataFrame({"system": ["x"]})}, r"^rows must have the column '"),
        ({"figures": 3}, r"^figures must be a sequence of ReportFigure; got 3"),
        ({"figures": [None]}, r"^figures\[0\] must be a ReportFigure; got None"),
        ({"command": None}, r"^command must be a string; got None"),
        ({"title": 3}, r"^title must be a string; got 3"),
        ({"path": 3}, r"^path must be"),
    ],
)
def test_nonsense_is_named_before_a_page_is_written(tmp_path, rows, wrong, message):
    words = {"path": tmp_path / "report.html", "rows": rows, "command": "x"} | wrong
    with pytest.raises(ParameterError, match=message):
        write_report(words.pop("path"), words.pop("rows"), **words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("column", ROW_SCHEMA)
def test_rows_without_a_column_make_a_page_or_are_refused_by_its_name(tmp_path, rows, column):
    path = tmp_path / "report.html"
    with contextlib.suppress(ParameterError):
        write_report(path, rows.drop(column), command="x")
        return
    with pytest.raises(ParameterError, match=f"^rows must have the column '{column}'; it has "):
        write_report(path, rows.drop(column), command="x")
    assert not path.exists()


def test_page_tells_of_network_machine_versions_and_date(tmp_path, rows):
    path = tmp_path / "report.html"
    network = hr.Network(3, 5, neuron=hr.LIF(tau_m=31.25))
    told = {"rate": 3.0, "spikes": None, "readout": {"alpha": "1.5", "scaling": "<x>"}}
    rows = rows.with_columns(settings=pl.lit(json.dumps(told)))
    write_report(path, rows, command="hrsnn demo", network=network)
    text = path.read_text(encoding="utf-8")
    assert "Network(n_inputs=3, n_neurons=5" in text
    assert "<td>tau_m</td><td>ms</td><td>5</td><td>31.25</td>" in text
    assert "<dt>readout</dt><dd>alpha=1.5, scaling=&lt;x&gt;</dd>" in text
    assert "<dt>spikes</dt><dd>-</dd>" in text
    assert re.search(r"<dt>date</dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d UTC</dd>", text)
    assert re.search(r"<dt>machine</dt><dd>.*cores.*</dd>", text)
    assert re.search(r"<dt>versions</dt><dd>Python \d.*numpy \d.*polars \d", text)


def test_counts_that_are_the_same_in_each_line_may_go_on_a_narrow_screen(tmp_path, rows):
    path = tmp_path / "report.html"
    for some, n_tables in (
        (rows, 2),
        (rows.filter((pl.col("seed") == 0) | ~pl.col("system").eq("HoNHoS")), 0),
    ):
        write_report(path, some, command="hrsnn demo")
        assert path.read_text(encoding="utf-8").count("class=once") == n_tables


def many(systems, right, settings=None):
    """Six seeds and persons; `right` says what each system gets right."""
    said = [
        {"clip": k, "person": f"p{k % 6}", "label": "wave" if k % 2 else "clap", "predicted": None}
        for k in range(12)
    ]
    return pl.DataFrame(
        [
            {
                "system": system,
                "seed": seed,
                "accuracy": float(right[system]),
                "settings": settings,
                "predictions": [
                    one | {"predicted": one["label"] if right[system] else "nothing"}
                    for one in said
                ],
            }
            for system in systems
            for seed in range(6)
        ],
        schema=ROW_SCHEMA,
    )


def sentence(rows):
    return said_of_parts(parts_of(rows, comparisons(rows)))


def test_parts_are_what_a_system_has_and_another_has_not():
    right = {"pooled counts": False, "drawn features": True, "features": True, "HeNHeS": False}
    rows = many(right, right)
    lines = {line[0]: line[1:] for line in format_parts(rows)}
    assert lines["part"] == ["with it", "without", "adds", "95 % interval", "outcome"]
    gain = lines["fields at every place, over counts of events there"]
    assert gain[:3] == ["1.000", "0.000", "+1.000"]
    assert gain[4] == "helps"
    assert lines["what these fields have learned"][:3] == ["1.000", "1.000", "+0.000"]
    assert lines["what these fields have learned"][4] == "not resolved"
    assert "features in place of the recurrent network" in lines
    assert sentence(rows).startswith("What helps: fields at every place")
    assert "Not resolved: what these fields have learned (+0.000)." in sentence(rows)


def test_a_network_on_top_of_features_is_held_against_them():
    right = {"features": True, "HeNHeS": False}
    rows = many(right, right, json.dumps({"layers": "stacked"}))
    (line,) = format_parts(rows)[1:]
    assert line[:4] == ["a recurrent network on top of features", "0.000", "1.000", "-1.000"]
    low, high = map(float, line[4].split(" … "))
    assert low < -1.0 < high < 0.0
    assert line[5] == "costs"
    assert sentence(rows) == "What costs: a recurrent network on top of features (-1.000)."


def test_parts_are_not_told_where_none_was_taken_out(tmp_path, rows):
    alone = rows.filter(system="event counts")
    assert format_parts(alone) == []
    assert sentence(alone) == "No part was taken out of any system."
    write_report(tmp_path / "report.html", alone, command="x")
    assert "No part was taken out" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_chance_counts_classes_and_the_most_frequent():
    right = {"HeNHeS": True}
    assert chance(many(right, right)) == (2, 0.5, 0.5)
    one_each = [
        {"clip": k, "person": "a", "label": label, "predicted": "x"}
        for k, label in enumerate("aaab")
    ]
    table = pl.DataFrame(
        [{"system": "HeNHeS", "seed": 0, "predictions": one_each}], schema=ROW_SCHEMA
    )
    assert chance(table) == (2, 0.5, 0.75)
    assert chance(table.with_columns(predictions=pl.lit(None, ROW_SCHEMA["predictions"]))) is None


def test_comparisons_are_worked_out_once_for_a_page(tmp_path, monkeypatch, rows):
    made = []

    def noted(*arguments):
        made.append(arguments)
        return comparisons(*arguments)

    for module in ("learning.comparison", "report.tables", "report.parts"):
        monkeypatch.setattr(f"hrsnn_rs.{module}.comparisons", noted)
    write_report(tmp_path / "page.html", rows, command="hrsnn demo")
    assert len(made) == 1

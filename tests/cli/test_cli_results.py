"""Results are not lost: what could spoil them is tried before work, or spoils only itself."""

import io
import sys

import polars as pl
import pytest
from hrsnn_rs.cli import compare, demo, train
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.learning import rows_file
from hrsnn_rs.plotting import figures

pytestmark = pytest.mark.filterwarnings("default::hrsnn_rs.errors.FigureWarning")
CLIPS = make_gestures(3, 1, duration=400_000)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A folder that is opened as 33 short clips of three persons."""
    for module, opens in ((demo, "open_dataset"), (compare, "open_data")):
        monkeypatch.setattr(module, opens, lambda *_, **__: CLIPS)
    return tmp_path


def output(capsys, *words):
    code = main(list(map(str, words)))
    said = capsys.readouterr()
    return code, said.out, said.err


def demo_words(folder, report):
    return ["demo", "--data", folder, "--seeds", "1", "--neurons", "60", "--report", report]


def compare_words(folder):
    return ["compare", folder, "--seeds", "1", "--neurons", "60", "--variants", "HeNHeS",
            "--controls", "event counts"]  # fmt: skip


# Outputs that cannot be written

OUTPUTS = {
    "--report": (demo, "open_dataset", ["demo", "--data", "gestures-on-disk"]),
    "--output": (compare, "open_data", ["compare", "gestures"]),
    "--model": (train, "open_data", ["train", "gestures"]),
}


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("place", ["missing/out", "file/out", "folder", "/proc/out", "x" * 300])
def test_an_output_that_cannot_be_written_is_refused_before_work(
    capsys, monkeypatch, tmp_path, option, place
):
    module, opens, words = OUTPUTS[option]
    monkeypatch.setattr(module, opens, lambda *_, **__: pytest.fail("work has begun"))
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    code, out, err = output(capsys, *words, option, tmp_path / place)
    assert (code, out) == (1, "")
    assert err.startswith(f"hrsnn: error: {option} must ")
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_trying_an_output_leaves_no_trace(capsys, monkeypatch, tmp_path, option):
    module, opens, words = OUTPUTS[option]

    def fail(*_, **__):
        raise OSError("no data")

    monkeypatch.setattr(module, opens, fail)
    (tmp_path / "old").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("old", "new", "link"):
        assert output(capsys, *words, option, tmp_path / name)[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "old"]
    assert (tmp_path / "old").read_text() == "kept"


# Tables come before figures


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemError, OSError, MemoryError])
@pytest.mark.parametrize("machine", [False, True])
def test_whatever_happens_to_the_figures_the_table_is_there(
    capsys, monkeypatch, folder, tmp_path, error, machine
):
    def broken(*_, **__):
        raise error("too bad")

    monkeypatch.setattr(demo, "demo_figures", broken)
    words = [*demo_words(folder, tmp_path / "r.html"), *(["--json"] if machine else [])]
    code, out, err = output(capsys, *words)
    assert "event counts" in out
    assert "No verdict: 1 seed and 2 persons" in out
    if error is KeyboardInterrupt:
        assert code == 130
    else:
        assert (code, err) == (0, "hrsnn: warning: the report has no figures: too bad\n")
        assert "<h2>Systems</h2>" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_in_the_end_does_not_take_the_table_along(
    capsys, monkeypatch, folder, tmp_path
):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo, "write_report", full)
    monkeypatch.setattr(demo, "demo_figures", lambda *_, **__: [])
    code, out, err = output(capsys, *demo_words(folder, tmp_path / "r.html"))
    assert (code, "event counts" in out, "No space left" in err) == (1, True, True)


def test_a_row_that_cannot_be_written_stops_and_the_rows_before_it_are_kept(
    capsys, monkeypatch, folder, tmp_path
):
    path, write = tmp_path / "rows.parquet", rows_file.replace_file

    def second_is_too_much(home, fill):
        if home.exists():
            raise OSError(28, "No space left on device")
        write(home, fill)

    words = [*compare_words(folder), "--output", path]
    with monkeypatch.context() as patch:
        patch.setattr(rows_file, "replace_file", second_is_too_much)
        code, out, err = output(capsys, *words)
        assert (code, out, "No space left" in err, err.count("\n")) == (1, "", True, 1)
    assert pl.read_parquet(path)["system"].to_list() == ["event counts"]
    assert [file.name for file in tmp_path.glob("rows*")] == ["rows.parquet"]
    code, out, err = output(capsys, *words)
    assert (code, "HeNHeS" in out, err) == (0, True, "")


def test_without_matplotlib_the_table_is_printed_and_the_page_has_no_figures(
    capsys, monkeypatch, folder, tmp_path
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = output(capsys, *demo_words(folder, tmp_path / "r.html"))
    assert code == 0
    assert out.endswith(f"Report: {tmp_path / 'r.html'}\n")
    assert "first minus second" in out
    assert err == (
        "hrsnn: warning: the report has no figures: figures need matplotlib: "
        'pip install "hrsnn_rs[plot]"\n'
    )
    assert "<img" not in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["scores", "raster", "confusion", "time_constants", "weights"])
def test_a_figure_that_fails_is_left_out_alone(capsys, monkeypatch, folder, tmp_path, name):
    pytest.importorskip("matplotlib")

    def broken(*_, **__):
        raise RuntimeError("latex could not be found")

    monkeypatch.setattr(figures, name, broken)
    code, out, err = output(capsys, *demo_words(folder, tmp_path / "r.html"))
    assert code == 0
    assert "first minus second" in out
    assert err.startswith("hrsnn: warning: the figure '")
    assert err.endswith("is left out: RuntimeError: latex could not be found\n")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").count("<img") == 5


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
@pytest.mark.parametrize("words", ["compare", "help"])
def test_a_terminal_without_our_signs_gets_the_table(monkeypatch, folder, encoding, words):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main(list(map(str, compare_words(folder))) if words == "compare" else ["--help"]) == 0
    sys.stdout.flush()
    assert ("event counts" if words == "compare" else "hrsnn demo") in written.getvalue().decode(
        encoding
    )

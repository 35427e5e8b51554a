import json
from functools import partial

import polars as pl
import pytest
from hrsnn_rs.cli import experiment
from hrsnn_rs.cli.command import main
from hrsnn_rs.learning import measure_balance, task_direction, task_interval

SMALL = ("--seeds", "2", "--neurons", "12", "--threads", "1")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Only the shortest condition and the one with delays, of a few samples."""
    chosen = (task_interval.CONDITIONS[0], task_interval.CONDITIONS[-1])
    monkeypatch.setattr(task_interval, "CONDITIONS", chosen)
    few = partial(task_interval.measure_interval, n_samples=4)
    monkeypatch.setitem(experiment._MEASURES, "interval", few)


def output(capsys, *words):
    code = main(["experiment", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_table_rows_and_figure(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    rows, figure = tmp_path / "rows.parquet", tmp_path / "figure.svg"
    words = ("interval", *SMALL, "--output", rows, "--figure", figure)
    code, out, err = output(capsys, *words)
    assert (code, err) == (0, "")
    assert "log-uniform 5-500 ms" in out
    assert "95 % intervals over 2 seeds" in out
    assert pl.read_parquet(rows).height == 40
    assert b"<svg" in figure.read_bytes()


def test_stopped_it_says_so_and_goes_on(capsys, monkeypatch, tmp_path):
    rows = tmp_path / "rows.parquet"
    words = ("interval", *SMALL, "--json", "--output", rows)
    network, n_left = task_interval.Network, 7

    def interrupted(*arguments, **options):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise KeyboardInterrupt
        return network(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(task_interval, "Network", interrupted)
        said = f"hrsnn: interrupted; the same command goes on from {rows}\n"
        assert output(capsys, *words) == (130, "", said)
    kept = pl.read_parquet(rows)
    assert kept.height == 6
    code, out, _ = output(capsys, *words)
    told = json.loads(out)
    assert (code, len(told["rows"]), len(told["outcome"])) == (0, 40, 4)
    assert [row["seconds"] for row in told["rows"][:6]] == kept["seconds"].to_list()


def test_one_seed_has_no_interval(capsys):
    code, out, _ = output(capsys, "interval", *SMALL, "--seeds", "1")
    assert code == 0
    assert "best constant, chosen on this seed;\nof one seed: no interval." in out
    assert "nan" not in out


@pytest.mark.parametrize("words", [("--option", "a=1"), ("--split", "train"), ("--cache",)])
def test_options_of_data_without_data_are_refused(capsys, words):
    code, out, err = output(capsys, "interval", *SMALL, *words)
    assert (code, out) == (1, "")
    assert f"{words[0]} must be left out without --data" in err


def test_balance_has_a_table_and_a_figure_of_its_own(capsys, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    short = partial(measure_balance, balances=[0.5, 2.0], n_samples=400)
    monkeypatch.setitem(experiment._MEASURES, "balance", short)
    figure = tmp_path / "figure.svg"
    code, out, err = output(capsys, "balance", *SMALL, "--figure", figure)
    assert (code, err) == (0, "")
    assert "a rule per synapse" in out
    assert "Widths are of ln(balance)" in out
    assert b"<svg" in figure.read_bytes()


def test_gestures_are_made_up_where_clips_may_be_left_out(capsys, monkeypatch):
    monkeypatch.setattr(experiment, "_GESTURES", (3, 1))
    monkeypatch.setattr(task_direction, "CONDITIONS", task_direction.CONDITIONS[:1])
    code, out, err = output(capsys, "direction", *SMALL, "--seeds", "1", "--json")
    assert (code, err) == (0, "")
    assert {row["n_samples"] for row in json.loads(out)["rows"]} == {33}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("interval", "--data", "gestures"), "and for nothing else; got 'gestures'"),
        (("memory", "--data", "gestures"), "and for nothing else; got 'gestures'"),
        (("speed",), "--data must be given for speed, may be for direction"),
        (("speed", "--data", "/nowhere"), "/nowhere"),
        (
            ("sweep-neurons", "--neurons", "9"),
            "--neurons must be left out for sweep-neurons; got 9",
        ),
        (("interval", "--output", "/nowhere/x.parquet"), "--output must lie in a folder"),
        (("interval", "--figure", "/nowhere/x.png"), "--figure must lie in a folder"),
        (("interval", "--figure", "x.xyz"), "--figure must end in .png, .svg, .pdf"),
    ],
)
def test_mistakes_are_one_line(capsys, words, message):
    code, out, err = output(capsys, *words)
    assert (code, out) == (1, "")
    assert err.startswith("hrsnn: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", ["--output", "--figure"])
def test_a_folder_in_a_file_s_place_is_seen_before_the_work(capsys, monkeypatch, tmp_path, option):
    monkeypatch.setitem(experiment._MEASURES, "interval", lambda *_, **__: pytest.fail("worked"))
    (tmp_path / "there.png").mkdir()
    code, out, err = output(capsys, "interval", *SMALL, option, tmp_path / "there.png")
    assert (code, out) == (1, "")
    assert err.startswith(f"hrsnn: error: {option} must be a file that can be written; got ")
    assert err.count("\n") == 1


def test_rows_are_told_before_the_figure(capsys, monkeypatch, tmp_path):
    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(experiment, "_drawn", broken)
    code, out, err = output(
        capsys, "interval", *SMALL, "--json", "--figure", tmp_path / "figure.png"
    )
    assert (code, err) == (1, "hrsnn: error: no space left\n")
    assert len(json.loads(out)["rows"]) == 40


@pytest.mark.parametrize("words", [(), ("weather",), ("interval", "--seeds", "0")])
def test_wrong_usage_is_2(capsys, words):
    assert output(capsys, *words)[0] == 2

"""Options of data sets by their types, persons by their names, and pipes that nobody reads."""

import inspect as python
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hrsnn_rs.cli import command as cli_command
from hrsnn_rs.cli.command import _COMMANDS, main
from hrsnn_rs.cli.options import typed_options
from hrsnn_rs.datasets.doctor import KNOWN, options_of
from hrsnn_rs.datasets.inspection import Inspection
from hrsnn_rs.errors import ParameterError

OPTIONS = [
    (cls.__name__, parameter)
    for cls in KNOWN
    for parameter in [*python.signature(cls).parameters.values()][3:]
]
#: What is written, what arrives, and what is refused, by annotation without `| None`.
WRITTEN: dict[str, tuple[list[tuple[str, Any]], list[str]]] = {
    "int": ([("3", 3), ("-1", -1), ("007", 7)], ["x", "1.5", "", "true", "1e3"]),
    "bool": ([("true", True), ("False", False)], ["yes please", "2", ""]),
    "tuple[int, int]": (
        [("120x160", (120, 160)), ("120X160", (120, 160)), ("9,8", (9, 8)), ("[9, 8]", (9, 8))],
        ["120", "120x", "axb", "1x2x3", "-1x5", "1.5x2"],
    ),
    "str": ([("warn", "warn"), ("5", "5"), ("^([a-z]+)=_", "^([a-z]+)=_")], []),
    "str | os.PathLike[str]": ([("a/b=c.csv", "a/b=c.csv"), ("7", "7")], []),
    "str | os.PathLike[str] | bool": ([("a.txt", "a.txt"), ("false", False)], []),
    "EventCache | str | os.PathLike[str] | bool": ([("true", True), ("dir", "dir")], []),
}


def found(dataset: str) -> Inspection:
    return Inspection(dataset, "", "", {})


@pytest.mark.parametrize(("dataset", "parameter"), OPTIONS, ids=str)
def test_every_option_of_every_data_set_is_read_by_its_type(
    dataset: str, parameter: python.Parameter
) -> None:
    name, annotation = parameter.name, parameter.annotation
    assert options_of(found(dataset))[name] == annotation
    written, refused = WRITTEN[annotation.removesuffix(" | None")]
    for text, value in written:
        read = typed_options(found(dataset), [f"{name}={text}"])[name]
        assert (read, type(read)) == (value, type(value))
    for text in refused:
        with pytest.raises(ParameterError, match=f"--option {name} must be .*; got {text}") as said:
            typed_options(found(dataset), [f"{name}={text}"])
        assert ("none" in str(said.value)) == annotation.endswith("None")
    if annotation.endswith("None"):
        assert typed_options(found(dataset), [f"{name}=none"]) == {name: None}


@pytest.mark.parametrize("word", ["damaged", "=3", "a b=3", "colour=3"])
def test_options_that_nobody_takes_are_refused(word: str) -> None:
    with pytest.raises(ParameterError, match=r"--option must be (NAME=VALUE|of subject, .* for)"):
        typed_options(found("VideoFolder"), [word])


PERSONS = ("daria", "ido", "moshe")
LAYOUTS = {
    "folders": ("{action}/{person}/{n}.npz", []),
    "names": ("{action}/{person}_{n}.npz", ["--option", "subject=^([a-z]+)_"]),
    "numbers": ("{action}/{n}.npz", ["--option", "clips_per_subject=2"]),
    "index file": ("{action}/x{n}.npz", ["--option", "index_file=INDEX"]),
    "nothing": ("{action}/x{n}.npz", []),
}


def write(root: Path, layout: str) -> list[str]:
    """Write two classes of three persons, two clips of each; give the words of the options."""
    pattern, words = LAYOUTS[layout]
    random, lines = np.random.default_rng(0), ["path,subject"]
    for action in ("bend", "jump"):
        for n in range(6):
            person = PERSONS[n // 2]
            name = pattern.format(action=action, person=person, n=n)
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            t, x = np.sort(random.integers(0, 200_000, 900)), random.integers(0, 60, 900)
            x, y = (x, t // 3400) if action == "bend" else (t // 3400, x)
            np.savez(path, t=t, x=x, y=y, p=random.integers(0, 2, t.size))
            lines.append(f"{name},{person}")
    (root / "persons.csv").write_text("\n".join(lines))
    return [word.replace("INDEX", str(root / "persons.csv")) for word in words]


def said(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main([*map(str, words), "--json"]) == 0
    row: dict[str, Any] = json.loads(capsys.readouterr().out)
    return row


@pytest.mark.filterwarnings("ignore::hrsnn_rs.errors.CalibrationWarning")
@pytest.mark.filterwarnings("ignore::hrsnn_rs.errors.DataWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_persons_are_chosen_by_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str
) -> None:
    root, model = tmp_path / "clips", tmp_path / "m"
    options = write(root, layout)
    persons = ["0", "1", "2"] if layout == "numbers" else [*PERSONS]
    train = ["train", root, *options, "--model", model, "--windows", 2]
    known = layout != "nothing"
    row = said(capsys, "data", "doctor", root, *options)
    assert row["names"].get("subjects") == (persons if known else None)
    if known:
        row = said(capsys, *train, "--groups", *persons[:2])
        assert (row["groups"], row["n_samples"]) == (persons[:2], 8)
        row = said(capsys, "evaluate", model, root, *options, "--groups", persons[2])
        assert (row["groups"], row["seen_in_training"]) == ([persons[2]], False)
        row = said(capsys, "evaluate", model, root, *options, "--groups", persons[0])
        assert row["seen_in_training"]
        assert main([*map(str, train), "--groups", "eve"]) == 1
        err = capsys.readouterr().err
        assert err == f"hrsnn: error: --groups must be of {', '.join(persons)}; got eve.\n"
    else:
        assert main([*map(str, train), "--groups", "0"]) == 1
        assert "--groups must be left out: nothing says who is in" in capsys.readouterr().err
        row = said(capsys, *train)
        assert row["groups"] == []
        row = said(capsys, "evaluate", model, root)
        assert (row["groups"], row["n_seen_in_training"]) == ([], 12)
    assert row["subjects_known"] is known
    if layout == "names":
        wrong = ["demo", "--data", str(root), *options, "--option", "colour=3", "--json"]
        assert main(wrong) == 1
        assert "--option must be of subject, " in capsys.readouterr().err
    few = ["--variants", "--controls", "event counts", "--features", "--no-memory", "--seeds", 1]
    rows = said(capsys, "compare", root, *options, *few)["rows"]
    assert [one["subjects_known"] for one in rows] == [known]
    assert (
        said(capsys, "data", "index", root, *options, "-o", tmp_path / "i")["subjects_known"]
        is known
    )


def piped(root: Path) -> dict[str, list[str]]:
    """One use of each command that writes to stdout, and of each that fails or helps."""
    words = {
        "train": ["train", str(root), "--model", str(root / "m")],
        "evaluate": ["evaluate", str(root / "m"), str(root)],
        "live": ["live", str(root / "m"), str(root / "bend" / "daria" / "0.npz"), "--speed", "100"],
        "compare": [
            *["compare", str(root), "--variants", "--controls", "event counts", "--no-memory"],
            *["--seeds", "1"],
        ],
        "demo": ["demo", "--data", str(root), "--seeds", "1", "--neurons", "30", "--json"],
        "experiment": ["experiment", "interval", "--seeds", "1", "--neurons", "20"],
        "search": [
            *["search", str(root), "-o", str(root / "study.db"), "--trials", "1"],
            *["--neurons", "30", "--folds", "2"],
        ],
        "doctor": ["data", "doctor", str(root)],
        "index": ["data", "index", str(root), "-o", str(root / "i.parquet")],
        "cache": ["data", "cache", str(root / "cache")],
        "help": ["--help"],
        "help of a command": ["train", "--help"],
        "version": ["--version"],
    }
    assert set(_COMMANDS) - {"data"} <= set(words)
    return words


class Closed(io.StringIO):
    """A stream that nobody reads."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.filterwarnings("ignore::hrsnn_rs.errors.CalibrationWarning")
@pytest.mark.parametrize("command", piped(Path()))
def test_every_command_notices_that_nobody_reads(
    tmp_path: Path,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if command == "search":
        pytest.importorskip("optuna")
    write(tmp_path, "folders")
    if command in ("evaluate", "live"):
        assert main(piped(tmp_path)["train"]) == 0
    stopped: list[bool] = []
    monkeypatch.setattr(cli_command, "_stop_writing", lambda: stopped.append(True))
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdout", Closed())
    code = main(piped(tmp_path)[command])
    assert (code, stopped) == (141, [True])
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="no pipes that close")
@pytest.mark.parametrize("words", [["data", "doctor", "."], ["--help"], ["dance"]])
@pytest.mark.parametrize("errors_too", [False, True])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_quietly(
    tmp_path: Path, words: list[str], errors_too: bool, unbuffered: str
) -> None:
    write(tmp_path, "folders")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hrsnn_rs", *words],
            stdout=writing,
            stderr=writing if errors_too else subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            timeout=120,
            check=False,
        )
    finally:
        os.close(writing)
    if words == ["dance"]:
        assert done.returncode in (2, 141)
    else:
        assert done.returncode in (0, 141)
        assert not done.stderr

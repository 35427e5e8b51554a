"""The doctor and `hrsnn data`: an answer for whatever lies in a folder."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from aedat_files import write_aedat
from dvs128_folders import write_tonic
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets.doctor import KNOWN, inspect, open_dataset, told
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import EventFolder
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.errors import FormatError, ParameterError


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "clips"
    for name in ("clap", "wave"):
        (tmp_path / name).mkdir(parents=True)
        for n in range(6):
            np.savez(tmp_path / name / f"{n}.npz", t=[n, 9], x=[n, 1], y=[0, len(name)], p=[1, 0])
    np.savez(tmp_path / "clap" / "2.npz", t=[3, 9], x=[77, 1], y=[0, 1], p=[1, 0])
    for n in range(6):
        np.savez(tmp_path / "wave" / f"{n}.npz", t=[n, 9], x=[n, 2], y=[3, 1], p=[1, 0])
    return tmp_path


def output(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["data", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_sound_folders_are_0(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output(capsys, "doctor", clips)
    assert (code, err) == (0, "")
    assert out.startswith("Looks like EventFolder: [<split>/]<class>/[<person>/]<clip>\nOpen it")
    assert "samples: 12" in out
    assert "Nothing wrong was found." in out
    assert "Read 12 of 12 samples in files .npz." in out
    assert "classes: 2 (clap, wave)" in out
    code, out, _ = output(capsys, "doctor", clips, "--json")
    found = json.loads(out)
    assert (code, found["dataset"], found["found"], found["read"]) == (
        0,
        "EventFolder",
        {"samples": 12, "classes": 2},
        {".npz": [12, 12]},
    )
    assert found["complete"]
    assert found["sound"]


def test_what_is_wrong_with_clips_is_1(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "empty").mkdir()
    (clips / "clap" / "first.npz").write_bytes((clips / "clap" / "0.npz").read_bytes())
    (clips / "wave" / "7.npz").write_bytes((clips / "wave" / "0.npz").read_bytes()[:100])
    (clips / "wave" / "8.npz").write_bytes(b"")
    np.savez(clips / "wave" / "9.npz", t=[1])
    np.savez(clips / "3.npz", t=[1])
    code, out, _ = output(capsys, "doctor", clips, "--json")
    assert code == 1
    said = {(one["kind"], one["path"]) for one in json.loads(out)["problems"]}
    assert said == {
        ("missing", "empty"),
        ("duplicated", "clap/first.npz"),
        ("truncated", "wave/7.npz"),
        ("truncated", "wave/8.npz"),
        ("unreadable", "wave/9.npz"),
        ("misplaced", "3.npz"),
        ("note", "."),
    }
    code, out, _ = output(capsys, "doctor", clips)
    assert code == 1
    for line in ("missing: 1", "truncated: 2", "  empty: a class or person without samples"):
        assert line in out


def test_unknown_folders_get_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = output(capsys, "doctor", tmp_path)
    assert code == 1
    assert "the folder is empty" in out
    (tmp_path / "DvsGesture.tar.gz").touch()
    (tmp_path / "notes").mkdir()
    code, out, _ = output(capsys, "doctor", tmp_path)
    assert code == 1
    assert "an archive: unpack it first" in out
    assert "Known are: DVS128 Gesture" in out
    with pytest.raises(FormatError, match="nothing here is known; see `hrsnn data doctor"):
        open_dataset(tmp_path)
    code, out, err = output(capsys, "doctor", tmp_path / "missing")
    assert (code, out) == (1, "")
    assert err == f"hrsnn: error: {tmp_path / 'missing'}: no such folder.\n"
    for words in ([], ["doctor"], ["operate", "x"]):
        assert output(capsys, *words)[0] == 2


def test_folders_are_opened_as_what_they_are(clips: Path, tmp_path: Path) -> None:
    assert isinstance(open_dataset(clips), EventFolder)
    write_tonic(tmp_path / "t" / "DVSGesture", ["user24_led", "user01_led"])
    opened = open_dataset(tmp_path / "t", "test")
    assert isinstance(opened, DVS128Gesture)
    assert (opened.part, len(opened)) == ("test", 11)
    with pytest.raises(ParameterError, match="EventFolder: split must be one of none"):
        open_dataset(clips, "test")
    assert all(one.inspect(tmp_path / "nowhere") is None for one in KNOWN)


def test_long_lists_are_cut_and_complete_ones_praised() -> None:
    problems = tuple(Problem("missing", f"{n}.avi", "gone") for n in range(30))
    said = told(Inspection("KTH", "six folders", "kth", {"samples": 5}, {"samples": 35}, problems))
    assert "and 10 more (--json has all)" in said
    assert said.endswith("Not complete: 5 of 35 samples.")
    assert told(Inspection("KTH", "six", "k", {"a": 1}, {"a": 1})).endswith("All is well.")
    with pytest.raises(ParameterError, match="kind must be one of missing"):
        Problem("bad", "a", "b")


def test_index_is_a_table(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "index.parquet"
    code, out, _ = output(capsys, "index", clips, "-o", table, "--json")
    row = json.loads(out)
    assert (code, row["n_samples"], row["n_subjects"], row["n_events"]) == (0, 12, None, None)
    read = pl.read_parquet(table)
    assert read.equals(EventFolder(clips).index)
    code, out, err = output(capsys, "index", clips, "-o", table, "--count")
    assert (code, err) == (0, "")
    assert pl.read_parquet(table)["n_events"].to_list() == [2] * 12
    assert list(tmp_path.glob("*.part")) == []
    (clips / "wave" / "3.npz").write_bytes(b"")
    code, out, err = output(capsys, "index", clips, "-o", table, "--count")
    assert (code, out) == (1, "")
    assert "3.npz" in err
    assert len(pl.read_parquet(table)) == 12
    code, _, err = output(capsys, "index", clips, "-o", tmp_path / "no" / "t.parquet")
    assert code == 1
    assert "--output must lie in a folder that exists" in err
    assert inspect(clips).found["samples"] == 12


# Clips of a handful of events drive a network only through strong synapses: not the matter here.
@pytest.mark.filterwarnings("ignore::hrsnn_rs.errors.CalibrationWarning")
def test_a_model_is_trained_and_evaluated_on_official_parts_by_path_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model = tmp_path / "DVSGesture", tmp_path / "m.safetensors"
    write_tonic(folder, ["user01_led", "user02_led", "user03_led", "user24_led"])
    words = ["train", str(folder), "--split", "train", "--model", str(model)]
    assert main([*words, "--windows", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"] == [1, 2, 3]
    for split, warning in (("test", None), ("train", "33 of these clips were trained on")):
        assert main(["evaluate", str(model), str(folder), "--split", split, "--json"]) == 0
        row = json.loads(capsys.readouterr().out)
        assert (row["n_samples"], row["split_warning"]) == (11 if split == "test" else 33, warning)
    assert main(["evaluate", str(model), "gestures", "--split", "test"]) == 1
    assert "--split must be left out for gestures" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["npz", "compressed", "aedat"])
@pytest.mark.parametrize("n_late", [0, 1, 3])
def test_a_clock_that_begins_late_is_noted(tmp_path, suffix, n_late):
    folder = tmp_path / "wave"
    folder.mkdir()
    for number in range(3):
        t = np.array([10, 20, 30]) + (5_000_000 + number) * (number < n_late)
        if suffix == "aedat":
            write_aedat(folder / f"{number}.aedat", t, [1, 2, 3], [1, 2, number], [0, 1, 1])
        else:
            save = np.savez if suffix == "npz" else np.savez_compressed
            save(folder / f"{number}.npz", t=t, x=[1, 2, 3], y=[1, 2, number], p=[0, 1, 1])
    found = inspect(tmp_path)
    notes = [problem for problem in found.problems if "first event" in problem.words]
    assert found.is_sound
    assert len(notes) == (n_late > 0)
    if n_late:
        assert notes[0].path.startswith(f"wave/{n_late - 1}.")
        assert f"and {n_late} of 3 recordings begin at 1 s or later" in notes[0].words
        assert "start='zero'" in told(found)

"""`hrsnn compare`: folds, controls and targets by their words, going on, and the paper's table."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from dvs128_folders import write_tonic
from hrsnn_rs.cli import compare as command
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.learning import CITATION, Clips
from hrsnn_rs.learning.fold_work import FoldWork

FEW = ("--features", "--neurons", 40, "--seeds", 2, "--threads", 1, "--no-memory")
USERS = ("user01_natural", "user02_lab", "user24_fluorescent")
RECORDED = Path(os.environ.get("HRSNN_DATA", "-"))


@pytest.fixture(scope="module")
def clips():
    """Short clips of five persons, of whom two are the official part to test on."""
    parts = np.array(["train", "train", "test", "test", "train"]).repeat(11)
    return replace(Clips.of_dataset(make_gestures(5, 1, duration=400_000)), parts=parts)


@pytest.fixture
def folder(clips, monkeypatch):
    """A word for these clips."""
    monkeypatch.setattr(command, "open_data", lambda _: None)
    monkeypatch.setattr(command.Clips, "of_dataset", lambda *_, **__: clips)
    return "clips"


def output(capsys, *words):
    code = main(["compare", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def rows_of(capsys, *words):
    code, out, err = output(capsys, *words, *FEW, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)["rows"]


def test_folds_are_asked_for_by_a_word_or_a_number(capsys, folder):
    counts = ("--variants", "--controls", "event counts")
    for words, n_folds, n_tested in (
        ((), 5, 55),
        (("--folds", "groups"), 5, 55),
        (("--folds", 2), 2, 55),
        (("--folds", "official"), 1, 22),
        (("--folds", "one"), 1, 22),
    ):
        found = {
            (row["n_folds"], row["n_validation"])
            for row in rows_of(capsys, folder, *counts, *words)
        }
        assert found == {(n_folds, n_tested)}, words


def test_the_best_homogeneous_and_spikes(capsys, folder, tmp_path):
    words = ("--variants", "HoNHoS", "HeNHeS", "--controls", "--folds", 2, "--epochs", 0)
    harder = ("--homogeneous", "best", "--spikes", 80, "--output", tmp_path / "rows.parquet")
    best = rows_of(capsys, folder, *words, *harder)
    assert [row["homogeneous"] for row in best] == ["best"] * 4
    assert [row["tau_m"] is None for row in best] == [False, True] * 2
    # 80 spikes on training clips of other persons; 3 Hz would be 48.
    assert all(60 < row["spikes_per_sample"] < 110 for row in best)
    assert '"spikes": 80.0' in best[0]["settings"]
    slow = rows_of(capsys, folder, *words, "--rate", 2)
    assert all(1.0 < row["rate"] < 3.0 for row in slow)
    code, out, _ = output(capsys, folder, *words, *FEW, *harder)
    assert code == 0
    assert "Tested: 5 groups left out in 2 folds." in out
    assert re.search(r"best of eight .* chosen in each fold .*; most often \d+ ms\.", out)


def test_stopped_it_says_how_to_go_on_and_does(capsys, monkeypatch, folder, tmp_path):
    path = tmp_path / "rows.parquet"
    words = (folder, *FEW, "--variants", "HeNHeS", "--controls", "event counts", "--folds", 2)
    code, whole, _ = output(capsys, *words)
    features, n_left = FoldWork._features, 8

    def interrupted(*arguments):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise KeyboardInterrupt
        return features(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(FoldWork, "_features", interrupted)
        said = f"hrsnn: interrupted; the same command goes on from {path}\n"
        assert output(capsys, *words, "--output", path) == (130, "", said)
    kept = pl.read_parquet(path)
    assert kept.select("system", "seed").rows() == [
        ("event counts", 0), ("HeNHeS", 0), ("event counts", 1)
    ]  # fmt: skip
    code, out, err = output(capsys, *words, "--output", path)
    assert (code, err) == (0, "")
    without_seconds = [re.sub(r" +\d+\.\d$", "", text, flags=re.MULTILINE) for text in (whole, out)]
    assert without_seconds[0] == without_seconds[1]
    assert pl.read_parquet(path)["seconds"].to_list()[:3] == kept["seconds"].to_list()
    code, out, err = output(capsys, *words, "--output", path, "--epochs", 2)
    assert (code, out) == (1, "")
    assert err.startswith(f"hrsnn: error: {path} must hold rows of epochs 2 to go on from; got 1")


@pytest.mark.parametrize(
    "words",
    [("--folds", "some"), ("--folds", "1"), ("--folds", "-3"), ("--homogeneous", "worst"),
     ("--rate", "0"), ("--rate", "nan"), ("--spikes", "inf"), ("--spikes", "many"),
     ("--rate", "3", "--spikes", "9")],
)  # fmt: skip
def test_wrong_usage_is_2(capsys, folder, words):
    code, out, err = output(capsys, folder, *words)
    assert (code, out) == (2, "")
    assert err.startswith("usage: hrsnn compare")


def test_folds_that_cannot_be_had_are_one_line(capsys, folder):
    for words, says in (
        (("--folds", "6"), "folds must be at most 5; got 6"),
        (
            ("--variants", "--controls", "--features"),
            "variants, controls and features must hold at least one",
        ),
    ):
        code, out, err = output(capsys, folder, *words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert says in err


# The paper's data sets


def told_beside_the_paper(capsys, folder, *words):
    words = (folder, *FEW, "--variants", "HeNHeS", "--controls", "event counts", *words)
    code, out, _ = output(capsys, *words)
    assert code == 0
    table, sentence = out.strip().split("\n\n")[-2:]
    return [re.split(r"  +", line) for line in table.splitlines()], sentence


# Clips of 100 events hold little to be calibrated on.
@pytest.mark.filterwarnings("default::hrsnn_rs.errors.CalibrationWarning")
def test_dvs128_gesture_by_path_alone_ends_in_the_papers_table(capsys, tmp_path):
    write_tonic(tmp_path / "DvsGesture", list(USERS))
    table, sentence = told_beside_the_paper(capsys, tmp_path / "DvsGesture")
    assert table[0] == ["accuracy", "paper", "here"]
    assert [line[:2] for line in table[2:]] == [["event counts", "-"], ["HeNHeS", "0.965"]]
    assert sentence.startswith(f"Paper: {CITATION}")
    assert "each of 3 groups left out in turn; 32 test clips" in sentence
    table, sentence = told_beside_the_paper(capsys, tmp_path / "DvsGesture", "--folds", "official")
    assert "official split: test, trained on train; 11 test clips" in sentence


@pytest.mark.slow
@pytest.mark.skipif(not (RECORDED / "kth_clips").is_dir(), reason="HRSNN_DATA has no kth_clips")
def test_real_clips_of_kth_by_path_alone(capsys):
    table, sentence = told_beside_the_paper(capsys, RECORDED / "kth_clips")
    assert table[-1][:2] == ["HeNHeS", "0.943"]
    assert "each of 10 groups left out in turn; 44 test clips" in sentence
    assert "The whole set has 2,391 sub-sequences" in sentence


@pytest.mark.skipif(
    not (RECORDED / "dvs128_gesture" / "10.npz").is_file(), reason="HRSNN_DATA has no such clips"
)
def test_real_clips_of_dvs128_gesture_by_path_alone(capsys, tmp_path):
    """There is one clip of each class: three stretches of it stand for three users."""
    for number in range(1, 11):
        with np.load(RECORDED / "dvs128_gesture" / f"{number}.npz", allow_pickle=False) as clip:
            part = np.minimum(3 * clip["t"] // (int(clip["t"][-1]) + 1), 2)
            table = np.stack([clip[name] for name in ("x", "y", "p", "t")], axis=1) // [
                1,
                1,
                1,
                1000,
            ]
        for place, user in enumerate(USERS):
            split = "Test" if user == USERS[-1] else "Train"
            path = tmp_path / "DvsGesture" / f"ibmGesture{split}" / user / f"{number - 1}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, table[part == place].astype(np.float64))
    table, sentence = told_beside_the_paper(capsys, tmp_path / "DvsGesture")
    assert table[-1][:2] == ["HeNHeS", "0.965"]
    assert "30 test clips" in sentence

"""Every data set of video by its path alone: doctor, train, evaluate, compare, and the cache."""

import json
from pathlib import Path

import polars as pl
import pytest
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets.doctor import inspect, open_dataset
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.learning import PUBLISHED
from video_files import moving_square, write_video

N_FRAMES = 6
SIZES = {"KTH": (120, 160), "UCF11": (240, 320), "UCF101": (240, 320), "VideoFolder": (60, 80)}


def name(dataset: str, label: int, group: int) -> str:
    """A clip of one of two classes and of one of four groups, named as in the data set."""
    action = {
        "KTH": ("boxing", "walking"),
        "UCF11": ("biking", "diving"),
        "UCF101": ("Archery", "YoYo"),
        "VideoFolder": ("left", "right"),
    }[dataset][label]
    return {
        "KTH": f"person{10 + group}_{action}_d1_uncomp.avi",
        "UCF11": f"{action}/v_{action}_{group:02}/v_{action}_{group:02}_01.mpg",
        "UCF101": f"{action}/v_{action}_g{group:02}_c01.avi",
        "VideoFolder": f"{action}/person{group}.mp4",
    }[dataset]


@pytest.fixture(scope="module", params=SIZES)
def folder(request, tmp_path_factory) -> Path:
    dataset = request.param
    root = tmp_path_factory.mktemp("data") / dataset
    sides: dict[str, list[str]] = {"train": [], "test": []}
    cuts = []
    for label in (0, 1):
        for group in (1, 2, 3, 4):
            path = root / name(dataset, label, group)
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = moving_square(N_FRAMES, *SIZES[dataset], seed=group, step=3 + 8 * label)
            write_video(path, frames)
            sides["test" if group == 1 else "train"].append(name(dataset, label, group))
            cuts.append(f"{path.stem.removesuffix('_uncomp')}\t\tframes\t1-3, 4-6")
    if dataset == "KTH":
        (root / "00sequences.txt").write_text("\n".join(cuts))
    for side, lines in sides.items() if dataset == "UCF101" else ():
        (root / f"{side}list01.txt").write_text("\n".join(lines))
    return root


def said(capsys, *words: object) -> dict:
    code = main([*map(str, words), "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out)


def test_train_evaluate_and_compare_by_path_alone(capsys, folder, tmp_path):
    n_samples = 16 if folder.name == "KTH" else 8
    found = inspect(folder)
    assert found.dataset == folder.name
    assert found.found["samples"] == n_samples
    assert len(open_dataset(folder)) == n_samples
    model, cache = tmp_path / "m.safetensors", tmp_path / "cache"
    words = ["--cache", cache]
    row = said(capsys, "train", folder, "--model", model, *words)
    assert row["n_samples"] == n_samples
    assert row["n_classes"] == 2
    row = said(capsys, "evaluate", model, folder, "--cache", cache)
    assert row["n_seen_in_training"] == n_samples
    assert row["accuracy"] > 0.6
    table = tmp_path / "rows.parquet"
    few = ["--seeds", 1, "--variants", "HeNHeS", "--controls", "event counts"]
    few += ["--features", "pooled counts"]
    persons = ["--option", r"subject=person(\d)"] if folder.name == "VideoFolder" else []
    row = said(
        capsys,
        "compare",
        folder,
        *few,
        *words,
        *persons,
        "--neurons",
        40,
        "--no-memory",
        "-o",
        table,
    )
    assert [one["system"] for one in row["rows"]] == ["event counts", "HeNHeS", "pooled counts"]
    assert [(one["n_folds"], one["n_validation"]) for one in row["rows"]] == [(4, n_samples)] * 3
    assert row["rows"][0]["split_warning"] is None
    assert row["rows"][0]["subjects_known"] is True
    assert pl.read_parquet(table).height == 3
    if folder.name == "VideoFolder":
        assert row["paper"] is None
    else:
        figures = [(one["system"], one["paper"]) for one in row["paper"]["rows"]]
        assert figures == [
            ("event counts", None),
            ("HeNHeS", PUBLISHED[folder.name].accuracy),
            ("pooled counts", None),
        ]
        assert f"each of 4 groups left out in turn; {n_samples} test clips" in row["paper"]["words"]
    row = said(capsys, "data", "cache", cache)
    assert [(one["dataset"], one["entries"]) for one in row["rows"]] == [(folder.name, n_samples)]


def test_parts_and_options(folder):
    if folder.name == "VideoFolder":
        with pytest.raises(ParameterError, match="VideoFolder: split must be one of none"):
            open_dataset(folder, "train")
        return
    train = open_dataset(folder, "train")
    n_train, n_test = {"KTH": (16, 0), "UCF11": (6, 2), "UCF101": (6, 2)}[folder.name]
    assert len(train) == n_train
    if n_test:
        test = open_dataset(folder, "test")
        assert len(test) == n_test
        assert set(test.groups.tolist()) == {1}
    else:  # persons 11 to 14 are all of the part for training
        with pytest.raises(FormatError, match="no samples of the split 'test'"):
            open_dataset(folder, "test")
    with pytest.raises(ParameterError, match=r"option must be of .*damaged.*; got 'colour'"):
        open_dataset(folder, colour=3)


def test_the_cache_is_listed_and_cleared(capsys, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "cache"))
    assert main(["data", "cache"]) == 0
    assert "0.0 MB in 0 clips" in capsys.readouterr().out
    samples = open_dataset(folder, cache=True)
    samples[0]
    samples[1]
    assert main(["data", "cache", "--list"]) == 0
    out = capsys.readouterr().out
    assert "in 2 clips" in out
    assert folder.name in out
    row = said(capsys, "data", "cache", "--clear")
    assert row["deleted"] == 2
    assert said(capsys, "data", "cache")["rows"] == []


@pytest.mark.filterwarnings("always")
def test_a_damaged_clip_stops_unless_told_otherwise(capsys, tmp_path):
    for label, action in enumerate(("left", "right")):
        for person in (1, 2, 3):
            path = tmp_path / "videos" / action / f"person{person}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, moving_square(12, 60, 80, seed=person, step=3 + 8 * label))
    data = path.read_bytes()
    begin, end = data.index(b"movi"), data.index(b"idx1")
    path.write_bytes(data[: begin + int(0.7 * (end - begin))])
    words = ["train", tmp_path / "videos", "--model", tmp_path / "m"]
    assert main([*map(str, words)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"hrsnn: error: {path}: ")
    assert len(err.splitlines()) == 1
    assert main([*map(str, words), "--option", "damaged=warn"]) == 0
    err = capsys.readouterr().err
    assert f"hrsnn: warning: {path}: " in err
    for wrong in ("damaged", "=3", "fold=2"):
        assert main([*map(str, words), "--option", wrong]) == 1
    assert main(["train", "gestures", "--model", str(tmp_path / "m"), "--split", "train"]) == 1
    assert "--split must be left out for gestures" in capsys.readouterr().err


def test_kth_without_its_sub_sequences_is_still_kth(tmp_path):
    root = tmp_path / "kth"
    path = root / "boxing" / "person01_boxing_d1_uncomp.avi"
    path.parent.mkdir(parents=True)
    write_video(path, moving_square(3, 120, 160))
    assert inspect(root).dataset == "KTH"
    with pytest.raises(FormatError, match=r"no 00sequences.txt; download"):
        open_dataset(root)
    assert len(open_dataset(root, sequences=False)) == 1

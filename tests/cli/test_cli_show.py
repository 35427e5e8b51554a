"""`hrsnn data show`: one clip as a picture."""

import json

import numpy as np
import pytest
from hrsnn_rs.cli import main

pytest.importorskip("matplotlib")


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "clip.npz"
    arrays = {"t": [0, 500, 99_000], "x": [0, 1, 2], "y": [0, 1, 1], "p": [0, 1, 1]}
    np.savez(path, height=2, width=3, **{name: np.array(of) for name, of in arrays.items()})
    return path


def said(capsys, *words):
    code = main([*map(str, words)])
    return code, capsys.readouterr()


@pytest.mark.parametrize(
    ("ending", "options", "n", "begins"),
    [
        ("gif", ["--every", "20", "--slower", "2"], 5, b"GIF89a"),
        ("PNG", ["--frames", "3"], 3, b"\x89PNG"),
        ("pdf", [], 6, b"%PDF"),
    ],
)
def test_a_recording_becomes_a_picture(recording, tmp_path, capsys, ending, options, n, begins):
    output = tmp_path / f"out.{ending}"
    code, streams = said(capsys, "data", "show", recording, "-o", output, *options, "--json")
    assert code == 0
    row = json.loads(streams.out)
    assert (row["n_pictures"], row["n_events"], row["sensor"]) == (n, 3, "2 x 3")
    assert output.read_bytes().startswith(begins)
    assert row["bytes"] == output.stat().st_size


def test_a_clip_of_a_data_set_has_a_class(tmp_path, capsys):
    words = ["data", "show", "gestures", "--sample", "2", "-o", tmp_path / "a.gif", "--json"]
    code, streams = said(capsys, *words)
    assert code == 0
    from hrsnn_rs.datasets import make_gestures

    gestures = make_gestures(n_subjects=12, n_repeats=2, seed=0)
    events, label = gestures[2]
    row = json.loads(streams.out)
    assert (row["class"], row["n_events"]) == (gestures.classes[label], len(events))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "a.mp4"], "--output must end in .gif, .png, .svg, .pdf; got a.mp4."),
        (["-o", "a.gif", "--frames", "3"], "--frames must be left out for a GIF; got a.gif."),
        (["-o", "a.png", "--every", "3"], "--every must be left out for what is no GIF"),
        (["--sample", "1"], "--sample must be left out for a file"),
        (["--every", "0.001"], "every must give at most 5000 pictures"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    recording, tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    code, streams = said(capsys, "data", "show", recording, *options)
    assert code == 1
    assert message in streams.err
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npz"]


def test_a_video_is_shown_as_the_events_it_becomes(tmp_path, capsys):
    pytest.importorskip("av")
    from video_files import moving_square, write_video

    clip = write_video(tmp_path / "clip.avi", moving_square(10, 48, 64))
    output = tmp_path / "a.gif"
    code, streams = said(capsys, "data", "show", clip, "-o", output, "--json")
    assert code == 0
    row = json.loads(streams.out)
    assert (row["sensor"], row["duration"], row["n_pictures"]) == ("48 x 64", 400_000, 10)
    assert row["n_events"] > 100


def test_sets_end(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, streams = said(capsys, "data", "show", "gestures", "--sample", "264")
    assert (code, "--sample must be below 264; got 264." in streams.err) == (1, True)

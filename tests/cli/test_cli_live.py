"""`hrsnn live`: a recording at its own pace, a pipe, and what people and machines see."""

import io
import json
import os
import signal
import sys

import numpy as np
import pytest
from hrsnn_rs.cli import live, live_view
from hrsnn_rs.cli.command import main
from live_models import bar, bits, classifier
from usual_signals import usual


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, and a recording as npz and as text."""
    place = tmp_path_factory.mktemp("live")
    classifier("features").save(place / "model")
    clip = bar(True, 50)
    columns = {name: getattr(clip, name) for name in ("t", "x", "y", "p")}
    np.savez(place / "clip.npz", **columns, height=16, width=16, duration=clip.duration)
    np.savetxt(place / "clip.csv", np.stack([*columns.values()], axis=1), fmt="%d", delimiter=",")
    return place


def said(capsys, folder, source, *words, fast=True):
    speed = ["--speed", "1e6"] if fast and source != "-" else []
    code = main(["live", str(folder / "model"), str(source), *speed, *map(str, words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def scores(out):
    rows = [json.loads(line) for line in out.splitlines()]
    return [(row["t"], row["label"], row["decision"], row["n_spikes"]) for row in rows]


def test_a_recording_is_scored_as_a_stream_is(capsys, folder):
    clip = bar(True, 50)
    stream = classifier("features").stream(every=20.0, window=80.0)
    expected = stream.push(clip, until=clip.duration)
    for ms in (1, 33):
        words = ["--json", "--every", 20, "--window", 80, "--chunk", ms]
        code, out, _ = said(capsys, folder, folder / "clip.npz", *words)
        assert code == 0
        assert scores(out) == [
            (score.t, score.label, score.decision.tolist(), score.n_spikes) for score in expected
        ]
    row = json.loads(out.splitlines()[0])
    words = "t label probability decision n_events n_spikes rate age behind"
    assert list(row) == words.split()
    assert row["probability"].keys() == {"flat", "upright"}


def test_a_pipe_gives_the_scores_of_the_recording(capsys, folder, monkeypatch):
    _, out, _ = said(capsys, folder, folder / "clip.npz", "--json")
    stdin = io.TextIOWrapper(io.BytesIO((folder / "clip.csv").read_bytes()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stdin)
    _, piped, err = said(capsys, folder, "-", "--json")
    # The last one is due at the end of the recording, of which a pipe knows nothing.
    assert scores(piped) == scores(out)[: len(scores(piped))]
    assert len(scores(out)) - len(scores(piped)) <= 1
    assert "events and" in err


def test_lines_for_people(capsys, folder):
    code, out, err = said(capsys, folder, folder / "clip.npz")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "% " in out
    assert "events/s" in out
    assert "a chunk took" in err


def test_bars_in_a_terminal_are_drawn_over_each_other(capsys, folder, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, out, _ = said(capsys, folder, folder / "clip.npz")
    assert out.count("\x1b[3A") == 2
    assert out.count("#") > 10
    assert out.startswith("\x1b[?25l")
    assert out.endswith("\x1b[?25h")
    shown = [line.removeprefix("\x1b[2K") for line in out.splitlines()]
    assert all(len(line) < 90 for line in shown)


def test_only_the_likeliest_are_shown_where_not_all_have_room(capsys, monkeypatch):
    monkeypatch.setattr(live_view.shutil, "get_terminal_size", lambda: os.terminal_size((30, 7)))
    view, stream = live_view.Bars(), classifier("features").stream()
    score = stream.push(bar(True, 50))[0]
    score.__dict__.update(probability=np.array([0.1, 0.3, 0.05, 0.3, 0.2, 0.05]), label="d")
    view._tell(np.array([*"abcdef"]), score, 1e6, 3.0)
    lines = capsys.readouterr().out.splitlines()
    bars = [line.removeprefix("\x1b[2K") for line in lines[1:]]
    assert [line[:3] for line in bars] == ["  a", "  b", "> d", "  e"]
    assert max(map(len, lines)) <= 30 + len("\x1b[2K")


def test_a_state_is_kept_and_gone_on_with(capsys, folder, tmp_path):
    _, whole, _ = said(capsys, folder, folder / "clip.npz", "--json", "--every", 20)
    clip = bar(True, 50)
    half = int(np.searchsorted(clip.t, 90_000))
    columns = {name: getattr(clip, name)[:half] for name in ("t", "x", "y", "p")}
    np.savez(tmp_path / "half.npz", **columns, height=16, width=16, duration=90_000)
    state = tmp_path / "state"
    words = ["--json", "--every", 20, "--save", state]
    _, first, _ = said(capsys, folder, tmp_path / "half.npz", *words)
    code, second, _ = said(capsys, folder, folder / "clip.npz", "--json", "--resume", state)
    assert code == 0
    assert scores(first) + scores(second) == scores(whole)
    code, _, err = said(capsys, folder, folder / "clip.npz", "--resume", state, "--every", 20)
    assert (code, err) == (1, "hrsnn: error: --every must be left out where --resume says it.\n")
    assert said(capsys, folder, folder / "clip.npz", "--save", state)[0] == 0
    code, _, err = said(capsys, folder, folder / "clip.npz", "--resume", state)
    assert code == 1
    assert "FILE must last longer than the" in err


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        (
            "missing.npz",
            [],
            "FILE must be a recording, or -; got {folder}/missing.npz: there is none.",
        ),
        ("", [], "FILE must be a recording, or -; got {folder}: that is a folder."),
        (
            "clip.npz",
            ["--resume", "nix"],
            "--resume must be a file that --save wrote; got nix: there",
        ),
        ("model", [], "must end with one of"),
        ("clip.npz", ["--save", "/nowhere/state"], "--save must lie in a folder that exists"),
        ("clip.npz", ["--resume", "{folder}/model"], "not a live stream of hrsnn_rs but a model"),
        ("wide.npz", [], "FILE must come from a sensor of 16 x 16"),
    ],
)
def test_what_makes_no_sense_is_one_line(capsys, folder, name, words, message):
    np.savez(folder / "wide.npz", t=[1], x=[2], y=[3], p=[1], height=20, width=20)
    words = [word.format(folder=folder) for word in words]
    code, out, err = said(capsys, folder, folder / name, *words)
    assert (code, out) == (1, "")
    assert message.format(folder=folder) in err
    assert err.count("\n") == 1


def test_nonsense_from_a_pipe_is_one_line(capsys, folder, monkeypatch):
    for text in (b"hello\n", b"5,0,1,1\n3,0,1,1\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
        code, _, err = said(capsys, folder, "-")
        assert code == 1
        assert err.startswith("hrsnn: error: standard input: ")
        assert err.count("\n") == 1


def test_a_recording_is_played_no_faster_than_it_was(capsys, folder, monkeypatch):
    slept, clock = [], [0.0]

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(live.time, "sleep", sleep)
    monkeypatch.setattr(live.time, "perf_counter", lambda: clock[0])
    clip = bar(True, 50)
    length = (clip.duration - int(clip.t[0])) / 1e6
    said(capsys, folder, folder / "clip.npz", "--speed", "2", fast=False)
    assert clock[0] == pytest.approx(length / 2, abs=1e-9)
    assert max(slept) < 0.0051


@pytest.mark.parametrize("words", [["--chunk", "1e308"], ["--speed", "1e-300", "--chunk", "1"]])
def test_any_chunk_and_speed_is_played(capsys, folder, monkeypatch, words):
    waited = []
    monkeypatch.setattr(live.time, "sleep", lambda seconds: waited.append(time_for(seconds)))
    code, _, err = said(capsys, folder, folder / "clip.npz", *words, fast=len(words) == 2)
    assert (code, "Traceback" in err) == (0, False)
    assert all(seconds <= 1e9 for seconds in waited)


def time_for(seconds):
    """What `time.sleep` can be asked for."""
    assert round(seconds * 1e9) < 2**63
    return seconds


class Interrupted:
    """A pipe that gives its bytes, and then Ctrl-C instead of more."""

    def __init__(self, data):
        self.pieces, self.buffer = [data], self

    number = signal.SIGINT

    def read1(self, _):
        if not self.pieces:
            signal.raise_signal(self.number)
            pytest.fail("the signal was not heard")
        return self.pieces.pop()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_while_it_waits_is_answered_at_once_and_the_state_kept(
    capsys, folder, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(sys, "stdin", Interrupted((folder / "clip.csv").read_bytes()))
    with usual(name) as number:
        monkeypatch.setattr(Interrupted, "number", number)
        code, out, err = said(capsys, folder, "-", "--json", "--save", tmp_path / "state")
    assert (code, len(scores(out))) == (128 + number, 3)
    assert err.splitlines()[-1] == "hrsnn: interrupted"
    again = live.LiveStream.load(tmp_path / "state", classifier("features"))
    expected = classifier("features").stream()
    expected.push(bar(True, 50))
    assert bits(again.score()) == bits(expected.score())


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_within_a_chunk_is_answered_after_it(capsys, folder, tmp_path, monkeypatch, name):
    push, n_pushed = live.LiveStream.push, [0]

    def interrupted(stream, *arguments, **settings):
        n_pushed[0] += 1
        if n_pushed[0] == 3:
            signal.raise_signal(number)
        return push(stream, *arguments, **settings)

    monkeypatch.setattr(live.LiveStream, "push", interrupted)
    with usual(name) as number:
        code, _, err = said(capsys, folder, folder / "clip.npz", "--save", tmp_path / "state")
    assert (code, n_pushed[0]) == (128 + number, 3)
    assert "hrsnn: interrupted" in err
    first = int(bar(True, 50).t[0])
    assert live.LiveStream.load(tmp_path / "state", classifier("features")).t == first + 30_000


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("source", "words", "told"),
    [
        ("-", ["--speed", 2], "--speed is of no effect: a pipe gives its events at its own pace"),
        ("-", ["--speed", 2, "--chunk", 5], "--speed and --chunk are of no effect"),
        ("-", ["--form", "csv"], ""),
        ("clip.npz", ["--form", "raw"], "--form is of no effect: a recording's name says"),
        ("clip.npz", ["--chunk", 5], ""),
    ],
)
def test_options_of_the_other_source_are_named(capsys, folder, monkeypatch, source, words, told):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b""), encoding="utf-8"))
    place = source if source == "-" else folder / source
    code, _, err = said(capsys, folder, place, *words)
    assert code == 0
    assert err.count("warning") == bool(told)
    assert f"hrsnn: warning: {told}" in err or not told

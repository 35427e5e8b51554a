import contextlib
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.cli import command, demo
from hrsnn_rs.cli.command import main
from hrsnn_rs.learning import CONTROLS
from hrsnn_rs.network import kept_training
from usual_signals import usual

SIDE = 34
KEPT = ["{folder}", "--model", "{model}", "--layers", "recurrent", "--checkpoint"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, four persons of five clips each, as npz files in folders of persons."""
    root = tmp_path_factory.mktemp("clips")
    for label, name in enumerate(("down", "right")):
        for number in range(20):
            person = root / name / str(number // 5)
            person.mkdir(parents=True, exist_ok=True)
            random = np.random.default_rng([label, number])
            t = np.sort(random.integers(0, 300_000, 1500))
            along = t / 300_000 * SIDE
            across = random.normal(SIDE / 2 + number % 5, 4.0, t.size)
            x, y = (across, along) if name == "down" else (along, across)
            x, y = (np.clip(part, 0, SIDE - 1).astype(np.int64) for part in (x, y))
            x[0] = y[0] = SIDE - 1
            np.savez(person / f"{number}.npz", t=t, x=x, y=y, p=random.integers(0, 2, t.size))
    return root


@pytest.fixture(scope="module")
def model(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    words = ["train", str(folder), "--model", str(path), "--groups", "0", "1"]
    assert main([*words, "--windows", "2", "--json"]) == 0
    return path


def output(capsys, *words):
    code = main(list(map(str, words)))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_help_shows_examples(capsys):
    code, out, err = output(capsys, "--help")
    assert (code, err) == (0, "")
    for word in ("hrsnn demo", "train", "evaluate", "examples:", "FOLDER holds"):
        assert word in out
    for name in ("demo", "train", "evaluate"):
        code, out, _ = output(capsys, name, "--help")
        assert code == 0
        assert "--json" in out


def test_version(capsys):
    assert output(capsys, "--version") == (0, f"hrsnn {hr.__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["demo", "--seeds", "0"],
        ["demo", "--neurons", "many"],
        ["train", "gestures"],
        ["train", "gestures", "--model", "m", "--epochs", "-1"],
        ["evaluate"],
    ],
)
def test_wrong_usage_is_2(capsys, words):
    code, out, err = output(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("usage: hrsnn")


def test_errors_are_one_line_and_1(capsys, tmp_path, folder, model):
    text = tmp_path / "text.safetensors"
    text.write_text("not a model")
    nowhere = tmp_path / "no" / "where"
    for words in (
        ["train", nowhere, "--model", tmp_path / "m"],
        ["train", folder, "--model", nowhere],
        ["train", folder, "--model", tmp_path / "m", "--groups", "ann"],
        ["evaluate", nowhere, folder],
        ["evaluate", text, folder],
        ["evaluate", model, folder, "--groups", "99"],
        ["demo", "--data", folder, "--report", nowhere],
    ):
        code, out, err = output(capsys, *words)
        assert (code, out) == (1, ""), words
        assert err.startswith("hrsnn: error: "), err
        assert err.count("\n") == 1
        assert "Traceback" not in err


def test_a_bug_is_one_line_and_1(capsys, monkeypatch, folder):
    def broken(*_, **__):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(demo, "open_dataset", broken)
    code, out, err = output(capsys, "demo", "--data", folder)
    assert (code, out, err) == (1, "", "hrsnn: failure: ZeroDivisionError: two lines\n")


def test_interrupt_is_130(capsys, monkeypatch, folder):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "open_dataset", interrupted)
    assert output(capsys, "demo", "--data", folder) == (130, "", "hrsnn: interrupted\n")


def test_evaluate_says_what_was_seen(capsys, folder, model):
    rows = {}
    for groups in (["0", "1"], ["2", "3"], None):
        words = [] if groups is None else ["--groups", *groups]
        code, out, err = output(capsys, "evaluate", model, folder, *words, "--json")
        assert (code, err) == (0, "")
        rows[None if groups is None else "".join(groups)] = json.loads(out)
    assert rows["01"]["seen_in_training"] is True
    assert rows["01"]["n_seen_in_training"] == 20
    assert rows["23"]["seen_in_training"] is False
    assert rows["23"]["n_seen_in_training"] == 0
    assert rows[None]["seen_in_training"] is True
    assert rows[None]["n_samples"] == 40
    assert rows["23"]["accuracy"] > 0.9
    assert set(rows["23"]["recall"]) == {"down", "right"}
    assert rows["23"]["spikes_per_sample"] > 0
    assert rows["23"]["version"] == hr.__version__


def test_seen_clips_are_known_under_another_name(capsys, folder, model, tmp_path):
    (tmp_path / "other" / "down").mkdir(parents=True)
    (tmp_path / "other" / "right").mkdir()
    for place, source in (("down/90", "down/0/3"), ("right/90", "right/2/12")):
        data = (folder / f"{source}.npz").read_bytes()
        (tmp_path / "other" / f"{place}.npz").write_bytes(data)
    _, out, _ = output(capsys, "evaluate", model, tmp_path / "other", "--json")
    row = json.loads(out)
    assert (row["seen_in_training"], row["n_seen_in_training"]) == (True, 1)


def test_evaluate_tells_what_is_known_early(capsys, folder, model):
    _, out, _ = output(capsys, "evaluate", model, folder, "--early", "--json")
    row = json.loads(out)
    assert list(row["early"]) == [f"{share} %" for share in range(10, 101, 10)]
    assert row["early"]["100 %"] == row["accuracy"]


def test_evaluate_for_people(capsys, folder, model):
    code, out, err = output(capsys, "evaluate", model, folder, "--groups", "2")
    assert (code, err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines() if len(line.split()) > 1)
    assert lines["seen_in_training"] == "false"
    assert lines["down"] == "1.000"


def test_demo_prints_table_sentence_and_report(capsys, folder, tmp_path):
    pytest.importorskip("matplotlib")
    report = tmp_path / "report.html"
    words = ["demo", "--data", folder, "--seeds", "2", "--neurons", "40", "--report", report]
    code, out, err = output(capsys, *words)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == [
        "system", "seeds", "persons", "test", "clips", "accuracy", "memory", "spikes/sample",
        "rate", "(Hz)", "synaptic", "ops/sample", "seconds",
    ]  # fmt: skip
    assert [line.split("  ")[0] for line in lines[2:12]] == [
        "event counts", "untrained", "no recurrence", "HoNHoS", "HeNHoS", "HoNHeS", "HeNHeS",
        "features", "drawn features", "pooled counts",
    ]  # fmt: skip
    assert "No verdict: 2 seeds and 4 persons; it takes at least 5 seeds" in out
    against = {
        "features": ("event counts", "HeNHeS", "drawn features", "pooled counts"),
        "HeNHeS": (*CONTROLS, "HoNHoS", "HeNHoS", "HoNHeS"),
    }
    assert [line.split("  ")[0] for line in lines[15:35]] == [
        f"{metric}, {first} - {other}"
        for metric in ("accuracy", "memory")
        for first, others in against.items()
        for other in others
    ]
    text = report.read_text(encoding="utf-8")
    assert text.count('src="data:image/png;base64,') == 6
    assert f"--report {report}" in text


def test_demo_json_parses(capsys, folder):
    words = ["demo", "--data", folder, "--seeds", "1", "--neurons", "40", "--json"]
    code, out, err = output(capsys, *words)
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert len(said["rows"]) == len(said["summary"]) == 10
    assert {one["outcome"] for one in said["comparisons"]} == {"no verdict"}
    assert said["comparisons"][0]["low"] is None
    assert said["verdict"].startswith("No verdict: 1 seed")


@pytest.mark.slow
def test_demo_on_made_up_gestures(capsys):
    words = ["demo", "--subjects", "4", "--seeds", "2", "--neurons", "200", "--json"]
    code, out, _ = output(capsys, *words)
    assert code == 0
    rows = json.loads(out)["rows"]
    assert all(row["memory"] == 0.5 for row in rows if row["system"] == "event counts")


def test_importing_the_command_needs_no_extras():
    code = (
        "import sys; sys.modules.update(matplotlib=None, tqdm=None)\n"
        "from hrsnn_rs.cli import main; raise SystemExit(main(['--version']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.filterwarnings("default")
def test_neurons_of_no_network_are_told_to_be_of_no_effect(capsys, folder, tmp_path):
    words = ["train", folder, "--model", tmp_path / "m", "--neurons", "60", "--json"]
    code, out, err = output(capsys, *words)
    assert (code, json.loads(out)["layers"]) == (0, "features")
    assert err.startswith("hrsnn: warning: --neurons is of no effect: --layers auto is a feature")
    assert err.count("\n") == 1
    code, out, err = output(capsys, *words, "--layers", "stacked", "--epochs", "0")
    assert (code, json.loads(out)["n_neurons"]) == (0, 60)
    assert "--neurons" not in err
    more = [
        "--batch",
        "2",
        "--epochs",
        "3",
        "--checkpoint",
        tmp_path / "kept",
        "--checkpoint-every",
        "9",
    ]
    _, _, err = output(capsys, *words, *more)
    options = "--neurons, --batch, --epochs, --checkpoint, --checkpoint-every"
    assert f"{options} are of no effect: --layers auto" in err
    assert not (tmp_path / "kept").exists()
    assert err.count("\n") == 1


def test_train_goes_on_from_its_checkpoint(capsys, monkeypatch, folder, tmp_path):
    kept = tmp_path / "kept"
    words = ["train", folder, "--layers", "recurrent", "--neurons", "40", "--epochs", "2", "--json"]
    whole = [*words, "--model", tmp_path / "whole.safetensors"]
    parted = [
        *[*words, "--model", tmp_path / "parted.safetensors"],
        *["--checkpoint", kept, "--checkpoint-every", "7"],
    ]
    assert output(capsys, *whole)[0] == 0
    n_left, expect = 50, kept_training._Tally.expect

    def interrupted(*arguments):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise KeyboardInterrupt
        expect(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(kept_training._Tally, "expect", interrupted)
        said = f"hrsnn: interrupted; the same command goes on from {kept}\n"
        assert output(capsys, *parted) == (130, "", said)
    assert not (tmp_path / "parted.safetensors").exists()
    assert (kept / f"checkpoint-{49:012d}.safetensors").exists()
    assert output(capsys, *parted)[0] == 0
    one, other = (hr.Network.load(tmp_path / f"{name}.safetensors") for name in ("whole", "parted"))
    assert (one.recurrent_weights.data == other.recurrent_weights.data).all()
    # Other arguments, other network.
    code, _, err = output(capsys, *parted, "--seed", "1")
    assert (code, "another network" in err) == (1, True)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_ends_a_command_is_told_while_it_is_loaded_too(capsys, monkeypatch, name):
    with usual(name) as number:
        monkeypatch.setattr(command, "import_module", lambda _: signal.raise_signal(number))
        assert output(capsys, "train", "gestures") == (128 + number, "", "hrsnn: interrupted\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to offer")
@pytest.mark.parametrize("is_buffered", [True, False])
@pytest.mark.parametrize(
    "words", ["--version", "--help", "train --help", "live m - --print-config", "data cache"]
)
def test_a_full_disk_is_one_line(capsys, monkeypatch, tmp_path, words, is_buffered):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # Unbuffered, printing itself fails; otherwise the end of the command does.
    with Path("/dev/full").open("wb", buffering=-1 if is_buffered else 0) as full:
        disk = io.TextIOWrapper(full, encoding="utf-8", write_through=not is_buffered)
        monkeypatch.setattr(sys, "stdout", disk)
        monkeypatch.setattr(command, "_stop_writing", lambda: None)
        code = main(words.split())
        with contextlib.suppress(OSError):
            disk.close()
    assert code == 1
    assert capsys.readouterr().err == "hrsnn: error: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["evaluate", "{folder}", "{folder}"],
            "MODEL must be a file that `hrsnn train` wrote; got",
        ),
        (["evaluate", "{folder}/none", "{folder}"], "/none: there is none."),
        (["search", "{folder}", "-o", "{folder}"], "--output must be a file or a URL; got"),
        (["train", *KEPT, "{file}"], "--checkpoint must be a folder; got {file}: file is a file."),
        (
            ["train", *KEPT, "{file}/a/b"],
            "--checkpoint must be a folder; got {file}/a/b: file is a",
        ),
    ],
)
def test_files_and_folders_are_not_taken_for_each_other(capsys, folder, tmp_path, words, said):
    (tmp_path / "file").touch()
    places = {"folder": folder, "file": tmp_path / "file", "model": tmp_path / "m"}
    code, _, err = output(capsys, *(word.format(**places) for word in words))
    assert (code, err.count("\n")) == (1, 1)
    assert said.format(**places) in err
    assert "Errno" not in err

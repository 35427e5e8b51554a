"""Options from a file: as on the command line, which wins; what is in force can be printed."""

import json
import tomllib

import pytest
from hrsnn_rs.cli import main


@pytest.fixture
def config(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def in_force(capsys, *words: str) -> dict[str, object]:
    assert main([*words, "--print-config"]) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_a_file_gives_options_and_the_command_line_wins(config, capsys):
    path = config('seeds = 3\nneurons = 40\nno-memory = true\nvariants = ["HeNHeS"]\n')
    found = in_force(capsys, "compare", "gestures", "--config", path, "--seeds", "2")
    assert found["seeds"] == 2
    assert found["neurons"] == 40
    assert found["no-memory"] is True
    assert found["variants"] == ["HeNHeS"]


def test_what_is_printed_is_a_file_of_the_same_options(config, capsys):
    words = ("train", "gestures", "--model", "m.safetensors", "--groups", "0", "2", "--cache")
    words = (*words, "--option", "seed=3", "--option", "n_subjects=4")
    first = in_force(capsys, *words)
    assert first["groups"] == ["0", "2"]
    assert first["cache"] is True
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in first.items())
    assert in_force(capsys, "train", "gestures", "--config", config(text)) == first


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), {"rate": 5.0}),
        (("--rate", "2"), {"rate": 2.0}),
        (("--spikes", "100"), {"spikes": 100.0}),
        (("--spikes=100",), {"spikes": 100.0}),
    ],
)
def test_an_option_takes_out_what_it_excludes(config, capsys, words, found):
    first = in_force(capsys, "compare", "gestures", "--config", config("rate = 5.0\n"), *words)
    assert {name: first[name] for name in ("rate", "spikes") if name in first} == found


def test_a_file_of_both_is_refused_unless_one_is_given(config, capsys):
    words = ("compare", "gestures", "--config", config("rate = 5.0\nspikes = 50\n"))
    assert main([*words]) == 2
    assert "--config: only one may be given of --rate and --spikes" in capsys.readouterr().err
    assert "rate" not in in_force(capsys, *words, "--spikes", "100")


@pytest.mark.parametrize(
    ("text", "found"), [("true", True), ("false", None), ('"false"', "false"), ('"x"', "x")]
)
def test_a_cache_is_a_folder_or_whether_there_is_one(config, capsys, text, found):
    path = config(f"cache = {text}")
    assert in_force(capsys, "compare", "gestures", "--config", path).get("cache") == found


def test_a_cache_without_a_name_is_refused(config, capsys):
    for words in (("--cache", ""), ("--config", config("cache = ''"))):
        assert main(["compare", "gestures", *words]) == 2
        assert "must be a folder, or have no name after it; got ''" in capsys.readouterr().err


def test_what_was_left_out_is_left_out_again(config, capsys):
    words = ("compare", "gestures", "--features", "--variants", "--controls", "untrained")
    first = in_force(capsys, *words)
    assert (first["features"], first["variants"], first["controls"]) == ([], [], ["untrained"])
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in first.items())
    assert in_force(capsys, "compare", "gestures", "--config", config(text)) == first


def test_options_of_a_data_set_may_be_a_table(config, capsys):
    path = config("[option]\nfold = 2\ndecode = true\n")
    found = in_force(capsys, "compare", "gestures", "--config", path)
    assert found["option"] == ["fold=2", "decode=true"]


def test_a_command_is_handed_what_its_file_says(config, monkeypatch):
    handed = []
    monkeypatch.setattr("hrsnn_rs.cli.compare.run", lambda arguments: handed.append(arguments) or 0)
    path = config('seeds = 1\nno-memory = true\nthreads = 1\nvariants = ["HoNHoS"]\n')
    assert main(["compare", "gestures", "--config", path]) == 0
    (found,) = handed
    assert (found.seeds, found.no_memory, found.threads) == (1, True, 1)
    assert found.variants == ["HoNHoS"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sneeds = 3", "must name options of hrsnn compare; got 'sneeds'"),
        ("config = 'x'", "got 'config'"),
        ("seeds = -1", "seeds in"),
        ("seeds = true", "seeds in"),
        ("variants = 'HeNHeS'", "must be a list; got 'HeNHeS'"),
        ("variants = ['HeHe']", "must be one of HoNHoS, HeNHoS, HoNHeS, HeNHeS; got 'HeHe'"),
        ("json = 1", "must be true or false; got 1"),
        ("threads = [1]", "must be a string or a number; got [1]"),
        ("seeds = ", "must be a TOML file that can be read"),
    ],
)
def test_a_wrong_file_is_refused(text, complaint, config, capsys):
    assert main(["compare", "gestures", "--config", config(text)]) == 2
    said = capsys.readouterr().err
    assert "--config: " in said
    assert complaint in said


def test_an_empty_list_is_refused_where_words_are_needed(config, capsys):
    words = ("train", "gestures", "--model", "m", "--config", config("groups = []"))
    assert main([*words]) == 2
    assert "groups in" in capsys.readouterr().err


def test_a_missing_file_is_refused(capsys, tmp_path):
    assert main(["compare", "gestures", "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml must be a TOML file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--conf", "--config", "--se"])
def test_options_are_named_in_full(config, capsys, option):
    path = config("seeds = 3\n")
    words = ["compare", "gestures", option, "2" if option == "--se" else path, "--print-config"]
    code = main(words)
    said = capsys.readouterr()
    if option == "--config":
        assert (code, tomllib.loads(said.out)["seeds"]) == (0, 3)
    else:
        assert code == 2
        assert f"unrecognized arguments: {option}" in said.err
    assert main(["data", "doctor", "nowhere", "--dee"]) == 2

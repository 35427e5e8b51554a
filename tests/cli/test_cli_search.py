import json
import sys

import hrsnn_rs as hr
import pytest
from hrsnn_rs import search
from hrsnn_rs.cli import search as command
from hrsnn_rs.cli import terminal
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.learning import Clips

SMALL = ("--neurons", "40", "--folds", "2", "--threads", "1")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Few and short gestures."""
    gestures = make_gestures(4, 1, size=32, duration=300_000)
    monkeypatch.setattr(command, "open_data", lambda arguments: gestures)


def output(capsys, tmp_path, *words):
    words = ("gestures", "--output", tmp_path / "study.db", *SMALL, *words)
    code = main(["search", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def told(capsys, tmp_path, *words):
    code, out, err = output(capsys, tmp_path, "--json", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_table_network_and_figure(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    network, figure = tmp_path / "network", tmp_path / "laws.svg"
    code, out, err = output(
        capsys, tmp_path, "--trials", 3, "--network", network, "--figure", figure
    )
    assert (code, err) == (0, "")
    assert "3 trials, the best 3 shown" in out
    assert "80 (3)" in out
    assert "1-200" in out
    assert "Test" not in out
    assert b"<svg" in figure.read_bytes()
    row = told(capsys, tmp_path, "--trials", 3)
    point = {name: row["laws"][name] for name in search.RECIPE}
    made = search.network_of(
        {
            name: hr.description.law.Distribution.from_dict(law) if isinstance(law, dict) else law
            for name, law in point.items()
        },
        2048,
        n_neurons=40,
    )
    # What was written is the network of these laws, ready for a classifier.
    found = hr.Network.load(network)
    gestures = make_gestures(2, 1, size=32, duration=300_000)
    events = Clips.of_dataset(gestures).events[0]
    spikes = [one.run(events, learn=True).spikes for one in (found, made)]
    assert spikes[0].equals(spikes[1])
    assert (found.recurrent_weights != made.recurrent_weights).nnz == 0
    hr.HRSNNClassifier(network=found, rate=row["laws"]["rate"], n_threads=1).fit(gestures)


def test_the_same_command_goes_on(capsys, tmp_path):
    first = told(capsys, tmp_path, "--trials", 2, "--only", "tau_m")
    second = told(capsys, tmp_path, "--trials", 4, "--only", "tau_m")
    assert second["trials"][:2] == first["trials"]
    assert [row["trial"] for row in second["trials"]] == [0, 1, 2, 3]
    assert second["searched"] == ["tau_m"]
    assert second["laws"]["rate"] == 3.0
    assert second["trials"][0]["tau_m.mean"] == 80.0


def test_stopped_it_says_so_and_goes_on(capsys, monkeypatch, tmp_path):
    features, n_left = search.networks.network_features, 5

    def interrupted(*arguments, **options):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise KeyboardInterrupt
        return features(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(search.networks, "network_features", interrupted)
        said = f"hrsnn: interrupted; the same command goes on from {tmp_path / 'study.db'}\n"
        assert output(capsys, tmp_path, "--trials", 3) == (130, "", said)
    assert len(told(capsys, tmp_path, "--trials", 3)["trials"]) == 3


def test_test_persons_are_looked_at_once(capsys, monkeypatch, tmp_path):
    encoded, looked = command.encoded, []
    persons = make_gestures(4, 1, size=32, duration=300_000).subjects

    def noted(dataset, places, encoder, is_json):
        looked.append({int(person) for person in persons[places]})
        return encoded(dataset, places, encoder, is_json)

    monkeypatch.setattr(command, "encoded", noted)
    words = ("--trials", 2, "--only", "rate", "--test-groups", 3)
    first = told(capsys, tmp_path, *words)
    assert looked == [{0, 1, 2}, {3}]
    assert first["test"].keys() == {"n_samples", "accuracy", "accuracy_of_start"}
    assert first["test"]["n_samples"] == 11
    again = told(capsys, tmp_path, *words)
    assert looked == [{0, 1, 2}, {3}, {0, 1, 2}]
    assert again["test"] == first["test"]
    code, _, err = output(capsys, tmp_path, *words[2:], "--trials", 3)
    assert code == 1
    assert "--trials must be at most 2, as many as there were at the test" in err
    assert "Test, once, on 11 clips" in output(capsys, tmp_path, *words)[1]


def test_several_objectives_give_a_front(capsys, tmp_path):
    row = told(capsys, tmp_path, "--trials", 3, "--objectives", "accuracy", "spikes", "--prune",
               "--sampler", "tpe")  # fmt: skip
    assert all(len(one["values"]) == 2 for one in row["trials"])
    fewest = min(row["trials"], key=lambda one: one["spikes"])
    assert fewest["best"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--groups", "0", "1", "--test-groups", "1"), "--test-groups must not be of --groups"),
        (("--test-groups", "9"), "--groups must be of 0, 1, 2, 3; got 9"),
        (("--groups", "0"), "clips must be of at least 2 groups"),
        (("--figure", "/nowhere/x.png"), "--figure must lie in a folder"),
        (("--network", "/nowhere/x"), "--network must lie in a folder"),
        (("--output", "/nowhere/x"), "output must lie in a folder"),
        (("--lost-after", "1"), "lost_after must be"),
        (("--folds", "99999"), "n_folds must be at most 4; got 99999"),
    ],
)
def test_mistakes_are_one_line(capsys, tmp_path, words, message):
    code, out, err = output(capsys, tmp_path, *words)
    assert (code, out) == (1, "")
    assert err.startswith("hrsnn: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("--folds", "1"), ("--neurons", "1")])
def test_what_is_refused_begins_no_study(capsys, tmp_path, words):
    assert output(capsys, tmp_path, "--trials", 1, *words)[0] == 1
    assert list(tmp_path.iterdir()) == []


def test_other_clips_of_the_same_name_and_number_are_refused(capsys, monkeypatch, tmp_path):
    told(capsys, tmp_path, "--trials", 1)
    others = make_gestures(4, 1, size=32, duration=300_000, seed=1)
    monkeypatch.setattr(command, "open_data", lambda arguments: others)
    code, out, err = output(capsys, tmp_path, "--trials", 2)
    assert (code, out) == (1, "")
    assert "the same search: digest of the clips was '" in err


@pytest.mark.parametrize(("option", "value"), [("--split", "train"), ("--option", "fold=2")])
def test_other_parts_of_a_data_set_are_refused(capsys, tmp_path, option, value):
    told(capsys, tmp_path, "--trials", 1)
    code, _, err = output(capsys, tmp_path, "--trials", 1, option, value)
    assert code == 1
    assert f"{option[2:]} was" in err


def test_the_usual_folds_are_three(capsys, tmp_path):
    words = ("gestures", "--output", tmp_path / "study.db", *SMALL[:2], "--trials", "1")
    for folds in ((), ("--folds", "3")):
        assert main(["search", *map(str, words), *folds]) == 0
    assert main(["search", *map(str, words), "--folds", "2"]) == 1
    assert "folds was 3 and is 2" in capsys.readouterr().err


def test_another_search_in_the_same_study_is_refused(capsys, tmp_path):
    told(capsys, tmp_path, "--trials", 1)
    code, _, err = output(capsys, tmp_path, "--trials", 1, "--seed", "1")
    assert code == 1
    assert "seed was 0 and is 1" in err


@pytest.mark.parametrize(
    "words",
    [
        ("search",),
        ("search", "gestures"),
        ("search", "gestures", "-o", "x", "--only", "tau"),
        ("search", "gestures", "-o", "x", "--objectives", "beauty"),
        ("search", "gestures", "-o", "x", "--trials", "0"),
    ],
)
def test_wrong_usage_is_2(capsys, words):
    assert main([*words]) == 2


def test_a_figure_that_cannot_be_drawn_is_refused_before_the_work(capsys, tmp_path, monkeypatch):
    study = tmp_path / "study.db"
    words = ["search", "gestures", "-o", str(study), "--figure", str(tmp_path / "x.xyz")]
    assert main(words) == 1
    assert "--figure must end in .png, .svg, .pdf; got" in capsys.readouterr().err
    monkeypatch.setattr(terminal, "find_spec", lambda name: None)
    assert main([*words[:-1], str(tmp_path / "x.png")]) == 1
    assert "--figure needs matplotlib: pip install" in capsys.readouterr().err
    assert not study.exists()


def test_without_optuna_it_says_what_to_install(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("hrsnn_rs.search")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "hrsnn_rs.cli.search")
    monkeypatch.delattr(hr, "search", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["search", "gestures", "-o", "x"]) == 1
    assert 'the search needs optuna: pip install "hrsnn_rs[search]"' in capsys.readouterr().err

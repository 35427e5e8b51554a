"""README: its example runs as it stands, and its tables have the form of what commands print."""

import re
import tomllib
from pathlib import Path

import numpy as np
import peers_page
import polars as pl
import pytest
from demo_page import N_PERSONS, N_SEEDS
from hrsnn_rs.cli.compare import USUAL_FEATURES, print_rows
from hrsnn_rs.learning import CONTROLS, ROW_SCHEMA
from hrsnn_rs.network import VARIANTS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SYSTEMS = (*CONTROLS, *VARIANTS, *USUAL_FEATURES)
# HeNHeS against the other networks and event counts; features against theirs, these and HeNHeS.
N_PAIRS = len(CONTROLS) + len(VARIANTS) - 1 + len(USUAL_FEATURES) - 1 + 2
NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?"
OUTCOMES = "higher|lower|not resolved|no verdict"


def test_the_example_runs_and_beats_chance(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 15
    exec(compile(example, "README.md", "exec"), {})
    # Eleven classes, 22 clips: by chance 6 or more are right in 1.3 % of all draws.
    scores = [float(line) for line in capsys.readouterr().out.split()]
    assert len(scores) == 2
    assert min(scores) >= 6 / 22


def between(name):
    """What stands between two markers."""
    pattern = rf"<!-- {name}: begin[^\n]*-->\n(.*?)<!-- {name}: end -->"
    (inside,) = re.findall(pattern, README, flags=re.DOTALL)
    return inside.strip()


def made_up_rows():
    """Rows as the demo has them: the same systems, seeds, persons and clips, other numbers."""
    rows = []
    for seed in range(N_SEEDS):
        for place, system in enumerate(SYSTEMS):
            random = np.random.default_rng([seed, place])
            said = [
                {
                    "clip": clip,
                    "person": str(clip // 22),
                    "label": "wave",
                    "predicted": str(random.choice(["wave", "clap"])),
                    "memory": float(random.integers(0, 3)) / 2,
                }
                for clip in range(44 * seed, 44 * seed + 44)
            ]
            accuracy = np.mean([one["predicted"] == "wave" for one in said])
            memory = np.mean([one["memory"] for one in said])
            row = {"system": system, "seed": seed, "accuracy": accuracy, "memory": memory}
            rate = None if system.endswith("counts") else 3.0
            row |= {"rate": rate, "spikes_per_sample": 1000.0 * place}
            row |= {"synaptic_operations": 1e5 * place, "seconds": 1.0, "predictions": said}
            rows.append(row)
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def form(text):
    """The text with every number and outcome replaced by a sign, and no ruler or space."""
    lines = [line for line in text.splitlines() if not re.fullmatch("-*", line)]
    signs = [re.sub(NUMBER, "#", re.sub(OUTCOMES, "@", line)) for line in lines]
    return [re.sub(r" +", " ", line).strip() for line in signs]


def in_two(lines):
    """The lines of the tables, and those of the verdict."""
    begin = next(place for place, line in enumerate(lines) if line.startswith("By "))
    return lines[:begin], lines[begin:]


def cells(line):
    return re.split(r"  +", line)


@pytest.fixture
def shown():
    (inside,) = re.findall(r"```\n(.*?)\n```", between("demo"), flags=re.DOTALL)
    return inside


def test_the_demos_tables_have_the_form_that_the_command_prints(shown, capsys):
    print_rows(made_up_rows(), False, None)
    tables, said = in_two(form(capsys.readouterr().out))
    shown_tables, shown_said = in_two(form(shown))
    assert shown_tables == tables
    assert len(tables) == 1 + len(SYSTEMS) + 1 + 2 * N_PAIRS
    # A line for each metric and system, after one that says of what.
    assert len(shown_said) == len(said) == 1 + 2 * 2
    assert shown_said[0] == said[0]
    # Longer names first, of which shorter ones are parts.
    words = "exceeds|falls short of|is @ from|would have been seen|it"
    known = "|".join([*sorted(SYSTEMS, key=len, reverse=True), words])
    for shown_line, line in zip(shown_said[1:], said[1:], strict=True):
        start = re.match(r"- in (accuracy|memory) (features|HeNHeS) ", line)[0]
        assert shown_line.startswith(start)
        assert re.sub(rf"{known}|[#(),;. ]", "", shown_line.removeprefix(start)) == ""


def test_the_demos_tables_agree_with_each_other(shown):
    lines, said = in_two(
        [line for line in shown.splitlines() if line and not re.fullmatch("-*", line)]
    )
    systems = {cells(line)[0]: cells(line) for line in lines[1 : 1 + len(SYSTEMS)]}
    assert tuple(systems) == SYSTEMS
    for line in systems.values():
        assert line[1:4] == [str(N_SEEDS), str(2 * N_SEEDS), str(44 * N_SEEDS)]
        assert 2 * N_SEEDS <= N_PERSONS
    comparisons = [cells(line) for line in lines[2 + len(SYSTEMS) :]]
    for name, *counts, gap, interval, p, outcome, seen in comparisons:
        metric, first, other = re.split(", | - ", name)
        column = {"accuracy": 4, "memory": 5}[metric]
        mine, theirs = (float(systems[one][column].split()[0]) for one in (first, other))
        # Three numbers, each rounded to three digits.
        assert float(gap) == pytest.approx(mine - theirs, abs=0.0016)
        assert counts == systems[other][1:4]
        low, high = map(float, interval.split(" … "))
        assert low < float(gap) < high
        assert (outcome != "not resolved") == (float(p) <= 0.05)
        (line,) = (one for one in said if one.startswith(f"- in {metric} {first} "))
        assert f" {other} ({gap}" in line
        assert float(seen) > 0
    assert f"By {len(comparisons)} comparisons" in said[0]


def test_the_table_of_speed_is_that_of_the_measurements():
    results = pl.read_parquet(peers_page.RESULTS)
    assert between("bench-peers") == peers_page.ratio_table(results).strip()


def unquoted(text, extras):
    """Hints at extras that a shell would take for a pattern, or that do not exist."""
    hints = re.findall(r"pip install ([^\n`]*?\[[\w,]+\]\"?)", text)
    return [
        hint
        for hint in hints
        if not (match := re.fullmatch(r'"(?:hrsnn_rs|\.)\[([\w,]+)\]"', hint))
        or not set(match[1].split(",")) <= extras
    ]


def test_hints_at_extras_can_be_pasted_into_any_shell():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("python/**/*.py")]:
        assert unquoted(path.read_text(encoding="utf-8"), extras) == [], path
    assert unquoted("pip install hrsnn_rs[plot]", extras) == ["hrsnn_rs[plot]"]
    assert unquoted("pip install 'hrsnn_rs[plot]'", extras) == ["'hrsnn_rs[plot]"]
    assert unquoted('pip install "hrsnn_rs[plots]"', extras) == ['"hrsnn_rs[plots]"']
    assert unquoted('pip install ".[cli,plot]"', extras) == []


def test_readme_says_how_to_install_from_source():
    assert 'pip install ".[cli,plot]"' in README
    assert "pip install ." in README

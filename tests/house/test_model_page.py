"""What docs/model.md says in its tables is what the glossary, the defaults and the tests say."""

import re
from collections import Counter
from pathlib import Path

import hrsnn_rs as hr
import pytest
from hrsnn_rs.network.assembly import INPUT_DELAY, RECURRENT_DELAY

ROOT = Path(__file__).parent.parent.parent
MODEL = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
EQUIVALENCE = ROOT / "tests" / "equivalence"


def section(title: str) -> str:
    """Text of one section of the model page."""
    return re.split(r"^## ", MODEL.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Cells of the tables in `text`, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [k for k, row in enumerate(cells) if set(row[0]) == {"-"}]
    return [row for k, row in enumerate(cells) if k not in rules and k + 1 not in rules]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


PARAMETERS = {
    (name, row[0]): row for row in rows(section("4. Parameters")) for name in names(row[0])
}
STATE = {name: row for row in rows(section("5. State variables")) for name in names(row[0])}
TERMS = {name: row for row in rows(GLOSSARY) if len(row) == 6 for name in names(row[1])}
DEFAULTS = (
    vars(hr.LIF())
    | vars(hr.STDP())
    | vars(hr.AdaptiveThreshold())
    | vars(hr.RandomConnectivity(p=0.1))
    | {
        "delay": {"`delay`, recurrent": RECURRENT_DELAY, "`delay`, inputs": INPUT_DELAY},
        "gain": 1.0,
    }
)
POWERS = str.maketrans("⁷", "7")


def test_no_term_of_the_glossary_stands_twice_under_one_name():
    told = Counter((row[0], row[1]) for row in rows(GLOSSARY) if len(row) == 6 and row[0] != "term")
    assert [both for both, n in told.items() if n > 1] == []


@pytest.mark.parametrize(("name", "label"), PARAMETERS)
def test_a_parameter_is_in_the_glossary_with_its_symbol_and_unit(name, label):
    _, symbol, _, unit, _ = PARAMETERS[name, label]
    _, _, glossary_symbol, glossary_unit, _, _ = TERMS[name]
    assert symbol in glossary_symbol
    assert unit.split(" ")[0] in glossary_unit.split(", ")


@pytest.mark.parametrize("name", STATE)
def test_a_state_variable_is_in_the_glossary_with_its_unit(name):
    assert STATE[name][2] in TERMS[name][3]


@pytest.mark.parametrize(("name", "label"), PARAMETERS)
def test_a_default_is_that_of_the_code(name, label):
    default = DEFAULTS[name]
    default = default[label] if isinstance(default, dict) else default
    said = PARAMETERS[name, label][2].strip("`")
    if said.startswith("10"):
        said = said.translate(POWERS).replace("10", "1e", 1)
    if isinstance(default, float):
        assert float(said) == default
    else:
        assert said == str(default).lower()


def named_tests(cell: str) -> list[tuple[str, str]]:
    """(File, beginning of a test's name) of each test that a cell of section 9 names."""
    return [
        (FILES[letter], name)
        for letter, told in re.findall(r"\b([BNC])\b((?:[ ,]*`[^`]*`)+)", cell)
        for name in names(told)
    ]


FILES = {
    "B": "test_brian2_differences.py",
    "N": "test_nest_differences.py",
    "C": "test_nest_currents.py",
}
DIFFERENCES = rows(section("9. Where other simulators differ"))


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row[0])
def test_a_difference_is_held_by_the_tests_it_names(row):
    told = named_tests(row[-1])
    assert len(told) == row[-1].count("`") // 2 > 0
    for file, name in told:
        tests = re.findall(
            r"^def (test_\w+)", (EQUIVALENCE / file).read_text("utf-8"), re.MULTILINE
        )
        start, end = name.split("…") if "…" in name else (name, "")
        found = [test for test in tests if test.startswith(start) and test.endswith(end)]
        assert len(found) == 1, f"{file} has {len(found)} tests named {name}"


def test_a_difference_without_its_test_is_seen():
    wrong = ["", "", "", "", "B `test_pairing_window`, N `test_of_nothing_…`"]
    assert named_tests(wrong[-1])[1] == ("test_nest_differences.py", "test_of_nothing_…")
    with pytest.raises(AssertionError, match="has 0 tests named test_of_nothing_…"):
        test_a_difference_is_held_by_the_tests_it_names(wrong)

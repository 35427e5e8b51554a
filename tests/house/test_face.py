"""The public face: what is there, what is documented, and what an import costs."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import hrsnn_rs
import pytest

WINGS = sorted(p.parent.name for p in Path(hrsnn_rs.__file__).parent.glob("*/__init__.py"))
HEAVY = {
    "av",
    "faery",
    "h5py",
    "joblib",
    "matplotlib",
    "numpy",
    "optuna",
    "polars",
    "scipy",
    "sklearn",
    "tonic",
    "tqdm",
}
#: What `import hrsnn_rs` loads of the package: itself, the core, the exceptions.
FACE = {"", "_hrsnn", "errors"}
COMMAND = {"cli", "cli.command", "cli.terminal"}
#: What reads and writes the files of a network.
FILES = {
    "network.checkpoint",
    "network.kept_training",
    "network.model_file",
    "network.simulation_file",
}


def lacks_example(item: object) -> bool:
    """Whether a function or class, exceptions apart, has no docstring with an example."""
    if not (inspect.isroutine(item) or inspect.isclass(item)):
        return False
    if inspect.isclass(item) and issubclass(item, BaseException):
        return not item.__doc__
    doc = inspect.getdoc(item) or ""
    return not re.search(r"^Examples\n-{8}\n(.*\n)*?>>> ", doc, re.MULTILINE)


def lacks_doc(item: object) -> bool:
    """Whether a function or class has no docstring."""
    return (inspect.isroutine(item) or inspect.isclass(item)) and not inspect.getdoc(item)


def test_public_names_have_a_docstring_with_an_example() -> None:
    names = hrsnn_rs.__all__
    assert names
    assert [name for name in names if lacks_example(getattr(hrsnn_rs, name))] == []


def test_a_missing_example_is_seen() -> None:
    def bare() -> None:
        """Do nothing."""

    class Shown:
        """A class.

        Examples
        --------
        Nothing happens:

        >>> Shown()
        """

    class DerivedError(Exception):
        """An error."""

    assert lacks_example(bare)
    assert not lacks_example(Shown)
    assert not lacks_example(DerivedError)


def imported_by(*arguments: str) -> set[str]:
    """Modules of this package, and top-level ones of others, loaded once Python has run this."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line]
    return {n if n.startswith("hrsnn_rs") else n.partition(".")[0] for n in names}


def own(names: set[str]) -> set[str]:
    """Those of this package, without its name."""
    return {name.partition(".")[2] for name in names if name.startswith("hrsnn_rs")}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-c", "import hrsnn_rs"), FACE),
        (("-m", "hrsnn_rs", "--version"), FACE | COMMAND),
        (("-m", "hrsnn_rs", "--help"), FACE | COMMAND),
    ],
    ids=["import", "version", "help"],
)
def test_import_loads_next_to_nothing(arguments: tuple[str, ...], expected: set[str]) -> None:
    loaded = imported_by(*arguments)
    assert loaded & HEAVY == set()
    assert own(loaded) == expected


def test_a_network_needs_neither_files_nor_other_wings() -> None:
    code = "import hrsnn_rs as hr; hr.Network, hr.Simulation, hr.Events, hr.presets, hr.LIF"
    loaded = imported_by("-c", code)
    assert loaded & HEAVY == {"numpy"}
    assert {name.partition(".")[0] for name in own(loaded) - FACE} == {
        "arguments",
        "description",
        "events",
        "network",
        "words",
    }
    assert own(loaded) & FILES == set()


def test_an_encoder_needs_no_heavy_library() -> None:
    loaded = imported_by("-c", "import hrsnn_rs as hr; hr.EventEncoder, hr.TemporalContrast")
    assert loaded & HEAVY == {"numpy"}


def test_what_is_imported_is_seen() -> None:
    assert "json" in imported_by("-c", "import json")
    assert "hrsnn_rs.learning.readout" in imported_by("-c", "import hrsnn_rs as hr; hr.learning")


@pytest.mark.parametrize("name", hrsnn_rs.__all__)
def test_public_names_are_there_and_listed(name: str) -> None:
    assert getattr(hrsnn_rs, name) is not None
    assert name in dir(hrsnn_rs)


@pytest.mark.parametrize("wing", WINGS)
def test_names_of_a_wing_are_there_and_documented(wing: str) -> None:
    module = importlib.import_module(f"hrsnn_rs.{wing}")
    assert [n for n in module.__all__ if lacks_doc(getattr(module, n))] == []

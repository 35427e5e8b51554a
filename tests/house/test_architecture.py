"""Rules of the house: who may know whom, how large a file may be, what must be documented.

Each rule is a function from text to complaints, so that a small bad example can prove
that the rule is able to fail.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import hrsnn_rs
import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "python" / "hrsnn_rs"
CORE = ROOT / "rust" / "hrsnn-core"

# Lowest first: each may know those before it, and within a wing a file those before it.
WINGS = {
    "errors": (),
    "arguments": (),
    "events": ("memory_limit", "columns", "sensor", "events"),
    "description": (
        "law",
        "distributions",
        "heterogeneity",
        "connectivity",
        "local_connectivity",
        "explicit_connectivity",
        "parameters",
    ),
    "made_up": ("movements", "gestures", "camera"),
    "recordings": (
        "aedat",
        "foreign_files",
        "event_files",
        "frame_stream",
        "video",
        "cache_entry",
        "cache",
    ),
    "network": (
        "memory",
        "results",
        "assembly",
        "model_file",
        "simulation_file",
        "checkpoint",
        "calibration",
        "state",
        "training",
        "running",
        "network",
        "simulation",
        "presets",
    ),
    "encoding": ("events_to_channels", "contrast", "tables"),
    "datasets": (
        "splits",
        "samples",
        "gesture_set",
        "inspection",
        "base",
        "event_folder",
        "video_dataset",
        "kth",
        "ucf11",
        "ucf101",
        "video_folder",
        "dvs128_files",
        "dvs128_inspection",
        "dvs128_gesture",
        "nmnist",
        "shd",
        "tonic_samples",
        "doctor",
    ),
    "learning": (
        "statistics",
        "metrics",
        "operations",
        "readout",
        "estimator_input",
        "classifier",
        "systems",
        "experiment",
        "tasks",
        "task_interval",
        "task_memory",
        "task_speed",
    ),
    "plotting": ("figures", "task_figures"),
    "report": ("page", "demo_figures"),
    "cli": (
        "terminal",
        "options",
        "compare",
        "demo",
        "train",
        "evaluate",
        "experiment",
        "data",
        "command",
    ),
}
# A wing stands after its files: who knows a wing knows all of them.
PYTHON_ORDER = [
    name for wing, files in WINGS.items() for name in (*(f"{wing}.{file}" for file in files), wing)
]
RUST_ORDER = [
    "real",
    "error",
    "time",
    "pool",
    "random",
    "distribution",
    "csr",
    "connectivity",
    "camera",
    "aedat",
    "neuron",
    "current",
    "stdp",
    "queue",
    "network",
    "excitability",
    "plastic",
    "projection",
    "shard",
    "sample",
    "record",
    "engine",
    "snapshot",
]
ENTRY_POINTS = {"__init__.py", "__main__.py"}
MOST_FILES_BESIDE_WINGS = 4
LONGEST_FILE = 500
NO_ROOMS = {"common", "helper", "helpers", "misc", "util", "utils"}
HEAVY = {
    "av",
    "faery",
    "h5py",
    "joblib",
    "matplotlib",
    "polars",
    "scipy",
    "sklearn",
    "tonic",
    "tqdm",
}


def source_files(*suffixes: str) -> list[Path]:
    """All files of the project with one of these suffixes, outside hidden and built folders."""
    found = [
        path
        for path in ROOT.rglob("*")
        if path.suffix in suffixes
        and not any(
            part.startswith(".") or part in {"target", "__pycache__"}
            for part in path.relative_to(ROOT).parts
        )
    ]
    assert found
    return found


# Order of the Python modules


def python_imports(source: str) -> Iterator[str]:
    """Wings and `wing.file`s that `source` imports, at any depth; private ones left out."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = [module]
            if module == "hrsnn_rs" or module.removeprefix("hrsnn_rs.") in WINGS:
                files = WINGS.get(module.removeprefix("hrsnn_rs."), ())
                names = [
                    f"{module}.{alias.name}"
                    if module == "hrsnn_rs" or alias.name in files
                    else module
                    for alias in node.names
                ]
        for name in names:
            if name.startswith("."):
                yield name
            top, _, module = name.partition(".")
            if top == "hrsnn_rs" and not module.startswith("_"):
                yield module


def out_of_order(module: str, imported: Iterator[str], order: list[str]) -> list[str]:
    """Complaints about a module that is not in `order`, or knows one not standing before it."""
    if module not in order:
        return [f"{module} is not in the order of modules"]
    before = order[: order.index(module)]
    return [f"{module} imports {other}" for other in imported if other not in before]


def module_of(path: Path) -> str:
    """`wing.file`, or the wing of an `__init__.py`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(PACKAGE.rglob("*.py")) if p not in {PACKAGE / e for e in ENTRY_POINTS}],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_python_modules_import_only_from_those_before_them(path: Path) -> None:
    assert out_of_order(module_of(path), python_imports(path.read_text()), PYTHON_ORDER) == []


def test_the_package_is_wings_and_a_few_files() -> None:
    files = {p.name for p in PACKAGE.glob("*.py")}
    assert len(files) <= MOST_FILES_BESIDE_WINGS
    assert {p.stem for p in PACKAGE.glob("*.py") if p.name not in ENTRY_POINTS} | {
        p.parent.name for p in PACKAGE.glob("*/__init__.py")
    } == set(WINGS)


@pytest.mark.parametrize("wing", [wing for wing, files in WINGS.items() if files])
def test_a_wing_says_what_lives_there(wing: str) -> None:
    words = inspect.getdoc(importlib.import_module(f"hrsnn_rs.{wing}")) or ""
    assert "Not here:" in words
    assert re.search(r"[Kk]nows?\b", words)  # whom


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("network.state", "from hrsnn_rs.learning import Readout", "learning"),
        ("network.state", "from hrsnn_rs.learning.readout import Readout", "learning.readout"),
        ("network.state", "def f():\n    from hrsnn_rs import cli", "cli"),
        ("network.state", "import hrsnn_rs.report as r", "report"),
        ("network.state", "from hrsnn_rs import _hrsnn, plotting", "plotting"),
        ("network.state", "from hrsnn_rs.network.network import Network", "network.network"),
        ("network.state", "from hrsnn_rs.network import Network", "network"),
        ("network.state", "from hrsnn_rs import Network", "Network"),
        ("network.state", "import hrsnn_rs", ""),
        ("network.state", "from .results import RunStats", ".results"),
        ("network", "from hrsnn_rs.encoding import EventEncoder", "encoding"),
    ],
)
def test_order_of_python_modules_can_fail(module: str, source: str, complaint: str) -> None:
    complaints = out_of_order(module, python_imports(source), PYTHON_ORDER)
    assert complaints == [f"{module} imports {complaint}"]


def test_order_of_python_modules_can_pass() -> None:
    source = (
        "from hrsnn_rs import _hrsnn\nfrom hrsnn_rs.errors import ShapeError\nimport numpy\n"
        "import hrsnn_rs._x\nfrom hrsnn_rs.events import Events\n"
        "from hrsnn_rs.network.results import RunStats"
    )
    assert out_of_order("network.state", python_imports(source), PYTHON_ORDER) == []
    assert out_of_order("attic", iter(()), PYTHON_ORDER) == ["attic is not in the order of modules"]


# Order of the core's modules


def without_tests_and_comments(source: str) -> str:
    """`source` without `//` comments and without modules under `#[cfg(test)]`."""
    source = re.sub(r"//.*", "", source)
    while (
        start := re.search(r"#\[cfg\(test\)\]\s*(pub(\(\w+\))? )?mod \w+ *\{", source)
    ) is not None:
        depth, end = 1, start.end()
        while depth > 0 and end < len(source):
            depth += {"{": 1, "}": -1}.get(source[end], 0)
            end += 1
        source = source[: start.start()] + source[end:]
    return source


def rust_uses(source: str) -> Iterator[str]:
    """Modules of the core that `source` names; what the crate's root re-exports is left out."""
    source = without_tests_and_comments(source)
    for group, name in re.findall(r"\bcrate::(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\w+))", source):
        flat = re.sub(r"\{[^{}]*\}", "", group)
        for path in flat.split(",") if group else [name]:
            module = path.strip().partition("::")[0]
            if module in RUST_ORDER:
                yield module


@pytest.mark.parametrize(
    "path",
    [p for p in sorted((CORE / "src").rglob("*.rs")) if p.name != "lib.rs"],
    ids=lambda p: str(p.relative_to(CORE)),
)
def test_core_modules_use_only_those_before_them(path: Path) -> None:
    module = path.relative_to(CORE / "src").with_suffix("").parts[0]
    used = (name for name in rust_uses(path.read_text()) if name != module)
    assert out_of_order(module, used, RUST_ORDER) == []


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("use crate::engine::Engine;", ["engine"]),
        ("use crate::{csr::Csr, shard::{Shard, Plan}, Error};", ["csr", "shard"]),
        ("fn f() { crate::snapshot::save() }", ["snapshot"]),
        ("/// See [`crate::engine`].\nuse crate::Error; // crate::engine", []),
        (
            "#[cfg(test)]\nmod tests { use crate::engine::E; mod a { } }\nuse crate::aedat;",
            ["aedat"],
        ),
    ],
)
def test_uses_of_core_modules_are_seen(source: str, used: list[str]) -> None:
    assert list(rust_uses(source)) == used


def test_order_of_core_modules_can_fail() -> None:
    used = rust_uses("use crate::engine::Engine;")
    assert out_of_order("neuron", used, RUST_ORDER) == ["neuron imports engine"]


# The core knows no Python and has no unsafe code


def python_dependencies(manifest: str) -> list[str]:
    """Dependencies of any kind in a Cargo manifest that tie it to Python."""
    tables = tomllib.loads(manifest)
    names = {
        name
        for kind in ("dependencies", "dev-dependencies", "build-dependencies")
        for name in tables.get(kind, {})
    }
    return sorted(name for name in names if name.startswith(("pyo3", "numpy")))


def test_core_knows_no_python() -> None:
    assert python_dependencies((CORE / "Cargo.toml").read_text()) == []
    assert python_dependencies("[dev-dependencies]\npyo3.workspace = true") == ["pyo3"]


def unsafe_code(source: str) -> list[str]:
    """Lines of Rust that open what the compiler does not check, or allow it."""
    code = [line for line in source.splitlines() if not line.lstrip().startswith("//")]
    return [line.strip() for line in code if re.search(r"\bunsafe(_code)?\b", line)]


def unexplained(source: str) -> list[str]:
    """`unsafe` blocks without a comment that says why they are sound, in the two lines before."""
    lines = source.splitlines()
    return [
        line.strip()
        for number, line in enumerate(lines)
        if re.search(r"\bunsafe \{", line)
        and not any("SAFETY:" in before for before in lines[max(0, number - 2) : number])
    ]


def test_unsafe_code_has_one_room_and_gives_reasons() -> None:
    room = CORE / "src" / "real"
    for path in (ROOT / "rust").rglob("*.rs"):
        if path.is_relative_to(room):
            assert unexplained(path.read_text()) == [], path
        else:
            assert unsafe_code(path.read_text()) == [], path
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["lints"]["rust"]
    assert lints["unsafe_code"] == "deny"
    assert unsafe_code("// unsafe\nlet x = unsafe { f() };") == ["let x = unsafe { f() };"]
    assert unexplained("// SAFETY: g\nunsafe { g() }\n\nunsafe { f() }") == ["unsafe { f() }"]


# Files


@pytest.mark.parametrize("path", source_files(".rs", ".py"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_and_named_for_what_they_hold(path: Path) -> None:
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= LONGEST_FILE, f"{n_lines} lines: split it by subject"
    assert path.stem not in NO_ROOMS
    assert path.parent.name not in NO_ROOMS


def dead_links(source: str, folder: Path) -> list[str]:
    """Relative targets of Markdown links in `source` that do not exist under `folder`."""
    source = re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE)
    source = re.sub(r"`[^`\n]*`", "", source)
    targets = re.findall(r"\]\(<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\)", source)
    return [
        target
        for target in targets
        if not re.match(r"[a-z]+:|#", target) and not (folder / target.partition("#")[0]).exists()
    ]


@pytest.mark.parametrize("path", source_files(".md"), ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path.read_text(), path.parent) == []


def test_dead_links_are_seen() -> None:
    source = "[a](attic.md#x) [b](https://x.org) [c](#d) ![e](README.md)\n```\n[f](g)\n```\n"
    assert dead_links(source, ROOT) == ["attic.md#x"]


# The public face


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


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import hrsnn_rs"),
        ("-c", "import hrsnn_rs as hr; hr.Network, hr.Events, hr.presets, hr.EventEncoder"),
        ("-m", "hrsnn_rs", "--version"),
        ("-m", "hrsnn_rs", "--help"),
    ],
    ids=["import", "names", "version", "help"],
)
def test_import_leaves_heavy_libraries_alone(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) & HEAVY == set()


def test_what_is_imported_is_seen() -> None:
    assert "json" in imported_by("-c", "import json")
    assert "hrsnn_rs.learning.readout" in imported_by("-c", "import hrsnn_rs as hr; hr.learning")


@pytest.mark.parametrize("name", hrsnn_rs.__all__)
def test_public_names_are_there_and_listed(name: str) -> None:
    assert getattr(hrsnn_rs, name) is not None
    assert name in dir(hrsnn_rs)


@pytest.mark.parametrize("wing", [wing for wing, files in WINGS.items() if files])
def test_names_of_a_wing_are_there_and_documented(wing: str) -> None:
    module = importlib.import_module(f"hrsnn_rs.{wing}")
    assert [n for n in module.__all__ if lacks_doc(getattr(module, n))] == []

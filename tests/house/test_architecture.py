"""Rules of the house: who may know whom.

Each rule is a function from text to complaints, so that a small bad example can prove
that the rule is able to fail.
"""

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "python" / "hrsnn_rs"
CORE = ROOT / "rust" / "hrsnn-core"

# Lowest first: each may know those before it, and within a wing a file those before it.
WINGS = {
    "errors": (),
    "words": (),
    "arguments": ("numbers", "kinds"),
    "events": (
        "no_copies",
        "memory_limit",
        "columns",
        "sensor",
        "conversion",
        "operations",
        "sources",
        "events",
        "drive",
        "current",
        "spill_file",
        "store",
        "forms",
    ),
    "description": (
        "law",
        "distributions",
        "quantiles",
        "heterogeneity",
        "competition",
        "connectivity",
        "local_connectivity",
        "explicit_connectivity",
        "rules",
        "parameters",
        "populations",
    ),
    "made_up": ("movements", "gestures", "camera"),
    "recordings": (
        "aedat",
        "raw_clocks",
        "foreign_files",
        "event_files",
        "event_pipe",
        "frame_stream",
        "luma",
        "video",
        "cache_entry",
        "cache",
    ),
    "network": (
        "memory",
        "recording",
        "saving",
        "spike_parts",
        "results",
        "spike_trains",
        "assembly",
        "wiring",
        "summary",
        "model_file",
        "simulation_file",
        "checkpoint",
        "input_gain",
        "calibration",
        "state",
        "training",
        "kept_training",
        "one_sample",
        "running",
        "network",
        "simulation",
        "stream",
        "nir_paths",
        "nir_graph",
        "presets",
        "patches",
        "tiling",
    ),
    "encoding": (
        "sensor_encoder",
        "events_to_channels",
        "tracking",
        "running_encoder",
        "contrast",
        "tables",
        "time_series",
    ),
    "datasets": (
        "splits",
        "folds",
        "samples",
        "gesture_set",
        "inspection",
        "walk",
        "base",
        "layout",
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
        "labels",
        "statistics",
        "metrics",
        "operations",
        "feature_table",
        "left_out",
        "large_ridge",
        "fitted_as",
        "readout_fit",
        "kept_readout",
        "number_table",
        "readout",
        "estimator_input",
        "kept_layer",
        "feature_column",
        "feature_layer",
        "recipes",
        "encoded_samples",
        "settings",
        "layered",
        "transformer",
        "live_score",
        "live_file",
        "live",
        "classifier_file",
        "classifier",
        "early",
        "parallel",
        "feature_parts",
        "rows_file",
        "clips",
        "counting_checks",
        "systems",
        "feature_systems",
        "homogeneous",
        "judging",
        "fold_work",
        "experiment",
        "comparison",
        "paper",
        "tasks",
        "task_interval",
        "task_kinds",
        "task_sweeps",
        "task_memory",
        "task_balance",
        "task_speed",
        "task_direction",
        "task_order",
    ),
    "search": ("wasserstein", "space", "process", "sampler", "networks", "study"),
    "plotting": (
        "canvas",
        "figures",
        "fields",
        "clips",
        "law_figures",
        "recorded",
        "task_figures",
        "sweep_figures",
    ),
    "report": ("origin", "tables", "parts", "page", "demo_figures"),
    "cli": (
        "terminal",
        "options",
        "compare",
        "demo",
        "train",
        "evaluate",
        "live_view",
        "live",
        "experiment",
        "search",
        "data",
        "configuration",
        "completion",
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
    "drive",
    "distribution",
    "injection",
    "csr",
    "connectivity",
    "camera",
    "tracking",
    "aedat",
    "neuron",
    "current",
    "competition",
    "stdp",
    "queue",
    "targets",
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
MOST_FILES_BESIDE_WINGS = 5


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


def module_of(path: Path, root: Path = PACKAGE) -> str:
    """`wing.file`, or the wing of an `__init__.py`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(PACKAGE.rglob("*.py")) if p not in {PACKAGE / e for e in ENTRY_POINTS}],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_python_modules_import_only_from_those_before_them(path: Path) -> None:
    assert (
        out_of_order(
            module_of(path), python_imports(path.read_text(encoding="utf-8")), PYTHON_ORDER
        )
        == []
    )


def ghosts(order: list[str], paths: Iterator[Path], root: Path) -> list[str]:
    """Names of an order that no file has."""
    return sorted({*order} - {module_of(path, root) for path in paths})


def test_rows_hold_no_file_that_is_not_there() -> None:
    assert ghosts(PYTHON_ORDER, PACKAGE.rglob("*.py"), PACKAGE) == []
    # A module of the core may be a folder beside its file.
    assert ghosts(RUST_ORDER, (CORE / "src").glob("*.rs"), CORE / "src") == []
    assert ghosts(["cli.attic", "errors"], iter([PACKAGE / "errors.py"]), PACKAGE) == ["cli.attic"]


def test_the_page_names_the_files_of_a_network_in_their_order() -> None:
    kinds = importlib.import_module("hrsnn_rs.network").Network.__mro__[-2::-1]
    files = [f"{kind.__module__.rpartition('.')[2]}.py" for kind in kinds]
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (words,) = re.findall(r"\*\*`Network` is spread over.*?\n\n", page, re.DOTALL)
    assert re.findall(r"\w+\.py", words) == files


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
    used = (name for name in rust_uses(path.read_text(encoding="utf-8")) if name != module)
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

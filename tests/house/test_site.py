"""The site's pages: what they say in Python happens, and no wing is missing from the reference."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"
SAID = [page for page in sorted(DOCS.glob("*.md")) if ">>> " in page.read_text(encoding="utf-8")]
#: Wings that users never import from: what they have is in `hrsnn_rs` itself, or a command.
NOT_SHOWN = {"arguments", "cli"}


@pytest.mark.parametrize("page", SAID, ids=lambda page: page.stem)
def test_what_pages_show_is_what_happens(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(
        str(page), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert tried > 0
    assert failed == 0


def test_pages_with_something_to_run_are_found():
    assert {page.stem for page in SAID} >= {"coming_from", "first_network"}


def test_a_first_network_takes_fifteen_lines():
    page = (DOCS / "first_network.md").read_text(encoding="utf-8")
    first = re.search(r"```python\n(.*?)```", page, flags=re.S)[1]
    assert len([line for line in first.splitlines() if line.strip()]) <= 15


def constant(source: str, name: str):
    """The value that a module gives to a name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def test_the_reference_has_every_wing():
    shown = set(constant((DOCS / "conf.py").read_text(encoding="utf-8"), "WINGS"))
    package = Path(importlib.import_module("hrsnn_rs").__file__).parent
    wings = {path.parent.name for path in package.glob("*/__init__.py")} | {"errors"}
    assert shown == wings - NOT_SHOWN
    index = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)$", index, flags=re.M)) == shown


def test_every_page_is_in_a_table_of_contents():
    listed = "\n".join(
        re.findall(r"```{toctree}\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.S)
    )
    for page in DOCS.glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", listed, flags=re.M), page


def test_no_page_has_the_name_of_one_that_sphinx_makes():
    taken = {"genindex", "py-modindex", "search"}
    assert not {page.stem for page in [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]} & taken


def test_dead_links_within_the_site_are_seen(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#there">b</a><a href="b.html#gone">b</a>'
        '<a href="#top">up</a><img src="none.png"><a href="https://x.org/y">out</a>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="there"><a href="c.html">c</a></p>', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, DOCS / "links.py", tmp_path],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.split("\n")[:-1] == [
        "a.html: b.html#gone", "a.html: none.png", "b.html: c.html"
    ]  # fmt: skip

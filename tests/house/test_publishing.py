"""What is published: links that work away from the repository, and what is said twice."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
#: Beginnings of addresses that lead into the repository: pages, and pictures as they are.
INSIDE = (
    f"{REPOSITORY}/blob/main/",
    REPOSITORY.replace("https://github.com/", "https://raw.githubusercontent.com/") + "/main/",
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def wrong_links(source: str) -> list[str]:
    """Targets of Markdown links that are relative, or lead to no file of the repository."""
    targets = re.findall(r"\]\(([^()\s]+)\)", re.sub(r"^```.*?^```", "", source, flags=re.M | re.S))
    assert targets
    wrong = []
    for target in targets:
        inside = [target.removeprefix(start) for start in INSIDE if target.startswith(start)]
        if inside:
            right = (ROOT / inside[0].partition("#")[0]).is_file()
        else:
            right = re.match(r"https:|#", target) is not None and REPOSITORY not in target
        if not right:
            wrong.append(target)
    return wrong


def test_links_of_the_readme_work_on_pypi():
    assert wrong_links(read("README.md")) == []


def test_wrong_links_are_seen():
    wrong = ["docs/model.md", f"{INSIDE[0]}attic.md", f"{INSIDE[1]}docs/none.png"]
    right = [f"{INSIDE[0]}docs/model.md#x", "https://doi.org/10", "#try-it"]
    assert wrong_links("".join(f"[a]({target}) " for target in wrong + right)) == wrong


def test_addresses_are_those_of_pyproject():
    citation = read("CITATION.cff")
    assert re.search(r'^repository-code: "(.*)"$', citation, flags=re.M)[1] == REPOSITORY
    assert re.search(r'^url: "(.*)"$', citation, flags=re.M)[1] == PROJECT["urls"]["Documentation"]
    for name, address in PROJECT["urls"].items():
        assert address.startswith(REPOSITORY) or name == "Documentation"


def test_versions_are_the_same_everywhere():
    cargo = tomllib.loads(read("Cargo.toml"))["workspace"]["package"]["version"]
    assert re.search(r"^version: (.*)$", read("CITATION.cff"), flags=re.M)[1] == cargo
    assert re.search(r'^date-released: "\d{4}-\d\d-\d\d"$', read("CITATION.cff"), flags=re.M)


def test_the_oldest_and_newest_python_named_are_those_that_are_tested():
    named = [
        found[1]
        for line in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    ]
    assert f">={named[0]}" == PROJECT["requires-python"]
    assert f'python: ["{named[0]}", "{named[-1]}"]' in read(".github/workflows/ci.yml")
    assert f'abi3-py{named[0].replace(".", "")}"' in read("Cargo.toml")


@pytest.mark.parametrize("name", ["ci", "docs", "release"])
def test_workflows_run_targets_that_exist(name):
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.M)
    called = re.findall(r"run: make ([a-z-]+)", read(f".github/workflows/{name}.yml"))
    assert set(called) <= set(targets)
    assert called or name == "release"

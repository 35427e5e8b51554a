"""Rules of the house: how large a file may be, how it is named, and where links lead."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LONGEST_FILE = 500
NO_ROOMS = {"common", "helper", "helpers", "misc", "util", "utils"}


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


@pytest.mark.parametrize("path", source_files(".rs", ".py"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_and_named_for_what_they_hold(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
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
    assert dead_links(path.read_text(encoding="utf-8"), path.parent) == []


def test_dead_links_are_seen() -> None:
    source = "[a](attic.md#x) [b](https://x.org) [c](#d) ![e](README.md)\n```\n[f](g)\n```\n"
    assert dead_links(source, ROOT) == ["attic.md#x"]

"""The glossary is the closed list of French names, and the code obeys it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE_READERS = {"layouts.py", "layouts_cci.py", "opendata.py", "demonstration.py", "demonstration_files.py"}
"""The modules that read or write a source's own columns."""


@pytest.fixture(scope="module")
def glossary(project: Path) -> dict[str, list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (project / "docs" / "glossaire.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| nom ")
    ]
    return {name: [word.strip() for word in never.split(",") if word.strip()] for name, _, never in rows}


def _identifiers(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


LIBRARIES = {"LC_CTYPE"}
"""Names that libraries give."""


def test_names_are_ascii_and_none_is_banned(project: Path, glossary: dict[str, list[str]]) -> None:
    banned = {word for words in glossary.values() for word in words}
    for path in (project / "workbench").rglob("*.py"):
        if path.name in SOURCE_READERS:
            continue
        for identifier in _identifiers(path) - LIBRARIES:
            assert identifier.isascii(), f"{path}: {identifier}"
            words = set(identifier.lower().split("_")) | {identifier.lower()}
            assert not words & banned, f"{path}: {identifier}"


def test_every_name_is_used(project: Path, glossary: dict[str, list[str]]) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (project / "workbench").rglob("*.py"))
    assert len(glossary) > 15
    for name in glossary:
        assert name in text, name

"""The bundle of CodeMirror is that of its sources, whole, with its licences, and asks nothing of anyone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = ("build.mjs", "codemirror.js", "package.json", "package-lock.json")


@pytest.fixture
def widgets(project: Path) -> Path:
    return project / "workbench" / "widgets"


def test_the_bundle_is_that_of_its_sources(widgets: Path) -> None:
    content = "".join((widgets / "editor" / name).read_text(encoding="utf-8") for name in SOURCES)
    recorded = re.search(r"sources sha256:([0-9a-f]{64})", (widgets / "static" / "codemirror.js").read_text("utf-8"))
    assert recorded is not None
    assert recorded[1] == hashlib.sha256(content.encode()).hexdigest(), "sources changed: run make widgets"


def test_the_bundle_built_again_is_the_same(widgets: Path, tmp_path: Path) -> None:
    if shutil.which("node") is None or not (widgets / "editor" / "node_modules").is_dir():
        pytest.skip("no Node, or make widgets was never run here")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=widgets / "editor", check=True, capture_output=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (widgets / "static" / path.name).read_bytes()


def test_every_package_has_its_licence(widgets: Path) -> None:
    lock = json.loads((widgets / "editor" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    licences = (widgets / "static" / "codemirror.LICENSES.txt").read_text(encoding="utf-8")
    bundled = {
        path.removeprefix("node_modules/"): each["version"]
        for path, each in lock.items()
        if path and not each.get("dev") and "@lezer/lr" not in path
    }
    assert len(bundled) >= 10
    for name, version in bundled.items():
        assert f"{name} {version} (MIT)" in licences
        assert "integrity" in lock[f"node_modules/{name}"]
        assert "resolved" not in lock[f"node_modules/{name}"]


def test_the_bundle_stays_small_and_names_no_address(widgets: Path) -> None:
    text = (widgets / "static" / "codemirror.js").read_text(encoding="utf-8")
    assert len(text.encode()) < 400_000
    assert set(re.findall(r"https?://[\w.-]+", text)) <= {"http://www.w3.org"}

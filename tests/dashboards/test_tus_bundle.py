"""The bundle of tus-js-client is that of its sources, whole, with its licences, and asks nothing of anyone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = ("build.mjs", "tus.js", "package.json", "package-lock.json")
ONLY_NODE = {
    *("buffer-from", "combine-errors", "custom-error-instance", "graceful-fs", "is-stream", "js-base64"),
    *("lodash._baseiteratee", "lodash._basetostring", "lodash._baseuniq", "lodash._createset", "lodash._root"),
    *("lodash._stringtopath", "lodash.throttle", "lodash.uniqby", "proper-lockfile", "retry", "signal-exit"),
}


@pytest.fixture
def dashboards(project: Path) -> Path:
    return project / "workbench" / "dashboards"


def test_the_bundle_is_that_of_its_sources(dashboards: Path) -> None:
    content = "".join((dashboards / "tus" / name).read_text(encoding="utf-8") for name in SOURCES)
    recorded = re.search(r"sources sha256:([0-9a-f]{64})", (dashboards / "static" / "tus.js").read_text("utf-8"))
    assert recorded is not None
    assert recorded[1] == hashlib.sha256(content.encode()).hexdigest(), "sources changed: run make widgets"


def test_the_bundle_built_again_is_the_same(dashboards: Path, tmp_path: Path) -> None:
    if shutil.which("node") is None or not (dashboards / "tus" / "node_modules").is_dir():
        pytest.skip("no Node, or make widgets was never run here")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=dashboards / "tus", check=True, capture_output=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (dashboards / "static" / path.name).read_bytes()


def test_every_package_has_its_licence(dashboards: Path, project: Path) -> None:
    lock = json.loads((dashboards / "tus" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    licences = (dashboards / "static" / "tus.LICENSES.txt").read_text(encoding="utf-8")
    bundled = {
        path.rpartition("node_modules/")[2]: each["version"]
        for path, each in lock.items()
        if path and not each.get("dev")
    }
    for name in bundled.keys() - ONLY_NODE:
        assert f"{name} {bundled[name]} (MIT)" in licences
        assert "integrity" in lock[f"node_modules/{name}"]
        assert "resolved" not in lock[f"node_modules/{name}"]
    assert "tus-js-client" in bundled.keys() - ONLY_NODE
    # The client that is tested against the server is the one that browsers get.
    tested = json.loads((project / "tests" / "uploads" / "tus_js" / "package.json").read_text(encoding="utf-8"))
    assert tested["dependencies"]["tus-js-client"] == bundled["tus-js-client"]


def test_the_bundle_stays_small_and_names_no_address(dashboards: Path) -> None:
    text = (dashboards / "static" / "tus.js").read_text(encoding="utf-8")
    assert len(text.encode()) < 80_000
    assert not re.findall(r"https?://[\w.-]+", text)

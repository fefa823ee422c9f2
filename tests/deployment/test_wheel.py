"""The wheel: it holds what the product needs, and the product works from it in an empty folder."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling absent: the wheel is not built")

SHARED = ("dashboards", "notebooks", "trames")


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hatchling.build import build_wheel

    folder = tmp_path_factory.mktemp("roue")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        return folder / build_wheel(str(folder))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installer leaves it beside the libraries."""
    folder = tmp_path_factory.mktemp("installation") / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def tracked(project: Path) -> list[str]:
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git checkout")
    return [name for name in answer.stdout.split("\0") if (project / name).is_file()]


def test_it_holds_every_file_of_the_product_and_no_other(project: Path, wheel: Path) -> None:
    wanted = {"workbench/share/requirements.lock"}
    for name in tracked(project):
        room = name.partition("/")[0]
        if room == "workbench":
            wanted.add(name)
        elif room in SHARED:
            wanted.add(f"workbench/share/{name}")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("workbench/")}
        records = csv.reader(
            io.StringIO(archive.read(next(n for n in archive.namelist() if n.endswith("/RECORD"))).decode())
        )
        assert {row[0] for row in records} == set(archive.namelist())
    assert wanted - held == set()
    # What is not tracked yet is a developer's own.
    ours = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=False)
    if not ours.stdout.strip():
        assert held - wanted == set()


def test_its_migrations_its_texts_and_its_pages_are_there(installed: Path) -> None:
    package = installed / "workbench"
    assert list(package.rglob("migrations/r0001_*.py"))
    assert list(package.glob("cli/locale/*/LC_MESSAGES/workbench.mo"))
    for folder, pattern in (("deployment/share", "*.j2"), ("dashboards/static", "*.js"), ("formules", "*.lark")):
        assert list((package / folder).glob(pattern)), folder


def test_it_declares_its_command_and_its_dependencies(project: Path, installed: Path) -> None:
    metadata = next(installed.glob("*.dist-info"))
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert "workbench = workbench.cli.main:main" in (metadata / "entry_points.txt").read_text()
    required = re.findall(r"^Requires-Dist: ([\w.-]+)", (metadata / "METADATA").read_text(), re.MULTILINE)
    names = [re.split(r"[<>=\[]", each)[0] for each in declared["dependencies"]]
    assert {*map(normal, names)} <= {*map(normal, required)}


def normal(name: str) -> str:
    """Return a name of a distribution as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.slow
def test_the_demonstration_works_from_it_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    variables |= {
        "PYTHONPATH": str(installed),
        "PYTHONSAFEPATH": "1",
        "WORKBENCH_RUNTIME": os.environ["WORKBENCH_RUNTIME"],
        "WORKBENCH_REGISTRE": str(tmp_path / "registre.sqlite"),
    }
    asked = "import workbench, workbench.config as c; print(workbench.__file__, *map(c.shared_folder, c.sys_argv))"
    asked = asked.replace("c.sys_argv", repr([*SHARED]))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
        )

    places = run("-c", asked)
    assert places.returncode == 0, places.stderr
    assert all(Path(place).is_relative_to(installed) for place in places.stdout.split())
    done = run("-m", "workbench.cli", "demo", "--to", "demo", "--no-companies")
    assert done.returncode == 0, done.stderr
    written = {path.suffix for path in (tmp_path / "demo" / "rapports").iterdir()}
    assert {".ipynb", ".html", ".xlsx"} <= written
    assert "épargne brute" in done.stdout

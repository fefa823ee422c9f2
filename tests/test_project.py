"""Tests that guard the project itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import workbench


def _tracked(project: Path) -> list[Path]:
    answer = subprocess.run(["git", "-C", str(project), "ls-files", "-z"], capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git checkout")
    return [project / name for name in answer.stdout.split("\0") if name and (project / name).is_file()]


def test_environment_and_pyproject_agree(project: Path) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((project / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip[-1] == "--editable ."
    extras = [requirement for extra in declared["optional-dependencies"].values() for requirement in extra]
    assert sorted(pip[:-1]) == sorted(declared["dependencies"] + extras)
    assert f"python{declared['requires-python']}" in environment["dependencies"]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_locked(project: Path) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text())
    wanted = declared["project"]["dependencies"] + declared["project"]["optional-dependencies"]["jupyter"]
    for lock, names in (
        ("requirements.lock", wanted),
        ("requirements-dev.lock", wanted + declared["dependency-groups"]["dev"]),
    ):
        pinned = {
            _normal(line.split("==")[0])
            for line in (project / lock).read_text().splitlines()
            if re.match(r"[A-Za-z0-9]", line)
        }
        for requirement in names:
            name = _normal(re.split(r"[<>=~\[;]", requirement)[0])
            assert name in pinned, f"{name} is absent from {lock}"


def test_no_registry_host_and_no_machine_path(project: Path) -> None:
    forbidden = re.compile(
        r"pypi\.(?:org|python)|pythonhosted|registry\.npmjs|deb\.debian|conda\.anaconda" + r"|/(?:work|opt|root)/\w"
    )
    for path in _tracked(project):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = forbidden.search(text)
        assert found is None or path.name == "test_project.py", f"{path}: {found.group() if found else ''}"


def test_no_result_is_tracked(project: Path) -> None:
    found = [path for path in _tracked(project) if path.suffix in {".xlsx", ".pdf", ".parquet", ".duckdb", ".html"}]
    known = {project / each for each in ("trames", "workbench", "tests")}
    assert [path for path in found if not known & set(path.parents)] == []


def test_notebooks_carry_no_output(project: Path) -> None:
    for path in _tracked(project):
        if path.suffix == ".ipynb":
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                assert not cell.get("outputs"), path
                assert cell.get("execution_count") is None, path


def test_no_unloved_module_name(project: Path) -> None:
    for path in (project / "workbench").rglob("*.py"):
        assert path.stem not in {"utils", "helpers", "common", "tools"}, path


def test_long_modules_say_why(project: Path) -> None:
    for path in (project / "workbench").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            docstring = text.split('"""')[1]
            assert "one module" in docstring, f"{path} is long; its docstring must say why it is one module"


def test_public_names_are_listed_once_each() -> None:
    rooms = [name for names in workbench._ROOMS.values() for name in names]
    assert sorted(rooms) == sorted(set(rooms)) == workbench.__all__
    for name in workbench.__all__:
        assert getattr(workbench, name) is not None
    with pytest.raises(AttributeError):
        workbench.nothing_of_the_kind  # noqa: B018


def test_help_imports_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "from workbench.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'duckdb', 'numpy', 'pyarrow', 'sqlalchemy', 'lark', 'plotly', 'papermill'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

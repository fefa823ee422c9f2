"""The wheel: it holds what the product needs, and the product works from it in an empty folder."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def run(installed: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python where the wheel is and nothing of the sources; a password is piped to whoever asks for one."""

    def run(folder: Path, settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
        variables |= {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
        variables |= {"WORKBENCH_RUNTIME": os.environ["WORKBENCH_RUNTIME"], **settings}
        return subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env=variables,
            input="quatre mots sans rapport\n",
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def first(run: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine where the demonstration was run; what it said is beside it."""
    folder = tmp_path_factory.mktemp("premiere")
    registry = {"WORKBENCH_REGISTRE": str(folder / "registre.sqlite")}
    done = run(folder, registry, "-m", "workbench.cli", "demo", "--to", "demo", "--no-companies")
    assert done.returncode == 0, done.stderr
    (folder / "dit.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_its_folders_are_those_of_the_wheel(
    installed: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    asked = f"import workbench, workbench.config as c; print(workbench.__file__, *map(c.shared_folder, {[*SHARED]!r}))"
    places = run(tmp_path, {}, "-c", asked)
    assert places.returncode == 0, places.stderr
    assert all(Path(place).is_relative_to(installed) for place in places.stdout.split())


@pytest.mark.slow
def test_the_demonstration_works_from_it_in_an_empty_folder(first: Path) -> None:
    written = {path.suffix for path in (first / "demo" / "rapports").iterdir()}
    assert {".ipynb", ".html", ".xlsx"} <= written
    assert "épargne brute" in (first / "dit.txt").read_text(encoding="utf-8")


COMMANDS = """
import contextlib, io, json, sys
from workbench.cli.main import main
for words in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            main(words)
        except SystemExit as stop:
            code = stop.code
    print(json.dumps([code, said.getvalue()]))
"""
LOOKS = [
    ["trame", "evaluate", "ofgl_agregats_m57", "--siren", "{siren}", "--exercices", "2015-2025"],
    ["user", "list"],
    ["store", "get", "prive", "--email", "jeanne@exemple.fr", "--badge", "bfc"],
    ["store", "get", "prive", "--email", "paul@exemple.fr", "--badge", "idf"],
]


@pytest.mark.slow
def test_a_second_machine_restores_the_figures_and_the_rights_of_the_first(
    first: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    settings = {
        "WORKBENCH_BASE": str(first / "demo" / "base.duckdb"),
        "WORKBENCH_REGISTRE": str(first / "registre.sqlite"),
        "WORKBENCH_IDENTITE": str(first / "identite"),
    }
    policy = {"key": {"bucket": "system", "type": "policy", "name": "prive"}, "scope": []}
    policy["value"] = {"match": "^prive$", "read": ["bfc"]}
    sheet = {"key": {"siren": "1"}, "scope": ["bfc"], "value": {"effectif": 12}}
    for name, content in (("regle", policy), ("fiche", sheet)):
        (first / f"{name}.json").write_text(json.dumps([content]))
    prepared = [
        ["user", "add", "jeanne@exemple.fr", "--badge", "bfc"],
        ["store", "put", "system", "regle.json", "--email", "r@exemple.fr", "--badge", "manager"],
        ["store", "put", "prive", "fiche.json", "--email", "jeanne@exemple.fr", "--badge", "bfc"],
        ["backup", "--to", str(tmp_path / "sauvegarde")],
    ]
    # The fictitious commune that the demonstration names.
    siret = re.search(r"SIRET (\d{14})", (first / "dit.txt").read_text(encoding="utf-8"))
    assert siret is not None
    looks = [[word.format(siren=siret[1][:9]) for word in words] for words in LOOKS]

    def said(folder: Path, settings: dict[str, str], commands: list[list[str]]) -> list[list[Any]]:
        done = run(folder, settings, "-c", COMMANDS, json.dumps(commands))
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(commands), done.stderr
        return answers

    before = said(first, settings, [*prepared, *looks])
    assert [code for code, _ in before[: len(prepared)]] == [0] * len(prepared)
    figures, people, hers, his = before[len(prepared) :]
    assert figures[0] == 0
    assert "OFGL_EPARGNE_BRUTE" in figures[1]
    assert "jeanne@exemple.fr" in people[1]
    assert '"effectif": 12' in hers[1]
    assert (his[0], his[1]) != (hers[0], hers[1])

    first.rename(first.with_name("perdue"))
    machine = tmp_path / "seconde"
    machine.mkdir()
    restore = ["restore", str(tmp_path / "sauvegarde"), "--to", str(machine / "service")]
    assert said(machine, {}, [restore])[0][0] == 0
    written = (machine / "service" / "workbench.env").read_text().splitlines()
    after = said(machine, dict(line.split("=", 1) for line in written), looks)
    assert after == [figures, people, hers, his]

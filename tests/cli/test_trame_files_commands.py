"""Trames made, renamed, copied and removed from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.cli.exits import ExitCode
from workbench.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shared = tmp_path / "trames"
    shared.mkdir()
    monkeypatch.setenv("WORKBENCH_TRAMES", str(shared))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "private"))
    return shared


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    return int(exit_.value.code or 0)


def test_a_trame_lives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trame", "create", "maison", "--nomenclature", "M57", "--libelle", "La nôtre") == ExitCode.OK
    session = wb.edit_trame("maison")
    session.add("A_VENTES", "C70[TA:BR]")
    session.add("A_PART", "A_VENTES/$POP")
    session.save()
    assert run("trame", "rename", "maison", "A_PRODUITS", "--indicateur", "A_VENTES") == ExitCode.OK
    assert wb.load_trame(folder / "maison.yaml")["A_PART"].texte == "A_PRODUITS/$POP"
    assert run("trame", "rename", "maison", "foyer") == ExitCode.OK
    assert run("trame", "duplicate", "foyer", "~/essai", "--libelle", "Essai") == ExitCode.OK
    assert wb.load_trame(folder.parent / "private" / "essai.yaml").libelle == "Essai"
    said = capsys.readouterr()
    assert said.out == ""
    assert "foyer.yaml écrit" in said.err
    assert run("trame", "delete", "foyer", "--yes") == ExitCode.OK
    assert list(folder.iterdir()) == []


def test_what_cannot_be_done_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trame", "create", "maison", "--nomenclature", "M57") == ExitCode.OK
    for arguments in (
        ("create", "maison"),
        ("create", "../maison"),
        ("rename", "absente", "autre"),
        ("rename", "maison", "a b"),
        ("duplicate", "maison", "maison"),
        ("delete", "absente", "--yes"),
    ):
        assert run("trame", *arguments) != ExitCode.OK
    assert "maison" in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == ["maison.yaml"]


def test_a_trame_is_not_removed_without_a_yes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trame", "create", "maison") == ExitCode.OK
    assert run("trame", "delete", "maison") == ExitCode.USAGE
    assert "--yes" in capsys.readouterr().err
    assert (folder / "maison.yaml").is_file()

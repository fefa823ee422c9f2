"""The commands of charts, of the catalogue and of the checks of comptes, through the real command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.cli.exits import ExitCode
from workbench.cli.main import main

PLAN = "nomenclature;exercice;compte;libelle\n" + "".join(
    f"{nomenclature};{year};{compte};{label}\n"
    for nomenclature, year, last in (("M14", 2023, "7325"), ("M57", 2024, "732221"))
    for compte, label in (("70", "Ventes"), ("701", "Produits finis"), ("73", "Impôts"), (last, "Péréquation"))
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "trames"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "privees"))
    (tmp_path / "plan.csv").write_text(PLAN, encoding="utf-8")
    (tmp_path / "trames").mkdir()
    trame = wb.trame_from_formules({"A_IMPOTS": "C73-C7325[TA:BR]", "A_VENTES": "C70+C701[TA:BR]"}, "M14", "essai")
    wb.save_trame(trame, tmp_path / "trames" / "essai.yaml")
    return tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    return int(str(stop.value.code))


def test_charts_are_imported_and_searched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("base", "import-plan", "plan.csv", "--base", "b.duckdb") == ExitCode.OK
    assert run("base", "comptes", "M57", "70", "--base", "b.duckdb") == ExitCode.OK
    assert capsys.readouterr().out == "70\tVentes\n701\tProduits finis\n"
    assert run("base", "comptes", "M57", "perequation", "--plan", "plan.csv") == ExitCode.OK
    assert capsys.readouterr().out == "732221\tPéréquation\n"
    assert run("base", "comptes", "M57", "9", "--plan", "plan.csv") == ExitCode.EMPTY
    assert run("base", "comptes", "M71", "--plan", "plan.csv") == ExitCode.REFUSED
    assert "M14, M57" in capsys.readouterr().err


def test_a_trame_is_checked_with_charts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trame", "check", "trames/essai.yaml") == ExitCode.OK
    capsys.readouterr()
    assert run("trame", "check", "trames/essai.yaml", "--plan", "plan.csv", "--classes", "0") == ExitCode.FINDINGS
    shown = capsys.readouterr()
    assert "701 Produits finis est compté 2 fois" in shown.out
    assert "1 remarque(s) sur les comptes (M14 2023-2023)" in shown.err
    assert run("trame", "check", "trames/essai.yaml", "--exercices", "2023") == ExitCode.USAGE


def test_a_trame_is_transposed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("trame", "transpose", "trames/essai.yaml", "--plan", "plan.csv", "--to", "neuve.yaml")
    assert run(*words) == ExitCode.FINDINGS
    assert "7325 Péréquation → 732221 : même libellé" in capsys.readouterr().out
    assert wb.load_trame(folder / "neuve.yaml")["A_IMPOTS"].texte == "C73-C732221[TA:BR]"
    assert run(*words[:-2], "--choose", "7325=70+701") == ExitCode.FINDINGS
    assert "7325 Péréquation → 70+701 : choisi" in capsys.readouterr().out
    assert run(*words[:-2], "--choose", "7325") == ExitCode.USAGE
    assert run(*words[:-2], "--choose", "7325=799") == ExitCode.REFUSED


def test_the_catalogue_is_searched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trame", "search", "--reads", "7325", "--nomenclature", "M14") == ExitCode.OK
    assert capsys.readouterr().out == "essai\tA_IMPOTS\t  [couvre, exact : C73 C7325]\n"
    assert run("trame", "search", "ventes") == ExitCode.OK
    assert capsys.readouterr().out == "essai\tA_VENTES\t\n"
    assert run("trame", "search", "rien") == ExitCode.EMPTY
    assert run("trame", "search", "--exercice", "2020") == ExitCode.USAGE

"""Questions to the base from a shell: data on stdout, the rest on stderr, files in one step."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.dgfip import query, save_query


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demonstration_base: str) -> None:
    monkeypatch.setenv("WORKBENCH_REQUETES", str(tmp_path / "requetes"))
    monkeypatch.setenv("WORKBENCH_REQUETES_PRIVEES", str(tmp_path / "privees"))
    monkeypatch.setenv("WORKBENCH_BASE", demonstration_base)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


def test_a_saved_query_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_query(query().measure("C70", libelle="Ventes").by("exercice"), "ventes", description="par exercice")
    assert run("base", "queries") == ExitCode.OK
    assert "ventes (privée" in capsys.readouterr().out
    assert run("base", "query", "ventes", "--limit", "2") == ExitCode.OK
    said = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 2
    assert float(rows[0]["Ventes"]) > 0
    assert "tronqué" in said.err
    assert run("base", "query", "--file", str(tmp_path / "privees" / "ventes.yaml"), "--sql") == ExitCode.OK
    assert "-- $1 = '70'" in capsys.readouterr().out
    for name in ("ventes.csv", "ventes.xlsx"):
        assert run("base", "query", "ventes", "--to", str(tmp_path / name)) == ExitCode.OK
    assert capsys.readouterr().out == ""
    book = openpyxl.load_workbook(tmp_path / "ventes.xlsx")
    assert [cell.value for cell in book["Résultat"][1]] == ["exercice", "Ventes"]
    assert (tmp_path / "ventes.csv").read_text(encoding="utf-8-sig").startswith("exercice;Ventes\n")


def test_sql_runs_under_guard(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("base", "sql", "SELECT count(*) AS n FROM budgets") == ExitCode.OK
    assert capsys.readouterr().out.startswith("n\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT siret FROM budgets WHERE exercice = 1900"))
    assert run("base", "sql", "-") == ExitCode.EMPTY
    assert capsys.readouterr().out == "siret\n"
    assert run("base", "sql", "DELETE FROM budgets") == ExitCode.REFUSED
    assert "refusée" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("ventes", "--file", __file__)])
def test_one_query_is_named(words: tuple[str, ...]) -> None:
    assert run("base", "query", *words) == ExitCode.USAGE


def test_an_absent_query_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("base", "query", "absente") == ExitCode.REFUSED
    assert "absente" in capsys.readouterr().err

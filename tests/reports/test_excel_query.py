"""The workbook of a query: figures as numbers, texts that never run, notices that cannot be missed."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow as pa

from workbench.dgfip import QueryResult, connect, query
from workbench.reports import write_query


def test_a_result_becomes_a_workbook(demonstration_base: str, tmp_path: Path) -> None:
    with connect(demonstration_base) as base:
        result = query(base).measure("C70", libelle="=Ventes").by("collectivite", "exercice").run(limit=5)
    path = write_query(result, tmp_path)
    assert path == tmp_path / "requete.xlsx"
    book = openpyxl.load_workbook(path)
    rows = list(book["Résultat"].values)
    assert rows[0] == ("siret", "libelle", "exercice", "=Ventes")
    assert book["Résultat"]["D1"].data_type == "s"
    assert [row[3] for row in rows[1:]] == result.table.column(3).to_pylist()
    assert [row[0] for row in rows[1:]] == result.table.column(0).to_pylist()
    about = [row[:2] for row in book["Requête"].values]
    assert about[0][0] == "Avertissement"
    assert "tronqué" in about[0][1]
    assert ("$1", "'70'") in about


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\x01x", '=HYPERLINK("http://x")', None, "x" * 40_000]
    path = write_query(QueryResult(pa.table({"libelle": texts, "n": range(len(texts))})), tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(path)["Résultat"]
    for row, text in enumerate(texts, 2):
        cell = sheet.cell(row, 1)
        assert cell.data_type in {"s", "n"}
        assert (cell.value or "") == (text or "").replace("\x01", "")[:32767]

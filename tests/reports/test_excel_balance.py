from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from workbench.dgfip import Base, Perimetre
from workbench.dgfip.schema import AMOUNTS
from workbench.errors import WorkbenchError
from workbench.reports import excel_balance
from workbench.reports.excel_balance import balance_filename, write_balance


class Accounts:
    """Stands for the base: the selection and the sums that the workbook is made of."""

    def __init__(self, libelle: str = "VILLE", comptes: int = 5) -> None:
        self.libelle, self.comptes = libelle, comptes
        self.asked: list[int] = []

    def select_budgets(self, _base: object, criteria: Perimetre, years: list[int]) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {
                    "siret": siret,
                    "exercice": year,
                    "siren": siret[:9],
                    "libelle": self.libelle,
                    "population": None,
                    "nomenclature": "M57",
                    "nomenclature_detail": "M57A",
                    "type_budget": "1",
                    "type_etablissement": "101",
                    "etat": "D",
                }
                for year in years
                for siret in sorted(criteria.sirets or ())
            ]
        )

    def sum_comptes(self, _base: object, groups: pa.Table) -> pa.Table:
        self.asked.append(groups.num_rows)
        rows = []
        for group in groups.to_pylist():
            for index in range(self.comptes):
                amounts = dict.fromkeys(AMOUNTS, 0)
                amounts["debit_1"], amounts["credit_2"], amounts["credit_7"] = 10 * index + 7, 10**15 + 1, -3
                rows.append(
                    {"groupe": group["groupe"], "exercice": group["exercice"], "compte": str(100 + index), **amounts}
                )
        return pa.Table.from_pylist(rows)


BASE = object.__new__(Base)
"""Never read: the accounts are a stand-in's."""


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    stand_in = Accounts()
    monkeypatch.setattr(excel_balance, "select_budgets", stand_in.select_budgets)
    monkeypatch.setattr(excel_balance, "sum_comptes", stand_in.sum_comptes)
    return stand_in


def test_amounts_are_exact(accounts: Accounts, tmp_path: Path) -> None:
    path = write_balance(BASE, ["99990000000001"], [2024], tmp_path / "b.xlsx")
    sheet = openpyxl.load_workbook(path)["Balances des comptes"]
    assert [cell.value for cell in sheet[9]] == [
        2024,
        "99990000000001",
        "VILLE",
        "Budget principal",
        "M57A",
        "100",
        0.07,
        0,
        0,
        10000000000000.01,
        0,
        0,
        0,
        0,
        0,
        -0.03,
        0,
        9999999999999.98,
        0.07,
        9999999999999.98,
        0,
        9999999999999.91,
    ]
    assert sheet.freeze_panes == "G9"
    assert [sheet.cell(row, 7).fill.fgColor.rgb for row in (9, 10, 11)] == ["FFFFFFFF", "FFEAF1FB", "FFFFFFFF"]
    assert {sheet.cell(9, column).fill.fgColor.rgb for column in range(1, 7)} == {"FFD9D9D9"}


def test_labels_are_never_formulas(accounts: Accounts, tmp_path: Path) -> None:
    accounts.libelle = '=HYPERLINK("x")&<b>\x07'
    path = write_balance(BASE, ["99990000000001"], [2024], tmp_path / "b.xlsx")
    sheet = openpyxl.load_workbook(path)["Balances des comptes"]
    for cell in (sheet["C2"], sheet["C9"]):
        assert cell.data_type == "s"
        assert cell.value.startswith('=HYPERLINK("x")&<b>')


def test_a_full_sheet_is_followed_by_another(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel_balance, "LAST_ROW", 9 + 7)
    accounts.comptes = 10
    path = write_balance(BASE, ["99990000000001", "99990000000002"], [2024], tmp_path / "b.xlsx")
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == ["Balances des comptes", "Balances des comptes (2)", "Balances des comptes (3)"]
    rows = [row for sheet in workbook.worksheets for row in sheet.iter_rows(min_row=9, values_only=True)]
    assert [sheet.max_row for sheet in workbook.worksheets] == [16, 16, 12]
    assert [(row[1][-1], row[5]) for row in rows] == [(n, str(100 + index)) for n in "12" for index in range(10)]
    for sheet in workbook.worksheets:
        assert sheet["A8"].value == "Exercice"
        assert sheet["G9"].number_format == "#,##0_-"


def test_exactly_full(accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_balance, "LAST_ROW", 9 + 4)
    path = write_balance(BASE, ["99990000000001"], [2024], tmp_path / "b.xlsx")
    assert openpyxl.load_workbook(path).sheetnames == ["Balances des comptes"]


def test_budgets_are_read_by_batches_in_order(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel_balance, "BUDGETS_AT_ONCE", 3)
    sirets = [f"9999000000000{index}" for index in (5, 1, 4, 2, 3)]
    path = write_balance(BASE, sirets, [2024, 2023], tmp_path / "b.xlsx")
    assert accounts.asked == [3, 2, 3, 2]
    sheet = openpyxl.load_workbook(path).worksheets[0]
    keys = [(row[0], row[1], row[5]) for row in sheet.iter_rows(min_row=9, values_only=True)]
    assert keys == sorted(keys)
    assert len(keys) == 50


def test_the_package_has_each_part_once(accounts: Accounts, tmp_path: Path) -> None:
    path = write_balance(BASE, ["99990000000001"], [2024], tmp_path / "b.xlsx")
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        names = package.namelist()
    assert len(names) == len(set(names))
    assert "[Content_Types].xml" in names


def test_a_failure_leaves_the_previous_workbook(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(base: object, groups: pa.Table) -> pa.Table:
        raise WorkbenchError("base_absente", chemin="x")

    monkeypatch.setattr(excel_balance, "sum_comptes", fail)
    path = tmp_path / "b.xlsx"
    path.write_bytes(b"ancien")
    with pytest.raises(WorkbenchError):
        write_balance(BASE, ["99990000000001"], [2024], path)
    assert path.read_bytes() == b"ancien"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_long_list_of_identifiers_has_a_short_name() -> None:
    name = balance_filename([f"{index:014d}" for index in range(500)], "SIRET", [2020])
    assert name.startswith("BALANCE_SIRET_500 identifiants_2020_2020_")
    assert balance_filename(["1", "2"], "SIRET", [2020]).startswith("BALANCE_SIRET_1et2_2020_2020_")

"""The budgets behind the figures: sheet Périmètre, ``$perimeter`` table, names and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from workbench.dgfip.reference import libelle_type_etablissement
from workbench.reports.excel_files import set_text, sheet_title

__all__ = ["append_perimetre", "collectivite_names", "etats", "fill_perimetre_marker", "landscape"]

SEVERAL = "Etablissements multiples"
ETATS = {"D": "Definitif", "P": "Provisoire", "M": "Mixte"}
HEADERS = (
    ("SIRET", 17),
    ("Type établissement", 32),
    ("Type de budget", 15),
    ("Nom", 42),
    ("Population", 12),
    ("Nomenclature", 14),
    ("Exercice", 10),
    # The spelling is the one that existing workbooks and the macros reading them have.
    ("Définitif/Provisioire", 20),
)
TABLE_HEADERS = (
    ("Code budget", "type_budget"),
    ("Nomenclature", "nomenclature"),
    ("Type d'établissement", "type_etablissement"),
    ("Exercice", "exercice"),
    ("Identifiant", "siret"),
    ("Libellé", "libelle"),
    ("Population", "population"),
)


def collectivite_names(budgets: pa.Table) -> tuple[str, str]:
    """Name and SIRET to print: those of the latest exercice, or a fixed wording when there are several SIRETs."""
    sirets = pc.unique(budgets["siret"]).to_pylist()
    if len(sirets) != 1:
        return SEVERAL, SEVERAL
    latest = budgets.sort_by([("exercice", "descending")]).slice(0, 1).to_pylist()[0]
    return str(latest["libelle"] or ""), str(sirets[0])


def etats(budgets: pa.Table, exercices: Sequence[int]) -> list[str]:
    """Say for each exercice whether its accounts are Definitif, Provisoire or Mixte; empty when it is not known."""
    found: dict[int, set[str]] = {exercice: set() for exercice in exercices}
    for row in budgets.select(["exercice", "etat"]).to_pylist():
        if row["exercice"] in found and row["etat"]:
            found[row["exercice"]].add(row["etat"])
    return [
        "" if not codes else ETATS.get(next(iter(codes)), "") if len(codes) == 1 else ETATS["M"]
        for codes in found.values()
    ]


def append_perimetre(workbook: Workbook, budgets: pa.Table) -> Worksheet:
    """Append the sheet Périmètre: one row a (SIRET, exercice, state), latest exercice first."""
    sheet: Worksheet = workbook.create_sheet(sheet_title(workbook, "Périmètre"))
    fill = PatternFill("solid", fgColor="FFD9E1F2")
    for column, (name, width) in enumerate(HEADERS, start=1):
        cell = sheet.cell(1, column, name)
        cell.fill, cell.alignment = fill, Alignment(vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(column)].width = width
    row = 1
    for budget in _latest_first(budgets):
        for etat in ("D", "P") if budget["etat"] == "M" else (budget["etat"],):
            row += 1
            _write_row(
                sheet,
                row,
                1,
                (
                    budget["siret"],
                    libelle_type_etablissement(budget["type_etablissement"]),
                    "BP" if str(budget["type_budget"]) in ("1", "2") else "BA",
                    budget["libelle"],
                    budget["population"],
                    budget["nomenclature"],
                    budget["exercice"],
                    etat,
                ),
            )
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(HEADERS))}{row}"
    landscape(sheet)
    sheet.print_title_rows = "1:1"
    return sheet


def fill_perimetre_marker(workbook: Workbook, sheet: Worksheet, marker: Cell, budgets: pa.Table) -> None:
    """Put the table of budgets where the model says ``$perimeter``.

    It takes the place of the marker's row when nothing stands below, and goes under the last row otherwise.
    """
    marker.value = None
    below = any(place[0] > marker.row and cell.value is not None for place, cell in sheet._cells.items())
    first, left = (sheet.max_row + 2 if below else marker.row), marker.column
    rows = _latest_first(budgets)
    _write_row(sheet, first, left, [name for name, _ in TABLE_HEADERS])
    for offset, budget in enumerate(rows, start=1):
        _write_row(sheet, first + offset, left, [budget[name] for _, name in TABLE_HEADERS])
    right = get_column_letter(left + len(TABLE_HEADERS) - 1)
    taken = {name.casefold() for other in workbook.worksheets for name in other.tables}
    taken |= {name.casefold() for name in workbook.defined_names}
    number = 1
    while f"perimetre{number}" in taken:
        number += 1
    table = Table(displayName=f"Perimetre{number}", ref=f"{get_column_letter(left)}{first}:{right}{first + len(rows)}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium9", showRowStripes=True)
    sheet.add_table(table)


def landscape(sheet: Worksheet) -> None:
    """Print on A4, landscape, as many pages high as it takes and one wide."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = "9"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _latest_first(budgets: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = budgets.sort_by([("exercice", "descending"), ("siret", "ascending")]).to_pylist()
    return rows


def _write_row(sheet: Worksheet, row: int, left: int, values: Sequence[Any]) -> None:
    for column, value in enumerate(values, start=left):
        cell = sheet.cell(row, column)
        if isinstance(value, str):
            set_text(cell, value)
        else:
            cell.value = value

"""The result of a query as a workbook: its rows, and a sheet that says what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from workbench.dgfip import QueryResult
from workbench.errors import require_kind
from workbench.reports.excel_files import destination, save, set_text

__all__ = ["write_query"]

FORMAT = "#,##0.00"
_LINES = 1_048_575
"""Rows that a sheet holds under its heading."""


def write_query(result: QueryResult, to: str | Path = ".") -> Path:
    """Write the result of a query as a workbook.

    Parameters
    ----------
    result
        What `Query.run` or `workbench.sql` gave.
    to
        The file to write, replaced in one step; or an existing folder, where it is named ``requete.xlsx``.

    Returns
    -------
    pathlib.Path
        The file written. Sheet ``Résultat``: numbers are numbers, codes and texts are texts, never formulas. Sheet
        ``Requête``: notices first (a truncated result says so), then base, snapshot, SQL and bound values.

    Raises
    ------
    WorkbenchError
        ``classeur_extension``, ``classeur_non_inscriptible``.
    """
    require_kind(result, QueryResult, "result", "le résultat d'une requête", "Passez ce que rend wb.query(…).run().")
    path = destination(to, "requete.xlsx")
    workbook = Workbook(write_only=True)
    rows = workbook.create_sheet("Résultat")
    names = result.table.column_names
    texts = [column.to_pylist() for column in result.table.slice(0, _LINES).columns]
    for place, name in enumerate(names, 1):
        width = max([len(str(name)), *(len(str(value)) for value in texts[place - 1][:200])])
        rows.column_dimensions[get_column_letter(place)].width = min(60, width + 3)
    rows.freeze_panes = "A2"
    rows.append([_cell(rows, name, bold=True) for name in names])
    for row in zip(*texts, strict=True):
        rows.append([_cell(rows, value) for value in row])
    about = workbook.create_sheet("Requête")
    about.column_dimensions["A"].width = 18
    about.column_dimensions["B"].width = 120
    said = [("Avertissement", notice) for notice in result.notices]
    if result.table.num_rows > _LINES:
        said.append(("Avertissement", f"Seules les {_LINES} premières lignes tiennent dans la feuille."))
    said += [("Base", result.base), ("Instantané", result.snapshot), ("Lignes", str(result.table.num_rows))]
    said += [("SQL" if not place else "", line) for place, line in enumerate(result.sql.text.split("\n"))]
    said += [(f"${place}", repr(value)) for place, value in enumerate(result.sql.values, 1)]
    for name, text in said:
        about.append([_cell(about, name, bold=True), _cell(about, text)])
    return save(workbook, path)


def _cell(sheet: WriteOnlyWorksheet, value: object, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet)
    if isinstance(value, bool) or value is None or (isinstance(value, int) and abs(value) < 10**15):
        cell.value = value
    elif isinstance(value, float):
        cell.value = value
        cell.number_format = FORMAT
    else:
        set_text(cell, str(value))
    if bold:
        cell.font = Font(bold=True)
    return cell

"""Fill a model workbook with a table of indicateurs.

The convention of a model, on every sheet (specification, 6.1 and 6.2):

==========  =========================================================================
column B    the code of an indicateur; its row receives the values
column C    its label for people
column D    the first exercice; its style, number format and hyperlink serve them all
column E    the total; above a block of indicateurs ``$totalV`` (mean annual variation),
            ``$totalM`` (mean) or ``$totalC`` (sum); ``N`` on a row where ``$totalV`` makes no sense
==========  =========================================================================

``$exges`` in column D makes a header of exercices, ``$dp`` a line of their states (Definitif, Provisoire,
Mixte), ``$libsiret`` and ``$siret`` the name and number of the collectivité, ``$perimeter`` a table of the
budgets. Wordings are those that existing models and macros were written for.

What stands right of column E in a model (comments, notes) is kept: on the rows of the table it moves
right with the total (see `excel_columns`); above and below the table nothing moves. A formula of column D on a row of
the table without indicateur is repeated for every exercice.

Three rows differ from the system these models come from: the exponent of the mean annual variation is one
over the number of years between the first and the last exercice; the last row of a sheet has its total; a header on
row 1 has its label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet

from workbench.errors import WorkbenchError
from workbench.evaluation.results import IndicateurTable
from workbench.reports.excel_columns import open_columns, widen
from workbench.reports.excel_files import copy_cell, set_text
from workbench.reports.excel_perimetre import collectivite_names, etats, fill_perimetre_marker
from workbench.reports.excel_references import Opening, repeat_expression
from workbench.reports.excel_totals import LABELS, row_values, total

__all__ = ["fill_model"]

CODE, FIRST, TOTAL = 2, 4, 5
CODE_LIKE = re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)+")
"""What looks like a code of indicateur: other texts of column B need no remark."""
TOTAL_WIDTH = 17.0
TOTAL_FORMATS = {"$totalV": "0.0%", "$totalC": "#,##0_-"}
CENTER = Alignment(horizontal="center", vertical="center")


@dataclass
class _Row:
    """A row of column B: its code, the marker of its block, what its cells of columns E and D held."""

    row: int
    code: str
    marker: str | None
    note: str = ""
    pattern: str = ""


@dataclass
class _Sheet:
    """What the convention finds in a sheet."""

    headers: list[int] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    formulas: list[int] = field(default_factory=list)
    etats: list[Any] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    perimetres: list[Any] = field(default_factory=list)


def fill_model(workbook: Workbook, table: IndicateurTable, budgets: pa.Table) -> list[str]:
    """Fill a model in place.

    Parameters
    ----------
    workbook
        The model, opened for this purpose.
    table
        Values, one int column an exercice.
    budgets
        The budgets of these exercices, as in `Provenance.budgets`.

    Returns
    -------
    list of str
        French remarks: codes of column B that the table lacks, texts that a total replaced…

    Raises
    ------
    WorkbenchError
        ``modele_sans_convention`` when no sheet holds a header of exercices nor a known code.
    """
    remarks: list[str] = []
    found = {sheet.title: _read(sheet) for sheet in workbook.worksheets}
    values = row_values(table)
    exercices = [int(exercice) for exercice in table.columns]
    if not any(
        plan.headers or plan.perimetres or any(row.code in values for row in plan.rows) for plan in found.values()
    ):
        raise WorkbenchError("modele_sans_convention", feuilles=", ".join(f"« {title} »" for title in found))
    for sheet in workbook.worksheets:
        plan = found[sheet.title]
        remarks.extend(
            f"Feuille « {sheet.title} », cellule B{row.row} : « {row.code} » n'est pas un indicateur de la table ; "
            "la ligne est laissée telle quelle."
            for row in plan.rows
            if row.code not in values and (CODE_LIKE.fullmatch(row.code) or row.pattern.startswith("$"))
        )
        plan.rows = [row for row in plan.rows if row.code in values]
        remarks += _fill_sheet(workbook, sheet, plan, values, exercices, budgets)
    for sheet in workbook.worksheets:
        for cell in found[sheet.title].perimetres:
            fill_perimetre_marker(workbook, sheet, cell, budgets)
    return remarks


def _text(cell: Any) -> str:
    return "" if cell is None or cell.data_type == "f" or not isinstance(cell.value, str | list) else str(cell.value)


def _note(cell: Any) -> str:
    return "" if cell is None or cell.value is None else str(cell.value).strip()


def _read(sheet: Worksheet) -> _Sheet:
    plan = _Sheet()
    for (row, column), cell in sorted(sheet._cells.items()):
        text = _text(cell)
        if "$" not in text:
            continue
        if column == FIRST and text.strip() == "$exges":
            plan.headers.append(row)
        elif "$dp" in text:
            plan.etats.append(cell)
        elif "$perimeter" in text:
            plan.perimetres.append(cell)
        elif "$libsiret" in text or "$siret" in text:
            plan.names.append(cell)
    headers = set(plan.headers)
    cells = sheet._cells
    marker: str | None = None
    previous = 0
    for row in range(1, sheet.max_row + 1):
        code = _text(cells.get((row, CODE))).strip()
        if not code or row in headers:
            continue
        if previous != row - 1 or not previous:
            above = _text(cells.get((_top(sheet, row - 1), TOTAL))).strip()
            marker = above if above in LABELS else None
            if marker:
                plan.labels[_top(sheet, row - 1)] = marker
        previous = row
        plan.rows.append(_Row(row, code, marker, _note(cells.get((row, TOTAL))), _text(cells.get((row, FIRST)))))
    for row in plan.headers:
        above = _text(cells.get((row, TOTAL))).strip()
        if above in LABELS:
            plan.labels[row] = above
    return plan


def _top(sheet: Worksheet, row: int) -> int:
    """Find the row that holds the text of column E: a header may be merged over several rows."""
    for area in sheet.merged_cells.ranges:
        if area.min_row <= row <= area.max_row and area.min_col == area.max_col == TOTAL:
            return int(area.min_row)
    return row


def _expression_rows(sheet: Worksheet, first: int) -> list[int]:
    """Rows below the first header or indicateur whose column D computes from column D: one formula an exercice."""
    probe = Opening(sheet.title, 1, sheet.max_row, FIRST, 1)
    rows = []
    for (row, column), cell in sheet._cells.items():
        if column != FIRST or row <= first or cell.data_type != "f" or not isinstance(cell.value, str):
            continue
        if repeat_expression(cell.value, sheet.title, probe, 1) != cell.value:
            rows.append(row)
    return rows


def _fill_sheet(
    workbook: Workbook,
    sheet: Worksheet,
    plan: _Sheet,
    values: Mapping[str, Sequence[float]],
    exercices: Sequence[int],
    budgets: pa.Table,
) -> list[str]:
    count = len(exercices) - 1
    remarks: list[str] = []
    in_table = [cell for cell in plan.etats if cell.column == FIRST]
    filled = sorted({*plan.headers, *(row.row for row in plan.rows), *plan.labels, *(cell.row for cell in in_table)})
    if filled:
        coded = {*plan.headers, *(row.row for row in plan.rows)}
        plan.formulas = [row for row in _expression_rows(sheet, filled[0]) if row not in coded]
        filled = sorted({*filled, *plan.formulas})
    pattern: Any = copy(sheet.cell(plan.headers[-1], FIRST).border) if plan.headers else None
    if filled:
        remarks += _split_merged(sheet, filled)
        # A header cell keeps the number format that the model has at its place, before anything moves.
        formats = {
            (row, column): sheet._cells[row, column].number_format
            for row in plan.headers
            for column in range(FIRST, FIRST + count + 2)
            if (row, column) in sheet._cells
        }
        opening = Opening(sheet.title, filled[0], filled[-1], FIRST, count)
        remarks += open_columns(workbook, sheet, opening)
        widen(sheet, opening, TOTAL_WIDTH if plan.labels else None)
        _repeat_column(sheet, plan, opening)
        for row in plan.headers:
            _fill_header(sheet, row, exercices, plan.labels.get(row), formats)
        for row, marker in plan.labels.items():
            if row not in plan.headers:
                sheet.cell(row, TOTAL + count).value = LABELS[marker]
        for item in plan.rows:
            remarks += _fill_row(sheet, item, values[item.code], exercices)
    for cell in plan.etats:
        if cell not in in_table:
            remarks += open_columns(workbook, sheet, Opening(sheet.title, cell.row, cell.row, cell.column, count))
        _fill_etats(sheet, cell.row, cell.column, etats(budgets, exercices))
    libelle, siret = collectivite_names(budgets)
    for cell in plan.names:
        set_text(cell, _text(cell).replace("$libsiret", libelle).replace("$siret", siret))
        if pattern is not None:
            cell.border = copy(pattern)
    return remarks


def _split_merged(sheet: Worksheet, filled: Sequence[int]) -> list[str]:
    """Free cells to fill that a merged range hides; vertical ones in column D are dealt with later."""
    remarks = []
    for area in list(sheet.merged_cells.ranges):
        rows = [row for row in filled if area.min_row <= row <= area.max_row]
        hides_values = area.min_col <= FIRST and area.max_col > FIRST
        hidden_row = area.min_col <= TOTAL and area.max_col >= FIRST and any(row > area.min_row for row in rows)
        if rows and (hides_values or hidden_row or (area.min_col < FIRST == area.max_col)):
            sheet.unmerge_cells(area.coord)
            remarks.append(
                f"Feuille « {sheet.title} » : les cellules fusionnées {area.coord} sont défusionnées pour recevoir "
                "les exercices."
            )
    return remarks


def _repeat_column(sheet: Worksheet, plan: _Sheet, opening: Opening) -> None:
    """Repeat on each exercice what column D has beside indicateurs: formulas, vertical merges."""
    for row in plan.formulas:
        source = sheet.cell(row, opening.column)
        text = str(source.value)
        for index in range(1, opening.count + 1):
            target = sheet.cell(row, opening.column + index)
            if not isinstance(target, MergedCell):
                target.value = repeat_expression(text, sheet.title, opening, index)
                copy_cell(source, target)
    for area in list(sheet.merged_cells.ranges):
        inside = opening.first <= area.min_row and area.max_row <= opening.last
        if inside and area.min_col == area.max_col == opening.column:
            for index in range(1, opening.count + 1):
                column = get_column_letter(opening.column + index)
                sheet.merge_cells(CellRange(f"{column}{area.min_row}:{column}{area.max_row}").coord)


def _fill_header(
    sheet: Worksheet, row: int, exercices: Sequence[int], marker: str | None, formats: dict[tuple[int, int], str]
) -> None:
    source = sheet.cell(row, FIRST)
    font: Any = copy(source.font)
    border: Any = copy(source.border)
    fill: Any = copy(source.fill)
    for index, exercice in enumerate(exercices):
        cell = sheet.cell(row, FIRST + index)
        cell.value = exercice
        cell.font, cell.border, cell.fill, cell.alignment = font, border, fill, CENTER
        cell.number_format = formats.get((row, FIRST + index), "General")
    if marker:
        cell = sheet.cell(row, FIRST + len(exercices))
        cell.value = LABELS[marker]
        cell.font, cell.border, cell.fill = Font(name="Arial", size=7, italic=True), border, fill
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.number_format = formats.get((row, FIRST + len(exercices)), "General")


def _fill_row(sheet: Worksheet, item: _Row, values: Sequence[float], exercices: Sequence[int]) -> list[str]:
    source = sheet.cell(item.row, FIRST)
    for index, value in enumerate(values):
        cell = sheet.cell(item.row, FIRST + index)
        cell.value = _number(value)
        if index:
            copy_cell(source, cell)
    if not item.marker:
        return []
    place: Any = sheet.cell(item.row, FIRST + len(values))
    last: Any = sheet.cell(item.row, FIRST + len(values) - 1)
    place.value = None
    if not (item.marker == "$totalV" and item.note == "N"):
        figure = total(item.marker, values, exercices)
        place.value = None if figure is None else _number(figure)
    font: Any = copy(last.font)
    font.i = True
    place.font, place.border, place.fill = font, copy(last.border), copy(last.fill)
    place.alignment = Alignment(horizontal="right", vertical="center")
    place.number_format = TOTAL_FORMATS.get(item.marker, last.number_format)
    if item.note and item.note != "N" and not item.note.startswith("$"):
        return [
            f"Feuille « {sheet.title} », cellule E{item.row} : « {item.note} » est remplacé par le total de la ligne."
        ]
    return []


def _number(value: float) -> float | None:
    """Leave out what a workbook cannot hold: NaN, infinity."""
    return value if value - value == 0 else None


def _fill_etats(sheet: Worksheet, row: int, column: int, names: Sequence[str]) -> None:
    font: Any = copy(sheet.cell(row, max(column - 1, 1)).font)
    for index, name in enumerate(names):
        cell = sheet.cell(row, column + index)
        cell.value, cell.font, cell.alignment = name, font, CENTER

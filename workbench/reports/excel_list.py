"""The list that a batch is made from, when it is a workbook, and the log that it ends with."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.cell import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook

from workbench.errors import WorkbenchError
from workbench.reports.excel_files import save, set_text

__all__ = ["LOG_SHEET", "read_list", "write_log"]

LOG_SHEET = "retour"

ADDED = ("DEMANDE", "ETAT", "FICHIER", "CAUSE", "AVERTISSEMENTS")

FILLS = {"Terminé": "FFE2EFDA", "Échec": "FFF8CBAD", "Vide": "FFFFF2CC", "Annulé": "FFE7E6E6"}


def read_list(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Read the first sheet of a workbook.

    Yields
    ------
    tuple of int and list
        Number of the line, and its values; a formula gives the value that the workbook remembers.

    Raises
    ------
    WorkbenchError
        ``liste_illisible``.
    """
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise WorkbenchError("liste_illisible", fichier=path.name, cause="ce n'est pas un classeur Excel") from error
    try:
        sheet = workbook.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, list(row)
    finally:
        workbook.close()


def write_log(
    columns: Sequence[str], lines: Sequence[tuple[Sequence[Any], Sequence[str], str | None]], to: Path
) -> Path:
    """Write what became of each line of a list.

    Parameters
    ----------
    columns
        Those of the list.
    lines
        For each: its values, what is added (identifier, state, files, cause, warnings), and the name of the file that
        the cell of the files leads to, beside the log.
    to
        The workbook, replaced in one step.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(LOG_SHEET)
    names = [*columns, *ADDED]
    widths = [max(14, len(name) + 2) for name in columns] + [30, 12, 60, 70, 50]
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{len(lines) + 1}"
    heading = []
    for name in names:
        cell = WriteOnlyCell(sheet)
        set_text(cell, name)
        cell.font = Font(bold=True)
        heading.append(cell)
    sheet.append(heading)
    for values, added, link in lines:
        row: list[Any] = [_cell(sheet, value) for value in values]
        row += [_cell(sheet, text) for text in added]
        colour = FILLS.get(added[1])
        if colour:
            row[len(columns) + 1].fill = PatternFill("solid", fgColor=colour)
        if link:
            row[len(columns) + 2].hyperlink = link
            row[len(columns) + 2].font = Font(color="FF0563C1", underline="single")
        sheet.append(row)
    return save(workbook, to)


def _cell(sheet: Any, value: Any) -> Any:
    cell = WriteOnlyCell(sheet)
    if isinstance(value, int | float | date | datetime) or value is None:
        cell.value = value
    else:
        set_text(cell, str(value))
    return cell

"""A detection list as a workbook: its companies, and what they were chosen by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.cell import get_column_letter

from workbench.reports.excel_files import save, set_text

__all__ = ["write_detection"]


def write_detection(
    heads: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[Any]],
    parameters: Sequence[tuple[str, str]],
    to: str | Path,
) -> Path:
    """Write a list: a sheet « Liste », a sheet « Paramètres ».

    Parameters
    ----------
    heads
        Of each column, its title and its width in characters.
    rows
        Values; None is an empty cell. A text is never a formula.
    parameters
        What the list was chosen by: names and values.
    to
        Path of the ``.xlsx``; written whole or not at all.

    Raises
    ------
    WorkbenchError
        ``classeur_non_inscriptible``.
    """
    workbook = Workbook(write_only=True)
    _sheet(workbook, "Liste", heads, rows)
    _sheet(workbook, "Paramètres", [("Paramètre", 24), ("Valeur", 80)], parameters)
    return save(workbook, Path(to))


def _sheet(workbook: Any, title: str, heads: Sequence[tuple[str, int]], rows: Iterable[Sequence[Any]]) -> None:
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, (_, width) in enumerate(heads, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    bold = Font(bold=True)
    titles = []
    for name, _ in heads:
        cell = WriteOnlyCell(sheet)
        set_text(cell, name)
        cell.font = bold
        titles.append(cell)
    sheet.append(titles)
    count = 1
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet)
            if isinstance(value, str):
                set_text(cell, value)
            else:
                cell.value = value
            cells.append(cell)
        sheet.append(cells)
        count += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(heads))}{count}"

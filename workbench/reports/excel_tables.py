"""A workbook of plain tables, one a sheet: a row of heads, then values as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.cell import get_column_letter

from workbench.reports.excel_files import save, set_text

__all__ = ["write_tables"]

WIDEST = 60


def write_tables(tables: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Any]]]], to: str | Path) -> Path:
    """Write tables into a workbook.

    Parameters
    ----------
    tables
        By name of sheet, heads and rows; a text is written as text, whatever it begins with.
    to
        The workbook, made or replaced.

    Examples
    --------
    >>> import tempfile
    >>> written = write_tables({"jours": (["jour", "accès"], [["2026-03-01", 12]])}, tempfile.mktemp(suffix=".xlsx"))
    >>> written.suffix
    '.xlsx'
    """
    workbook = Workbook(write_only=True)
    for name, (heads, rows) in tables.items():
        sheet = workbook.create_sheet(name)
        sheet.freeze_panes = "A2"
        written = [list(row) for row in rows]
        for place, head in enumerate(heads):
            longest = max((len(str(row[place])) for row in written), default=0)
            sheet.column_dimensions[get_column_letter(place + 1)].width = min(WIDEST, max(len(head), longest) + 3)
        bold = []
        for head in heads:
            cell = WriteOnlyCell(sheet)
            set_text(cell, head)
            cell.font = Font(bold=True)
            bold.append(cell)
        sheet.append(bold)
        for row in written:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet)
                if isinstance(value, str):
                    set_text(cell, value)
                else:
                    cell.value = value
                cells.append(cell)
            sheet.append(cells)
    return save(workbook, Path(to))

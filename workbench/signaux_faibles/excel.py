"""The rows of a workbook that a partner sends; the only module of the room that knows openpyxl."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["sheet_rows", "write_sheet"]

_LARGEST = 2 << 30
"""Bytes that a workbook may take once decompressed."""


def sheet_rows(path: Path) -> Iterator[list[str]]:
    """Give the rows of the only sheet of a workbook, cells as texts; empty rows are none.

    Raises
    ------
    WorkbenchError
        ``classeur_feuilles`` when there are several sheets, ``fichier_illisible`` when it is no workbook.
    """
    import openpyxl

    with warnings.catch_warnings():
        # What openpyxl does not know of a workbook (validations, styles), nothing here reads.
        warnings.simplefilter("ignore")
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(part.file_size for part in archive.infolist())
            fits = size <= _LARGEST
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False) if fits else None
        except Exception as error:
            raise WorkbenchError("fichier_illisible", fichier=path.name, detail="classeur abîmé") from error
        if book is None:
            raise WorkbenchError("fichier_illisible", fichier=path.name, detail="le classeur est trop gros")
        try:
            if len(book.sheetnames) != 1:
                raise WorkbenchError("classeur_feuilles", fichier=path.name, nombre=len(book.sheetnames))
            yield from _texts(book.worksheets[0], path)
        finally:
            book.close()


def _texts(sheet: Any, path: Path) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what the file announces may be wrong, and would cut rows
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise WorkbenchError("fichier_illisible", fichier=path.name, detail="classeur abîmé") from error
        if row is None:
            return
        cells = [_text(value) for value in row]
        if any(cells):
            yield cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(value)


def write_sheet(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write a workbook of one sheet."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Feuille 1")
    for row in rows:
        sheet.append(list(row))
    book.save(path)

"""The workbook as a foreign file: opened within bounds, cells read as texts, texts written so that they stay texts."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils import quote_sheetname

from workbench.errors import WorkbenchError
from workbench.trames.problems import TrameError, TrameProblem

__all__ = ["MAX_CELL", "as_text", "cell_name", "opened", "put_text", "rows", "saved"]

MAX_CELL = 32_767
_MAX_BYTES = 10 << 20
_MAX_UNZIPPED = 100 << 20
_MAX_PARTS = 2_000
_DECLARATIONS = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Excel writes a character that XML cannot hold as _x000D_, and a text that looks like that as _x005F_x000D_.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_KINDS = {
    "n": "un nombre",
    "d": "une date",
    "b": "un booléen",
    "f": "une formule Excel",
    "e": "une erreur d'Excel",
}


@contextmanager
def opened(path: Path, *, read_only: bool = True) -> Iterator[Workbook]:
    """Open a workbook, and close it.

    Raises
    ------
    WorkbenchError
        When the file is missing or is not named .xlsx.
    TrameError
        When it is no workbook, is protected by a password, holds macros, or would not fit in memory.
    """
    if not path.is_file():
        raise WorkbenchError("trame_fichier_absent", chemin=path)
    if wrong := _refusal(path):
        raise TrameError.of(path.name, [TrameProblem(path.name, *wrong)])
    with warnings.catch_warnings(), path.open("rb") as file:
        # openpyxl warns about what it does not know (validation lists, styles); none of it is read here.
        warnings.simplefilter("ignore")
        with _damage(path.name):
            workbook = load_workbook(file, read_only=read_only, keep_links=False, rich_text=False)
        try:
            yield workbook
        finally:
            workbook.close()


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Make a TrameError of whatever openpyxl's parsing of a damaged part raises."""
    try:
        yield
    except Exception as error:
        hint = "ouvrez-le dans un tableur et enregistrez-le de nouveau en .xlsx"
        raise TrameError.of(name, [TrameProblem(name, "le classeur est abîmé", hint)]) from error


def rows(sheet: Any, name: str, last_column: int) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each row of a sheet opened for reading only, from the first row on.

    Raises
    ------
    TrameError
        When a part of the workbook, called ``name``, is damaged: it is only parsed here.
    """
    sheet.reset_dimensions()  # what the file announces may be wrong, and would cut rows
    lines = sheet.iter_rows(max_col=last_column)
    while True:
        with _damage(name):
            line = next(lines, None)
        if line is None:
            return
        yield line


def _refusal(path: Path) -> tuple[str, str] | None:
    """Say why a file will not be opened, and what to do; None for one that may be."""
    again = "ouvrez-le dans un tableur et enregistrez-le en .xlsx"
    if path.suffix.lower() != ".xlsx":
        return f"ce n'est pas un classeur .xlsx mais « {path.suffix} »", again
    if path.stat().st_size > _MAX_BYTES:
        return f"le classeur dépasse {_MAX_BYTES >> 20} Mio", "gardez-y les seules feuilles de la trame"
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            return (
                "le classeur est protégé par un mot de passe, ou à l'ancien format .xls",
                f"{again}, sans mot de passe",
            )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            # zipfile never gives more than the size announced for a part, so that the sum of these is a true bound.
            if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNZIPPED:
                return "le classeur est trop gros une fois décompressé", "gardez-y les seules feuilles de la trame"
            if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
                return "le classeur contient des macros", again
            # No workbook declares entities; whether the XML library would expand them depends on the machine.
            texts = (archive.read(part) for part in parts if part.filename.lower().endswith((".xml", ".rels", ".vml")))
            if any(mark in text for text in texts for mark in _DECLARATIONS):
                return "le classeur déclare des entités XML, ce que ne fait aucun tableur", again
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, RuntimeError, EOFError, OSError):
        return "le fichier n'est pas un classeur Excel, ou il est abîmé", again
    return None


def cell_name(sheet: str, column: str, row: int) -> str:
    """Name a cell as Excel does.

    Examples
    --------
    >>> cell_name("Result", "C", 7), cell_name("Ma feuille", "A", 2)
    ('Result!C7', "'Ma feuille'!A2")
    """
    name = sheet if re.fullmatch(r"\w+", sheet) else quote_sheetname(sheet)
    return f"{name}!{column}{row}"


def as_text(cell: Any) -> tuple[str, str]:
    """Read a cell: its text, and what it holds instead when that is no text, in French.

    Examples
    --------
    >>> sheet = Workbook().active
    >>> as_text(sheet.cell(1, 1, "C70 ")), as_text(sheet.cell(1, 2, 2012)), as_text(sheet.cell(1, 3))
    (('C70 ', ''), ('', 'un nombre'), ('', ''))
    """
    if cell.value is None:
        return "", ""
    if cell.data_type in {"s", "str", "inlineStr"}:
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(cell.value)), ""
    return "", _KINDS.get("d" if cell.is_date else cell.data_type, "autre chose qu'un texte")


def put_text(cell: Any, text: str) -> None:
    """Write a text that no spreadsheet may take for a formula, a number or an error, then or when it is edited."""
    escaped = _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    if len(escaped) > MAX_CELL:
        message = f"le texte fait {len(escaped)} caractères, une cellule en contient {MAX_CELL} au plus"
        raise TrameError.of(cell.coordinate, [TrameProblem(cell.coordinate, message, "gardez la trame en .yaml")])
    if not escaped:
        return
    cell.value = escaped
    cell.data_type = "s"
    cell.number_format = "@"
    if escaped[0] in "=+-@":
        cell.quotePrefix = True


def saved(workbook: Workbook) -> bytes:
    """Return the bytes of a workbook."""
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()

"""The balance workbook: every compte of the chosen budgets, with its operations and closing balances.

One row a (exercice, SIRET, compte), in that order, comptes in text order. Amounts are summed in cents and
divided once, so that each cell is the double nearest to the amount in euros. Rows are written as they are
read, a few hundred budgets at a time: memory does not grow with the perimeter. Beyond the 1 048 576 rows
of a sheet, another follows.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.workbook import Workbook

from workbench.dgfip import Base, perimetre, select_budgets, sum_comptes
from workbench.dgfip.reference import libelle_type_budget
from workbench.errors import WorkbenchError, require_kind
from workbench.evaluation.exercices import wanted_exercices
from workbench.reports.excel_files import destination, set_text, writing
from workbench.reports.excel_perimetre import landscape

__all__ = ["balance_filename", "write_balance"]

SHEET = "Balances des comptes"
NOTE = (
    "* Les opérations budgétaires comprennent les opérations réelles + les opérations d'ordre qui sont détaillées "
    "dans la colonne 'Dont opérations budgétaires d'ordre'"
)
FORMAT = "#,##0_-"
LABELS = (
    ("Exercice", 10),
    ("SIRET", 17),
    ("Organisme", 36),
    ("Type budget", 18),
    ("Nomenclature", 13),
    ("Compte", 12),
)
AMOUNTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Balance d'entrée Débit", ("debit_1",)),
    ("Balance d'entrée Crédit", ("credit_1",)),
    ("Opérations budgétaires Débit*", ("debit_2",)),
    ("Opérations budgétaires Crédit*", ("credit_2",)),
    ("Dont op. budg. ordre Débit", ("debit_6",)),
    ("Dont op. budg. ordre Crédit", ("credit_6",)),
    ("Op. ordre non budg. Débit", ("debit_3", "debit_4")),
    ("Op. ordre non budg. Crédit", ("credit_3", "credit_4")),
    ("Annul. Débit", ("debit_7",)),
    ("Annul. Crédit", ("credit_7",)),
    ("Op. année Débit", ("debit_2", "debit_3", "debit_4", "debit_7")),
    ("Op. année Crédit", ("credit_2", "credit_3", "credit_4", "credit_7")),
    ("Balance de sortie Débit", ("debit_1", "debit_2", "debit_3", "debit_4", "debit_7")),
    ("Balance de sortie Crédit", ("credit_1", "credit_2", "credit_3", "credit_4", "credit_7")),
)
"""Columns G to T: what to print, the columns of `workbench.dgfip.schema.AMOUNTS` that they add up."""

SOLDES = ("Solde Débit", "Solde Crédit")
"""Columns U and V: the closing balance, on the side where it stands."""

LETTERS = [get_column_letter(column) for column in range(1, len(LABELS) + len(AMOUNTS) + len(SOLDES) + 1)]

FIRST_ROW = 9
LAST_ROW = 1_048_576
BUDGETS_AT_ONCE = 500
NAMES_SHOWN = 5
THIN = Side(style="thin", color="FFBFBFBF")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
GREY = PatternFill("solid", fgColor="FFD9D9D9")
HEAD = PatternFill("solid", fgColor="FFBFBFBF")
LIGHT = (PatternFill("solid", fgColor="FFFFFFFF"), PatternFill("solid", fgColor="FFEAF1FB"))


@dataclass(frozen=True)
class _Title:
    organisme: str
    exercices: str


def write_balance(
    base: Base,
    sirets: Iterable[str | int] | str | None = None,
    exercices: Iterable[int] = (),
    to: str | Path = ".",
    *,
    sirens: Iterable[str | int] | str | None = None,
    finess: Iterable[str | int] | str | None = None,
) -> Path:
    """Write the balance of chosen budgets as a workbook.

    Parameters
    ----------
    base
        An open accounting base.
    sirets, sirens, finess
        Which budgets: give one kind. All the budgets of each SIREN or FINESS number are taken, whatever
        their nomenclature and type.
    exercices
        Exercices wanted; those that the base lacks are left out.
    to
        The file to write, replaced in one step; or an existing folder, where it is named by `balance_filename`.

    Returns
    -------
    pathlib.Path
        The file written. Amounts are in euros, exact to the cent; a compte without movement has zeros.

    Raises
    ------
    WorkbenchError
        ``rapport_vide`` when the base holds nothing for this choice, ``balance_identifiants`` when none or
        several kinds of identifiers are given, ``exercices_vides``.

    Notes
    -----
    Columns: specification of OpenAnafi, 6.4.
    """
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
    criteria = perimetre(sirets=sirets, sirens=sirens, finess=finess)
    kinds = {"SIRET": criteria.sirets, "SIREN": criteria.sirens, "FINESS": criteria.finess}
    given = [(kind, idents) for kind, idents in kinds.items() if idents is not None]
    if len(given) != 1 or not given[0][1]:
        raise WorkbenchError("balance_identifiants")
    ((kind, idents),) = given
    years = wanted_exercices(exercices)
    path = destination(to, balance_filename(idents, kind, years))
    budgets = select_budgets(base, criteria, years)
    if not budgets.num_rows:
        shown = ", ".join(idents[:NAMES_SHOWN]) + (
            f"… ({len(idents)} identifiants)" if len(idents) > NAMES_SHOWN else ""
        )
        raise WorkbenchError(
            "rapport_vide",
            perimetre=f"{kind} {shown}",
            exercices=f"exercice {years[0]}" if len(years) == 1 else f"exercices {years[0]} à {years[-1]}",
            nomenclature="",
        )
    with writing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as package:
        _Sheets(package, _title(budgets, years)).write(_rows(base, budgets))
    return path


def balance_filename(idents: Sequence[str], kind: str, exercices: Sequence[int], now: datetime | None = None) -> str:
    """Name a balance workbook.

    Examples
    --------
    >>> balance_filename(["213109002"], "SIREN", [2017, 2018], datetime(2026, 11, 21, 20, 20, 0))
    'BALANCE_SIREN_213109002_2017_2018_20261121_202000.xlsx'
    """
    moment = now or datetime.now(UTC).astimezone()
    who = "et".join(idents) if len(idents) <= NAMES_SHOWN else f"{len(idents)} identifiants"
    return f"BALANCE_{kind}_{who}_{min(exercices)}_{max(exercices)}_{moment:%Y%m%d_%H%M%S}.xlsx"


def _title(budgets: pa.Table, years: Sequence[int]) -> _Title:
    names: dict[str, str] = {}
    for row in budgets.sort_by([("exercice", "descending"), ("siret", "ascending")]).to_pylist():
        names.setdefault(row["siret"], row["libelle"] or "")
    if len(names) <= NAMES_SHOWN:
        labels = ", ".join(dict.fromkeys(names.values()))
        organisme = f"{labels} (n° SIRET : {', '.join(names)})"
    else:
        organisme = f"{len(names)} budgets"
    return _Title(organisme, f"{years[0]} - {years[-1]}")


def _rows(base: Base, budgets: pa.Table) -> Iterator[tuple[list[Any], list[float]]]:
    """Yield the labels and amounts of each row, in order, reading a bounded number of budgets at a time."""
    ordered = budgets.sort_by([("exercice", "ascending"), ("siret", "ascending")])
    for exercice in ordered["exercice"].unique().to_pylist():
        year = ordered.filter(pa.compute.equal(ordered["exercice"], exercice))
        for start in range(0, year.num_rows, BUDGETS_AT_ONCE):
            yield from _read(base, year.slice(start, BUDGETS_AT_ONCE))


def _read(base: Base, budgets: pa.Table) -> Iterator[tuple[list[Any], list[float]]]:
    described = budgets.to_pylist()
    groups = pa.table(
        {
            "siret": budgets["siret"],
            "exercice": budgets["exercice"],
            "groupe": pa.array(range(budgets.num_rows), pa.int64()),
        }
    )
    cells = sum_comptes(base, groups).sort_by([("groupe", "ascending"), ("compte", "ascending")])
    cents = (
        np.column_stack([sum(cells[column].to_numpy() for column in columns) for _, columns in AMOUNTS])
        if cells.num_rows
        else np.empty((0, len(AMOUNTS)), np.int64)
    )
    balance = cents[:, -2] - cents[:, -1]
    euros = np.column_stack([cents, balance.clip(0), (-balance).clip(0)]) / 100
    comptes = cells["compte"].to_pylist()
    for index, groupe in enumerate(cells["groupe"].to_pylist()):
        budget = described[groupe]
        labels = [
            budget["exercice"],
            budget["siret"],
            budget["libelle"],
            libelle_type_budget(budget["type_budget"]),
            budget["nomenclature_detail"] or budget["nomenclature"],
            comptes[index],
        ]
        yield labels, euros[index].tolist()


class _Sheets:
    """Sheets streamed into a package, laid out by an empty workbook of the same styles.

    openpyxl gives the parts around (styles, titles, widths, print setup) and the numbers of the styles; rows are
    written as text between the header and the end of the sheet, thirty times faster than cell by cell.
    """

    def __init__(self, package: zipfile.ZipFile, title: _Title) -> None:
        self.package, self.title = package, title
        with zipfile.ZipFile(io.BytesIO(_layout(title, 1))) as model:
            sheet = model.read("xl/worksheets/sheet1.xml").decode("utf-8")
        sheet = re.sub(r"<dimension [^>]*/>", "", sheet)
        self.head, rest = sheet.split(f'<row r="{FIRST_ROW}"')
        patterns, self.tail = rest.split("</sheetData>")
        styles = re.findall(r' s="(\d+)"', patterns)
        self.styles = styles[: len(LETTERS)], styles[len(LETTERS) :]

    def write(self, rows: Iterable[tuple[list[Any], list[float]]]) -> None:
        """Write all rows, then the parts that depend on the number of sheets."""
        pending = iter(rows)
        first = next(pending, None)
        count = 0
        while first is not None or not count:
            count += 1
            with self.package.open(f"xl/worksheets/sheet{count}.xml", "w", force_zip64=True) as part:
                part.write(self.head.encode("utf-8"))
                first = self._write_rows(part, first, pending)
                part.write(("</sheetData>" + self.tail).encode("utf-8"))
        with zipfile.ZipFile(io.BytesIO(_layout(self.title, count))) as model:
            for name in model.namelist():
                if not name.startswith("xl/worksheets/sheet"):
                    self.package.writestr(name, model.read(name))

    def _write_rows(
        self, part: IO[bytes], first: tuple[list[Any], list[float]] | None, pending: Iterator[Any]
    ) -> tuple[list[Any], list[float]] | None:
        """Write rows until there are none, or the sheet is full: then return the one that did not fit."""
        row = first
        for number in range(FIRST_ROW, LAST_ROW + 1):
            if row is None:
                return None
            part.write(self._row(number, *row).encode("utf-8"))
            row = next(pending, None)
        return row

    def _row(self, number: int, labels: list[Any], amounts: list[float]) -> str:
        styles = self.styles[(number - FIRST_ROW) % 2]
        cells = []
        for letter, style, label in zip(LETTERS, styles, labels, strict=False):
            place = f'<c r="{letter}{number}" s="{style}"'
            if isinstance(label, int):
                cells.append(f"{place}><v>{label}</v></c>")
            else:
                cells.append(f'{place} t="inlineStr"><is><t xml:space="preserve">{_escaped(label)}</t></is></c>')
        for letter, style, amount in zip(LETTERS[len(LABELS) :], styles[len(LABELS) :], amounts, strict=True):
            cells.append(f'<c r="{letter}{number}" s="{style}"><v>{amount or 0!r}</v></c>')
        return f'<row r="{number}">{"".join(cells)}</row>'


@lru_cache(maxsize=4096)
def _escaped(text: str | None) -> str:
    return escape(ILLEGAL_CHARACTERS_RE.sub("", text or ""))


def _layout(title: _Title, sheets: int) -> bytes:
    """Make a workbook of that many sheets with their headers and two rows, one a style."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    center = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for number in range(1, sheets + 1):
        sheet = workbook.create_sheet(SHEET if number == 1 else f"{SHEET} ({number})")
        for row, text, font in (
            (2, title.organisme, Font(name="Arial", size=12, bold=True)),
            (4, title.exercices, Font(name="Arial", size=11, bold=True)),
            (6, NOTE, Font(name="Arial", size=8, italic=True)),
        ):
            cell: Any = sheet.cell(row, 3)
            set_text(cell, text)
            cell.font, cell.alignment = font, center
            sheet.merge_cells(f"C{row}:M{row}")
        sheet.row_dimensions[2].height = 18 * max(1, math.ceil(len(title.organisme) / 110))
        sheet.row_dimensions[FIRST_ROW - 1].height = 40
        widths = [*(width for _, width in LABELS), *[16] * (len(AMOUNTS) + len(SOLDES))]
        names = [*(name for name, _ in LABELS), *(name for name, _ in AMOUNTS), *SOLDES]
        for column, (name, width) in enumerate(zip(names, widths, strict=True), start=1):
            labelled = column <= len(LABELS)
            sheet.column_dimensions[get_column_letter(column)].width = width
            cell = sheet.cell(FIRST_ROW - 1, column, name)
            cell.font, cell.fill, cell.alignment = Font(name="Arial", size=9, bold=True), HEAD, center
            cell.border, cell.number_format = BOX, "General" if labelled else FORMAT
            for row, fill in enumerate(LIGHT, start=FIRST_ROW):
                cell = sheet.cell(row, column, 0)
                cell.font = Font(name="Arial", size=9, bold=labelled)
                cell.fill, cell.border, cell.number_format = (GREY if labelled else fill), BOX, FORMAT
        sheet.freeze_panes = f"G{FIRST_ROW}"
        landscape(sheet)
        sheet.print_title_rows = f"{FIRST_ROW - 1}:{FIRST_ROW - 1}"
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()

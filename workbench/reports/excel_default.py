"""The workbook written without a model: one sheet a thème, the definitions, the perimeter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.reports.excel_files import set_text, sheet_title
from workbench.reports.excel_perimetre import etats, landscape
from workbench.reports.excel_totals import mean_annual_variation, row_values
from workbench.trames.model import Formule, Indicateur

__all__ = ["UNITES", "build_default"]

UNITES: dict[str, tuple[str, str, str, float]] = {
    "euros": ("€", "#,##0;[Red]-#,##0", "+#,##0;[Red]-#,##0;0", 1),
    "euros_par_habitant": ("€/hab.", "#,##0.0;[Red]-#,##0.0", "+#,##0.0;[Red]-#,##0.0;0.0", 1),
    "pourcentage": ("%", "0.0%;[Red]-0.0%", '+0.0" pt";[Red]-0.0" pt";0.0" pt"', 100),
    "annees": ("années", '0.0" an(s)";[Red]-0.0" an(s)"', '+0.0" an(s)";[Red]-0.0" an(s)";0.0" an(s)"', 1),
    "ratio": ("", "0.000;[Red]-0.000", "+0.000;[Red]-0.000;0.000", 1),
}
"""What to print of a unit: its name, the number format of values, that of the difference between two, and
what a difference is multiplied by (a rate of 0.12 has differences in points)."""

OTHER = ("#,##0.00;[Red]-#,##0.00", "+#,##0.00;[Red]-#,##0.00;0.00", 1.0)

FONT = "Arial"
INK, RULE, BAND, HEAD, WARN = "FF1F3864", "FFBFBFBF", "FFF5F8FC", "FF1F3864", "FFFFF4CE"
THIN = Side(style="thin", color=RULE)
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
HEADER_FONT = Font(name=FONT, size=9, bold=True, color="FFFFFFFF")
HEADER_FILL = PatternFill("solid", fgColor=HEAD)
BAND_FILL = PatternFill("solid", fgColor=BAND)
BODY = Font(name=FONT, size=9)
LEFT = 3
"""Columns before the exercices: libellé, code, unité."""


class _Looks:
    """The looks of the cells of a workbook, each made once.

    openpyxl compares a font, a fill, a border with all those of the workbook each time that a cell takes one: most of
    the time of a workbook goes there when cells are dressed one by one.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}

    def dress(self, cell: Any, key: tuple[Any, ...], make: Callable[[Any], None]) -> None:
        """Give a cell the look of this key; ``make`` dresses the first cell that takes it."""
        if key in self._made:
            cell._style = copy(self._made[key])
        else:
            make(cell)
            self._made[key] = copy(cell._style)


def build_default(workbook: Workbook, table: IndicateurTable, budgets: pa.Table) -> None:
    """Fill an empty workbook with a table of indicateurs.

    Parameters
    ----------
    workbook
        A new workbook; its first sheet is used.
    table
        Values, one int column an exercice.
    budgets
        The budgets of these exercices, as in `Provenance.budgets`.
    """
    known = {indicateur.code: indicateur for indicateur in table.provenance.trame.indicateurs}
    shown = [known.get(code, Indicateur(code=code)) for code in (str(code) for code in table.index)]
    looks = _Looks()
    themes: dict[str, list[Indicateur]] = {}
    for indicateur in shown:
        themes.setdefault(indicateur.theme, []).append(indicateur)
    sheet = workbook.active
    if isinstance(sheet, Worksheet):
        workbook.remove(sheet)
    for theme, indicateurs in themes.items():
        sheet = workbook.create_sheet(sheet_title(workbook, theme or ("Indicateurs" if len(themes) == 1 else "Autres")))
        _fill_theme(sheet, theme, indicateurs, table, budgets, looks)
    _fill_definitions(workbook.create_sheet(sheet_title(workbook, "Définitions")), shown, table.provenance, looks)


def _line(sheet: Worksheet, row: int, text: str, width: int, **font: Any) -> None:
    cell = sheet.cell(row, 1)
    set_text(cell, text)
    cell.font = Font(name=FONT, **font)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)


def _headings(budgets: pa.Table, provenance: Provenance, exercices: Sequence[int]) -> list[str]:
    sirets = pc.unique(budgets["siret"]).to_pylist()
    if len(sirets) == 1:
        latest = budgets.sort_by([("exercice", "descending")]).to_pylist()[0]
        who = f"{latest['libelle']} (n° SIRET : {sirets[0]})"
        if latest["population"]:
            who += f" – {_thousands(latest['population'])} habitants en {latest['exercice']}"
    else:
        who = f"Périmètre consolidé de {_thousands(len(sirets))} budgets (feuille Périmètre)"
    period = str(exercices[0]) if len(exercices) == 1 else f"{exercices[0]} – {exercices[-1]}"
    parts = [f"Exercices {period}" if len(exercices) > 1 else f"Exercice {period}"]
    if provenance.nomenclature:
        parts.append(f"nomenclature {provenance.nomenclature}")
    return [who, ", ".join(parts)]


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _fill_theme(
    sheet: Worksheet,
    theme: str,
    indicateurs: Sequence[Indicateur],
    table: IndicateurTable,
    budgets: pa.Table,
    looks: _Looks,
) -> None:
    provenance = table.provenance
    values = row_values(table)
    exercices = [int(exercice) for exercice in table.columns]
    several = len(exercices) > 1
    width = LEFT + len(exercices) + 2 * several
    title = provenance.trame.libelle or provenance.trame.code
    _line(sheet, 1, f"{title} – {theme}" if theme else title, width, size=14, bold=True, color=INK)
    row = 1
    for text in _headings(budgets, provenance, exercices):
        row += 1
        _line(sheet, row, text, width, size=10)
    for text in provenance.avertissements:
        row += 1
        _line(sheet, row, f"Avertissement : {text}", width, size=9, color="FF7F6000")
        sheet.cell(row, 1).fill = PatternFill("solid", fgColor=WARN)
        sheet.row_dimensions[row].height = 12.5 * math.ceil(len(text) / (45 + 13 * width))
    header = row + 2
    names: list[str | int] = ["Indicateur", "Code", "Unité", *exercices]
    if several:
        names += ["Variation annuelle moyenne", "Écart sur la période"]
    for column, name in enumerate(names, start=1):
        cell = sheet.cell(header, column, name)
        cell.font, cell.fill, cell.border = HEADER_FONT, HEADER_FILL, BOX
        cell.alignment = Alignment(horizontal="left" if column <= LEFT else "center", vertical="center", wrap_text=True)
    sheet.row_dimensions[header].height = 30
    for column, text in enumerate(["État des comptes", "", "", *etats(budgets, exercices)], start=1):
        cell = sheet.cell(header + 1, column, ACCENTED.get(text, text) or None)
        cell.font = Font(name=FONT, size=8, italic=True)
        cell.alignment = Alignment(horizontal="left" if column <= LEFT else "center")
    for offset, indicateur in enumerate(indicateurs):
        row = header + 2 + offset
        _fill_indicateur(
            sheet, row, indicateur, values[indicateur.code], exercices, banded=bool(offset % 2), looks=looks
        )
    code_width = min(max(len(indicateur.code) for indicateur in indicateurs) * 1.15 + 2, 45)
    widths = [52, code_width, 9, *[14] * len(exercices), *[13, 15] * several]
    for column, size in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = size
    sheet.freeze_panes = sheet.cell(header + 2, LEFT + 1).coordinate
    _print_setup(sheet, provenance, f"{header}:{header}")
    sheet.print_title_cols = "A:A"


ACCENTED = {"Definitif": "Définitif"}


def _fill_indicateur(
    sheet: Worksheet,
    row: int,
    indicateur: Indicateur,
    values: Sequence[float],
    exercices: Sequence[int],
    *,
    banded: bool,
    looks: _Looks,
) -> None:
    unit, value_format, change_format, factor = UNITES.get(indicateur.unite, (indicateur.unite, *OTHER))
    for column, text in enumerate((indicateur.libelle or indicateur.code, indicateur.code, unit), start=1):
        set_text(sheet.cell(row, column), text)
    figures: list[tuple[float | None, str]] = [(value, value_format) for value in values]
    if len(values) > 1:
        amount = indicateur.unite in ("euros", "euros_par_habitant")
        variation = mean_annual_variation(values, exercices) if amount else None
        figures += [(variation, "0.0%;[Red]-0.0%"), ((values[-1] - values[0]) * factor, change_format)]
    for column, (figure, _) in enumerate(figures, start=LEFT + 1):
        sheet.cell(row, column, figure if figure is not None and math.isfinite(figure) else None)
    formats = ["General"] * LEFT + [number_format for _, number_format in figures]
    for column, number_format in enumerate(formats, start=1):
        cell = sheet.cell(row, column)
        side, summary = min(column, LEFT + 1), column > LEFT + len(values)
        key = ("indicateur", side, summary, banded, number_format, bool(cell.quotePrefix))

        def make(cell: Any, number_format: str = number_format, side: int = side, summary: bool = summary) -> None:
            cell.number_format = number_format
            cell.font, cell.border = (Font(name=FONT, size=9, italic=True) if summary else BODY), BOX
            cell.alignment = Alignment(
                horizontal="left" if side <= LEFT else "right", vertical="center", wrap_text=side <= LEFT - 1
            )
            if banded:
                cell.fill = BAND_FILL

        looks.dress(cell, key, make)
    if len(indicateur.libelle) > 56:
        sheet.row_dimensions[row].height = 12.5 * math.ceil(len(indicateur.libelle) / 56)


def _validity(formule: Formule) -> str:
    low, high = formule.exercice_min, formule.exercice_max
    if low is not None and high is not None:
        return f"en {low}" if low == high else f"de {low} à {high}"
    if low is not None:
        return f"à partir de {low}"
    return "" if high is None else f"jusqu'en {high}"


def _fill_definitions(
    sheet: Worksheet, indicateurs: Sequence[Indicateur], provenance: Provenance, looks: _Looks
) -> None:
    """One row a formule, so that texts stay whole and can be filtered."""

    def make(cell: Any) -> None:
        cell.font, cell.border = Font(name="Consolas" if cell.column == 4 else FONT, size=9), BOX
        cell.alignment = Alignment(vertical="top", wrap_text=True)

    headers = (
        ("Code", 30),
        ("Indicateur", 42),
        ("Unité", 9),
        ("Formule", 70),
        ("Exercices", 18),
        ("Description", 50),
        ("Référence", 40),
    )
    for column, (name, width) in enumerate(headers, start=1):
        cell: Any = sheet.cell(1, column, name)
        cell.font, cell.fill, cell.border = HEADER_FONT, HEADER_FILL, BOX
        sheet.column_dimensions[get_column_letter(column)].width = width
    row = 1
    for indicateur in indicateurs:
        for formule in indicateur.formules or (Formule(""),):
            row += 1
            unit = UNITES.get(indicateur.unite, (indicateur.unite,))[0]
            texts = (indicateur.code, indicateur.libelle, unit, formule.texte, _validity(formule))
            texts += (indicateur.description, indicateur.reference)  # type: ignore[assignment]
            for column, text in enumerate(texts, start=1):
                cell = sheet.cell(row, column)
                set_text(cell, text)
                looks.dress(cell, ("definition", column == 4, bool(cell.quotePrefix)), make)
            lines = max(math.ceil(len(text) / width) for text, (_, width) in zip(texts, headers, strict=True))
            sheet.row_dimensions[row].height = min(12.5 * max(lines, 1) + 2, 400)
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{row}"
    _print_setup(sheet, provenance, "1:1")


def _print_setup(sheet: Worksheet, provenance: Provenance, title_rows: str) -> None:
    landscape(sheet)
    sheet.print_title_rows = title_rows
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.6
    trame = provenance.trame.code.replace("&", "&&")
    footer: Any = sheet.oddFooter
    footer.left.text = f"Trame {trame}, import {provenance.snapshot.replace('&', '&&')}"
    footer.right.text = "&A – page &P / &N"
    footer.left.size = footer.right.size = 8

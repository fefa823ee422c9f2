"""The workbook of a comparative report: collectivités side by side, then every figure with its median and its rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from workbench.reports.comparative import Comparison
from workbench.reports.excel_files import save, set_text
from workbench.reports.series import name_of

__all__ = ["write_comparison"]

_FORMATS = {
    "euros": "#,##0",
    "euros_par_habitant": "#,##0",
    "pourcentage": "0.0%",
    "annees": "0.0",
    "ratio": "0.000",
}
_LONG = (
    *("SIRET", "Collectivité", "Indicateur", "Libellé", "Unité", "Exercice", "Valeur"),
    *("Médiane de la strate", "Rang", "Effectif de la strate", "Strate"),
)


def write_comparison(comparison: Comparison, to: str | Path, exercice: int | None = None) -> Path:
    """Write the comparison: a sheet of the exercice compared, and a sheet of all exercices, one figure a row.

    Parameters
    ----------
    comparison
        What `workbench.reports.comparative.compare_collectivites` gave.
    to
        Path of the ``.xlsx``; written whole or not at all.
    exercice
        The one shown side by side; the one that `Comparison` compares by default.

    Raises
    ------
    WorkbenchError
        ``classeur_non_inscriptible``.
    """
    workbook = Workbook(write_only=True)
    _write_side_by_side(workbook.create_sheet("Comparaison"), comparison, exercice or comparison.exercice)
    _write_long(workbook.create_sheet("Valeurs"), comparison)
    return save(workbook, Path(to))


def _write_side_by_side(sheet: Any, comparison: Comparison, year: int) -> None:
    sirets = list(comparison.tables)
    groups = comparison.groups(sirets, year)
    sheet.freeze_panes = "D2"
    sheet.column_dimensions["A"].width = sheet.column_dimensions["C"].width = 24
    sheet.column_dimensions["B"].width = 48
    heads = ["Code", "Indicateur", f"Thème ({year})", *(comparison.names[siret] for siret in sirets)]
    sheet.append([_text(sheet, head, bold=True) for head in [*heads, *(f"Médiane : {name}" for name in groups)]])
    for theme, one in comparison.indicateurs:
        values = [comparison.value(one.code, siret, year) for siret in sirets]
        values += [comparison.median(one.code, siret, year) for siret in groups.values()]
        texts = [_text(sheet, text) for text in (one.code, name_of(one), theme)]
        sheet.append([*texts, *(_number(sheet, value, one.unite) for value in values)])


def _write_long(sheet: Any, comparison: Comparison) -> None:
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, head, bold=True) for head in _LONG])
    for siret, table in comparison.tables.items():
        for _, one in comparison.indicateurs:
            for year in table.provenance.exercices:
                row = comparison.ranked.get((one.code, siret, year), {})
                sheet.append(
                    [
                        *(
                            _text(sheet, text)
                            for text in (siret, comparison.names[siret], one.code, name_of(one), one.unite)
                        ),
                        year,
                        _number(sheet, comparison.value(one.code, siret, year), one.unite),
                        _number(sheet, row.get("median"), one.unite),
                        row.get("rank"),
                        row.get("count"),
                        _text(sheet, str(row.get("strate", ""))),
                    ]
                )


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet)
    set_text(cell, text)
    if bold:
        cell.font = Font(bold=True)
    return cell


def _number(sheet: Any, value: float | None, unite: str) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = _FORMATS.get(unite, "General")
    return cell

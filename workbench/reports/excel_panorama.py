"""A comparison of many collectivités as a workbook: ranking, départements, evolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from workbench.dgfip.reference import departements
from workbench.reports.excel_default import OTHER, UNITES
from workbench.reports.excel_files import save, set_text
from workbench.reports.panorama import Panorama
from workbench.reports.series import name_of

__all__ = ["write_panorama"]


def write_panorama(seen: Panorama, exercice: int, to: str | Path, notes: Sequence[str] = ()) -> Path:
    """Write a comparison: a sheet of the ranking, one of the départements, one of the exercices, one of what to know.

    Parameters
    ----------
    seen
        What `workbench.reports.panorama.panorama` gave.
    exercice
        The one that is ranked.
    to
        Path of the ``.xlsx``; written whole or not at all.
    notes
        French sentences: the perimeter, what is left out.

    Raises
    ------
    WorkbenchError
        ``classeur_non_inscriptible``.
    """
    shown = [one for one in (seen.indicateur, seen.other) if one is not None]
    kinds = [UNITES[one.unite][1] if one.unite in UNITES else OTHER[0] for one in shown]
    names = departements()
    workbook = Workbook(write_only=True)
    heads = ["Rang", "SIRET", "Collectivité", "Département", "Population", *map(name_of, shown), "Comptes"]
    states = {"D": "définitifs", "P": "provisoires", "M": "mixtes"}
    rows = [
        [
            int(row["rank"]),
            row["siret"],
            row["libelle"],
            names.get(row["departement"], row["departement"]),
            None if math.isnan(row["population"]) else int(row["population"]),
            *((row[column], kind) for column, kind in zip(("value", "other"), kinds, strict=False)),
            states.get(row["etat"], row["etat"]),
        ]
        for row in seen.ranking(exercice).to_dict("records")
    ]
    _sheet(workbook, f"Classement {exercice}", heads, rows)
    places = seen.by_departement(exercice).to_dict("records")
    of_places = [
        [names.get(row["departement"], row["departement"]), row["count"], (row["median"], kinds[0])] for row in places
    ]
    _sheet(workbook, "Départements", ["Département", "Collectivités", "Médiane"], of_places)
    heads = ["Exercice", "Collectivités", "Minimum", "1er quartile", "Médiane", "3e quartile", "Maximum"]
    columns = ("minimum", "quartile_1", "median", "quartile_3", "maximum")
    of_years = [
        [int(row["exercice"]), int(row["count"]), *((row[column], kinds[0]) for column in columns)]
        for row in seen.evolution.to_dict("records")
    ]
    _sheet(workbook, "Évolution", heads, of_years)
    _sheet(workbook, "Lecture", ["À savoir"], [[note] for note in notes])
    return save(workbook, Path(to))


def _sheet(workbook: Workbook, title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet: Any = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, head in enumerate(heads):
        sheet.column_dimensions[chr(ord("A") + place)].width = max(12, min(48, len(head) + 4))
    if "Collectivité" in heads:
        sheet.column_dimensions["C"].width = 44
    sheet.append([_cell(sheet, head, bold=True) for head in heads])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    if isinstance(value, tuple):
        cell = WriteOnlyCell(sheet, value=value[0])
        cell.number_format = value[1]
        return cell
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)
    set_text(cell, value)
    if bold:
        cell.font = Font(bold=True)
    return cell

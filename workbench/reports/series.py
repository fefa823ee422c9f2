"""What every part of a report reads of a table of figures: its indicateurs, their names and values."""

from __future__ import annotations

from typing import Any

from workbench.evaluation.results import IndicateurTable
from workbench.trames.model import Indicateur

__all__ = ["NO_THEME", "by_theme", "exercices_of", "indicateurs_of", "name_of", "values_of"]

NO_THEME = "Indicateurs"


def indicateurs_of(table: IndicateurTable) -> list[Indicateur]:
    """Return the indicateurs of the trame that the table holds, in the order of the trame."""
    present = set(table.index)
    return [indicateur for indicateur in table.provenance.trame.indicateurs if indicateur.code in present]


def exercices_of(table: IndicateurTable) -> list[int]:
    """Return the exercices of the table, ascending."""
    columns: list[Any] = list(table.columns)
    return [int(exercice) for exercice in columns]


def values_of(table: IndicateurTable, code: str) -> dict[int, float]:
    """Return the values of one indicateur by exercice, as stored: euros, fractions, years."""
    # A report asks hundreds of times: a Series made for each would be a tenth of its time.
    row: Any = table.index.get_loc(code)
    return dict(zip(exercices_of(table), map(float, table.to_numpy()[row]), strict=True))


def by_theme(table: IndicateurTable) -> dict[str, list[Indicateur]]:
    """Return the indicateurs by heading, in the order in which headings first appear."""
    themes: dict[str, list[Indicateur]] = {}
    for indicateur in indicateurs_of(table):
        themes.setdefault(indicateur.theme or NO_THEME, []).append(indicateur)
    return themes


def name_of(indicateur: Indicateur) -> str:
    """Return what people call the indicateur: its libellé, or its code when it has none."""
    return indicateur.libelle.strip() or indicateur.code

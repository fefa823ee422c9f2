"""What the components show, from what the other rooms return: texts in French, ready to read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from workbench.evaluation.results import IndicateurTable
from workbench.reports.numbers import MINUS, format_number, unite_of
from workbench.reports.series import by_theme, exercices_of, name_of, values_of
from workbench.trames import Formule

__all__ = ["figure_rows", "proposal_detail", "spaced_siret", "validity"]


def figure_rows(table: IndicateurTable, title: str) -> dict[str, Any]:
    """Return a table of figures as `workbench.dashboards.components.FigureTable` shows it.

    Parameters
    ----------
    table
        One row an indicateur, one column an exercice.
    title
        What the figures are of.

    Returns
    -------
    dict
        ``title``, ``subtitle``, ``exercices``, and ``groups`` of rows under their theme; a row has its ``code``,
        ``libelle``, ``unite`` and one cell an exercice, in the decimals of its unit.
    """
    themes = by_theme(table)
    return {
        "title": title,
        "subtitle": _subtitle(table),
        "exercices": exercices_of(table),
        "groups": [
            {
                "theme": theme if len(themes) > 1 else "",
                "rows": [
                    {
                        "code": indicateur.code,
                        "libelle": name_of(indicateur),
                        "unite": unite_of(indicateur.unite).suffix.strip(),
                        "cells": [
                            _cell(value, indicateur.unite) for value in values_of(table, indicateur.code).values()
                        ],
                    }
                    for indicateur in indicateurs
                ],
            }
            for theme, indicateurs in themes.items()
        ],
    }


def _subtitle(table: IndicateurTable) -> str:
    provenance = table.provenance
    budgets = provenance.budgets.to_pylist()
    sirets = sorted({str(budget["siret"]) for budget in budgets})
    provisional = sorted({int(budget["exercice"]) for budget in budgets if budget["etat"] in ("P", "M")})
    parts = (
        f"SIRET {spaced_siret(sirets[0])}" if len(sirets) == 1 else f"{len(sirets)} budgets",
        f"nomenclature {provenance.nomenclature}" if provenance.nomenclature else "",
        f"comptes provisoires en {', '.join(map(str, provisional))}" if provisional else "",
    )
    return " · ".join(part for part in parts if part)


def _cell(value: float, unite: str) -> dict[str, Any]:
    rule = unite_of(unite)
    text = format_number(value * rule.factor, rule.decimals)
    return {"text": text, "negative": text.startswith(MINUS), "zero": value == 0}


def proposal_detail(found: Mapping[Hashable, Any]) -> str:
    """Return what tells a budget from others of the same name, for a row of `workbench.dgfip.find_collectivites`."""
    first, last = found["premier_exercice"], found["dernier_exercice"]
    # An absent text is None or NaN.
    department, nomenclature = (
        value if isinstance(value, str) else "" for value in (found["departement"], found["nomenclature"])
    )
    parts = (
        f"SIRET {spaced_siret(str(found['siret']))}",
        f"département {department.removeprefix('0')}" if department else "",
        nomenclature,
        str(first) if first == last else f"{first} à {last}",
    )
    return " · ".join(part for part in parts if part)


def spaced_siret(siret: str) -> str:
    r"""Return a SIRET as it is read.

    Examples
    --------
    >>> spaced_siret("21310900200013").replace("\u202f", " ")
    '213 109 002 00013'
    """
    return "\u202f".join((siret[:3], siret[3:6], siret[6:9], siret[9:]))


def validity(formule: Formule) -> str:
    """Return the exercices of a formule in words; empty when it holds for all.

    Examples
    --------
    >>> validity(Formule("C7", 2012, 2016)), validity(Formule("C7", 2017)), validity(Formule("C7"))
    ('de 2012 à 2016', 'depuis 2017', '')
    """
    first, last = formule.exercice_min, formule.exercice_max
    if first and last:
        return f"de {first} à {last}" if first < last else f"en {first}"
    if first:
        return f"depuis {first}"
    return f"jusqu'en {last}" if last else ""

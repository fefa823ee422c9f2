"""What the components show, from what the other rooms return: texts in French, ready to read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import unescape
from typing import Any

from workbench.evaluation.results import IndicateurTable
from workbench.reports.numbers import MINUS, format_number, unite_of
from workbench.reports.series import by_theme, exercices_of, name_of, values_of
from workbench.trames import Formule

__all__ = ["chart_rows", "figure_rows", "proposal_detail", "provisional_of", "shown_chart", "spaced_siret", "validity"]


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
        ``title``, ``subtitle``, ``exercices``, those that are ``provisional``, and ``groups`` of rows under their
        theme; a row has its ``code``, ``libelle``, ``unite`` and one cell an exercice, in the decimals of its unit.
    """
    themes = by_theme(table)
    return {
        "title": title,
        "subtitle": _subtitle(table),
        "exercices": exercices_of(table),
        "provisional": provisional_of(table),
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


def provisional_of(table: IndicateurTable) -> list[int]:
    """Return the exercices whose accounts are not final, in whole or in part, ascending."""
    budgets = table.provenance.budgets.select(["exercice", "etat"]).to_pylist()
    return sorted({int(budget["exercice"]) for budget in budgets if budget["etat"] in ("P", "M")})


def _subtitle(table: IndicateurTable) -> str:
    provenance = table.provenance
    budgets = provenance.budgets.to_pylist()
    sirets = sorted({str(budget["siret"]) for budget in budgets})
    provisional = provisional_of(table)
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


def shown_chart(figure: Any) -> dict[str, Any]:
    """Return a plotly figure of `workbench.reports` as `workbench.dashboards.components.Charts` shows it.

    Returns
    -------
    dict
        ``data``, ``layout``, ``config``; ``alternative``, a text; ``rows``, the same figures as a table.
    """
    from workbench.reports.charts import PLOTLY_MIME, bundle

    drawn = bundle(figure)
    return {**drawn[PLOTLY_MIME], "alternative": drawn["text/plain"], "rows": chart_rows(figure)}


def chart_rows(figure: Any) -> dict[str, Any] | None:
    """Return what a chart of values by exercice draws, as a table: ``head``, then ``body``, a row a series.

    None when its series do not say their figures in words.
    """
    told = [trace for trace in figure.data if trace.customdata is not None and trace.x is not None]
    if not told or any(isinstance(trace.customdata[0], list | tuple) for trace in told):
        return None
    places = sorted({str(place) for trace in told for place in trace.x})
    body = []
    for trace in told:
        known = {str(place): str(text) for place, text in zip(trace.x, trace.customdata, strict=True)}
        body.append([unescape(str(trace.name or "")), *(known.get(place, "") for place in places)])
    return {"head": ["", *places], "body": body}


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

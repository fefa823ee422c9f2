"""What the page that compares many collectivités says of them: texts ready to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.dashboards.communes import commune_map
from workbench.dashboards.shades import shades_of
from workbench.dgfip.reference import departements
from workbench.reports.numbers import format_number, format_value, unite_of
from workbench.reports.panorama import Panorama
from workbench.reports.series import name_of

__all__ = ["PAGE", "Answer", "answer", "distribution_table", "map_of", "notes_of", "perimetre_text", "summary_of"]

Answer = dict[str, Any]

PAGE = 20
"""Rows of the ranking that are shown at once."""


def answer(
    found: Panorama,
    exercice: int,
    followed: Mapping[str, str],
    *,
    descending: bool,
    page: int,
    carte: str = "departement",
) -> Answer:
    """Return what is shown of an exercice; its map is by département or by commune."""
    one, other = found.indicateur, found.other
    return {
        "pending": False,
        "title": f"{name_of(one)}, {exercice}",
        "subtitle": unite_of(one.unite).heading,
        "summary": summary_of(found, exercice),
        "map": commune_map(found, exercice) if carte == "commune" else map_of(found, exercice),
        "ranking": _ranking(found, exercice, followed, descending=descending, page=page),
        "value": name_of(one),
        "other": name_of(other) if other is not None else "",
        "followed": [{"value": siret, "label": label} for siret, label in followed.items()],
    }


def summary_of(found: Panorama, exercice: int) -> list[dict[str, str]]:
    """Return the figures of the whole: how many, median, quartiles, extremes."""
    told = found.statistics(exercice)
    unite = found.indicateur.unite
    names = [("median", "Médiane"), ("quartile_1", "1er quartile"), ("quartile_3", "3e quartile")]
    names += [("minimum", "Minimum"), ("maximum", "Maximum")]
    return [
        {"label": "Collectivités", "value": format_number(told.get("count", 0))},
        *({"label": label, "value": format_value(told[name], unite)} for name, label in names if name in told),
    ]


def map_of(found: Panorama, exercice: int) -> dict[str, Any]:
    """Return the map: the class, from the lowest to the highest, and the median of each département.

    Classes hold as many départements as can be; equal medians share one.
    """
    rows = found.by_departement(exercice)
    unite = found.indicateur.unite
    medians = rows["median"].to_numpy(dtype=np.float64)
    if not len(medians):
        return {"scale": "departement", "places": [], "legend": [], "note": ""}
    names = departements()
    classes, legend = shades_of(medians, unite)
    return {
        "scale": "departement",
        "note": "",
        "places": [
            {
                "code": code,
                "name": names.get(code, code),
                "shade": shade,
                "value": format_value(median, unite),
                "count": count,
            }
            for code, shade, median, count in zip(
                rows["departement"].tolist(), classes.tolist(), medians.tolist(), rows["count"].tolist(), strict=True
            )
        ],
        "legend": legend,
    }


def _ranking(
    found: Panorama, exercice: int, followed: Mapping[str, str], *, descending: bool, page: int
) -> dict[str, Any]:
    rows = found.ranking(exercice)
    if not descending:
        rows = rows.iloc[::-1]
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page, pages - 1)
    names = departements()
    part = rows.iloc[page * PAGE : (page + 1) * PAGE].to_dict("records")
    # Those that are followed are seen whatever the page.
    pinned = rows[rows["siret"].isin(list(followed))].to_dict("records")
    return {
        "rows": [_row(found, row, names) for row in part],
        "pinned": [_row(found, row, names) for row in pinned],
        "total": len(rows),
        "page": page,
        "pages": pages,
        "order": "desc" if descending else "asc",
    }


def _row(found: Panorama, row: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, Any]:
    one, other = found.indicateur, found.other
    people = float(row["population"])
    return {
        "siret": row["siret"],
        "rank": format_number(row["rank"]),
        "libelle": row["libelle"],
        "departement": names.get(row["departement"], row["departement"]),
        "population": "" if math.isnan(people) else format_number(people),
        "value": format_value(row["value"], one.unite),
        "other": "" if other is None else format_value(row["other"], other.unite),
        "provisional": row["etat"] != "D",
    }


def notes_of(found: Panorama, exercice: int) -> list[str]:
    """Return what must be known of an exercice: definitions, what is left out, accounts that are not final."""
    definitions = (
        "Budgets principaux. La médiane est la valeur que la moitié des collectivités ne dépasse pas ; celle d'un "
        "département, la médiane de ses collectivités du périmètre. Rang 1 : la valeur la plus élevée, qui n'est pas "
        "toujours la meilleure."
    )
    notes = [definitions]
    provisional = found.provisional(exercice)
    if provisional:
        several = "s" if provisional > 1 else ""
        notes.append(f"Comptes provisoires en {exercice} : {format_number(provisional)} collectivité{several}.")
    if found.unpeopled:
        count = format_number(found.unpeopled)
        notes.append(f"Budgets-exercices écartés, leur population étant nulle ou inconnue : {count}.")
    return notes


def distribution_table(found: Panorama, exercice: int) -> dict[str, Any]:
    """Return the bars of the distribution as a table."""
    from workbench.reports.panorama_charts import distribution_labels, distribution_rows

    rows = distribution_rows(found, exercice)
    labels = distribution_labels(found, exercice)
    body = [[label, format_number(count)] for label, (*_, count) in zip(labels, rows, strict=True)]
    return {"head": ["Valeurs", "Collectivités"], "body": body}


def perimetre_text(form: Mapping[str, Any]) -> str:
    """Return a perimeter in words, from the form of the assisted query.

    Examples
    --------
    >>> empty = {"departements": [], "types": [], "epci": [], "sirets": [], "nomenclature": "", "population": ["", ""]}
    >>> perimetre_text(empty)
    'Périmètre : toute la base.'
    >>> perimetre_text({**empty, "nomenclature": "M14", "population": ["", "500"]})
    "Périmètre : M14 ; population d'au plus 500."
    """
    low, high = form["population"]
    parts = [
        ", ".join(each["label"] for each in form[name])
        for name in ("departements", "types", "epci", "sirets")
        if form[name]
    ]
    if form["nomenclature"]:
        parts.append(form["nomenclature"])
    if low and high:
        parts.append(f"population de {low} à {high}")
    elif low or high:
        parts.append(f"population d'au moins {low}" if low else f"population d'au plus {high}")
    return f"Périmètre : {' ; '.join(parts) or 'toute la base'}."

"""The files of the page that compares many collectivités."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from workbench.dashboards.comparaison_answer import summary_of
from workbench.dashboards.documents import Document, csv_document, html_table, pdf_document
from workbench.dgfip.reference import departements
from workbench.reports.excel_panorama import write_panorama
from workbench.reports.numbers import format_number, format_value
from workbench.reports.panorama import Panorama
from workbench.reports.series import name_of

__all__ = ["page_pdf", "ranking_csv", "workbook"]

MOST_PRINTED = 100
"""Rows of the ranking that are printed at each end; the workbook has them all."""


def workbook(found: Panorama, exercice: int, notes: Sequence[str], name: str) -> Document:
    """Return the comparison as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        return Document(name, write_panorama(found, exercice, Path(folder) / name, notes).read_bytes())


def ranking_csv(found: Panorama, exercice: int, name: str) -> Document:
    """Return the ranking as CSV: one row a collectivité, values in the unit of the indicateur."""
    rows = found.ranking(exercice)
    columns: dict[str, list[Any]] = {
        "rang": rows["rank"].tolist(),
        "siret": rows["siret"].tolist(),
        "libelle": rows["libelle"].tolist(),
        "departement": rows["departement"].tolist(),
        "population": [None if math.isnan(people) else int(people) for people in rows["population"]],
        "etat": rows["etat"].tolist(),
        f"{found.indicateur.code} ({found.indicateur.unite})": rows["value"].tolist(),
    }
    if found.other is not None:
        columns[f"{found.other.code} ({found.other.unite})"] = rows["other"].tolist()
    return csv_document(name, columns)


def page_pdf(
    found: Panorama,
    exercice: int,
    title: str,
    notes: Sequence[str],
    figures: Sequence[Mapping[str, Any]],
    name: str,
) -> Document:
    """Print the comparison: figures of the whole, départements, both ends of the ranking, charts."""
    unite = found.indicateur.unite
    names = departements()
    facts = [[each["label"], each["value"]] for each in summary_of(found, exercice)]
    places = [
        [
            names.get(row["departement"], row["departement"]),
            format_number(row["count"]),
            format_value(row["median"], unite),
        ]
        for row in found.by_departement(exercice).to_dict("records")
    ]
    rows = found.ranking(exercice)
    ends = rows if len(rows) <= 2 * MOST_PRINTED else rows.iloc[[*range(MOST_PRINTED), *range(-MOST_PRINTED, 0)]]
    other = found.other
    heads = ["Collectivité", "Rang", "Département", "Population", name_of(found.indicateur)]
    heads += [name_of(other)] if other is not None else []
    ranked = [
        [
            row["libelle"],
            format_number(row["rank"]),
            names.get(row["departement"], row["departement"]),
            "" if math.isnan(row["population"]) else format_number(row["population"]),
            format_value(row["value"], unite),
            *([format_value(row["other"], other.unite)] if other is not None else []),
        ]
        for row in ends.to_dict("records")
    ]
    left_out = (
        [f"Les {MOST_PRINTED} premières et les {MOST_PRINTED} dernières sont imprimées."]
        if len(ends) < len(rows)
        else []
    )
    parts = [
        f'<header class="wb-titre"><h1>{escape(title)}</h1></header>',
        "".join(f'<p class="wb-detail">{escape(note)}</p>' for note in [*notes, *left_out]),
        html_table("Ensemble", ["", "Valeur"], facts),
        html_table("Médiane par département", ["Département", "Collectivités", "Médiane"], places),
        html_table("Classement", heads, ranked),
    ]
    return pdf_document(name, parts, figures)

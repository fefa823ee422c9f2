"""Reference tables shipped with the product: facts of the DGFIP's nomenclature, as small files.

Codes and labels are those of the CCI base published with OpenAnafi (MIT licence). The files lie in
``reference_tables/``, ``;`` separated, one header line.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

__all__ = [
    "activites",
    "departements",
    "libelle_nomenclature",
    "libelle_type_budget",
    "libelle_type_etablissement",
    "nomenclatures",
    "nomenclatures_repliees",
    "operations",
    "read_table",
    "types_budget",
    "types_etablissement",
]


@cache
def read_table(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a reference table, texts, without the header."""
    text = files("workbench.dgfip").joinpath("reference_tables", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(tuple(row) for row in list(csv.reader(text.splitlines(), delimiter=";"))[1:])


def _labels(name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in read_table(name)}


def departements() -> dict[str, str]:
    """Return the départements: code on three characters to name.

    Examples
    --------
    >>> departements()["033"], departements()["02A"], departements()["101"]
    ('Gironde', 'Corse-du-Sud', 'Guadeloupe')
    """
    return _labels("departements")


def types_etablissement() -> dict[str, str]:
    """Return the establishment types: code on three characters to label.

    Examples
    --------
    >>> types_etablissement()["101"]
    'Commune (BP)'
    """
    return _labels("types_etablissement")


def libelle_type_etablissement(code: str | None) -> str:
    """Return an establishment type as reports show it; the code alone when it is not known.

    Examples
    --------
    >>> libelle_type_etablissement("101"), libelle_type_etablissement("999"), libelle_type_etablissement(None)
    ('101 - Commune (BP)', '999', '')
    """
    label = types_etablissement().get(code or "")
    return f"{code} - {label}" if label else code or ""


def types_budget() -> dict[str, str]:
    """Return the budget types: code to label.

    Examples
    --------
    >>> types_budget()["2"]
    'Budget principal rattaché'
    """
    return _labels("types_budget")


def nomenclatures() -> dict[str, str]:
    """Return the nomenclatures: code to what each serves.

    Examples
    --------
    >>> nomenclatures()["M71"]
    'Régions'
    """
    return _labels("nomenclatures")


def libelle_type_budget(code: str | None) -> str:
    """Return the label of a budget type; the code alone when it is not known.

    Examples
    --------
    >>> libelle_type_budget("1"), libelle_type_budget("3")
    ('Budget principal', 'Budget annexe')
    """
    return _labels("types_budget").get(code or "", code or "")


def libelle_nomenclature(code: str) -> str:
    """Return what a nomenclature serves; the code alone when it is not known.

    Examples
    --------
    >>> libelle_nomenclature("M14")
    'Communes et groupements à fiscalité propre'
    """
    return _labels("nomenclatures").get(code, code)


def nomenclatures_repliees() -> dict[str, str]:
    """Return the nomenclature that a trame is matched against, for each that differs: M14A to M14.

    Examples
    --------
    >>> nomenclatures_repliees()["M57A"]
    'M57'
    """
    return {code: whole for code, _, whole in read_table("nomenclatures") if whole != code}


def operations() -> dict[int, str]:
    """Return the operation codes of the CCI base.

    Examples
    --------
    >>> operations()[1]
    "Balance d'entrée"
    """
    return {int(code): label for code, label in _labels("operations").items()}


def activites() -> dict[str, str]:
    """Return the activities of budgets annexes: code to label.

    Examples
    --------
    >>> activites()["02"]
    "Production et distribution d'énergie"
    """
    return _labels("activites")

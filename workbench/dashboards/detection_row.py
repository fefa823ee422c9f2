"""One company of a detection list, as a person sees it: what is forbidden, unknown, absent or zero never look alike.

A property that the store does not give is one that this person may not see; a null one is not known. Nothing here
decides a right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from workbench.numbers import format_number

__all__ = ["FAILED", "HIGH", "MODERATE", "NONE", "company_row", "level_of", "sheet_link"]

HIGH, MODERATE, NONE = "Alerte seuil F1", "Alerte seuil F2", "Pas d'alerte"
"""Levels, as lists are published (specification 7.2)."""

LEVELS: Mapping[str, tuple[str, str]] = {
    "eleve": ("Risque élevé", "Risque élevé de défaillance à 18 mois"),
    "modere": ("Risque modéré", "Risque modéré de défaillance à 18 mois"),
    "aucun": ("Pas de risque", "Pas de risque de défaillance détecté à 18 mois"),
    "defaillance": ("Fermé ou en défaillance", "Établissement fermé, en redressement ou en liquidation judiciaire"),
    "perimetre": ("Hors périmètre", "Hors du périmètre de la détection"),
    "interdit": (
        "Non autorisé",
        "Ouvert par le badge « score », si l'entreprise a été en alerte dans votre zone ou si vous la suivez",
    ),
}
"""Of each level shown: its name, its tooltip."""

_CODES = {HIGH: "eleve", MODERATE: "modere", NONE: "aucun"}
FAILED = ("redressement", "liquidation")
"""Procedures that are shown instead of a level."""

_NOTABLE = 0.1
"""Change of a score beyond which an arrow shows it."""

_UP, _DOWN = 1.05, 0.95
_LONGEST_ACTIVITY = 65


def level_of(value: Mapping[str, Any]) -> str:
    """Return the level that is shown of a company, a key of `LEVELS`.

    Examples
    --------
    >>> level_of({"alert": "Alerte seuil F1"}), level_of({"alert": None}), level_of({})
    ('eleve', 'perimetre', 'interdit')
    >>> level_of({"alert": "Alerte seuil F1", "etat_procol": "liquidation"})
    'defaillance'
    """
    if value.get("etat_administratif") == "F" or value.get("etat_procol") in FAILED:
        return "defaillance"
    if "alert" not in value:
        return "interdit"
    return _CODES.get(value["alert"], "perimetre")


def sheet_link(siret: str) -> str:
    """Return the address of the sheet of an établissement, from a page beside it.

    Examples
    --------
    >>> sheet_link("01234567891011")
    'etablissement.ipynb?siret=01234567891011'
    """
    return f"etablissement.ipynb?siret={siret}"


def company_row(
    found: Mapping[str, Any], procedures: Mapping[str, str], departements: Mapping[str, str], followed: Collection[str]
) -> dict[str, Any]:
    """Return a company, ready to show.

    Parameters
    ----------
    found
        ``{key, value}``, as the store gives it.
    procedures, departements
        Labels by code.
    followed
        The sirens that this person follows.
    """
    key, value = found["key"], found["value"]
    level = level_of(value)
    procedure = value.get("etat_procol")
    place = value.get("departement") or ""
    activity = value.get("libelle_activite") or ""
    return {
        "siret": key.get("siret", ""),
        "name": value.get("raison_sociale") or key.get("siret", ""),
        "link": sheet_link(key.get("siret", "")),
        "level": {"code": level, "name": LEVELS[level][0], "title": LEVELS[level][1]},
        "change": _change(value, level),
        "first": value.get("premiere_alerte") is True,
        "closed": value.get("etat_administratif") == "F",
        "procedure": "" if procedure in (None, "in_bonis") else procedures.get(procedure, procedure),
        "followed": key.get("siren") in followed,
        "place": " · ".join(each for each in (value.get("commune") or "", _place(place, departements)) if each),
        "activity": activity
        if len(activity) <= _LONGEST_ACTIVITY
        else f"{activity[: _LONGEST_ACTIVITY - 1].rstrip()}…",
        "whole_activity": activity,
        "urssaf": _pictogram(value, "urssaf", "Dette Urssaf en hausse", "Dette Urssaf sans hausse", "Dette Urssaf"),
        "activite_partielle": _pictogram(
            value, "activite_partielle", "Activité partielle", "Pas d'activité partielle", "Activité partielle"
        ),
        "effectif": _number(value, "dernier_effectif"),
        "ca": {**_amount(value, "ca"), "year": value.get("annee_ca"), "trend": _trend(value, "variation_ca")},
        "ebe": _amount(value, "excedent_brut_d_exploitation"),
        "rex": {**_amount(value, "resultat_expl"), "trend": _trend_of_result(value)},
    }


def _place(code: str, departements: Mapping[str, str]) -> str:
    return f"{departements[code]} ({code})" if code in departements else code


def _change(value: Mapping[str, Any], level: str) -> dict[str, str] | None:
    diff = value.get("diff")
    if level not in _CODES.values() or not isinstance(diff, int | float) or abs(diff) <= _NOTABLE:
        return None
    rises = diff > 0
    name = "Risque en hausse" if rises else "Risque en baisse"
    return {"to": "hausse" if rises else "baisse", "name": f"{name} depuis la liste précédente"}


def _pictogram(value: Mapping[str, Any], name: str, yes: str, no: str, what: str) -> dict[str, str]:
    """Say one of four things, which four shapes and four texts tell apart."""
    if name not in value:
        return {"state": "interdit", "name": f"{what} : non autorisé"}
    if value[name] is None:
        return {"state": "inconnu", "name": f"{what} : non connu"}
    return {"state": "oui", "name": yes} if value[name] else {"state": "non", "name": no}


def _number(value: Mapping[str, Any], name: str) -> str:
    number = value.get(name)
    return format_number(number) if isinstance(number, int | float) else "n/c"


def _amount(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    amount = value.get(name)
    known = isinstance(amount, int | float)
    text = f"{format_number(round(amount))} k€" if known else "n/c"  # type: ignore[arg-type]
    return {"text": text, "negative": known and amount < 0}  # type: ignore[operator]


def _trend(value: Mapping[str, Any], name: str) -> str:
    ratio = value.get(name)
    if not isinstance(ratio, int | float):
        return ""
    return "hausse" if ratio > _UP else "baisse" if ratio < _DOWN else ""


def _trend_of_result(value: Mapping[str, Any]) -> str:
    """Say where a result goes; the ratio of a loss to a loss tells nothing that way, so its sign is read with it."""
    result, ratio = value.get("resultat_expl"), value.get("variation_resultat_expl")
    if not isinstance(result, int | float) or not isinstance(ratio, int | float) or ratio == 0:
        return ""
    before = result / ratio
    change = result - before
    if abs(change) <= abs(before) * (_UP - 1):
        return ""
    return "hausse" if change > 0 else "baisse"

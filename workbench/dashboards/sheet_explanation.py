"""Why a company is in alert: what each theme weighs, marks by theme, sentences that an agent can check."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workbench.dashboards.sheet_blocks import level_of
from workbench.dashboards.sheet_charts import radar_chart, waterfall_chart
from workbench.dashboards.sheet_items import Block, Item, block, empty, table, text
from workbench.dashboards.sheet_reading import Subject
from workbench.numbers import NO_BREAK, format_number
from workbench.signaux_faibles.detection.french import french_declaration

__all__ = ["explanation_block"]

THEMES: Mapping[str, str] = {
    "sante_financiere": "Santé financière",
    "dette_urssaf": "Dette sociale",
    "activite_partielle": "Activité partielle",
    "paiement_fournisseurs": "Paiement des fournisseurs",
    "effectif": "Effectif",
    "Données-financières": "Santé financière",
    "Dettes-sociales": "Dette sociale",
    "Recours-à-l'activité-partielle": "Activité partielle",
    "Retards-de-paiement-fournisseurs": "Paiement des fournisseurs",
    "Variation-de-l'effectif-de-l'entreprise": "Effectif",
}
"""Themes by every name that documents give them."""


def _numbers(found: object) -> dict[str, float]:
    if not isinstance(found, Mapping):
        return {}
    return {
        THEMES.get(str(name), str(name)): float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def explanation_block(subject: Subject) -> Block:
    """Explain the place of a company in the newest list, as far as the reader's badges go."""
    about = (
        "Ce que chaque thème ajoute au risque ou en retire, pour cette entreprise ; les phrases citent les faits qui "
        "pèsent le plus. Une explication décrit le modèle : elle ne prouve pas une cause."
    )
    found, instead = subject.access.reads(subject.detail, "explication", "score")
    if not isinstance(found, Mapping):
        if instead is not None and instead["tone"] == "closed":
            return block("explication", "Explication de la détection", [instead], about)
        secondary = bool(subject.siret) and not subject.identity.get("siege", True)
        sentence = (
            "L'explication est sur la fiche du siège de l'entreprise."
            if secondary
            else "Il n'y a pas d'explication : seules les entreprises en alerte en ont une."
        )
        return block("explication", "Explication de la détection", [empty(sentence)], about)
    items: list[Item | None] = []
    current = subject.current
    if current is not None and "alert" in current[1]:
        tone, words = level_of(current[1].get("alert"))
        items.append(text(f"{current[0].label} : {words.lower()}.", "alert" if tone == "fort" else "plain"))
    elif subject.told is not None and subject.last is not None and subject.told.batch != subject.last.batch:
        said = (
            f"Ce qui suit explique la liste « {subject.told.label} » : l'entreprise n'est pas dans la dernière liste."
        )
        items.append(text(said, "note"))
    items += [text(str(sentence), "fact") for sentence in found.get("phrases") or []]
    themes = _numbers(found.get("themes"))
    probability = found.get("probabilite")
    if themes and isinstance(probability, int | float):
        items.append(text("Du risque moyen à celui de l'entreprise : ce que chaque thème ajoute ou retire, en points."))
        items.append(_waterfall(found, themes, float(probability)))
    marks = {name: value for name, value in _numbers(found.get("radar")).items() if 0 <= value <= 1}
    if len(marks) > 2:
        items.append(text("Note de chaque thème, de 0 (rien ne préoccupe) à 10 (tout préoccupe)."))
        items.append(radar_chart(marks))
    items.append(_variables(found.get("variables")))
    return block("explication", "Explication de la détection", items, about, wide=True)


def _waterfall(found: Mapping[str, Any], themes: Mapping[str, float], probability: float) -> Item:
    """Draw the waterfall: probabilities come from 0 to 1, themes in points of percent."""
    start = 100 * float(found.get("depart") or 0.0)
    whole = sum(themes.values())
    if abs(whole - 100 * probability) < abs(whole - (100 * probability - start)):
        # The documents of 2025 spread what all companies start from over the themes (specification 6.5).
        start = 0.0
    thresholds = found.get("seuils")
    known = thresholds if isinstance(thresholds, Mapping) else {}
    lines = [
        (label, 100 * float(known[name]))
        for name, label in (("modere", "risque modéré"), ("fort", "risque élevé"))
        if isinstance(known.get(name), int | float)
    ]
    return waterfall_chart(start, themes, 100 * probability, lines)


@cache
def _labels() -> dict[str, str]:
    return {each.name: each.label[0].upper() + each.label[1:] for each in french_declaration().variables if each.label}


def _variables(found: object) -> Item | None:
    """Return the variables that weigh the most, in a table."""
    if not isinstance(found, Mapping):
        return None
    rows = [
        (THEMES.get(str(theme), str(theme)), _labels().get(str(name)) or str(name).replace("_", " "), value)
        for theme, ones in found.items()
        if isinstance(ones, Mapping)
        for name, value in ones.items()
        if isinstance(value, int | float)
    ]
    rows.sort(key=lambda one: -abs(one[2]))
    lines = [
        [name, theme, f"{format_number(value, 1, sign=True)}{NO_BREAK}pt"] for theme, name, value in rows[:8] if value
    ]
    return table("Variables qui pèsent le plus", ["Variable", "Thème", "Points"], lines)

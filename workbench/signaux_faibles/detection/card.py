"""The card published beside a list: what it was made from, by what, how good that was, and what moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workbench.numbers import format_number, typeset
from workbench.signaux_faibles.detection.alerts import AlertList
from workbench.signaux_faibles.detection.columns import THEMES
from workbench.signaux_faibles.detection.evaluation import Drift, Evaluation
from workbench.signaux_faibles.detection.thresholds import Level

__all__ = ["card_text", "list_card"]

MEASURES = {
    "average_precision": "Précision moyenne",
    "roc_auc": "Aire sous la courbe ROC",
    "precision_fort": "Précision, risque fort",
    "rappel_fort": "Rappel, risque fort",
    "f05_fort": "F0,5, risque fort",
    "exactitude_equilibree_fort": "Exactitude équilibrée, risque fort",
    "precision_modere": "Précision, risque modéré",
    "rappel_modere": "Rappel, risque modéré",
    "f2_modere": "F2, risque modéré",
    "exactitude_equilibree_modere": "Exactitude équilibrée, risque modéré",
}
"""How people call what is measured."""

LEARNERS = {
    "boosting": "arbres de décision successifs",
    "forest": "forêt aléatoire",
    "spark_forest": "forêt aléatoire (Spark)",
    "logistic": "régression logistique",
}


def list_card(alerts: AlertList, *, evaluation: Evaluation | None = None, drift: Drift | None = None) -> dict[str, Any]:
    """Return the card of a list, as plain values.

    Parameters
    ----------
    alerts
        The list.
    evaluation
        Of its detector, on a test set.
    drift
        Since the list before.
    """
    detector = alerts.detector
    return {
        "liste": alerts.label,
        "batch": alerts.batch,
        "snapshot": alerts.snapshot,
        "algo": alerts.algo,
        "periode": alerts.periode,
        "entite": detector.declaration.entity,
        "entreprises": len(alerts),
        "alertes": {level.value: alerts.count(level) for level in Level},
        "empreinte": alerts.fingerprint,
        "modele": {
            "sorte": detector.kind,
            "parametres": dict(detector.parameters),
            "empreinte": detector.fingerprint,
            "seuils": detector.thresholds.to_json(),
            "calibrage": detector.calibration.to_json(),
            "horizon": detector.declaration.horizon,
            "variables": {
                theme: [each.name for each in detector.declaration.given if each.theme == theme]
                for theme in detector.declaration.themes
            },
        },
        "origine": {
            "batch": detector.origin.batch,
            "snapshot": detector.origin.snapshot,
            "code": detector.origin.code,
            "graine": detector.origin.seed,
            "fenetres": dict(detector.origin.windows),
            "reequilibrage": detector.origin.sampling,
            "donnees": {name: dict(part) for name, part in detector.origin.data.items()},
            "bibliotheques": dict(detector.origin.libraries),
        },
        "evaluation": evaluation.to_json()["measures"] if evaluation else [],
        "derive": drift.to_json() if drift else None,
    }


def card_text(card: Mapping[str, Any]) -> str:
    """Write a card as a page of Markdown, in French."""
    model, origin = card["modele"], card["origine"]
    levels = [f"{Level(label).title.lower()} : {format_number(number)}" for label, number in card["alertes"].items()]
    learner = LEARNERS.get(model["sorte"], model["sorte"])
    high, moderate = (format_number(100 * model["seuils"][name], 1) for name in ("fort", "modere"))
    seen = "établissements vus" if card.get("entite") == "siret" else "entreprises vues"
    size = sum(map(len, model["variables"].values()))
    lines = [
        f"# Liste de {card['liste'][0].lower()}{card['liste'][1:]}",
        "",
        f"{format_number(card['entreprises'])} {seen} en {card['periode']} ; {', '.join(levels)}.",
        "",
        f"Probabilité d'une défaillance dans les {model['horizon']} mois, par {learner} ({size} variables).",
        f"Risque fort à partir de {high} %, modéré à partir de {moderate} %.",
        "",
        "| données | lignes | défaillances | de | à | empreinte |",
        "|---|--:|--:|---|---|---|",
    ]
    for name, part in origin["donnees"].items():
        about = f"{part.get('debut', '')} | {part.get('fin', '')} | `{part.get('empreinte', '')[:12]}`"
        lines.append(f"| {name} | {format_number(part['lignes'])} | {format_number(part['defaillances'])} | {about} |")
    if card["evaluation"]:
        lines += ["", "| mesure | sans signaux forts | avec |", "|---|---|---|"]
        found = {(row["mesure"], row["perimetre"]): row for row in card["evaluation"]}
        for name, title in MEASURES.items():
            both = [_interval(found[name, scope]) for scope in ("sans signaux forts", "avec signaux forts")]
            lines.append(f"| {title} | {' | '.join(both)} |")
        lines += ["", "Entre crochets : intervalles à 95 %, par tirage d'entreprises."]
    if card["derive"]:
        drift = {name: format_number(value, 3 if name == "stabilite" else 0) for name, value in card["derive"].items()}
        lines += [
            "",
            f"Depuis la liste précédente, alertes nouvelles : {drift['alertes_nouvelles']},",
            f"perdues : {drift['alertes_perdues']}, relevées : {drift['alertes_relevees']},",
            f"abaissées : {drift['alertes_abaissees']}. Indice de stabilité des probabilités : {drift['stabilite']}",
            "(au-dessus de 0,25, la population a changé).",
        ]
    titles = [THEMES[each][0] if each in THEMES else each.replace("_", " ") for each in model["variables"]]
    themes = ", ".join(each[0].lower() + each[1:] for each in titles)
    lines += [
        "",
        f"Thèmes : {themes}.",
        "",
        f"Liste `{card['empreinte'][:12]}`, modèle `{model['empreinte'][:12]}` ; batch {card['batch']},",
        f"état des données « {card['snapshot'] or 'non dit'} », logiciel {origin['code']}, graine {origin['graine']}.",
        "",
    ]
    return "\n".join(typeset(line) if not line.startswith("|") else line for line in lines)


def _interval(row: Mapping[str, Any]) -> str:
    value, low, high = (math.nan if row[name] is None else row[name] for name in ("valeur", "bas", "haut"))
    if math.isnan(low):
        return format_number(value, 3)
    return f"{format_number(value, 3)} [{format_number(low, 3)} ; {format_number(high, 3)}]"

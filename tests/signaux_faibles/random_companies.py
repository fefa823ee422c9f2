"""Companies drawn at random, full of facts that meet: what a few examples must find."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from reference_rules import BDF, DIANE, first_day

from workbench.signaux_faibles.variables.bilans import DIANE_FIELDS

OTHERS = [name for name in DIANE_FIELDS if name not in (*DIANE, "arrete_bilan_diane", "exercice_diane")]
Company = dict[str, list[dict[str, Any]]]
FIRST, AFTER = 2017 * 12, 2019 * 12 + 6


def company(draw: random.Random) -> Company:
    """The facts of one company; no two of them are such that a rule leaves something to chance."""

    def month() -> dt.date:
        return first_day(draw.randint(2016 * 12 + 6, 2019 * 12 + 8))

    def day() -> dt.date:
        return dt.date(2016, 3, 1) + dt.timedelta(days=draw.randint(0, 1300))

    def some(most: int) -> range:
        return range(draw.choice([0, 1, most, most]))

    def unique(rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
        return list({tuple(row[key] for key in keys): row for row in rows}.values())

    due = draw.choice([50, 100.5, 1200])
    called = [
        {"numero_compte": "1", "du": due, "periode_debut": first_day(t), "periode_fin": first_day(t + 1)}
        for t in range(FIRST, AFTER)
        if draw.random() > 0.03
    ]
    for _ in some(3):
        start = draw.randint(FIRST - 6, AFTER)
        after = first_day(start + draw.choice([1, 3, 12]))
        called.append(
            {
                "numero_compte": "2",
                "du": draw.choice([0, 120.36, -due]),
                "periode_debut": first_day(start),
                "periode_fin": after,
            }
        )
    debits = [
        {
            "numero_compte": draw.choice("12"),
            "numero_ecart_negatif": draw.choice("ab"),
            "date_traitement": day(),
            "numero_historique": number,
            "part_ouvriere": draw.choice([0, 10.25, due, due * 4]),
            "part_patronale": draw.choice([0, 0.5, due]),
            "periode_debut": first_day(FIRST),
            "periode_fin": first_day(FIRST + draw.choice([1, 3])),
        }
        for number in some(8)
    ]
    if draw.random() < 0.7:
        debits.sort(key=lambda row: row["date_traitement"])
        for number, row in enumerate(debits):
            row["numero_historique"] = number
    events = [
        {
            "date_effet": day(),
            "action_procol": draw.choice(["liquidation", "redressement", "sauvegarde"]),
            "stade_procol": draw.choice(
                ["ouverture", "plan_continuation", "abandon_procedure", "fin_procedure", "solde_procedure"]
            ),
        }
        for _ in some(3)
    ]
    delays = []
    for _ in some(3):
        begun = day()
        delays.append(
            {
                "date_creation": begun,
                "date_echeance": begun + dt.timedelta(days=draw.choice([-40, 20, 200, 400])),
                "duree_delai": draw.choice([-1, 0, 90, 360, 360]),
                "montant_echeancier": draw.choice([100, 5000.5]),
                "numero_contentieux": "c",
            }
        )
    requests = []
    for _ in some(3):
        begun, name = day(), draw.choice("ab")
        requests.append(
            {
                "id_demande": f"00000000{name}{draw.randint(1, 2)}",
                "periode_debut": begun,
                "periode_fin": begun + dt.timedelta(days=draw.randint(0, 200)),
                "date_statut": begun,
                "hta": float(draw.randint(1, 900)),
                "motif_recours_se": draw.randint(1, 5),
            }
        )
    consumed = [
        {
            "id_conso": draw.choice(["00000000a1", "00000000a9", "00000000b2", "00000000c1"]),
            "periode": month(),
            "heure_consomme": draw.choice([0.0, 10.0, 12.5]),
        }
        for _ in some(12)
    ]
    workforce = [
        {"periode": month(), "numero_compte": draw.choice("12"), "effectif": draw.choice([0, 5, 12, 13])}
        for _ in range(draw.randint(1, 20))
    ]
    return {
        "effectif": unique(workforce, "periode", "numero_compte"),
        "effectif_ent": unique([{"periode": month(), "effectif": draw.choice([0, 50])} for _ in some(9)], "periode"),
        "cotisation": draw.choice([called, called, called, called[:1], []]),
        "debit": debits,
        "procol": unique(events, "date_effet"),
        "delai": unique(delays, "date_creation"),
        "ccsf": [{"date_traitement": day(), "numero_compte": "1", "stade": "DEBUT", "action": "CCSF"} for _ in some(2)],
        "apdemande": unique(requests, "periode_debut"),
        "apconso": unique(consumed, "id_conso", "periode"),
        "admin_urssaf": unique([{"numero_compte": draw.choice("12"), "periode": month()} for _ in some(9)], "periode"),
        "reporder": unique([{"random_order": draw.random(), "periode": month()} for _ in some(9)], "periode"),
        "paydex": unique([{"date_valeur": day(), "nb_jours": draw.randint(0, 90)} for _ in some(9)], "date_valeur"),
        "bdf": unique(
            [
                {
                    "arrete_bilan_bdf": day(),
                    "annee_bdf": draw.randint(2015, 2019),
                    **{name: draw.choice([1.5, 20.0]) for name in BDF},
                }
                for _ in some(3)
            ],
            "arrete_bilan_bdf",
        ),
        "diane": unique(
            [
                {
                    "arrete_bilan_diane": day(),
                    "exercice_diane": draw.randint(2015, 2019),
                    **{name: draw.choice([None, 1.0, 25.5, 360.0]) for name in DIANE},
                    **{name: draw.choice([None, 3, 4]) for name in OTHERS},
                }
                for _ in some(4)
            ],
            "arrete_bilan_diane",
        ),
    }


def companies(seed: int, number: int) -> list[Company]:
    """Several companies; the same seed gives the same ones."""
    draw = random.Random(seed)  # noqa: S311 - no secret is made
    return [company(draw) for _ in range(number)]


SIREN_TYPES = {"effectif_ent", "paydex", "bdf", "diane"}
"""Sources whose facts are of entreprises."""


def facts_of(drawn: list[Company], establishments: int = 1) -> dict[str, list[dict[str, Any]]]:
    """The facts of companies by source, some établissements to each SIREN."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for place, each in enumerate(drawn):
        siren = f"{place // establishments:09d}"
        for type_, rows in each.items():
            key = {"siren": siren} if type_ in SIREN_TYPES else {"siret": f"{siren}{place % establishments:05d}"}
            kept = [] if type_ in SIREN_TYPES and place % establishments else rows
            facts.setdefault(type_, []).extend({**row, **key} for row in kept)
    return facts

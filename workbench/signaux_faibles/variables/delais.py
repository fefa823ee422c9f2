"""Payment delays granted by the URSSAF."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, Select, func, select

from workbench.signaux_faibles.variables.context import Context, mois
from workbench.signaux_faibles.variables.cotisations import COTISATIONS
from workbench.signaux_faibles.variables.declaration import INTEGER, NUMBER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import days_of, descending, double, month_of, number

__all__ = ["DELAIS"]


def _rows(context: Context) -> Select[Any]:
    facts = context.facts("delai")
    spans = select(
        facts.c.numero,
        month_of(facts.c.date_creation).label("debut"),
        month_of(facts.c.date_echeance).label("fin"),
        days_of(facts.c.date_creation).label("creation"),
        days_of(facts.c.date_echeance).label("echeance"),
        facts.c.duree_delai.label("duree"),
        facts.c.numero_contentieux.label("contentieux"),
        double(facts.c.montant_echeancier).label("montant"),
    ).where(facts.c.duree_delai > number(0))
    spread = context.spread(spans, "delais_mois")
    left = func.abs(spread.c.echeance - mois.c.jour, type_=INTEGER)
    due = spread.c.montant * double(left) / double(spread.c.duree)
    cell = [spread.c.numero, spread.c.mois]
    order = [descending(left), descending(spread.c.duree), descending(spread.c.creation)]
    amount: Any
    expected: Any
    amount, expected = (func.sum(each, type_=Double()).over(partition_by=cell) for each in (spread.c.montant, due))
    if context.setting.compat:
        order = [descending(spread.c.creation), descending(spread.c.echeance), descending(spread.c.duree)]
        amount, expected = spread.c.montant, due
    rank = func.row_number().over(
        partition_by=cell, order_by=[*order, descending(spread.c.contentieux), descending(spread.c.montant)]
    )
    ranked = (
        select(
            *cell,
            left.label("restants"),
            spread.c.duree,
            amount.label("montant"),
            expected.label("attendu"),
            rank.label("rang"),
        )
        .select_from(spread.join(mois, mois.c.mois == spread.c.mois))
        .subquery("delais_classes")
    )
    owed = context.rows(COTISATIONS)
    debt = owed.c.montant_part_ouvriere + owed.c.montant_part_patronale
    joined = ranked.outerjoin(owed, context.on_grid(owed, ranked))
    return (
        select(
            ranked.c.numero,
            ranked.c.mois,
            ranked.c.restants.label("delai_nb_jours_restants"),
            ranked.c.duree.label("delai_nb_jours_total"),
            ranked.c.montant.label("delai_montant_echeancier"),
            ((debt - ranked.c.attendu) / func.nullif(ranked.c.montant, number(0.0), type_=Double())).label(
                "delai_deviation_remboursement"
            ),
        )
        .select_from(joined)
        .where(ranked.c.rang == number(1))
    )


_ABSENT = "aucun délai ne court à t, du mois de date_creation à celui de date_echeance, ce dernier exclu"
_LAST = "de plusieurs délais, le dernier créé"

DELAIS = Family(
    "delais",
    "Délais de paiement",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "delai_nb_jours_restants",
            INTEGER,
            "jours du premier du mois t à date_echeance ; de plusieurs délais, celui qui finit le dernier",
            "jours",
            ("delai",),
            _ABSENT,
            _LAST,
        ),
        Variable(
            "delai_nb_jours_total",
            INTEGER,
            "duree_delai, si elle est positive, du même délai",
            "jours",
            ("delai",),
            _ABSENT,
            _LAST,
        ),
        Variable(
            "delai_montant_echeancier",
            NUMBER,
            "somme des montant_echeancier des délais qui courent à t",
            "euros",
            ("delai",),
            _ABSENT,
            "de plusieurs délais, le montant du dernier créé et non la somme",
        ),
        Variable(
            "delai_deviation_remboursement",
            NUMBER,
            "(montant_part_ouvriere + montant_part_patronale − somme des montant_echeancier × jours restants / "
            "duree_delai) / somme des montant_echeancier : positive, la dette baisse moins vite qu'un remboursement "
            "régulier",
            "",
            ("delai", "debit"),
            _ABSENT + " ; le montant est nul",
            _LAST + " ; sans valeur pour un établissement sans cotisation ou sans débit",
        ),
    ),
    Level.MONTH,
    _rows,
    reads=(COTISATIONS,),
)

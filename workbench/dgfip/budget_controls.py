"""Controls of the balances themselves: their totals, their rows, their series."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, null, select, union_all

from workbench.dgfip.control import Control, Scope
from workbench.dgfip.schema import balances, budgets, doublons

__all__ = [
    "duplicates",
    "missing_comptes",
    "missing_exercices",
    "mixed_etats",
    "soldes",
    "unbalanced_totals",
]

_b = balances.c
_TOTALS: tuple[tuple[str, str, ColumnElement[Any], ColumnElement[Any], str], ...] = (
    (
        "balance_entree",
        "Les balances d'entrée s'équilibrent (débits = crédits)",
        _b.debit_1,
        _b.credit_1,
        "La balance d'un budget est incomplète, ou son exercice précédent n'était pas équilibré.",
    ),
    (
        "operations",
        "Les opérations de l'année s'équilibrent (débits = crédits)",
        _b.debit_2 - _b.credit_7 + _b.debit_3 + _b.debit_4,
        _b.credit_2 - _b.debit_7 + _b.credit_3 + _b.credit_4,
        "Opérations budgétaires nettes d'annulations et non budgétaires ensemble : la balance est incomplète.",
    ),
    (
        "operations_ordre",
        "Les opérations d'ordre budgétaires s'équilibrent (débits = crédits)",
        _b.debit_6,
        _b.credit_6,
        "Une opération d'ordre a toujours deux côtés : il manque des lignes à ces budgets.",
    ),
    (
        "soldes_totaux",
        "Les soldes publiés s'équilibrent (soldes débiteurs = créditeurs)",
        func.coalesce(_b.solde_debit, 0),
        func.coalesce(_b.solde_credit, 0),
        "La balance publiée de ces budgets est incomplète.",
    ),
)


_NO_SOLDE = "Ces balances ne publient pas de solde."


def _gives_soldes(scope: Scope) -> bool:
    given = select(func.count(_b.solde_debit).label("n")).where(scope.holds(balances))
    return bool(scope.base.fetch(given).column("n")[0].as_py())


def unbalanced_totals(scope: Scope) -> list[Control]:
    """Ask that débits equal crédits over each budget, for each kind of operation."""
    found = []
    given = _gives_soldes(scope)
    for code, title, debit, credit, explanation in _TOTALS:
        if code == "soldes_totaux" and not given:
            found.append(Control(code, title, None, 0, explanation=_NO_SOLDE))
            continue
        total_debit, total_credit = func.sum(debit).cast(BigInteger), func.sum(credit).cast(BigInteger)
        statement = (
            select(
                _b.siret,
                _b.exercice,
                total_debit.label("debits_centimes"),
                total_credit.label("credits_centimes"),
                (total_debit - total_credit).label("ecart_centimes"),
            )
            .where(scope.holds(balances))
            .group_by(_b.siret, _b.exercice)
            .having(total_debit != total_credit)
            .order_by(func.abs(total_debit - total_credit).desc(), _b.siret, _b.exercice)
        )
        found.append(scope.control(code, title, statement, explanation))
    return found


def soldes(scope: Scope) -> list[Control]:
    """Ask that each published solde follow from its row, on one side only."""
    titles = {
        "soldes_lignes": "Chaque solde publié se déduit de sa ligne",
        "soldes_cotes": "Aucune ligne n'a de solde à la fois débiteur et créditeur",
    }
    if not _gives_soldes(scope):
        return [Control(code, title, None, 0, explanation=_NO_SOLDE) for code, title in titles.items()]
    solde = _b.solde_debit - _b.solde_credit
    movement = (
        _b.debit_1
        - _b.credit_1
        + _b.debit_2
        - _b.credit_2
        + _b.debit_3
        - _b.credit_3
        + _b.debit_4
        - _b.credit_4
        + _b.debit_7
        - _b.credit_7
    )
    row = (_b.siret, _b.exercice, _b.compte, _b.fonction)
    both = (_b.solde_debit.label("solde_debit_centimes"), _b.solde_credit.label("solde_credit_centimes"))
    return [
        scope.control(
            "soldes_lignes",
            titles["soldes_lignes"],
            select(*row, *both, movement.label("attendu_centimes"))
            .where(scope.holds(balances), solde != movement)
            .order_by(*row),
            "Le solde publié diffère de la balance d'entrée augmentée des opérations de l'année.",
        ),
        scope.control(
            "soldes_cotes",
            titles["soldes_cotes"],
            select(*row, *both).where(scope.holds(balances), _b.solde_debit != 0, _b.solde_credit != 0).order_by(*row),
            "Un solde est débiteur ou créditeur : ces lignes ont été agrégées après coup.",
        ),
    ]


def duplicates(scope: Scope) -> list[Control]:
    """Ask that no key be there twice, in the rows kept and in the dumps that were pivoted."""
    key = (_b.siret, _b.exercice, _b.compte, _b.fonction, _b.etat)
    kept = (
        select(*key, null().cast(BigInteger).label("operation"), func.count().label("lignes"))
        .where(scope.holds(balances))
        .group_by(*key)
        .having(func.count() > 1)
    )
    d = doublons.c
    added = select(d.siret, d.exercice, d.compte, d.fonction, d.etat, d.operation.cast(BigInteger), d.lignes).where(
        scope.holds(doublons), d.source == "balances"
    )
    both = union_all(kept, added).subquery()
    return [
        scope.control(
            "doublons",
            "Aucune ligne en double (exercice, budget, fonction, compte, état)",
            select(both).order_by(both.c.siret, both.c.exercice, both.c.compte),
            "Leurs montants s'additionnent : vérifiez que ces lignes ne répètent pas la même écriture.",
        )
    ]


def missing_comptes(scope: Scope) -> list[Control]:
    """Ask that every row have a compte."""
    row = (_b.siret, _b.exercice, _b.fonction)
    return [
        scope.control(
            "comptes_absents",
            "Chaque ligne porte un compte",
            select(*row, func.count().label("lignes"))
            .where(scope.holds(balances), _b.compte.is_(None))
            .group_by(*row)
            .order_by(*row),
            "Aucune formule ne lit une ligne sans compte.",
        )
    ]


def mixed_etats(scope: Scope) -> list[Control]:
    """Ask that no budget mix definitive and provisional rows."""
    row = (budgets.c.siret, budgets.c.exercice)
    return [
        scope.control(
            "etats_mixtes",
            "Aucun budget ne mêle lignes définitives et provisoires",
            select(*row).where(scope.holds(budgets), budgets.c.etat == "M").order_by(*row),
            "Les deux états s'additionnent dans les formules : ces budgets peuvent compter deux fois.",
        )
    ]


def missing_exercices(scope: Scope) -> list[Control]:
    """Ask that the series of a budget have no hole."""
    concerned = select(budgets.c.siret).where(scope.holds(budgets))
    following = func.lead(budgets.c.exercice).over(partition_by=budgets.c.siret, order_by=budgets.c.exercice)
    series = (
        select(budgets.c.siret, budgets.c.exercice.label("apres"), following.label("avant"))
        .where(budgets.c.siret.in_(concerned))
        .subquery()
    )
    return [
        scope.control(
            "exercices_manquants",
            "Aucun exercice ne manque entre le premier et le dernier d'un budget",
            select(series).where(series.c.avant > series.c.apres + 1).order_by(series.c.siret, series.c.apres),
            "Il manque les exercices compris entre les deux années données : les évolutions sautent ces années.",
        )
    ]

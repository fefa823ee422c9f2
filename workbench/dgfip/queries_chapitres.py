"""The budget chapter of a row of a balance, as the charts of accounts of the base say.

A chart gives a chapter to a compte by kind of operation. The chapter of a row is that of real operations (of expenses,
else of receipts), else that of operations d'ordre; four comptes of M57 (6011, 6015, 6032, 6037) have two, and go with
their expenses. Bodies detail comptes further than charts do, so the longest number of the chart that begins a compte
gives its chapter. The chart is that of the exercice, else the nearest before, else the nearest; a nomenclature without
a chart of its own takes that of its family: M57 for M57A, M4 for M49.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from workbench.dgfip.base import Base
from workbench.dgfip.schema import balances, collectivites, plan_chapitres, plan_comptes, plans

__all__ = ["chapitre_of", "libelles_chapitres"]

_LONGEST = 10
"""Digits of the longest numbers of charts."""

_KINDS = (
    plan_comptes.c.depense_reelle,
    plan_comptes.c.recette_reelle,
    plan_comptes.c.depense_ordre,
    plan_comptes.c.recette_ordre,
    plan_comptes.c.depense_ordre_interieur,
    plan_comptes.c.recette_ordre_interieur,
)
_ONE: ColumnElement[int] = literal_column("1", Integer())


def chapitre_of(
    kept: CTE, on: ColumnElement[bool], conditions: list[ColumnElement[bool]]
) -> tuple[FromClause, ColumnElement[Any]]:
    """Join the balances of some budgets with the chapter of each row.

    Parameters
    ----------
    kept
        Budgets: ``siret``, ``exercice``.
    on
        Which rows of balances are theirs.
    conditions
        Which rows are read.

    Returns
    -------
    tuple of FromClause and ColumnElement
        What to select from, and the chapter: null where no chart tells one.
    """
    rows, described = balances.c, collectivites.c
    own = and_(described.siret == kept.c.siret, described.exercice == kept.c.exercice)
    read = kept.join(collectivites, own).join(balances, and_(on, *conditions))
    key = (described.nomenclature, described.exercice)
    codes = select(*key, rows.compte).select_from(read).distinct().cte("comptes_lus")
    charts = _charts(select(codes.c.nomenclature, codes.c.exercice).distinct().cte("exercices_lus"))
    sizes = union_all(
        *(select(literal_column(str(each), Integer()).label("taille")) for each in range(1, _LONGEST + 1))
    )
    size = sizes.cte("tailles")
    chapter = func.coalesce(*(func.nullif(each, literal_column("''")) for each in _KINDS))
    c = plan_comptes.c
    known = (
        select(c.nomenclature, c.exercice, c.compte, func.max(chapter).label("chapitre"))
        .where(chapter.is_not(None))
        .group_by(c.nomenclature, c.exercice, c.compte)
        .cte("chapitres_des_plans")
    )
    begins = and_(
        known.c.nomenclature == charts.c.plan,
        known.c.exercice == charts.c.annee,
        known.c.compte == func.left(codes.c.compte, size.c.taille),
    )
    of_chart = and_(charts.c.nomenclature == codes.c.nomenclature, charts.c.exercice == codes.c.exercice)
    whole = codes.join(charts, of_chart).join(size, size.c.taille <= func.length(codes.c.compte)).join(known, begins)
    rank = func.row_number().over(partition_by=list(codes.c), order_by=size.c.taille.desc()).label("rang")
    ranked = select(*codes.c, known.c.chapitre, rank).select_from(whole).cte("chapitres_possibles")
    found = select(ranked).where(ranked.c.rang == _ONE).cte("chapitres")
    same = and_(
        found.c.nomenclature == described.nomenclature,
        found.c.exercice == described.exercice,
        found.c.compte == rows.compte,
    )
    return read.join(found, same, isouter=True), found.c.chapitre


def _charts(asked: CTE) -> CTE:
    """Return the chart (``plan``, ``annee``) of each nomenclature and exercice that is read."""
    nomenclature, c = asked.c.nomenclature, plans.c
    families = (nomenclature, *(func.left(nomenclature, literal_column(each)) for each in ("3", "2")))
    meets = and_(c.nature == literal_column("'comptes'"), or_(*(c.nomenclature == each for each in families)))
    later = case((c.exercice <= asked.c.exercice, literal_column("0")), else_=_ONE)
    order = (func.length(c.nomenclature).desc(), later, func.abs(c.exercice - asked.c.exercice), c.exercice)
    rank = func.row_number().over(partition_by=list(asked.c), order_by=order).label("rang")
    columns = (*asked.c, c.nomenclature.label("plan"), c.exercice.label("annee"), rank)
    ranked = select(*columns).select_from(asked.join(plans, meets)).cte("plans_possibles")
    return select(ranked).where(ranked.c.rang == _ONE).cte("plans_suivis")


def libelles_chapitres(base: Base, nomenclature: str | None) -> dict[str, str]:
    """Return the labels of chapters: those of the nomenclature's family first, the latest of them."""
    c = plan_chapitres.c
    rows = base.fetch(select(c.chapitre, c.libelle, c.nomenclature, c.exercice).distinct()).to_pylist()
    wanted = nomenclature or ""
    rows.sort(key=lambda row: (wanted.startswith(row["nomenclature"]), row["exercice"], row["libelle"]))
    return {row["chapitre"]: row["libelle"] for row in rows}

"""Which communes belong to which EPCI, exercice by exercice.

Two sources tell it: the descriptions of a CCI base (``collectivites.siren_epci``), and lists of members imported apart
(``membres_epci``), which open data needs since its balances say nothing of it. A description goes before a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, or_, select, union_all

from workbench.dgfip.base import Base
from workbench.dgfip.schema import collectivites, membres_epci
from workbench.dgfip.values import constant

__all__ = ["belongs_to", "commune_code", "epci_exercices", "epci_of", "libelles_epci", "memberships"]


def memberships() -> FromClause:
    """Return the lists of members as rows ``siren, exercice, siren_epci``, one a member and exercice.

    A list that names communes by their code alone finds their SIREN in the description of the budgets of type 101.
    """
    m, c = membres_epci.c, collectivites.c
    named = select(m.siren, m.exercice, m.siren_epci).where(m.siren.is_not(None))
    located = (
        select(c.siren, m.exercice, m.siren_epci)
        .select_from(membres_epci)
        .join(collectivites, and_(c.exercice == m.exercice, commune_code(c) == m.commune))
        .where(m.siren.is_(None), c.type_etablissement == constant("101"))
    )
    rows = union_all(named, located).subquery("membres")
    first = func.min(rows.c.siren_epci, type_=m.siren_epci.type).label("siren_epci")
    return (
        select(rows.c.siren, rows.c.exercice, first)
        .group_by(rows.c.siren, rows.c.exercice)
        .subquery("membres_epci_connus")
    )


def commune_code(rows: Any) -> ColumnElement[Any]:
    """Return INSEE's code of the commune: 33063, 2A004; overseas 101 and 105 give 97105."""
    departement = rows.departement
    prefix = case(
        (func.left(departement, constant(2)) == constant("10"), constant("97")),
        else_=func.right(departement, constant(2)),
    )
    return prefix.concat(rows.insee)


def belongs_to(sirens: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a row of ``collectivites`` belongs to one of these groupements, in its exercice."""
    c, wanted = collectivites.c, tuple(sirens)
    known = memberships()
    of_list = exists(
        select(known.c.siren).where(
            known.c.siren == c.siren, known.c.exercice == c.exercice, known.c.siren_epci.in_(wanted)
        )
    )
    return or_(c.siren_epci.in_(wanted), and_(c.siren_epci.is_(None), of_list))


def epci_of(joins: FromClause) -> tuple[FromClause, ColumnElement[Any]]:
    """Join what lists of members tell to rows of ``collectivites``; return the join and the SIREN of the groupement."""
    known, c = memberships(), collectivites.c
    on = and_(known.c.siren == c.siren, known.c.exercice == c.exercice)
    return joins.outerjoin(known, on), func.coalesce(c.siren_epci, known.c.siren_epci, type_=c.siren_epci.type)


def libelles_epci(base: Base) -> dict[str, str]:
    """Return the name of each groupement that has members, the latest known, or nothing; sorted by SIREN.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     libelles_epci(base)["998000314"]
    'COMMUNAUTE DE COMMUNES DU 31 (fictive)'
    """
    m, c = membres_epci.c, collectivites.c
    names = func.arg_max(m.libelle_epci, m.exercice).label("libelle")
    listed = base.fetch(select(m.siren_epci, names).group_by(m.siren_epci)).to_pylist()
    found = {row["siren_epci"]: row["libelle"] or "" for row in listed}
    described = select(c.siren_epci).where(c.siren_epci.is_not(None)).distinct()
    found |= {siren: found.get(siren, "") for siren in base.fetch(described).column(0).to_pylist() if siren}
    unnamed = [siren for siren, name in found.items() if not name]
    if unnamed:
        # A groupement has balances of its own, that bear its name.
        label = func.arg_max(c.libelle, c.exercice).label("libelle")
        own: Select[Any] = select(c.siren, label).where(c.siren.in_(unnamed), c.type_budget == "1").group_by(c.siren)
        found |= {row["siren"]: row["libelle"] for row in base.fetch(own).to_pylist()}
    return dict(sorted(found.items()))


def epci_exercices(base: Base) -> set[int]:
    """Return the exercices for which some source tells members."""
    m, c = membres_epci.c, collectivites.c
    listed = base.fetch(select(m.exercice).distinct()).column(0).to_pylist()
    described = base.fetch(select(c.exercice).where(c.siren_epci.is_not(None)).distinct()).column(0).to_pylist()
    return {int(year) for year in (*listed, *described)}

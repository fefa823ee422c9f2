"""The identifiers of the base, as someone who picks collectivités from a list sees them."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
from sqlalchemy import and_, func, select

from workbench.dgfip.base import Base
from workbench.dgfip.schema import budgets, collectivites
from workbench.dgfip.selection import Codes, criteria_conditions, perimetre

__all__ = ["list_identifiers"]

PRINCIPAUX = ("1", "2")


def list_identifiers(
    base: Base,
    kind: Literal["SIRET", "SIREN", "FINESS"] = "SIRET",
    *,
    departements: Codes | None = None,
    types: Codes | None = None,
) -> pa.Table:
    """List identifiers, with what they are called.

    Parameters
    ----------
    base
        An open base.
    kind
        ``SIRET``: budgets, by the label of their latest exercice under each nomenclature; ``SIREN``: bodies that own
        a budget principal, by its label; ``FINESS``: health and medico-social bodies.
    departements, types
        Only these.

    Returns
    -------
    pyarrow.Table
        ``identifiant, type_etablissement, libelle, type_budget``, distinct, sorted by label then identifier. Source:
        specification of OpenAnafi, section 5.

    Raises
    ------
    WorkbenchError
        ``perimetre_invalide``.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     list_identifiers(base, "SIRET", types="101").column_names
    ['identifiant', 'type_etablissement', 'libelle', 'type_budget']
    """
    c = collectivites.c
    conditions, tables = criteria_conditions(perimetre(departements=departements, types=types))
    ident: Any = {"SIRET": c.siret, "SIREN": c.siren, "FINESS": c.finess}[kind]
    if kind == "SIREN":
        conditions.append(c.type_budget.in_(PRINCIPAUX))
    if kind == "FINESS":
        conditions.append(c.finess.is_not(None))
    latest = (
        select(
            ident.label("identifiant"),
            c.type_etablissement,
            func.arg_max(c.libelle, c.exercice).label("libelle"),
            func.arg_max(c.type_budget, c.exercice).label("type_budget"),
        )
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == c.siret, budgets.c.exercice == c.exercice))
        .where(*conditions)
        .group_by(ident, c.siret, c.type_etablissement, c.nomenclature)
        .subquery()
    )
    rows = latest.c
    return base.fetch(select(*rows).distinct().order_by(rows.libelle, rows.identifiant, rows.type_budget), tables)

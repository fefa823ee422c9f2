"""The identifiers of the base, as someone who picks collectivités from a list sees them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Literal

import pyarrow as pa
from sqlalchemy import and_, column, func, or_, select, table

from workbench.dgfip.base import Base
from workbench.dgfip.catalogue import searchable, words_of
from workbench.dgfip.schema import budgets, collectivites
from workbench.dgfip.selection import Codes, Perimetre, criteria_conditions, perimetre, select_budgets

__all__ = ["exercices_by_nomenclature", "exercices_of", "list_identifiers", "search_identifiers"]

PRINCIPAUX = ("1", "2")


def list_identifiers(
    base: Base,
    kind: Literal["SIRET", "SIREN", "FINESS"] = "SIRET",
    *,
    departements: Codes | None = None,
    types: Codes | None = None,
    among: Collection[str] | None = None,
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
    among
        Only what these SIRET are known by; None for all.

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
    ident, conditions, tables = _identified(kind, departements, types, among)
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


def search_identifiers(
    base: Base,
    kind: Literal["SIRET", "SIREN", "FINESS"],
    text: str,
    *,
    departements: Codes | None = None,
    types: Codes | None = None,
    among: Collection[str] | None = None,
    limit: int = 20,
) -> pa.Table:
    """Search identifiers by the words of a label or by their first characters, as someone types.

    Parameters
    ----------
    base
        An open base.
    kind, departements, types, among
        As for `list_identifiers`.
    text
        Words of the label, in any order, accents and case apart; or the first characters of an identifier.
    limit
        Largest number of rows.

    Returns
    -------
    pyarrow.Table
        One row an identifier: ``identifiant, libelle, departement, type_etablissement`` of its latest exercice,
        ``premier_exercice, dernier_exercice``. Labels that begin with the text come first.

    Raises
    ------
    WorkbenchError
        ``perimetre_invalide``.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     search_identifiers(base, "SIREN", "", limit=1).num_rows
    1
    """
    c = collectivites.c
    ident, conditions, tables = _identified(kind, departements, types, among)
    latest = (
        select(
            ident.label("identifiant"),
            *(func.arg_max(c[name], c.exercice).label(name) for name in ("libelle", "departement")),
            func.arg_max(c.type_etablissement, c.exercice).label("type_etablissement"),
            func.min(c.exercice).label("premier_exercice"),
            func.max(c.exercice).label("dernier_exercice"),
        )
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == c.siret, budgets.c.exercice == c.exercice))
        .where(*conditions)
        .group_by(ident)
        .subquery()
    )
    rows = latest.c
    name, words = searchable(rows.libelle), words_of(text)
    digits = re.sub(r"\s", "", text).upper()
    wanted: list[Any] = [func.contains(name, word) for word in words]
    if digits.isalnum() and any(sign.isdecimal() for sign in digits):
        wanted = [or_(func.starts_with(rows.identifiant, digits), and_(*wanted))]
    order = (func.starts_with(name, " ".join(words)).desc(), rows.libelle, rows.identifiant)
    return base.fetch(select(*rows).where(*wanted).order_by(*order).limit(limit), tables)


def exercices_by_nomenclature(base: Base) -> dict[str, tuple[int, ...]]:
    """Return the exercices that have balances, ascending, by nomenclature; budgets without one are under ``""``.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     "M57" in exercices_by_nomenclature(base)
    True
    """
    c = collectivites.c
    asked = (
        select(c.nomenclature, c.exercice)
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == c.siret, budgets.c.exercice == c.exercice))
        .distinct()
        .order_by(c.nomenclature, c.exercice)
    )
    found: dict[str, list[int]] = {}
    for row in base.fetch(asked).to_pylist():
        found.setdefault(row["nomenclature"] or "", []).append(row["exercice"])
    return {name: tuple(years) for name, years in found.items()}


def exercices_of(base: Base, criteria: Perimetre) -> tuple[int, ...]:
    """Return the exercices in which some budget of a perimetre has a balance, ascending.

    Examples
    --------
    >>> from workbench.dgfip import connect, perimetre
    >>> with connect(demonstration_base) as base:
    ...     exercices_of(base, perimetre(sirets="99999999900019"))
    ()
    """
    if criteria.population is not None:
        # Which population holds is said in one place.
        return tuple(sorted(set(select_budgets(base, criteria)["exercice"].to_pylist())))
    c = collectivites.c
    conditions, tables = criteria_conditions(criteria)
    asked = (
        select(c.exercice)
        .select_from(collectivites)
        .join(budgets, and_(budgets.c.siret == c.siret, budgets.c.exercice == c.exercice))
        .where(*conditions)
        .distinct()
        .order_by(c.exercice)
    )
    return tuple(base.fetch(asked, tables)["exercice"].to_pylist())


def _identified(
    kind: str, departements: Codes | None, types: Codes | None, among: Collection[str] | None
) -> tuple[Any, list[Any], dict[str, pa.Table]]:
    """Return the column of a kind of identifier, the conditions on its rows, and the tables that they name."""
    c = collectivites.c
    conditions, tables = criteria_conditions(perimetre(departements=departements, types=types))
    ident: Any = {"SIRET": c.siret, "SIREN": c.siren, "FINESS": c.finess}[kind]
    if among is not None:
        tables = {**tables, "parmi": pa.table({"siret": pa.array(sorted(among), pa.string())})}
        conditions = [*conditions, c.siret.in_(select(table("parmi", column("siret")).c.siret))]
    if kind == "SIREN":
        conditions.append(c.type_budget.in_(PRINCIPAUX))
    if kind == "FINESS":
        conditions.append(c.finess.is_not(None))
    return ident, list(conditions), tables

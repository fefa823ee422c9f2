"""From what a query asks to one SQLAlchemy statement, the same on every engine.

The statement has three steps, each a named table expression:

``retenus``
    The budgets of the perimeter, with the columns that they are grouped by (`workbench.dgfip.relations` finds the
    joins), and their inhabitants when the query needs them.
``groupes``
    Sums of cents by group. A budget without any row of the comptes asked counts 0, unless comptes or fonctions are
    themselves a grouping: then only what exists is listed.
the result
    Amounts per inhabitant, conditions on measures, order, limit.

Columns bear our names, never a person's: a heading is put on the result. Values are all bound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)

from workbench.dgfip.catalogue import searchable, words_of
from workbench.dgfip.epci import epci_of
from workbench.dgfip.queries_chapitres import chapitre_of
from workbench.dgfip.queries_measures import Measure, cents
from workbench.dgfip.queries_spec import QuerySpec
from workbench.dgfip.relations import joined
from workbench.dgfip.schema import balances, budgets, collectivites, imports
from workbench.dgfip.selection import criteria_conditions, with_population
from workbench.errors import WorkbenchError

__all__ = ["count_statement", "query_statement"]

_OPERATORS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
_ZERO: ColumnElement[int] = literal_column("0", BigInteger())
_ROWS = balances.c
_OF_COMPTE: Mapping[str, ColumnElement[Any]] = {
    "compte": _ROWS.compte,
    # Constants of ours, written out: a grouping must read the same wherever the statement repeats it.
    "chapitre": func.left(_ROWS.compte, literal_column("2")),
    "classe": func.left(_ROWS.compte, literal_column("1")),
    # Stands for the column that `chapitre_of` joins.
    "chapitre_budgetaire": _ROWS.compte,
    "fonction": _ROWS.fonction,
}
_OF_BUDGET: Mapping[str, ColumnElement[Any]] = {
    "etat": budgets.c.etat,
    "source": imports.c.source,
}
"""Columns of the result that other tables than ``collectivites`` hold."""

Tables = dict[str, pa.Table]


def query_statement(spec: QuerySpec, rows: int) -> tuple[Select[Any], Tables]:
    """Return the statement of a query and the tables that it names.

    Parameters
    ----------
    spec
        What is asked, checked.
    rows
        Most rows to give.

    Returns
    -------
    tuple of sqlalchemy.Select and dict
        Columns: those of the groupings, then ``mesure_1``, ``mesure_2``… in cents (or cents per inhabitant).
    """
    statement, tables, columns = _grouped(spec, spec.measures)
    keys: list[ColumnElement[Any]] = []
    for bare, descending in spec.ordering:
        column = columns[bare if bare in spec.columns else f"mesure_{spec.measures.index(spec.measure(bare)) + 1}"]
        keys.append((column.desc() if descending else column.asc()).nulls_last())
    # What the person left open is settled, so that two runs give the same rows.
    keys += [columns[name].asc().nulls_last() for name in spec.columns if name not in dict(spec.ordering)]
    return statement.order_by(*keys).limit(rows), tables


def count_statement(spec: QuerySpec) -> tuple[Select[Any], Tables]:
    """Return the statement that counts the rows of a query: sums that no condition needs are not made."""
    filtered = {spec.measure(each.measure) for each in spec.filters}
    statement, tables, _ = _grouped(spec, tuple(each for each in spec.measures if each in filtered))
    return select(func.count().label("lignes")).select_from(statement.subquery("resultat")), tables


def _grouped(
    spec: QuerySpec, measures: tuple[Measure, ...]
) -> tuple[Select[Any], Tables, dict[str, ColumnElement[Any]]]:
    inhabitants = any(each.per_inhabitant for each in measures)
    kept, tables = _kept(spec, inhabitants)
    of_compte = {name for name in spec.columns if name in _OF_COMPTE}
    of_budget = and_(_ROWS.siret == kept.c.siret, _ROWS.exercice == kept.c.exercice)
    source: FromClause = kept.join(balances, and_(of_budget, *_comptes(spec)), isouter=not of_compte)
    of_rows = dict(_OF_COMPTE)
    if "chapitre_budgetaire" in of_compte:
        source, of_rows["chapitre_budgetaire"] = chapitre_of(kept, of_budget, _comptes(spec))
    group = [of_rows[name] if name in of_compte else kept.c[name] for name in spec.columns]
    values: list[ColumnElement[Any]] = [
        func.coalesce(func.sum(_amount(each), type_=BigInteger()), _ZERO, type_=BigInteger()).label(f"montant_{place}")
        for place, each in enumerate(measures, 1)
    ]
    if inhabitants:
        values.append(func.max(kept.c.habitants, type_=BigInteger()).label("habitants"))
    selected = [column.label(name) for column, name in zip(group, spec.columns, strict=True)]
    statement = select(*selected, *values) if selected or values else select(func.count().label("budgets"))
    statement = statement.select_from(source if of_compte or measures else kept)
    groups = (statement.group_by(*group) if group else statement).cte("groupes")
    columns: dict[str, ColumnElement[Any]] = {name: groups.c[name] for name in spec.columns}
    for place, each in enumerate(measures, 1):
        amount: ColumnElement[Any] = groups.c[f"montant_{place}"]
        if each.per_inhabitant:
            amount = cast(amount, Double) / cast(func.nullif(groups.c.habitants, _ZERO), Double)
        columns[f"mesure_{place}"] = amount.label(f"mesure_{place}")
    conditions = []
    for condition in spec.filters:
        place = measures.index(spec.measure(condition.measure)) + 1
        own = columns[f"mesure_{place}"]
        value = own.element if hasattr(own, "element") else own
        conditions.append(_OPERATORS[condition.operator](value, cents(condition.value)))
    shown = list(columns.values()) or [groups.c.budgets]
    return select(*shown).select_from(groups).where(*conditions), tables, columns


def _kept(spec: QuerySpec, inhabitants: bool) -> tuple[CTE, Tables]:
    """Return the budgets of the perimeter, one row a (siret, exercice), with the columns to group them by."""
    conditions, tables = criteria_conditions(spec.perimetre)
    c = collectivites.c
    if spec.exercices is not None:
        conditions.append(c.exercice.in_(spec.exercices))
    if spec.name is not None:
        words = words_of(spec.name)
        if not words:
            raise WorkbenchError(
                "perimetre_invalide", critere="name", valeur=spec.name, conseil="Écrivez un ou plusieurs mots du nom."
            )
        conditions += [func.contains(searchable(c.libelle), word) for word in words]
    wanted = [name for name in spec.columns if name not in _OF_COMPTE]
    elsewhere = {name: _OF_BUDGET[name] for name in wanted if name in _OF_BUDGET}
    joins = joined(collectivites, budgets, *(column.table for column in elsewhere.values()))
    needed = ["siret", "exercice", "siren", "population", "departement", "insee"]
    own: list[ColumnElement[Any]] = [c[name] for name in dict.fromkeys([*needed, *wanted]) if name not in elsewhere]
    if "siren_epci" in wanted:
        joins, groupement = epci_of(joins)
        own = [each for each in own if each.name != "siren_epci"] + [groupement.label("siren_epci")]
    described = select(*own, *elsewhere.values()).select_from(joins).where(*conditions)
    low, high = spec.perimetre.population or (None, None)
    if inhabitants or low is not None or high is not None:
        rows = with_population(described)
        bounds = [rows.c.population >= low] if low is not None else []
        bounds += [rows.c.population <= high] if high is not None else []
    else:
        rows, bounds = described.subquery("decrits"), []
    columns: list[ColumnElement[Any]] = [rows.c.siret, rows.c.exercice]
    for name in wanted:
        if name == "libelle":
            latest = func.first_value(rows.c.libelle).over(partition_by=rows.c.siret, order_by=rows.c.exercice.desc())
            columns.append(latest.label("libelle"))
        elif name not in {"siret", "exercice"}:
            columns.append(rows.c[name])
    if not inhabitants:
        return select(*columns).where(*bounds).cte("retenus"), tables
    if "siren" not in wanted:
        columns.append(rows.c.siren)
    columns.append(rows.c.population)
    counted = select(*columns).where(*bounds).cte("comptes_une_fois")
    # One count a SIREN and an exercice of each group, whatever its number of budgets: the largest, as $POP does.
    parts = [counted.c[name] for name in wanted]
    rank = func.row_number().over(
        partition_by=list(dict.fromkeys([*parts, counted.c.siren, counted.c.exercice])),
        order_by=[counted.c.population.desc().nulls_last(), counted.c.siret],
    )
    ranked = select(*counted.c, rank.label("rang")).cte("classes")
    once = case((ranked.c.rang == literal_column("1"), func.coalesce(ranked.c.population, _ZERO)), else_=_ZERO)
    total = func.sum(once, type_=Integer()).over(partition_by=[ranked.c[name] for name in wanted] or None)
    return select(*ranked.c, total.label("habitants")).cte("retenus"), tables


def _comptes(spec: QuerySpec) -> list[ColumnElement[bool]]:
    """Return the conditions on the rows of balances: those of the query, and those that some measure reads."""
    conditions: list[ColumnElement[bool]] = [_ROWS.compte.is_not(None)]
    if spec.comptes is not None:
        conditions.append(_among(spec.comptes))
    if spec.fonctions is not None:
        conditions.append(_among(spec.fonctions, _ROWS.fonction))
    prefixes = tuple(dict.fromkeys(each.compte for each in spec.measures))
    if prefixes and all(prefixes):
        conditions.append(_among(prefixes))
    return conditions


def _among(prefixes: tuple[str, ...], column: ColumnElement[Any] = _ROWS.compte) -> ColumnElement[bool]:
    return or_(*(func.starts_with(column, prefix) for prefix in prefixes)) if prefixes else ~true()


def _amount(measure: Measure) -> ColumnElement[Any]:
    total: ColumnElement[Any] | None = None
    # Every combination begins with a column that it adds.
    for column, coefficient in measure.combination.items():
        own = _ROWS[column]
        total = own if total is None else total + own if coefficient > 0 else total - own
    assert total is not None  # noqa: S101 - no type d'appel reads nothing
    if not measure.compte:
        return total
    return case((func.starts_with(_ROWS.compte, measure.compte), total), else_=_ZERO)

"""How the tables of the base hold together: each relation declared once, joins found from them.

A query names the tables that it reads; `joined` finds the tables between and the conditions. So a grouping or a
filter that comes later needs its column, and no join of its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Table, and_

from workbench.dgfip.schema import balances, budgets, collectivites, doublons, imports

__all__ = ["RELATIONS", "Relation", "joined"]


@dataclass(frozen=True)
class Relation:
    """Two tables whose rows answer each other when some columns are equal.

    Parameters
    ----------
    left, right
        The tables.
    columns
        Columns that both have, under one name.
    meaning
        French: what a row of the left has at the right.
    """

    left: Table
    right: Table
    columns: tuple[str, ...]
    meaning: str

    @property
    def condition(self) -> ColumnElement[bool]:
        """The condition of a join."""
        return and_(*(self.left.c[name] == self.right.c[name] for name in self.columns))

    def other(self, table: Table) -> Table | None:
        """Return the table at the other end; None when this relation does not touch the table."""
        return self.right if table is self.left else self.left if table is self.right else None


_KEY = ("siret", "exercice")

RELATIONS: tuple[Relation, ...] = (
    Relation(collectivites, budgets, _KEY, "la balance d'un budget décrit"),
    Relation(balances, budgets, _KEY, "le budget d'une ligne de balance"),
    Relation(budgets, imports, ("import_id",), "l'import qui a apporté la balance"),
    Relation(doublons, imports, ("import_id",), "l'import qui portait la clé plusieurs fois"),
)
"""Every relation of the base. Labels of codes are looked up on the result instead: they are few."""


def joined(first: Table, *others: Table) -> FromClause:
    """Join tables by the shortest ways between them.

    Parameters
    ----------
    first
        Where the join begins.
    *others
        Tables that it must hold too; those between come along.

    Raises
    ------
    ValueError
        When nothing relates them.

    Examples
    --------
    >>> print(joined(collectivites, imports))
    collectivites JOIN budgets ON collectivites.siret = budgets.siret AND collectivites.exercice = budgets.exercice
        JOIN imports ON budgets.import_id = imports.import_id
    """
    present = {first.name}
    clause: FromClause = first
    for wanted in others:
        for relation, table in _way(first, wanted):
            if table.name not in present:
                present.add(table.name)
                clause = clause.join(table, relation.condition)
    return clause


def _way(first: Table, last: Table) -> list[tuple[Relation, Table]]:
    ways: dict[str, list[tuple[Relation, Table]]] = {first.name: []}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        if here is last:
            return ways[here.name]
        for relation in RELATIONS:
            there = relation.other(here)
            if there is not None and there.name not in ways:
                ways[there.name] = [*ways[here.name], (relation, there)]
                waiting.append(there)
    raise ValueError(f"no relation between {first.name} and {last.name}")

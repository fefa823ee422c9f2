"""States and spans, read from runs.

A tuple is alive as of a batch when some delivery up to it says the tuple and no complete delivery has come since
without saying it: in other words, when a delivery that is no older than the latest complete one says it. A run says it
from ``added`` to ``seen`` without a gap, so two comparisons with constants are enough: a state is one reading of one
table, without join nor grouping.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, and_, case, false, func, null, or_, select

from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.order import TypeDeliveries
from workbench.signaux_faibles.kinds import constant

__all__ = ["alive_at", "life_spans", "runs_table", "state_of"]


def alive_at(rows: Any, known: TypeDeliveries, until: str | None) -> ColumnElement[bool]:
    """Whether a run is the one by which its tuple is alive as of a batch, the latest one when it is None."""
    conditions: list[ColumnElement[bool]] = []
    if until is None:
        conditions.append(rows.c.following.is_(None))
    else:
        conditions.append(rows.c.added <= until)
        # Of the runs of a tuple that have begun, only the last counts: it has been said the latest.
        conditions.append(or_(rows.c.following.is_(None), rows.c.following > until))
    complete = known.last_complete(until)
    if complete is not None:
        conditions.append(or_(rows.c.seen.is_(None), rows.c.seen >= complete))
    return and_(*conditions)


def runs_table(source: Source, present: bool) -> Any:
    """Return the runs of a source; no row of one of which nothing was ever imported."""
    rows = schema.facts(source.type)
    if present:
        return rows
    return select(*(null().cast(each.type).label(each.name) for each in rows.c)).where(false()).subquery(rows.name)


def state_of(source: Source, known: TypeDeliveries, until: str | None, present: bool) -> Select[Any]:
    """Return the runs by which tuples are alive as of a batch."""
    rows = runs_table(source, present)
    return select(rows).where(alive_at(rows, known, until))


def life_spans(source: Source, known: TypeDeliveries, present: bool) -> Select[Any]:
    """Return the lives of tuples: runs joined where no complete delivery came between without them."""
    rows = runs_table(source, present)
    key = source.scope.key
    ends = known.complete_keys
    gone: ColumnElement[Any] = null().cast(Text)
    if ends:
        gone = case(*((rows.c.seen < constant(each), constant(each)) for each in ends), else_=null()).cast(Text)
    runs: Any = select(rows, gone.label("gone")).subquery("runs")
    of_tuple: dict[str, Any] = {"partition_by": [runs.c[key], runs.c.hash], "order_by": runs.c.added}
    before: Any = select(
        runs,
        func.lag(runs.c.added, type_=Text()).over(**of_tuple).label("earlier"),
        func.lag(runs.c.gone, type_=Text()).over(**of_tuple).label("gone_before"),
    ).subquery("before")
    begins = or_(
        before.c.earlier.is_(None), and_(before.c.gone_before.is_not(None), before.c.gone_before < before.c.added)
    )
    marked: Any = select(before, case((begins, constant(1)), else_=constant(0)).cast(Integer).label("begins")).subquery(
        "marked"
    )
    again: dict[str, Any] = {"partition_by": [marked.c[key], marked.c.hash], "order_by": marked.c.added}
    numbered = select(marked, func.sum(marked.c.begins).over(**again).label("life")).subquery("numbered")
    life = [numbered.c[key], numbered.c.hash, numbered.c.life]
    placed = select(
        numbered,
        func.min(numbered.c.added, type_=Text()).over(partition_by=life).label("batch_added"),
        func.row_number().over(partition_by=life, order_by=numbered.c.added.desc()).label("place"),
    ).subquery("placed")
    fields = [placed.c[name] for name, _ in schema.stored_fields(source.type)]
    return select(
        placed.c[key], *fields, placed.c.hash, placed.c.batch_added, placed.c.gone.label("batch_removed")
    ).where(placed.c.place == constant(1))

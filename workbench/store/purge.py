"""Deleting for good what expired longer ago than the law allows to keep.

A property has expired when a later sheet, whose scope asks no more than its own, makes it null: whoever could read it
reads null instead. Such a property, and the null once nothing is left for it to hide, go when that null was released
before the limit; then the sheets that have no property left, the objects that have no sheet left, and the files that
no property holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, and_, delete, exists, func, insert, not_, select, tuple_

from workbench.registry import new_identifier
from workbench.store.policies_stored import changed
from workbench.store.tables import CHANGE, FILE, KEY, OBJECT, PROPERTY, PROPERTY_FILE, PURGE, SCOPE_BADGE, SHEET, TEXT

__all__ = ["PUBLICATION_LOCK", "purge"]

PUBLICATION_LOCK = 0x77627374
"""Publications share it on PostgreSQL and a purge has it alone: an object cannot go while a sheet comes."""

PART = 500
"""Rows named by one statement."""


def purge(connection: Connection, limit: datetime) -> Mapping[str, int]:
    """Delete what expired before a date, in the caller's transaction.

    Returns
    -------
    mapping
        How many ``properties``, ``sheets``, ``objects`` and ``files`` are gone.
    """
    mark = new_identifier()
    connection.execute(insert(PURGE).values(id=mark))
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(PUBLICATION_LOCK)))
    gone = {"properties": _expired(connection, limit)}
    left = PROPERTY.alias()
    emptied = not_(exists(select(1).select_from(left).where(left.c.sheet_id == SHEET.c.id, _same_object(left, SHEET))))
    # A text goes with the properties of its sheet.
    connection.execute(delete(TEXT).where(TEXT.c.released <= limit, _without_property()))
    gone["sheets"] = connection.execute(delete(SHEET).where(SHEET.c.released <= limit, emptied)).rowcount
    sheet = SHEET.alias()
    alone = not_(exists(select(1).select_from(sheet).where(sheet.c.object_id == OBJECT.c.id)))
    connection.execute(delete(KEY).where(KEY.c.object_id.in_(select(OBJECT.c.id).where(alone))))
    gone["objects"] = connection.execute(delete(OBJECT).where(alone)).rowcount
    gone["files"] = _files(connection)
    # In no bucket: what is kept of each of them is read again.
    connection.execute(insert(CHANGE).values(bucket="", at=limit))
    changed(connection)
    connection.execute(delete(PURGE).where(PURGE.c.id == mark))
    return gone


def _without_property() -> ColumnElement[bool]:
    left = PROPERTY.alias()
    return not_(exists(select(1).select_from(left).where(left.c.sheet_id == TEXT.c.sheet_id, _same_object(left, TEXT))))


def _files(connection: Connection) -> int:
    """Delete the files that no property holds."""
    row, held = PROPERTY.alias(), PROPERTY_FILE.alias()
    same = and_(
        _same_object(row, PROPERTY_FILE),
        row.c.name == PROPERTY_FILE.c.name,
        row.c.sheet_id == PROPERTY_FILE.c.sheet_id,
    )
    connection.execute(delete(PROPERTY_FILE).where(not_(exists(select(1).select_from(row).where(same)))))
    holders = exists(select(1).select_from(held).where(held.c.file_id == FILE.c.id))
    return connection.execute(delete(FILE).where(not_(holders))).rowcount


def _same_object(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return one.c.object_id == other.c.object_id


def _asks_no_more(scope: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that the badges of a scope are among those of another."""
    asked, among = SCOPE_BADGE.alias(), SCOPE_BADGE.alias()
    kept = exists(
        select(1)
        .select_from(among)
        .correlate_except(among)
        .where(among.c.scope_id == other, among.c.badge == asked.c.badge)
    )
    return not_(
        exists(select(1).select_from(asked).correlate_except(asked).where(asked.c.scope_id == scope, not_(kept)))
    )


def _ends(end: FromClause, row: FromClause, limit: datetime) -> ColumnElement[bool]:
    """Say that a null has ended a property for whoever could read it."""
    return and_(
        _same_object(end, row),
        end.c.name == row.c.name,
        end.c.sheet_id > row.c.sheet_id,
        end.c.value == "null",
        end.c.released <= limit,
        _asks_no_more(end.c.scope_id, row.c.scope_id),
    )


def _expired(connection: Connection, limit: datetime) -> int:
    """Delete what nulls have ended, then those nulls, unless they hide something else."""
    row, end = PROPERTY.alias(), PROPERTY.alias()
    ended = exists(select(1).select_from(row).correlate_except(row).where(_ends(end, row, limit)))
    identity = (end.c.object_id, end.c.name, end.c.sheet_id)
    nulls = [tuple(each) for each in connection.execute(select(*identity).where(end.c.value == "null", ended))]
    over = exists(select(1).select_from(end).correlate_except(end).where(_ends(end, PROPERTY, limit)))
    gone = connection.execute(delete(PROPERTY).where(over)).rowcount
    earlier = PROPERTY.alias()
    hidden = and_(
        _same_object(earlier, PROPERTY), earlier.c.name == PROPERTY.c.name, earlier.c.sheet_id < PROPERTY.c.sheet_id
    )
    alone = not_(exists(select(1).select_from(earlier).correlate_except(earlier).where(hidden)))
    key = tuple_(PROPERTY.c.object_id, PROPERTY.c.name, PROPERTY.c.sheet_id)
    # A null may hide nothing but another null that goes: they go one after the other.
    some = True
    while some:
        some = False
        for first in range(0, len(nulls), PART):
            count = connection.execute(delete(PROPERTY).where(key.in_(nulls[first : first + PART]), alone)).rowcount
            gone, some = gone + count, some or count > 0
    return gone

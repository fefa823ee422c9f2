"""Why a person sees what she sees: the sheets of an object one by one, with the badges that are missing.

The answer is drawn from the same `Access` as the SQL, by its other door: a test holds both to the same decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from workbench.store.keys import loads
from workbench.store.policies import Access, Policy
from workbench.store.rule_sql import has_pairs
from workbench.store.tables import OBJECT, PROPERTY, SCOPE_BADGE, SHEET

__all__ = ["explained"]

MOST_OBJECTS = 100


def explained(
    connection: Connection, access: Access, bucket: str, key: Mapping[str, str], date: datetime
) -> list[dict[str, Any]]:
    """Explain the first hundred objects that have a key.

    Returns
    -------
    list of dict
        An object each: ``key``, ``policies`` that apply, and ``sheets`` in the order of insertion, with ``id``,
        ``added``, ``releaseDate``, ``author``, ``scope``, ``missing`` (badges that reading lacks), ``released``,
        ``visible``, and ``properties``: of each, the sheet whose value is seen instead, None when it is this one's
        or nobody's.
    """
    rows = connection.execute(
        select(OBJECT.c.id, OBJECT.c.key)
        .where(OBJECT.c.bucket == bucket, has_pairs(OBJECT.c.id, key))
        .order_by(OBJECT.c.id)
        .limit(MOST_OBJECTS)
    )
    return [_object(connection, access, identifier, loads(text), date) for identifier, text in rows]


def _object(
    connection: Connection, access: Access, identifier: int, key: dict[str, str], date: datetime
) -> dict[str, Any]:
    sheets = [
        _sheet(connection, access, row, key, date)
        for row in connection.execute(select(SHEET).where(SHEET.c.object_id == identifier).order_by(SHEET.c.id)).all()
    ]
    names = connection.execute(
        select(PROPERTY.c.name, PROPERTY.c.sheet_id)
        .where(PROPERTY.c.object_id == identifier)
        .order_by(PROPERTY.c.name, PROPERTY.c.sheet_id)
    ).all()
    by_id = {sheet["id"]: sheet for sheet in sheets}
    seen = {name: sheet_id for name, sheet_id in names if by_id[sheet_id]["visible"]}
    for name, sheet_id in names:
        winner = seen.get(name)
        by_id[sheet_id]["properties"][name] = None if winner == sheet_id else winner
    return {"key": key, "policies": [_policy(each) for each in access.applying(key)], "sheets": sheets}


def _sheet(connection: Connection, access: Access, row: Any, key: dict[str, str], date: datetime) -> dict[str, Any]:
    badges = select(SCOPE_BADGE.c.badge).where(SCOPE_BADGE.c.scope_id == row.scope_id).order_by(SCOPE_BADGE.c.badge)
    scope = list(connection.execute(badges).scalars())
    missing = sorted(access.missing(key, scope))
    released = row.released <= date
    return {
        "id": row.id,
        "added": row.added.astimezone(UTC),
        "releaseDate": row.released.astimezone(UTC),
        "author": row.author,
        "scope": scope,
        "missing": missing,
        "released": released,
        "visible": released and not missing and not access.closed,
        "properties": {},
    }


def _policy(each: Policy) -> dict[str, Any]:
    lists = {"scope": each.scope, "read": each.read, "write": each.write, "promote": each.promote}
    shown: dict[str, Any] = {name: sorted(badges) for name, badges in lists.items() if badges}
    if each.writable is not None:
        shown["writable"] = sorted(each.writable)
    return {"name": each.name, "match": each.match, "key": dict(each.key)} | shown

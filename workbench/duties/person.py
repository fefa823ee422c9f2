"""What the product knows of a person, gathered for her: it is her right to ask (RGPD, article 15).

Her e-mail is how everything names her. What is gathered is what she did, wrote, asked for and is given; not what the
store says of companies or budgets, which is not about her. That it was gathered is in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Select, Table, func, or_, select

from workbench.discussion.comments import ROOM as DISCUSSION
from workbench.identity.tables import ROOM as IDENTITY
from workbench.identity.tables import badges, families, logins, people
from workbench.registry import open_registry
from workbench.reports.jobs_tables import ROOM as REPORTS
from workbench.reports.jobs_tables import batches, jobs
from workbench.reports.schedules import ROOM as SCHEDULES
from workbench.signaux_faibles.detection.registered import ROOM as DETECTION
from workbench.store import journal
from workbench.store.keys import loads
from workbench.store.tables import JOURNAL, KEY, OBJECT, PROPERTY, SHEET
from workbench.store.tables import ROOM as STORE
from workbench.uploads.configuration import has_storage, open_storage, upload_settings
from workbench.uploads.inventory import inventory

__all__ = ["known_of"]

FORMAT = 1

SECRET = frozenset({"password_hash", "print", "token", "nonce", "subject"})
"""Columns that prove something to whoever holds them, and say nothing of the person."""


def known_of(email: str, who: str, address: str | None = None) -> dict[str, Any]:
    """Gather what is known of a person.

    Parameters
    ----------
    email
        Hers.
    who
        Who asks, for the journal.
    address
        The registry; that of the settings by default.

    Returns
    -------
    dict
        ``format``, ``email``, ``made``, then lists by theme: ``account``, ``badges``, ``sessions``, ``accesses`` (the
        journal), ``sheets`` (what she published: keys and dates), ``objects`` (what is kept under her name, as follows
        and reports, with its values), ``comments``, ``reports``, ``batches``, ``schedules``, ``models``, ``uploads``.
        Moments are ISO 8601, UTC.

    Raises
    ------
    WorkbenchError
        Those of the registry and of the storage.
    """
    email = email.strip().lower()
    rooms = [IDENTITY, STORE, DISCUSSION, REPORTS, SCHEDULES, DETECTION]
    with open_registry(address, rooms=rooms) as registry, registry.write() as connection:
        now = registry.now(connection)
        found: dict[str, Any] = {"format": FORMAT, "email": email, "made": _plain(now)}
        comments = DISCUSSION.metadata.tables["discussion_comment"]
        found["account"] = _rows(connection, people, people.c.email, email)
        found["badges"] = _rows(connection, badges, badges.c.email, email)
        found["sessions"] = [
            *_rows(connection, logins, logins.c.email, email),
            *_rows(connection, families, families.c.email, email),
        ]
        found["accesses"] = _accesses(connection, email)
        found["sheets"] = _sheets(connection, email)
        found["objects"] = _objects(connection, email)
        found["comments"] = _rows(connection, comments, comments.c.author, email)
        found["reports"] = _rows(connection, jobs, jobs.c.author, email)
        found["batches"] = _rows(connection, batches, batches.c.author, email)
        for name, room in (("schedules", SCHEDULES), ("models", DETECTION)):
            written = [each for each in room.metadata.sorted_tables if "author" in each.c]
            found[name] = [row for each in written for row in _rows(connection, each, each.c.author, email)]
        found["uploads"] = _uploads(email)
        counted = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
        asker = SimpleNamespace(email=who, badges=frozenset[str]())
        journal.record(connection, asker, now, "person", "", {"of": email}, str(sum(counted.values())))
    return found


def _same(column: Any, email: str) -> Any:
    return func.lower(column) == email


def _rows(connection: Connection, table: Table, column: Any, email: str) -> list[dict[str, Any]]:
    kept = [each for each in table.c if each.name not in SECRET]
    asked: Select[Any] = select(*kept).where(_same(column, email)).order_by(*table.primary_key)
    return [_written(row) for row in connection.execute(asked)]


def _written(row: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row._mapping.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value


def _accesses(connection: Connection, email: str) -> list[dict[str, Any]]:
    """Her own entries, and those that others made about her."""
    asked = select(JOURNAL).where(_same(JOURNAL.c.reader, email)).order_by(JOURNAL.c.at, JOURNAL.c.id)
    return [{**_written(row), "query": loads(row.query)} for row in connection.execute(asked)]


def _sheets(connection: Connection, email: str) -> list[dict[str, Any]]:
    rows = select(OBJECT.c.key, SHEET.c.added, SHEET.c.released).join(OBJECT, OBJECT.c.id == SHEET.c.object_id)
    asked = rows.where(_same(SHEET.c.author, email)).order_by(SHEET.c.id)
    return [{**_written(row), "key": loads(row.key)} for row in connection.execute(asked)]


def _objects(connection: Connection, email: str) -> list[dict[str, Any]]:
    """What is kept under a key that names her: whatever the bucket, its values are about her."""
    hers = select(KEY.c.object_id).where(or_(KEY.c.value == email, _same(KEY.c.value, email)))
    columns = (OBJECT.c.key, PROPERTY.c.name, PROPERTY.c.value, SHEET.c.added)
    rows = (
        select(*columns)
        .join(OBJECT, OBJECT.c.id == PROPERTY.c.object_id)
        .join(SHEET, SHEET.c.id == PROPERTY.c.sheet_id)
    )
    asked = rows.where(PROPERTY.c.object_id.in_(hers)).order_by(OBJECT.c.id, PROPERTY.c.sheet_id, PROPERTY.c.name)
    return [{**_written(row), "key": loads(row.key), "value": loads(row.value)} for row in connection.execute(asked)]


def _uploads(email: str) -> list[dict[str, Any]]:
    found = upload_settings()
    rows = inventory(open_storage(found)) if has_storage(found) else []
    return [vars(row) | {"metadata": row.metadata} for row in rows if row.metadata.get("email", "").lower() == email]

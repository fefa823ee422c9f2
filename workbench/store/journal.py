"""The journal: who asked what, written in the transaction that answers. No token is ever here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from workbench.errors import WorkbenchError
from workbench.store.keys import SYSTEM, Reader, canonical, loads
from workbench.store.policies import Access
from workbench.store.tables import JOURNAL

__all__ = ["check_may", "entries", "record"]


def record(
    connection: Connection,
    reader: Reader,
    now: datetime,
    action: str,
    bucket: str,
    query: Mapping[str, Any],
    outcome: str,
) -> None:
    """Add an entry to the journal.

    Raises
    ------
    WorkbenchError
        ``journal_impossible``: the caller answers nothing then.
    """
    row = {
        "at": now,
        "reader": reader.email,
        "action": action,
        "bucket": bucket,
        "query": canonical(query),
        "outcome": outcome,
    }
    try:
        connection.execute(insert(JOURNAL).values(row))
    except DBAPIError as error:
        raise WorkbenchError("journal_impossible") from error


def check_may(access: Access, right: str, *, write: bool = False) -> None:
    """Refuse a person whom the policies of the bucket ``system`` would refuse an object of type ``right``.

    Raises
    ------
    WorkbenchError
        ``acces_interdit``.
    """
    key = {"bucket": SYSTEM, "type": right}
    missing = access.missing_to_write(key) if write else access.missing(key, ())
    if access.closed or missing:
        raise WorkbenchError("acces_interdit")


def entries(
    connection: Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    reader: str | None = None,
    bucket: str | None = None,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """Return entries of the journal, the last first: ``at, reader, action, bucket, query, outcome``."""
    asked = select(JOURNAL).order_by(JOURNAL.c.at.desc(), JOURNAL.c.id.desc()).limit(limit)
    if since is not None:
        asked = asked.where(JOURNAL.c.at >= since)
    if until is not None:
        asked = asked.where(JOURNAL.c.at < until)
    if reader is not None:
        asked = asked.where(JOURNAL.c.reader == reader)
    if bucket is not None:
        asked = asked.where(JOURNAL.c.bucket == bucket)
    return [
        {
            "at": row.at.astimezone(UTC),
            "reader": row.reader,
            "action": row.action,
            "bucket": row.bucket,
            "query": loads(row.query),
            "outcome": row.outcome,
        }
        for row in connection.execute(asked)
    ]

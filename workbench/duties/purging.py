"""One order that applies every duration, and says in the journal what it deleted.

The entry that tells of a purge is written in the transaction that deletes, where there is one; a purge of the journal
leaves its own entry, so that nobody can empty it unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, delete, insert

from workbench.config import settings
from workbench.discussion.comments import ROOM as DISCUSSION
from workbench.duties.retention import VARIABLES, Retention, retention
from workbench.registry import Registry, new_identifier, open_registry
from workbench.reports.jobs_purge import purge_requests
from workbench.reports.jobs_tables import ROOM as REPORTS
from workbench.store import journal
from workbench.store.purge import purge as purge_store
from workbench.store.tables import JOURNAL, PURGE
from workbench.store.tables import ROOM as STORE
from workbench.uploads.configuration import has_storage, open_storage, upload_settings
from workbench.uploads.purging import purge as purge_uploads

__all__ = ["Purged", "purge_all"]

ACTION = "retention"
"""What the journal calls it."""


@dataclass(frozen=True)
class Purged:
    """What was done of one duration.

    Parameters
    ----------
    name
        A field of `Retention`.
    days
        The duration; None when it keeps without limit.
    count
        How many rows or files are gone.
    """

    name: str
    days: int | None
    count: int


def purge_all(who: str, durations: Retention | None = None, address: str | None = None) -> list[Purged]:
    """Delete what is past its duration; every deletion is in the journal, under the name of who orders it.

    For those who hold the registry: no badge is asked.

    Parameters
    ----------
    who
        Who orders it.
    durations
        How long things are kept; the settings by default.
    address
        The registry; that of the settings by default.

    Raises
    ------
    WorkbenchError
        ``conservation_reglage``; those of the registry and of the storage.
    """
    kept = durations or retention()
    with open_registry(address, rooms=[STORE, DISCUSSION, REPORTS]) as registry:
        purge = _Purge(registry, who)
        return [
            purge.told("journal", kept.journal, _old_entries),
            purge.told("expired", kept.expired, _expired),
            purge.told("comments", kept.comments, _old_comments),
            purge.done(
                "reports", kept.reports, lambda delay: purge_requests(registry, delay, settings().reports / "api")
            ),
            purge.done("uploads", kept.uploads, _uploads),
        ]


def _old_entries(connection: Connection, limit: datetime) -> int:
    mark = new_identifier()
    connection.execute(insert(PURGE).values(id=mark))
    count = connection.execute(delete(JOURNAL).where(JOURNAL.c.at < limit)).rowcount
    connection.execute(delete(PURGE).where(PURGE.c.id == mark))
    return count


def _expired(connection: Connection, limit: datetime) -> int:
    return sum(purge_store(connection, limit).values())


def _old_comments(connection: Connection, limit: datetime) -> int:
    table = DISCUSSION.metadata.tables["discussion_comment"]
    return connection.execute(delete(table).where(table.c.created < limit)).rowcount


def _uploads(delay: timedelta) -> int:
    found = upload_settings()
    return purge_uploads(open_storage(found), delay) if has_storage(found) else 0


class _Purge:
    def __init__(self, registry: Registry, who: str) -> None:
        self._registry = registry
        self._who = SimpleNamespace(email=who, badges=frozenset[str]())

    def _record(self, connection: Connection, now: datetime, name: str, days: int, count: int) -> None:
        query: Mapping[str, Any] = {"what": name, "days": days, "setting": VARIABLES[name]}
        journal.record(connection, self._who, now, ACTION, "", query, str(count))

    def told(self, name: str, delay: timedelta | None, purge: Callable[[Connection, datetime], int]) -> Purged:
        """Purge what the registry holds, and say so in the same transaction."""
        if delay is None:
            return Purged(name, None, 0)
        with self._registry.write() as connection:
            now = self._registry.now(connection)
            count = purge(connection, now - delay)
            self._record(connection, now, name, delay.days, count)
        return Purged(name, delay.days, count)

    def done(self, name: str, delay: timedelta | None, purge: Callable[[timedelta], int]) -> Purged:
        """Purge files, then say it: a purge that was cut is told by the next one, which ends it."""
        if delay is None:
            return Purged(name, None, 0)
        count = purge(delay)
        with self._registry.write() as connection:
            self._record(connection, self._registry.now(connection), name, delay.days, count)
        return Purged(name, delay.days, count)

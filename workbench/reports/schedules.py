"""Batches that start by themselves: kept in the registry, started by whichever worker sees first that it is time.

A start is one transaction: it moves the date of the next one and keeps the jobs. Of several workers one moves the date;
to the others nothing was due. Starts that were missed while no worker ran are made up for once. A list is read again at
each start: what it lacks that day is told to its author, and the next month is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, Boolean, Column, Connection, Index, Row, Text, delete, insert, select, update

from workbench.errors import WorkbenchError
from workbench.registry import Moment, Registry, Room, new_identifier, new_metadata
from workbench.reports.batch import submit_batch
from workbench.reports.cron import ZONE, checked_cron, next_run
from workbench.reports.jobs import Batch
from workbench.reports.jobs_run import PASSING_ERRORS
from workbench.reports.jobs_spec import stored_base
from workbench.reports.request import find_notebook
from workbench.trames import find_trame_file

__all__ = [
    "ROOM",
    "Schedule",
    "add_schedule",
    "find_schedule",
    "pause_schedule",
    "remove_schedule",
    "resume_schedule",
    "run_due",
    "schedules_of",
]

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=10)
"""After a failure that passes, such as a server that does not answer."""

ROOM = Room("schedules", new_metadata(), "workbench.reports.schedules_migrations")

_entries = ROOM.table(
    "entry",
    Column("id", Text, primary_key=True),
    Column("author", Text, nullable=False, index=True),
    Column("created", Moment, nullable=False),
    Column("name", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("due", Moment, nullable=False),
    Column("last", Moment),
    Column("batch", Text),
    Column("cause", Text, nullable=False),
    Index(None, "paused", "due"),
)


@dataclass(frozen=True)
class Schedule:
    """A batch that starts by itself.

    Parameters
    ----------
    id, author, created, name
        Its identifier, whose it is, since when, and the name of its list.
    cron
        When it starts, by the clock of Paris.
    request
        What `submit_batch` is given: ``path``, ``trame``, ``to``…
    paused
        Whether it waits to be resumed.
    due
        When it next starts, in UTC.
    last, batch
        The date of its last start, and the batch that came of it; None before the first.
    cause
        Why the last start failed, in French; empty otherwise.
    """

    id: str
    author: str
    created: datetime
    name: str
    cron: str
    request: Mapping[str, Any]
    paused: bool
    due: datetime
    last: datetime | None
    batch: str | None
    cause: str


class _NotKeptError(Exception):
    """Nothing is to be kept: it was a trial, or another worker was first."""


def add_schedule(
    registry: Registry,
    path: str | Path,
    *,
    cron: str,
    trame: str | Path,
    to: str | Path,
    author: str,
    base: str | Path | None = None,
    formats: Sequence[str] = ("excel",),
    model: str | Path | None = None,
    notebook: str | Path | None = None,
    nomenclature: str | None = None,
    prefix: str = "",
    shown: Sequence[str] = (),
    now: datetime | None = None,
) -> Schedule:
    """Have a batch start by itself; it is tried at once, and nothing of the trial is kept.

    Parameters
    ----------
    registry
        Opened with `ROOM` and `workbench.reports.jobs_tables.ROOM`.
    path, trame, author, base, formats, model, notebook, nomenclature, prefix, shown
        As for `workbench.reports.submit_batch`; the list is read again at each start.
    cron
        Five fields, by the clock of Paris: ``"0 6 1 * *"`` is the first of each month at six.
    to
        Folder in which each start makes its own, named after its date.
    now
        The moment; that of the registry by default.

    Raises
    ------
    WorkbenchError
        ``cron_invalide``; what `submit_batch` refuses.
    """
    moment = _now(registry, now)
    checked = checked_cron(cron, moment)
    request: dict[str, Any] = {
        "path": str(Path(path).absolute()),
        "trame": str(find_trame_file(trame).absolute()),
        "to": str(Path(to).absolute()),
        "base": stored_base(base),
        "formats": list(formats),
        "model": None if model is None else str(Path(model).absolute()),
        "notebook": None if notebook is None else str(find_notebook(notebook)),
        "nomenclature": nomenclature,
        "prefix": prefix,
        "shown": list(shown),
    }
    _try(registry, request, author)
    values: dict[str, Any] = {
        "id": new_identifier(),
        "author": author,
        "created": moment,
        "name": Path(path).name,
        "cron": checked,
        "request": request,
        "paused": False,
        "due": next_run(checked, moment),
        "last": None,
        "batch": None,
        "cause": "",
    }
    with registry.write() as connection:
        connection.execute(insert(_entries).values(values))
    return Schedule(**values)


def _try(registry: Registry, request: Mapping[str, Any], author: str) -> None:
    def stop(_connection: Connection, _batch: str) -> None:
        raise _NotKeptError

    try:
        _submit(registry, request, author, Path(request["to"]), stop)
    except _NotKeptError:
        return


def _submit(registry: Registry, request: Mapping[str, Any], author: str, folder: Path, also: Any) -> Batch:
    kept = {**request, "to": folder, "base": request["base"] or None}
    return submit_batch(registry, **kept, author=author, shared=True, also=also)


def schedules_of(registry: Registry, author: str) -> list[Schedule]:
    """List the scheduled batches of a person, the first to start first."""
    chosen = select(_entries).where(_entries.c.author == author).order_by(_entries.c.due, _entries.c.id)
    with registry.read() as connection:
        return [_schedule(row) for row in connection.execute(chosen)]


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(**row._mapping)


def find_schedule(registry: Registry, identifier: str, author: str) -> Schedule:
    """Return a scheduled batch of a person, from its identifier or from the beginning of it.

    Raises
    ------
    WorkbenchError
        ``planification_absente``, whether it does not exist or is another person's; ``planification_ambigue``.
    """
    found = [each for each in schedules_of(registry, author) if identifier and each.id.startswith(identifier)]
    if not found:
        raise WorkbenchError("planification_absente", planification=identifier)
    if len(found) > 1:
        raise WorkbenchError("planification_ambigue", planification=identifier)
    return found[0]


def remove_schedule(registry: Registry, identifier: str, author: str) -> Schedule:
    """Remove a scheduled batch; the batches that it started stay."""
    found = find_schedule(registry, identifier, author)
    with registry.write() as connection:
        connection.execute(delete(_entries).where(_entries.c.id == found.id))
    return found


def pause_schedule(registry: Registry, identifier: str, author: str) -> Schedule:
    """Keep a batch from starting until `resume_schedule`."""
    return _changed(registry, find_schedule(registry, identifier, author), paused=True)


def resume_schedule(registry: Registry, identifier: str, author: str, *, now: datetime | None = None) -> Schedule:
    """Have a batch start again, from its next date: those of the pause are not made up for."""
    found = find_schedule(registry, identifier, author)
    if not found.paused:
        return found
    return _changed(registry, found, paused=False, due=next_run(found.cron, _now(registry, now)))


def _changed(registry: Registry, found: Schedule, **values: Any) -> Schedule:
    with registry.write() as connection:
        connection.execute(update(_entries).where(_entries.c.id == found.id).values(**values))
    return find_schedule(registry, found.id, found.author)


def run_due(registry: Registry, *, now: datetime | None = None) -> list[Batch]:
    """Start the batches whose time has come, whoever scheduled them.

    Parameters
    ----------
    registry
        Opened with `ROOM` and `workbench.reports.jobs_tables.ROOM`.
    now
        The moment; that of the registry by default.

    Returns
    -------
    list of Batch
        Those that this call started: none of another worker's.
    """
    with registry.read() as connection:
        moment = now or registry.now(connection)
        ready = select(_entries).where(_entries.c.paused.is_(False), _entries.c.due <= moment)
        due = [_schedule(row) for row in connection.execute(ready.order_by(_entries.c.due))]
    started = [_start(registry, each, moment) for each in due]
    return [each for each in started if each is not None]


def _start(registry: Registry, schedule: Schedule, now: datetime) -> Batch | None:
    after = next_run(schedule.cron, now)

    def moved(connection: Connection, batch: str | None, cause: str = "", due: datetime = after) -> None:
        same = (_entries.c.id == schedule.id, _entries.c.due == schedule.due, _entries.c.paused.is_(False))
        told = {"due": due, "last": schedule.due, "batch": batch, "cause": cause}
        if not connection.execute(update(_entries).where(*same).values(**told)).rowcount:
            raise _NotKeptError

    folder = Path(schedule.request["to"]) / f"{schedule.due.astimezone(ZONE):%Y-%m-%d_%Hh%M}"
    try:
        return _submit(registry, schedule.request, schedule.author, folder, moved)
    except _NotKeptError:
        return None
    except WorkbenchError as error:
        if error.code.startswith("registre_"):
            raise
        cause, due = str(error), min(after, now + AGAIN) if error.code in PASSING_ERRORS else after
    except Exception:
        # It becomes a cause that its author reads: the others still start.
        identifier = uuid4().hex[:8]
        log.exception("schedule %s, identifier %s", schedule.id, identifier)
        cause, due = f"Erreur inattendue (identifiant {identifier}, dont le journal garde le détail).", after
    try:
        with registry.write() as connection:
            moved(connection, None, cause, due)
    except _NotKeptError:
        return None
    log.warning("schedule %s: %s", schedule.id, cause)
    return None


def _now(registry: Registry, now: datetime | None) -> datetime:
    if now is not None:
        return now
    with registry.read() as connection:
        return registry.now(connection)

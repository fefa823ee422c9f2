"""Jobs as people see them: ask for some, follow them, cancel them. The registry is the only record.

What workers do with them (take, keep, conclude) is in `workbench.reports.jobs_leases`. It is one module because it is
one list: every order that a person may give about a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from workbench.errors import WorkbenchError
from workbench.logs import current_request
from workbench.registry import Registry, new_identifier
from workbench.reports.jobs_announce import announce_new
from workbench.reports.jobs_spec import JobSpec, stem_of
from workbench.reports.jobs_tables import JobState, batches, jobs

__all__ = [
    "Batch",
    "Job",
    "Wanted",
    "batches_of",
    "cancel",
    "counts",
    "ended_batches",
    "find_batch",
    "jobs_of",
    "retry",
    "submit",
]

RECENT_DAYS = 7


@dataclass(frozen=True)
class Wanted:
    """A job to keep.

    Parameters
    ----------
    spec
        What to make.
    name
        What its files are named after; the moment is added.
    row
        The line of the list that asks for it, by column, as it was written.
    """

    spec: JobSpec
    name: Sequence[object]
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Batch:
    """Jobs asked for together.

    Parameters
    ----------
    id, author, created, name
        Its identifier, who asked, when, and what for: the name of the list.
    folder
        Where the files go.
    shared
        Whether any worker may take its jobs; else only the process that runs it.
    columns
        Columns of the list, in order.
    log
        Name that its log and its index share, without extension.
    shown
        Indicateurs that its index shows.
    """

    id: str
    author: str
    created: datetime
    name: str
    folder: Path
    shared: bool
    columns: tuple[str, ...]
    log: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """A job and where it stands.

    Parameters
    ----------
    id, batch, position, author, created
        Its identifier, its batch and place there, who asked and when.
    spec
        What to make.
    folder, stem
        Where its files go, and the name that they share.
    row
        The line of the list that asks for it.
    state
        Where it stands.
    attempts
        How many times a worker began it.
    started, ended, seconds
        When the last attempt began, when it ended, and how long it took.
    cause
        Why it is not done, in French; empty otherwise.
    warnings
        French sentences on what the reader should check.
    files
        Name of each file in `folder`, by kind.
    facts
        What the index of a batch shows: ``snapshot``, ``libelle``, ``indicateurs``…
    request
        The HTTP request that asked for it, as logs name it; None without one.
    """

    id: str
    batch: str | None
    position: int
    author: str
    created: datetime
    spec: JobSpec
    folder: Path
    stem: str
    row: Mapping[str, Any]
    state: JobState
    attempts: int
    started: datetime | None
    ended: datetime | None
    seconds: float | None
    cause: str
    warnings: tuple[str, ...]
    files: Mapping[str, str]
    facts: Mapping[str, Any]
    request: str | None = None


def submit(
    registry: Registry,
    wanted: Sequence[Wanted],
    *,
    author: str,
    folder: str | Path,
    name: str = "",
    columns: Sequence[str] = (),
    shown: Sequence[str] = (),
    shared: bool = True,
    moment: datetime | None = None,
    also: Callable[[Connection, str], None] | None = None,
) -> Batch | None:
    """Keep jobs, all of them or none; the names of their files are reserved.

    Parameters
    ----------
    registry
        Opened with `workbench.reports.jobs_tables.ROOM`.
    wanted
        What to make; several make a batch, and so does one when ``name`` is given.
    author
        E-mail of the person who asks: she alone sees them, cancels them and reads why one failed.
    folder
        Where the files go.
    name, columns, shown
        Of the batch: the name of its list, the columns of that list, the indicateurs of its index.
    shared
        Whether any worker may take them: then a broker of messages is told, if there is one (``WORKBENCH_BROKER``).
    moment
        What the names of files are dated with; now, by the local clock, by default.
    also
        Called first in the same transaction, with the identifier of the batch or of a job alone; raising undoes all.

    Returns
    -------
    Batch or None
        None for a single job.

    Raises
    ------
    WorkbenchError
        ``demande_incomplete`` and the other refusals of `JobSpec.checked`.
    """
    if not wanted:
        raise WorkbenchError("demande_incomplete", manque="au moins une ligne")
    checked = [each.spec.checked() for each in wanted]
    place = Path(folder).absolute()
    identifier = new_identifier()
    with registry.write() as connection:
        if also is not None:
            also(connection, identifier)
        now = registry.now(connection)
        dated = moment or now.astimezone()
        named = [stem_of(["Log_Résultat"], dated), *(stem_of(each.name, dated) for each in wanted)]
        log, *stems = _free_stems(connection, place, named)
        batch = None
        if name or len(wanted) > 1:
            batch = Batch(identifier, author, now, name, place, shared, tuple(columns), log, tuple(shown))
            kept = {"folder": str(place), "columns": list(columns), "shown": list(shown)}
            connection.execute(insert(batches).values(vars(batch) | kept))
        rows: list[dict[str, Any]] = [
            {
                "id": new_identifier() if batch else identifier,
                "batch": batch.id if batch else None,
                "position": position,
                "author": author,
                "created": now,
                "shared": shared,
                "kind": spec.kind,
                "spec": spec.to_json(),
                "grouping": spec.grouping,
                "folder": str(place),
                "stem": stem,
                "row": dict(each.row or {}),
                "state": JobState.PENDING,
                "attempts": 0,
                "cause": "",
                "warnings": [],
                "files": {},
                "facts": {},
                "request": current_request() or None,
            }
            for position, (each, spec, stem) in enumerate(zip(wanted, checked, stems, strict=True))
        ]
        connection.execute(insert(jobs), rows)
    if shared:
        announce_new(registry)
    return batch


def _free_stems(connection: Connection, folder: Path, stems: Sequence[str]) -> list[str]:
    """Number the names that are taken: by a file, by another job, by one before it in the list."""
    taken = set(connection.execute(select(jobs.c.stem).where(jobs.c.folder == str(folder))).scalars())
    taken |= set(connection.execute(select(batches.c.log).where(batches.c.folder == str(folder))).scalars())
    if folder.is_dir():
        taken |= {path.name.removesuffix(path.suffix) for path in folder.iterdir()}
    # Files of one name but for capitals are one file on some systems.
    taken = {each.casefold() for each in taken}
    free = []
    for stem in stems:
        found, number = stem, 1
        while found.casefold() in taken:
            number += 1
            found = f"{stem}_{number}"
        taken.add(found.casefold())
        free.append(found)
    return free


def jobs_of(
    registry: Registry,
    author: str | None = None,
    *,
    identifiers: Iterable[str] | None = None,
    batch: str | None = None,
    states: Iterable[JobState] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Job]:
    """List jobs, those of a batch in its order, else the latest first.

    Parameters
    ----------
    registry
        Where they are kept.
    author
        Whose; None for all, which is for the machine's own use and not for people.
    identifiers, batch, states
        Which ones; None for all.
    limit, offset
        How many, after how many.
    """
    chosen = select(jobs)
    if author is not None:
        chosen = chosen.where(jobs.c.author == author)
    if identifiers is not None:
        chosen = chosen.where(jobs.c.id.in_(list(identifiers)))
    if batch is not None:
        chosen = chosen.where(jobs.c.batch == batch)
    if states is not None:
        chosen = chosen.where(jobs.c.state.in_(list(states)))
    order = [jobs.c.position] if batch is not None else [jobs.c.created.desc(), jobs.c.id.desc()]
    with registry.read() as connection:
        return [job_of(row) for row in connection.execute(chosen.order_by(*order).limit(limit).offset(offset))]


def job_of(row: Row[Any]) -> Job:
    """Read a row."""
    content = row._mapping
    known = {name: content[name] for name in Job.__dataclass_fields__}
    return Job(
        **known
        | {
            "spec": JobSpec.of(content["spec"]),
            "folder": Path(content["folder"]),
            "state": JobState(content["state"]),
            "warnings": tuple(content["warnings"]),
            "row": content["row"] or {},
        }
    )


def batches_of(registry: Registry, author: str, *, limit: int | None = None) -> list[Batch]:
    """List the batches of a person, the latest first."""
    chosen = select(batches).where(batches.c.author == author).order_by(batches.c.created.desc(), batches.c.id.desc())
    with registry.read() as connection:
        return [_batch(row) for row in connection.execute(chosen.limit(limit))]


def find_batch(registry: Registry, identifier: str, author: str) -> Batch:
    """Return a batch of a person, from its identifier or from the beginning of it.

    Raises
    ------
    WorkbenchError
        ``lot_absent``, whether it does not exist or is another person's; ``lot_ambigu``.
    """
    found = [each for each in batches_of(registry, author) if identifier and each.id.startswith(identifier)]
    if not found:
        raise WorkbenchError("lot_absent", lot=identifier)
    if len(found) > 1:
        raise WorkbenchError("lot_ambigu", lot=identifier)
    return found[0]


def ended_batches(registry: Registry) -> list[Batch]:
    """List the shared batches of the last days whose jobs have all ended, whoever asked for them."""
    open_jobs = select(jobs.c.batch).where(jobs.c.state.in_([JobState.PENDING, JobState.RUNNING]), jobs.c.shared)
    with registry.read() as connection:
        since = registry.now(connection) - timedelta(days=RECENT_DAYS)
        left = set(connection.execute(open_jobs.distinct()).scalars())
        recent = connection.execute(select(batches).where(batches.c.shared, batches.c.created > since)).all()
    return [_batch(row) for row in recent if row.id not in left]


def _batch(row: Row[Any]) -> Batch:
    content = dict(row._mapping)
    content |= {name: tuple(content[name]) for name in ("columns", "shown")}
    return Batch(**content | {"folder": Path(content["folder"])})


def counts(registry: Registry, batch: str) -> dict[JobState, int]:
    """Count the jobs of a batch by state; states without jobs are 0."""
    asked = select(jobs.c.state, func.count()).where(jobs.c.batch == batch).group_by(jobs.c.state)
    with registry.read() as connection:
        found = {str(state): int(number) for state, number in connection.execute(asked)}
    return {state: found.get(state, 0) for state in JobState}


def cancel(registry: Registry, author: str, *, batch: str | None = None, job: str | None = None) -> int:
    """Cancel what has not ended, at once: a worker at work on it stops, and what it makes is not kept.

    Returns
    -------
    int
        How many jobs were cancelled.
    """
    return _moved(
        registry,
        author,
        batch,
        job,
        (JobState.PENDING, JobState.RUNNING),
        {"state": JobState.CANCELLED, "token": None, "lease": None, "worker": None, "cause": "Annulé par son auteur."},
        ended=True,
    )


def retry(registry: Registry, author: str, *, batch: str | None = None, job: str | None = None) -> int:
    """Put back what failed or was cancelled among what is to be made.

    Returns
    -------
    int
        How many jobs.
    """
    back = {"state": JobState.PENDING, "attempts": 0, "cause": "", "files": {}, "not_before": None, "ended": None}
    # What was said of it before is of no use: who heard it found it cancelled.
    back["announced"] = None
    moved = _moved(registry, author, batch, job, (JobState.FAILED, JobState.CANCELLED), back, ended=False)
    announce_new(registry)
    return moved


def _moved(
    registry: Registry,
    author: str,
    batch: str | None,
    job: str | None,
    states: Sequence[JobState],
    values: Mapping[str, Any],
    *,
    ended: bool,
) -> int:
    change = update(jobs).where(jobs.c.author == author, jobs.c.state.in_(states))
    if (batch is None) == (job is None):
        raise ValueError("a batch or a job, one of the two")
    change = change.where(jobs.c.batch == batch) if batch is not None else change.where(jobs.c.id == job)
    with registry.write() as connection:
        moment = {"ended": registry.now(connection)} if ended else {}
        return connection.execute(change.values(**values, **moment)).rowcount

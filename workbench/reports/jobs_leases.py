"""What workers do with jobs: take some, keep them, conclude them; and what befalls those of a worker that died.

A job is held for a lease that its worker renews. Who lets a lease run out loses the job: it goes back among those to
be made, or fails once it has been begun `MOST_ATTEMPTS` times. Files are put in place within the transaction that
concludes, by who still holds the token: a job whose files are there is done, or about to be made again to the same
names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from workbench.registry import Registry, new_identifier
from workbench.reports.jobs import Job, job_of
from workbench.reports.jobs_tables import JobState, jobs

__all__ = [
    "LEASE_SECONDS",
    "MOST_ATTEMPTS",
    "Claim",
    "Outcome",
    "claim",
    "conclude",
    "expire",
    "recover",
    "release",
    "renew",
]

LEASE_SECONDS = 30.0
MOST_ATTEMPTS = 5
MOST_TOGETHER = {0: 250, 1: 25}
"""Jobs that one worker takes at once, when one plan evaluates them together, by the attempts that they have behind
them: one that kills its worker is soon alone."""

SHARES = 4
"""A worker takes this part of what is left of a group: small shares come last, so that all workers end together."""

SUFFIXES = {"excel": ".xlsx", "notebook": ".ipynb", "html": ".html", "pdf": ".pdf", "echec": ".echec.ipynb"}
"""What ends the name of each kind of file; ``echec`` is the notebook of a report that failed, its cell marked."""

STOPPED = "Le traitement s'est interrompu {attempts} fois sans aboutir : mémoire insuffisante, ou arrêt de la machine."


@dataclass(frozen=True)
class Claim:
    """Jobs that a worker holds.

    Parameters
    ----------
    token
        What proves it.
    jobs
        One, or several that one plan evaluates together.
    """

    token: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Parameters
    ----------
    job
        Its identifier.
    state
        ``DONE``, ``EMPTY`` or ``FAILED``.
    made
        Files by kind, still in the folder of work; they take their name when the job is concluded.
    cause, warnings, facts, seconds
        As in `Job`.
    again
        Of a failure: whether another attempt may do better.
    """

    job: str
    state: JobState
    made: Mapping[str, Path] = field(default_factory=dict)
    cause: str = ""
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    again: bool = False


def claim(
    registry: Registry,
    worker: str,
    *,
    batch: str | None = None,
    job: str | None = None,
    lease: float = LEASE_SECONDS,
) -> Claim | None:
    """Take a job, or a group of them; None when there is nothing to do for now.

    Parameters
    ----------
    registry
        Where they are kept.
    worker
        Who takes them: a name that no other worker bears.
    batch
        Only jobs of this batch, shared or not; else any that is shared.
    job
        This one, which is shared and was announced, or none; what a plan evaluates with it comes along.
    lease
        Seconds after which they are believed abandoned.
    """
    token = new_identifier()
    with registry.write() as connection:
        now = registry.now(connection)
        if job is None:
            _expire(connection, now)
        ready = and_(
            jobs.c.state == JobState.PENDING,
            or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now),
            jobs.c.batch == batch if batch is not None else jobs.c.shared,
        )
        wanted = select(jobs.c.id, jobs.c.batch, jobs.c.grouping, jobs.c.attempts).where(ready)
        if job is None:
            oldest = wanted.order_by(jobs.c.id).limit(1)
            first = connection.execute(oldest.with_for_update(skip_locked=True)).first()
        else:
            # Waited for: who skips it would forget what was announced. Nothing else is locked yet.
            first = connection.execute(wanted.where(jobs.c.id == job).with_for_update()).first()
        if first is None:
            return None
        taken = [first.id]
        if first.grouping is not None and first.batch is not None:
            same = (jobs.c.batch == first.batch, jobs.c.grouping == first.grouping, jobs.c.attempts == first.attempts)
            alike = and_(ready, *same)
            left = connection.execute(select(func.count()).select_from(jobs).where(alike)).scalar_one()
            share = min(MOST_TOGETHER.get(first.attempts, 1), math.ceil(left / SHARES))
            others = and_(alike, jobs.c.id != first.id)
            group = select(jobs.c.id).where(others).order_by(jobs.c.id).limit(share - 1)
            taken += connection.execute(group.with_for_update(skip_locked=True)).scalars()
        mine = jobs.c.id.in_(taken)
        connection.execute(
            update(jobs)
            .where(mine)
            .values(
                state=JobState.RUNNING,
                worker=worker,
                token=token,
                lease=now + timedelta(seconds=lease),
                started=now,
                attempts=jobs.c.attempts + 1,
                announced=None,
            )
        )
        rows = connection.execute(select(jobs).where(mine).order_by(jobs.c.position, jobs.c.id)).all()
    return Claim(token, tuple(job_of(row) for row in rows))


def expire(registry: Registry) -> None:
    """Take back the jobs whose lease ran out, where no worker looks at the registry by itself."""
    with registry.read() as connection:
        late = select(jobs.c.id).where(jobs.c.state == JobState.RUNNING, jobs.c.lease < registry.now(connection))
        if connection.execute(late.limit(1)).first() is None:
            return
    with registry.write() as connection:
        _expire(connection, registry.now(connection))


def _expire(connection: Connection, now: datetime) -> None:
    _give_up(connection, and_(jobs.c.state == JobState.RUNNING, jobs.c.lease < now), now)


def recover(registry: Registry, workers: Iterable[str]) -> None:
    """Take back at once the jobs of workers that are known to be dead, without waiting for their leases."""
    with registry.write() as connection:
        held = and_(jobs.c.state == JobState.RUNNING, jobs.c.worker.in_(list(workers)))
        _give_up(connection, held, registry.now(connection))


def _give_up(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    free: dict[str, Any] = {"worker": None, "token": None, "lease": None}
    lost = select(jobs.c.id, jobs.c.attempts, jobs.c.folder, jobs.c.stem).where(which)
    rows = connection.execute(lost.with_for_update(skip_locked=True)).all()
    again = [row.id for row in rows if row.attempts < MOST_ATTEMPTS]
    if again:
        connection.execute(update(jobs).where(jobs.c.id.in_(again)).values(state=JobState.PENDING, **free))
    for row in rows:
        if row.attempts >= MOST_ATTEMPTS:
            _unplace(Path(row.folder), row.stem)
            cause = STOPPED.format(attempts=row.attempts)
            ended = update(jobs).where(jobs.c.id == row.id)
            connection.execute(ended.values(state=JobState.FAILED, cause=cause, ended=now, files={}, **free))


def _unplace(folder: Path, stem: str) -> None:
    """Remove what a worker put in place before it died: the name is the job's alone, and the job has failed."""
    for suffix in SUFFIXES.values():
        with suppress(OSError):
            (folder / f"{stem}{suffix}").unlink(missing_ok=True)


def renew(registry: Registry, token: str, *, lease: float = LEASE_SECONDS) -> set[str]:
    """Keep what a token holds for another lease; return the jobs still held: others were cancelled or lost."""
    with registry.write() as connection:
        until = registry.now(connection) + timedelta(seconds=lease)
        held = and_(jobs.c.token == token, jobs.c.state == JobState.RUNNING)
        connection.execute(update(jobs).where(held).values(lease=until))
        return set(connection.execute(select(jobs.c.id).where(held)).scalars())


def release(registry: Registry, token: str) -> None:
    """Give back what was not concluded, as if it had not been begun: the worker stops in good order."""
    with registry.write() as connection:
        held = and_(jobs.c.token == token, jobs.c.state == JobState.RUNNING)
        free: dict[str, Any] = {"worker": None, "token": None, "lease": None, "started": None}
        connection.execute(
            update(jobs).where(held).values(state=JobState.PENDING, attempts=jobs.c.attempts - 1, **free)
        )


def conclude(registry: Registry, token: str, outcomes: Sequence[Outcome]) -> set[str]:
    """Record what came of jobs and put their files in place, for those that the token still holds.

    Called again after a connection broke, it does what is left to do.

    Returns
    -------
    set of str
        The jobs that it held.

    Raises
    ------
    OSError
        When a file cannot take its place: then nothing is recorded.
    """
    with registry.write() as connection:
        now = registry.now(connection)
        chosen = select(jobs.c.id, jobs.c.folder, jobs.c.stem, jobs.c.attempts).where(
            jobs.c.token == token,
            jobs.c.state == JobState.RUNNING,
            jobs.c.id.in_([outcome.job for outcome in outcomes]),
        )
        held = {row.id: row for row in connection.execute(chosen.with_for_update())}
        for outcome in outcomes:
            if outcome.job in held:
                _conclude(connection, held[outcome.job], outcome, now)
    return set(held)


def _conclude(connection: Connection, row: Any, outcome: Outcome, now: datetime) -> None:
    values: dict[str, Any] = {"worker": None, "lease": None, "seconds": outcome.seconds, "cause": outcome.cause}
    if outcome.state is JobState.FAILED and outcome.again and row.attempts < MOST_ATTEMPTS:
        values |= {"state": JobState.PENDING, "token": None, "not_before": now + timedelta(seconds=2**row.attempts)}
    else:
        folder = Path(row.folder)
        files = {kind: row.stem + SUFFIXES[kind] for kind in outcome.made}
        for kind, path in outcome.made.items():
            placed = folder / files[kind]
            if path.exists() or not placed.exists():  # else a conclusion begun again: it is in place already
                path.replace(placed)
        if "echec" not in files:
            (folder / f"{row.stem}{SUFFIXES['echec']}").unlink(missing_ok=True)
        values |= {
            "state": outcome.state,
            "token": None,
            "files": files,
            "warnings": list(outcome.warnings),
            "facts": dict(outcome.facts),
            "ended": now,
        }
    connection.execute(update(jobs).where(jobs.c.id == row.id).values(**values))

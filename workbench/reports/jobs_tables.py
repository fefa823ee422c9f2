"""The tables of jobs: what was asked, by whom, where it stands, what came of it.

A job is taken by drawing a ``token`` for it, and concluded by whoever still holds that token: a worker that was
believed dead and comes back finds another token there and leaves nothing behind. The name of its files, ``stem`` in
``folder``, is reserved when it is asked for: two jobs never write the same file. ``announced`` is when a job that waits
was said to the broker of messages; taking the job forgets it. ``request`` is the HTTP request that asked, as logs
name it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    case,
    func,
)

from workbench.registry import Moment, Room, new_metadata

__all__ = ["ENDED", "ROOM", "SORTS", "JobState", "batches", "jobs"]


class JobState(StrEnum):
    """Where a job stands; `libelle` is what people read.

    Examples
    --------
    >>> JobState.EMPTY.libelle
    'Vide'
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    EMPTY = "EMPTY"
    CANCELLED = "CANCELLED"

    @property
    def libelle(self) -> str:
        """The state, in French."""
        return _LIBELLES[self]


_LIBELLES = {
    JobState.PENDING: "En attente",
    JobState.RUNNING: "En cours",
    JobState.DONE: "Terminé",
    JobState.FAILED: "Échec",
    JobState.EMPTY: "Vide",
    JobState.CANCELLED: "Annulé",
}

ENDED = (JobState.DONE, JobState.FAILED, JobState.EMPTY, JobState.CANCELLED)
"""States that a job does not leave by itself."""

ROOM = Room("reports", new_metadata(), "workbench.reports.migrations")

batches = ROOM.table(
    "batch",
    Column("id", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("log", Text, nullable=False),
    Column("shown", JSON, nullable=False),
    Index(None, "author", "created"),
)

jobs = ROOM.table(
    "job",
    Column("id", Text, primary_key=True),
    Column("batch", Text, ForeignKey("reports_batch.id")),
    Column("position", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("grouping", Text),
    Column("folder", Text, nullable=False),
    Column("stem", Text, nullable=False),
    Column("row", JSON),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment),
    Column("worker", Text),
    Column("token", Text),
    Column("lease", Moment),
    Column("started", Moment),
    Column("ended", Moment),
    Column("seconds", Float),
    Column("cause", Text, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("announced", Moment),
    Column("request", Text),
    UniqueConstraint("folder", "stem"),
    Index(None, "state", "batch"),
    Index(None, "batch", "position"),
    Index(None, "author", "created"),
)

_SPEC = jobs.c.spec

SORTS: Mapping[str, Sequence[ColumnElement[Any]]] = {
    "number": (),
    "date": (),
    "state": (case({each.value: each.libelle for each in JobState}, value=jobs.c.state),),
    "trame": (func.coalesce(_SPEC["trame"].as_string(), ""),),
    "identifiers": (
        func.coalesce(*(_SPEC[name, 0].as_string() for name in ("sirets", "sirens", "finess", "departements")), ""),
    ),
    "years": (_SPEC["exercices", 0].as_integer(), _SPEC["exercices", 1].as_integer()),
}
"""What jobs can be sorted by, before the moment when they were asked for."""

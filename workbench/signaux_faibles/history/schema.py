"""The tables of a history: facts with the batches that said them, and what is known of the batches.

One table a source, ``history_<type>``. A row is a *run*: a tuple (its key, its content, the hash of the content) and
the deliveries of its type that said it one after another, from ``added`` to ``seen``. A delivery is a batch that
brought at least one readable file of the type. The run whose ``seen`` is NULL is in the latest delivery too. A tuple
said again after a silence has another run; ``following`` then says when.

What was read and is not yet in the history waits in ``imported_<type>``, in the same columns.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from workbench.signaux_faibles.comptes import COMPTES
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.sources import source_named

__all__ = [
    "VERSION",
    "batch_tables",
    "batches",
    "deliveries",
    "facts",
    "imported",
    "perimetres",
    "rejected_rows",
    "reports",
    "stored_fields",
    "type_tables",
    "versions",
]

VERSION = 1
"""Of these tables; a base of a later one is refused."""

_metadata = MetaData()

versions = Table("history_version", _metadata, Column("version", Integer, nullable=False))

batches = Table(
    "history_batches",
    _metadata,
    Column("batch", Text, nullable=False),
    Column("name", Text),
    Column("start", Date),
    Column("end", Date),
    Column("effectif_end", Date),
    Column("with_perimetre", Boolean, nullable=False, doc="Whether a filter said which companies were read"),
    Column("imported", DateTime, nullable=False, doc="UTC, of the last import"),
)

deliveries = Table(
    "history_deliveries",
    _metadata,
    Column("batch", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("complete", Boolean, nullable=False, doc="Whether it replaced all that was known of the type"),
    Column("compacted", Boolean, nullable=False, doc="Whether the history knows it"),
    Column("pending", Boolean, nullable=False, doc="Whether rows wait in ``imported_<type>``"),
    Column("pending_complete", Boolean, nullable=False, doc="``complete``, once what waits is compacted"),
)

perimetres = Table(
    "history_perimetres",
    _metadata,
    Column("batch", Text, nullable=False),
    Column("siren", Text, nullable=False),
)

reports = Table(
    "history_reports",
    _metadata,
    Column("batch", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("started", DateTime),
    Column("ended", DateTime),
    Column("era", Text),
    Column("sha256", Text),
    Column("fatal", Text, doc="Why the file could not be read at all; empty when it could"),
    Column("lines_parsed", BigInteger),
    Column("lines_rejected", BigInteger),
    Column("lines_skipped", BigInteger),
    Column("lines_valid", BigInteger),
    Column("lines_partial", BigInteger),
    Column("tuples", BigInteger),
    Column("summary", Text),
)

rejected_rows = Table(
    "history_rejected",
    _metadata,
    Column("batch", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("file", Text),
    Column("line", BigInteger, doc="1 for the first line of data"),
    Column("field", Text, doc="Name of the column of the file"),
    Column("value", Text),
    Column("reason", Text, doc="French"),
)


@cache
def stored_fields(type_: str) -> tuple[tuple[str, TypeEngine[Any]], ...]:
    """Return the name and type of what the tuples of a source hold besides their key.

    Examples
    --------
    >>> [name for name, _ in stored_fields("effectif")]
    ['numero_compte', 'periode', 'effectif']
    """
    source = source_named(type_)
    if type_ == COMPTES.type:
        return (("numero_compte", Text()), ("periode", Date()))
    found: list[tuple[str, TypeEngine[Any]]] = [(each.name, each.type) for each in source.fields]
    if source.months is not None:
        found += [("periode", Date()), (source.months.field, source.months.kind.type)]
    return tuple(found)


def _tuple_columns(source: Source) -> list[Column[Any]]:
    own = [Column(name, kind) for name, kind in stored_fields(source.type)]
    return [Column(source.scope.key, Text, nullable=False), Column("hash", BigInteger, nullable=False), *own]


@cache
def facts(type_: str) -> Table:
    """Return the table of the runs of a source.

    Examples
    --------
    >>> facts("paydex").c.keys()
    ['added', 'seen', 'following', 'siren', 'hash', 'date_valeur', 'nb_jours']
    """
    return Table(
        f"history_{type_}",
        _metadata,
        Column("added", Text, nullable=False),
        Column("seen", Text),
        Column("following", Text),
        *_tuple_columns(source_named(type_)),
    )


@cache
def imported(type_: str) -> Table:
    """Return the table of the tuples of a source that wait to be compacted."""
    return Table(
        f"imported_{type_}",
        _metadata,
        Column("batch", Text, nullable=False),
        Column("file", Text, nullable=False),
        *_tuple_columns(source_named(type_)),
    )


def batch_tables() -> list[Table]:
    """Return the tables that every history has; those of a type come with its first file."""
    return [versions, batches, deliveries, perimetres, reports, rejected_rows]


def type_tables(type_: str) -> list[Table]:
    """Return the tables of a type."""
    return [facts(type_), imported(type_)]

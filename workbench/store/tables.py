"""What the store keeps: objects and their keys, sheets, their properties, files and texts, scopes, the journal.

Nothing here is updated or deleted, and triggers of the database hold to it; `purge` alone opens the door, by a row of
`PURGE` that lives as long as its transaction. A property repeats the scope and the release date of its sheet, so that
one index says which of them a reader may see. Values and keys are JSON in text: their order, their digits and their
null characters survive on both databases; what is compared in SQL has columns of its own.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
    column,
    table,
)

from workbench.registry import Moment, Room, new_metadata

__all__ = [
    "CHANGE",
    "COUNTER",
    "FILE",
    "JOURNAL",
    "KEPT",
    "KEY",
    "OBJECT",
    "OBJECT_NUMBERS",
    "PROPERTY",
    "PROPERTY_FILE",
    "PURGE",
    "ROOM",
    "SCOPE",
    "SCOPE_BADGE",
    "SHEET",
    "SHEET_NUMBERS",
    "TEXT",
    "WORDS",
]

ROOM = Room("store", new_metadata(), migrations="workbench.store.migrations")

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers the rows of an INTEGER key by itself."""

Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its characters' codes, the same on both databases and in every locale."""

OBJECT = ROOM.table(
    "object",
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("bucket", Ordered, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("bucket", "digest"),
    Index("store_object_bucket_id_index", "bucket", "id"),
)

KEY = ROOM.table(
    "key",
    Column("object_id", Number, primary_key=True),
    Column("name", Ordered, primary_key=True),
    Column("value", Ordered, nullable=False),
    Index("store_key_name_value_object_id_index", "name", "value", "object_id"),
)

SCOPE = ROOM.table(
    "scope",
    Column("id", Number, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("digest"),
)

SCOPE_BADGE = ROOM.table(
    "scope_badge",
    Column("scope_id", Number, primary_key=True),
    Column("badge", Ordered, primary_key=True),
)

OBJECT_NUMBERS = Sequence("store_object_numbers", metadata=ROOM.metadata)
SHEET_NUMBERS = Sequence("store_sheet_numbers", metadata=ROOM.metadata)
"""PostgreSQL's; SQLite, which has one writer at a time, counts in `COUNTER`."""

SHEET = ROOM.table(
    "sheet",
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("object_id", Number, ForeignKey(OBJECT.c.id), nullable=False),
    Column("scope_id", Number, ForeignKey(SCOPE.c.id), nullable=False),
    Column("publication", Ordered, nullable=False),
    Column("added", Moment, nullable=False),
    Column("released", Moment, nullable=False),
    Column("author", Text, nullable=False),
    Index("store_sheet_object_id_index", "object_id"),
)

PROPERTY = ROOM.table(
    "property",
    Column("object_id", Number, primary_key=True),
    Column("name", Ordered, primary_key=True),
    Column("sheet_id", Number, primary_key=True),
    Column("scope_id", Number, nullable=False),
    Column("released", Moment, nullable=False),
    Column("bucket", Ordered, nullable=False),
    # What sorts and filters compare: 1 a boolean, 2 a number, 3 a text, nothing for the rest.
    Column("rank", SmallInteger),
    Column("number", Double, nullable=False),
    Column("text", Ordered, nullable=False),
    Column("value", Text, nullable=False),
)

ORDER_INDEX = Index(
    "store_property_order_index",
    PROPERTY.c.bucket,
    PROPERTY.c.name,
    PROPERTY.c.rank,
    PROPERTY.c.number,
    PROPERTY.c.text,
    # Equal values come in the order of their publication. That of the objects would tell when something hidden began.
    PROPERTY.c.sheet_id,
    sqlite_where=PROPERTY.c.rank.is_not(None),
    postgresql_where=PROPERTY.c.rank.is_not(None),
)

FILE = ROOM.table(
    "file",
    Column("id", Number, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    # Deflated: the pages of reports hold a library of scripts each.
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("digest"),
)

PROPERTY_FILE = ROOM.table(
    "property_file",
    Column("object_id", Number, primary_key=True),
    Column("name", Ordered, primary_key=True),
    Column("sheet_id", Number, primary_key=True),
    Column("file_id", Number, ForeignKey(FILE.c.id), nullable=False),
    Index("store_property_file_file_id_index", "file_id"),
)
"""Which properties are files; a file that no property holds goes with the purge."""

TEXT = ROOM.table(
    "text",
    Column("sheet_id", Number, primary_key=True, autoincrement=False),
    Column("object_id", Number, nullable=False),
    Column("scope_id", Number, nullable=False),
    Column("released", Moment, nullable=False),
    Column("bucket", Ordered, nullable=False),
    Column("words", Ordered, nullable=False),
    Index("store_text_object_id_sheet_id_index", "object_id", "sheet_id"),
    Index("store_text_bucket_words_sheet_id_index", "bucket", "words", "sheet_id"),
)
"""The words by which a sheet lets its object be found; empty in the sheet that ends another."""

WORDS = table("store_text_words", column("rowid"), column("sheet_id"), column("words"))
"""The index of `TEXT`, kept by triggers: FTS5 on SQLite (``rowid``), tsvector on PostgreSQL (``sheet_id``)."""

CHANGE = ROOM.table(
    "change",
    Column("id", Number, primary_key=True),
    Column("bucket", Ordered, nullable=False),
    Column("at", Moment, nullable=False),
    Column("type", Ordered),
    Index("store_change_bucket_at_id_index", "bucket", "at", "id"),
)
"""One row a publication and type of objects, one a moment to come at which it changes what is seen: what is kept in
memory follows it. ``type`` is that pair of their keys; none when they have no such pair."""

JOURNAL = ROOM.table(
    "journal",
    Column("id", Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("reader", Ordered, nullable=False),
    Column("action", Ordered, nullable=False),
    Column("bucket", Ordered, nullable=False),
    Column("query", Text, nullable=False),
    Column("outcome", Ordered, nullable=False),
    Index("store_journal_at_index", "at"),
    Index("store_journal_reader_at_index", "reader", "at"),
)

COUNTER = ROOM.table("counter", Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False))
"""``policies``: changes with every change of policy. ``object`` and ``sheet``: the last ones, on SQLite."""

PURGE = ROOM.table("purge", Column("id", Text, primary_key=True))
"""Empty to every eye but that of a purge under way."""

KEPT = (OBJECT, KEY, SCOPE, SCOPE_BADGE, SHEET, PROPERTY, JOURNAL, FILE, PROPERTY_FILE, TEXT, CHANGE)
"""The tables that only grow."""

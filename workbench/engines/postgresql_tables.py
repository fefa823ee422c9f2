"""How a PostgreSQL base keeps its snapshots: rows with the snapshots that see them.

Schema ``workbench`` holds each table once, its rows bearing ``depuis`` (the snapshot that brought
them) and ``jusqu_a`` (the one that took them away), and ``etats``, the journal of snapshots. Schema
``workbench_00000007`` holds one view a table: the rows that snapshot 7 sees. Nothing is ever
changed in place, so an older snapshot stays what it was, at the cost of the rows that differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, CreateView, DropSchema, DropView
from sqlalchemy.sql.elements import Label
from sqlalchemy.types import TypeEngine

from workbench.engines.added_columns import AddColumn
from workbench.engines.interface import Snapshot
from workbench.engines.postgresql_session import Session

__all__ = ["ROLE", "STORAGE", "WRITERS", "Snapshots", "given_table"]

STORAGE = "workbench"
ROLE = "workbench_lecteur"
"""The role that may read every snapshot, where the server has one of this name."""
WRITERS, READERS = 0x776B6200, 0x776B6201
"""First keys of the advisory locks."""
_ALWAYS = 2**31 - 1
_NUMBER = "workbench.etat"
_PAGE = 8160
"""Bytes of a page that a row may take."""

etats = Table(
    "etats",
    MetaData(),
    Column("numero", Integer, primary_key=True, autoincrement=False),
    Column("date", DateTime(timezone=True), nullable=False),
    Column("taille", BigInteger, nullable=False, doc="Bytes of the whole base when it was published"),
    schema=STORAGE,
)


def _stored(own: Table) -> Table:
    """Return a table as it is stored: text of any length, compared as bytes as Python does."""
    columns = [
        Column(each.name, Text(collation="C") if isinstance(each.type, String) else each.type, nullable=each.nullable)
        for each in own.columns
    ]
    number = text(f"current_setting('{_NUMBER}')::integer")
    packed = any(isinstance(each.type, LargeBinary) for each in own.columns)
    return Table(
        own.name,
        MetaData(),
        *columns,
        Column("depuis", Integer, nullable=False, server_default=number),
        Column("jusqu_a", Integer, nullable=False, server_default=text(str(_ALWAYS))),
        schema=STORAGE,
        # Packed values are read whole: they stay uncompressed in the page of their row while they fit there.
        postgresql_with={"toast_tuple_target": _PAGE} if packed else {},
    )


def _sees(stored: Any, number: int) -> Any:
    bound: ColumnElement[int] = bindparam(None, number, literal_execute=True)
    return and_(stored.c.depuis <= bound, stored.c.jusqu_a > bound)


class Snapshots:
    """The snapshots of a base, over a session.

    Parameters
    ----------
    session
        An open session.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @staticmethod
    def schema(number: int) -> str:
        """Return the schema of a snapshot's views."""
        return f"{STORAGE}_{number:08d}"

    def exists(self) -> bool:
        """Whether this database has ever held a base."""
        return bool(self._session.query("SELECT to_regclass('workbench.etats') IS NOT NULL AS found")[0]["found"])

    def numbers(self) -> list[int]:
        """Return the snapshots, oldest first."""
        if not self.exists():
            return []
        found: list[int] = self._session.fetch(select(etats.c.numero).order_by(etats.c.numero)).column(0).to_pylist()
        return found

    def described(self) -> list[Snapshot]:
        """Describe the snapshots, oldest first."""
        if not self.exists():
            return []
        rows = self._session.fetch(select(etats).order_by(etats.c.numero)).to_pylist()
        return [
            Snapshot(f"{row['numero']:08d}", row["date"].astimezone(UTC), row["taille"], current=row is rows[-1])
            for row in rows
        ]

    def mark(self, number: int) -> str:
        """Return the journal's words on a snapshot, to the microsecond: no other base writes the same."""
        rows = self._session.fetch(select(etats.c.date, etats.c.taille).where(etats.c.numero == number)).to_pylist()
        return " ".join(f"{row['date'].astimezone(UTC).isoformat()} {row['taille']}" for row in rows)

    def tables(self, number: int) -> set[str]:
        """Return the names of a snapshot's tables."""
        return set(self.columns(number))

    def columns(self, number: int) -> dict[str, set[str]]:
        """Return the names of the columns of each of a snapshot's tables."""
        rows = self._session.query(
            "SELECT c.relname AS name, a.attname AS part FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = $1 AND c.relkind = 'v' AND a.attnum > 0",
            self.schema(number),
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["name"], set()).add(row["part"])
        # The place of a row serves the writer alone.
        return {name: parts - {"ligne"} for name, parts in found.items()}

    def hold(self, number: int) -> None:
        """Keep a snapshot from being pruned as long as this session lasts."""
        self._session.query("SELECT pg_advisory_lock_shared($1, $2)::text AS held", READERS, number)

    def select(self, number: int) -> None:
        """Make the tables of a snapshot those that statements name."""
        self._session.query("SELECT set_config($1, $2, false)", "search_path", self.schema(number))

    def begin(self) -> int:
        """Open the next snapshot, with the tables of the last; return its number."""
        if not self.exists():
            self._session.execute(CreateSchema(STORAGE, if_not_exists=True))
            self._session.execute(CreateTable(etats))
        numbers = self.numbers()
        # Pruned numbers may live on in sessions: they are not given again.
        number = max([0, *numbers, *self._schemas()]) + 1
        self._session.execute(CreateSchema(self.schema(number)))
        self._session.query("SELECT set_config($1, $2, true)", _NUMBER, str(number))
        self._session.query("SELECT set_config($1, $2, true)", "search_path", self.schema(number))
        if numbers:
            for name in sorted(self.tables(numbers[-1])):
                self._view(name, self._columns(name), number)
        return number

    def _schemas(self) -> list[int]:
        """Return the snapshots that have views, those forgotten while they were read included."""
        rows = self._session.query(
            "SELECT substr(nspname, 11)::integer AS n FROM pg_namespace WHERE nspname ~ '^workbench_[0-9]{8}$'"
        )
        return sorted(row["n"] for row in rows)

    def _columns(self, name: str) -> list[str]:
        rows = self._session.query(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            f'{STORAGE}."{name}"',
        )
        return [row["name"] for row in rows]

    def _view(self, name: str, columns: Iterable[str], number: int) -> None:
        stored = table(name, *(column(each) for each in columns), schema=STORAGE)
        place: Label[Any] = literal_column("ctid").label("ligne")
        own = [each for each in stored.columns if each.name not in {"depuis", "jusqu_a"}]
        visible = select(*own, place).where(_sees(stored, number))
        self._session.execute(CreateView(visible, name, schema=self.schema(number)))

    def create(self, tables: Iterable[Table], number: int) -> None:
        """Create the tables that the base does not have yet, and add the columns that the others lack."""
        present = self.columns(number)
        for each in tables:
            if set(each.c.keys()) <= present.get(each.name, set()):
                continue
            stored = _stored(each)
            known = self._columns(each.name)
            if not known:
                self._session.execute(CreateTable(stored))
                if {"siret", "exercice"} <= set(stored.c.keys()):
                    key = Index(f"{each.name}_cle", stored.c.siret, stored.c.exercice)
                    self._session.execute(CreateIndex(key))
            for own in stored.columns if known else ():
                if own.name not in known:
                    self._session.execute(AddColumn(own))
            if each.name in present:
                self._session.execute(DropView(Table(each.name, MetaData(), schema=self.schema(number))))
            self._view(each.name, self._columns(each.name), number)

    def analyse(self, own: Table) -> None:
        """Bring the server's statistics of a table up to date."""
        self._session.analyse(own.name, STORAGE)

    def change(self, target: Table, rows: Select[Any], number: int, *, keep: bool) -> int:
        """Take rows away from a snapshot, and bring them back changed when ``keep`` is true.

        ``rows`` selects them from the snapshot: their place ``ligne``, and their columns as they are to be.
        """
        stored = _stored(target)
        place: ColumnElement[Any] = literal_column("ctid")
        found = rows.cte("found")
        taken = update(stored).where(place.in_(select(found.c.ligne))).values(jusqu_a=number)
        if keep:
            names = target.c.keys()
            again = insert(stored).from_select(names, select(*(found.c[each] for each in names)))
            count = self._session.execute(again.add_cte(taken.returning(stored.c.depuis).cte("taken")))
        else:
            count = self._session.execute(taken)
        # Rows that this snapshot brought and took away again were never seen.
        self._session.execute(delete(stored).where(stored.c.depuis == number, stored.c.jusqu_a == number))
        return count

    def publish(self, number: int) -> None:
        """Write the snapshot in the journal, and let the readers' role read it."""
        taille = (
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS n FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'"
        )
        size = self._session.query(taille, STORAGE)[0]["n"]
        self._session.execute(insert(etats).values(numero=number, date=func.now(), taille=size))
        if self._session.query("SELECT 1 AS found FROM pg_roles WHERE rolname = $1", ROLE):
            for schema in (STORAGE, self.schema(number)):
                self._session.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}")
            self._session.execute(f"GRANT SELECT ON {STORAGE}.etats TO {ROLE}")
            self._session.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {self.schema(number)} TO {ROLE}")

    def prune(self, keep: int) -> list[int]:
        """Forget all but the latest snapshots; return which. Their rows go once nobody reads them."""
        removed = self.numbers()[:-keep]
        with self._session.transaction():
            self._session.execute(delete(etats).where(etats.c.numero.in_(removed)))
        with self._session.transaction():
            self._sweep()
        return removed

    def _sweep(self) -> None:
        kept = set(self.numbers())
        if not kept:
            return
        names = self.tables(max(kept))
        for number in [each for each in self._schemas() if each not in kept]:
            lock = "SELECT pg_try_advisory_xact_lock($1, $2) AS free"
            if self._session.query(lock, READERS, number)[0]["free"]:
                self._session.execute(DropSchema(self.schema(number), cascade=True))
            else:
                kept.add(number)
        for name in names:
            stored = table(name, column("depuis"), column("jusqu_a"), schema=STORAGE)
            seen = or_(*(_sees(stored, number) for number in sorted(kept)))
            self._session.execute(delete(stored).where(stored.c.jusqu_a < _ALWAYS, not_(seen)))


def given_table(name: str, rows: pa.Table) -> tuple[Table, pa.Table]:
    """Describe a temporary table for Arrow rows, and give the rows with exactly its types."""
    columns: list[Column[Any]] = []
    fields: list[tuple[str, pa.DataType]] = []
    for field in rows.schema:
        if pa.types.is_boolean(field.type):
            kind: TypeEngine[Any] = Boolean()
            arrow = pa.bool_()
        elif pa.types.is_integer(field.type):
            kind = BigInteger()
            arrow = pa.int64()
        elif pa.types.is_floating(field.type):
            kind = Double()
            arrow = pa.float64()
        elif pa.types.is_binary(field.type):
            kind = LargeBinary()
            arrow = pa.binary()
        else:
            kind = Text(collation="C")
            arrow = pa.string()
        columns.append(Column(field.name, kind))
        fields.append((field.name, arrow))
    given = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    return given, rows.cast(pa.schema(fields))

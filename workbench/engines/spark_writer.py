"""The writer of a Spark base: rows are loaded and published in DuckDB, then written as parquet.

Importers are one code for every engine, and files are read and typed by DuckDB. A table of the
current snapshot is copied into the database of the import when a statement first names it; one that
no statement changes keeps its files from one snapshot to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Executable,
    FromClause,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    column,
    insert,
    select,
    table,
)
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from workbench.engines.duckdb import DuckDBWriter
from workbench.engines.interface import FileSource
from workbench.engines.spark_place import Place
from workbench.engines.spark_snapshots import Snapshots, StoredTable

__all__ = ["SparkWriter", "fill", "table_of"]

_BATCH = 100_000


class SparkWriter:
    """The writer of the next snapshot.

    Parameters
    ----------
    snapshots
        The snapshots of the base.
    stage
        A DuckDB database that nobody else knows of.
    before
        The tables of the current snapshot.
    """

    remote = False
    mark = ""

    def __init__(self, snapshots: Snapshots, stage: DuckDBWriter, before: Mapping[str, StoredTable]) -> None:
        self.url = snapshots.place.url
        self._snapshots = snapshots
        self._stage = stage
        self._before = dict(before)
        self._known = {name: table_of(name, each) for name, each in before.items()}
        self._waiting = {name: re.compile(rf"\b{re.escape(name)}\b") for name in before}
        self._changed: set[str] = set()
        stage.create(self._known.values())

    def create(self, tables: Iterable[Table]) -> None:
        """Create the tables that do not exist yet and add missing columns; temporary tables serve the import alone."""
        for each in tables:
            known = self._known.get(each.name)
            if known is not None and set(each.c.keys()) <= set(known.c.keys()):
                continue
            if known is not None:
                self._fetch_table(each.name)
            self._stage.create([each])
            if "TEMPORARY" in each._prefixes:
                continue
            self._known[each.name] = each
            self._changed.add(each.name)

    def drop(self, tables: Iterable[Table]) -> None:
        """Drop tables that served the import."""
        self._stage.drop(tables)

    def source(self, file: FileSource) -> FromClause:
        """Return the rows of a file as something to select from, read when the statement runs."""
        return self._stage.source(file)

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        return set(self._known)

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        return {name: set(each.c.keys()) for name, each in self._known.items()}

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads the whole base, what this import loaded included."""
        self._bring(statement)
        return self._stage.fetch(statement, tables)

    def execute(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        self._bring(statement)
        count = self._stage.execute(statement, tables)
        if count and isinstance(statement, UpdateBase):
            self._changed.add(getattr(statement.table, "name", ""))
        return count

    def loaded(self) -> None:
        """Do nothing: statements see the whole base from the first."""

    def close(self) -> None:
        """Give back the database of the import."""
        self._stage.close()

    def _bring(self, statement: Any) -> None:
        """Copy from the current snapshot the tables that a statement names."""
        text = str(statement) if self._waiting else ""
        for name in [name for name, word in self._waiting.items() if word.search(text)]:
            self._fetch_table(name)

    def _fetch_table(self, name: str) -> None:
        if self._waiting.pop(name, None) is not None:
            fill(self._stage, self._known[name], self._before[name], self._snapshots.place)

    def written(self, number: str) -> dict[str, StoredTable]:
        """Write the tables that changed; return all tables of the snapshot."""
        kept = dict(self._before)
        for name in sorted(self._changed & self.tables()):
            own = self._known[name]
            order = tuple(own.info.get("sorted_by", ()))
            statement = select(own).order_by(*(own.c[each] for each in order))
            rows = self._stage.batches(statement)
            kept[name] = self._snapshots.write_table(number, name, rows, order)
        return kept


_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "string": Text,
    "int16": SmallInteger,
    "int32": Integer,
    "int64": BigInteger,
    "double": Double,
    "bool": Boolean,
}


def table_of(name: str, stored: StoredTable) -> Table:
    """Describe a stored table."""
    columns = (Column(each, _TYPES[kind]()) for each, kind in stored.columns)
    return Table(name, MetaData(), *columns, info={"sorted_by": stored.order})


def fill(stage: DuckDBWriter, own: Table, stored: StoredTable, place: Place) -> None:
    """Copy the rows of a stored table into one of a DuckDB database, batch by batch."""
    given = table("lignes_enregistrees", *(column(each) for each, _ in stored.columns))
    taken = [each.name for each in own.columns if each.name in given.c]
    rows = select(*(given.c[each] for each in taken))
    for file in stored.files:
        with place.errors("base_illisible"), place.files.open_input_file(place.path(file.name)) as stream:
            for batch in parquet.ParquetFile(stream).iter_batches(_BATCH):
                stage.execute(insert(own).from_select(taken, rows), {given.name: pa.Table.from_batches([batch])})

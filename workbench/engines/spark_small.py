"""The small tables of a Spark base: the driver keeps a copy in DuckDB.

Describing the budgets of a perimeter joins a dozen small tables; Spark takes seconds to plan what
DuckDB answers in milliseconds. Only tables too large for that are Spark's.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from sqlalchemy import Executable

from workbench.engines.duckdb import DuckDBEngine, DuckDBWriter
from workbench.engines.limits import Cancellation
from workbench.engines.spark_place import Place
from workbench.engines.spark_snapshots import StoredTable
from workbench.engines.spark_writer import fill, table_of

__all__ = ["SmallTables"]


class SmallTables:
    """A copy of some tables of a snapshot, in a database that goes with it.

    Parameters
    ----------
    tables
        What the snapshot reads.
    place
        Where their files are.
    """

    def __init__(self, tables: Mapping[str, StoredTable], place: Place) -> None:
        folder = TemporaryDirectory(prefix="workbench-")
        self._folder = weakref.finalize(self, folder.cleanup)
        path = Path(folder.name) / "petites.duckdb"
        writer = DuckDBWriter(path, place.url)
        try:
            for name, stored in tables.items():
                own = table_of(name, stored)
                writer.create([own])
                fill(writer, own, stored, place)
        finally:
            writer.close()
        self._engine = DuckDBEngine(path, place.url)

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None) -> pa.Table:
        """Run a statement that reads; see `workbench.engines.interface.Engine.fetch`."""
        return self._engine.fetch(statement, tables)

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None,
        tables: Mapping[str, pa.Table] | None,
    ) -> pa.Table:
        """Run a statement within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        return self._engine.fetch_within(statement, seconds, cancellation, tables)

    def close(self) -> None:
        """Remove the copy."""
        self._engine.close()
        self._folder()

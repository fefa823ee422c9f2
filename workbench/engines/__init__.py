"""The only door to database drivers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.engines.interface import Engine, FileSource, Mapper, QueryEngine, Snapshot, Store, Task, Writer
from workbench.engines.limits import Cancellation
from workbench.engines.work_folder import work_folder
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engines.duckdb_tables import TableWriter

__all__ = [
    "Cancellation",
    "Engine",
    "FileSource",
    "Mapper",
    "QueryEngine",
    "Snapshot",
    "Store",
    "Task",
    "Writer",
    "open_store",
    "parquet_columns",
    "scratch_writer",
    "table_names",
    "work_folder",
    "writing_table",
]


def open_store(url: str) -> Store:
    """Return the store that a URL names.

    A path or ``duckdb:///path`` is a DuckDB file; ``postgresql://user@host/base`` a database of a
    PostgreSQL server; ``spark:///folder?master=local[4]`` parquet files that Spark reads.

    Raises
    ------
    WorkbenchError
        ``moteur_inconnu`` when no engine serves this kind of URL, ``adresse_invalide``,
        ``adresse_spark``.

    Examples
    --------
    >>> open_store("absente.duckdb").exists()
    False
    """
    scheme, separator, _ = url.partition("://")
    if separator and scheme.partition("+")[0] in {"postgresql", "postgres"}:
        from workbench.engines.postgresql_store import PostgreSQLStore

        return PostgreSQLStore(url)
    if separator and scheme == "spark":
        from workbench.engines.spark_store import SparkStore

        return SparkStore(url)
    if separator and scheme != "duckdb":
        # Never the URL itself: it may hold a password.
        raise WorkbenchError("moteur_inconnu", moteur=scheme, url=f"{scheme}://…")
    from workbench.engines.duckdb_store import DuckDBStore

    return DuckDBStore(url)


def parquet_columns(path: Path) -> dict[str, str]:
    """Return the columns of a parquet file and their physical types, in DuckDB's words.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible`` when the file is no parquet file.
    """
    from workbench.engines import duckdb

    return duckdb.parquet_columns(path)


@contextmanager
def scratch_writer(folder: Path) -> Iterator[Writer]:
    """Give a writer of a DuckDB file of its own in a work folder: files are read there, and belong to no base.

    Parameters
    ----------
    folder
        Where the file goes, and what does not fit in memory.
    """
    from workbench.engines.duckdb import DuckDBWriter

    writer = DuckDBWriter(folder / "lecture.duckdb")
    try:
        yield writer
    finally:
        writer.close()


def table_names(path: Path, url: str) -> set[str]:
    """Return the names of the tables of a DuckDB file; see `workbench.engines.duckdb_tables`."""
    from workbench.engines import duckdb_tables

    return duckdb_tables.table_names(path, url)


def writing_table(path: Path, name: str, schema: pa.Schema, url: str) -> AbstractContextManager[TableWriter]:
    """Give what receives the rows of a table of a DuckDB file; see `workbench.engines.duckdb_tables`."""
    from workbench.engines import duckdb_tables

    return duckdb_tables.writing_table(path, name, schema, url)

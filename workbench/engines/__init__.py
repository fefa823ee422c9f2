"""The only door to database drivers."""

from __future__ import annotations

from pathlib import Path

from workbench.engines.interface import Engine, FileSource, Mapper, Snapshot, Store, Writer
from workbench.errors import WorkbenchError

__all__ = ["Engine", "FileSource", "Mapper", "Snapshot", "Store", "Writer", "open_store", "parquet_columns"]


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

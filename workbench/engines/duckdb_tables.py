"""One table of a DuckDB file, put in place whole: what outside tools read, apart from any base.

The rows go to a new file beside the target. Once they are all there, that file takes the target's
name or, where the target exists, its table is copied into the target in one transaction, in which the
table of the same name gives way. Until then the target is not touched; other tables of it stay.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import BigInteger, Column, Double, MetaData, SmallInteger, Table, Text, column, insert, select, table

from workbench.engines.duckdb import DuckDBEngine, DuckDBWriter
from workbench.errors import WorkbenchError

__all__ = ["TableWriter", "table_names", "writing_table"]


def _type(kind: pa.DataType) -> Any:
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return Text()
    if pa.types.is_int16(kind):
        return SmallInteger()
    return BigInteger() if pa.types.is_integer(kind) else Double()


class TableWriter:
    """What receives the rows of a table, batch by batch; `writing_table` gives it.

    Parameters
    ----------
    writer
        A file of its own.
    name
        The table.
    schema
        Its columns: texts, integers, floats.
    """

    def __init__(self, writer: DuckDBWriter, name: str, schema: pa.Schema) -> None:
        self._writer = writer
        self.table = Table(name, MetaData(), *(Column(field.name, _type(field.type)) for field in schema))
        self._names = list(schema.names)
        writer.create([self.table])
        given = table("lot", *(column(each) for each in self._names))
        self._insert = insert(self.table).from_select(self._names, select(*(given.c[each] for each in self._names)))

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._writer.execute(self._insert, {"lot": pa.Table.from_batches([batch])})


def table_names(path: Path, url: str) -> set[str]:
    """Return the names of the tables of a DuckDB file.

    Raises
    ------
    WorkbenchError
        ``base_illisible`` when the file is no DuckDB database, or when another process is writing it.
    """
    engine = DuckDBEngine(path, url)
    try:
        return engine.tables()
    finally:
        engine.close()


@contextmanager
def writing_table(path: Path, name: str, schema: pa.Schema, url: str) -> Iterator[TableWriter]:
    """Give what receives the rows of a table, which is in the file once the block ends well.

    When the block raises, the file is as it was, and absent if it was.

    Parameters
    ----------
    path
        The DuckDB file, in an existing folder; made when absent.
    name
        The table; one of the same name is replaced.
    schema
        Its columns.
    url
        What the user calls the file.

    Raises
    ------
    WorkbenchError
        ``base_illisible`` when the file is no DuckDB database or is being written by another process,
        ``requete_refusee`` with DuckDB's words.
    OSError
        When the folder refuses.
    """
    work = path.with_name(f".valeurs-{secrets.token_hex(4)}.duckdb")
    try:
        # DuckDB's own message names the file of work; the system's says what is wrong with the folder.
        work.touch(exist_ok=False)
        work.unlink()
        writer = DuckDBWriter(work, url)
        try:
            rows = TableWriter(writer, name, schema)
            yield rows
            writer.checkpoint()
        finally:
            writer.close()
        if path.exists():
            _copy(work, path, rows.table, url)
        else:
            work.replace(path)
    finally:
        for each in (work, work.with_name(work.name + ".wal")):
            each.unlink(missing_ok=True)


def _copy(work: Path, path: Path, target: Table, url: str) -> None:
    """Put the table of one file into another, in one transaction."""
    source = DuckDBEngine(work, url)
    try:
        writer = DuckDBWriter(path, url)
        try:
            writer.replace_table(target, source.batches(select(*target.columns)))
        finally:
            writer.close()
    except duckdb.Error as error:
        raise WorkbenchError("requete_refusee", chemin=url, detail=str(error).split("\n", 1)[0]) from error
    finally:
        source.close()

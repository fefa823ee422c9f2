"""The DuckDB engine: Core statements in, Arrow tables out.

Readers run with external access off, so that no statement reaches a file or the network; only a
writer may read files, and only through `FileSource`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Executable, FromClause, Table, column, insert, select, table
from sqlalchemy.schema import CreateTable, DropTable

from workbench.engines.added_columns import AddColumn
from workbench.engines.arrow_types import plain
from workbench.engines.duckdb_guard import judged
from workbench.engines.interface import FileSource
from workbench.engines.limits import Cancellation, within
from workbench.engines.sql_errors import error_of, place_of_excerpt
from workbench.errors import WorkbenchError

__all__ = ["DuckDBEngine", "DuckDBWriter", "compile_statement", "fetch_given", "parquet_columns"]

_DIALECT = Dialect(paramstyle="numeric_dollar")
_NO_EXTENSION = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_BATCH = 100_000
_WRITER_MEMORY = "2GB"
"""What a writer holds before it spills beside its file: an import has its bound whatever its file and the machine."""
_READER = {
    **_NO_EXTENSION,
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    # A statement that outgrows this is a mistake, and must not fill the disk of everyone else.
    "max_temp_directory_size": "10GB",
    "lock_configuration": "true",
}


def compile_statement(statement: Any) -> tuple[str, list[Any]]:
    """Return the text of a statement in DuckDB's words, and its bound values in order."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    parameters = getattr(compiled, "params", None) or {}
    return str(compiled), [parameters[name] for name in getattr(compiled, "positiontup", None) or ()]


class DuckDBEngine:
    """A reader of one DuckDB file, for several threads of one process.

    Parameters
    ----------
    path
        An existing database file.
    url
        What the user calls the base; used in messages.

    Raises
    ------
    WorkbenchError
        ``base_illisible`` when the file is no database that this DuckDB reads.
    """

    mark = ""

    def __init__(self, path: Path, url: str = "") -> None:
        self.url = url or str(path)
        self._process = os.getpid()
        self._connection: duckdb.DuckDBPyConnection | None = self._connect(path)

    def _connect(self, path: Path) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(path), read_only=True, config=dict(_READER))
        except duckdb.Error as error:
            raise WorkbenchError("base_illisible", chemin=self.url, detail=_first_line(error)) from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise WorkbenchError("base_fermee", chemin=self.url)
        if self._process != os.getpid():
            # DuckDB's threads do not survive a fork: a query here would wait for them for ever.
            raise WorkbenchError("base_autre_processus", chemin=self.url)
        return self._connection.cursor()

    def _run(self, statement: Any, tables: Mapping[str, pa.Table] | None) -> duckdb.DuckDBPyConnection:
        cursor = self._cursor()
        for name, rows in (tables or {}).items():
            cursor.register(name, rows)
        text, parameters = compile_statement(statement)
        try:
            return cursor.execute(text, parameters)
        except duckdb.Error as error:
            raise WorkbenchError("requete_refusee", chemin=self.url, detail=_first_line(error)) from error
        except RuntimeError as error:
            # What DuckDB makes of Ctrl-C.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads; see `workbench.engines.interface.Engine.fetch`."""
        return plain(self._run(statement, tables).to_arrow_table())

    def batches(self, statement: Executable) -> pa.RecordBatchReader:
        """Run a statement that reads, handing its rows over batch by batch in their stored types."""
        return self._run(statement, None).to_arrow_reader(_BATCH)

    def written(self, statement: Executable) -> tuple[str, list[Any]]:
        """Return the text of a statement as DuckDB runs it, and its bound values in order."""
        return compile_statement(statement)

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run a statement within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        cursor = self._cursor()
        for name, rows in (tables or {}).items():
            cursor.register(name, rows)
        text, parameters = compile_statement(statement)
        try:
            return within(
                lambda: plain(cursor.execute(text, parameters).to_arrow_table()),
                cursor.interrupt,
                seconds,
                cancellation,
            )
        except duckdb.Error as error:
            raise WorkbenchError("requete_refusee", chemin=self.url, detail=_first_line(error)) from error
        finally:
            cursor.close()

    def fetch_text(
        self,
        text: str,
        parameters: Sequence[Any],
        rows: int,
        seconds: float,
        cancellation: Cancellation | None = None,
    ) -> tuple[pa.Table, bool]:
        """Run what a person wrote; see `workbench.engines.interface.QueryEngine.fetch_text`."""
        cursor = self._cursor()
        try:
            statement = judged(cursor, text)
            expected = len(statement.named_parameters)
            if expected != len(parameters):
                raise WorkbenchError("sql_valeurs", attendu=expected, recu=len(parameters))
            read = partial(_first_rows, cursor, statement, list(parameters), rows)
            return within(read, cursor.interrupt, seconds, cancellation)
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise error_of(text, _first_line(error), place_of_excerpt(text, str(error))) from error
        finally:
            cursor.close()

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        return set(self.columns())

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        names = table("columns", column("table_name"), column("column_name"), schema="information_schema")
        found: dict[str, set[str]] = {}
        for row in self.fetch(select(names.c.table_name, names.c.column_name)).to_pylist():
            found.setdefault(row["table_name"], set()).add(row["column_name"])
        return found

    def close(self) -> None:
        """Give back the connection; closing twice does nothing."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None


class DuckDBWriter(DuckDBEngine):
    """A writer of one DuckDB file that nobody else knows of yet.

    Parameters
    ----------
    path
        A database file, created when absent; its folder receives what does not fit in memory.
    url
        What the user calls the base; used in messages.
    """

    remote = False

    def __init__(self, path: Path, url: str = "") -> None:
        self._sources = 0
        super().__init__(path, url)

    def _connect(self, path: Path) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            **_NO_EXTENSION,
            "python_enable_replacements": "false",
            "temp_directory": str(path.with_suffix(".spill")),
            "memory_limit": _WRITER_MEMORY,
        }
        try:
            return duckdb.connect(str(path), config=config)
        except duckdb.Error as error:
            raise WorkbenchError("base_illisible", chemin=self.url, detail=_first_line(error)) from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        # Views on files and temporary tables live in one connection, so a writer keeps to it.
        if self._connection is None:
            raise WorkbenchError("base_fermee", chemin=self.url)
        return self._connection

    def create(self, tables: Iterable[Table]) -> None:
        """Create the tables that do not exist yet, and add the columns that the others lack."""
        present = self.columns()
        for each in tables:
            self._run(CreateTable(each, if_not_exists=True), None)
            for own in each.columns:
                if own.name not in present.get(each.name, {own.name}):
                    self._run(AddColumn(own), None)

    def drop(self, tables: Iterable[Table]) -> None:
        """Drop tables that exist."""
        for each in tables:
            self._run(DropTable(each, if_exists=True), None)

    def execute(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        row = self._run(statement, tables).fetchone()
        return int(row[0]) if row and isinstance(row[0], int) else 0

    def source(self, file: FileSource) -> FromClause:
        """Return the rows of a file as something to select from, read when the statement runs."""
        connection = self._cursor()
        self._sources += 1
        name = f"source_{self._sources}"
        path = _literal_path(file.path)
        try:
            if file.kind == "parquet":
                relation = connection.read_parquet(path)
            else:
                relation = connection.read_csv(
                    path,
                    header=file.header,
                    columns=dict(zip(file.columns, file.types, strict=True)),
                    sep=file.delimiter,
                    quotechar=file.quote,
                    escapechar=file.quote,
                    na_values=file.null,
                    auto_detect=False,
                    parallel=not file.ordered,
                    compression="gzip" if file.gzip else "none",
                )
            connection.register(name, relation)
        except duckdb.Error as error:
            raise WorkbenchError("requete_refusee", chemin=str(file.path), detail=_first_line(error)) from error
        return table(name, *(column(each) for each in file.columns))

    def loaded(self) -> None:
        """Do nothing: rows go straight into the copy of the base."""

    def replace_table(self, target: Table, rows: pa.RecordBatchReader) -> None:
        """Put a table with these rows in the place of the one of its name, if there is one, all at once."""
        connection = self._cursor()
        names = [each.name for each in target.columns]
        given = table("rows", *(column(each) for each in names))
        connection.begin()
        try:
            self._run(DropTable(target, if_exists=True), None)
            self._run(CreateTable(target), None)
            connection.register("rows", rows)
            self._run(insert(target).from_select(names, select(*(given.c[each] for each in names))), None)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write everything down in the one file."""
        self._cursor().checkpoint()


def fetch_given(text: str, values: Sequence[Any], tables: Mapping[str, pa.Table]) -> pa.Table:
    """Run a statement of `compile_statement` over nothing but the tables given, by one thread."""
    config: dict[str, str | bool | int | float | list[str]] = {**_READER, "threads": 1}
    with duckdb.connect(":memory:", config=config) as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        return plain(connection.execute(text, list(values)).to_arrow_table())


def parquet_columns(path: Path) -> dict[str, str]:
    """Return the columns of a parquet file and their physical types, in DuckDB's words.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible`` when the file is no parquet file.
    """
    try:
        with duckdb.connect(":memory:", config=dict(_NO_EXTENSION)) as connection:
            relation = connection.read_parquet(_literal_path(path))
            return dict(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))
    except duckdb.Error as error:
        raise WorkbenchError("fichier_illisible", fichier=path.name, detail=_first_line(error)) from error


def _first_rows(
    cursor: duckdb.DuckDBPyConnection, statement: duckdb.Statement, parameters: list[Any], rows: int
) -> tuple[pa.Table, bool]:
    """Read rows as they come, and stop there: whether there were more, the next one tells."""
    reader = cursor.execute(statement, parameters).to_arrow_reader(min(rows + 1, _BATCH))
    taken: list[pa.RecordBatch] = []
    while sum(batch.num_rows for batch in taken) <= rows:
        try:
            taken.append(reader.read_next_batch())
        except StopIteration:
            break
    found = plain(pa.Table.from_batches(taken, reader.schema))
    return found.slice(0, rows), found.num_rows > rows


def _literal_path(path: Path) -> str:
    """Return a path that DuckDB does not take for a pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]

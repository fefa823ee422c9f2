"""Connections to PostgreSQL, through ADBC: bound values in, Arrow out, tables by binary COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import pyarrow as pa
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, CompileError

from workbench.engines.postgresql_dialect import bound_values, compile_statement
from workbench.engines.sql_errors import error_of
from workbench.errors import WorkbenchError

__all__ = ["Address", "Session"]

_SECRETS = ("password", "sslpassword", "oauth_client_secret")


class Address:
    """Where a PostgreSQL base is; its text and messages hold no password.

    Parameters
    ----------
    url
        ``postgresql://user@host/base``; a driver named after ``+`` is dropped.

    Examples
    --------
    >>> Address("postgresql+psycopg://analyste:secret@serveur/comptes").public
    'postgresql://analyste@serveur/comptes'
    """

    def __init__(self, url: str) -> None:
        try:
            full = make_url(url).set(drivername="postgresql")
        except (ArgumentError, ValueError) as error:
            raise WorkbenchError("adresse_invalide") from error
        hidden = URL.create(
            full.drivername, full.username, None, full.host, full.port, full.database, full.query
        ).difference_update_query(_SECRETS)
        self.public = hidden.render_as_string()
        self._full = full.render_as_string(hide_password=False)
        self._secrets = tuple(str(each) for each in (full.password, *map(full.query.get, _SECRETS)) if each)

    def __repr__(self) -> str:
        return f"Address({self.public!r})"

    def connect(self) -> Any:
        """Open a connection that commits each statement."""
        try:
            from adbc_driver_postgresql import dbapi
        except ImportError as error:
            raise WorkbenchError("moteur_absent", moteur="PostgreSQL", extra="postgres") from error
        try:
            return dbapi.connect(self._full, autocommit=True)
        except dbapi.Error as error:
            raise WorkbenchError("serveur_injoignable", chemin=self.public, detail=self.said(error)) from None

    def said(self, error: Exception) -> str:
        """Return the server's own words, on one line and without secrets."""
        found = re.search(r"(?:ERROR|FATAL|PANIC):\s+(.*)", str(error))
        words = found.group(1) if found else str(error).split("\n", 1)[0]
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return words


class Session:
    """One connection, used by one thread at a time.

    Parameters
    ----------
    address
        Where to connect.
    settings
        Parameters of the server for this connection.

    Raises
    ------
    WorkbenchError
        ``serveur_injoignable``, ``moteur_absent``.
    """

    def __init__(self, address: Address, settings: Mapping[str, str]) -> None:
        self.address = address
        self._connection = address.connect()
        try:
            for name, value in {"standard_conforming_strings": "on", "jit": "off", **settings}.items():
                self.query("SELECT set_config($1, $2, false)", name, value)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()

    def __del__(self) -> None:
        # A base that someone dropped without closing it must not stay connected.
        with suppress(Exception):
            self.close()

    def _refuse(self, error: Exception) -> NoReturn:
        raise WorkbenchError("requete_refusee", chemin=self.address.public, detail=self.address.said(error)) from error

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        from adbc_driver_manager import Error

        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except (Error, pa.ArrowException, OSError) as error:
            self._refuse(error)

    def _compiled(self, statement: Any) -> tuple[str, pa.RecordBatch | None]:
        try:
            return compile_statement(statement)
        except CompileError as error:
            self._refuse(error)

    def fetch(self, statement: Any) -> pa.Table:
        """Run a statement that reads."""
        return self._fetch(*self._compiled(statement))

    def query(self, text: str, *values: int | str) -> list[dict[str, Any]]:
        """Run a text of ours and return its rows; values are bound."""
        return list(self._fetch(text, bound_values(values)).to_pylist())

    def _fetch(self, text: str, values: pa.RecordBatch | None) -> pa.Table:
        with self._cursor() as cursor:
            # Without bound values the driver reads by COPY, in batches; with them, one result at once.
            cursor.execute(text, values)
            return cursor.fetch_arrow_table()

    def interrupt(self) -> None:
        """Stop the statement that runs, from another thread; does nothing when none does."""
        with suppress(Exception):
            self._connection.adbc_cancel()

    @contextmanager
    def _answering(self, text: str, offset: int = 0) -> Iterator[Any]:
        """Give a cursor for a text that a person wrote; what the server says of it becomes a French error."""
        from adbc_driver_manager import Error

        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except (Error, pa.ArrowException, OSError) as error:
            details = dict(getattr(error, "details", None) or [])
            position = details.get(b"PG_DIAG_STATEMENT_POSITION", details.get("PG_DIAG_STATEMENT_POSITION"))
            place = None
            if position is not None:
                before = text[: max(0, int(position) - 1 - offset)]
                place = before.count("\n") + 1, len(before) - before.rfind("\n")
            said = self.address.said(error)
            if "multiple commands" in said:
                raise WorkbenchError("sql_plusieurs", nombre="au moins 2") from error
            raise error_of(text, said, place) from error

    def prepare(self, text: str) -> pa.Schema:
        """Have the server judge a text that a person wrote; return the types of the values that it takes.

        The server prepares nothing but one single statement.
        """
        with self._answering(text) as cursor:
            return cursor.adbc_prepare(text) or pa.schema([])

    def read(self, text: str, values: pa.RecordBatch | None, rows: int) -> pa.Table:
        """Read the first rows of a text that `prepare` accepted, inside a transaction.

        A cursor takes nothing that is not a select or values: not even COPY, which writes files.
        """
        opening = "DECLARE lecture NO SCROLL CURSOR FOR "
        with self._answering(text, len(opening)) as cursor:
            cursor.adbc_statement.set_sql_query(opening + text)
            if values is not None:
                cursor.adbc_statement.bind(values)
            cursor.adbc_statement.execute_update()
        with self._answering(text) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
            cursor.execute(f"FETCH FORWARD {int(rows)} FROM lecture")
            return cursor.fetch_arrow_table()

    def execute(self, statement: Any) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        text, values = (statement, None) if isinstance(statement, str) else self._compiled(statement)
        with self._cursor() as cursor:
            inner = cursor.adbc_statement
            inner.set_sql_query(text)
            if values is not None:
                inner.bind(values)
            return max(0, int(inner.execute_update()))

    def copy(self, name: str, rows: pa.Table | pa.RecordBatchReader, schema: str | None = None) -> None:
        """Append rows to a table by binary COPY; their types are the table's."""
        with self._cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="append", db_schema_name=schema, temporary=schema is None)

    def analyse(self, name: str, schema: str = "pg_temp") -> None:
        """Bring the server's statistics of a table up to date."""
        quoted = name.replace('"', '""')
        self.execute(f'ANALYZE {schema}."{quoted}"')

    @contextmanager
    def transaction(self, opening: str = "BEGIN", ending: str = "COMMIT") -> Iterator[None]:
        """Run a block in one transaction, undone when the block raises."""
        self.execute(opening)
        try:
            yield
        except BaseException:
            # A server that is gone has undone it already; the cause is what counts.
            with suppress(WorkbenchError):
                self.execute("ROLLBACK")
            raise
        self.execute(ending)

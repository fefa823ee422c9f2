"""The PostgreSQL engine: readers of one snapshot, and the writer of the next.

A snapshot is a schema of views (`workbench.engines.postgresql_tables`), so a session that has it
first in its search path reads statements as they are. Files are read and typed by DuckDB, in a
database of the import's own; what it loaded moves to PostgreSQL by binary COPY, and publishes there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Executable, FromClause, Table, column, select
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.dml import Delete, Insert, Update

from workbench.engines.arrow_types import plain
from workbench.engines.duckdb import DuckDBWriter
from workbench.engines.interface import FileSource
from workbench.engines.limits import Cancellation, within
from workbench.engines.postgresql_dialect import bound_values, written_statement
from workbench.engines.postgresql_session import Address, Session
from workbench.engines.postgresql_tables import STORAGE, Snapshots, given_table
from workbench.errors import WorkbenchError

_FEW = 100
"""Rows that the planner may take for a thousand without harm."""

__all__ = ["PostgreSQLEngine", "PostgreSQLWriter"]

_READER = {
    "default_transaction_read_only": "on",
    # A statement that takes longer is a mistake, and a session left open must not hold old rows back.
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "5min",
}


class PostgreSQLEngine:
    """A reader of one snapshot, for several threads of one process: each takes a connection.

    Parameters
    ----------
    address
        Where the base is.
    number
        The snapshot.
    session
        A session of `session`, which holds the snapshot against pruning; the engine closes it.
    """

    def __init__(self, address: Address, number: int, session: Session) -> None:
        self.url = address.public
        self._address = address
        self._number = number
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._closed = False
        Snapshots(session).select(number)
        self.mark = Snapshots(session).mark(number)
        self._idle = [session]

    def _connect(self) -> Session:
        session = self.session(self._address)
        Snapshots(session).hold(self._number)
        Snapshots(session).select(self._number)
        return session

    @staticmethod
    def session(address: Address) -> Session:
        """Open a session that only reads."""
        return Session(address, _READER)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = self._take()
        try:
            yield session
        except BaseException:
            # It may be broken, or in the middle of something: the next call opens another.
            session.close()
            raise
        with self._guard:
            if not self._closed:
                self._idle.append(session)
                return
        session.close()

    def _take(self) -> Session:
        if self._closed:
            raise WorkbenchError("base_fermee", chemin=self.url)
        if self._process != os.getpid():
            # The server would answer two processes over one connection.
            raise WorkbenchError("base_autre_processus", chemin=self.url)
        with self._guard:
            session = self._idle.pop() if self._idle else None
        return session or self._connect()

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads; see `workbench.engines.interface.Engine.fetch`."""
        with self._session() as session:
            return _fetched(session, statement, tables)

    def written(self, statement: Executable) -> tuple[str, list[Any]]:
        """Return the text of a statement as PostgreSQL runs it, and its bound values in order."""
        return written_statement(statement)

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run a statement within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        return self._alone(lambda session: _fetched(session, statement, tables), seconds, cancellation)

    def fetch_text(
        self,
        text: str,
        parameters: Sequence[Any],
        rows: int,
        seconds: float,
        cancellation: Cancellation | None = None,
    ) -> tuple[pa.Table, bool]:
        """Run what a person wrote; see `workbench.engines.interface.QueryEngine.fetch_text`."""
        if not text.strip():
            raise WorkbenchError("sql_vide")

        def work(session: Session) -> pa.Table:
            _require_humble(session)
            expected = session.prepare(text)
            if len(expected) != len(parameters):
                raise WorkbenchError("sql_valeurs", attendu=len(expected), recu=len(parameters))
            with session.transaction("BEGIN READ ONLY", ending="ROLLBACK"):
                return plain(session.read(text, bound_values(parameters), rows + 1))

        found = self._alone(work, seconds, cancellation)
        return found.slice(0, rows), found.num_rows > rows

    def _alone(
        self, work: Callable[[Session], pa.Table], seconds: float, cancellation: Cancellation | None
    ) -> pa.Table:
        """Work in a session that nobody else has, closed afterwards: mere functions may change its settings."""
        if self._closed:
            raise WorkbenchError("base_fermee", chemin=self.url)
        session = self._connect()
        try:
            # The server keeps the time too, should this process be gone.
            limit = f"{round(seconds * 1000) + 500}ms"
            session.query("SELECT set_config($1, $2, false)", "statement_timeout", limit)
            return within(lambda: work(session), session.interrupt, seconds, cancellation)
        finally:
            session.close()

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        return set(self.columns())

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        with self._session() as session:
            return Snapshots(session).columns(self._number)

    def close(self) -> None:
        """Give back the connections; closing twice does nothing."""
        with self._guard:
            self._closed, idle, self._idle = True, self._idle, []
        if self._process == os.getpid():
            for session in idle:
                session.close()


class PostgreSQLWriter:
    """The writer of a snapshot, inside one transaction of a session that its caller opened.

    Parameters
    ----------
    session
        A session in a transaction, whose search path begins with the schema of the snapshot.
    stage
        A DuckDB database that nobody else knows of: files are loaded there.
    number
        The snapshot being written.
    """

    remote = True
    mark = ""

    def __init__(self, session: Session, stage: DuckDBWriter, number: int) -> None:
        self.url = session.address.public
        self._session = session
        self._stage = stage
        self._snapshots = Snapshots(session)
        self._number = number
        self._created: dict[str, Table] = {}
        self._loaded = False

    def create(self, tables: Iterable[Table]) -> None:
        """Create the tables that do not exist yet and add missing columns; temporary tables serve loading alone."""
        kept = list(tables)
        self._stage.create(kept)
        lasting = [each for each in kept if "TEMPORARY" not in each._prefixes]
        self._snapshots.create(lasting, self._number)
        self._created |= {each.name: each for each in lasting}

    def drop(self, tables: Iterable[Table]) -> None:
        """Drop tables that served loading."""
        self._stage.drop(tables)

    def source(self, file: FileSource) -> FromClause:
        """Return the rows of a file as something to select from, read when the statement runs."""
        return self._stage.source(file)

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        return set(self.columns())

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        return self._snapshots.columns(self._number)

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads: what was loaded, then the whole base."""
        if not self._loaded:
            return self._stage.fetch(statement, tables)
        with self._given(tables or {}):
            return plain(self._session.fetch(statement))

    def execute(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        if not self._loaded:
            if isinstance(statement, Delete):
                self._change(statement)
            return self._stage.execute(statement, tables)
        with self._given(tables or {}):
            return self._session.execute(statement) if isinstance(statement, Insert) else self._change(statement)

    @contextmanager
    def _given(self, tables: Mapping[str, pa.Table]) -> Iterator[None]:
        """Make Arrow tables visible to one statement: the transaction of a writer outlives it."""
        _give(self._session, tables)
        yield
        for name, rows in tables.items():
            self._session.execute(DropTable(given_table(name, rows.schema.empty_table())[0]))

    def loaded(self) -> None:
        """Move what was loaded to PostgreSQL; doing it twice does nothing."""
        if self._loaded:
            return
        self._loaded = True
        for each in self._created.values():
            rows = self._stage.batches(select(each))
            self._session.copy(each.name, rows, STORAGE)
            self._snapshots.analyse(each)

    def close(self) -> None:
        """Do nothing: the session belongs to the store, which ends its transaction."""

    def _change(self, statement: Any) -> int:
        """Delete or update rows of the base: older snapshots keep them as they were."""
        target = statement.table
        given = getattr(statement, "_values", None) or {}
        values = {getattr(key, "name", key): value for key, value in given.items()}
        if not isinstance(statement, Delete | Update) or (isinstance(statement, Update) and not values):
            raise WorkbenchError("requete_refusee", chemin=self.url, detail=type(statement).__name__)
        place: ColumnElement[Any] = column("ligne", _selectable=target)
        rows = select(place.label("ligne"), *(values.get(each.name, each).label(each.name) for each in target.columns))
        return self._snapshots.change(
            target, rows.where(*statement._where_criteria), self._number, keep=isinstance(statement, Update)
        )


_POWERS = """
SELECT session_user::text AS role,
bool_or(r.rolsuper OR (g.oid IS NOT NULL AND pg_has_role(r.oid, g.oid, 'MEMBER'))) AS strong
FROM pg_roles r LEFT JOIN pg_roles g
ON g.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
WHERE r.rolname = session_user
"""


def _require_humble(session: Session) -> None:
    """Refuse a role that may do more than read tables: a select can call functions that read files."""
    found = session.query(_POWERS)[0]
    if found["strong"]:
        raise WorkbenchError("sql_role", role=found["role"])


def _fetched(session: Session, statement: Executable, tables: Mapping[str, pa.Table] | None) -> pa.Table:
    if not tables:
        return plain(session.fetch(statement))
    # A temporary table is made by a transaction that may write, which then gives that up.
    with session.transaction("BEGIN READ WRITE", ending="ROLLBACK"):
        _give(session, tables)
        session.execute("SET TRANSACTION READ ONLY")
        return plain(session.fetch(statement))


def _give(session: Session, tables: Mapping[str, pa.Table]) -> None:
    """Make Arrow tables visible to the statements of this transaction."""
    for name, rows in tables.items():
        given, typed = given_table(name, rows)
        session.execute(CreateTable(given))
        session.copy(name, typed)
        if rows.num_rows > _FEW:
            session.analyse(name)

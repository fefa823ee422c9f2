"""The registry itself: opened once, read and written by transactions that mean the same on both databases.

``write()`` takes SQLite's only writing place at once (``BEGIN IMMEDIATE``): what it read cannot change under it, and
it waits its turn instead of failing half-way. On PostgreSQL it is READ COMMITTED: a room that reads a row to change it
asks for it with ``with_for_update()``, which SQLite has no need of and does not see. ``read()`` sees one state of the
whole database.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, inspect, select

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.registry.address import POSTGRESQL, prepare_file, registry_url, shown
from workbench.registry.failures import told
from workbench.registry.room import Room

__all__ = ["Registry", "open_registry"]

BUSY_SECONDS = 30
"""How long a writer of a SQLite registry waits for the others."""

CONNECT_SECONDS = 10

MIGRATION_LOCK = 0x776B6272
"""Key of the lock under which PostgreSQL registries are migrated."""


def open_registry(address: str | Path | None = None, *, rooms: Sequence[Room], migrate: bool = True) -> Registry:
    """Open the registry, making or migrating the tables of some rooms.

    Parameters
    ----------
    address
        Path of a SQLite file, ``sqlite:///…`` or ``postgresql+psycopg://…``; ``WORKBENCH_REGISTRE`` by default,
        else a file of the user's data folder.
    rooms
        Whose tables are needed.
    migrate
        Bring older tables to the version of this software; when False, older tables are refused.

    Returns
    -------
    Registry
        To be closed, or used as a context manager.

    Raises
    ------
    WorkbenchError
        ``registre_adresse``, ``registre_inaccessible``, ``registre_illisible``, ``registre_occupe``,
        ``registre_lecture_seule``, ``registre_plein``; ``registre_ancien`` (``migrate=False``) and
        ``registre_recent`` for tables of another version; ``extra_absent`` without the PostgreSQL driver.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "registre.sqlite"
    >>> with open_registry(path, rooms=[]) as registry, registry.read() as connection:
    ...     connection.dialect.name
    'sqlite'
    """
    url = registry_url(settings().registry if address is None else address)
    registry = Registry(url, _engine(url))
    try:
        registry.bring_up(rooms, migrate=migrate)
    except BaseException:
        registry.close()
        raise
    return registry


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {
        "json_serializer": partial(json.dumps, ensure_ascii=False, allow_nan=False),
        "hide_parameters": True,  # what is written may be a token's print or a person's words: not for logs
    }
    if url.drivername == POSTGRESQL:
        try:
            engine = create_engine(
                url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}, **options
            )
        except ModuleNotFoundError as error:
            raise WorkbenchError("extra_absent", bibliotheque="psycopg", extra="postgres") from error
        return engine
    prepare_file(Path(str(url.database)))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **options)
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begins)
    return engine


def _sqlite_connected(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would open transactions by itself, deferred, and none before a change of tables.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    deadline = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Two processes that make one file meet here, and SQLite does not wait for this lock by itself.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _sqlite_begins(connection: Connection) -> None:
    reading = connection.get_execution_options().get("workbench_reads", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class Registry:
    """An open registry; threads may share it, and a forked child gets connections of its own.

    Parameters
    ----------
    url
        Where it is.
    engine
        How it is reached.
    """

    def __init__(self, url: URL, engine: Engine) -> None:
        self.url = url
        self.engine = engine
        self._process = os.getpid()

    @property
    def place(self) -> str:
        """Where it is, for people: no password."""
        return shown(self.url)

    @property
    def address(self) -> str:
        """Where it is, to open it again in another process: the password too; not to be shown."""
        if self.url.drivername == POSTGRESQL:
            return self.url.render_as_string(hide_password=False)
        return str(Path(str(self.url.database)).absolute())

    def __repr__(self) -> str:
        return f"Registry({self.place!r})"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that reads: one state of the database, whatever others write meanwhile.

        Yields
        ------
        sqlalchemy.Connection
        """
        options: dict[str, Any] = {"workbench_reads": True}
        if self.url.drivername == POSTGRESQL:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with told(self.place), self._connection() as connection:
            connection = connection.execution_options(**options)  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: kept when the block ends well, undone when it fails.

        Yields
        ------
        sqlalchemy.Connection
        """
        with told(self.place), self._connection() as connection, connection.begin():
            yield connection

    def now(self, connection: Connection) -> datetime:
        """Return the moment by the clock that all who share the registry share: the server's, where there is one."""
        if connection.dialect.name == "postgresql":
            moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return moment.astimezone(UTC)
        return datetime.now(UTC)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._process != os.getpid():
            # A connection shared with the parent would mix the words of both.
            self.engine.dispose(close=False)
            self._process = os.getpid()
        with self.engine.connect() as connection:
            yield connection

    def bring_up(self, rooms: Sequence[Room], *, migrate: bool = True) -> None:
        """Make or migrate the tables of some rooms; see `open_registry`."""
        with self.read() as connection:
            behind = [room for room in rooms if self._behind(connection, room)]
        if not behind:
            return
        if not migrate:
            raise WorkbenchError("registre_ancien", adresse=self.place, tables=", ".join(room.name for room in behind))
        from workbench.registry.migrating import upgrade

        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            for room in behind:
                # Another process may have done it while this one waited.
                if self._behind(connection, room):
                    upgrade(connection, room)

    def _behind(self, connection: Connection, room: Room) -> bool:
        found = None
        if inspect(connection).has_table(room.version_table.name):
            found = connection.execute(select(room.version_table.c.version_num)).scalar_one_or_none()
        if found is not None and found > room.version:
            raise WorkbenchError("registre_recent", adresse=self.place, tables=room.name)
        return found != room.version

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose(close=self._process == os.getpid())

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

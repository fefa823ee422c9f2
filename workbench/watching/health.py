"""Whether the product can serve: the registry, the store, the base of accounts, the broker of messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLongError
from dataclasses import dataclass

from sqlalchemy import select

from workbench.config import settings
from workbench.engines import open_store
from workbench.errors import WorkbenchError
from workbench.registry import open_registry
from workbench.reports.jobs_announce import configured_broker
from workbench.rooms import all_rooms
from workbench.store.tables import ROOM as STORE

__all__ = ["PATIENCE", "Check", "checks", "ready"]

PATIENCE = 5.0
"""Seconds that a part may take to answer."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One part and whether it answers.

    Parameters
    ----------
    name
        ``registre``, ``magasin``, ``base`` or ``courtier``.
    code
        Why it does not: a code of the table of errors, or the kind of what was raised; empty when it does.
    """

    name: str
    code: str = ""


def _registry() -> None:
    rooms = all_rooms()
    with open_registry(rooms=[]) as registry, registry.read() as connection:
        from workbench.registry.copying import revisions_of

        found = revisions_of(connection, rooms)
        newer = [room.name for room in rooms if (found[room.name] or "") > room.version]
    if newer:
        raise WorkbenchError("registre_recent", adresse="", tables=", ".join(newer))


def _store() -> None:
    with open_registry(rooms=[STORE], migrate=False) as registry, registry.read() as connection:
        connection.execute(select(STORE.metadata.tables["store_counter"].c.value)).first()


def _base(url: str | None) -> None:
    engine, _ = open_store(url or settings().base).open()
    try:
        engine.tables()
    finally:
        engine.close()


def _broker() -> None:
    broker = configured_broker()
    if broker is not None:
        with broker.line():
            pass


def checks(base: str | None = None, patience: float = PATIENCE) -> list[Check]:
    """Try each part, all at once; one that takes too long does not answer.

    Parameters
    ----------
    base
        The accounting base that is served; that of the settings by default.
    patience
        Seconds.
    """
    parts: dict[str, Callable[[], None]] = {"registre": _registry, "magasin": _store, "base": lambda: _base(base)}
    if settings().broker:
        parts["courtier"] = _broker
    pool = ThreadPoolExecutor(len(parts), thread_name_prefix="workbench-health")
    try:
        asked = {name: pool.submit(part) for name, part in parts.items()}
        found = []
        for name, answer in asked.items():
            code = ""
            try:
                answer.result(patience)
            except TooLongError:
                code = "trop_long"
            except WorkbenchError as error:
                code = error.code
            except Exception as error:  # noqa: BLE001 - what it is, the log says
                code = type(error).__name__
                _LOG.warning("%s does not answer", name, exc_info=error)
            found.append(Check(name, code))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return found


def ready(base: str | None = None) -> bool:
    """Say whether every part answers."""
    return not any(each.code for each in checks(base))

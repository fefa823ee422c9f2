"""Which jobs the broker of messages is told of, and when: the registry's side of announcing.

Back-pressure: the queue is never given more than `MOST_WAITING` messages; the others wait in the registry, for the next
look. A job is marked before it is said, outside of any transaction, so that a worker that hears of it finds its row
free; what was marked and not said, by a process that died or a broker that refused, is announced again. So is a job
whose message was lost: it waits, announced, while the queue is empty.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.registry import Registry
from workbench.reports.jobs_tables import JobState, jobs

if TYPE_CHECKING:
    from workbench.reports.jobs_broker import Broker

__all__ = ["Announcer", "announce", "announce_new", "configured_broker", "place_remark"]

log = logging.getLogger(__name__)

MOST_WAITING = 200
"""Messages that no worker has received yet, beyond which no more are said: enough for idle workers until the next look,
few enough to be said while a person waits, and forgotten when their jobs are cancelled."""

LOST_SECONDS = 30.0
"""How long an announced job waits, while the queue is empty, before its message is believed lost."""

STALE_SECONDS = 3600.0
"""How long it waits at most, whatever the queue holds, before it is announced again."""

LOOK_SECONDS = 2.0
"""Time between two looks at what is to be announced."""

ONE_MACHINE = (
    "Le registre est un fichier de cette machine (SQLite) : les autres machines ne le voient pas, et seuls les "
    "travailleurs de celle-ci peuvent servir. À plusieurs machines, mettez-le dans PostgreSQL : WORKBENCH_REGISTRE."
)


def configured_broker() -> Broker | None:
    """Return the broker of the settings (``WORKBENCH_BROKER``), None without one.

    Raises
    ------
    WorkbenchError
        ``courtier_adresse``; ``extra_absent`` without Celery.
    """
    address = settings().broker
    if not address:
        return None
    from workbench.reports.jobs_broker import Broker

    return Broker(address)


def place_remark(registry: Registry) -> str:
    """Say in French that several machines cannot share this registry although there is a broker; else nothing."""
    return ONE_MACHINE if settings().broker and registry.url.drivername == "sqlite" else ""


def announce_new(registry: Registry) -> None:
    """Announce what was just kept, if there is a broker; a broker that does not answer hears of it later."""
    try:
        broker = configured_broker()
        if broker is not None:
            announce(registry, broker)
    except WorkbenchError as error:
        log.warning("%s", error.message)


def announce(registry: Registry, broker: Broker, *, lost: float = LOST_SECONDS) -> int:
    """Announce what is to be made and was not announced, and what was but must have been lost.

    Parameters
    ----------
    registry
        Where the jobs are kept.
    broker
        What workers listen to.
    lost
        Seconds after which the message of a job that waits, while the queue is empty, is believed lost.

    Returns
    -------
    int
        How many jobs were announced.

    Raises
    ------
    WorkbenchError
        ``courtier_injoignable``, ``courtier_refuse``; what was not said is not marked.
    """
    with registry.read() as connection:
        now = registry.now(connection)
        if connection.execute(select(jobs.c.id).where(_ready(now, lost)).limit(1)).first() is None:
            return 0
    marked: Sequence[str] = ()
    said = 0
    moment = now
    try:
        with broker.line() as line:
            waiting = line.waiting()
            if waiting < MOST_WAITING:
                moment, marked = _mark(registry, MOST_WAITING - waiting, STALE_SECONDS if waiting else lost)
            for identifier in marked:
                if not line.announce(identifier):
                    break
                said += 1
    finally:
        if said < len(marked):
            _unmark(registry, marked[said:], moment)
    return said


def _ready(now: datetime, lost: float) -> ColumnElement[bool]:
    return and_(
        jobs.c.state == JobState.PENDING,
        jobs.c.shared,
        or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now),
        or_(jobs.c.announced.is_(None), jobs.c.announced <= now - timedelta(seconds=lost)),
    )


def _mark(registry: Registry, most: int, lost: float) -> tuple[datetime, Sequence[str]]:
    with registry.write() as connection:
        now = registry.now(connection)
        chosen = select(jobs.c.id).where(_ready(now, lost)).order_by(jobs.c.id).limit(most)
        found = connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all()
        connection.execute(update(jobs).where(jobs.c.id.in_(found)).values(announced=now))
    return now, found


def _unmark(registry: Registry, identifiers: Sequence[str], moment: datetime) -> None:
    ours = and_(jobs.c.id.in_(identifiers), jobs.c.announced == moment)
    with registry.write() as connection:
        connection.execute(update(jobs).where(ours).values(announced=None))


class Announcer:
    """Looks at the registry again and again, and says when the broker stops answering and when it answers again.

    Parameters
    ----------
    registry, broker
        As for `announce`.
    tell
        Told in French what befalls the broker.
    """

    def __init__(self, registry: Registry, broker: Broker, tell: Callable[[str], None]) -> None:
        self.registry = registry
        self.broker = broker
        self.tell = tell
        self._next = 0.0
        self._silent = False

    def check(self) -> None:
        """Try the broker once: its silence is told.

        Raises
        ------
        WorkbenchError
            ``courtier_refuse``.
        """
        try:
            with self.broker.line():
                pass
        except WorkbenchError as error:
            if error.code != "courtier_injoignable":
                raise
            self._silent = True
            self.tell(str(error))

    def look(self) -> None:
        """Take back what was abandoned and announce what is to be made, if it is time to.

        Raises
        ------
        WorkbenchError
            What the registry raises.
        """
        from workbench.reports.jobs_leases import expire

        if time.monotonic() < self._next:
            return
        expire(self.registry)
        try:
            announce(self.registry, self.broker)
            if self._silent:
                self.tell(f"Le serveur de messages {self.broker.place} répond de nouveau.")
            self._silent = False
        except WorkbenchError as error:
            if not error.code.startswith("courtier_"):
                raise
            if not self._silent:
                self.tell(str(error))
            self._silent = True
        finally:
            self._next = time.monotonic() + LOOK_SECONDS

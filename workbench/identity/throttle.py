"""Failed logins are counted, by e-mail and by address, and too many close the door for a while.

An attempt is counted before the password is looked at, in a transaction of its own, so that a thousand attempts at
once are a thousand; a success takes its own back. Unknown e-mails count as known ones do.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.errors import WorkbenchError
from workbench.identity.tables import attempts, print_of
from workbench.registry import Registry

__all__ = ["MOST_BY_ADDRESS", "MOST_BY_EMAIL", "WINDOW", "count_attempt", "forget_attempt"]

WINDOW = timedelta(minutes=15)
MOST_BY_EMAIL = 10
MOST_BY_ADDRESS = 50
"""Many people may share an address: that of their office."""


def _prints(email: str, address: str) -> tuple[tuple[str, int], ...]:
    return (print_of(f"email {email}"), MOST_BY_EMAIL), (print_of(f"address {address}"), MOST_BY_ADDRESS)


def count_attempt(registry: Registry, email: str, address: str) -> None:
    """Count an attempt to log in.

    Raises
    ------
    WorkbenchError
        ``trop_d_essais``; the attempt is then not to be looked at.
    """
    until: datetime | None = None
    with registry.write() as connection:
        now = registry.now(connection)
        connection.execute(delete(attempts).where(attempts.c.since <= now - WINDOW))
        for key, most in _prints(email, address):
            since, failures = _one_more(connection, key, now)
            if failures > most:
                until = max(until or now, since + WINDOW)
    if until is not None:
        minutes = max(1, round((until - now).total_seconds() / 60))
        raise WorkbenchError("trop_d_essais", minutes=f"{minutes} minute{'s' if minutes > 1 else ''}")


def _one_more(connection: Connection, key: str, now: datetime) -> tuple[datetime, int]:
    more = update(attempts).where(attempts.c.print == key).values(failures=attempts.c.failures + 1)
    if not connection.execute(more).rowcount:
        try:
            with connection.begin_nested():
                connection.execute(insert(attempts).values(print=key, since=now, failures=1))
        except IntegrityError:
            # Another attempt on the same door, at the same moment.
            connection.execute(more)
    row = connection.execute(select(attempts.c.since, attempts.c.failures).where(attempts.c.print == key)).one()
    return row.since, row.failures


def forget_attempt(registry: Registry, email: str, address: str) -> None:
    """After a success: the person starts anew, the address takes back one."""
    (by_email, _), (by_address, _) = _prints(email, address)
    with registry.write() as connection:
        connection.execute(delete(attempts).where(attempts.c.print == by_email))
        connection.execute(
            update(attempts).where(attempts.c.print == by_address).values(failures=attempts.c.failures - 1)
        )

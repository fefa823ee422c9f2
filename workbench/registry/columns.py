"""What SQLite and PostgreSQL must store alike: moments and identifiers."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

__all__ = ["Moment", "new_identifier"]


class Moment(TypeDecorator[datetime]):
    """A moment: an aware `datetime`, read back in UTC; SQLite, which has no time zones, stores it in UTC.

    Examples
    --------
    >>> from sqlalchemy import Column
    >>> Column("created", Moment, nullable=False).type
    Moment(timezone=True)
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without time zone: {value}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware moment."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if dialect.name == "sqlite" else moment.astimezone(UTC)


def new_identifier() -> str:
    """Draw an identifier that nobody can guess: 26 characters of digits and lower-case letters, first ones by time.

    Identifiers drawn later sort later, to the millisecond, so that new rows go to one end of an index.

    Examples
    --------
    >>> len(new_identifier()), new_identifier() != new_identifier()
    (26, True)
    """
    number = (int(datetime.now(UTC).timestamp() * 1000) << 80) | secrets.randbits(80)
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(alphabet[(number >> shift) & 31] for shift in range(125, -1, -5))

"""Dates, months and moments as people read them, without anything else: the first page needs no chart."""

from __future__ import annotations

from datetime import date, datetime

from workbench.numbers import NO_BREAK
from workbench.store.usage import PARIS

__all__ = ["MONTHS", "day", "day_done", "moment", "month", "month_name", "read_day"]

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def read_day(value: object) -> date | None:
    """Read a date as the store keeps it, ``2020-01-31`` or longer; None when it is none.

    Examples
    --------
    >>> read_day("2020-01-31T00:00:00Z"), read_day(None), read_day("2020-13")
    (datetime.date(2020, 1, 31), None, None)
    """
    words = str(value or "")
    try:
        return date.fromisoformat(words[:10] if len(words) > 7 else f"{words}-01")
    except ValueError:
        return None


def day(value: object) -> str:
    """Write a date.

    Examples
    --------
    >>> day("2020-01-31T00:00:00Z"), day(None)
    ('31/01/2020', '')
    """
    found = read_day(value)
    return f"{found:%d/%m/%Y}" if found else ""


def day_done(value: object) -> str:
    """Write the day of a moment when something was done, as it was in Paris; that of a date without a moment.

    Examples
    --------
    >>> day_done("2026-01-31T23:30:00+00:00"), day_done("2026-01-31"), day_done(None)
    ('01/02/2026', '31/01/2026', '')
    """
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return day(value)
    return day(value) if found.tzinfo is None else f"{found.astimezone(PARIS):%d/%m/%Y}"


def month(value: object) -> str:
    """Write a month as charts do.

    Examples
    --------
    >>> month("2020-01-31"), month("2020-12")
    ('01/2020', '12/2020')
    """
    found = read_day(value)
    return f"{found:%m/%Y}" if found else ""


def month_name(value: object) -> str:
    """Write a month in words.

    Examples
    --------
    >>> month_name("2020-01-31")
    'janvier 2020'
    """
    found = read_day(value)
    return f"{MONTHS[found.month - 1]} {found.year}" if found else ""


def moment(value: object) -> str:
    r"""Write a moment, as clocks show it in Paris; the months of a date count from one.

    Examples
    --------
    >>> moment("2026-01-05T09:30:00+00:00").replace("\u00a0", " ")
    '5 janvier 2026 à 10 h 30'
    >>> moment("nothing")
    ''
    """
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return ""
    if found.tzinfo is None:
        return ""
    here = found.astimezone(PARIS)
    first = "1er" if here.day == 1 else str(here.day)
    return f"{first} {MONTHS[here.month - 1]} {here.year} à {here.hour}{NO_BREAK}h{NO_BREAK}{here.minute:02}"

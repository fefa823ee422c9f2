"""Months and dates as rows of a statement, on any engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Date, Text, column, select, values

__all__ = ["moments", "months_between", "years_before"]


def months_between(start: date, end: date) -> list[date]:
    """Return the first days of the months from one to another, both included.

    Examples
    --------
    >>> [each.isoformat() for each in months_between(date(2017, 12, 15), date(2018, 1, 1))]
    ['2017-12-01', '2018-01-01']
    """
    found, day = [], start.replace(day=1)
    while day <= end:
        found.append(day)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return found


def years_before(day: date, years: int) -> date:
    """Return the same day some years before; the 28th for a 29th of February.

    Examples
    --------
    >>> years_before(date(2020, 2, 29), 10).isoformat()
    '2010-02-28'
    """
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def moments(days: Iterable[date], name: str = "moments") -> Any:
    """Return rows ``moment`` and ``ten_years_before``, one a day."""
    rows = [(each.isoformat(), years_before(each, 10).isoformat()) for each in days]
    given = values(
        column("moment", Text), column("ten_years_before", Text), name=f"{name}_texts", literal_binds=True
    ).data(rows)
    return select(
        given.c.moment.cast(Date).label("moment"), given.c.ten_years_before.cast(Date).label("ten_years_before")
    ).subquery(name)

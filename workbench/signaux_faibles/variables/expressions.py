"""Months, days and amounts as numbers, so that three engines count them alike.

A month is ``12 × year + month − 1``; a day is counted from 1 January of year 1; an amount is whole hundredths of a
euro in a float, exact below 2⁵³. No date arithmetic of an engine is used but one difference of days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Integer,
    Text,
    case,
    cast,
    extract,
    func,
    literal,
    null,
)

__all__ = [
    "Over",
    "before",
    "cents",
    "day_of",
    "days_of",
    "descending",
    "double",
    "month_of",
    "monthly",
    "number",
    "text",
    "when",
]

Over = Mapping[str, Any]


def number(value: float) -> ColumnElement[Any]:
    """Return a number of ours, written out."""
    return literal(value, Double() if isinstance(value, float) else Integer(), literal_execute=True)


def text(value: str) -> ColumnElement[str]:
    """Return a text of ours, written out."""
    return literal(value, Text(), literal_execute=True)


def double(value: ColumnElement[Any]) -> ColumnElement[float]:
    """Return a number as a float."""
    return cast(value, Double())


def month_of(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the number of the month of a date."""
    return cast(extract("year", day), Integer) * number(12) + cast(extract("month", day), Integer) - number(1)


def day_of(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the day of the month of a date."""
    return cast(extract("day", day), Integer)


def days_of(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the number of a day."""
    return func.date_diff(text("day"), cast(text("0001-01-01"), Date()), day, type_=BigInteger())


def cents(amount: ColumnElement[Any]) -> ColumnElement[float]:
    """Return an amount in euros as whole hundredths."""
    return func.round(double(amount) * number(100.0), type_=Double())


def when(condition: ColumnElement[bool], value: Any, otherwise: Any = None) -> ColumnElement[Any]:
    """Return a value where a condition holds, another one, or none, elsewhere."""
    return case((condition, value), else_=null() if otherwise is None else otherwise)


def descending(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return an order, the largest first and what is absent last, which engines do not agree upon."""
    return column.desc().nulls_last()


def monthly(rows: FromClause, key: str = "numero") -> dict[str, Any]:
    """Return the window of the months of one entity up to each of them, in their order."""
    return {"partition_by": rows.c[key], "order_by": rows.c.mois}


def before(column: ColumnElement[Any], months: int, window: Over) -> ColumnElement[Any]:
    """Return the value some rows earlier; rows being months without a gap, some months earlier."""
    return func.lag(column, number(months), type_=column.type).over(**window)

"""The random number of an établissement and month, which makes samples the same from one run to the next (4.5).

A file may give some (`reporder`); of several, the first that was said stays. The others are drawn from the SIRET and
the month themselves, so that they are the same on every engine and machine, and nothing has to be stored.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, Select, Text, and_, func, select

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.moments import moments, months_between
from workbench.signaux_faibles.kinds import constant

__all__ = ["random_orders"]

_DIGITS = "0123456789abcdef"
_PRECISION = 12
"""Hexadecimal digits: 48 bits, which a double holds exactly."""


def random_orders(history: History, as_of: str | None = None) -> Select[Any]:
    """Return ``siret, periode, random_order`` of the établissements of `History.indexed`, for each month of a batch.

    Parameters
    ----------
    history
        The history.
    as_of
        The batch, whose dates tell the months; the latest one by default.

    Returns
    -------
    sqlalchemy.Select
        ``random_order`` is in [0, 1).

    Raises
    ------
    WorkbenchError
        ``historique_vide``, ``batch_sans_dates``.
    """
    batch = history.batch(as_of)
    if batch.start is None or batch.end is None:
        raise WorkbenchError("batch_sans_dates", batch=batch.key)
    months = moments((each for each in months_between(batch.start, batch.end) if each < batch.end), "months")
    places = history.indexed(as_of).subquery("places")
    given = history.runs("reporder", as_of).subquery("given")
    first = func.row_number().over(
        partition_by=[given.c.siret, given.c.periode], order_by=[given.c.added, given.c.random_order]
    )
    ranked = select(given.c.siret, given.c.periode, given.c.random_order, first.label("place")).subquery("ranked")
    told = select(ranked).where(ranked.c.place == constant(1)).subquery("told")
    same = and_(told.c.siret == places.c.siret, told.c.periode == months.c.moment)
    drawn = _drawn(places.c.siret, months.c.moment)
    every = places.join(months, constant(1) == constant(1)).outerjoin(told, same)
    return select(
        places.c.siret,
        months.c.moment.label("periode"),
        func.coalesce(told.c.random_order, drawn, type_=Double()).label("random_order"),
    ).select_from(every)


def _drawn(siret: ColumnElement[Any], day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a number below 1 made of the first digits of a digest, by functions that every engine has."""
    digest = func.md5(func.concat(siret, constant(" "), day.cast(Text), type_=Text()), type_=Text())
    total: ColumnElement[Any] = constant(0.0).cast(Double)
    for place in range(1, _PRECISION + 1):
        digit = func.strpos(constant(_DIGITS), func.substr(digest, constant(place), constant(1))) - constant(1)
        total = total + digit.cast(Double) * constant(16.0**-place).cast(Double)
    return total

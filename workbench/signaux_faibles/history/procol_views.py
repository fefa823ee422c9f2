"""Cleaned views of collective procedures (specification 5.9)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, func, null, or_, select

from workbench.signaux_faibles.batches import month_of
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.moments import moments, months_between
from workbench.signaux_faibles.history.views import watched
from workbench.signaux_faibles.kinds import constant

__all__ = ["FIRST_MONTH", "clean_procol", "clean_procol_at_date", "procol_at_date"]

FIRST_MONTH = date(2016, 1, 1)
"""Of `clean_procol_at_date`."""

_GRAVITY = ("sauvegarde", "redressement", "liquidation")
_LATER = (
    "ouverture",
    "plan_continuation",
    "abandon_procedure",
    "cloture_insuffisance_actif",
    "inclusion_autre_procedure",
)
"""Of two stages of one day, the later one in this list came last; ``fin_procedure`` after all."""


def clean_procol(history: History, as_of: str | None = None) -> Select[Any]:
    """Return ``siren, date_effet, action_procol, stade_procol, libelle``, but for the stage ``solde_procedure``."""
    rows = history.state("procol", as_of).subquery("rows_known")
    siren = func.left(rows.c.siret, constant(9), type_=Text())
    return (
        select(
            siren.label("siren"),
            rows.c.date_effet,
            rows.c.action_procol,
            rows.c.stade_procol,
            _label(rows).label("libelle"),
        )
        .where(rows.c.stade_procol != constant("solde_procedure"), watched(history, as_of, siren))
        .distinct()
    )


def _label(rows: Any) -> ColumnElement[Any]:
    action, plan = rows.c.action_procol, rows.c.stade_procol == constant("plan_continuation")
    return case(
        (rows.c.stade_procol == constant("fin_procedure"), constant("In bonis")),
        (and_(action == constant("redressement"), plan), constant("Plan de redressement")),
        (action == constant("redressement"), constant("Redressement judiciaire")),
        (action == constant("liquidation"), constant("Liquidation judiciaire")),
        (and_(action == constant("sauvegarde"), plan), constant("Plan de sauvegarde")),
        (action == constant("sauvegarde"), constant("Sauvegarde")),
        else_=null(),
    )


def procol_at_date(history: History, day: date, as_of: str | None = None) -> Select[Any]:
    """Return the procedure that each company is in on a day, in the columns of `clean_procol`.

    Of each action, the last event up to the day; none when it ends the procedure or joins it to another, or is a plan
    of ten years or more. Then the gravest: liquidation, redressement, sauvegarde. Companies in none have no row.
    """
    found = _at(history, [day], as_of)
    return found.with_only_columns(*(each for each in found.selected_columns if each.name != "periode"))


def clean_procol_at_date(history: History, as_of: str | None = None) -> Select[Any]:
    """Return `procol_at_date` of the first day of each month since January 2016: ``periode`` besides.

    Raises
    ------
    WorkbenchError
        ``historique_vide`` when no batch is asked for and none is known.
    """
    last = month_of(as_of or history.batch().key)
    return _at(history, months_between(FIRST_MONTH, last), as_of)


def _at(history: History, days: list[date], as_of: str | None) -> Select[Any]:
    events = clean_procol(history, as_of).subquery("events")
    order = case(*((events.c.stade_procol == constant(name), constant(n)) for n, name in enumerate(_LATER)), else_=99)
    until = (
        func.lead(events.c.date_effet)
        .over(partition_by=[events.c.siren, events.c.action_procol], order_by=[events.c.date_effet, order])
        .label("until")
    )
    lasting = select(events, until).subquery("lasting")
    at = moments(days)
    known = and_(lasting.c.date_effet <= at.c.moment, or_(lasting.c.until.is_(None), lasting.c.until > at.c.moment))
    over = lasting.c.stade_procol.in_([constant("fin_procedure"), constant("inclusion_autre_procedure")])
    old = and_(lasting.c.stade_procol == constant("plan_continuation"), lasting.c.date_effet <= at.c.ten_years_before)
    gravity = case(
        *((lasting.c.action_procol == constant(name), constant(n)) for n, name in enumerate(_GRAVITY)), else_=-1
    )
    place = (
        func.row_number()
        .over(partition_by=[lasting.c.siren, at.c.moment], order_by=[gravity.desc(), lasting.c.date_effet.desc()])
        .label("place")
    )
    ranked = (
        select(lasting, at.c.moment.label("periode"), place)
        .select_from(lasting.join(at, known))
        .where(~over, ~old)
        .subquery("ranked")
    )
    names = ("siren", "periode", "date_effet", "action_procol", "stade_procol", "libelle")
    return select(*(ranked.c[each] for each in names)).where(ranked.c.place == constant(1))

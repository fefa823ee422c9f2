"""Collective procedures: the state of an établissement, month after month."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, func, select, true

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import BOOLEAN, DATE, INTEGER, TEXT, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import days_of, month_of, monthly, number, text, when

__all__ = ["PROCEDURES", "STATES", "STATES_COMPAT", "rank_of_event"]

STATES = ("in_bonis", "sauvegarde", "plan_sauvegarde", "plan_continuation", "redressement", "liquidation")
"""By severity. That of two events of one day which is the more severe stands."""
STATES_COMPAT = ("in_bonis", "plan_sauvegarde", "sauvegarde", "continuation", "plan_redressement", "liquidation")
"""The names of the same states in the reference."""
_RANKS = 8


def rank_of_event(action: ColumnElement[Any], stage: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the place in `STATES` of the state that an event leads to."""
    plan = stage == text("plan_continuation")
    return case(
        (and_(action == text("liquidation"), stage != text("abandon_procedure")), number(5)),
        (stage.in_([text("abandon_procedure"), text("fin_procedure")]), number(0)),
        (and_(action == text("redressement"), plan), number(3)),
        (and_(action == text("sauvegarde"), plan), number(2)),
        (action == text("sauvegarde"), number(1)),
        (action == text("redressement"), number(4)),
        else_=number(0),
    )


def _rows(context: Context) -> Select[Any]:
    facts = context.facts("procol")
    rank = rank_of_event(facts.c.action_procol, facts.c.stade_procol)
    month = func.greatest(month_of(facts.c.date_effet), number(context.setting.first), type_=INTEGER)
    events = (
        select(
            facts.c.numero,
            month.label("mois"),
            # The latest has the largest number; of one day, the most severe.
            func.max(days_of(facts.c.date_effet) * number(_RANKS) + rank, type_=INTEGER).label("paquet"),
            func.max(facts.c.date_effet, type_=Date()).label("date_effet"),
            func.max(when(rank > number(0), number(1), number(0)), type_=INTEGER).label("grave"),
        )
        .where(facts.c.date_effet.is_not(None))
        .group_by(facts.c.numero, month)
        .cte("evenements")
    )
    grid = context.some(events, "procedures")
    window = monthly(grid)
    carried = (
        select(
            grid.c.numero,
            grid.c.mois,
            func.max(events.c.paquet, type_=INTEGER).over(**window).label("paquet"),
            func.max(events.c.date_effet, type_=Date()).over(**window).label("date_effet"),
            func.max(events.c.grave, type_=INTEGER).over(**window).label("grave"),
        )
        .select_from(grid.outerjoin(events, context.on_grid(grid, events)))
        .subquery("etats_reportes")
    )
    ranked = select(*carried.c, (carried.c.paquet % number(_RANKS)).label("rang")).subquery("etats")
    names = STATES_COMPAT if context.setting.compat else STATES
    state = case(*((ranked.c.rang == number(rank), text(name)) for rank, name in enumerate(names)))
    failing = ranked.c.grave > number(0) if context.setting.compat else ranked.c.rang > number(0)
    return select(
        ranked.c.numero,
        ranked.c.mois,
        state.label("etat_proc_collective"),
        ranked.c.date_effet.label("date_proc_collective"),
        when(failing, true()).label("tag_failure"),
    ).where(ranked.c.paquet.is_not(None))


PROCEDURES = Family(
    "procedures",
    "Procédures collectives",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "etat_proc_collective",
            TEXT,
            "état où mène le dernier événement dont le mois de date_effet est au plus t : liquidation (sauf "
            "abandon_procedure) ; in_bonis (abandon_procedure, fin_procedure) ; plan_continuation et redressement ; "
            "plan_sauvegarde et sauvegarde selon que le stade est plan_continuation ou non ; in_bonis sans événement",
            "",
            ("procol",),
            "",
            "noms inversés ou différents : sauvegarde pour un plan de sauvegarde, plan_sauvegarde pour une sauvegarde, "
            "continuation pour un plan de continuation, plan_redressement pour un redressement",
            default="in_bonis",
            default_compat="in_bonis",
        ),
        Variable(
            "date_proc_collective",
            DATE,
            "date_effet du dernier événement dont le mois est au plus t",
            "",
            ("procol",),
            "aucun événement",
        ),
        Variable(
            "tag_failure",
            BOOLEAN,
            "vrai si etat_proc_collective n'est pas in_bonis",
            "",
            ("procol",),
            "",
            "vrai dès qu'un événement a mené à un autre état qu'in_bonis, même si un retour in_bonis a suivi ; sans "
            "valeur, et non faux, sinon",
            default=False,
        ),
    ),
    Level.MONTH,
    _rows,
)

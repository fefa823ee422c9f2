"""What is to be predicted: a failure in the eighteen months that follow. These variables look into the future."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, select, true, union_all

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.cotisations import COTISATIONS
from workbench.signaux_faibles.variables.declaration import (
    BOOLEAN,
    HORIZON,
    INTEGER,
    Family,
    Level,
    Scope,
    Setting,
    Variable,
)
from workbench.signaux_faibles.variables.expressions import monthly, number, when
from workbench.signaux_faibles.variables.procedures import PROCEDURES

__all__ = ["CIBLE"]


def _rows(context: Context) -> Select[Any]:
    failing, unpaid = context.rows(PROCEDURES), context.rows(COTISATIONS)
    both = union_all(
        select(failing.c.numero, failing.c.mois, number(1).label("defaillance"), number(0).label("impaye")).where(
            failing.c.tag_failure.is_(true())
        ),
        select(unpaid.c.numero, unpaid.c.mois, number(0).label("defaillance"), number(1).label("impaye")).where(
            unpaid.c.tag_default.is_(true())
        ),
    ).subquery("signes")
    events = (
        select(
            both.c.numero,
            both.c.mois,
            func.max(both.c.defaillance, type_=INTEGER).label("defaillance"),
            func.max(both.c.impaye, type_=INTEGER).label("impaye"),
        )
        .group_by(both.c.numero, both.c.mois)
        .cte("signes_mois")
    )
    grid = context.some(events, "signes")
    forward: dict[str, Any] = {"partition_by": grid.c.numero, "order_by": grid.c.mois.desc()}
    month = grid.c.mois
    failure = when(events.c.defaillance == number(1), month)
    default = when(events.c.impaye == number(1), month)
    event = when(events.c.numero.is_not(None), month)
    near = (
        select(
            grid.c.numero,
            month,
            func.min(event, type_=INTEGER).over(**forward).label("prochain"),
            func.max(event, type_=INTEGER).over(**monthly(grid)).label("dernier"),
            func.min(failure, type_=INTEGER).over(**forward).label("defaillance"),
            func.min(default, type_=INTEGER).over(**forward).label("impaye"),
        )
        .select_from(grid.outerjoin(events, context.on_grid(grid, events)))
        .subquery("echeances")
    )
    until = func.coalesce(near.c.prochain, near.c.dernier, type_=INTEGER) - near.c.mois
    timed = select(
        near.c.numero,
        near.c.mois,
        until.label("time_til_outcome"),
        (near.c.impaye - near.c.mois).label("time_til_default"),
        (near.c.defaillance - near.c.mois).label("time_til_failure"),
    ).subquery("delais_avant")
    horizon = number(HORIZON)
    if context.setting.compat:
        close = func.abs(timed.c.time_til_outcome, type_=INTEGER) <= horizon
    else:
        close = timed.c.time_til_outcome.between(number(0), horizon)
    return select(
        *timed.c,
        close.label("outcome"),
        (timed.c.time_til_failure.between(number(0), horizon)).label("outcome_failure"),
        (timed.c.time_til_outcome <= number(0)).label("signal_fort"),
    )


def _known(setting: Setting, rows: FromClause, months: FromClause) -> ColumnElement[bool]:  # noqa: ARG001
    return months.c.mois + number(HORIZON) < number(setting.after)


_SOURCES = ("procol", "cotisation", "debit")

CIBLE = Family(
    "cible",
    "Cible d'apprentissage",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "time_til_outcome",
            INTEGER,
            "nombre de mois de t au prochain mois de tag_failure ou de tag_default (0 à un tel mois) ; s'il n'y en a "
            "plus, l'opposé du nombre de mois depuis le dernier",
            "mois",
            _SOURCES,
            "aucun de ces mois",
            "hérite des définitions de tag_failure et de tag_default",
            target=True,
        ),
        Variable(
            "outcome",
            BOOLEAN,
            f"vrai si un mois de tag_failure ou de tag_default est de t à t + {HORIZON}",
            "",
            _SOURCES,
            "",
            f"vrai aussi jusqu'à {HORIZON} mois après le dernier de ces mois",
            target=True,
            default=False,
            default_compat=False,
        ),
        Variable(
            "time_til_default",
            INTEGER,
            "nombre de mois de t au prochain mois de tag_default",
            "mois",
            ("cotisation", "debit"),
            "il n'y en a plus",
            target=True,
        ),
        Variable(
            "time_til_failure",
            INTEGER,
            "nombre de mois de t au prochain mois de tag_failure",
            "mois",
            ("procol",),
            "il n'y en a plus",
            target=True,
        ),
        Variable(
            "outcome_failure",
            BOOLEAN,
            f"vrai si un mois de tag_failure est de t à t + {HORIZON} : la cible sans les impayés",
            "",
            ("procol",),
            "",
            corrige_only=True,
            target=True,
            default=False,
        ),
        Variable(
            "signal_fort",
            BOOLEAN,
            "vrai si time_til_outcome ≤ 0 : la défaillance est déjà là, ou passée",
            "",
            _SOURCES,
            "",
            corrige_only=True,
            target=True,
            default=False,
        ),
        Variable(
            "futur_connu",
            BOOLEAN,
            f"vrai si t + {HORIZON} précède date_fin : les {HORIZON} mois qui suivent t sont connus ; les autres "
            "mois sont à exclure de l'apprentissage",
            corrige_only=True,
            target=True,
            expression=_known,
        ),
    ),
    Level.MONTH,
    _rows,
    reads=(PROCEDURES, COTISATIONS),
)

"""Collective procedures: an action and a stage, written as one label."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, case, func, null

from workbench.signaux_faibles.declaration import Cells, Column, Era, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import DATE_MONTH, constant

ACTIONS = ("liquidation", "redressement", "sauvegarde")
STAGES = (
    "abandon_procedure",
    "solde_procedure",
    "fin_procedure",
    "plan_continuation",
    "ouverture",
    "inclusion_autre_procedure",
    "cloture_insuffisance_actif",
)


def _label(cells: Cells) -> ColumnElement[str]:
    return func.lower(cells.text("lib_actx_stdx"), type_=Text())


def _action(cells: Cells) -> ColumnElement[Any]:
    # Between underscores, the first of the actions is the procedure.
    found = func.regexp_extract(
        _label(cells), constant(f"(?:^|_)({'|'.join(ACTIONS)})(?:_|$)"), constant(1), type_=Text()
    )
    return func.nullif(found, constant(""), type_=Text())


def _stage(cells: Cells) -> ColumnElement[Any]:
    action = _action(cells)
    marked = func.concat(constant("_"), _label(cells), constant("_"), type_=Text())
    taken = func.concat(constant("_"), action, constant("_"), type_=Text())
    place = func.instr(marked, taken)
    before = func.left(marked, place)
    after = func.substr(marked, place + func.length(taken))
    return func.trim(func.concat(before, after), constant("_"), type_=Text())


def _known(cells: Cells) -> ColumnElement[Any]:
    stage = _stage(cells)
    if cells.era is Era.H21:
        # Until 2021 any stage was taken; `validate` says which are unknown.
        return stage
    return case((stage.in_([constant(each) for each in STAGES]), stage), else_=null())


def _no_action(cells: Cells) -> ColumnElement[bool]:
    return _action(cells).is_(None)


def _unknown_stage(cells: Cells) -> ColumnElement[bool]:
    return func.coalesce(_action(cells).is_not(None) & _known(cells).is_(None), constant(False), type_=Boolean())


SOURCE = Source(
    type="procol",
    title="de procédures collectives",
    scope=Scope.ETABLISSEMENT,
    columns=(Column("Siret"), Column("Dt_effet"), Column("Lib_actx_stdx")),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    fields=(
        read("date_effet", "dt_effet", DATE_MONTH, required=True),
        computed(
            "action_procol",
            Text(),
            _action,
            column="lib_actx_stdx",
            refused=_no_action,
            expected=f"ne nomme aucune procédure : {', '.join(ACTIONS)}",
        ),
        computed(
            "stade_procol",
            Text(),
            _known,
            column="lib_actx_stdx",
            refused=_unknown_stage,
            expected=f"ne nomme aucun stade connu : {', '.join(STAGES)}",
        ),
    ),
)

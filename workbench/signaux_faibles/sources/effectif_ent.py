"""Workforce of entreprises, by month (URSSAF), written with decimals that are dropped."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, Text, func

from workbench.signaux_faibles.declaration import Column, Months, Scope, Source
from workbench.signaux_faibles.kinds import FLOAT_INTEGER, constant


def _without_spaces(text: ColumnElement[str]) -> ColumnElement[str]:
    return func.regexp_replace(text, constant(r"[\s\x{A0}\x{202F}]"), constant(""), constant("g"), type_=Text())


_WORKFORCE = replace(FLOAT_INTEGER, read=lambda text: FLOAT_INTEGER.read(_without_spaces(text)))

SOURCE = Source(
    type="effectif_ent",
    title="d'effectifs des entreprises",
    scope=Scope.ENTREPRISE,
    columns=(Column("siren"),),
    key=lambda cells: cells.text("siren"),
    key_column="siren",
    lenient=True,
    months=Months("eff", "effectif", _WORKFORCE, unit="salariés"),
    complete=True,
)

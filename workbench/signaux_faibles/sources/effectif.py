"""Workforce of établissements, by account and month (URSSAF). A zero is information, and is kept."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Months, Scope, Source, read
from workbench.signaux_faibles.kinds import DIGITS, TEXT

SOURCE = Source(
    type="effectif",
    title="d'effectifs des établissements",
    scope=Scope.ETABLISSEMENT,
    columns=(Column("siret"), Column("compte")),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    fields=(read("numero_compte", "compte", TEXT),),
    lenient=True,
    months=Months("eff", "effectif", DIGITS, unit="salariés"),
    complete=True,
)

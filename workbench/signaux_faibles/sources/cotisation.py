"""Contributions called and paid, by account and period (URSSAF)."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, period_ends, read
from workbench.signaux_faibles.kinds import EUROS, PERIOD_START, TEXT

SOURCE = Source(
    type="cotisation",
    title="de cotisations",
    scope=Scope.ETABLISSEMENT,
    columns=(Column("Compte"), Column("periode"), Column("enc_direct"), Column("cotis_due")),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    compte=("compte", lambda cells: cells.read(PERIOD_START, "periode")),
    fields=(
        read("numero_compte", "compte", TEXT),
        read("periode_debut", "periode", PERIOD_START, required=True, path=("periode", "start")),
        period_ends("periode_fin", "periode"),
        read("encaisse", "enc_direct", EUROS, unit="euros"),
        read("du", "cotis_due", EUROS, unit="euros"),
    ),
    lenient=True,
)

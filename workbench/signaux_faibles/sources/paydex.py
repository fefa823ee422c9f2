"""Days of delay in paying suppliers (Altares)."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_FR, INTEGER

SOURCE = Source(
    type="paydex",
    title="de retards de paiement Paydex",
    scope=Scope.ENTREPRISE,
    columns=(Column("SIREN"), Column("NB_JOURS"), Column("DATE_VALEUR")),
    key=lambda cells: cells.text("siren"),
    key_column="siren",
    fields=(
        read("date_valeur", "date_valeur", DATE_FR, required=True),
        read("nb_jours", "nb_jours", INTEGER, unit="jours"),
    ),
)

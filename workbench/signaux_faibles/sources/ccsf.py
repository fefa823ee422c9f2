"""Plans of the commissions des chefs de services financiers."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_URSSAF, TEXT, one_of

SOURCE = Source(
    type="ccsf",
    title="de la CCSF",
    scope=Scope.ETABLISSEMENT,
    columns=(
        Column("Compte"),
        Column("Date_de_traitement"),
        Column("Code_externe_stade"),
        Column("Code_externe_action"),
    ),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    compte=("compte", lambda cells: cells.read(DATE_URSSAF, "date_de_traitement")),
    fields=(
        read("numero_compte", "compte", TEXT),
        read("date_traitement", "date_de_traitement", DATE_URSSAF, required=True),
        read("stade", "code_externe_stade", one_of("DEBUT", "REFUS", "APPROB", "FIN", "REJ"), required=True),
        read("action", "code_externe_action", one_of("CCSF"), required=True),
    ),
)

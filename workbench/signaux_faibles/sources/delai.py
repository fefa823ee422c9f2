"""Payment delays granted by the URSSAF. Dates are written ``31/01/2020``."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_FR, EUROS, INTEGER, TEXT

SOURCE = Source(
    type="delai",
    title="de délais de paiement",
    scope=Scope.ETABLISSEMENT,
    columns=(
        Column("Numero_compte_externe"),
        Column("Numero_structure"),
        Column("Date_creation"),
        Column("Date_echeance"),
        Column("Duree_delai"),
        Column("Denomination_premiere_ligne"),
        Column("Indic_6M"),
        Column("Annee_creation"),
        Column("Montant_global_echeancier"),
        Column("Code_externe_stade"),
        Column("Code_externe_action"),
    ),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    compte=("numero_compte_externe", lambda cells: cells.read(DATE_FR, "date_creation")),
    fields=(
        read("numero_compte", "numero_compte_externe", TEXT),
        read("numero_contentieux", "numero_structure", TEXT),
        read("date_creation", "date_creation", DATE_FR, required=True),
        read("date_echeance", "date_echeance", DATE_FR, required=True),
        read("duree_delai", "duree_delai", INTEGER, unit="jours"),
        read("denomination", "denomination_premiere_ligne", TEXT),
        read("indic_6m", "indic_6m", TEXT),
        read("annee_creation", "annee_creation", INTEGER),
        read("montant_echeancier", "montant_global_echeancier", EUROS, unit="euros"),
        read("stade", "code_externe_stade", TEXT),
        read("action", "code_externe_action", TEXT),
    ),
)

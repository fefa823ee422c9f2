"""Partial activity consumed, by request and month."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_ISO, DECIMAL, FLOAT_INTEGER, TEXT

SOURCE = Source(
    type="apconso",
    title="de consommation d'activité partielle",
    scope=Scope.ETABLISSEMENT,
    delimiter=",",
    columns=tuple(Column(name) for name in ("ID_DA", "ETAB_SIRET", "MOIS", "HEURES", "MONTANTS", "EFFECTIFS")),
    key=lambda cells: cells.text("etab_siret"),
    key_column="etab_siret",
    fields=(
        read("id_conso", "id_da", TEXT),
        read("heure_consomme", "heures", DECIMAL, unit="heures"),
        read("montant", "montants", DECIMAL, unit="euros"),
        read("effectif", "effectifs", FLOAT_INTEGER, unit="salariés"),
        read("periode", "mois", DATE_ISO, required=True),
    ),
    complete=True,
)

"""Financial ratios of the accounts deposited at the INPI, published as open data."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_ISO, DECIMAL, TEXT

_UNITS = {
    "chiffre_d_affaires": "euros",
    "marge_brute": "euros",
    "ebe": "euros",
    "ebit": "euros",
    "resultat_net": "euros",
    "taux_d_endettement": "%",
    "ratio_de_liquidite": "%",
    "ratio_de_vetuste": "%",
    "autonomie_financiere": "%",
    "poids_bfr_exploitation_sur_ca": "%",
    "couverture_des_interets": "%",
    "caf_sur_ca": "%",
    "capacite_de_remboursement": "",
    "marge_ebe": "%",
    "resultat_courant_avant_impots_sur_ca": "%",
    "poids_bfr_exploitation_sur_ca_jours": "jours",
    "rotation_des_stocks_jours": "jours",
    "credit_clients_jours": "jours",
    "credit_fournisseurs_jours": "jours",
}

SOURCE = Source(
    type="ratios_inpi",
    title="de ratios financiers de l'INPI",
    scope=Scope.ENTREPRISE,
    columns=(
        *(Column(name) for name in ("siren", "date_cloture_exercice", *_UNITS, "type_bilan")),
        Column("confidentiality", aliases=("confidentialite",)),
    ),
    key=lambda cells: cells.text("siren"),
    key_column="siren",
    fields=(
        read("date_cloture_exercice", "date_cloture_exercice", DATE_ISO, required=True),
        *(read(name, name, DECIMAL, unit=unit) for name, unit in _UNITS.items()),
        read("type_bilan", "type_bilan", TEXT),
        read("confidentialite", "confidentiality", TEXT),
    ),
)

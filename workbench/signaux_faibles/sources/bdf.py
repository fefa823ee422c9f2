"""Financial ratios of the Banque de France, by closing of accounts."""

from __future__ import annotations

from sqlalchemy import Text, func

from workbench.signaux_faibles.declaration import Column, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_MONTH, DECIMAL, INTEGER, TEXT, constant

_RATIOS = {
    "poids_frng": "POIDS_FRNG",
    "taux_marge": "TX_MARGE",
    "delai_fournisseur": "DELAI_FRS",
    "dette_fiscale": "POIDS_DFISC_SOC",
    "financier_court_terme": "POIDS_FIN_CT",
    "frais_financier": "POIDS_FRAIS_FIN",
}

SOURCE = Source(
    type="bdf",
    title="de ratios de la Banque de France",
    scope=Scope.ENTREPRISE,
    columns=tuple(Column(name) for name in ("D1", "ANNEE", "ARRETE_BILAN", "DENOM", "SECTEUR", *_RATIOS.values())),
    key=lambda cells: func.replace(cells.text("d1"), constant(" "), constant(""), type_=Text()),
    key_column="d1",
    fields=(
        read("annee_bdf", "annee", INTEGER),
        read("arrete_bilan_bdf", "arrete_bilan", DATE_MONTH, required=True),
        read("denomination_bdf", "denom", TEXT),
        read("secteur", "secteur", TEXT),
        *(
            read(name, column.lower(), DECIMAL, unit="jours" if name == "delai_fournisseur" else "%")
            for name, column in _RATIOS.items()
        ),
    ),
    lenient=True,
)

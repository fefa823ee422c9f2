"""Legal units (INSEE, StockUniteLegale)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, case, null

from workbench.signaux_faibles.declaration import Cells, Column, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import DATE_ISO, TEXT, constant


def _activity(cells: Cells) -> ColumnElement[Any]:
    """Return the activity where it is of the nomenclature in force, NAFRev2."""
    code = cells.text("activiteprincipaleunitelegale")
    nomenclature = "nomenclatureactiviteprincipaleunitelegale"
    if not cells.has("activiteprincipaleunitelegale"):
        return null().cast(Text)
    if not cells.has(nomenclature):
        return code
    return case((cells.text(nomenclature) == constant("NAFRev2"), code), else_=null())


def _active(cells: Cells) -> ColumnElement[Any]:
    name = "etatadministratifunitelegale"
    return cells.text(name) == constant("A") if cells.has(name) else null().cast(Boolean)


SOURCE = Source(
    type="sirene_ul",
    title="d'unités légales",
    scope=Scope.ENTREPRISE,
    delimiter=",",
    columns=(
        Column("siren"),
        Column("denominationUniteLegale"),
        *(Column(f"prenom{number}UniteLegale") for number in (1, 2, 3, 4)),
        Column("nomUniteLegale"),
        Column("nomUsageUniteLegale"),
        Column("categorieJuridiqueUniteLegale"),
        Column("dateCreationUniteLegale"),
        Column("activitePrincipaleUniteLegale", required=False),
        Column("nomenclatureActivitePrincipaleUniteLegale", required=False),
        Column("activitePrincipaleNAF25UniteLegale", required=False),
        Column("etatAdministratifUniteLegale", required=False),
    ),
    key=lambda cells: cells.text("siren"),
    key_column="siren",
    fields=(
        read("raison_sociale", "denominationunitelegale", TEXT),
        *(read(f"prenom{number}_unite_legale", f"prenom{number}unitelegale", TEXT) for number in (1, 2, 3, 4)),
        read("nom_unite_legale", "nomunitelegale", TEXT),
        read("nom_usage_unite_legale", "nomusageunitelegale", TEXT),
        read("statut_juridique", "categoriejuridiqueunitelegale", TEXT),
        read("date_creation", "datecreationunitelegale", DATE_ISO),
        computed("activite_principale", Text(), _activity, column="activiteprincipaleunitelegale"),
        read("activite_principale_naf25", "activiteprincipalenaf25unitelegale", TEXT),
        computed("est_actif", Boolean(), _active, column="etatadministratifunitelegale"),
    ),
    complete=True,
)

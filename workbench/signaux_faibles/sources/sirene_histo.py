"""What changed in the state of établissements (INSEE), by period."""

from __future__ import annotations

from sqlalchemy import Boolean, ColumnElement

from workbench.signaux_faibles.declaration import Cells, Column, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import BOOLEAN, DATE_ISO, constant

_STATE = "etatadministratifetablissement"


def _concerns_nobody(cells: Cells) -> ColumnElement[bool]:
    undated = (cells.text("datedebut") == constant("")) & (cells.text("datefin") == constant(""))
    return undated | cells.text(_STATE).not_in([constant("A"), constant("F")])


SOURCE = Source(
    type="sirene_histo",
    title="d'historique des établissements",
    scope=Scope.ETABLISSEMENT,
    delimiter=",",
    columns=(
        Column("siret"),
        Column("dateDebut"),
        Column("dateFin"),
        Column("etatAdministratifEtablissement"),
        Column("changementEtatAdministratifEtablissement"),
    ),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    fields=(
        read("date_debut", "datedebut", DATE_ISO),
        read("date_fin", "datefin", DATE_ISO),
        computed("est_actif", Boolean(), lambda cells: cells.text(_STATE) == constant("A")),
        read("changement_statut_actif", "changementetatadministratifetablissement", BOOLEAN, required=True),
    ),
    skipped=_concerns_nobody,
)

"""Partial activity requested and authorised."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case

from workbench.signaux_faibles.declaration import Cells, Column, Era, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import DATE_ISO, DECIMAL, DECIMAL_COMMA, INTEGER, TEXT, between, constant

_COLUMNS = (
    "ID_DA",
    "ETAB_SIRET",
    "EFF_ENT",
    "EFF_ETAB",
    "DATE_STATUT",
    "DATE_DEB",
    "DATE_FIN",
    "HTA",
    "MTA",
    "EFF_AUTO",
    "MOTIF_RECOURS_SE",
    "PERIMETRE_AP",
    "S_HEURE_CONSOM_TOT",
    "S_EFF_CONSOM_TOT",
    "S_MONTANT_CONSOM_TOT",
)
_MOTIVE = between(1, 7)


def _motive(cells: Cells) -> ColumnElement[Any]:
    kind = INTEGER if cells.era is Era.H21 else _MOTIVE
    return kind.read(cells.text("motif_recours_se"))


def _wrong_motive(cells: Cells) -> ColumnElement[bool]:
    text = cells.text("motif_recours_se")
    return case((text == constant(""), constant(False)), else_=_motive(cells).is_(None))


SOURCE = Source(
    type="apdemande",
    title="de demandes d'activité partielle",
    scope=Scope.ETABLISSEMENT,
    delimiter=",",
    columns=tuple(Column(name) for name in _COLUMNS),
    key=lambda cells: cells.text("etab_siret"),
    key_column="etab_siret",
    fields=(
        read("id_demande", "id_da", TEXT),
        read("effectif_entreprise", "eff_ent", INTEGER, unit="salariés"),
        read("effectif", "eff_etab", INTEGER, unit="salariés"),
        read("date_statut", "date_statut", DATE_ISO, required=True),
        read("periode_debut", "date_deb", DATE_ISO, required=True, path=("periode", "start")),
        read("periode_fin", "date_fin", DATE_ISO, required=True, path=("periode", "end")),
        read("hta", "hta", DECIMAL, unit="heures"),
        read("mta", "mta", DECIMAL_COMMA, unit="euros"),
        read("effectif_autorise", "eff_auto", INTEGER, unit="salariés"),
        computed(
            "motif_recours_se",
            BigInteger(),
            _motive,
            column="motif_recours_se",
            refused=_wrong_motive,
            expected=_MOTIVE.expected,
        ),
        read("perimetre", "perimetre_ap", INTEGER),
        read("heure_consommee", "s_heure_consom_tot", DECIMAL, unit="heures"),
        read("effectif_consomme", "s_eff_consom_tot", INTEGER, unit="salariés"),
        read("montant_consomme", "s_montant_consom_tot", DECIMAL, unit="euros"),
    ),
    lenient=True,
    complete=True,
)

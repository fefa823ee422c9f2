"""Établissements (INSEE, StockEtablissement, with the coordinates that the geolocated edition adds)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, and_, case, func, null

from workbench.signaux_faibles.declaration import Cells, Column, Era, Field, Scope, Source, computed, read
from workbench.signaux_faibles.kinds import BOOLEAN, DATE_ISO, DECIMAL, TEXT, constant, matches

REPETITIONS = {"B": "BIS", "T": "TER", "Q": "QUATER", "C": "QUINQUIES"}
STREETS = {
    "ALL": "ALLÉE",
    "AV": "AVENUE",
    "BD": "BOULEVARD",
    "CAR": "CARREFOUR",
    "CHE": "CHEMIN",
    "CHS": "CHAUSSÉE",
    "CITE": "CITÉ",
    "COR": "CORNICHE",
    "CRS": "COURS",
    "DOM": "DOMAINE",
    "DSC": "DESCENTE",
    "ECA": "ECART",
    "ESP": "ESPLANADE",
    "FG": "FAUBOURG",
    "GR": "GRANDE RUE",
    "HAM": "HAMEAU",
    "HLE": "HALLE",
    "IMP": "IMPASSE",
    "LD": "LIEU DIT",
    "LOT": "LOTISSEMENT",
    "MAR": "MARCHÉ",
    "MTE": "MONTÉE",
    "PAS": "PASSAGE",
    "PL": "PLACE",
    "PLN": "PLAINE",
    "PLT": "PLATEAU",
    "PRO": "PROMENADE",
    "PRV": "PARVIS",
    "QUA": "QUARTIER",
    "QUAI": "QUAI",
    "RES": "RÉSIDENCE",
    "RLE": "RUELLE",
    "ROC": "ROCADE",
    "RPT": "ROND POINT",
    "RTE": "ROUTE",
    "RUE": "RUE",
    "SEN": "SENTE - SENTIER",
    "SQ": "SQUARE",
    "TPL": "TERRE-PLEIN",
    "TRA": "TRAVERSE",
    "VLA": "VILLA",
    "VLGE": "VILLAGE",
}
"""Types of street, as Sirene abbreviates them."""

_STATE = "etatadministratifetablissement"
_NOMENCLATURE = "nomenclatureactiviteprincipaleetablissement"
_ACTIVITY = "activiteprincipaleetablissement"
_POSTAL = "codepostaletablissement"
_COMMUNE = "codecommuneetablissement"


def _era(names: frozenset[str]) -> Era:
    """Today's rules need the state of the établissement."""
    return Era.NOW if _STATE in names else Era.H21


def _spelled(column: str, words: dict[str, str], unknown_kept: bool) -> Any:
    def value(cells: Cells) -> ColumnElement[Any]:
        text = cells.text(column)
        return case(
            *((text == constant(short), constant(long)) for short, long in words.items()),
            else_=text if unknown_kept else constant(""),
        )

    return value


def _postal(cells: Cells) -> ColumnElement[Any]:
    text = cells.text(_POSTAL)
    return text if cells.era is Era.H21 else case((matches(text, "[0-9]{5}"), text), else_=constant(""))


def _commune(cells: Cells) -> ColumnElement[Any]:
    text = cells.text(_COMMUNE)
    return text if cells.era is Era.H21 else case((matches(text, "[0-9][0-9A-B][0-9]{3}"), text), else_=constant(""))


def _departement(cells: Cells) -> ColumnElement[Any]:
    if cells.era is Era.H21:
        text = cells.text(_POSTAL)
        three, two = func.left(text, constant(3)), func.left(text, constant(2))
        return case(
            (func.length(text) <= constant(2), constant("")),
            (three.in_([constant("200"), constant("201")]), constant("2A")),
            (two == constant("20"), constant("2B")),
            else_=two,
        )
    text = _commune(cells)
    two = func.left(text, constant(2))
    overseas = two.in_([constant("97"), constant("98")])
    return case((overseas, func.left(text, constant(3))), else_=two)


def _no_postal(cells: Cells) -> ColumnElement[bool]:
    return and_(constant(cells.era is Era.H21), func.length(cells.text(_POSTAL)) <= constant(2))


def _in_force(cells: Cells) -> ColumnElement[bool]:
    return cells.text(_NOMENCLATURE) == constant("NAFRev2")


def _bare(cells: Cells) -> ColumnElement[str]:
    return func.replace(cells.text(_ACTIVITY), constant("."), constant(""), type_=Text())


def _is_ape(cells: Cells) -> ColumnElement[bool]:
    if cells.era is Era.H21:
        return and_(_in_force(cells), matches(_bare(cells), "[0-9]{4}[A-Z]"))
    return _in_force(cells)


def _ape(cells: Cells) -> ColumnElement[Any]:
    value = _bare(cells) if cells.era is Era.H21 else cells.text(_ACTIVITY)
    return case((_is_ape(cells), value), else_=constant(""))


def _other(column: str) -> Any:
    def value(cells: Cells) -> ColumnElement[Any]:
        return case((_is_ape(cells), constant("")), else_=cells.text(column))

    return value


def _active(cells: Cells) -> ColumnElement[Any]:
    return cells.text(_STATE) == constant("A") if cells.has(_STATE) else null().cast(Boolean)


def _skipped(cells: Cells) -> ColumnElement[bool]:
    return constant(False) if cells.era is Era.H21 else ~_in_force(cells)


def _creation() -> Field:
    column = "datecreationetablissement"
    return computed("date_creation", DATE_ISO.type, lambda cells: DATE_ISO.read(cells.text(column)), column=column)


_REQUIRED = (
    "siren",
    "nic",
    "etablissementSiege",
    "complementAdresseEtablissement",
    "numeroVoieEtablissement",
    "indiceRepetitionEtablissement",
    "typeVoieEtablissement",
    "libelleVoieEtablissement",
    "libelleCommuneEtablissement",
    "libelleCommuneEtrangerEtablissement",
    "distributionSpecialeEtablissement",
    "codeCommuneEtablissement",
    "codeCedexEtablissement",
    "libelleCedexEtablissement",
    "codePaysEtrangerEtablissement",
    "libellePaysEtrangerEtablissement",
    "codePostalEtablissement",
    "activitePrincipaleEtablissement",
    "nomenclatureActivitePrincipaleEtablissement",
    "dateCreationEtablissement",
    "longitude",
    "latitude",
)

SOURCE = Source(
    type="sirene",
    title="d'établissements",
    scope=Scope.ETABLISSEMENT,
    delimiter=",",
    columns=(*(Column(name) for name in _REQUIRED), Column("etatAdministratifEtablissement", required=False)),
    key=lambda cells: func.concat(cells.text("siren"), cells.text("nic"), type_=Text()),
    key_column="siren",
    fields=(
        read("siren", "siren", TEXT),
        read("nic", "nic", TEXT),
        read("siege", "etablissementsiege", BOOLEAN, required=True),
        read("complement_adresse", "complementadresseetablissement", TEXT),
        read("numero_voie", "numerovoieetablissement", TEXT),
        computed("indrep", Text(), _spelled("indicerepetitionetablissement", REPETITIONS, True)),
        computed("type_voie", Text(), _spelled("typevoieetablissement", STREETS, False)),
        read("voie", "libellevoieetablissement", TEXT),
        read("commune", "libellecommuneetablissement", TEXT),
        read("commune_etranger", "libellecommuneetrangeretablissement", TEXT),
        read("distribution_speciale", "distributionspecialeetablissement", TEXT),
        computed("code_commune", Text(), _commune),
        read("code_cedex", "codecedexetablissement", TEXT),
        read("cedex", "libellecedexetablissement", TEXT),
        read("code_pays_etranger", "codepaysetrangeretablissement", TEXT),
        read("pays_etranger", "libellepaysetrangeretablissement", TEXT),
        computed("code_postal", Text(), _postal),
        computed(
            "departement",
            Text(),
            _departement,
            column=_POSTAL,
            refused=_no_postal,
            expected="ne donne pas de département",
            keeps=True,
        ),
        computed("ape", Text(), _ape),
        computed("code_activite", Text(), _other(_ACTIVITY)),
        computed("nomen_activite", Text(), _other(_NOMENCLATURE)),
        _creation(),
        read("longitude", "longitude", DECIMAL, keeps=True, unit="degrés"),
        read("latitude", "latitude", DECIMAL, keeps=True, unit="degrés"),
        computed("est_actif", Boolean(), _active),
    ),
    skipped=_skipped,
    era_of=_era,
    complete=True,
)

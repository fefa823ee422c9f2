"""Cleaned views of the directory of companies (specification 5.9); they are not restricted to those watched."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Date, Select, Text, case, func, null, or_, select

from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.kinds import constant

__all__ = ["LEGAL_FORMS", "SECTIONS", "clean_sirene", "clean_sirene_histo", "clean_sirene_ul"]

SECTIONS = {
    "A": ("01", "03", "Agriculture, sylviculture et pêche"),
    "B": ("05", "09", "Industries extractives"),
    "C": ("10", "33", "Industrie manufacturière"),
    "D": ("35", "35", "Production et distribution d'électricité, de gaz, de vapeur et d'air conditionné"),
    "E": ("36", "39", "Production et distribution d'eau ; assainissement, gestion des déchets et dépollution"),
    "F": ("41", "43", "Construction"),
    "G": ("45", "47", "Commerce ; réparation d'automobiles et de motocycles"),
    "H": ("49", "53", "Transports et entreposage"),
    "I": ("55", "56", "Hébergement et restauration"),
    "J": ("58", "63", "Information et communication"),
    "K": ("64", "66", "Activités financières et d'assurance"),
    "L": ("68", "68", "Activités immobilières"),
    "M": ("69", "75", "Activités spécialisées, scientifiques et techniques"),
    "N": ("77", "82", "Activités de services administratifs et de soutien"),
    "O": ("84", "84", "Administration publique"),
    "P": ("85", "85", "Enseignement"),
    "Q": ("86", "88", "Santé humaine et action sociale"),
    "R": ("90", "93", "Arts, spectacles et activités récréatives"),
    "S": ("94", "96", "Autres activités de services"),
    "T": ("97", "98", "Activités des ménages en tant qu'employeurs"),
    "U": ("99", "99", "Activités extra-territoriales"),
}
"""Sections of the NAF, revision 2: their first and last divisions, and their names."""

LEGAL_FORMS = {
    "0": "Organisme de placement collectif sans personnalité morale",
    "1": "Entrepreneur individuel",
    "2": "Groupement de droit privé non doté de la personnalité morale",
    "3": "Personne morale de droit étranger",
    "4": "Personne morale de droit public soumise au droit commercial",
    "5": "Société commerciale",
    "6": "Autre personne morale immatriculée au registre du commerce",
    "7": "Personne morale et organisme soumis au droit administratif",
    "8": "Organisme privé spécialisé",
    "9": "Groupement de droit privé",
}
"""First level of the legal categories of the INSEE."""


def clean_sirene(history: History, as_of: str | None = None) -> Select[Any]:
    """Return établissements: the fields of `sirene`, with ``adresse``, ``section`` and ``libelle_section`` besides."""
    rows = history.state("sirene", as_of).subquery("rows_known")
    address = _joined(
        rows.c.complement_adresse,
        _joined(rows.c.numero_voie, rows.c.indrep, rows.c.type_voie, rows.c.voie),
        rows.c.distribution_speciale,
        _joined(
            func.coalesce(_said(rows.c.code_cedex), rows.c.code_postal, type_=Text()),
            func.coalesce(_said(rows.c.cedex), _said(rows.c.commune), rows.c.commune_etranger, type_=Text()),
        ),
        rows.c.pays_etranger,
        separator=", ",
    )
    return select(rows, address.label("adresse"), *_section(rows.c.ape))


def _said(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.nullif(text, constant(""), type_=Text())


def _joined(*texts: ColumnElement[Any], separator: str = " ") -> ColumnElement[Any]:
    """Join what is said of several texts."""
    return _said(func.concat_ws(constant(separator), *(_said(each) for each in texts), type_=Text()))


def _section(ape: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    division = func.left(ape, constant(2), type_=Text())
    within = {
        letter: division.between(constant(first), constant(last)) for letter, (first, last, _) in SECTIONS.items()
    }
    return [
        case(*((within[letter], constant(letter)) for letter in SECTIONS), else_=null()).label("section"),
        case(*((within[letter], constant(SECTIONS[letter][2])) for letter in SECTIONS), else_=null()).label(
            "libelle_section"
        ),
    ]


def clean_sirene_ul(history: History, as_of: str | None = None) -> Select[Any]:
    """Return legal units: their name, legal form and activity, with labels.

    An individual, who has no denomination, goes by first name and name in use, then « EI ». ``section`` and
    ``libelle_section`` are those of the activity.
    """
    rows = history.state("sirene_ul", as_of).subquery("rows_known")
    name = func.coalesce(_said(rows.c.nom_usage_unite_legale), _said(rows.c.nom_unite_legale), type_=Text())
    person = _joined(rows.c.prenom1_unite_legale, name)
    individual = case((person.is_not(None), func.concat(person, constant(" EI"), type_=Text())), else_=null())
    form = func.left(rows.c.statut_juridique, constant(1), type_=Text())
    return select(
        rows.c.siren,
        func.coalesce(_said(rows.c.raison_sociale), individual, type_=Text()).label("raison_sociale"),
        rows.c.statut_juridique,
        case(*((form == constant(code), constant(label)) for code, label in LEGAL_FORMS.items()), else_=null()).label(
            "libelle_statut"
        ),
        rows.c.activite_principale,
        *_section(rows.c.activite_principale),
        rows.c.activite_principale_naf25,
        rows.c.date_creation,
        rows.c.est_actif,
    )


def clean_sirene_histo(history: History, as_of: str | None = None) -> Select[Any]:
    """Return ``siret, date_debut, date_fin, est_actif``: the first event, and changes of state.

    ``date_fin`` is the day before the next change; NULL while the state lasts.
    """
    rows = history.state("sirene_histo", as_of).subquery("rows_known")
    in_time: dict[str, Any] = {"partition_by": rows.c.siret, "order_by": rows.c.date_debut.asc().nulls_first()}
    place = func.row_number().over(**in_time).label("place")
    before = func.lag(rows.c.est_actif).over(**in_time).label("before")
    events = select(rows.c.siret, rows.c.date_debut, rows.c.est_actif, place, before).subquery("events")
    kept = (
        select(events).where(or_(events.c.place == constant(1), events.c.est_actif != events.c.before)).subquery("kept")
    )
    following = func.lead(kept.c.date_debut, type_=Date()).over(
        partition_by=kept.c.siret, order_by=kept.c.date_debut.asc().nulls_first()
    )
    return select(
        kept.c.siret,
        kept.c.date_debut,
        following.op("-", return_type=Date())(constant(1)).label("date_fin"),
        kept.c.est_actif,
    )

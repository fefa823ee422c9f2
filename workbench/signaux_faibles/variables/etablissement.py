"""The établissement: its account, its place and its activity."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    column,
    extract,
    func,
    null,
    select,
    table,
)

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import (
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    Family,
    Level,
    Scope,
    Setting,
    Variable,
)
from workbench.signaux_faibles.variables.expressions import descending, month_of, monthly, number, text, when
from workbench.signaux_faibles.variables.naf import LABELS, SECTIONS
from workbench.signaux_faibles.variables.regions import METROPOLE, OUTRE_MER

__all__ = ["CCSF", "COMPTE", "LIEU", "ORDRE", "age", "places", "year_of_creation"]

_labels = table(LABELS, column("niveau", Integer), column("code", Text), column("libelle", Text))
_EARLIEST = 1901


def _by_month(type_: str, name: str, code: str, context: Context) -> Select[Any]:
    """The value of a source's month; of several, the largest."""
    facts = context.facts(type_)
    month = month_of(facts.c.periode)
    value = func.max(facts.c[name], type_=facts.c[name].type).label(code)
    return select(facts.c.numero, month.label("mois"), value).group_by(facts.c.numero, month)


def _ccsf(context: Context) -> Select[Any]:
    facts = context.facts("ccsf")
    # Strictly before the first day of a month: from the next one.
    month = func.greatest(month_of(facts.c.date_traitement) + number(1), number(context.setting.first), type_=INTEGER)
    latest = func.max(facts.c.date_traitement, type_=Date())
    treated = (
        select(facts.c.numero, month.label("mois"), latest.label("date_ccsf"))
        .group_by(facts.c.numero, month)
        .cte("ccsf_mois")
    )
    grid = context.some(treated, "ccsf")
    carried = func.max(treated.c.date_ccsf, type_=Date()).over(**monthly(grid))
    return select(grid.c.numero, grid.c.mois, carried.label("date_ccsf")).select_from(
        grid.outerjoin(treated, context.on_grid(grid, treated))
    )


def year_of_creation(day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the year of a creation; NULL before 1901, which stands for an unknown date."""
    year = extract("year", day).cast(Integer)
    return when(year >= number(_EARLIEST), year)


def age(code: str, setting: Setting, rows: FromClause, months: FromClause) -> ColumnElement[Any]:  # noqa: ARG001
    """Return the year of a period minus that of a creation."""
    return months.c.annee - rows.c[code]


def places(context: Context) -> Select[Any]:
    """Return where each entity is and what it does, once each: its head office, for an entreprise."""
    facts = context.facts("sirene")
    order = [descending(facts.c[name]) for name in ("est_actif", "siege", "date_creation", "code_commune", "ape")]
    rank = func.row_number().over(partition_by=facts.c.numero, order_by=order)
    latest = select(*facts.c, rank.label("rang")).subquery("sirene_derniere")
    known = {name: func.nullif(latest.c[name], text(""), type_=Text()) for name in ("code_commune", "departement")}
    bare = func.replace(latest.c.ape, text("."), text(""), type_=Text())
    coded = (
        select(
            latest.c.numero,
            latest.c.latitude,
            latest.c.longitude,
            known["code_commune"].label("code_commune"),
            known["departement"].label("departement"),
            _region(context, known["departement"]).label("region"),
            when(_is_ape(bare), bare).label("code_ape"),
            year_of_creation(latest.c.date_creation).label("date_creation_etablissement"),
        )
        .where(latest.c.rang == number(1))
        .subquery("lieux")
    )
    return _with_activity(coded)


def _is_ape(code: ColumnElement[str]) -> ColumnElement[bool]:
    digits = text("0123456789")
    first, last = func.left(code, number(4), type_=Text()), func.right(code, number(1), type_=Text())
    return and_(
        func.length(code, type_=Integer()) == number(5),
        func.translate(first, digits, text(""), type_=Text()) == text(""),
        last.between(text("A"), text("Z")),
    )


def _region(context: Context, departement: ColumnElement[str]) -> ColumnElement[Any]:
    known = list(METROPOLE.items())
    if not context.setting.compat:
        known += OUTRE_MER.items()
    whens = [(departement.in_([text(each) for each in codes.split()]), text(name)) for name, codes in known]
    return case(*whens, else_=null())


def _with_activity(rows: Any) -> Select[Any]:
    code = rows.c.code_ape
    levels = {n: func.left(code, number(n), type_=Text()) for n in (2, 3, 4)}
    section = case(
        *(
            (levels[2].between(text(f"{first:02d}"), text(f"{last:02d}")), text(letter))
            for letter, (first, last) in SECTIONS.items()
        ),
        else_=null(),
    )
    keys = {1: section, 2: levels[2], 3: levels[3], 4: levels[4], 5: code}
    joined: Any = rows
    labels = {level: _labels.alias(f"libelles_{level}") for level in keys}
    for level, key in keys.items():
        joined = joined.outerjoin(
            labels[level], and_(labels[level].c.niveau == number(level), labels[level].c.code == key)
        )
    return select(
        *rows.c,
        section.label("code_naf"),
        labels[1].c.libelle.label("libelle_naf"),
        *(levels[n].label(f"code_ape_niveau{n}") for n in levels),
        *(labels[n].c.libelle.label(f"libelle_ape{n}") for n in (2, 3, 4, 5)),
    ).select_from(joined)


_SIRENE = ("sirene",)
_LAST = "de plusieurs fiches Sirene, une quelconque"

COMPTE = Family(
    "compte",
    "Compte URSSAF",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "compte_urssaf",
            TEXT,
            "numéro du compte rattaché à l'établissement au mois t ; de plusieurs, le plus grand",
            "",
            ("admin_urssaf",),
            "aucun compte au mois t",
        ),
    ),
    Level.MONTH,
    partial(_by_month, "admin_urssaf", "numero_compte", "compte_urssaf"),
)
ORDRE = Family(
    "ordre",
    "Ordre de tirage",
    Scope.ETABLISSEMENT,
    (Variable("random_order", NUMBER, "nombre tiré pour le mois t", "", ("reporder",), "aucun tirage pour t"),),
    Level.MONTH,
    partial(_by_month, "reporder", "random_order", "random_order"),
)
CCSF = Family(
    "ccsf",
    "Commission des chefs de services financiers",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "date_ccsf",
            DATE,
            "dernière date de traitement d'un plan, strictement antérieure au premier jour de t",
            "",
            ("ccsf",),
            "aucun plan avant t",
        ),
    ),
    Level.MONTH,
    _ccsf,
)
LIEU = Family(
    "lieu",
    "Lieu, activité et âge de l'établissement",
    Scope.ETABLISSEMENT,
    (
        Variable("latitude", NUMBER, "latitude de la fiche Sirene", "degrés", _SIRENE, "non géolocalisé", _LAST),
        Variable("longitude", NUMBER, "longitude de la fiche Sirene", "degrés", _SIRENE, "non géolocalisé", _LAST),
        Variable("code_commune", TEXT, "code commune de l'INSEE", "", _SIRENE, "vide dans Sirene", _LAST),
        Variable("departement", TEXT, "département : 01, 2A, 971", "", _SIRENE, "vide dans Sirene", _LAST),
        Variable(
            "region",
            TEXT,
            "région du département",
            "",
            _SIRENE,
            "département inconnu",
            "sans valeur pour 2A, 2B et l'outre-mer",
        ),
        Variable(
            "code_ape", TEXT, "activité, sans point, si elle a 4 chiffres et une lettre", "", _SIRENE, "autre forme"
        ),
        Variable(
            "date_creation_etablissement",
            INTEGER,
            f"année de création, si elle n'est pas antérieure à {_EARLIEST}",
            "année",
            _SIRENE,
            "inconnue ou antérieure",
        ),
        Variable(
            "age",
            INTEGER,
            "année de t moins date_creation_etablissement",
            "années",
            _SIRENE,
            "date_creation_etablissement n'est pas définie",
            expression=partial(age, "date_creation_etablissement"),
        ),
        Variable("code_naf", TEXT, "section de code_ape (une lettre)", "", _SIRENE, "code_ape inconnu"),
        Variable("libelle_naf", TEXT, "libellé de code_naf", "", _SIRENE, "code_naf inconnu ou libellés non fournis"),
        *(
            Variable(
                f"code_ape_niveau{n}", TEXT, f"les {n} premiers caractères de code_ape", "", _SIRENE, "code_ape inconnu"
            )
            for n in (2, 3, 4)
        ),
        *(
            Variable(f"libelle_ape{n}", TEXT, f"libellé de niveau {n} de code_ape", "", _SIRENE, "libellés non fournis")
            for n in (2, 3, 4, 5)
        ),
    ),
    Level.ENTITY,
    places,
)

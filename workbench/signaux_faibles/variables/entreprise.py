"""The entreprise: its name, its payments to suppliers, and the sums over its établissements."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import CTE, Double, Select, Text, and_, case, cast, func, select, union_all

from workbench.signaux_faibles.variables.activite_partielle import ACTIVITE_PARTIELLE
from workbench.signaux_faibles.variables.context import Attached, Context, entites
from workbench.signaux_faibles.variables.cotisations import COTISATIONS
from workbench.signaux_faibles.variables.declaration import (
    INTEGER,
    NUMBER,
    TEXT,
    Family,
    Level,
    Scope,
    Variable,
)
from workbench.signaux_faibles.variables.effectif import EFFECTIF
from workbench.signaux_faibles.variables.etablissement import age, year_of_creation
from workbench.signaux_faibles.variables.expressions import descending, month_of, number, text, when

__all__ = ["PAYDEX", "SOMMES", "UNITE_LEGALE", "legal_units", "paydex_by_month"]

_PAYDEX_PAST = (3, 6, 12)


def _named(rows: Any) -> Any:
    """Return the denomination, or the names of a person in INSEE's manner: ``NOM*USAGE/PRENOMS/``."""

    def part(name: str) -> Any:
        return func.coalesce(rows.c[name], text(""), type_=Text())

    usage = part("nom_usage_unite_legale")
    written = part("nom_unite_legale").concat(text("*"))
    written = written.concat(case((usage == text(""), text("")), else_=usage.concat(text("/"))))
    first_names = part("prenom1_unite_legale")
    for place in (2, 3, 4):
        first_names = first_names.concat(text(" ")).concat(part(f"prenom{place}_unite_legale"))
    person = func.trim(written.concat(first_names), type_=Text()).concat(text("/"))
    nobody = part("nom_unite_legale") == text("")
    denomination = func.nullif(part("raison_sociale"), text(""), type_=Text())
    return func.coalesce(denomination, when(~nobody, person), type_=Text())


def legal_units(context: Context) -> Select[Any]:
    """Return what each entreprise is in law, once each: ``siren_numero``, name, legal form, year of creation."""
    facts = context.facts("sirene_ul", company=True)
    order = [descending(facts.c[name]) for name in ("est_actif", "date_creation", "statut_juridique", "raison_sociale")]
    rank = func.row_number().over(partition_by=facts.c.numero, order_by=order)
    latest = select(*facts.c, rank.label("rang")).subquery("unites_legales")
    return select(
        latest.c.numero.label("siren_numero"),
        _named(latest).label("raison_sociale"),
        func.nullif(latest.c.statut_juridique, text(""), type_=Text()).label("statut_juridique"),
        year_of_creation(latest.c.date_creation).label("date_creation_entreprise"),
    ).where(latest.c.rang == number(1))


def paydex_by_month(context: Context) -> CTE:
    """Return the days of delay of each month, those of its latest date: ``numero``, ``mois``, ``jours``."""

    def made() -> Select[Any]:
        facts = context.facts("paydex", company=True)
        daily = (
            select(facts.c.numero, facts.c.date_valeur, func.max(facts.c.nb_jours, type_=INTEGER).label("jours"))
            .group_by(facts.c.numero, facts.c.date_valeur)
            .subquery("paydex_jours")
        )
        month = month_of(daily.c.date_valeur)
        latest = func.arg_max(daily.c.jours, daily.c.date_valeur, type_=INTEGER)
        return select(daily.c.numero, month.label("mois"), latest.label("jours")).group_by(daily.c.numero, month)

    return context.shared("paydex_mois", made)


def _paydex(context: Context) -> Select[Any]:
    told = paydex_by_month(context)
    shifts = (0, *_PAYDEX_PAST)
    moved = union_all(
        *(
            select(told.c.numero, (told.c.mois + number(n)).label("mois"), number(n).label("recul"), told.c.jours)
            for n in shifts
        )
    ).subquery("paydex_reculs")
    values = [
        func.max(when(moved.c.recul == number(n), moved.c.jours), type_=INTEGER).label(
            f"paydex_nb_jours_past_{n}" if n else "paydex_nb_jours"
        )
        for n in shifts
    ]
    return select(moved.c.numero.label("siren_numero"), moved.c.mois, *values).group_by(moved.c.numero, moved.c.mois)


def _sums(context: Context) -> Select[Any]:
    """Sums of every entreprise, or of those of several établissements: the sum of a single one is what it has."""
    compat = context.setting.compat
    workforce, debts, partial_activity = (context.rows(each) for each in (EFFECTIF, COTISATIONS, ACTIVITE_PARTIELLE))
    grid: Any
    joined: Any
    if compat:
        grid = context.grid()
        joined = grid.join(entites, entites.c.numero == grid.c.numero)
        for each in (workforce, debts):
            joined = joined.outerjoin(each, context.on_grid(grid, each))
        company, known = entites.c.siren_numero, grid.c.numero
    else:
        # Both are the cells of the output. Known at t: who has a workforce that is known, however old.
        grid = joined = workforce
        company, known = grid.c.siren_numero, grid.c.paquet
        several = (
            select(entites.c.siren_numero)
            .group_by(entites.c.siren_numero)
            .having(func.count() > number(1))
            .subquery("a_plusieurs")
        )
        joined = joined.join(several, several.c.siren_numero == company)
    joined = joined.outerjoin(partial_activity, context.on_grid(grid, partial_activity))
    debt = debts.c.montant_part_ouvriere + debts.c.montant_part_patronale
    summed: dict[str, Any] = {
        "effectif_entreprise": cast(func.sum(workforce.c.effectif), INTEGER),
        "apart_entreprise": func.sum(partial_activity.c.apart_heures_consommees, type_=Double()),
        "debit_entreprise": func.sum(debt, type_=Double()),
        "nbr_etablissements_connus": func.count(known),
    }
    if compat:
        for name, zero in (
            ("effectif_entreprise", number(0)),
            ("apart_entreprise", number(0.0)),
            ("debit_entreprise", number(0.0)),
        ):
            summed[name] = func.nullif(summed[name], zero, type_=summed[name].type)
    return (
        select(company, grid.c.mois, *(value.label(name) for name, value in summed.items()))
        .select_from(joined)
        .group_by(company, grid.c.mois)
    )


def _attached(context: Context, output: Attached) -> Attached:
    """Join sums; what a single établissement has is in the output already."""
    sums, cells = context.rows(SOMMES), output.cells
    rows = output.rows.outerjoin(sums, and_(sums.c.siren_numero == cells.c.siren_numero, sums.c.mois == cells.c.mois))
    values: dict[str, Any] = {each.code: sums.c[each.code] for each in SOMMES.variables}
    if not context.setting.compat:
        hours = context.rows(ACTIVITE_PARTIELLE)
        if not ACTIVITE_PARTIELLE.holds(context.wanted):
            rows = rows.outerjoin(hours, context.on_grid(cells, hours))
        own = {
            "effectif_entreprise": cells.c.effectif,
            "apart_entreprise": hours.c.apart_heures_consommees,
            "debit_entreprise": cells.c.montant_part_ouvriere + cells.c.montant_part_patronale,
            "nbr_etablissements_connus": when(cells.c.paquet.is_not(None), number(1), number(0)),
        }
        single = sums.c.siren_numero.is_(None)
        values = {code: case((single, own[code]), else_=value) for code, value in values.items()}
    return Attached(cells, rows, {**output.columns, **values})


_UL = ("sirene_ul",)

UNITE_LEGALE = Family(
    "unite_legale",
    "Unité légale",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "raison_sociale",
            TEXT,
            "dénomination ; à défaut, NOM*NOM_USAGE/PRÉNOMS/",
            "",
            _UL,
            "ni dénomination ni nom",
        ),
        Variable("statut_juridique", TEXT, "catégorie juridique", "", _UL, "vide dans Sirene"),
        Variable(
            "date_creation_entreprise",
            INTEGER,
            "année de création, si elle n'est pas antérieure à 1901",
            "année",
            _UL,
            "inconnue ou antérieure",
        ),
        Variable(
            "age_entreprise",
            INTEGER,
            "année de t moins date_creation_entreprise",
            "années",
            _UL,
            "date_creation_entreprise n'est pas définie",
            expression=partial(age, "date_creation_entreprise"),
        ),
    ),
    Level.COMPANY,
    legal_units,
    of_company=True,
)
PAYDEX = Family(
    "paydex",
    "Retards de paiement des fournisseurs",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "paydex_nb_jours",
            INTEGER,
            "nombre de jours de retard dont la date de valeur est du mois t, la dernière de ce mois",
            "jours",
            ("paydex",),
            "aucune valeur au mois t",
        ),
        *(
            Variable(
                f"paydex_nb_jours_past_{n}",
                INTEGER,
                f"la même valeur au mois t − {n}",
                "jours",
                ("paydex",),
                f"aucune valeur au mois t − {n}",
            )
            for n in _PAYDEX_PAST
        ),
    ),
    Level.COMPANY_MONTH,
    _paydex,
    of_company=True,
)
_NONE = "sans valeur, et non 0, quand la somme est nulle"
SOMMES = Family(
    "sommes",
    "Sommes sur les établissements de l'entreprise",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "effectif_entreprise",
            INTEGER,
            "somme d'effectif",
            "salariés",
            ("effectif",),
            "aucun effectif défini",
            _NONE + " ; hérite de la définition d'effectif",
        ),
        Variable(
            "apart_entreprise",
            NUMBER,
            "somme d'apart_heures_consommees",
            "heures",
            ("apconso",),
            "aucune consommation",
            _NONE + " ; hérite de la définition d'apart_heures_consommees",
        ),
        Variable(
            "debit_entreprise",
            NUMBER,
            "somme de montant_part_ouvriere et de montant_part_patronale",
            "euros",
            ("debit",),
            "",
            _NONE,
        ),
        Variable(
            "nbr_etablissements_connus",
            INTEGER,
            "nombre d'établissements de l'entreprise dont un effectif est connu à t",
            "",
            ("effectif",),
            "",
            "compte aussi les établissements dont le premier effectif est postérieur à t",
        ),
    ),
    Level.COMPANY_MONTH,
    _sums,
    _attached,
    reads=(EFFECTIF, COTISATIONS, ACTIVITE_PARTIELLE),
)

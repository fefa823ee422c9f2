"""Variables of entreprises: sums over their établissements, and their past by months.

Lags and means are of months, not of rows; a window that lacks a month has no mean; nothing is filled in from later.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    false,
    func,
    null,
    select,
    true,
)

from workbench.signaux_faibles.sources import source_named
from workbench.signaux_faibles.variables.activite_partielle import authorised_by_month
from workbench.signaux_faibles.variables.bilans import AVAILABLE, pieces
from workbench.signaux_faibles.variables.context import MARGIN, Attached, Context
from workbench.signaux_faibles.variables.cotisations import UNIT, called_by_month, debt_movements
from workbench.signaux_faibles.variables.declaration import (
    BOOLEAN,
    HORIZON,
    INTEGER,
    NUMBER,
    Family,
    Level,
    Scope,
    Setting,
    Variable,
)
from workbench.signaux_faibles.variables.effectif import CARRIED, as_known, declared, stands
from workbench.signaux_faibles.variables.entreprise import paydex_by_month
from workbench.signaux_faibles.variables.expressions import (
    before,
    days_of,
    double,
    month_of,
    monthly,
    number,
    text,
    when,
)
from workbench.signaux_faibles.variables.procedures import rank_of_event

__all__ = ["ENTREPRISE_BILANS", "ENTREPRISE_CIBLE", "ENTREPRISE_MOIS"]

_DEBTS = ("dette_sociale_ouvriere", "dette_sociale_patronale")
_FEATURES = {
    "cotisation": (
        "euros",
        ("cotisation",),
        "cotisations dues du mois t, somme des établissements",
        "aucune ne couvre t",
    ),
    "dette_sociale_ouvriere": ("euros", ("debit",), "parts ouvrières des débits en cours à t, somme", ""),
    "dette_sociale_patronale": ("euros", ("debit",), "parts patronales des débits en cours à t, somme", ""),
    "effectif": (
        "salariés",
        ("effectif",),
        "effectif au dernier mois connu à t, somme des établissements et de leurs comptes",
        f"aucun effectif connu depuis {CARRIED} mois",
    ),
    "ap_heures_consommees": ("heures", ("apconso",), "heures d'activité partielle consommées au mois t, somme", ""),
    "ap_heures_autorisees": (
        "heures",
        ("apdemande",),
        "heures d'activité partielle autorisées, au prorata des jours de t, des demandes de motif inférieur à 6, somme",
        "",
    ),
    "paydex_nb_jours": (
        "jours",
        ("paydex",),
        "jours de retard de paiement des fournisseurs, au mois t",
        "aucune valeur à t",
    ),
    "dette_par_effectif": (
        "euros",
        ("debit", "effectif"),
        "(dette_sociale_ouvriere + dette_sociale_patronale) / effectif",
        "effectif manque ou est nul",
    ),
    "dette_sur_cotisation_mean12m": (
        "",
        ("debit", "cotisation"),
        "(dette_sociale_ouvriere + dette_sociale_patronale) / cotisation_mean12m",
        "cotisation_mean12m manque ou n'est pas positive",
    ),
}
"""Unit, sources, formula and when it is undefined, of what is known of a month."""
_MEANS = dict.fromkeys(("cotisation", *_DEBTS), (3, 6, 12))
_LAGS = {name: (1, 2, 3, 6, 12, 24, 36) if name in _DEBTS else (12, 24, 36) for name in _FEATURES}
_DIFFS = {"paydex_nb_jours": 12, "dette_par_effectif": 3}


def _months(context: Context) -> Select[Any]:
    grid = context.grid(MARGIN)
    window = monthly(grid)
    dues, moves = called_by_month(context, margin=MARGIN), debt_movements(context, margin=MARGIN)
    told = as_known(context, declared(context, "effectif"), MARGIN)
    consumed, authorised, paydex = _consumed(context), _authorised(context), paydex_by_month(context)
    joined: Any = grid
    for each in (dues, moves, told, consumed, authorised, paydex):
        joined = joined.outerjoin(each, context.on_grid(grid, each))
    zero = number(0.0)
    known = (
        select(
            grid.c.numero,
            grid.c.mois,
            dues.c.du,
            *(
                func.sum(func.coalesce(moves.c[name], zero), type_=Double()).over(**window).label(name)
                for name in ("ouvriere", "patronale")
            ),
            func.max(told.c.paquet, type_=INTEGER).over(**window).label("paquet"),
            func.coalesce(consumed.c.heures, zero).label("consommees"),
            func.coalesce(authorised.c.heures, zero).label("autorisees"),
            paydex.c.jours.label("paydex"),
        )
        .select_from(joined)
        .subquery("connus")
    )
    return _pasts(context, _means(context, known))


def _consumed(context: Context) -> Subquery:
    facts = context.facts("apconso")
    month = month_of(facts.c.periode)
    hours = func.sum(func.coalesce(facts.c.heure_consomme, number(0.0)), type_=Double())
    rows = select(facts.c.numero, month.label("mois"), hours.label("heures")).group_by(facts.c.numero, month)
    return rows.subquery("consommees_mois")


def _authorised(context: Context) -> Subquery:
    facts = context.facts("apdemande")
    requests = (
        select(
            facts.c.numero,
            month_of(facts.c.periode_debut).label("debut"),
            (month_of(facts.c.periode_fin) + number(1)).label("fin"),
            days_of(facts.c.periode_debut).label("premier"),
            days_of(facts.c.periode_fin).label("dernier"),
            facts.c.hta,
        )
        .where(facts.c.motif_recours_se < number(6))
        .cte("demandes_siren")
    )
    return authorised_by_month(context, requests, "demandes_siren_jours", MARGIN).subquery("autorisees_mois")


def _means(context: Context, rows: Subquery) -> Subquery:
    """Name what is known of each month, with its means."""
    workforce, _ = stands(context, rows)
    debt = rows.c.ouvriere + rows.c.patronale
    window = monthly(rows)
    units = {
        "cotisation": (rows.c.du, UNIT * 100.0),
        _DEBTS[0]: (rows.c.ouvriere, 100.0),
        _DEBTS[1]: (rows.c.patronale, 100.0),
    }
    averaged = []
    for name, lengths in _MEANS.items():
        column, unit = units[name]
        for n in lengths:
            frame = {**window, "rows": (1 - n, 0)}
            total = func.sum(column, type_=Double()).over(**frame)
            whole = func.count(column).over(**frame) == number(n)
            averaged.append(when(whole, total / number(unit * n)).label(f"{name}_mean{n}m"))
    year = {**window, "rows": (-11, 0)}
    due_sum = func.sum(rows.c.du, type_=Double()).over(**year)
    positive = and_(func.count(rows.c.du).over(**year) == number(12), due_sum > number(0.0))
    ratio = debt * number(UNIT * 12.0) / func.nullif(due_sum, number(0.0), type_=Double())
    return select(
        rows.c.numero,
        rows.c.mois,
        (rows.c.du / number(UNIT * 100.0)).label("cotisation"),
        (rows.c.ouvriere / number(100.0)).label(_DEBTS[0]),
        (rows.c.patronale / number(100.0)).label(_DEBTS[1]),
        workforce.label("effectif"),
        rows.c.consommees.label("ap_heures_consommees"),
        rows.c.autorisees.label("ap_heures_autorisees"),
        rows.c.paydex.label("paydex_nb_jours"),
        (debt / number(100.0) / double(func.nullif(workforce, number(0), type_=INTEGER))).label("dette_par_effectif"),
        when(positive, ratio).label("dette_sur_cotisation_mean12m"),
        *averaged,
    ).subquery("moyennes")


def _pasts(context: Context, rows: Subquery) -> Select[Any]:
    window = monthly(rows)
    past = [before(rows.c[name], n, window).label(f"{name}_lag{n}m") for name, lags in _LAGS.items() for n in lags]
    past += [(rows.c[name] - before(rows.c[name], n, window)).label(f"{name}_diff{n}m") for name, n in _DIFFS.items()]
    whole = select(*rows.c, *past).subquery("passes")
    return select(*whole.c).where(whole.c.mois >= number(context.setting.first))


def _type(name: str) -> Any:
    return INTEGER if name in {"effectif", "paydex_nb_jours"} else NUMBER


def _month_variables() -> tuple[Variable, ...]:
    found = []
    for name, (unit, types, words, undefined) in _FEATURES.items():
        found.append(Variable(name, _type(name), words, unit, types, undefined))
        found += [
            Variable(
                f"{name}_mean{n}m",
                NUMBER,
                f"moyenne de {name} sur les {n} mois de t − {n - 1} à t",
                unit,
                types,
                "un de ces mois n'a pas de valeur" if undefined else "",
            )
            for n in _MEANS.get(name, ())
        ]
        found += [
            Variable(
                f"{name}_lag{n}m",
                _type(name),
                f"{name} au mois t − {n}",
                unit,
                types,
                undefined and f"aucune au mois t − {n}",
            )
            for n in _LAGS[name]
        ]
        if name in _DIFFS:
            n = _DIFFS[name]
            found.append(
                Variable(
                    f"{name}_diff{n}m",
                    _type(name),
                    f"{name} à t moins {name} au mois t − {n}",
                    unit,
                    types,
                    "l'un des deux manque",
                )
            )
    return tuple(found)


_RATIOS = {
    each.name: each.unit
    for each in source_named("ratios_inpi").fields
    if each.unit or each.name == "capacite_de_remboursement"
}


def _ratios(context: Context, output: Attached) -> Attached:
    wanted = [name for name in _RATIOS if name in context.wanted]
    cut = pieces(
        context,
        "ratios_inpi",
        "date_cloture_exercice",
        13,
        wanted,
        (),
        ("type_bilan", "chiffre_d_affaires", "resultat_net"),
    )
    months, values = cut.months.alias("mois_ratios"), cut.values.alias("ratios")
    company = output.cells.c.siren_numero
    rows = output.rows.outerjoin(months, and_(months.c.numero == company, months.c.mois == output.cells.c.mois))
    rows = rows.outerjoin(values, and_(values.c.numero == months.c.numero, values.c.debut == months.c.debut))
    return Attached(output.cells, rows, {**output.columns, **{name: values.c[name] for name in wanted}})


def _judged(context: Context) -> Select[Any]:
    facts = context.facts("procol")
    opening = and_(
        rank_of_event(facts.c.action_procol, facts.c.stade_procol) > number(0),
        facts.c.stade_procol.not_in([text(each) for each in ("plan_continuation", "solde_procedure", "fin_procedure")]),
    )
    first = func.min(month_of(facts.c.date_effet), type_=Integer())
    return select(facts.c.numero, first.label("premier")).where(opening).group_by(facts.c.numero)


def _failure(setting: Setting, rows: FromClause, months: FromClause) -> ColumnElement[Any]:
    soon = rows.c.premier <= months.c.mois + number(HORIZON)
    if setting.compat:
        return func.coalesce(soon, false())
    return case(
        (rows.c.premier.is_(None), false()), (rows.c.premier <= months.c.mois, null()), (soon, true()), else_=false()
    )


def _strong(setting: Setting, rows: FromClause, months: FromClause) -> ColumnElement[Any]:  # noqa: ARG001
    return func.coalesce(rows.c.premier <= months.c.mois, false())


def _known(setting: Setting, rows: FromClause, months: FromClause) -> ColumnElement[Any]:  # noqa: ARG001
    return months.c.mois + number(HORIZON) < number(setting.after)


ENTREPRISE_MOIS = Family(
    "mois",
    "Cotisations, dettes, effectif, activité partielle et paiements de l'entreprise",
    Scope.ENTREPRISE,
    _month_variables(),
    Level.MONTH,
    _months,
)
ENTREPRISE_BILANS = Family(
    "ratios",
    "Ratios financiers publiés",
    Scope.ENTREPRISE,
    tuple(
        Variable(
            name,
            NUMBER,
            f"{name} du bilan valable à t : 13 mois à partir du {AVAILABLE}e mois après celui de sa clôture",
            unit,
            ("ratios_inpi",),
            "aucun bilan valable à t, ou champ vide de ce bilan",
        )
        for name, unit in _RATIOS.items()
    ),
    attach=_ratios,
)
ENTREPRISE_CIBLE = Family(
    "cible",
    "Cible d'apprentissage",
    Scope.ENTREPRISE,
    (
        Variable(
            "failure",
            BOOLEAN,
            f"vrai si le premier jugement de l'entreprise (liquidation, redressement, sauvegarde ; ni plan ni fin) est "
            f"d'un mois de t + 1 à t + {HORIZON}",
            "",
            ("procol",),
            "le premier jugement est de t ou d'avant (signal_fort)",
            "vrai aussi quand le premier jugement est de t ou d'avant",
            target=True,
            expression=_failure,
        ),
        Variable(
            "signal_fort",
            BOOLEAN,
            "vrai si le premier jugement est de t ou d'avant : à exclure de l'apprentissage",
            "",
            ("procol",),
            target=True,
            expression=_strong,
        ),
        Variable(
            "futur_connu",
            BOOLEAN,
            f"vrai si t + {HORIZON} précède date_fin ; les autres mois sont à exclure de l'apprentissage",
            target=True,
            expression=_known,
        ),
    ),
    Level.ENTITY,
    _judged,
)

"""Contributions called, debts to the URSSAF, and what compares them.

Contributions are counted in a unit that twelve months divide without remainder, debts in hundredths of a euro: sums are
exact in whatever order, so that 0 is 0 and a threshold is met or not, alike on every engine.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, Integer, Select, Subquery, and_, case, func, select, true, union_all

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import BOOLEAN, NUMBER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import (
    before,
    cents,
    day_of,
    double,
    month_of,
    monthly,
    number,
    when,
)

__all__ = ["COTISATIONS", "DEBT_PAST", "UNIT", "called_by_month", "debt_movements"]

DEBT_PAST = (1, 2, 3, 6, 12)
UNIT = 27_720.0
"""What a hundredth of a euro is counted as, so that it is shared between 1 to 12 months without remainder."""
_EUROS = UNIT * 100.0


def called_by_month(context: Context, *, margin: int = 0) -> Subquery:
    """Return contributions spread over the months of their period: ``numero``, ``mois``, ``du`` in `UNIT`."""
    facts = context.facts("cotisation")
    start, end = month_of(facts.c.periode_debut), month_of(facts.c.periode_fin)
    months = end - start
    share = cents(facts.c.du) * number(UNIT) / double(func.nullif(months, number(0), type_=Integer()))
    spans = select(facts.c.numero, start.label("debut"), end.label("fin"), share.label("part")).where(
        months > number(0), facts.c.du.is_not(None)
    )
    spread = context.spread(spans, "cotisations_mois", margin=margin)
    return (
        select(spread.c.numero, spread.c.mois, func.sum(spread.c.part, type_=Double()).label("du"))
        .group_by(spread.c.numero, spread.c.mois)
        .subquery("cotisations_dues")
    )


def debt_movements(context: Context, *, margin: int = 0) -> Subquery:
    """Return by how much debts change, month after month: ``numero``, ``mois``, ``ouvriere``, ``patronale`` in cents.

    A debit counts from the month of its treatment until the 20th, else from the next one, until another of its group
    takes its place. Sorted by date as the default has it, no later debit changes what was known; by historical number,
    as the reference has it, one that is dated out of order may.
    """
    facts = context.facts("debit")
    late = when(day_of(facts.c.date_traitement) > number(20), number(1), number(0))
    counted = (month_of(facts.c.date_traitement) + late).label("debut")
    parts = [
        cents(func.coalesce(facts.c[name], number(0))).label(short)
        for name, short in (("part_ouvriere", "ouvriere"), ("part_patronale", "patronale"))
    ]
    group = ["numero", "periode_debut", "periode_fin", "numero_ecart_negatif", "numero_compte"]
    known = select(
        *(facts.c[name] for name in group), facts.c.numero_historique, facts.c.date_traitement, counted, *parts
    ).subquery("debits_connus")
    order = [known.c.numero_historique, known.c.date_traitement]
    if not context.setting.compat:
        order = [known.c.debut, known.c.numero_historique, known.c.date_traitement]
    following = func.lead(known.c.debut, type_=Integer()).over(
        partition_by=[known.c[name] for name in group],
        order_by=[*order, known.c.ouvriere, known.c.patronale],
    )
    chained = select(
        known.c.numero, known.c.debut, known.c.ouvriere, known.c.patronale, following.label("suivant")
    ).subquery("debits_suivis")
    first = number(context.setting.first - margin)
    after = number(context.setting.after)
    end = func.coalesce(chained.c.suivant, after, type_=Integer())
    spans = (
        select(
            chained.c.numero,
            func.greatest(chained.c.debut, first, type_=Integer()).label("debut"),
            end.label("fin"),
            chained.c.ouvriere,
            chained.c.patronale,
        )
        # One that is replaced the same month, or by an older one, never counts.
        .where(end > chained.c.debut, end > first, chained.c.debut < after)
        .cte("debits_courants")
    )
    begun = select(spans.c.numero, spans.c.debut.label("mois"), spans.c.ouvriere, spans.c.patronale)
    ended = select(
        spans.c.numero,
        spans.c.fin.label("mois"),
        (-spans.c.ouvriere).label("ouvriere"),
        (-spans.c.patronale).label("patronale"),
    ).where(spans.c.fin < after)
    moves = union_all(begun, ended).subquery("mouvements")
    return (
        select(
            moves.c.numero,
            moves.c.mois,
            func.sum(moves.c.ouvriere, type_=Double()).label("ouvriere"),
            func.sum(moves.c.patronale, type_=Double()).label("patronale"),
        )
        .group_by(moves.c.numero, moves.c.mois)
        .subquery("mouvements_mois")
    )


def _rows(context: Context) -> Select[Any]:
    grid: Any = context.grid()
    if context.setting.compat:
        called, owed = context.facts("cotisation"), context.facts("debit")
        both = (
            select(called.c.numero)
            .where(called.c.numero.in_(select(owed.c.numero)))
            .distinct()
            .cte("cotisants_endettes")
        )
        grid = context.some(both, "cotisants")
    dues, moves = called_by_month(context), debt_movements(context)
    window = monthly(grid)
    joined = grid.outerjoin(dues, context.on_grid(grid, dues)).outerjoin(moves, context.on_grid(grid, moves))
    owed_by = {
        name: func.sum(func.coalesce(moves.c[name], number(0.0)), type_=Double()).over(**window).label(name)
        for name in ("ouvriere", "patronale")
    }
    first = select(grid.c.numero, grid.c.mois, dues.c.du, *owed_by.values()).select_from(joined).subquery("dettes")
    return _tagged(context, _compared(first))


def _compared(rows: Subquery) -> Subquery:
    """Add means over twelve months, the past, and whether there was a debt in six months."""
    window = monthly(rows)
    year = {**window, "rows": (-11, 0)}
    debt = rows.c.ouvriere + rows.c.patronale
    # In a month without debt the quotient is 0 and not merely absent.
    ratio = when(rows.c.du != number(0.0), debt * number(UNIT) / func.nullif(rows.c.du, number(0.0), type_=Double()))
    return select(
        *rows.c,
        debt.label("dette"),
        func.sum(rows.c.du, type_=Double()).over(**year).label("du_annee"),
        func.count(rows.c.du).over(**year).label("mois_dus"),
        func.sum(ratio, type_=Double()).over(**year).label("rapports"),
        func.count(ratio).over(**year).label("mois_rapportes"),
        func.max(debt, type_=Double()).over(**{**window, "rows": (-5, 0)}).label("dette_semestre"),
        *(
            before(rows.c[name], n, window).label(f"{name}_{n}")
            for name in ("ouvriere", "patronale")
            for n in DEBT_PAST
        ),
    ).subquery("comparees")


def _tagged(context: Context, rows: Subquery) -> Select[Any]:
    whole = and_(rows.c.mois_dus == number(12), rows.c.du_annee > number(0.0))
    divisor: Any = func.nullif(rows.c.du_annee, number(0.0), type_=Double())
    ratio = when(whole, rows.c.dette * number(UNIT * 12.0) / divisor)
    judged = select(*rows.c, ratio.label("ratio")).subquery("jugees")
    window: dict[str, Any] = monthly(judged)
    if context.setting.compat:
        # A month without ratio, or with none to speak of, is as if it were not there.
        counted = case((judged.c.ratio != number(0.0), number(1)), else_=number(0))
        window["partition_by"] = [judged.c.numero, counted]
    high = when(judged.c.ratio > number(1.0), number(1), number(0))
    three = func.sum(high, type_=Integer()).over(**window, rows=(-2, 0))
    tagged = select(*judged.c, three.label("trois")).subquery("marquees")
    c = tagged.c
    tags: dict[str, Any] = {
        "tag_debit": c.ratio > number(0.01),
        "tag_default": and_(c.ratio > number(1.0), c.trois == number(3)),
    }
    full = and_(c.mois_dus == number(12), c.du_annee > number(0.0))
    values: dict[str, Any] = {
        "cotisation": c.du / number(_EUROS),
        "montant_part_ouvriere": c.ouvriere / number(100.0),
        "montant_part_patronale": c.patronale / number(100.0),
        **{
            f"montant_part_{name}_past_{n}": c[f"{name}_{n}"] / number(100.0)
            for name in ("ouvriere", "patronale")
            for n in DEBT_PAST
        },
        "interessante_urssaf": ~(c.dette_semestre > number(0.0)),
        "cotisation_moy12m": when(c.mois_dus == number(12), c.du_annee / number(_EUROS * 12.0)),
        "ratio_dette": c.ratio,
        "ratio_dette_moy12m": when(and_(full, c.mois_rapportes == number(12)), c.rapports / number(12.0)),
        **{name: when(condition, true()) for name, condition in tags.items()},
    }
    return select(c.numero, c.mois, *(value.label(name) for name, value in values.items()))


_BOTH = ("cotisation", "debit")
_NEEDS_BOTH = "définie seulement pour un établissement qui a des cotisations et des débits, fussent-ils à venir"
_UNSAID = "sans valeur, et non faux, quand elle n'est pas vraie"

COTISATIONS = Family(
    "cotisations",
    "Cotisations et dettes sociales",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "cotisation",
            NUMBER,
            "somme des cotisations dues dont la période couvre t, chacune divisée par le nombre de mois de sa période",
            "euros",
            ("cotisation",),
            "aucune cotisation ne couvre t",
            _NEEDS_BOTH,
        ),
        *(
            Variable(
                f"montant_part_{name}",
                NUMBER,
                f"somme des parts {plural} des débits en cours à t ; un débit est en cours du mois de son traitement "
                "(le suivant si le jour dépasse 20) à celui où un autre de même période, écart négatif et compte le "
                "remplace ; 0 sans débit",
                "euros",
                ("debit",),
                "",
                "absent d'un établissement sans cotisation ou sans débit ; les débits se remplacent dans l'ordre de "
                "leur numéro historique, même si leurs dates le contredisent",
            )
            for name, plural in (("ouvriere", "ouvrières"), ("patronale", "patronales"))
        ),
        *(
            Variable(
                f"montant_part_{name}_past_{n}",
                NUMBER,
                f"montant_part_{name} au mois t − {n}",
                "euros",
                ("debit",),
                f"t − {n} précède date_debut",
                _NEEDS_BOTH,
            )
            for name in ("ouvriere", "patronale")
            for n in DEBT_PAST
        ),
        Variable(
            "interessante_urssaf",
            BOOLEAN,
            "vrai si aucune dette n'existe de t − 5 à t (depuis date_debut)",
            "",
            ("debit",),
            "",
            "vrai aussi pour un établissement qui a des débits et aucune cotisation",
            default=True,
            default_compat=True,
        ),
        Variable(
            "cotisation_moy12m",
            NUMBER,
            "moyenne de cotisation de t − 11 à t",
            "euros",
            ("cotisation",),
            "un des 12 mois précède date_debut ou n'a pas de cotisation",
            _NEEDS_BOTH,
        ),
        Variable(
            "ratio_dette",
            NUMBER,
            "(montant_part_ouvriere + montant_part_patronale) / cotisation_moy12m",
            "",
            _BOTH,
            "cotisation_moy12m n'est pas définie ou n'est pas positive",
            _NEEDS_BOTH,
        ),
        Variable(
            "ratio_dette_moy12m",
            NUMBER,
            "moyenne de t − 11 à t de (montant_part_ouvriere + montant_part_patronale) / cotisation",
            "",
            _BOTH,
            "cotisation_moy12m n'est pas définie ou positive, ou une cotisation de ces mois est nulle",
            _NEEDS_BOTH,
        ),
        Variable("tag_debit", BOOLEAN, "vrai si ratio_dette > 0,01", "", _BOTH, "", _UNSAID, default=False),
        Variable(
            "tag_default",
            BOOLEAN,
            "vrai si ratio_dette > 1 à t, t − 1 et t − 2",
            "",
            _BOTH,
            "",
            "un mois sans ratio_dette, ou à 0, est sauté sans interrompre la suite des trois mois ; " + _UNSAID,
            default=False,
        ),
    ),
    Level.MONTH,
    _rows,
)

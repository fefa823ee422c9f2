"""Contributions called, debts to the URSSAF, and what compares them.

Contributions are counted in a unit that twelve months divide without remainder, debts in hundredths of a euro: sums are
exact in whatever order, so that 0 is 0 and a threshold is met or not, alike on every engine.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    func,
    select,
    true,
    union_all,
)

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import BOOLEAN, NUMBER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import (
    Over,
    before,
    cents,
    day_of,
    double,
    month_of,
    monthly,
    number,
    when,
)

__all__ = [
    "COTISATIONS",
    "DEBT_PAST",
    "UNIT",
    "called_by_month",
    "compared",
    "debt_movements",
    "debt_values",
    "year_of",
]

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
    year = _years(context)
    owed = compared(context, year)
    values = (value.label(name) for name, value in debt_values(context, year, owed).items())
    return select(year.c.numero, year.c.mois, *values).select_from(year.outerjoin(owed, context.on_grid(year, owed)))


def _years(context: Context) -> CTE:
    """Every month and what `year_of` gives."""
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
    dues = called_by_month(context)
    return (
        select(grid.c.numero, grid.c.mois, *year_of(dues, monthly(grid)))
        .select_from(grid.outerjoin(dues, context.on_grid(grid, dues)))
        .cte("cotisations_annee")
    )


def year_of(dues: FromClause, window: Over) -> tuple[ColumnElement[Any], ...]:
    """Return contributions of a month and of its twelve months: ``du``, ``du_annee``, ``moindre``.

    ``moindre`` is 0 where one of the twelve months that are there is not known, 1 where one is nothing, 2 elsewhere.
    """
    year = {**window, "rows": (-11, 0)}
    known = case((dues.c.du == number(0.0), number(1)), (dues.c.du.is_not(None), number(2)), else_=number(0))
    return (
        dues.c.du,
        func.sum(dues.c.du, type_=Double()).over(**year).label("du_annee"),
        func.min(known, type_=Integer()).over(**year).label("moindre"),
    )


def compared(context: Context, year: CTE) -> Subquery:
    """Debts of those who have ever had any, compared with contributions, with their past.

    ``dette_semestre`` is the most that was owed in six months; ``trois``, in how many of three months more than a mean
    contribution was.
    """
    moves = context.shared("mouvements_dettes", lambda: select(debt_movements(context)))
    grid = context.some(moves, "endettes")
    owed = {
        name: func.sum(func.coalesce(moves.c[name], number(0.0)), type_=Double()).over(**monthly(grid)).label(name)
        for name in ("ouvriere", "patronale")
    }
    debts = (
        select(grid.c.numero, grid.c.mois, *owed.values())
        .select_from(grid.outerjoin(moves, context.on_grid(grid, moves)))
        .subquery("dettes")
    )
    debt = debts.c.ouvriere + debts.c.patronale
    # In a month without debt the quotient is 0 and not merely absent.
    share = when(year.c.du != number(0.0), debt * number(UNIT) / func.nullif(year.c.du, number(0.0), type_=Double()))
    divisor: Any = func.nullif(year.c.du_annee, number(0.0), type_=Double())
    judged = (
        select(
            *debts.c,
            debt.label("dette"),
            share.label("rapport"),
            when(_whole(context, year), debt * number(UNIT * 12.0) / divisor).label("ratio"),
        )
        .select_from(debts.join(year, context.on_grid(debts, year)))
        .subquery("jugees")
    )
    window: dict[str, Any] = monthly(judged)
    high = when(judged.c.ratio > number(1.0), number(1.0), number(0.0))
    run = window
    if context.setting.compat:
        # A month without ratio, or with none to speak of, is as if it were not there.
        counted = case((judged.c.ratio != number(0.0), number(1)), else_=number(0))
        run = {**window, "partition_by": [judged.c.numero, counted]}
    return select(
        *judged.c,
        func.sum(judged.c.rapport, type_=Double()).over(**window, rows=(-11, 0)).label("rapports"),
        func.max(judged.c.dette, type_=Double()).over(**window, rows=(-5, 0)).label("dette_semestre"),
        func.sum(high, type_=Double()).over(**run, rows=(-2, 0)).label("trois"),
        *(
            before(judged.c[name], n, window).label(f"{name}_{n}")
            for name in ("ouvriere", "patronale")
            for n in DEBT_PAST
        ),
    ).subquery("comparees")


def _year_known(context: Context, year: FromClause, least: int) -> ColumnElement[bool]:
    """Whether the twelve months are there, none of them being less than `_years` says."""
    return and_(year.c.mois >= number(context.setting.first + 11), year.c.moindre >= number(least))


def _whole(context: Context, year: FromClause) -> ColumnElement[bool]:
    return and_(_year_known(context, year, 1), year.c.du_annee > number(0.0))


def debt_values(context: Context, year: FromClause, owed: FromClause) -> dict[str, Any]:
    """Return the variables of a month, debts of who has ever had any being joined to the contributions of all."""
    first, nothing = context.setting.first, number(0.0)
    ratio = when(_whole(context, year), func.coalesce(owed.c.ratio, nothing, type_=Double()))

    def euros(name: str) -> Any:
        return func.coalesce(owed.c[name], nothing, type_=Double()) / number(100.0)

    tags: dict[str, Any] = {
        "tag_debit": owed.c.ratio > number(0.01),
        "tag_default": and_(owed.c.ratio > number(1.0), owed.c.trois == number(3.0)),
    }
    return {
        "cotisation": year.c.du / number(_EUROS),
        "montant_part_ouvriere": euros("ouvriere"),
        "montant_part_patronale": euros("patronale"),
        **{
            f"montant_part_{name}_past_{n}": when(year.c.mois >= number(first + n), euros(f"{name}_{n}"))
            for name in ("ouvriere", "patronale")
            for n in DEBT_PAST
        },
        "interessante_urssaf": ~(func.coalesce(owed.c.dette_semestre, nothing, type_=Double()) > nothing),
        "cotisation_moy12m": when(_year_known(context, year, 1), year.c.du_annee / number(_EUROS * 12.0)),
        "ratio_dette": ratio,
        "ratio_dette_moy12m": when(
            and_(_whole(context, year), _year_known(context, year, 2)),
            func.coalesce(owed.c.rapports, nothing, type_=Double()) / number(12.0),
        ),
        **{name: when(condition, true()) for name, condition in tags.items()},
    }


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

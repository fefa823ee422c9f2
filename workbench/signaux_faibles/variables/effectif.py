"""Workforce: of the établissement, and of the entreprise under the prefix ``effectif_ent``."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import CTE, BigInteger, Select, Subquery, Text, and_, func, null, select

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import INTEGER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import before, month_of, monthly, number, text, when

__all__ = ["CARRIED", "EFFECTIF", "EFFECTIF_ENT", "PACK", "PAST", "as_known", "effectif_by_month"]

PAST = (6, 12, 18, 24)
CARRIED = 12
"""Months for which a workforce that is not said again stands."""
PACK = 2**40
"""A month and a workforce in one number: the latest month has the largest, whatever its workforce."""


def effectif_by_month(context: Context, type_: str, *, company: bool = False) -> Subquery:
    """Return what was declared: ``numero``, ``mois``, ``effectif``, one row a month of an entity."""
    facts = context.facts(type_, company=company)
    several = "numero_compte" in facts.c
    key = "siret" if "siret" in facts.c else "siren"
    compte = func.coalesce(facts.c.numero_compte, text(""), type_=Text()) if several else text("")
    month = month_of(facts.c.periode)
    # The same account twice in a month is one declaration and its correction: one of them counts.
    accounts = (
        select(
            facts.c.numero,
            facts.c[key].label("entite"),
            month.label("mois"),
            compte.label("compte"),
            func.max(facts.c.effectif, type_=BigInteger()).label("effectif"),
        )
        .where(facts.c.effectif.is_not(None))
        .group_by(facts.c.numero, facts.c[key], month, *([compte] if several else []))
        .subquery(f"comptes_{type_}")
    )
    if not several:
        return accounts
    summed: Any = func.sum(accounts.c.effectif, type_=BigInteger())
    if context.setting.compat and context.by_siret:
        summed = func.arg_max(accounts.c.effectif, accounts.c.compte, type_=BigInteger())
    return (
        select(accounts.c.numero, accounts.c.mois, summed.label("effectif"))
        .group_by(accounts.c.numero, accounts.c.mois)
        .subquery(f"mois_{type_}")
    )


def _shared(context: Context, type_: str) -> CTE:
    def made() -> Select[Any]:
        declared = effectif_by_month(context, type_)
        return select(declared.c.numero, declared.c.mois, declared.c.effectif)

    return context.shared(f"declare_{type_}", made)


def _rows(type_: str, prefix: str, context: Context) -> Select[Any]:
    grid = context.company_grid(24) if type_ == "effectif_ent" else context.grid(24)
    declared = _shared(context, type_)
    made = _compat if context.setting.compat else _corrige
    inner, value, carried = made(context, declared, grid)
    named = [value.label(prefix), carried.label(f"{prefix}_reporte")]
    rows = select(
        inner.c.numero, inner.c.mois, *named, *(inner.c[f"past_{n}"].label(f"{prefix}_past_{n}") for n in PAST)
    )
    return rows.where(inner.c.mois >= number(context.setting.first))


def _compat(context: Context, declared: CTE, grid: CTE) -> tuple[Subquery, Any, Any]:
    delay = context.setting.delay
    at, late, last = (declared.alias(f"{declared.name}_{name}") for name in ("a", "tard", "dernier"))
    expected = context.setting.after - delay
    joined = (
        grid.outerjoin(at, context.on_grid(grid, at))
        .outerjoin(late, and_(late.c.numero == grid.c.numero, late.c.mois + number(delay - 1) == grid.c.mois))
        .outerjoin(last, and_(last.c.numero == grid.c.numero, last.c.mois == number(expected)))
    )
    past = [before(late.c.effectif, n, monthly(grid)).label(f"past_{n}") for n in PAST]
    # A zero of the month itself gives way to what is carried; carried, or past, it is a zero.
    own = func.nullif(at.c.effectif, number(0), type_=INTEGER).label("propre")
    inner = select(grid.c.numero, grid.c.mois, own, last.c.effectif.label("reporte"), *past).select_from(joined)
    rows = inner.subquery(f"fenetre_{declared.name}")
    return (
        rows,
        func.coalesce(rows.c.propre, rows.c.reporte, type_=INTEGER),
        when(rows.c.propre.is_(None), number(1), number(0)),
    )


def as_known(context: Context, declared: Any, margin: int) -> Subquery:
    """Return workforces by the month when they become known: ``numero``, ``mois``, ``paquet``, ``propre``, ``dit``.

    ``paquet`` is the greater the later, ``dit`` is the month that it is of, ``propre`` the workforce of the month
    expected. Older ones are put together in the first month of the margin.
    """
    late = max(context.setting.delay, 1) - 1
    start = number(context.setting.first - margin)
    known = declared.c.mois + number(late)
    placed = func.greatest(known, start, type_=INTEGER)
    value = func.least(func.greatest(declared.c.effectif, number(0)), number(PACK - 1), type_=INTEGER)
    packed = func.max(declared.c.mois * number(PACK) + value, type_=INTEGER)
    return (
        select(
            declared.c.numero,
            placed.label("mois"),
            packed.label("paquet"),
            func.max(when(known >= start, value), type_=INTEGER).label("propre"),
            func.max(declared.c.mois, type_=INTEGER).label("dit"),
        )
        .group_by(declared.c.numero, placed)
        .subquery(f"place_{declared.name}")
    )


def _corrige(context: Context, declared: CTE, grid: CTE) -> tuple[Subquery, Any, Any]:
    told, window = as_known(context, declared, 24), monthly(grid)
    joined = grid.outerjoin(told, context.on_grid(grid, told))
    rows = (
        select(
            grid.c.numero,
            grid.c.mois,
            func.max(told.c.paquet, type_=INTEGER).over(**window).label("paquet"),
            func.max(told.c.dit, type_=INTEGER).over(**window).label("dit"),
            *(before(told.c.propre, n, window).label(f"past_{n}") for n in PAST),
        )
        .select_from(joined)
        .subquery(f"fenetre_{declared.name}")
    )
    age = rows.c.mois - number(max(context.setting.delay, 1) - 1) - rows.c.dit
    fresh = age < number(CARRIED)
    return (
        rows,
        when(fresh, rows.c.paquet - rows.c.dit * number(PACK)),
        when(fresh, when(age > number(0), number(1), number(0)), null()),
    )


def _variables(prefix: str, whose: str, source: str) -> tuple[Variable, ...]:
    return (
        Variable(
            prefix,
            INTEGER,
            f"effectif {whose} au dernier mois connu à t (t − k + 1, k étant le délai de livraison, au moins 1), somme "
            f"des comptes ; à défaut, le dernier connu avant, de moins de {CARRIED} mois",
            "salariés",
            (source,),
            f"aucun effectif connu depuis {CARRIED} mois",
            "effectif du mois t même s'il n'est livré que k mois plus tard ; s'il manque ou vaut 0, celui du mois "
            "date_fin_effectif et d'aucun autre ; de plusieurs comptes, le dernier et non la somme",
        ),
        Variable(
            f"{prefix}_reporte",
            INTEGER,
            f"1 si {prefix} vient d'un mois plus ancien que celui qui était attendu, 0 sinon",
            "",
            (source,),
            f"{prefix} n'est pas défini",
            "1 dès que l'effectif du mois t manque ou vaut 0, même si rien n'est reporté",
        ),
        *(
            Variable(
                f"{prefix}_past_{n}",
                INTEGER,
                f"effectif {whose} au mois t − {n} − k + 1, tel que déclaré, jamais reporté",
                "salariés",
                (source,),
                "ce mois n'est pas connu",
                "k peut être négatif",
            )
            for n in PAST
        ),
    )


EFFECTIF = Family(
    "effectif",
    "Effectif de l'établissement",
    Scope.ETABLISSEMENT,
    _variables("effectif", "de l'établissement", "effectif"),
    Level.MONTH,
    partial(_rows, "effectif", "effectif"),
)
EFFECTIF_ENT = Family(
    "effectif_ent",
    "Effectif de l'entreprise",
    Scope.ETABLISSEMENT,
    _variables("effectif_ent", "de l'entreprise", "effectif_ent"),
    Level.COMPANY_MONTH,
    partial(_rows, "effectif_ent", "effectif_ent"),
    of_company=True,
)

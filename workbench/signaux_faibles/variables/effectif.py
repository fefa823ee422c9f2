"""Workforce: of the établissement, and of the entreprise under the prefix ``effectif_ent``."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import CTE, BigInteger, Select, Subquery, Text, and_, cast, func, select, union_all

from workbench.signaux_faibles.variables.context import Context
from workbench.signaux_faibles.variables.declaration import INTEGER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.expressions import before, month_of, monthly, number, text, when

__all__ = ["CARRIED", "EFFECTIF", "EFFECTIF_ENT", "PAST", "as_known", "declared", "effectif_by_month", "stands"]

PAST = (6, 12, 18, 24)
CARRIED = 12
"""Months for which a workforce that is not said again stands."""
PACK = 2**40
"""A month and a workforce in one number: the latest month has the largest, whatever its workforce."""


def effectif_by_month(context: Context, type_: str, *, company: bool = False) -> Subquery:
    """Return what was declared: ``numero``, ``mois``, ``effectif``, one row a month of an entity."""
    facts = context.facts(type_, company=company)
    compte = func.coalesce(facts.c.numero_compte, text(""), type_=Text()) if "numero_compte" in facts.c else None
    # An établissement has the number of its own only in an output of établissements.
    several = "siret" in facts.c and (company or not context.by_siret)
    month = month_of(facts.c.periode)
    group = [facts.c.numero, month, *([] if compte is None else [compte]), *([facts.c.siret] if several else [])]
    # The same account twice in a month is one declaration and its correction: one of them counts.
    accounts = (
        select(
            facts.c.numero,
            month.label("mois"),
            (text("") if compte is None else compte).label("compte"),
            func.max(facts.c.effectif, type_=BigInteger()).label("effectif"),
        )
        .where(facts.c.effectif.is_not(None))
        .group_by(*group)
        .subquery(f"comptes_{type_}")
    )
    if compte is None and not several:
        return accounts
    # Engines sum whole numbers into wider ones, which cost several times as much from there on.
    summed: Any = cast(func.sum(accounts.c.effectif), BigInteger)
    if context.setting.compat and context.by_siret:
        summed = func.arg_max(accounts.c.effectif, accounts.c.compte, type_=BigInteger())
    return (
        select(accounts.c.numero, accounts.c.mois, summed.label("effectif"))
        .group_by(accounts.c.numero, accounts.c.mois)
        .subquery(f"mois_{type_}")
    )


def declared(context: Context, type_: str) -> CTE:
    """Return what `effectif_by_month` does, made once for all families."""

    def made() -> Select[Any]:
        by_month = effectif_by_month(context, type_)
        return select(by_month.c.numero, by_month.c.mois, by_month.c.effectif)

    return context.shared(f"declare_{type_}", made)


def _rows(type_: str, prefix: str, context: Context) -> Select[Any]:
    grid = context.company_grid(24) if type_ == "effectif_ent" else context.grid(24)
    made = _compat if context.setting.compat else _corrige
    inner, value, carried = made(context, declared(context, type_), grid)
    named = [value.label(prefix), carried.label(f"{prefix}_reporte")]
    rows = select(
        inner.c.numero, inner.c.mois, *named, *(inner.c[f"past_{n}"].label(f"{prefix}_past_{n}") for n in PAST)
    )
    return rows.where(inner.c.mois >= number(context.setting.first))


def _compat(context: Context, told: CTE, grid: CTE) -> tuple[Subquery, Any, Any]:
    delay = context.setting.delay
    at, late, last = (told.alias(f"{told.name}_{name}") for name in ("a", "tard", "dernier"))
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
    rows = inner.subquery(f"fenetre_{told.name}")
    return (
        rows,
        func.coalesce(rows.c.propre, rows.c.reporte, type_=INTEGER),
        when(rows.c.propre.is_(None), number(1), number(0)),
    )


def as_known(context: Context, told: Any, margin: int) -> Subquery:
    """Return workforces by the month when they become known: ``numero``, ``mois``, ``paquet``, ``propre``.

    ``paquet`` is the greater the later (see `stands`), ``propre`` the workforce of the month expected. Older ones are
    put together in the first month of the margin.
    """
    start = number(context.setting.first - margin)
    known = told.c.mois + number(_late(context))
    value = func.least(func.greatest(told.c.effectif, number(0)), number(PACK - 1), type_=INTEGER)
    packed = told.c.mois * number(PACK) + value
    recent = select(told.c.numero, known.label("mois"), packed.label("paquet"), value.label("propre"))
    older = select(
        told.c.numero,
        start.label("mois"),
        func.max(packed, type_=INTEGER).label("paquet"),
        func.max(when(known == start, value), type_=INTEGER).label("propre"),
    )
    return union_all(recent.where(known > start), older.where(known <= start).group_by(told.c.numero)).subquery(
        f"place_{told.name}"
    )


def _late(context: Context) -> int:
    return max(context.setting.delay, 1) - 1


def stands(context: Context, rows: Any) -> tuple[Any, Any]:
    """Return, of rows with ``mois`` and the latest ``paquet``, the workforce that stands and whether it is carried."""
    expected = rows.c.mois - number(_late(context))
    fresh = rows.c.paquet >= (expected - number(CARRIED - 1)) * number(PACK)
    late = when(rows.c.paquet < expected * number(PACK), number(1), number(0))
    return when(fresh, rows.c.paquet % number(PACK)), when(fresh, late)


def _corrige(context: Context, told: CTE, grid: CTE) -> tuple[Subquery, Any, Any]:
    known, window = as_known(context, told, 24), monthly(grid)
    joined = grid.outerjoin(known, context.on_grid(grid, known))
    rows = (
        select(
            grid.c.numero,
            grid.c.mois,
            func.max(known.c.paquet, type_=INTEGER).over(**window).label("paquet"),
            *(before(known.c.propre, n, window).label(f"past_{n}") for n in PAST),
        )
        .select_from(joined)
        .subquery(f"fenetre_{told.name}")
    )
    return (rows, *stands(context, rows))


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

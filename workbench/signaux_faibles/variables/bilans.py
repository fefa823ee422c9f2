"""Balance sheets: each stands for some months from the moment it is thought to be available.

A balance sheet is available seven months after the month that follows its closing. Where several stand in one month
the latest closing wins, even where it leaves a field empty. One or two years later, the past of a field of the Banque
de France is what stood then; that of a field of Diane is the latest that was not empty. The months of a company are
cut where a balance sheet begins or ceases to stand; fields are settled once a piece, and months hold no more than the
number of their piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    and_,
    func,
    select,
    union,
)

from workbench.signaux_faibles.variables.context import MARGIN, Attached, Context
from workbench.signaux_faibles.variables.declaration import (
    DATE,
    INTEGER,
    NUMBER,
    Family,
    Scope,
    Variable,
)
from workbench.signaux_faibles.variables.expressions import month_of, number, when

__all__ = ["AVAILABLE", "BILANS", "DIANE_FIELDS", "Pieces", "pieces"]

AVAILABLE = 8
"""Months from that of a closing to the first one of its balance sheet."""
_BDF_MONTHS, _DIANE_MONTHS = 13, 14
_YEARS = (0, 1, 2)

_RATIOS = {
    "poids_frng": "%",
    "taux_marge": "%",
    "delai_fournisseur": "jours",
    "dette_fiscale": "%",
    "financier_court_terme": "%",
    "frais_financier": "%",
}
_FILLED = {
    "poids_frng": "couverture_ca_fdr / 360 × 100",
    "dette_fiscale": "dette_fiscale_et_sociale / valeur_ajoutee × 100",
    "frais_financier": "interets / (excedent_brut_d_exploitation + produits_financiers + produit_exceptionnel − "
    "charge_exceptionnelle − charges_financieres) × 100",
}
_LEFT_OUT = {"nom_entreprise", "numero_siren", "statut_juridique", "procedure_collective", "siren"}
_NO_PAST = {"arrete_bilan_diane", "exercice_diane"}


def _diane() -> dict[str, tuple[Any, str]]:
    from workbench.signaux_faibles.sources import source_named

    fields = source_named("diane").fields
    return {each.name: (each.type, each.unit) for each in fields if each.name not in _LEFT_OUT}


DIANE_FIELDS = _diane()
"""Type and unit of what is transmitted of Diane."""


@dataclass(frozen=True)
class Pieces:
    """The pieces of the months of companies.

    Parameters
    ----------
    months
        ``numero``, ``mois``, ``debut``: the piece of a month.
    values
        ``numero``, ``debut``, the fields that stand, and those of the past under ``avant_<field>``.
    """

    months: CTE
    values: CTE


def pieces(
    context: Context,
    type_: str,
    closing: str,
    months: int,
    fields: Sequence[str],
    past: Sequence[str],
    order: Sequence[str],
) -> Pieces:
    """Cut the months of companies where the balance sheets of a source begin and cease to stand.

    Parameters
    ----------
    context
        The plan.
    type_
        The source.
    closing
        Its field that holds the day of closing.
    months
        For how long a balance sheet stands.
    fields, past
        Fields read of the balance sheet that stands, and of the latest that has them.
    order
        Fields that tell which of two closings of one day is the later.
    """
    facts = context.facts(type_, company=True)
    rank = func.row_number().over(
        partition_by=facts.c.numero, order_by=[facts.c[closing], *(facts.c[name].nulls_first() for name in order)]
    )
    start = (month_of(facts.c[closing]) + number(AVAILABLE)).label("debut")
    needed = list(dict.fromkeys([*fields, *past]))
    sheets = (
        select(facts.c.numero, rank.label("rang"), start, *(facts.c[name] for name in needed))
        .where(facts.c[closing].is_not(None))
        .cte(f"bilans_{type_}")
    )
    ends = sheets.c.debut + number(months)
    bounds = union(
        select(sheets.c.numero, sheets.c.debut.label("borne")), select(sheets.c.numero, ends.label("borne"))
    ).subquery(f"bornes_{type_}")
    following = func.lead(bounds.c.borne, type_=Integer()).over(partition_by=bounds.c.numero, order_by=bounds.c.borne)
    cut = select(bounds.c.numero, bounds.c.borne.label("debut"), following.label("fin")).subquery(f"morceaux_{type_}")
    standing = and_(
        sheets.c.numero == cut.c.numero, sheets.c.debut <= cut.c.debut, ends > cut.c.debut, cut.c.fin.is_not(None)
    )
    settled = (
        select(
            cut.c.numero,
            cut.c.debut,
            cut.c.fin,
            func.max(sheets.c.rang, type_=INTEGER).label("dernier"),
            *(
                func.arg_max(sheets.c[name], sheets.c.rang, type_=sheets.c[name].type).label(f"avant_{name}")
                for name in past
            ),
        )
        .select_from(cut.join(sheets, standing))
        .group_by(cut.c.numero, cut.c.debut, cut.c.fin)
        .cte(f"morceaux_tenus_{type_}")
    )
    latest = sheets.alias(f"dernier_{type_}")
    values = (
        select(
            settled.c.numero,
            settled.c.debut,
            *(latest.c[name] for name in fields),
            *(settled.c[f"avant_{name}"] for name in past),
        )
        .select_from(
            settled.join(latest, and_(latest.c.numero == settled.c.numero, latest.c.rang == settled.c.dernier))
        )
        .cte(f"valeurs_{type_}")
    )
    spread = context.spread(
        select(settled.c.numero, settled.c.debut, settled.c.fin), f"mois_{type_}", margin=min(24, MARGIN)
    )
    kept = select(spread.c.numero, spread.c.mois, spread.c.debut).cte(f"mois_tenus_{type_}")
    return Pieces(kept, values)


def _attach(context: Context, output: Attached) -> Attached:
    wanted = context.wanted
    years = {"": 0, "_past_1": 1, "_past_2": 2}
    always = ["arrete_bilan_diane"]
    used = ["couverture_ca_fdr", "dette_fiscale_et_sociale", "valeur_ajoutee", "interets", *_FRAIS]
    ratios = [name for name in _RATIOS if any(name + suffix in wanted for suffix in years)]
    of_diane = [name for name in DIANE_FIELDS if name in wanted or name in always or (ratios and name in used)]
    before = [
        name for name in DIANE_FIELDS if name not in _NO_PAST and any(f"{name}_past_{n}" in wanted for n in (1, 2))
    ]
    bdf = pieces(
        context,
        "bdf",
        "arrete_bilan_bdf",
        _BDF_MONTHS,
        ("arrete_bilan_bdf", "annee_bdf", *ratios),
        (),
        ("annee_bdf", *ratios),
    )
    diane = pieces(
        context,
        "diane",
        "arrete_bilan_diane",
        _DIANE_MONTHS,
        of_diane,
        before,
        ("exercice_diane", "nombre_mois", "ca", "valeur_ajoutee", "benefice_ou_perte"),
    )
    rows: FromClause = output.rows
    at: dict[tuple[str, int], FromClause] = {}
    for year in _YEARS:
        for name, cut in (("bdf", bdf), ("diane", diane)):
            rows, at[name, year] = _joined(output.cells, rows, cut, name, year)
    columns = dict(output.columns)
    now_bdf, now = at["bdf", 0], at["diane", 0]
    columns |= {name: now_bdf.c[name] for name in ("arrete_bilan_bdf", "annee_bdf")}
    exercice: ColumnElement[Any] = now_bdf.c.annee_bdf - number(1)
    columns["exercice_bdf"] = func.coalesce(exercice, number(0), type_=INTEGER) if context.setting.compat else exercice
    columns |= {name: now.c[name] for name in of_diane}
    for name in before:
        columns |= {f"{name}_past_{n}": at["diane", n].c[f"avant_{name}"] for n in (1, 2)}
    for name in ratios:
        for suffix, year in years.items():
            told = at["bdf", year].c[name]
            filled = _from_diane(name, at["diane", year])
            if filled is not None and year and context.setting.compat:
                # The reference fills the months of its output, and looks no further back.
                filled = when(output.cells.c.mois >= number(context.setting.first + 12 * year), filled)
            columns[name + suffix] = told if filled is None else func.coalesce(told, filled, type_=NUMBER)
    return Attached(output.cells, rows, columns)


def _joined(keys: FromClause, rows: FromClause, cut: Pieces, name: str, year: int) -> tuple[FromClause, FromClause]:
    months, values = cut.months.alias(f"mois_{name}_{year}"), cut.values.alias(f"{name}_{year}")
    company, month = keys.c.siren_numero, keys.c.mois - number(12 * year)
    rows = rows.outerjoin(months, and_(months.c.numero == company, months.c.mois == month))
    rows = rows.outerjoin(values, and_(values.c.numero == months.c.numero, values.c.debut == months.c.debut))
    return rows, values


_FRAIS = (
    "excedent_brut_d_exploitation",
    "produits_financiers",
    "produit_exceptionnel",
    "charge_exceptionnelle",
    "charges_financieres",
)


def _from_diane(name: str, sheet: FromClause) -> ColumnElement[Any] | None:
    """Return a ratio of the Banque de France as Diane's figures give it."""
    c = sheet.c
    hundred = number(100.0)
    if name == "poids_frng":
        return c.couverture_ca_fdr / number(360.0) * hundred
    if name == "dette_fiscale":
        return c.dette_fiscale_et_sociale / func.nullif(c.valeur_ajoutee, number(0.0), type_=Double()) * hundred
    if name == "frais_financier":
        ebe, financial, exceptional, charge, charges = (c[each] for each in _FRAIS)
        base = ebe + financial + exceptional - charge - charges
        return c.interets / func.nullif(base, number(0.0), type_=Double()) * hundred
    return None


_STANDS = "aucun bilan valable à t"
_DIANE_STANDS = f"un bilan vaut {_DIANE_MONTHS} mois à partir du {AVAILABLE}e mois après celui de sa clôture"
_BDF_STANDS = f"un bilan vaut {_BDF_MONTHS} mois à partir du {AVAILABLE}e mois après celui de sa clôture"


def _bdf_variables() -> tuple[Variable, ...]:
    found = [
        Variable("arrete_bilan_bdf", DATE, f"clôture du bilan valable à t ; {_BDF_STANDS}", "", ("bdf",), _STANDS),
        Variable("annee_bdf", INTEGER, "année du bilan valable à t", "année", ("bdf",), _STANDS),
        Variable(
            "exercice_bdf", INTEGER, "annee_bdf − 1", "année", ("bdf",), _STANDS, "0 sans bilan de la Banque de France"
        ),
    ]
    for name, unit in _RATIOS.items():
        filled = f" ; à défaut, {_FILLED[name]} (Diane)" if name in _FILLED else ""
        found.append(Variable(name, NUMBER, f"{name} du bilan valable à t{filled}", unit, ("bdf", "diane"), _STANDS))
        before = "sans valeur si Diane seule la donne et que ce mois précède date_debut" if filled else ""
        found += [
            Variable(
                f"{name}_past_{n}",
                NUMBER,
                f"{name} au mois t − {12 * n}",
                unit,
                ("bdf", "diane"),
                "aucun alors",
                before,
            )
            for n in (1, 2)
        ]
    return tuple(found)


def _diane_variables() -> tuple[Variable, ...]:
    found = []
    for name, (kind, unit) in DIANE_FIELDS.items():
        words = (
            f"{name} du bilan valable à t ; {_DIANE_STANDS}"
            if name == "arrete_bilan_diane"
            else f"{name} du bilan valable à t"
        )
        found.append(
            Variable(name, kind, words, unit, ("diane",), "aucun bilan valable à t, ou champ vide de ce bilan")
        )
        if name not in _NO_PAST:
            found += [
                Variable(
                    f"{name}_past_{n}",
                    kind,
                    f"{name}, s'il n'est pas vide, du dernier bilan valable au mois t − {12 * n}",
                    unit,
                    ("diane",),
                    "aucun alors",
                )
                for n in (1, 2)
            ]
    return tuple(found)


BILANS = Family(
    "bilans",
    "Bilans de la Banque de France et de Diane",
    Scope.ETABLISSEMENT,
    (*_bdf_variables(), *_diane_variables()),
    attach=_attach,
    of_company=True,
)

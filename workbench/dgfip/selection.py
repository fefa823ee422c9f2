"""Which budgets an analysis takes, and what their balances add up to.

It is one module because criteria are written, judged and turned into statements side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, SupportsInt

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    column,
    func,
    null,
    or_,
    select,
    table,
    union_all,
)

from workbench.dgfip.base import Base
from workbench.dgfip.epci import belongs_to, commune_code
from workbench.dgfip.reference import departements as known_departements
from workbench.dgfip.schema import AMOUNTS, balances, budgets, collectivites, imports, populations
from workbench.dgfip.values import constant
from workbench.display import facts, view
from workbench.errors import WorkbenchError, require_kind

__all__ = [
    "BUDGETS",
    "Perimetre",
    "criteria_conditions",
    "keeps_nomenclature",
    "perimetre",
    "select_budgets",
    "sum_comptes",
    "under_nomenclature",
    "with_population",
]

BUDGETS = pa.schema(
    [
        ("siret", pa.string()),
        ("exercice", pa.int64()),
        ("siren", pa.string()),
        ("libelle", pa.string()),
        ("population", pa.int64()),
        ("nomenclature", pa.string()),
        ("nomenclature_detail", pa.string()),
        ("type_budget", pa.string()),
        ("type_etablissement", pa.string()),
        ("etat", pa.string()),
        ("source", pa.string()),
    ]
)
"""Columns of `select_budgets`."""

_CRITERIA = {
    "sirets": "SIRET",
    "sirens": "SIREN",
    "finess": "FINESS",
    "nomenclature": "Nomenclature",
    "departements": "Départements",
    "types": "Types d’établissement",
    "population": "Population",
}


@dataclass(frozen=True)
class Perimetre:
    """A set of budgets, by what they are; `perimetre` makes it from what people write.

    Identifiers (``sirets``, ``sirens``, ``finess``) add up: a budget that one of them names is in.
    The other criteria each narrow the set. None is no criterion; an empty tuple keeps nothing.

    Parameters
    ----------
    sirets, sirens, finess
        Identifiers: a SIREN stands for all its SIRETs.
    nomenclature
        Family of charts: M14 takes M14 and M14A; see `keeps_nomenclature`.
    departements, types
        Codes, and establishment types, on three characters.
    population
        Bounds, both included, judged exercice by exercice; None is no bound.
    epci
        SIRENs of the groupements that budgets belong to in their exercice.
    """

    sirets: tuple[str, ...] | None = None
    sirens: tuple[str, ...] | None = None
    finess: tuple[str, ...] | None = None
    nomenclature: str | None = None
    departements: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    population: tuple[int | None, int | None] | None = None
    epci: tuple[str, ...] | None = None

    def __str__(self) -> str:
        criteria = [(field.name, getattr(self, field.name)) for field in fields(self)]
        said = [f"{name} {_said(value)}" for name, value in criteria if value is not None]
        return ", ".join(said) or "tous les budgets"

    def _repr_html_(self) -> str:
        given = [(name, getattr(self, name)) for name in _CRITERIA if getattr(self, name) is not None]
        said = [(_CRITERIA[name], _said(value) or "aucun") for name, value in given]
        return view(facts(said or [("Budgets", "tous")], "Périmètre"))


Codes = Iterable[str | int] | str | int
"""One code or several, as text or numbers."""


def perimetre(
    *,
    sirets: Codes | None = None,
    sirens: Codes | None = None,
    finess: Codes | None = None,
    nomenclature: str | None = None,
    departements: Codes | None = None,
    types: Codes | None = None,
    population: tuple[int | None, int | None] | None = None,
    epci: Codes | None = None,
) -> Perimetre:
    """Describe a set of budgets.

    Parameters
    ----------
    sirets, sirens, finess
        Identifiers, blanks allowed inside; one or several.
    nomenclature
        M14, M57…; several joined by ``+`` (``"M14+M57"``); ``"M4*"`` for all that start so; None for any.
    departements
        ``"031"``, ``"31"``, ``31``, ``"2A"``; overseas 101 (Guadeloupe) to 106, or 971 to 976.
    types
        Establishment types, ``"101"`` or ``101``.
    population
        Bounds, both included, judged exercice by exercice; 0 or None is no bound.
    epci
        SIRENs of groupements: the budgets of their members, as CCI bases or `import_epci` tell them.

    Returns
    -------
    Perimetre
        Normalised; with no criterion it holds every budget.

    Raises
    ------
    WorkbenchError
        ``identifiant_invalide``, ``perimetre_invalide``.

    Examples
    --------
    >>> wanted = perimetre(sirets="213 300 635 00017", departements=[33, "2A"], population=(1000, 0))
    >>> wanted.sirets, wanted.departements, wanted.population
    (('21330063500017',), ('033', '02A'), (1000, None))
    """
    require_kind(nomenclature, (str, NoneType), "nomenclature", "un texte", 'Par exemple "M14".')
    return Perimetre(
        sirets=_identifiers(sirets, "SIRET", 14),
        sirens=_identifiers(sirens, "SIREN", 9),
        finess=_identifiers(finess, "FINESS", 9),
        nomenclature=_nomenclatures(nomenclature or ""),
        departements=None if departements is None else tuple(_departement(each) for each in _several(departements)),
        types=None if types is None else tuple(_type(each) for each in _several(types)),
        population=_bounds(population),
        epci=_identifiers(epci, "SIREN", 9),
    )


def keeps_nomenclature(criterion: str, nomenclature: str | None) -> bool:
    """Whether a criterion on the nomenclature takes a budget kept under this one.

    Parameters
    ----------
    criterion
        A nomenclature, several joined by ``+``, any with a ``*`` at its end.
    nomenclature
        That of a budget; None when its source names none.

    Examples
    --------
    >>> [keeps_nomenclature("M14+M4*", one) for one in ("M14", "M49", "M4", "M57", None)]
    [True, True, True, False, False]
    """
    found = nomenclature or ""
    return any(
        found.startswith(one[:-1]) if one.endswith("*") else bool(one) and found == one for one in criterion.split("+")
    )


def under_nomenclature(nomenclature: ColumnElement[Any], criterion: str) -> ColumnElement[bool]:
    """Say in SQL what `keeps_nomenclature` says of a column."""
    asked = criterion.split("+")
    return or_(
        nomenclature.in_([one for one in asked if one and not one.endswith("*")]),
        *(nomenclature.startswith(one[:-1], autoescape=True) for one in asked if one.endswith("*")),
    )


def select_budgets(base: Base, perimetre: Perimetre, exercices: Iterable[int] | int | None = None) -> pa.Table:
    """List the budgets of a perimetre, exercice by exercice.

    Parameters
    ----------
    base
        An open base.
    perimetre
        What to keep.
    exercices
        Years; None for all.

    Returns
    -------
    pyarrow.Table
        Columns of `BUDGETS`, one row a (siret, exercice) that has both a balance and a description,
        sorted by exercice then siret. ``etat`` is D (définitif), P (provisoire) or M (both);
        ``source`` is ``balances`` (open data) or ``cci``.
        ``population`` is null when no source gives it.
    """
    conditions, tables = criteria_conditions(perimetre)
    if exercices is not None:
        years = [exercices] if isinstance(exercices, int) else sorted(set(exercices))
        conditions.append(collectivites.c.exercice.in_([int(year) for year in years]))
    # Narrowed first, so that populations are looked up for these budgets alone.
    kept = (
        select(*collectivites.c, budgets.c.etat, imports.c.source)
        .join(budgets, and_(budgets.c.siret == collectivites.c.siret, budgets.c.exercice == collectivites.c.exercice))
        .join(imports, imports.c.import_id == budgets.c.import_id)
        .where(*conditions)
    )
    rows = with_population(kept)
    low, high = perimetre.population or (None, None)
    bounds = [rows.c.population >= low] if low is not None else []
    bounds += [rows.c.population <= high] if high is not None else []
    columns = [rows.c[name] for name in BUDGETS.names]
    statement = select(*columns).where(*bounds).order_by(rows.c.exercice, rows.c.siret)
    return base.fetch(statement, tables).cast(BUDGETS)


def sum_comptes(base: Base, groups: pa.Table) -> pa.Table:
    """Add up the balances of groups of budgets, in one statement.

    Parameters
    ----------
    base
        An open base.
    groups
        Columns ``siret``, ``exercice``, ``groupe`` (integer): which budgets each group takes.

    Returns
    -------
    pyarrow.Table
        ``groupe, exercice, compte`` and the fourteen columns of
        `workbench.dgfip.schema.AMOUNTS` in cents (int64), sorted by groupe, exercice, compte. Rows
        without compte are left out; definitive and provisional rows add up.

    Examples
    --------
    >>> AMOUNTS[:4]
    ('debit_1', 'credit_1', 'debit_2', 'credit_2')
    """
    taken = table("groupes", column("siret"), column("exercice"), column("groupe"))
    key = (taken.c.groupe, balances.c.exercice, balances.c.compte)
    statement = (
        select(*key, *(func.sum(balances.c[name]).cast(BigInteger).label(name) for name in AMOUNTS))
        .select_from(balances)
        .join(taken, and_(taken.c.siret == balances.c.siret, taken.c.exercice == balances.c.exercice))
        .where(balances.c.compte.is_not(None))
        .group_by(*key)
        .order_by(*key)
        # Engines that cut tables into files read those of these budgets alone.
        .execution_options(narrowed_by={"balances": ("groupes", "siret")})
    )
    return base.fetch(statement, {"groupes": groups})


def with_population(described: Select[Any]) -> Subquery:
    """Return rows of ``collectivites`` with the population known for each.

    A population that the description carries goes before those imported apart; among these, one for
    the SIRET before one for the SIREN, that before one for the commune (which serves the bodies that
    own a budget of type 101 there), and one for the exercice before one for any.
    """
    kept = described.cte("kept")
    owners = (
        select(collectivites.c.siren, collectivites.c.exercice)
        .where(collectivites.c.type_etablissement == constant("101"), collectivites.c.siren.in_(select(kept.c.siren)))
        .distinct()
        .subquery("communes")
    )
    commune = case((owners.c.siren.is_not(None), commune_code(kept.c)), else_=null())
    located = (
        select(*kept.c, commune.label("code_commune"))
        .select_from(kept)
        .outerjoin(owners, and_(owners.c.siren == kept.c.siren, owners.c.exercice == kept.c.exercice))
        .cte("located")
    )
    identifiers = union_all(*(select(located.c[name]) for name in ("siret", "siren", "code_commune")))
    relevant = select(populations).where(populations.c.identifiant.in_(identifiers)).cte("relevant")
    joined: FromClause = located
    found: list[ColumnElement[Any]] = [located.c.population]
    # Equality joins on a unique key: at most one row each, whatever the size of the base.
    for nature, identifier in (("siret", "siret"), ("siren", "siren"), ("commune", "code_commune")):
        for dated in (True, False):
            given = relevant.alias(f"{nature}_{'exercice' if dated else 'toujours'}")
            when = given.c.exercice == located.c.exercice if dated else given.c.exercice.is_(None)
            same = and_(given.c.nature == constant(nature), given.c.identifiant == located.c[identifier], when)
            joined = joined.outerjoin(given, same)
            found.append(given.c.population)
    plain = [each for each in located.c if each.name not in {"population", "code_commune"}]
    return select(*plain, func.coalesce(*found).label("population")).select_from(joined).subquery("described")


def criteria_conditions(criteria: Perimetre) -> tuple[list[ColumnElement[bool]], dict[str, pa.Table]]:
    """Return the conditions of a perimetre on ``collectivites``, population apart, and the tables that they name."""
    rows = collectivites.c
    conditions: list[ColumnElement[bool]] = []
    tables: dict[str, pa.Table] = {}
    named: list[ColumnElement[bool]] = []
    for name, own in (("sirets", rows.siret), ("sirens", func.left(rows.siret, 9)), ("finess", rows.finess)):
        values = getattr(criteria, name)
        if values is not None:
            # As a table, because a whole région is thousands of identifiers.
            tables[f"perimetre_{name}"] = pa.table({"identifiant": pa.array(values, pa.string())})
            given: Select[Any] = select(table(f"perimetre_{name}", column("identifiant")).c.identifiant)
            named.append(own.in_(given))
    if named:
        conditions.append(or_(*named))
    if criteria.nomenclature is not None:
        conditions.append(under_nomenclature(rows.nomenclature, criteria.nomenclature))
    if criteria.departements is not None:
        conditions.append(rows.departement.in_(criteria.departements))
    if criteria.epci is not None:
        conditions.append(belongs_to(criteria.epci))
    if criteria.types is not None:
        conditions.append(rows.type_etablissement.in_(criteria.types))
    return conditions, tables


def _several(values: Codes) -> list[str | int]:
    return [values] if isinstance(values, str | int) else list(values)


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ", ".join("∞" if each is None else str(each) for each in value) or "aucun"


def _identifiers(values: Codes | None, nature: str, width: int) -> tuple[str, ...] | None:
    if values is None:
        return None
    found = []
    for value in _several(values):
        text = re.sub(r"[\s.]", "", str(value)).upper()
        if isinstance(value, int):
            text = text.zfill(width)
        if not re.fullmatch(rf"[0-9A-Z]{{{width}}}", text):
            advice = f"Un {nature} a {width} caractères ; celui-ci en a {len(text)}."
            if nature == "SIRET" and re.fullmatch(r"[0-9]{9}", text):
                advice = "Neuf chiffres sont un SIREN : donnez-le comme sirens=[…]."
            elif nature == "SIREN" and re.fullmatch(r"[0-9]{14}", text):
                advice = "Quatorze chiffres sont un SIRET : donnez-le comme sirets=[…]."
            raise WorkbenchError("identifiant_invalide", valeur=value, nature=nature, conseil=advice)
        found.append(text)
    return tuple(dict.fromkeys(found))


_OVERSEAS = {"971": "101", "972": "103", "973": "102", "974": "104", "975": "105", "976": "106"}


def _departement(value: str | int) -> str:
    text = str(value).strip().upper()
    code = _OVERSEAS.get(text, text.zfill(3))
    if code not in known_departements():
        raise WorkbenchError(
            "perimetre_invalide", critere="departements", valeur=value, conseil="Un département s'écrit 031, 31 ou 02A."
        )
    return code


def _nomenclatures(text: str) -> str | None:
    asked = re.sub(r"\s", "", text).upper()
    named = "+".join(filter(None, asked.split("+")))
    if asked and not named:
        raise WorkbenchError(
            "perimetre_invalide", critere="nomenclature", valeur=text, conseil="Par exemple M14, M14+M57 ou M4*."
        )
    return named or None


def _type(value: str | int) -> str:
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise WorkbenchError(
            "perimetre_invalide",
            critere="types",
            valeur=value,
            conseil="Un type d'établissement a trois chiffres : 101.",
        )
    return text.zfill(3)


def _bounds(population: Sequence[int | None] | None) -> tuple[int | None, int | None] | None:
    if population is None:
        return None
    advice = "Donnez deux bornes croissantes : population=(1000, 5000) ; 0 ou None pour aucune."
    if len(population) != 2 or any(
        each is not None and (isinstance(each, bool) or not isinstance(each, SupportsInt) or int(each) < 0)
        for each in population
    ):
        raise WorkbenchError("perimetre_invalide", critere="population", valeur=population, conseil=advice)
    low, high = (each or None for each in population)
    if low is not None and high is not None and low > high:
        raise WorkbenchError("perimetre_invalide", critere="population", valeur=population, conseil=advice)
    return None if low is None and high is None else (low, high)

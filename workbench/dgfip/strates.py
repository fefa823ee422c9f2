"""Population classes: which bodies are compared with which, as data.

``reference_tables/strates.csv`` holds the classes of each scale by establishment type, and
``reference_tables/echelles.csv`` the source of each. A class begins at its ``minimum``, included, and
ends where the next one begins. The scale ``fiches`` follows the sheets that the DGFIP publishes; the
scale ``dotation`` the groups of article L. 2334-3 of the CGCT, for communes alone. Régions are compared
all together in the published sheets, and other bodies have no classes: their population, when they have
one, is that of somebody else.

Only budgets principaux have a class. An annexe budget (water, a housing estate, a home for the elderly)
carries the population of the body that owns it, and serves another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from workbench.dgfip.base import Base
from workbench.dgfip.descriptions import Descriptions
from workbench.dgfip.reference import read_table
from workbench.dgfip.schema import collectivites
from workbench.dgfip.selection import perimetre, select_budgets
from workbench.errors import WorkbenchError

__all__ = [
    "ECHELLE",
    "NO_STRATE",
    "UNKNOWN_POPULATION",
    "BudgetStrate",
    "Strate",
    "echelles",
    "strate_of",
    "strates_of_rows",
    "strates_of_type",
]

ECHELLE = "fiches"
"""The scale used unless another is asked for."""

NO_STRATE = "sans strate"
UNKNOWN_POPULATION = "population inconnue"
PRINCIPAL = ("1", "2")
"""Types of budgets that have a class: principal and principal rattaché."""


@dataclass(frozen=True)
class Strate:
    """A population class.

    Parameters
    ----------
    libelle
        In French, with the kind of body, so that two classes never bear the same.
    minimum
        Inhabitants from which it begins, included.
    maximum
        Inhabitants at which it ends, excluded; None for no end.
    source
        Where its bounds come from.
    """

    libelle: str
    minimum: int
    maximum: int | None
    source: str


@dataclass(frozen=True)
class BudgetStrate:
    """Where a budget stands in an exercice, for comparing it with its like.

    Parameters
    ----------
    siret, exercice
        The budget-year.
    type_etablissement, nomenclature, departement
        As in the base; empty when unknown.
    population
        Inhabitants; None when no source gives them.
    libelle
        Of its class, ``sans strate`` or ``population inconnue``.
    strate
        The class; None where there is none.
    """

    siret: str
    exercice: int
    type_etablissement: str
    nomenclature: str
    departement: str
    population: int | None
    libelle: str
    strate: Strate | None


@cache
def _scales() -> dict[str, dict[str, tuple[Strate, ...]]]:
    """Scale → establishment type → classes, ascending."""
    sources = {(echelle, types): source for echelle, types, source in read_table("echelles")}
    bounds: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for echelle, types, minimum, libelle in read_table("strates"):
        bounds.setdefault((echelle, types), []).append((int(minimum), libelle))
    scales: dict[str, dict[str, tuple[Strate, ...]]] = {}
    for (echelle, types), classes in bounds.items():
        ends = [minimum for minimum, _ in classes[1:]] + [None]
        found = tuple(
            Strate(libelle, minimum, end, sources[echelle, types])
            for (minimum, libelle), end in zip(classes, ends, strict=True)
        )
        scales.setdefault(echelle, {}).update(dict.fromkeys(types.split(), found))
    return scales


def echelles() -> tuple[str, ...]:
    """Return the names of the scales.

    Examples
    --------
    >>> echelles()
    ('fiches', 'dotation')
    """
    return tuple(_scales())


def strates_of_type(type_etablissement: str, echelle: str = ECHELLE) -> tuple[Strate, ...]:
    """Return the classes of an establishment type, ascending; none for a type that has none.

    Raises
    ------
    WorkbenchError
        ``echelle_inconnue``.

    Examples
    --------
    >>> [strate.minimum for strate in strates_of_type("101")]
    [0, 250, 500, 2000, 3500, 5000, 10000, 20000, 50000, 100000]
    >>> strates_of_type("101")[1].libelle, strates_of_type("301")
    ('communes de 250 à 500 hab.', ())
    >>> len(strates_of_type("101", "dotation"))
    15
    """
    return _known(echelle).get(type_etablissement, ())


def _known(echelle: str) -> dict[str, tuple[Strate, ...]]:
    scales = _scales()
    if echelle not in scales:
        raise WorkbenchError("echelle_inconnue", echelle=echelle, connues=", ".join(scales))
    return scales[echelle]


def strate_of(base: Base, siret: str, exercice: int, echelle: str = ECHELLE) -> BudgetStrate:
    """Say to which population class a budget belongs in an exercice.

    Parameters
    ----------
    base
        An open base.
    siret, exercice
        The budget-year; its population is that of the exercice.
    echelle
        A scale: ``fiches`` or ``dotation``.

    Returns
    -------
    BudgetStrate
        Its class with what else comparisons need.

    Raises
    ------
    WorkbenchError
        ``budget_absent`` when the base has no accounts of it in the exercice; ``echelle_inconnue``,
        ``identifiant_invalide``.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     where = strate_of(base, demonstration_siret, 2024)
    >>> where.strate.minimum <= where.population < where.strate.maximum
    True
    """
    known = _known(echelle)
    rows = select_budgets(base, perimetre(sirets=siret), int(exercice)).to_pylist()
    if not rows:
        raise WorkbenchError("budget_absent", siret=siret, exercice=exercice)
    row = rows[0]
    described = collectivites.c
    departement = base.fetch(
        select(described.departement).where(
            described.siret == row["siret"], described.exercice == int(exercice), described.departement.is_not(None)
        )
    )["departement"].to_pylist()
    population = row["population"]
    classes = known.get(row["type_etablissement"] or "", ()) if row["type_budget"] in PRINCIPAL else ()
    strate, libelle = None, NO_STRATE
    if classes and population is None:
        libelle = UNKNOWN_POPULATION
    elif classes:
        strate = next(each for each in reversed(classes) if each.minimum <= population)
        libelle = strate.libelle
    return BudgetStrate(
        siret=row["siret"],
        exercice=row["exercice"],
        type_etablissement=row["type_etablissement"] or "",
        nomenclature=row["nomenclature"] or "",
        departement=departement[0] if departement else "",
        population=population,
        libelle=libelle,
        strate=strate,
    )


def strates_of_rows(
    rows: Descriptions, taken: npt.NDArray[np.int64], echelle: str = ECHELLE
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Say to which population class many budget-years belong.

    Parameters
    ----------
    rows
        Descriptions of the budget-years of a base.
    taken
        Positions of some of them, shape (n,).
    echelle
        A scale.

    Returns
    -------
    tuple
        Labels, the two without a class first, then classes by type and ascending; and the index of each
        row's, shape (n,).

    Raises
    ------
    WorkbenchError
        ``echelle_inconnue``.
    """
    known = _known(echelle)
    labels = [NO_STRATE, UNKNOWN_POPULATION]
    labels += dict.fromkeys(strate.libelle for classes in known.values() for strate in classes)
    place = {label: number for number, label in enumerate(labels)}
    types, type_of = rows.texts("type_etablissement")
    budgets, budget_of = rows.texts("type_budget")
    principal = np.append(np.isin(budgets, PRINCIPAL), False)[budget_of[taken]]
    population = rows.population[taken]
    found = np.zeros(len(taken), dtype=np.int64)
    for number, code in enumerate(types.tolist()):
        classes = known.get(code, ())
        if not classes:
            continue
        own = np.flatnonzero(principal & (type_of[taken] == number))
        inhabitants = population[own]
        numbers = np.array([place[strate.libelle] for strate in classes])
        minimums = np.array([strate.minimum for strate in classes], dtype=np.float64)
        position = np.searchsorted(minimums, inhabitants, side="right") - 1
        found[own] = np.where(np.isnan(inhabitants), place[UNKNOWN_POPULATION], numbers[position])
    return labels, found

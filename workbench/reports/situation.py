"""A collectivité among its like: its strate, its département, peers that someone chose.

A strate is the collectivités of the same type of establishment, nomenclature and population class; see
`workbench.strates` for what is counted and how. Groups are those of the whole base. Someone who does not see all of it
is told nothing of a group too small to hide its members (`tells`), whose rows are then left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc

from workbench.dgfip import Base, BudgetStrate, Perimetre, strate_of
from workbench.dgfip.cells import Cells, prepare_cells
from workbench.dgfip.reference import departements
from workbench.dgfip.strates import PRINCIPAL, Strate
from workbench.evaluation import StrateTable, evaluate, strates
from workbench.evaluation.part import part_of
from workbench.reports.comparative import Comparison, compared_indicateurs, with_population
from workbench.trames import Trame

__all__ = ["Situation", "peers_like", "situation"]

MOST_LIKE = 5
"""Peers proposed at most."""


@dataclass(frozen=True, eq=False)
class Situation:
    """A collectivité among its like.

    Parameters
    ----------
    siret
        The collectivité.
    strate
        Its class in the last exercice, with its type, nomenclature and département.
    comparison
        Its figures and those of its peers, with the places and medians of the strate.
    departement
        The places of all of them among those of the same type and nomenclature in its département.
    untold
        Groups (``strate``, ``departement``) whose statistics may not be told, in some exercice.
    """

    siret: str
    strate: BudgetStrate
    comparison: Comparison
    departement: StrateTable
    untold: frozenset[str] = frozenset()

    @cached_property
    def in_departement(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        """The row of ranks of (indicateur, siret, exercice) in the département."""
        return {(row["indicateur"], row["siret"], row["exercice"]): row for row in self.departement.ranks.to_pylist()}

    @cached_property
    def exercices(self) -> frozenset[int]:
        """The exercices in which the collectivité has accounts."""
        table = self.comparison.tables.get(self.siret)
        return frozenset(table.provenance.exercices if table is not None else ())

    @cached_property
    def provisional(self) -> frozenset[int]:
        """The exercices whose accounts of the collectivité are not final, in whole or in part."""
        table = self.comparison.tables.get(self.siret)
        rows = table.provenance.budgets.to_pylist() if table is not None else []
        return frozenset(int(row["exercice"]) for row in rows if row["etat"] != "D")

    @property
    def departement_name(self) -> str:
        """What the département is called; empty when unknown."""
        return departements().get(self.strate.departement, self.strate.departement)


def situation(
    trame: Trame,
    base: Base,
    siret: str,
    exercices: Iterable[int],
    *,
    nomenclature: str | None,
    peers: Sequence[str] = (),
    tells: Callable[[int], bool] = lambda count: True,  # noqa: ARG005 - everything is told
) -> Situation:
    """Compare a collectivité with its like.

    Parameters
    ----------
    trame
        A trame or a serie.
    base
        An open base; its column blocks are made the first time.
    siret
        A budget that has accounts in the last of the exercices.
    exercices
        The period, ascending; an offset that leaves it counts 0, as in the figures of the collectivité.
    nomenclature
        As for `workbench.evaluate`.
    peers
        Other budgets to show beside it.
    tells
        Whether the statistics of a group of so many collectivités may be told.

    Raises
    ------
    WorkbenchError
        ``budget_absent``, ``cellules_absentes``.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> found = situation(trame, base, demonstration_siret, [2024], nomenclature="M57")
    >>> found.strate.type_etablissement, 1 <= found.comparison.ranked[
    ...     "A_PRODUITS_HABITANT", demonstration_siret, 2024]["rank"]
    ('101', True)
    """
    years = list(exercices)
    where = strate_of(base, siret, years[-1])
    whole = with_population(trame)
    indicateurs = tuple(compared_indicateurs(whole))
    asked = part_of(whole, [one.code for _, one in indicateurs])
    everyone = [siret, *peers]
    tables = {
        each: evaluate(whole, base, sirets=[each], exercices=years, nomenclature=nomenclature) for each in everyone
    }
    present = {each: table for each, table in tables.items() if len(table.columns)}
    types = (where.type_etablissement,) if where.type_etablissement else None
    choice: dict[str, Any] = {"exercices": years, "sirets": everyone, "nomenclature": nomenclature}
    of_strate, untold_strate = _told(strates(asked, base, Perimetre(types=types), by="strate", **choice), tells)
    place = Perimetre(types=types, departements=(where.departement,) if where.departement else ())
    of_departement, untold = _told(strates(asked, base, place, by="departement", **choice), tells)
    hidden = [name for name, some in (("strate", untold_strate), ("departement", untold)) if some]
    comparison = Comparison(
        whole, indicateurs, present, of_strate, tuple(each for each in tables if each not in present)
    )
    return Situation(siret, where, comparison, of_departement, frozenset(hidden))


def _told(table: StrateTable, tells: Callable[[int], bool]) -> tuple[StrateTable, bool]:
    """Leave out the groups that may not be told, and say whether some were."""
    if not table.ranks.num_rows:
        return table, False
    kept = [tells(count) for count in table.ranks["count"].to_pylist()]
    if all(kept):
        return table, False
    return replace(table, ranks=table.ranks.filter(kept), statistics=table.statistics.slice(0, 0)), True


def peers_like(base: Base, siret: str, exercice: int, among: Iterable[str] | None = None) -> list[str]:
    """Propose peers: the nearest in population of the same type, nomenclature and class, the same département first.

    Parameters
    ----------
    base
        An open base.
    siret, exercice
        Of whom, and when.
    among
        Only these SIRET; None for all.

    Returns
    -------
    list of str
        SIRET, five at most; none when the population is unknown.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     demonstration_siret in peers_like(base, demonstration_siret, 2024)
    False
    """
    where = strate_of(base, siret, exercice)
    cells = prepare_cells(base)
    if cells is None or where.population is None or where.strate is None:
        return []
    found = _rows_like(cells, where, where.strate)
    rows = cells.descriptions
    sirets = rows.sirets[rows.unit[found]]
    kept = sirets != siret
    if among is not None:
        kept &= np.isin(sirets, np.asarray(sorted(among), dtype=str)) if among else False
    found, sirets = found[kept], sirets[kept]
    departement = rows.table["departement"].take(found)
    elsewhere = ~np.asarray(pc.fill_null(pc.equal(departement, where.departement), False))
    gap = np.abs(rows.population[found] - where.population)
    return [str(each) for each in sirets[np.lexsort((sirets, gap, elsewhere))][:MOST_LIKE]]


def _rows_like(cells: Cells, where: BudgetStrate, strate: Strate) -> Any:
    """The budget-years of budgets principaux of the same type, nomenclature, class and exercice."""
    # Bounds of a perimeter are included, the end of a class is not.
    bounds = (strate.minimum or None, None if strate.maximum is None else strate.maximum - 1)
    wanted = Perimetre(nomenclature=where.nomenclature, types=(where.type_etablissement,), population=bounds)
    found = cells.descriptions.taken(wanted, [where.exercice])
    texts, index = cells.descriptions.texts("type_budget")
    return found[np.append(np.isin(texts, PRINCIPAL), False)[index[found]]]

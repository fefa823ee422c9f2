"""One or two indicateurs over many collectivités: ranking, distribution, départements, evolution.

Budgets principaux alone are compared, as in `workbench.strates`, whose definitions of quantile and rank are those here.
An indicateur that reads ``$POP`` leaves out the budgets without inhabitants, or whose population no source gives: their
0 would not be a value.
Every exercice of the base is read, so that an offset finds the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre
from workbench.dgfip.cells import Descriptions, prepare_cells
from workbench.dgfip.strates import PRINCIPAL
from workbench.errors import WorkbenchError
from workbench.evaluation import evaluate_each_batches
from workbench.evaluation.part import part_of, readers_of_population
from workbench.trames import Indicateur, Trame

__all__ = ["Panorama", "panorama", "quantile_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Panorama:
    """The values of one or two indicateurs over the budgets principaux of a perimeter.

    Parameters
    ----------
    indicateur, other
        What is compared; ``other`` may be None.
    exercices
        Those in which some budget has a value, ascending.
    grid
        One row a budget and exercice that have a value: ``siret, exercice, libelle, departement, population`` (NaN
        when unknown), ``etat`` (D, P or M), ``value`` and ``other`` (NaN without a second one) in the unit of the
        indicateur; sorted by SIRET then exercice.
    annexes
        Budgets annexes left out, exercices added up.
    unpeopled
        Budget-years left out because they have no inhabitant, or no source says how many.
    """

    indicateur: Indicateur
    other: Indicateur | None
    exercices: tuple[int, ...]
    grid: pd.DataFrame
    annexes: int = 0
    unpeopled: int = 0

    @cached_property
    def _by_exercice(self) -> dict[int, pd.DataFrame]:
        return {int(str(year)): rows for year, rows in self.grid.groupby("exercice", sort=True)}

    def ranking(self, exercice: int) -> pd.DataFrame:
        """Return the rows of an exercice, the highest value first, with their ``rank``; equal values share it."""
        rows = self._by_exercice.get(exercice, self.grid.iloc[:0])
        ordered = rows.sort_values(["value", "libelle", "siret"], ascending=[False, True, True], ignore_index=True)
        return ordered.assign(rank=ordered["value"].rank(ascending=False, method="min").astype("int64"))

    def statistics(self, exercice: int) -> dict[str, float]:
        """Return ``count``, ``minimum``, ``quartile_1``, ``median``, ``quartile_3``, ``maximum``; nothing of none."""
        return _statistics(self._by_exercice.get(exercice, self.grid.iloc[:0])["value"].to_numpy(dtype=np.float64))

    def by_departement(self, exercice: int) -> pd.DataFrame:
        """Return the median of each département: ``departement, count, median``, by code."""
        rows = self._by_exercice.get(exercice, self.grid.iloc[:0])
        found = [
            (str(code), len(part), _statistics(part["value"].to_numpy(dtype=np.float64))["median"])
            for code, part in rows[rows["departement"] != ""].groupby("departement", sort=True)
        ]
        return pd.DataFrame(found, columns=["departement", "count", "median"])

    @cached_property
    def evolution(self) -> pd.DataFrame:
        """The statistics of each exercice: ``exercice, count, minimum, quartile_1, median, quartile_3, maximum``."""
        return pd.DataFrame([{"exercice": year, **self.statistics(year)} for year in self.exercices])

    def of(self, siret: str) -> dict[int, float]:
        """Return the values of one collectivité by exercice."""
        rows = self.grid[self.grid["siret"] == siret]
        return dict(zip(rows["exercice"].astype(int).tolist(), rows["value"].tolist(), strict=True))

    def provisional(self, exercice: int) -> int:
        """Return how many accounts of an exercice are not final."""
        rows = self._by_exercice.get(exercice, self.grid.iloc[:0])
        return int((rows["etat"] != "D").sum())


def quantile_of(ascending: Floats, numerator: int, denominator: int) -> float:
    """Return the smallest value that at least this part of the values does not exceed.

    Examples
    --------
    >>> quantile_of(np.array([1.0, 2.0, 3.0, 4.0]), 1, 2), quantile_of(np.array([1.0, 2.0, 3.0]), 1, 2)
    (2.0, 2.0)
    """
    return float(ascending[max(-(-len(ascending) * numerator // denominator) - 1, 0)])


def _statistics(values: Floats) -> dict[str, float]:
    if not len(values):
        return {}
    ascending = np.sort(values)
    return {
        "count": len(values),
        "minimum": float(ascending[0]),
        "quartile_1": quantile_of(ascending, 1, 4),
        "median": quantile_of(ascending, 1, 2),
        "quartile_3": quantile_of(ascending, 3, 4),
        "maximum": float(ascending[-1]),
    }


def panorama(trame: Trame, base: Base, perimetre: Perimetre | None, code: str, other: str = "") -> Panorama:
    """Evaluate one or two indicateurs for each budget principal of a perimeter, in every exercice of the base.

    Parameters
    ----------
    trame
        A trame or a serie; only what the indicateurs need of it is computed.
    base
        An open base; its column blocks are made the first time.
    perimetre
        Which budgets, of the trame's nomenclature unless it says another; None for all.
    code, other
        The indicateurs; an empty ``other`` for one only.

    Raises
    ------
    WorkbenchError
        ``indicateur_absent``, ``cellules_absentes``.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]", "A_CHARGES": "D6-C6[TA:BX]"}, nomenclature="M57")
    >>> seen = panorama(trame, base, wb.perimetre(types=["101"]), "A_PRODUITS", "A_CHARGES")
    >>> seen.ranking(2024)["rank"].tolist()[:2], seen.statistics(2024)["count"] == len(seen.by_departement(2024))
    ([1, 2], True)
    """
    codes = [code, *([other] if other and other != code else [])]
    part = part_of(trame, codes)
    cells = prepare_cells(base)
    if cells is None:
        raise WorkbenchError("cellules_absentes", chemin=base.url)
    described = cells.descriptions
    years = np.unique(described.exercice).tolist()
    batches = list(evaluate_each_batches(part, base, perimetre, years, layout="wide")) if years else []
    if not batches:
        empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})
        return Panorama(trame[code], trame[other] if other else None, (), empty)
    grid = pa.Table.from_batches(batches).unify_dictionaries()
    rows = described.of_budgets(grid.select(["siret", "exercice"]))
    frame = _described(described, rows)
    frame["value"] = grid[code].to_numpy()
    frame["other"] = grid[other].to_numpy() if other else np.nan
    texts, index = described.texts("type_budget")
    principal = np.append(np.isin(texts, PRINCIPAL), False)[index[rows]]
    peopled = described.peopled[rows]
    needs_people = bool(readers_of_population(part) & set(codes))
    kept = principal & peopled if needs_people else principal
    frame = frame[kept].reset_index(drop=True)
    return Panorama(
        trame[code],
        trame[other] if other else None,
        tuple(int(year) for year in np.unique(frame["exercice"].to_numpy())),
        frame,
        annexes=int(np.count_nonzero(~principal)),
        unpeopled=int(np.count_nonzero(principal & ~peopled)) if needs_people else 0,
    )


_COLUMNS = {
    "siret": "str",
    "exercice": "int64",
    "libelle": "str",
    "departement": "str",
    "population": "float64",
    "etat": "str",
    "value": "float64",
    "other": "float64",
}


def _described(described: Descriptions, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    taken = described.table.take(rows)
    texts = {
        name: taken[name].cast(pa.string()).fill_null("").to_pandas()
        for name in ("siret", "libelle", "departement", "etat")
    }
    frame = pd.DataFrame({**texts, "exercice": described.exercice[rows], "population": described.population[rows]})
    return frame[["siret", "exercice", "libelle", "departement", "population", "etat"]]

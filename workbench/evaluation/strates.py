"""Where each collectivité stands among its like: statistics of a strate, ranks inside it.

Budget-years are evaluated block by block, a few indicateurs at a time, so that memory is bounded
whatever the base and the trame: what is held at once is the values of some indicateurs, then their
order. All figures are exact: quantiles are values that some collectivité has, ranks are counts.

What is counted, and how:

- A *quantile* of level p is the smallest value that at least p of the values do not exceed: the value
  number ⌈p·n⌉ of n, ascending. It is the definition of `preview`, and of a discrete percentile in SQL. It
  needs no mean of two neighbours; a spreadsheet's median differs when n is even, being their mean.
- The *rank* is one more than the number of greater values: 1 is the greatest, and those that tie share
  the rank of the first (1, 2, 2, 4). Whether great is good is the reader's to say.
- The *percentile* rank is the share of lower values plus half of the share of equal ones, itself
  included, in percent: 50 for the middle of a group and for all of a group of equals; ranking the other
  way round gives 100 minus it.
- *An absent compte counts 0*, as everywhere in the language: a commune without debt is one whose debt
  is 0, and the median of the debt is not that of the communes in debt. ``nonzero`` says how many differ
  from 0, and ``zeros=False`` leaves the others out.
- An indicateur that reads ``$POP`` leaves out the budget-years whose population no source gives, or is 0:
  their 0 would not be a value.
- *Only budgets principaux* unless asked otherwise: an annexe budget carries the population of the body
  that owns it and serves another purpose, so neither its strate nor its ratio by inhabitant compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.dgfip import Base, Perimetre
from workbench.dgfip.cells import Cells, prepare_cells
from workbench.dgfip.selection import Codes
from workbench.dgfip.selection import perimetre as make_perimetre
from workbench.dgfip.strates import ECHELLE, PRINCIPAL, UNKNOWN_POPULATION
from workbench.errors import WorkbenchError
from workbench.evaluation.each import Selection, values_of_blocks
from workbench.evaluation.evaluate import OF_THE_TRAME, NomenclatureFilter, chosen_perimetre, require_arguments
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.groups import Groups, Ranked, dimensions_of
from workbench.evaluation.part import part_of, readers_of_population
from workbench.evaluation.plan import compile_trame
from workbench.evaluation.strate_table import StrateTable
from workbench.numbers import format_number
from workbench.trames import Trame

__all__ = ["StrateTable", "rank_each_batches", "strates"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
By = str | Sequence[str]
Progress = Callable[[int, int], bool | None]
KindOfBudget = Literal["BP"] | None

_HELD = 512 * 2**20
"""Bytes of values held at once: beyond, indicateurs are evaluated in several goes."""


def strates(
    trame: Trame,
    base: Base,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str | None = None,
    *,
    by: By = "strate",
    sirets: Codes = (),
    echelle: str = ECHELLE,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    type_budget: KindOfBudget = "BP",
    zeros: bool = True,
    progress: Progress | None = None,
) -> StrateTable:
    """Compute median, quartiles and extremes of each indicateur in each group of like collectivités.

    Parameters
    ----------
    trame, base, nomenclature
        As for `evaluate`.
    perimetre
        Which collectivités are compared; None for the whole base.
    exercices
        The period; None for all exercices of the base. An offset that leaves it counts 0.
    by
        ``"strate"``: establishment type, nomenclature and population class; ``"departement"``: type,
        nomenclature and département; or any of ``type_etablissement``, ``nomenclature``, ``strate``,
        ``departement``. The exercice always parts groups.
    sirets
        Collectivités whose place is wanted, in ``ranks``; those outside the perimeter have none.
    echelle
        Population classes: ``fiches`` (the DGFIP's published sheets) or ``dotation`` (article L. 2334-3 of
        the CGCT); see `workbench.dgfip.strates`.
    type_budget
        ``"BP"``: budgets principaux alone. None: annexe budgets too, which have no population class.
    zeros
        False leaves out values equal to 0.
    progress
        Called with (budget-years done, in all); a result of False stops, and what is returned has
        nothing of the indicateurs that were not done.

    Returns
    -------
    StrateTable
        Exact statistics: see the module for the definitions of quantile, rank and percentile.

    Raises
    ------
    WorkbenchError
        ``regroupement_inconnu``, ``echelle_inconnue``; ``cellules_absentes`` when no folder receives the
        column blocks; as `evaluate` for the trame.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> table = wb.strates(trame, base, sirets=demonstration_siret)
    >>> row = table.statistics.to_pylist()[0]
    >>> row["type_etablissement"], row["quartile_1"] <= row["median"] <= row["quartile_3"]
    ('101', True)
    >>> {1 <= row["rank"] <= row["count"] for row in table.ranks.to_pylist()}
    {True}
    """
    work = _Work(trame, base, perimetre, exercices, by, echelle, nomenclature, type_budget, zeros)
    named = make_perimetre(sirets=sirets).sirets or ()
    chosen = work.rows_of(named)
    statistics: list[pa.RecordBatch] = []
    ranks: list[pa.RecordBatch] = []
    for code, ranked in work.indicateurs(progress):
        ranked.sort()
        statistics.append(work.statistics(code, ranked))
        own = ranked.counts(chosen)
        ranks.append(work.ranks(code, ranked, own, *ranked.places_of(own)))
    return StrateTable(
        statistics=pa.Table.from_batches(statistics).unify_dictionaries() if statistics else pa.table({}),
        ranks=pa.Table.from_batches(ranks).unify_dictionaries() if ranks else pa.table({}),
        by=work.by,
        echelle=echelle,
        trame=trame.code,
        base=base.url,
        snapshot=base.snapshot,
        avertissements=tuple(work.warnings()),
        indicateurs=trame.indicateurs,
    )


def rank_each_batches(
    trame: Trame,
    base: Base,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str | None = None,
    *,
    by: By = "strate",
    echelle: str = ECHELLE,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    type_budget: KindOfBudget = "BP",
    zeros: bool = True,
    progress: Progress | None = None,
) -> Iterator[pa.RecordBatch]:
    """Rank every collectivité among its like, one indicateur after the other.

    Parameters
    ----------
    trame, base, perimetre, exercices, by, echelle, nomenclature, type_budget, zeros, progress
        As for `strates`.

    Yields
    ------
    pyarrow.RecordBatch
        One an indicateur, with the columns of `StrateTable.ranks`, sorted by siret then exercice.

    Raises
    ------
    WorkbenchError
        As `strates`, when called.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> batch = next(wb.rank_each_batches(trame, base, by="departement"))
    >>> batch.schema.names[:6]
    ['indicateur', 'siret', 'exercice', 'type_etablissement', 'nomenclature', 'departement']
    """
    work = _Work(trame, base, perimetre, exercices, by, echelle, nomenclature, type_budget, zeros)

    def batches() -> Iterator[pa.RecordBatch]:
        for code, ranked in work.indicateurs(progress):
            order, below, equal = ranked.places()
            back = np.argsort(order, kind="stable")
            yield work.ranks(code, ranked, order[back], below[back], equal[back])

    return batches()


class _Work:
    """The budget-years compared, their groups, and what is said of them."""

    def __init__(
        self,
        trame: Trame,
        base: Base,
        perimetre: Perimetre | None,
        exercices: Iterable[int | str] | int | str | None,
        by: By,
        echelle: str,
        nomenclature: NomenclatureFilter,
        type_budget: KindOfBudget,
        zeros: bool,
    ) -> None:
        require_arguments(trame, base, perimetre, nomenclature)
        compile_trame(trame)
        self.by = dimensions_of(by)
        self.trame = trame
        self.zeros = zeros
        wanted = None if exercices is None else wanted_exercices(exercices)
        cells = prepare_cells(base)
        if cells is None:
            raise WorkbenchError("cellules_absentes", chemin=base.url)
        self.cells: Cells = cells
        self.selection = Selection(cells, chosen_perimetre(trame, perimetre, nomenclature), wanted, base)
        rows = cells.descriptions
        counted = np.zeros(len(rows), dtype=bool)
        counted[self.selection.taken] = True
        if type_budget is not None:
            texts, index = rows.texts("type_budget")
            counted &= np.append(np.isin(texts, PRINCIPAL), False)[index]
        self.counted: Mask = counted
        self.taken: Integers = np.flatnonzero(counted)
        self.groups = Groups.of(rows, self.taken, self.by, echelle)
        self.peopled: Mask = rows.peopled[self.taken]
        self.readers = readers_of_population(trame)

    def rows_of(self, sirets: Sequence[str]) -> Integers:
        """Which of the budget-years compared are of these SIRETs, as positions among them."""
        known, unit = self.cells.descriptions.sirets, self.cells.descriptions.unit
        found = np.append(np.isin(known, np.asarray(sirets, dtype=str)), False) if len(sirets) else None
        return np.zeros(0, dtype=np.int64) if found is None else np.flatnonzero(found[unit[self.taken]])

    def indicateurs(self, progress: Progress | None) -> Iterator[tuple[str, Ranked]]:
        """The values of each indicateur, not sorted yet."""
        codes = self.trame.codes
        at_once = max(1, _HELD // (8 * max(1, len(self.taken))))
        goes = [codes[start : start + at_once] for start in range(0, len(codes), at_once)]
        for number, part in enumerate(goes):
            values = self._values(part, number, len(goes), progress)
            if values is None:
                return
            for code, vector in zip(part, values, strict=True):
                kept = self.peopled if code in self.readers and not self.peopled.all() else None
                if not self.zeros:
                    kept = (vector != 0) if kept is None else kept & (vector != 0)
                yield code, Ranked(self.groups, vector, kept)

    def _values(self, codes: Sequence[str], go: int, goes: int, progress: Progress | None) -> Floats | None:
        """The values of some indicateurs, shape (indicateurs, rows); None when told to stop."""
        plan = compile_trame(self.trame if goes == 1 else part_of(self.trame, codes))
        outputs = [plan.codes.index(code) for code in codes]
        values = np.empty((len(codes), len(self.taken)))
        done = filled = 0
        for rows, vectors in values_of_blocks(plan, self.cells, self.selection):
            compared = self.counted[rows]
            count = int(np.count_nonzero(compared))
            for row, output in enumerate(outputs):
                values[row, filled : filled + count] = vectors[output][compared]
            filled += count
            done += len(rows)
            total = self.selection.count
            if progress is not None and progress(go * total + done, goes * total) is False:
                return None
        return values

    def statistics(self, code: str, ranked: Ranked) -> pa.RecordBatch:
        """One row a group in which some row counts."""
        filled = ranked.filled
        columns = {
            "indicateur": _repeated(code, len(filled)),
            **self.groups.columns(filled),
            "count": pa.array(ranked.count[filled]),
            "nonzero": pa.array(ranked.nonzero),
            "minimum": pa.array(ranked.ranked[ranked.starts[filled]]),
            "quartile_1": pa.array(ranked.quantile(1, 4)),
            "median": pa.array(ranked.quantile(1, 2)),
            "quartile_3": pa.array(ranked.quantile(3, 4)),
            "maximum": pa.array(ranked.ranked[ranked.ends[filled] - 1]),
        }
        return pa.record_batch(columns)

    def ranks(self, code: str, ranked: Ranked, rows: Integers, below: Integers, equal: Integers) -> pa.RecordBatch:
        """One row for each of these rows, sorted as they are."""
        described = self.cells.descriptions
        group = self.groups.of_row[rows]
        count = ranked.count[group]
        sirets, unit = np.unique(described.unit[self.taken[rows]], return_inverse=True)
        quantiles = {}
        for name, level in (("quartile_1", (1, 4)), ("median", (1, 2)), ("quartile_3", (3, 4))):
            of_group = np.zeros(self.groups.count)
            of_group[ranked.filled] = ranked.quantile(*level)
            quantiles[name] = pa.array(of_group[group])
        columns = {
            "indicateur": _repeated(code, len(rows)),
            "siret": pa.DictionaryArray.from_arrays(
                unit.astype(np.int32), pa.array(described.sirets[sirets].tolist(), pa.string())
            ),
            "exercice": pa.array(described.exercice[self.taken[rows]].astype(np.int16)),
            **{name: array for name, array in self.groups.columns(group).items() if name != "exercice"},
            "value": pa.array(ranked.vector[rows]),
            "rank": pa.array(count - below - equal + 1),
            # Twice the number below and the equal ones, over twice the count: one rounding only.
            "percentile": pa.array((2 * below + equal) * 100 / np.maximum(2 * count, 1)),
            "count": pa.array(count),
            **quantiles,
        }
        return pa.record_batch(columns)

    def warnings(self) -> Iterator[str]:
        if not len(self.taken):
            yield "Aucun budget du périmètre n'a de comptes sur la période."
            return
        if "strate" in self.by:
            unknown = self.groups.labels["strate"][self.groups.of_row] == UNKNOWN_POPULATION
            count = int(np.count_nonzero(unknown))
            if count:
                alone = "ils forment" if count > 1 else "il forme"
                yield f"{_budget_years(count)} sans population connue : {alone} un groupe à part."
        if self.readers and not self.peopled.all():
            count = int(np.count_nonzero(~self.peopled))
            them = "les " if count > 1 else "l'"
            yield (
                f"{_budget_years(count)} sans habitant ou de population inconnue : les indicateurs qui lisent $POP "
                f"{them}écartent."
            )


def _budget_years(count: int) -> str:
    return f"{format_number(count)} {'budgets-exercices' if count > 1 else 'budget-exercice'}"


def _repeated(code: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), pa.array([code], pa.string()))

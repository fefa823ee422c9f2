"""Evaluation of a trame for each collectivité apart: a few, or all of them, in a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre, keeps_nomenclature, select_budgets
from workbench.dgfip.cells import Cells, Descriptions, open_cells, prepare_cells
from workbench.dgfip.cells_stored import sum_budgets
from workbench.evaluation import kernel
from workbench.evaluation.evaluate import (
    OF_THE_TRAME,
    NomenclatureFilter,
    accepted,
    cells_of,
    chosen_perimetre,
    frame_of,
    kind_of_budget,
    population_of,
    presence_of,
    require_arguments,
)
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.forms import ALL, Condition
from workbench.evaluation.parallel import in_threads, share_of
from workbench.evaluation.plan import Plan, compile_trame
from workbench.trames import Trame

if TYPE_CHECKING:
    from workbench.evaluation.blocks import Prepared

__all__ = [
    "Layout",
    "Selection",
    "batch_of",
    "evaluate_each",
    "evaluate_each_batches",
    "values_of_blocks",
    "values_of_column",
]

Layout = Literal["long", "wide"]
Progress = Callable[[int, int], bool | None]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_UNITS_AT_ONCE = 2_000
"""Collectivités fetched and evaluated together without blocks, which bounds memory whatever the perimeter."""

_NOBODY = np.zeros(0, dtype=bool)

_ROWS_AT_ONCE = 8_192
"""Budget-years that one thread evaluates at once."""

_WORTH_PREPARING = 20_000
"""Budget-years from which making the blocks of a base costs less than doing without them."""

LONG = pa.schema(
    [
        ("siret", pa.dictionary(pa.int32(), pa.string())),
        ("exercice", pa.int16()),
        ("indicateur", pa.dictionary(pa.int32(), pa.string())),
        ("value", pa.float64()),
    ]
)


def evaluate_each(
    trame: Trame,
    base: Base,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str = (),
    *,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
) -> pa.Table:
    """Evaluate a trame for every collectivité of a perimeter, each apart.

    Parameters
    ----------
    trame, base, exercices, nomenclature
        As for `evaluate`.
    perimetre
        Which collectivités; None for the whole base.

    Returns
    -------
    pyarrow.Table
        ``siret`` and ``indicateur`` (dictionary of string), ``exercice`` (int16), ``value``
        (float64): one row a (siret, exercice, indicateur), in this order.

    Raises
    ------
    WorkbenchError, FormuleSyntaxError
        As for `evaluate`.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> grid = wb.evaluate_each(trame, base, wb.perimetre(types=["101"]), range(2020, 2100))
    >>> grid.column_names
    ['siret', 'exercice', 'indicateur', 'value']
    """
    batches = list(evaluate_each_batches(trame, base, perimetre, exercices, nomenclature=nomenclature))
    return pa.Table.from_batches(batches, schema=LONG).unify_dictionaries()


def evaluate_each_batches(
    trame: Trame,
    base: Base,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str = (),
    *,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    layout: Layout = "long",
    progress: Progress | None = None,
) -> Iterator[pa.RecordBatch]:
    """Evaluate a trame for every collectivité of a perimeter, a few thousand budget-years at a time.

    Over a whole base it reads the column blocks of the snapshot, which it makes when the perimeter
    is worth it (`workbench.dgfip.cells.prepare_cells`).

    Parameters
    ----------
    trame, base, perimetre, exercices, nomenclature
        As for `evaluate_each`.
    layout
        ``"long"``: the columns of `evaluate_each`. ``"wide"``: siret, exercice, then one float64
        column an indicateur, several times faster to make and to write.
    progress
        Called after each batch with (budget-years done, budget-years in all); a result of False
        stops the evaluation there. Closing the iterator stops it too.

    Yields
    ------
    pyarrow.RecordBatch
        Sorted by siret then exercice, from one batch to the next.

    Raises
    ------
    WorkbenchError, FormuleSyntaxError
        As for `evaluate`, when called and not at the first batch.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> batches = evaluate_each_batches(trame, base, exercices=range(2020, 2100), layout="wide")
    >>> next(batches).schema.names
    ['siret', 'exercice', 'A_PRODUITS']
    """
    require_arguments(trame, base, perimetre, nomenclature)
    plan = compile_trame(trame)
    wanted = wanted_exercices(exercices)
    chosen = chosen_perimetre(trame, perimetre, nomenclature)
    return _reported(_batches(plan, base, chosen, wanted, layout), progress)


def _reported(
    stream: tuple[int, Iterator[tuple[int, pa.RecordBatch]]], progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    total, batches = stream
    done = 0
    for rows, batch in batches:
        yield batch
        done += rows
        if progress is not None and progress(done, total) is False:
            return


def _batches(
    plan: Plan, base: Base, chosen: Perimetre, wanted: list[int], layout: Layout
) -> tuple[int, Iterator[tuple[int, pa.RecordBatch]]]:
    mapper = base.mapper()
    if mapper is not None:
        from workbench.evaluation.distributed import batches_of_mapper

        return batches_of_mapper(plan, base, mapper, chosen, wanted, layout)
    cells = open_cells(base)
    if cells is not None:
        return _of_cells(plan, base, cells, chosen, wanted, layout)
    budgets = select_budgets(base, chosen, wanted)
    if budgets.num_rows >= _WORTH_PREPARING:
        cells = prepare_cells(base)
        if cells is not None:
            return _of_cells(plan, base, cells, chosen, wanted, layout)
    frame = frame_of(budgets).sort_values(["siret", "exercice"], ignore_index=True)
    return len(frame), ((len(part), _each(plan, base, part, layout)) for part in _by_units(frame))


def _of_cells(
    plan: Plan, base: Base, cells: Cells, chosen: Perimetre, wanted: list[int], layout: Layout
) -> tuple[int, Iterator[tuple[int, pa.RecordBatch]]]:
    selection = Selection(cells, chosen, wanted, base)
    rows = cells.descriptions

    def batches() -> Iterator[tuple[int, pa.RecordBatch]]:
        for taken, outputs in values_of_blocks(plan, cells, selection):
            first = int(rows.unit[taken[0]])
            unit = rows.unit[taken] - first
            sirets = rows.sirets[first : first + int(unit[-1]) + 1]
            yield len(taken), batch_of(plan, sirets, unit, rows.exercice[taken], outputs, layout)

    return selection.count, batches()


class Selection:
    """The budget-years of blocks that a perimeter takes.

    Parameters
    ----------
    cells
        Those of a base.
    chosen
        The perimeter.
    wanted
        Exercices; None for all.
    base
        That base: it knows the members of groupements, which cells do not.
    """

    def __init__(self, cells: Cells, chosen: Perimetre, wanted: list[int] | None, base: Base | None = None) -> None:
        self.rows = cells.descriptions
        if base is not None and chosen.epci is not None:
            self.taken = self.rows.of_budgets(select_budgets(base, chosen, wanted))
        else:
            self.taken = self.rows.taken(chosen, wanted)
        self.count = len(self.taken)

    def meets(self, condition: Condition, rows: Integers) -> Mask:
        """Which budget-years meet a condition."""
        kinds, kind = _kinds(self.rows)
        types, type_ = self.rows.texts("type_etablissement")
        accepted = np.ones(len(rows), dtype=bool)
        if condition.type_budget is not None:
            found = np.array([*(each == condition.type_budget for each in kinds), False], dtype=bool)
            accepted &= found[kind[rows]]
        if condition.type_etablissement is not None:
            found = np.append(types == condition.type_etablissement, False)
            accepted &= found[type_[rows]]
        if condition.nomenclature is not None:
            names, name = self.rows.texts("nomenclature")
            found = np.array([*(keeps_nomenclature(condition.nomenclature, each) for each in names), False], dtype=bool)
            accepted &= found[name[rows]]
        return accepted


def _kinds(rows: Descriptions) -> tuple[list[str], npt.NDArray[np.int32]]:
    codes, index = rows.texts("type_budget")
    return [kind_of_budget(str(code)) for code in codes], index


def values_of_blocks(plan: Plan, cells: Cells, selection: Selection) -> Iterator[tuple[Integers, Floats]]:
    """Evaluate a plan block by block, in order.

    Parameters
    ----------
    plan
        The compiled trame.
    cells
        The cells of a base.
    selection
        Which budget-years.

    Yields
    ------
    tuple
        Some budget-years kept, never none, no unit parted, and their values, shape (indicateurs, rows).
    """
    # Compiled loops take half a second to load: only who reads blocks pays for them.
    from workbench.evaluation.blocks import prepare, run_blocks

    prepared = prepare(plan, cells.chart)

    def evaluate(blocks: tuple[int, int], taken: Integers) -> tuple[Integers, Floats]:
        out = np.empty((len(plan.outputs), len(taken)))
        run_blocks(prepared, cells, blocks, *_facts(prepared, selection, taken), out, _NOBODY)
        return taken, out

    return in_threads(evaluate, _parts(cells, selection, share_of(selection.count, _ROWS_AT_ONCE)))


def values_of_column(
    plan: Plan, cells: Cells, selection: Selection, then: Callable[[Floats, Mask], None]
) -> tuple[Floats, Mask]:
    """Evaluate a plan of one indicateur on budget-years of blocks.

    Parameters
    ----------
    plan, cells, selection
        As for `values_of_blocks`.
    then
        Called, from several threads, with each part of the result once it is known.

    Returns
    -------
    tuple
        The value of each budget-year kept, and whether it has any of the comptes that the plan reads.
    """
    from workbench.evaluation.blocks import prepare, run_blocks

    prepared = prepare(plan, cells.chart)
    values, present = np.empty((1, selection.count)), np.zeros(selection.count, dtype=bool)
    parts = _parts(cells, selection, 4 * _ROWS_AT_ONCE)
    firsts = np.cumsum([0, *(len(taken) for _, taken in parts)]).tolist()

    def evaluate(blocks: tuple[int, int], taken: Integers, first: int) -> None:
        part = slice(first, first + len(taken))
        run_blocks(prepared, cells, blocks, *_facts(prepared, selection, taken), values[:, part], present[part])
        then(values[0, part], present[part])

    for _ in in_threads(evaluate, [(*part, first) for part, first in zip(parts, firsts, strict=False)]):
        pass
    return values[0], present


def _parts(cells: Cells, selection: Selection, size: int) -> list[tuple[tuple[int, int], Integers]]:
    """The budget-years kept, about ``size`` at a time, no block parted: (first and last block, budget-years)."""
    taken = selection.taken
    ends = np.searchsorted(taken, cells.bounds)
    cuts = np.unique(np.searchsorted(ends, [*range(0, len(taken), size), len(taken)], side="left"))
    parts = []
    for first, last in pairwise(cuts.tolist()):
        inside = taken[ends[first] : ends[last]]
        blocks = np.searchsorted(cells.bounds, inside[[0, -1]], side="right")
        parts.append(((int(blocks[0]) - 1, int(blocks[1])), inside))
    return parts


def _facts(prepared: Prepared, selection: Selection, taken: Integers) -> tuple[Integers, Mask, Floats]:
    """What `run_blocks` asks of budget-years beside their cells."""
    rows = selection.rows
    masks = np.empty((len(prepared.conditions), len(taken)), dtype=bool)
    for number, condition in enumerate(prepared.conditions):
        masks[number] = selection.meets(condition, taken)
    people = np.empty((len(prepared.populations), len(taken)))
    for number, condition in enumerate(prepared.populations):
        people[number] = np.nan_to_num(rows.population[taken])
        if condition != ALL:
            people[number] *= masks[prepared.conditions.index(condition)]
    return taken, masks, people


def batch_of(
    plan: Plan,
    sirets: npt.NDArray[np.str_],
    unit: npt.NDArray[np.integer],
    exercice: Integers,
    outputs: Floats,
    layout: Layout,
) -> pa.RecordBatch:
    """Values of some budget-years as a batch; ``unit`` says which of ``sirets`` each is of."""
    names = pa.array(sirets.tolist(), pa.string())
    if layout == "wide":
        columns = [pa.DictionaryArray.from_arrays(unit.astype(np.int32), names), pa.array(exercice.astype(np.int16))]
        return pa.RecordBatch.from_arrays(
            [*columns, *(pa.array(output) for output in outputs)], names=["siret", "exercice", *plan.codes]
        )
    width = len(plan.codes)
    return pa.record_batch(
        {
            "siret": pa.DictionaryArray.from_arrays(np.repeat(unit.astype(np.int32), width), names),
            "exercice": np.repeat(exercice.astype(np.int16), width),
            "indicateur": pa.DictionaryArray.from_arrays(
                np.tile(np.arange(width, dtype=np.int32), len(unit)), pa.array(plan.codes, pa.string())
            ),
            "value": np.ascontiguousarray(outputs.T).ravel(),
        }
    )


def _each(plan: Plan, base: Base, frame: pd.DataFrame, layout: Layout) -> pa.RecordBatch:
    """Evaluate a few collectivités from the balances themselves."""
    sirets, unit = np.unique(frame["siret"].to_numpy(dtype=str), return_inverse=True)
    exercice = frame["exercice"].to_numpy(dtype=np.int64)
    rows = kernel.Rows(unit=unit.astype(np.int64), exercice=exercice)
    sums = sum_budgets(base, pa.array(frame["siret"].tolist(), pa.string()), pa.array(exercice))
    row = sums["rang"].to_numpy()
    selected = {condition: accepted(frame, condition)[row] for condition in plan.conditions() - {ALL}}
    own_row = np.arange(len(frame))
    population = population_of(plan, frame, own_row, len(frame))
    presence = presence_of(plan, frame, own_row, len(frame))
    values = kernel.run(plan, rows, cells_of(sums, row, selected), population, presence)
    return batch_of(plan, sirets, unit, exercice, values.T, layout)


def _by_units(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    sirets = frame["siret"].unique()
    for start in range(0, len(sirets), _UNITS_AT_ONCE):
        yield frame[frame["siret"].isin(sirets[start : start + _UNITS_AT_ONCE])]

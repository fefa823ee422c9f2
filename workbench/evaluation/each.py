"""Evaluation of a trame for each collectivité apart: a few, or all of them, in a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre, select_budgets, sum_comptes
from workbench.dgfip.cells import Block, Cells, Descriptions, open_cells, prepare_cells
from workbench.evaluation import kernel
from workbench.evaluation.blocks import Prepared, prepare, run_block
from workbench.evaluation.evaluate import (
    OF_THE_TRAME,
    NomenclatureFilter,
    accepted,
    cells_of,
    chosen_perimetre,
    frame_of,
    groups_of,
    kind_of_budget,
    population_of,
    presence_of,
    require_arguments,
)
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.forms import ALL, Condition
from workbench.evaluation.plan import Plan, compile_trame
from workbench.trames import Trame

__all__ = ["Layout", "Selection", "batch_of", "evaluate_each", "evaluate_each_batches", "values_of_blocks"]

Layout = Literal["long", "wide"]
Progress = Callable[[int, int], bool | None]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_UNITS_AT_ONCE = 2_000
"""Collectivités fetched and evaluated together without blocks, which bounds memory whatever the perimeter."""

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
        return _of_cells(plan, cells, chosen, wanted, layout)
    budgets = select_budgets(base, chosen, wanted)
    if budgets.num_rows >= _WORTH_PREPARING:
        cells = prepare_cells(base)
        if cells is not None:
            return _of_cells(plan, cells, chosen, wanted, layout)
    frame = frame_of(budgets).sort_values(["siret", "exercice"], ignore_index=True)
    return len(frame), ((len(part), _each(plan, base, part, layout)) for part in _by_units(frame))


def _of_cells(
    plan: Plan, cells: Cells, chosen: Perimetre, wanted: list[int], layout: Layout
) -> tuple[int, Iterator[tuple[int, pa.RecordBatch]]]:
    selection = Selection(cells, chosen, wanted)
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
        The cells of a base.
    chosen
        The perimeter.
    wanted
        Exercices; None for all.
    """

    def __init__(self, cells: Cells, chosen: Perimetre, wanted: list[int] | None) -> None:
        self.rows = cells.descriptions
        self.kept = self.rows.kept(chosen, wanted)
        self.count = int(np.count_nonzero(self.kept))
        self.all = self.count == len(self.kept)

    def meets(self, condition: Condition, first: int, last: int) -> Mask:
        """Which budget-years of a block meet a condition."""
        kinds, kind = _kinds(self.rows)
        types, type_ = self.rows.texts("type_etablissement")
        accepted = np.ones(last - first, dtype=bool)
        if condition.type_budget is not None:
            found = np.array([*(each == condition.type_budget for each in kinds), False], dtype=bool)
            accepted &= found[kind[first:last]]
        if condition.type_etablissement is not None:
            found = np.append(types == condition.type_etablissement, False)
            accepted &= found[type_[first:last]]
        return accepted


def _kinds(rows: Descriptions) -> tuple[list[str], npt.NDArray[np.int32]]:
    codes, index = rows.texts("type_budget")
    return [kind_of_budget(str(code)) for code in codes], index


def values_of_blocks(
    plan: Plan, cells: Cells, selection: Selection, *, presence: bool = False
) -> Iterator[tuple[Integers, list[Floats]]]:
    """Evaluate a plan block by block, in order.

    Parameters
    ----------
    plan
        The compiled trame.
    cells
        The cells of a base.
    selection
        Which budget-years.
    presence
        Add one more vector: whether a budget-year has any of the comptes that the plan reads.

    Yields
    ------
    tuple
        Positions of the budget-years kept in one block, never empty, and one vector an indicateur.
    """
    prepared = prepare(plan, cells.chart)
    numbers = [
        number
        for number in range(len(cells))
        if selection.all or selection.kept[cells.bounds[number] : cells.bounds[number + 1]].any()
    ]
    for number in numbers:
        yield _block_values(prepared, cells.block(number), selection, presence)


def _block_values(
    prepared: Prepared, block: Block, selection: Selection, presence: bool
) -> tuple[Integers, list[Floats]]:
    rows, program = selection.rows, kernel.program_of(prepared.plan)
    first, last, kept = block.first, block.last, None
    if not selection.all:
        taken = np.flatnonzero(selection.kept[block.first : block.last]) + block.first
        first, last = int(taken[0]), int(taken[-1]) + 1
        kept = None if len(taken) == last - first else selection.kept[first:last]
    conditions = program.read_conditions
    meets = {condition: selection.meets(condition, first, last) for condition in conditions - {ALL}}
    population: dict[Condition, Floats] = {}
    if program.reads_population:
        inhabitants = np.nan_to_num(rows.population[first:last])
        population = {condition: inhabitants * meets.get(condition, 1.0) for condition in conditions}
    outputs = run_block(
        prepared,
        block,
        first=first - block.first,
        last=last - block.first,
        unit=rows.unit[first:last],
        exercice=rows.exercice[first:last],
        kept=kept,
        meets=meets,
        population=population,
    )
    if presence:
        outputs.append(prepared.presence(block, first - block.first, last - block.first).astype(np.float64))
    if kept is None:
        return np.arange(first, last), outputs
    return taken, [output[kept] for output in outputs]


def batch_of(
    plan: Plan,
    sirets: npt.NDArray[np.str_],
    unit: npt.NDArray[np.integer],
    exercice: Integers,
    outputs: list[Floats],
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
    values = np.empty((len(unit), width))
    for column, output in enumerate(outputs):
        values[:, column] = output
    return pa.record_batch(
        {
            "siret": pa.DictionaryArray.from_arrays(np.repeat(unit.astype(np.int32), width), names),
            "exercice": np.repeat(exercice.astype(np.int16), width),
            "indicateur": pa.DictionaryArray.from_arrays(
                np.tile(np.arange(width, dtype=np.int32), len(unit)), pa.array(plan.codes, pa.string())
            ),
            "value": values.ravel(),
        }
    )


def _each(plan: Plan, base: Base, frame: pd.DataFrame, layout: Layout) -> pa.RecordBatch:
    """Evaluate a few collectivités from the balances themselves."""
    sirets, unit = np.unique(frame["siret"].to_numpy(dtype=str), return_inverse=True)
    frame = frame.assign(groupe=unit)
    exercice = frame["exercice"].to_numpy(dtype=np.int64)
    rows = kernel.Rows(unit=unit.astype(np.int64), exercice=exercice)
    sums = sum_comptes(base, groups_of(frame))
    keys = unit * 100_000 + exercice
    row = np.searchsorted(keys, sums["groupe"].to_numpy() * 100_000 + sums["exercice"].to_numpy())
    selected = {condition: accepted(frame, condition)[row] for condition in plan.conditions() - {ALL}}
    own_row = np.arange(len(frame))
    population = population_of(plan, frame, own_row, len(frame))
    presence = presence_of(plan, frame, own_row, len(frame))
    values = kernel.run(plan, rows, cells_of(sums, row, selected), population, presence)
    return batch_of(plan, sirets, unit, exercice, list(values.T), layout)


def _by_units(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    sirets = frame["siret"].unique()
    for start in range(0, len(sirets), _UNITS_AT_ONCE):
        yield frame[frame["siret"].isin(sirets[start : start + _UNITS_AT_ONCE])]

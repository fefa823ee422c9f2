"""Evaluation where the balances are: the one kernel, on each machine of a cluster.

The driver selects the budgets of the perimeter; each task receives those of its files with the
compiled trame, adds up the balances that it reads and runs the kernel on them. All exercices of a
SIRET are in one task, which offsets need.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre, select_budgets
from workbench.engines import Mapper
from workbench.evaluation import kernel
from workbench.evaluation.each import Layout, batch_of
from workbench.evaluation.evaluate import accepted, frame_of, population_of, presence_of
from workbench.evaluation.forms import ALL
from workbench.evaluation.plan import Plan

__all__ = ["EvaluateGroups", "batches_of_mapper"]

_BUDGETS = ["siret", "exercice", "siren", "population", "nomenclature", "type_budget", "type_etablissement"]


def batches_of_mapper(
    plan: Plan, base: Base, mapper: Mapper, chosen: Perimetre, wanted: list[int], layout: Layout
) -> tuple[int, Iterator[tuple[int, pa.RecordBatch]]]:
    """Evaluate a plan for each collectivité of a perimeter on an engine that computes where its rows are.

    Returns
    -------
    int
        Budget-years in all.
    iterator
        (budget-years, batch), sorted by siret then exercice.
    """
    budgets = select_budgets(base, chosen, wanted).select(_BUDGETS)
    budgets = budgets.sort_by([("siret", "ascending"), ("exercice", "ascending")])
    columns = ["siret", "exercice", "compte", *sorted({cell.column for cell in plan.cells()})]
    width = 1 if layout == "wide" else max(len(plan.codes), 1)
    batches = mapper.map_groups("balances", columns, budgets, EvaluateGroups(pickle.dumps(plan), layout))
    return budgets.num_rows, ((batch.num_rows // width, batch) for batch in batches)


@dataclass(frozen=True)
class EvaluateGroups:
    """What a task does with its balances and budgets; travels to the executors.

    Parameters
    ----------
    plan
        The compiled trame, pickled by the driver: the tasks of a process unpickle it once.
    layout
        As for `workbench.evaluation.evaluate_each_batches`.
    """

    plan: bytes
    layout: Layout

    def __call__(self, balances: pa.Table, budgets: pa.Table) -> Iterator[pa.RecordBatch]:
        """Evaluate the budgets given on the balances read."""
        plan = _plan(self.plan)
        frame = frame_of(budgets)
        sirets, unit = np.unique(frame["siret"].to_numpy(dtype=str), return_inverse=True)
        exercice = frame["exercice"].to_numpy(dtype=np.int64)
        rows = kernel.Rows(unit=unit.astype(np.int64), exercice=exercice)
        own_row = np.arange(len(frame))
        cells = _cells(plan, frame, sirets, rows, balances)
        population = population_of(plan, frame, own_row, len(frame))
        presence = presence_of(plan, frame, own_row, len(frame))
        values = kernel.run(plan, rows, cells, population, presence)
        yield batch_of(plan, sirets, unit, exercice, values.T, self.layout)


def _cells(
    plan: Plan, frame: pd.DataFrame, sirets: npt.NDArray[np.str_], rows: kernel.Rows, balances: pa.Table
) -> kernel.Cells:
    siret, sirets_read = _codes(balances["siret"])
    compte, comptes = _codes(balances["compte"])
    known = np.searchsorted(sirets, sirets_read)
    known[known == len(sirets)] = 0
    units = np.where(sirets[known] == sirets_read, known, -1) if len(sirets_read) else known
    keys = rows.unit * 100_000 + rows.exercice
    wanted = units[siret] * 100_000 + balances["exercice"].to_numpy().astype(np.int64)
    row = np.searchsorted(keys, wanted)
    row[row == len(keys)] = 0
    lines = np.flatnonzero((keys[row] == wanted) & (compte >= 0))
    order = np.argsort(comptes)
    rank = np.empty(len(comptes), dtype=np.int64)
    rank[order] = np.arange(len(comptes))
    row = row[lines]
    names = [name for name in balances.column_names if name not in {"siret", "exercice", "compte"}]
    return kernel.Cells(
        row=row,
        compte=rank[compte[lines]] if len(comptes) else np.zeros(0, dtype=np.int64),
        comptes=[str(comptes[each]) for each in order],
        amounts={name: balances[name].to_numpy()[lines] for name in names},
        selected={condition: accepted(frame, condition)[row] for condition in plan.conditions() - {ALL}},
    )


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """The index of each text (-1 for none) and the distinct texts."""
    encoded = column.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return codes, np.asarray(encoded.dictionary.to_pylist(), dtype=str)


@lru_cache(maxsize=8)
def _plan(content: bytes) -> Plan:
    plan: Plan = pickle.loads(content)  # noqa: S301 - our own driver's
    return plan

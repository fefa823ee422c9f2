"""Cells from a base: one statement a few million balances, so that memory does not grow with the base."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import and_, case, func, select

from workbench.dgfip.base import Base
from workbench.dgfip.cells_format import block_bounds, write_cells
from workbench.dgfip.cells_stored import IncompleteCellsError, stored_cells, sum_lines
from workbench.dgfip.schema import AMOUNTS, balances, budgets, collectivites
from workbench.dgfip.selection import perimetre, select_budgets

__all__ = ["build_cells"]

_LINES_AT_ONCE = 3_000_000
"""Balances read by one statement: about a gigabyte while they are sorted."""

Integers = npt.NDArray[np.int64]
Read = Callable[[pa.Array, pa.Array], tuple[Integers, Integers, Integers]]
"""From the SIRETs and exercices of budgets, their cells: (position of the budget, cell column, cents)."""
_CODED = (
    "siret",
    "siren",
    "nomenclature",
    "nomenclature_detail",
    "type_budget",
    "type_etablissement",
    "etat",
    "source",
    "departement",
    "finess",
)


def build_cells(base: Base, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Read the balances of a base and write the files of its cells.

    Parameters
    ----------
    base
        An open base.
    folder
        Where; absent before.
    progress
        Called with (budget-years done, budget-years in all).
    """
    rows, lines = _rows(base)
    siret = rows["siret"].combine_chunks()
    unit = siret.indices.to_numpy().astype(np.int64) if rows.num_rows else np.zeros(0, dtype=np.int64)
    bounds = block_bounds(unit)
    stored = stored_cells(base)
    if stored is not None:
        with contextlib.suppress(IncompleteCellsError):
            blocks = _blocks(stored.read_slice, rows, lines, bounds, progress)
            return write_cells(folder, rows, stored.comptes, stored.columns, bounds, blocks)
    comptes, columns = _chart(base)
    blocks = _blocks(_summed(base, comptes, columns), rows, lines, bounds, progress)
    return write_cells(folder, rows, comptes, columns, bounds, blocks)


def _rows(base: Base) -> tuple[pa.Table, Integers]:
    """Every budget-year, sorted, and its number of balances."""
    key = (collectivites.c.siret, collectivites.c.exercice)
    described = base.fetch(
        select(*key, collectivites.c.departement, collectivites.c.finess, budgets.c.lignes).join(
            budgets, and_(budgets.c.siret == key[0], budgets.c.exercice == key[1])
        )
    )
    known = select_budgets(base, perimetre())
    rows = known.join(described, keys=["siret", "exercice"], join_type="left outer")
    rows = rows.sort_by([("siret", "ascending"), ("exercice", "ascending")]).combine_chunks()
    lines = rows["lignes"].to_numpy().astype(np.int64) if rows.num_rows else np.zeros(0, dtype=np.int64)
    rows = rows.drop_columns(["lignes"])
    for name in _CODED:
        encoded = rows[name].combine_chunks().dictionary_encode()
        rows = rows.set_column(rows.column_names.index(name), name, encoded)
    return rows, lines


def _chart(base: Base) -> tuple[list[str], Integers]:
    """The comptes of the base, ascending, and the (amount, compte) pairs that are not always zero."""
    used = [func.max(case((balances.c[name] != 0, 1), else_=0)).label(name) for name in AMOUNTS]
    statement = select(balances.c.compte, *used).where(balances.c.compte.is_not(None)).group_by(balances.c.compte)
    found = base.fetch(statement)
    # Sorted here and not by the engine, whose collation is its own.
    found = found.take(pa.array(np.argsort(np.asarray(found["compte"].to_pylist(), dtype=str)), pa.int64()))
    present = np.stack([found[name].to_numpy() for name in AMOUNTS]).reshape(len(AMOUNTS), -1)
    amount, compte = np.nonzero(present)
    return found["compte"].to_pylist(), np.stack([amount, compte]).astype(np.int64)


def _blocks(
    read: Read,
    rows: pa.Table,
    lines: Integers,
    bounds: Integers,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[Integers, Integers, Integers]]:
    total = np.append(0, np.cumsum(lines))
    number = 0
    while number < len(bounds) - 1:
        following = int(np.searchsorted(total[bounds], total[bounds[number]] + _LINES_AT_ONCE, side="right")) - 1
        following = max(following, number + 1)
        first, last = int(bounds[number]), int(bounds[following])
        part = rows.slice(first, last - first)
        row, cell, value = read(part["siret"].combine_chunks().cast(pa.string()), part["exercice"].combine_chunks())
        block = np.searchsorted(bounds[number : following + 1] - first, row, side="right") - 1
        order = np.argsort(block, kind="stable")
        ends = np.searchsorted(block[order], np.arange(following - number + 1))
        for index in range(following - number):
            taken = order[ends[index] : ends[index + 1]]
            yield row[taken] - (bounds[number + index] - first), cell[taken], value[taken]
        number = following
        if progress is not None:
            progress(last, rows.num_rows)


def _summed(base: Base, comptes: list[str], columns: Integers) -> Read:
    """Read cells as sums of balances."""
    charted = pa.array(comptes, pa.string())
    numbers = np.full((len(AMOUNTS), len(comptes)), -1, dtype=np.int64)
    numbers[columns[0], columns[1]] = np.arange(columns.shape[1])

    def read(sirets: pa.Array, exercices: pa.Array) -> tuple[Integers, Integers, Integers]:
        row, compte, *amounts = sum_lines(base.fetch, sirets, exercices, charted)
        found = []
        for amount, values in enumerate(amounts):
            lines = np.flatnonzero(values)
            found.append((row[lines], numbers[amount, compte[lines]], values[lines]))
        rows, cells, cents = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return rows, cells, cents

    return read

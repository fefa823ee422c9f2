"""Cells: the sums of a snapshot kept as memory-mapped column blocks, a cache that can always be made again.

A cell is the sum of one amount column of one compte for one budget in one exercice, in cents; only
those that are not zero are kept. Budget-years are sorted by SIRET then exercice and cut into blocks
that never part a SIRET. A block lists, cell column by cell column (amount column, then compte), the
positions of its budget-years and their amounts: a run of cells for each column that is not empty.

Beside the cells, a block keeps their sums by first digit and by first two digits of the comptes:
``C7`` reads one column and not two hundred.

Files of a folder: ``rows.arrow`` (what each budget-year is), ``comptes.arrow`` and ``columns.npy``
(the chart of cell columns), ``groups.npy`` (those whose sums are kept), ``values.npy`` (int32),
``positions.npy`` (uint16), ``runs.npy`` (column and end of each run of a block), ``starts.npy``,
and ``large_*.npy`` for the few amounts beyond 21 million euros.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from platformdirs import user_cache_path
from sqlalchemy import func, select

from workbench.dgfip.base import Base
from workbench.dgfip.cells_format import FORMAT, remove_other_folders
from workbench.dgfip.descriptions import Descriptions
from workbench.dgfip.schema import AMOUNTS, budgets, collectivites, imports

__all__ = ["Cells", "Chart", "Descriptions", "open_cells", "prepare_cells"]

Integers = npt.NDArray[np.int64]

_FILES = ("values", "positions", "runs", "starts", "large_values", "large_positions", "large_columns")


@dataclass(frozen=True, eq=False)
class Chart:
    """The cell columns of a base, sorted by amount column then compte.

    Parameters
    ----------
    comptes
        Account numbers, ascending.
    amount, compte
        Of each cell column: index into `workbench.dgfip.schema.AMOUNTS`, index into ``comptes``.
    groups
        Cell columns of one amount that share the first one or two digits of their comptes, first and
        last (excluded), shape (groups, 2): their sum is a column of the blocks too, after the others.
    """

    comptes: tuple[str, ...]
    amount: Integers
    compte: Integers
    groups: Integers

    def pieces(self, first: int, last: int) -> list[tuple[int, int]]:
        """Columns of the blocks that add up to cell columns ``first`` to ``last``: ranges, as few as can be."""
        found: list[tuple[int, int]] = []
        while first < last:
            inside = self._groups_from.get(first, ())
            group = next(((end, number) for end, number in inside if end <= last), None)
            if group is not None:
                found.append((group[1], group[1] + 1))
                first = group[0]
            else:
                following = min(last, self._next_group(first))
                found.append((first, following))
                first = following
        return found

    def _next_group(self, column: int) -> int:
        position = int(np.searchsorted(self._group_firsts, column, side="right"))
        return int(self._group_firsts[position]) if position < len(self._group_firsts) else len(self.amount)

    @cached_property
    def _group_firsts(self) -> Integers:
        return np.unique(self.groups[:, 0])

    @cached_property
    def _groups_from(self) -> dict[int, list[tuple[int, int]]]:
        """First cell column → (last, column of the blocks) of the groups that begin there, widest first."""
        found: dict[int, list[tuple[int, int]]] = {}
        for number, (first, last) in enumerate(self.groups.tolist()):
            found.setdefault(first, []).append((last, len(self.amount) + number))
        return {first: sorted(ends, reverse=True) for first, ends in found.items()}

    def span(self, column: str, first: int, last: int) -> tuple[int, int]:
        """The cell columns of an amount column for comptes ``first`` to ``last`` (excluded) of the list."""
        keys = self._keys
        base = AMOUNTS.index(column) * (len(self.comptes) + 1)
        low, high = np.searchsorted(keys, [base + first, base + last])
        return int(low), int(high)

    @cached_property
    def _keys(self) -> Integers:
        return self.amount * (len(self.comptes) + 1) + self.compte


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one snapshot, mapped from their files; `open_cells` and `prepare_cells` give them.

    Parameters
    ----------
    folder
        Where they are.
    chart
        The cell columns.
    descriptions
        What each budget-year is.
    bounds
        Where each block begins in the budget-years, and their end; shape (blocks + 1,).
    arrays
        ``values`` (cents) and ``positions`` (budget-year inside the block) of the cells, block by block,
        column by column; ``runs``, for each column of a block that is not empty, its number and where its
        cells end, counted from the first of the block; ``large_values``, ``large_positions`` and
        ``large_columns`` for the amounts that do not fit in ``values``.
    spans
        For each block, where its cells, its large amounts and its runs begin, then where they end; shape
        (blocks, 6).
    """

    folder: Path
    chart: Chart
    descriptions: Descriptions
    bounds: Integers
    arrays: dict[str, npt.NDArray[Any]]
    spans: Integers

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self.bounds) - 1

    @property
    def count(self) -> int:
        """Number of cells and sums kept."""
        return len(self.arrays["values"]) + len(self.arrays["large_values"])


def open_cells(base: Base) -> Cells | None:
    """Open the cells of a base's snapshot if they have been prepared.

    Parameters
    ----------
    base
        An open base.

    Returns
    -------
    Cells or None
        None when nobody has prepared them, or when their files are damaged.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     cells = prepare_cells(base)
    ...     again = open_cells(base)
    >>> again.count == cells.count > 0
    True
    """
    known = _OPEN.get(base)
    if known is not None and known[0] == base.snapshot and known[1].folder.is_dir():
        return known[1]
    for folder in _folders(base):
        cells = _mapped(folder)
        if cells is not None:
            _OPEN[base] = base.snapshot, cells
            return cells
    return None


def prepare_cells(base: Base, progress: Any = None) -> Cells | None:
    """Open the cells of a base's snapshot, after making them when they are absent.

    They are written beside the base, or in the user's cache folder where that place refuses.

    Parameters
    ----------
    base
        An open base.
    progress
        Called with (budget-years done, budget-years in all).

    Returns
    -------
    Cells or None
        None when no folder could be written: callers then read the base itself.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     cells = prepare_cells(base)
    >>> len(cells.descriptions) > 0, cells.chart.comptes[0] < cells.chart.comptes[-1]
    (True, True)
    """
    from workbench.dgfip.cells_build import build_cells

    opened = open_cells(base)
    if opened is not None:
        return opened
    for folder in _folders(base):
        with contextlib.suppress(OSError):
            remove_other_folders(folder, {each.id for each in base.store.snapshots()})
            build_cells(base, folder, progress)
            return open_cells(base)
    return None


def remove_cells(folder: Path | None, removed: Sequence[str]) -> None:
    """Remove the cells of snapshots that are gone."""
    for snapshot in removed if folder is not None else ():
        for each in (folder or Path()).glob(f"{snapshot}.cells-*"):
            shutil.rmtree(each, ignore_errors=True)


_OPEN: WeakKeyDictionary[Base, tuple[str, Cells]] = WeakKeyDictionary()


def _folders(base: Base) -> list[Path]:
    """Where the cells of this snapshot may be, best place first."""
    name = f"{base.snapshot}.cells-{_content(base)}"
    beside = getattr(base.store, "folder", None)
    address = hashlib.sha256(str(getattr(base.store, "path", base.url)).encode()).hexdigest()[:16]
    cache = user_cache_path("workbench") / "cells" / address
    return [folder / name for folder in (beside, cache) if folder is not None]


def _content(base: Base) -> str:
    """What tells a snapshot from any other: the engine's mark, or its imports, one by one, and its size."""
    if base.mark:
        return hashlib.sha256(f"{FORMAT} {base.mark}".encode()).hexdigest()[:16]
    statement = select(imports.c.import_id, imports.c.sha256, imports.c.date, imports.c.lignes, imports.c.budgets)
    digest = hashlib.sha256(f"{FORMAT}".encode())
    for row in base.fetch(statement.order_by(imports.c.import_id)).to_pylist():
        digest.update(repr(sorted(row.items())).encode())
    for table in (budgets, collectivites):
        digest.update(repr(base.fetch(select(func.count()).select_from(table)).column(0).to_pylist()).encode())
    digest.update(repr(base.fetch(select(func.sum(budgets.c.lignes))).column(0).to_pylist()).encode())
    return digest.hexdigest()[:16]


def _mapped(folder: Path) -> Cells | None:
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        if meta["format"] != FORMAT or _damaged(folder, meta["sizes"]):
            return None
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _FILES}
        rows = _arrow(folder / "rows.arrow")
        chart = np.load(folder / "columns.npy")
        groups = np.load(folder / "groups.npy")
        comptes = tuple(_arrow(folder / "comptes.arrow")["compte"].to_pylist())
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None
    # A view without the class: slices of memory maps cost ten times those of arrays.
    arrays = {name: array.view(np.ndarray) for name, array in arrays.items()}
    bounds = np.asarray(meta["bounds"], dtype=np.int64)
    starts = arrays.pop("starts")
    spans = np.ascontiguousarray(np.hstack([starts[:-1], starts[1:]]))
    return Cells(folder, Chart(comptes, chart[0], chart[1], groups), Descriptions(rows), bounds, arrays, spans)


def _damaged(folder: Path, sizes: dict[str, int]) -> bool:
    return any((folder / name).stat().st_size != size for name, size in sizes.items())


def _arrow(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        return reader.read_all()

"""The files of cells: written beside their place, moved there once they are whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from workbench.engines import work_folder

__all__ = ["FORMAT", "ROWS_PER_BLOCK", "block_bounds", "remove_other_folders", "write_cells"]

FORMAT = 3
"""Goes up when the files change; folders of another format are made again."""

ROWS_PER_BLOCK = 128
"""Few enough that all vectors of a trame of some hundred indicateurs stay in the cache of a core."""

_LARGE = 2**31 - 1
_HEADER = 128


class _Array:
    """A .npy file that grows; its header is written once its length is known."""

    def __init__(self, path: Path, dtype: Any, width: int | None = None) -> None:
        self.dtype = np.dtype(dtype)
        self.width = width
        self.count = 0
        self.file: BinaryIO = path.open("wb")
        self.file.write(b"\0" * _HEADER)

    def append(self, values: npt.NDArray[Any]) -> None:
        written = np.ascontiguousarray(values, dtype=self.dtype)
        self.file.write(written.data)
        self.count += len(written)

    def close(self) -> None:
        shape = (self.count,) if self.width is None else (self.count, self.width)
        described = repr({"descr": self.dtype.str, "fortran_order": False, "shape": shape})
        text = described.ljust(_HEADER - 11) + "\n"
        self.file.seek(0)
        self.file.write(b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little") + text.encode("ascii"))
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


def block_bounds(unit: npt.NDArray[np.int64], rows: int = ROWS_PER_BLOCK) -> npt.NDArray[np.int64]:
    """Cut sorted rows into blocks of at most ``rows`` that part no unit.

    Examples
    --------
    >>> block_bounds(np.array([0, 0, 1, 1, 2]), 3).tolist()
    [0, 2, 5]
    """
    firsts = np.append(np.flatnonzero(np.diff(unit, prepend=-1)), len(unit))
    bounds = [0]
    while bounds[-1] < len(unit):
        position = int(np.searchsorted(firsts, bounds[-1] + rows, side="right")) - 1
        following = int(firsts[position])
        # A unit longer than a block is a block of its own.
        bounds.append(following if following > bounds[-1] else int(firsts[position + 1]))
    return np.asarray(bounds, dtype=np.int64)


def column_groups(
    comptes: list[str], columns: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
    """Group cell columns by amount and by the first one and two digits of the compte.

    Returns
    -------
    tuple
        The first and last (excluded) cell column of each group, shape (groups, 2), and, for each
        number of digits, the cell column that stands for the group of each cell column, -1 for none.

    Examples
    --------
    >>> columns = np.array([[0, 0, 0, 1], [0, 1, 2, 2]])
    >>> groups, group_of = column_groups(["601", "602", "70"], columns)
    >>> groups.tolist(), [each.tolist() for each in group_of]
    ([[0, 2], [0, 2]], [[4, 4, -1, -1], [5, 5, -1, -1]])
    """
    width = columns.shape[1]
    ranges: list[tuple[int, int]] = []
    group_of = []
    for digits in (1, 2):
        prefixes = np.array([compte[:digits] for compte in comptes], dtype=str)[columns[1]]
        fresh = np.ones(width, dtype=bool)
        fresh[1:] = (prefixes[1:] != prefixes[:-1]) | (columns[0][1:] != columns[0][:-1])
        starts = np.flatnonzero(fresh)
        found = np.full(width, -1, dtype=np.int64)
        for first, last in zip(starts.tolist(), [*starts[1:].tolist(), width][: len(starts)], strict=True):
            if last - first > 1:
                found[first:last] = width + len(ranges)
                ranges.append((first, last))
        group_of.append(found)
    return np.asarray(ranges, dtype=np.int64).reshape(-1, 2), group_of


def _with_groups(
    cells: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]],
    group_of: list[npt.NDArray[np.int64]],
    shape: tuple[int, int],
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The cells of a block and, after them, the sums of its groups, were they zero."""
    position, column, value = cells
    parts = [cells]
    for groups in group_of:
        group = groups[column]
        inside = group >= 0
        sums = sparse.coo_array((value[inside], (position[inside], group[inside])), shape=shape).tocsc().tocoo()
        parts.append((sums.coords[0], sums.coords[1], sums.data))
    whole, columns, values = (np.concatenate([part[index] for part in parts]) for index in range(3))
    return whole, columns, values


def write_cells(
    folder: Path,
    rows: pa.Table,
    comptes: Iterable[str],
    columns: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    blocks: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]],
) -> None:
    """Write the files of a folder, all of them or none.

    Parameters
    ----------
    folder
        Absent; or another process's, which then stays.
    rows
        What each budget-year is, sorted by siret then exercice.
    comptes, columns
        The chart: account numbers, and the amount and compte of each cell column, shape (2, columns).
    bounds
        Where each block begins in ``rows``, and their end.
    blocks
        For each block, (budget-year inside the block, cell column, cents): no pair twice, no zero.
    """
    listed = list(comptes)
    groups, group_of = column_groups(listed, columns)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with work_folder(folder.parent, ".cells-") as work:
        # Whoever reads the base reads its cells.
        work.chmod(folder.parent.stat().st_mode & 0o777)
        width = columns.shape[1] + len(groups)
        files = {
            "values": _Array(work / "values.npy", "<i4"),
            "positions": _Array(work / "positions.npy", "<u2"),
            "runs": _Array(work / "runs.npy", "<i4", 2),
            "starts": _Array(work / "starts.npy", "<i8", 3),
            "large_values": _Array(work / "large_values.npy", "<i8"),
            "large_positions": _Array(work / "large_positions.npy", "<u2"),
            "large_columns": _Array(work / "large_columns.npy", "<i4"),
        }
        try:
            files["starts"].append(np.zeros((1, 3)))
            for number, cells in enumerate(blocks):
                size = int(bounds[number + 1] - bounds[number])
                position, column, value = _with_groups(cells, group_of, (size, width))
                large = np.abs(value) > _LARGE
                small = sparse.coo_array(
                    (value[~large].astype(np.int32), (position[~large], column[~large])), shape=(size, width)
                ).tocsc()
                small.sort_indices()
                files["values"].append(small.data)
                files["positions"].append(small.indices)
                filled = np.flatnonzero(np.diff(small.indptr))
                files["runs"].append(np.stack([filled, small.indptr[filled + 1]], axis=1))
                order = np.lexsort((position[large], column[large]))
                files["large_values"].append(value[large][order])
                files["large_positions"].append(position[large][order])
                files["large_columns"].append(column[large][order])
                counts = [files[name].count for name in ("values", "large_values", "runs")]
                files["starts"].append(np.array([counts]))
        finally:
            for file in files.values():
                file.close()
        np.save(work / "columns.npy", columns)
        np.save(work / "groups.npy", groups)
        _write_arrow(work / "comptes.arrow", pa.table({"compte": pa.array(listed, pa.string())}))
        _write_arrow(work / "rows.arrow", rows)
        sizes = {each.name: each.stat().st_size for each in sorted(work.iterdir())}
        meta = {"format": FORMAT, "bounds": bounds.tolist(), "sizes": sizes}
        (work / "meta.json").write_text(json.dumps(meta), "utf-8")
        if folder.exists() and not (folder / "meta.json").exists():
            shutil.rmtree(folder)
        try:
            work.rename(folder)
        except OSError:
            # Another process was first, with the same content; a damaged one gives way.
            aside = work.with_name(work.name + ".old")
            folder.rename(aside)
            work.rename(folder)
            shutil.rmtree(aside, ignore_errors=True)


def _write_arrow(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def remove_other_folders(folder: Path, snapshots: Set[str]) -> None:
    """Remove the cells beside ``folder`` of snapshots that are gone, and its snapshot's outdated ones."""
    snapshot = folder.name.split(".cells-")[0]
    for each in folder.parent.glob("*.cells-*"):
        owner = each.name.split(".cells-")[0]
        if owner and each != folder and (owner == snapshot or owner not in snapshots):
            shutil.rmtree(each, ignore_errors=True)

"""Rows of a history by company or établissement: columns once, sliced when an object is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Series", "carried", "month_text", "months_before", "plain"]


def month_text(day: date) -> str:
    """Return a month as it is published.

    Examples
    --------
    >>> month_text(date(2026, 3, 1))
    '2026-03'
    """
    return f"{day.year}-{day.month:02d}"


class Series:
    """Rows of a table by its first column, in the order of the second.

    Parameters
    ----------
    table
        The key first, then what orders rows, then the rest.
    names
        What the columns after the key are published as; their own names by default.
    months
        Columns that are months; other dates are written whole.

    Examples
    --------
    >>> table = pa.table({"siret": ["b", "a", "b"], "n": [2, 1, 1], "v": [0.5, 1.0, None]})
    >>> Series(table).rows("b"), Series(table).rows("c")
    ([{'n': 1, 'v': None}, {'n': 2, 'v': 0.5}], [])
    """

    def __init__(self, table: pa.Table, names: Sequence[str] = (), *, months: Sequence[str] = ()) -> None:
        key, *others = table.column_names
        self.names = list(names) or others
        by = [(key, "ascending"), *((name, "ascending") for name in others[:1])]
        table = table.sort_by(by).combine_chunks()
        keys = table[key].to_numpy(zero_copy_only=False).astype(object)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, np.int64)
        ends = np.r_[starts[1:], len(keys)].tolist() if len(keys) else []
        self._places = dict(zip(keys[starts].tolist(), zip(starts.tolist(), ends, strict=True), strict=True))
        self._columns = [plain(table[name], month=name in months) for name in others]

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        return list(self._places)

    def rows(self, key: str) -> list[dict[str, Any]]:
        """Return the rows of a key."""
        start, end = self._places.get(key, (0, 0))
        parts = [column[start:end] for column in self._columns]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*parts, strict=True)]

    def last(self) -> Any:
        """Return the greatest value of the column that orders rows; None when there is none."""
        return max((value for value in self._columns[0] if value is not None), default=None)

    def one(self, key: str) -> dict[str, Any] | None:
        """Return the last row of a key."""
        found = self.rows(key)
        return found[-1] if found else None


def plain(column: pa.ChunkedArray, *, month: bool) -> list[Any]:
    """Return values that JSON writes: dates as texts, whole numbers where they are, no NaN."""
    if pa.types.is_date(column.type):
        texts = pc.strftime(column, format="%Y-%m" if month else "%Y-%m-%d")
        return texts.to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    return column.to_pylist()  # type: ignore[no-any-return]


def carried(rows: Sequence[dict[str, Any]], months: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Say a debt month after month: what the last row said, nothing before the first.

    Examples
    --------
    >>> carried([{"periode": "2026-02", "du": 3.0}], ["2026-01", "2026-02", "2026-03"], ["du"])
    [{'periode': '2026-01', 'du': 0}, {'periode': '2026-02', 'du': 3.0}, {'periode': '2026-03', 'du': 3.0}]
    """
    if not rows:
        return []
    found, place = [], 0
    current: dict[str, Any] = dict.fromkeys(names, 0)
    for month in months:
        while place < len(rows) and rows[place]["periode"] <= month:
            current = {name: rows[place][name] for name in names}
            place += 1
        found.append({"periode": month, **current})
    return found


def months_before(end: date, count: int) -> list[str]:
    """Return the months before a first day of month, the oldest first.

    Examples
    --------
    >>> months_before(date(2026, 2, 1), 3)
    ['2025-11', '2025-12', '2026-01']
    """
    found: list[str] = []
    day = end
    for _ in range(count):
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(month_text(day))
    return found[::-1]

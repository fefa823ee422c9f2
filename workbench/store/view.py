"""All that one person sees of a key, by columns: what a long list is filtered, ordered and counted from.

A list of forty thousand objects is read once for those who have the same rights, then asked hundreds of questions. What
is visible was decided by the rule, in the database; here it is only compared, as `workbench.store.reading` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.store.keys import comparable
from workbench.store.question import Filter, Sort
from workbench.store.words import words_of

__all__ = ["Column", "View"]

Mask = npt.NDArray[np.bool_]

KEY = "key."
"""What a field begins by when it is a pair of the key, not a property."""


@dataclass(frozen=True)
class Column:
    """One property of all the objects.

    Parameters
    ----------
    codes
        Of each object, the place of its value among the distinct ones; -1 for an object that has none.
    values
        The distinct values.
    sheets
        Of each object, the sheet that holds the value.
    """

    codes: npt.NDArray[np.int32]
    values: list[Any]
    sheets: npt.NDArray[np.int64]

    @cached_property
    def _compared(self) -> list[tuple[int | None, float, str]]:
        return [comparable(value) for value in self.values]

    @cached_property
    def _ranks(self) -> npt.NDArray[np.int8]:
        return np.array([rank or 0 for rank, _, _ in self._compared], np.int8)

    @cached_property
    def _numbers(self) -> npt.NDArray[np.float64]:
        return np.array([number for _, number, _ in self._compared], np.float64)

    @cached_property
    def _words(self) -> list[str]:
        return [words_of(value) if isinstance(value, str) else "" for value in self.values]

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """Of each object, the place of its value in the order of values; -1 for what has none."""
        known = sorted((rank, number, text) for rank, number, text in set(self._compared) if rank is not None)
        place: dict[tuple[int | None, float, str], int] = {each: number for number, each in enumerate(known)}
        order = np.array([*(place.get(each, -1) for each in self._compared), -1], np.int64)
        return np.asarray(order[self.codes], np.int64)

    def _of_values(self, passes: Mask) -> Mask:
        return np.append(passes, False)[self.codes]

    def passes(self, asked: Filter) -> Mask:
        """Say which objects pass a filter."""
        if asked.operator in ("in", "=", "not in", "!="):
            values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
            same = self._same(values)
            return self._of_values(same if asked.operator in ("in", "=") else (self._ranks > 0) & ~same)
        rank, number, text = comparable(asked.value)
        if rank == 3:
            compare = _ON_TEXTS[asked.operator]
            ours = (each == 3 and compare(other, text) for each, _, other in self._compared)
            return self._of_values(np.fromiter(ours, np.bool_, len(self.values)))
        return self._of_values((self._ranks == rank) & _ON_NUMBERS[asked.operator](self._numbers, number))

    def among(self, values: frozenset[str]) -> Mask:
        """Say which objects have one of some texts."""
        return self._of_values(np.fromiter((each in values for each in self.values), np.bool_, len(self.values)))

    def _same(self, values: Sequence[Any]) -> Mask:
        same = np.zeros(len(self.values), np.bool_)
        for rank in (1, 2):
            numbers = [number for kind, number, _ in map(comparable, values) if kind == rank]
            same |= (self._ranks == rank) & np.isin(self._numbers, numbers)
        texts = {value for value in values if isinstance(value, str)}
        if texts:
            same |= np.fromiter((isinstance(each, str) and each in texts for each in self.values), np.bool_, len(same))
        return same

    def holds(self, words: str) -> Mask:
        """Say which objects have words in a text; digits are found however they are spaced."""
        plain = words.replace(" ", "")
        wanted = plain if plain.isdigit() else words
        return self._of_values(np.fromiter((wanted in each for each in self._words), np.bool_, len(self.values)))

    def value(self, row: int) -> Any:
        """Return the value of an object."""
        return self.values[self.codes[row]]


_ON_NUMBERS: Mapping[str, Callable[[Any, float], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_ON_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "<": str.__lt__,
    "<=": str.__le__,
    ">": str.__gt__,
    ">=": str.__ge__,
}


class View:
    """What one person sees of the objects of a key, at a moment.

    Parameters
    ----------
    keys
        Of each object, its key, in the order of the digests.
    columns
        By name of property.
    """

    def __init__(self, keys: Sequence[Mapping[str, str]], columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._pairs = {name: _of_pairs(keys, name) for name in {name for key in keys for name in key}}
        self.size = len(keys)
        self.cells = self.size * (len(self._columns) + len(self._pairs))

    def _column(self, field: str) -> Column | None:
        if field.startswith(KEY):
            return self._pairs.get(field.removeprefix(KEY))
        return self._columns.get(field)

    def rows(self, filters: Iterable[Filter], words: str = "", among: Sequence[str] = ()) -> npt.NDArray[np.int64]:
        """Return the objects that pass every filter and hold words in one of some texts."""
        kept = np.ones(self.size, np.bool_)
        for each in filters:
            column = self._column(each.field)
            kept &= np.zeros(self.size, np.bool_) if column is None else column.passes(each)
        if words:
            held = np.zeros(self.size, np.bool_)
            for field in among:
                column = self._column(field)
                if column is not None:
                    held |= column.holds(words)
            kept &= held
        return np.flatnonzero(kept)

    def ordered(self, rows: npt.NDArray[np.int64], sort: Sort | None) -> npt.NDArray[np.int64]:
        """Order objects as a question does: those without the property come last."""
        has, rest = self.ranked(rows, sort)
        return np.concatenate((has[::-1] if sort is not None and sort.descending else has, rest))

    def ranked(
        self, rows: npt.NDArray[np.int64], sort: Sort | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Part objects: those that have a property, in ascending order, and the rest as they come."""
        column = None if sort is None else self._column(sort.field)
        if column is None:
            return rows[:0], rows
        places = column.places[rows]
        has = rows[places >= 0]
        return has[np.lexsort((column.sheets[has], places[places >= 0]))], rows[places < 0]

    def rank(self, row: int, sort: Sort | None) -> tuple[Any, int]:
        """Return what the order of an object that has a property depends on."""
        column = None if sort is None else self._column(sort.field)
        assert column is not None  # noqa: S101 - narrows the type
        return comparable(column.value(row)), int(column.sheets[row])

    def key(self, row: int) -> dict[str, str]:
        """Return the key of an object."""
        return {name: column.value(row) for name, column in self._pairs.items() if column.codes[row] >= 0}

    def having(self, name: str, values: frozenset[str]) -> Mask:
        """Say which objects have one of some values of a pair of their keys."""
        column = self._pairs.get(name)
        return np.zeros(self.size, np.bool_) if column is None else column.among(values)

    def counts(self, rows: npt.NDArray[np.int64], field: str) -> list[list[Any]]:
        """Count objects by value, booleans, numbers and texts in their order."""
        column = self._column(field)
        if column is None:
            return []
        counted = np.bincount(column.codes[rows][column.codes[rows] >= 0], minlength=len(column.values))
        found = [(value, int(count)) for value, count in zip(column.values, counted, strict=True) if count]
        known = [(comparable(value), value, count) for value, count in found]
        kept = [
            ((rank, number, text), value, count) for (rank, number, text), value, count in known if rank is not None
        ]
        return [[value, count] for _, value, count in sorted(kept, key=lambda each: each[0])]

    def objects(self, rows: Iterable[Any], fields: Sequence[str] | None) -> list[dict[str, Any]]:
        """Write objects: their key, and those of their properties that are asked."""
        named = (
            self._columns if fields is None else {name: self._columns[name] for name in fields if name in self._columns}
        )
        return [
            {
                "key": self.key(row),
                "value": {name: column.value(row) for name, column in named.items() if column.codes[row] >= 0},
            }
            for row in rows
        ]


def _of_pairs(keys: Sequence[Mapping[str, str]], name: str) -> Column:
    values: dict[str, int] = {}
    codes = [values.setdefault(key[name], len(values)) if name in key else -1 for key in keys]
    return Column(np.array(codes, np.int32), list(values), np.zeros(len(codes), np.int64))

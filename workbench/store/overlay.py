"""What a person sees of a key, when something is lent to her: what those of her rights share, and a little of her own.

Who follows companies sees more of them than her neighbour. Were that one view, each follower would have the whole list
read for her, and kept. Objects that a condition lends badges for are read apart (`Overlay.own`), and stand in the place
of the same objects of the shared view.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.store.keys import canonical, comparable, digest
from workbench.store.policies import Access
from workbench.store.question import Filter, Sort
from workbench.store.view import View

__all__ = ["Overlay", "lent_values", "shared_access"]

Rows = npt.NDArray[np.int64]


def lent_values(access: Access) -> dict[str, frozenset[str]]:
    """Return the pairs for which a person's own objects lend her something: values by name.

    Examples
    --------
    >>> lent_values(Access(frozenset(), frozenset(), (), (), frozenset(), closed=False))
    {}
    """
    found: dict[str, frozenset[str]] = {}
    for each in access.keyed:
        if each.when is not None:
            found[each.when.same] = found.get(each.when.same, frozenset()) | each.among
    return found


def shared_access(access: Access) -> Access:
    """Return what a person's rights mean, without what her own objects lend."""
    return replace(access, keyed=tuple(each for each in access.keyed if each.when is None))


class Overlay:
    """A view made of two, asked as one; see `workbench.store.view.View`.

    Parameters
    ----------
    shared
        What those of the same rights see.
    own
        What this person sees of the objects that something is lent for.
    lent
        Which they are: values of pairs by name.
    """

    def __init__(self, shared: View, own: View, lent: Mapping[str, frozenset[str]]) -> None:
        self._shared = shared
        self._own = own
        self._stays = np.ones(shared.size, np.bool_)
        for name, values in lent.items():
            self._stays &= ~shared.having(name, values)

    def rows(self, filters: Iterable[Filter], words: str = "", among: Sequence[str] = ()) -> Rows:
        """Return the objects that pass every filter and hold words, those of the shared view first."""
        filters = list(filters)
        shared = self._shared.rows(filters, words, among)
        own = self._own.rows(filters, words, among)
        return np.concatenate((shared[self._stays[shared]], own + self._shared.size))

    def ordered(self, rows: Rows, sort: Sort | None) -> Rows:
        """Order objects as a question does."""
        size = self._shared.size
        has, rest = self._shared.ranked(rows[rows < size], sort)
        own_has, own_rest = self._own.ranked(rows[rows >= size] - size, sort)
        first = self._merged(has, own_has, lambda view, row: view.rank(row, sort))
        last = self._merged(rest, own_rest, lambda view, row: digest(view.key(row)))
        return np.concatenate((first[::-1] if sort is not None and sort.descending else first, last))

    def _merged(self, shared: Rows, own: Rows, rank: Callable[[View, int], Any]) -> Rows:
        """Merge rows that are in order; few are this person's own."""

        def before(row: int) -> int:
            return bisect_left(shared, rank(self._own, row), key=lambda each: rank(self._shared, int(each)))

        return np.insert(shared, [before(int(row)) for row in own], own + self._shared.size)

    def counts(self, rows: Rows, field: str) -> list[list[Any]]:
        """Count objects by value, booleans, numbers and texts in their order."""
        size = self._shared.size
        found: dict[str, list[Any]] = {}
        for view, ours in ((self._shared, rows[rows < size]), (self._own, rows[rows >= size] - size)):
            for value, count in view.counts(ours, field):
                found.setdefault(canonical(value), [value, 0])[1] += count
        return sorted(found.values(), key=lambda each: comparable(each[0]))

    def objects(self, rows: Iterable[Any], fields: Sequence[str] | None) -> list[dict[str, Any]]:
        """Write objects: their key, and those of their properties that are asked."""
        size = self._shared.size
        found: list[dict[str, Any]] = []
        for row in rows:
            view, place = (self._shared, row) if row < size else (self._own, row - size)
            found += view.objects([place], fields)
        return found

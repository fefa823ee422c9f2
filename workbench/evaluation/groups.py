"""Budget-years that are compared with each other, and the order of their values.

A group is a set of budget-years that agree on a few dimensions, the exercice always among them. The
order of rows by group is found once; each indicateur then sorts its values inside the groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.dgfip.descriptions import Descriptions
from workbench.dgfip.strates import ECHELLE, strates_of_rows
from workbench.errors import WorkbenchError

__all__ = ["DIMENSIONS", "Groups", "Ranked", "dimensions_of"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DIMENSIONS = ("type_etablissement", "nomenclature", "strate", "departement")
_SETS = {
    "strate": ("type_etablissement", "nomenclature", "strate"),
    "departement": ("type_etablissement", "nomenclature", "departement"),
}


def dimensions_of(by: str | Sequence[str]) -> tuple[str, ...]:
    """Read what budget-years are grouped by.

    Raises
    ------
    WorkbenchError
        ``regroupement_inconnu``.

    Examples
    --------
    >>> dimensions_of("departement"), dimensions_of(["strate", "departement"]), dimensions_of([])
    (('type_etablissement', 'nomenclature', 'departement'), ('strate', 'departement'), ())
    """
    if isinstance(by, str):
        if by not in _SETS:
            raise WorkbenchError("regroupement_inconnu", valeur=by, connus=", ".join(DIMENSIONS))
        return _SETS[by]
    for each in by:
        if each not in DIMENSIONS:
            raise WorkbenchError("regroupement_inconnu", valeur=each, connus=", ".join(DIMENSIONS))
    return tuple(dict.fromkeys(by))


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of some budget-years.

    Parameters
    ----------
    of_row
        The group of each budget-year, shape (rows,); groups are numbered in the order of their labels.
    count
        Number of groups.
    labels
        For each dimension then ``exercice``, what each group bears; shape (count,) each.
    """

    of_row: Integers
    count: int
    labels: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, rows: Descriptions, taken: Integers, dimensions: Sequence[str], echelle: str = ECHELLE) -> Groups:
        """Group budget-years, given as positions in ``rows``."""
        texts: list[npt.NDArray[Any]] = []
        key = np.zeros(len(taken), dtype=np.int64)
        for dimension in dimensions:
            if dimension == "strate":
                labels, index = strates_of_rows(rows, taken, echelle)
                names = np.asarray(labels, dtype=str)
            else:
                known, all_index = rows.texts(dimension)
                # Without a text, a budget-year is in the group of the empty one.
                names, index = np.append(np.asarray([""], dtype=str), known), all_index[taken].astype(np.int64) + 1
            texts.append(names)
            key = key * len(names) + index
        # Years take four digits, so that keys stay far from 2**63.
        whole, of_row = np.unique(key * 10_000 + rows.exercice[taken], return_inverse=True)
        found: dict[str, npt.NDArray[Any]] = {"exercice": whole % 10_000}
        rest = whole // 10_000
        for dimension, names in zip(reversed(list(dimensions)), reversed(texts), strict=True):
            found[dimension] = names[rest % len(names)]
            rest = rest // len(names)
        return cls(of_row, len(whole), {name: found[name] for name in (*dimensions, "exercice")})

    @cached_property
    def order(self) -> Integers:
        """Rows group by group, in their order inside each."""
        return np.argsort(self.of_row, kind="stable")

    @cached_property
    def sizes(self) -> Integers:
        """Rows of each group."""
        return np.bincount(self.of_row, minlength=self.count).astype(np.int64)

    @cached_property
    def _encoded(self) -> dict[str, tuple[npt.NDArray[np.int32], pa.Array]]:
        encoded = {}
        for name, labels in self.labels.items():
            if name != "exercice":
                texts, index = np.unique(labels, return_inverse=True)
                encoded[name] = index.astype(np.int32), pa.array(texts.tolist(), pa.string())
        return encoded

    def columns(self, chosen: Integers) -> dict[str, pa.Array]:
        """The labels of some groups, as Arrow columns."""
        columns = {
            name: pa.DictionaryArray.from_arrays(index[chosen], texts) for name, (index, texts) in self._encoded.items()
        }
        columns["exercice"] = pa.array(self.labels["exercice"][chosen].astype(np.int16))
        return columns


class Ranked:
    """The values of one indicateur, ascending inside each group.

    Parameters
    ----------
    groups
        The groups.
    values
        Shape (rows,).
    kept
        Which rows count; None for all.
    """

    def __init__(self, groups: Groups, values: Floats, kept: Mask | None = None) -> None:
        self.groups = groups
        self.vector = values
        self.kept = kept
        self.count: Integers = groups.sizes
        order = groups.order
        if kept is not None:
            order = order[kept[order]]
            self.count = np.bincount(groups.of_row[order], minlength=groups.count).astype(np.int64)
        self.order = order
        self.ends = np.cumsum(self.count)
        self.starts = self.ends - self.count
        self.ranked = values[order]

    def _parts(self) -> list[slice]:
        return [slice(*ends) for ends in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]

    def sort(self) -> Ranked:
        """Sort the values of each group, without keeping whose they are."""
        for part in self._parts():
            self.ranked[part].sort()
        return self

    def counts(self, rows: Integers) -> Integers:
        """Those of some rows that count."""
        return rows if self.kept is None else rows[self.kept[rows]]

    def quantile(self, numerator: int, denominator: int) -> Floats:
        """For each group the smallest value that at least this part does not exceed; for groups that have one."""
        filled = self.filled
        # The ceiling, in integers: a level such as 0.1 is no exact float.
        position = np.maximum(-(-self.count[filled] * numerator // denominator) - 1, 0)
        found: Floats = self.ranked[self.starts[filled] + position]
        return found

    @cached_property
    def filled(self) -> Integers:
        """The groups in which some row counts."""
        return np.flatnonzero(self.count)

    @cached_property
    def nonzero(self) -> Integers:
        """Number of values other than 0, for groups that have one."""
        return np.add.reduceat((self.ranked != 0).astype(np.int64), self.starts[self.filled])

    def places_of(self, rows: Integers) -> tuple[Integers, Integers]:
        """For a few rows that count, once sorted: how many of their group are below, and how many equal."""
        below, equal = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        for number, row in enumerate(rows.tolist()):
            group = self.groups.of_row[row]
            part = self.ranked[self.starts[group] : self.ends[group]]
            below[number] = np.searchsorted(part, self.vector[row], side="left")
            equal[number] = np.searchsorted(part, self.vector[row], side="right") - below[number]
        return below, equal

    def places(self) -> tuple[Integers, Integers, Integers]:
        """Sort, and say of every row that counts: its number, how many of its group are below, how many equal."""
        order = self.order.copy()
        for part in self._parts():
            inside = np.argsort(self.ranked[part], kind="stable")
            order[part] = order[part][inside]
            self.ranked[part] = self.ranked[part][inside]
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = self.ranked[1:] != self.ranked[:-1]
        fresh[self.starts[self.filled]] = True
        first = np.flatnonzero(fresh)
        equal = np.diff(np.append(first, len(order)))
        run = np.cumsum(fresh) - 1
        return order, first[run] - self.starts[self.groups.of_row[order]], equal[run]

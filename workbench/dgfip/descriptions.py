"""What each budget-year of a base is, kept in memory with its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.dgfip.selection import Perimetre, keeps_nomenclature

__all__ = ["Descriptions"]

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_YEARS = 10_000
"""More than any exercice, so that a unit and an exercice make one number."""

_SELECTIONS = 8
"""Selections of rows kept at hand, eight bytes a row each."""


@dataclass(frozen=True, eq=False)
class Descriptions:
    """What each budget-year of the base is, in memory, so that a perimeter costs no statement.

    Parameters
    ----------
    table
        The columns of `workbench.dgfip.selection.BUDGETS` with ``departement`` and ``finess``,
        sorted by siret then exercice; texts are dictionaries but for labels.
    """

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def sirets(self) -> npt.NDArray[np.str_]:
        """Each SIRET once, ascending."""
        return self.texts("siret")[0]

    @cached_property
    def unit(self) -> Integers:
        """Index into ``sirets`` of each row."""
        return self.texts("siret")[1].astype(np.int64)

    @cached_property
    def exercice(self) -> Integers:
        """Exercice of each row."""
        return np.array(self.table["exercice"].to_numpy(), dtype=np.int64)

    def texts(self, name: str) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int32]]:
        """The distinct texts of a column, ascending, and the index of each row's (-1 for none)."""
        return self._texts[name]

    @cached_property
    def _texts(self) -> _Texts:
        return _Texts(self.table)

    @cached_property
    def population(self) -> npt.NDArray[np.float64]:
        """Inhabitants of each row; not a number when no source gives them."""
        return np.asarray(self.table["population"].to_numpy(zero_copy_only=False), dtype=np.float64)

    @cached_property
    def peopled(self) -> npt.NDArray[np.bool_]:
        """Which rows have inhabitants, as some source says: an amount per inhabitant has no value elsewhere."""
        return self.population > 0

    def taken(self, perimetre: Perimetre, exercices: Sequence[int] | None = None) -> Integers:
        """The rows that a perimeter takes, ascending: those that `select_budgets` gives. Not to be changed."""
        years = None if exercices is None or not len(exercices) else tuple(sorted(set(exercices)))
        key = (perimetre, years)
        known = self._known.pop(key, None)
        found = self._taken(perimetre, years) if known is None else known
        # The last selections asked for stay at hand, in the order of their use.
        self._known[key] = found
        if len(self._known) > _SELECTIONS:
            del self._known[next(iter(self._known))]
        return found

    def of_budgets(self, budgets: pa.Table) -> Integers:
        """The rows of some budget-years (``siret``, ``exercice``) that the base gave, ascending."""
        sirets = np.asarray(budgets["siret"].to_pylist(), dtype=str)
        unit = np.searchsorted(self.sirets, sirets).astype(np.int64)
        wanted = unit * _YEARS + np.asarray(budgets["exercice"].to_numpy(), dtype=np.int64)
        # Sorted by SIRET then exercice: so are these keys.
        return np.unique(np.searchsorted(self.unit * _YEARS + self.exercice, wanted)).astype(np.int64)

    @cached_property
    def _known(self) -> dict[tuple[Perimetre, tuple[int, ...] | None], Integers]:
        return {}

    def _taken(self, perimetre: Perimetre, exercices: tuple[int, ...] | None) -> Integers:
        if perimetre.epci is not None:
            raise ValueError("the base tells the members of groupements: see of_budgets")
        rows = self._named(perimetre)
        if exercices is not None:
            rows = rows[np.isin(self.exercice[rows], np.asarray(exercices, dtype=np.int64))]
        for name, values in (
            ("nomenclature", self._nomenclatures(perimetre.nomenclature)),
            ("departement", perimetre.departements),
            ("type_etablissement", perimetre.types),
        ):
            if values is not None:
                rows = rows[self._among(name, values, rows)]
        low, high = perimetre.population or (None, None)
        if low is not None:
            rows = rows[self.population[rows] >= low]
        if high is not None:
            rows = rows[self.population[rows] <= high]
        return rows

    def _nomenclatures(self, criterion: str | None) -> list[str] | None:
        if criterion is None:
            return None
        return [text for text in self.texts("nomenclature")[0].tolist() if keeps_nomenclature(criterion, text)]

    def _named(self, perimetre: Perimetre) -> Integers:
        """The rows that identifiers name; all when the perimeter has none."""
        everything = np.arange(len(self), dtype=np.int64)
        named = []
        for values, length in ((perimetre.sirets, None), (perimetre.sirens, 9)):
            if values is not None:
                # Sorted by SIRET: the rows of one, or of all those of a SIREN, are a slice.
                texts = self.sirets if length is None else self.sirets.astype("U9")
                wanted = np.unique(np.asarray(values, dtype=str)) if len(values) else np.zeros(0, dtype="U1")
                first, last = (np.searchsorted(texts, wanted, side=side) for side in ("left", "right"))
                bounds = zip(np.searchsorted(self.unit, first), np.searchsorted(self.unit, last), strict=True)
                named += [everything[low:high] for low, high in bounds]
        if perimetre.finess is not None:
            named.append(everything[self._among("finess", perimetre.finess, everything)])
        if perimetre.sirets is None and perimetre.sirens is None and perimetre.finess is None:
            return everything
        return np.unique(np.concatenate([everything[:0], *named]))

    def _among(self, name: str, values: Sequence[str], rows: Integers) -> Mask:
        texts, index = self.texts(name)
        accepted = np.isin(texts, np.asarray(values, dtype=str)) if len(values) else np.zeros(len(texts), dtype=bool)
        # The last entry answers for rows without text, whose index is -1.
        return np.append(accepted, False)[index[rows]]


class _Texts(dict[str, tuple[Any, Any]]):
    """Text columns as sorted distinct values and indices, made when asked for."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__()
        self.table = table

    def __missing__(self, name: str) -> tuple[Any, Any]:
        column = self.table[name].combine_chunks()
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        texts = np.asarray(column.dictionary.to_pylist(), dtype=str)
        index = np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int32)
        order = np.argsort(texts)
        if not np.array_equal(order, np.arange(len(texts))):
            rank = np.empty(len(texts) + 1, dtype=np.int32)
            rank[order] = np.arange(len(texts))
            rank[-1] = -1
            texts, index = texts[order], rank[index]
        self[name] = texts, index
        return texts, index

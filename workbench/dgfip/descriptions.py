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
        return np.asarray(self.table["exercice"].to_numpy(), dtype=np.int64)

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

    def kept(self, perimetre: Perimetre, exercices: Sequence[int] | None = None) -> Mask:
        """Which rows a perimeter takes: those that `select_budgets` gives."""
        kept = np.ones(len(self), dtype=bool)
        if exercices is not None and len(exercices):
            low, high = min(exercices), max(exercices)
            wanted = np.zeros(high - low + 1, dtype=bool)
            wanted[np.asarray(list(exercices), dtype=np.int64) - low] = True
            inside = (self.exercice >= low) & (self.exercice <= high)
            kept &= inside
            if not wanted.all():
                kept[inside] &= wanted[self.exercice[inside] - low]
        named = [
            self._among(name, values)
            for name, values in (("siret", perimetre.sirets), ("siren", perimetre.sirens), ("finess", perimetre.finess))
            if values is not None
        ]
        if named:
            kept &= np.logical_or.reduce(named)
        for name, values in (
            ("nomenclature", self._nomenclatures(perimetre.nomenclature)),
            ("departement", perimetre.departements),
            ("type_etablissement", perimetre.types),
        ):
            if values is not None:
                kept &= self._among(name, values)
        low_bound, high_bound = perimetre.population or (None, None)
        if low_bound is not None:
            kept &= self.population >= low_bound
        if high_bound is not None:
            kept &= self.population <= high_bound
        return kept

    def _nomenclatures(self, criterion: str | None) -> list[str] | None:
        if criterion is None:
            return None
        return [text for text in self.texts("nomenclature")[0].tolist() if keeps_nomenclature(criterion, text)]

    def _among(self, name: str, values: Sequence[str]) -> Mask:
        if name == "siren":
            texts, index = self.texts("siret")
            accepted = np.isin(texts.astype("U9"), np.asarray(values, dtype=str))
        else:
            texts, index = self.texts(name)
            accepted = (
                np.isin(texts, np.asarray(values, dtype=str)) if len(values) else np.zeros(len(texts), dtype=bool)
            )
        # The last entry answers for rows without text, whose index is -1.
        return np.append(accepted, False)[index]


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

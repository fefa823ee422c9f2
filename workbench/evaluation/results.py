"""What an evaluation hands over: a table of figures that knows where each comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from workbench.dgfip import connect, keeps_nomenclature, libelles_comptes
from workbench.errors import WorkbenchError
from workbench.trames import Serie, Trame, trames_of

__all__ = ["IndicateurTable", "Provenance"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """Everything that a report must be able to say of a table of figures.

    Parameters
    ----------
    trame
        The trame or the serie evaluated.
    base, snapshot
        URL of the base and identifier of the snapshot read.
    budgets
        One row a retained (siret, exercice): ``siret, exercice, siren, libelle, population,
        nomenclature, nomenclature_detail, type_budget, type_etablissement, etat, source`` as
        `workbench.dgfip.select_budgets` gives them.
    exercices_demandes
        First and last exercice asked for.
    exercices
        Exercices present in the base for this perimeter, ascending.
    nomenclature
        The nomenclature that budgets had to have, None for no filter.
    avertissements
        French sentences to show beside the figures.
    cells
        Sums of the perimeter by exercice and compte, in cents.
    """

    trame: Trame
    base: str
    snapshot: str
    budgets: pa.Table
    exercices_demandes: tuple[int, int]
    exercices: tuple[int, ...]
    nomenclature: str | None
    avertissements: tuple[str, ...] = ()
    cells: pa.Table | None = field(default=None, repr=False)

    @cached_property
    def amounts(self) -> dict[int, dict[str, list[tuple[tuple[str, str, str], dict[str, int]]]]]:
        """Exercice → compte, ascending → lines of a kind of budget, type and nomenclature: these, cents by column."""
        result: dict[int, dict[str, list[tuple[tuple[str, str, str], dict[str, int]]]]] = {}
        if self.cells is not None:
            lines = self.cells.to_pylist()
            for line in sorted(lines, key=lambda line: (line["exercice"], line["compte"])):
                by_compte = result.setdefault(int(line["exercice"]), {})
                traits = (line["kind"], line["type_etablissement"], line["nomenclature"])
                by_compte.setdefault(line["compte"], []).append((traits, line))
        return result

    @cached_property
    def libelles(self) -> dict[str, str]:
        """Labels of the comptes; none when the base they came from is gone."""
        return self._libelles(self.nomenclature or self.trame.nomenclature or "")

    @cached_property
    def libelles_by_nomenclature(self) -> dict[str, dict[str, str]]:
        """Labels of the comptes in each trame's own nomenclature, for numbers that change their meaning."""
        return {str(one.nomenclature): self._libelles(one.nomenclature or "") for one in trames_of(self.trame)}

    @cached_property
    def trames_by_exercice(self) -> dict[int, tuple[Trame, ...]]:
        """The trames that served each exercice: one, or several where a perimeter mixes nomenclatures."""
        if not isinstance(self.trame, Serie):
            return dict.fromkeys(self.exercices, (self.trame,))
        kept: dict[int, set[str]] = {exercice: set() for exercice in self.exercices}
        for budget in self.budgets.select(["exercice", "nomenclature"]).to_pylist():
            kept[budget["exercice"]].add(budget["nomenclature"] or "")
        return {
            exercice: tuple(
                one
                for one in self.trame.trames
                if any(keeps_nomenclature(one.nomenclature or "", name) for name in names)
            )
            for exercice, names in kept.items()
        }

    def _libelles(self, nomenclature: str) -> dict[str, str]:
        try:
            with connect(self.base, snapshot=self.snapshot) as base:
                return libelles_comptes(base, nomenclature)
        except WorkbenchError:
            # The figures are kept with the table; without their base only the labels are lost.
            return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Provenance:
        """Return itself: it never changes."""
        return self


class IndicateurTable(pd.DataFrame):
    """Figures of a consolidated perimeter: one row an indicateur code, one int column an exercice.

    A pandas DataFrame of float64 in the unit of each indicateur, with its `provenance`, which
    survives selection and copies.
    """

    _metadata = ["provenance"]  # noqa: RUF012 - pandas reads this name on the class
    provenance: Provenance

    @property
    def _constructor(self) -> Callable[..., IndicateurTable]:
        return IndicateurTable

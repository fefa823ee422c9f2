"""What an evaluation hands over: a table of figures that knows where each comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from workbench.trames.model import Trame

__all__ = ["IndicateurTable", "Provenance"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """Everything that a report must be able to say of a table of figures.

    Parameters
    ----------
    trame
        The trame evaluated.
    base, snapshot
        URL of the base and identifier of the snapshot read.
    budgets
        One row a retained (siret, exercice): ``siret, exercice, siren, libelle, population,
        nomenclature, nomenclature_detail, type_budget, type_etablissement, etat`` where etat is
        D (définitif), P (provisoire) or M (both).
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

"""What an evaluation hands over: a table of figures that knows where each comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import connect, keeps_nomenclature, libelles_comptes
from workbench.display import Figure, Markup, cut, html_table, remark, safe, view
from workbench.errors import WorkbenchError
from workbench.numbers import ABSENT, format_value
from workbench.trames import Serie, Trame, trames_of

__all__ = ["IndicateurTable", "Provenance"]

_SHOWN = 120


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
    figures
        The values, one row an indicateur of the trame, one column an exercice: a table that arithmetic has changed
        keeps its provenance, and is told from these.
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
    figures: npt.NDArray[np.float64] | None = field(default=None, repr=False)

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
    survives selection and copies. A notebook shows it with libellés and units, as long as its figures are those of the
    evaluation; what arithmetic has made of them is shown as any DataFrame.
    """

    _metadata = ["provenance"]  # noqa: RUF012 - pandas reads this name on the class
    provenance: Provenance

    @property
    def _constructor(self) -> Callable[..., IndicateurTable]:
        return IndicateurTable

    def tidy(self) -> pd.DataFrame:
        """Return the figures one a row, as plotly and pandas like them.

        Returns
        -------
        pandas.DataFrame
            Columns ``indicateur``, ``libelle``, ``theme``, ``unite`` (str), ``exercice`` (int64) and ``valeur``
            (float64, in the unit of the indicateur), in the order of the table.

        Raises
        ------
        WorkbenchError
            ``table_sans_provenance`` for what `evaluate` did not return.

        Examples
        --------
        >>> import workbench as wb
        >>> base = wb.connect(demonstration_base)
        >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
        >>> wb.evaluate(trame, base, sirets=[demonstration_siret], exercices=[2024]).tidy().dtypes["valeur"]
        dtype('float64')
        """
        provenance = getattr(self, "provenance", None)
        if provenance is None:
            raise WorkbenchError("table_sans_provenance")
        known = {one.code: one for one in provenance.trame.indicateurs}
        codes, exercices = list(self.index), list(self.columns)
        named = [known.get(code) for code in codes]
        frame = pd.DataFrame(
            {
                "indicateur": np.repeat(np.array(codes, dtype=object), len(exercices)),
                **{
                    name: np.repeat(
                        np.array([getattr(one, name) if one else "" for one in named], dtype=object), len(exercices)
                    )
                    for name in ("libelle", "theme", "unite")
                },
                "exercice": np.tile(np.array(exercices, dtype=np.int64), len(codes)),
                "valeur": self.to_numpy(dtype=np.float64).reshape(-1),
            }
        )
        return frame.astype(dict.fromkeys(("indicateur", "libelle", "theme", "unite"), "str"))

    def _repr_html_(self) -> str:
        if self._evaluated():
            return view(*_parts(self))
        plain: str | None = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
        return plain or ""

    def _evaluated(self) -> bool:
        """Whether the figures are still those of the evaluation, up to rounding."""
        provenance: Provenance | None = getattr(self, "provenance", None)
        if provenance is None or provenance.figures is None or not (self.index.is_unique and self.columns.is_unique):
            return False
        rows = {code: place for place, code in enumerate(provenance.trame.codes)}
        columns = {exercice: place for place, exercice in enumerate(provenance.exercices)}
        codes: list[Any] = list(self.index)
        exercices: list[Any] = list(self.columns)
        if not (set(codes) <= set(rows) and set(exercices) <= set(columns)):
            return False
        if provenance.figures.shape != (len(rows), len(columns)):
            return False
        of_codes = provenance.figures[[rows[code] for code in codes]]
        asked = of_codes[:, [columns[exercice] for exercice in exercices]]
        shown = self.to_numpy(dtype=np.float64, na_value=np.nan)
        # A table rounded by its reader is still the same one.
        near = np.where(np.abs(asked) >= 100, 0.5, 0.005)
        return bool(np.all((np.abs(shown - asked) <= near) | (np.isnan(shown) & np.isnan(asked))))


def _parts(table: IndicateurTable) -> Iterator[str]:
    """Write a table with its libellés, its themes and its units, then what it was made of."""
    provenance = table.provenance
    known = {one.code: one for one in provenance.trame.indicateurs}
    yield from map(remark, provenance.avertissements)
    exercices = list(table.columns)
    rows: list[tuple[object, ...]] = []
    theme = ""
    kept = list(table.index)[:_SHOWN]
    for code, values in zip(kept, table.to_numpy(dtype=np.float64), strict=False):
        one = known[code]
        if one.theme != theme:
            theme = one.theme
            rows.append((Markup(f"<b>{safe(theme)}</b>"), *[""] * len(exercices)))
        name = f'{safe(one.libelle or code)} <span class="wb-detail">{safe(code)}</span>'
        shown = (Figure(format_value(float(value), one.unite)) for value in values)
        rows.append((Markup(name), *(each if each != ABSENT else None for each in shown)))
    heads = ("Indicateur", *(str(exercice) for exercice in exercices))
    yield html_table(heads, rows, caption=_title(provenance), shown=len(rows))
    if more := cut(len(kept), len(table), ".tidy()"):
        yield f'<p class="wb-detail">{more}</p>'
    budgets = pd.unique(provenance.budgets["siret"].to_pandas())
    count = f"{len(budgets)} budget{'s' if len(budgets) > 1 else ''}"
    yield f'<p class="wb-detail">{count}, état {safe(provenance.snapshot)} de la base</p>'


def _title(provenance: Provenance) -> str:
    labels = dict(zip(*(provenance.budgets[name].to_pylist() for name in ("siret", "libelle")), strict=True))
    who = str(next(iter(labels.values()))) if len(labels) == 1 else ""
    return " · ".join(filter(None, (who, provenance.trame.libelle or provenance.trame.code)))

"""What `workbench.strates` gives: statistics of groups of like collectivités, and the place of some in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from workbench.display import SHOWN, Figure, Markup, html_table, remark, safe, view
from workbench.numbers import format_number, format_value
from workbench.trames import Indicateur

__all__ = ["StrateTable"]

_HEADINGS = {
    "indicateur": "Indicateur",
    "siret": "SIRET",
    "exercice": "Exercice",
    "type_etablissement": "Type",
    "nomenclature": "Nomenclature",
    "strate": "Strate",
    "departement": "Département",
    "value": "Valeur",
    "rank": "Rang",
    "percentile": "Rang centile",
    "count": "Effectif",
    "nonzero": "Non nuls",
    "minimum": "Minimum",
    "quartile_1": "1er quartile",
    "median": "Médiane",
    "quartile_3": "3e quartile",
    "maximum": "Maximum",
}
_VALUES = frozenset({"value", "minimum", "quartile_1", "median", "quartile_3", "maximum"})


@dataclass(frozen=True, eq=False)
class StrateTable:
    """Statistics of groups of collectivités, and the place of some in them.

    Parameters
    ----------
    statistics
        One row an (indicateur, group): ``indicateur``, what groups are made by, ``exercice``, ``count``
        (collectivités), ``nonzero`` (those whose value is not 0), ``minimum``, ``quartile_1``,
        ``median``, ``quartile_3``, ``maximum`` in the unit of the indicateur.
    ranks
        One row an (indicateur, siret, exercice) of the chosen collectivités: ``indicateur``, ``siret``,
        ``exercice``, what groups are made by, ``value``, ``rank``, ``percentile``, ``count``, ``quartile_1``,
        ``median``, ``quartile_3``.
    by
        What groups are made by, beside the exercice.
    echelle
        The scale of population classes.
    trame, base, snapshot
        Code of the trame, URL of the base, snapshot read.
    avertissements
        French sentences to show beside the figures.
    indicateurs
        Those of the trame, for their libellés and units.
    """

    statistics: pa.Table
    ranks: pa.Table
    by: tuple[str, ...]
    echelle: str
    trame: str
    base: str
    snapshot: str
    avertissements: tuple[str, ...] = ()
    indicateurs: tuple[Indicateur, ...] = field(default=(), repr=False)

    def to_pandas(self) -> pd.DataFrame:
        """The statistics, as a frame."""
        frame: pd.DataFrame = self.statistics.to_pandas()
        return frame

    def to_frame(self) -> pd.DataFrame:
        """The places and the statistics beside them when collectivités were chosen, the statistics otherwise."""
        frame: pd.DataFrame = (self.ranks if self.ranks.num_rows else self.statistics).to_pandas()
        return frame

    def _repr_html_(self) -> str:
        tables = [self._table(self.statistics, "Statistiques des groupes", ".to_pandas()")]
        if self.ranks.num_rows:
            tables.insert(0, self._table(self.ranks, "Place parmi les semblables", ".to_frame()"))
        return view(*map(remark, self.avertissements), *tables)

    def _table(self, rows: pa.Table, caption: str, rest: str) -> str:
        """Write the first rows, values in the unit of their indicateur."""
        known = {one.code: one for one in self.indicateurs}
        names = rows.column_names
        lines = []
        for row in rows.slice(0, SHOWN).to_pylist():
            one = known.get(row.get("indicateur", ""))
            unite = one.unite if one else ""
            lines.append([_written(name, row[name], one.libelle if one else "", unite) for name in names])
        return html_table(
            [_HEADINGS.get(name, name) for name in names], lines, caption=caption, total=rows.num_rows, rest=rest
        )

    def __repr__(self) -> str:
        by = ", ".join(self.by)
        return f"<Strates de {self.trame} par {by} : {self.statistics.num_rows} groupes, {self.ranks.num_rows} places>"


def _written(name: str, value: Any, libelle: str, unite: str) -> object:
    if name == "indicateur" and libelle:
        return Markup(f'{safe(libelle)} <span class="wb-detail">{safe(value)}</span>')
    if value is None or isinstance(value, str):
        return value
    if name in _VALUES and unite:
        return Figure(format_value(value, unite))
    if name == "percentile":
        return Figure(format_number(value, 1))
    return Figure(str(value)) if name == "exercice" else value

"""What a query gives: a table that knows its limits, and the ways to take it away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import select

from workbench.atomic import replacing
from workbench.dgfip.base import Base
from workbench.dgfip.catalogue import libelles_comptes, libelles_fonctions
from workbench.dgfip.epci import epci_exercices, libelles_epci
from workbench.dgfip.import_report import grouped
from workbench.dgfip.queries_chapitres import libelles_chapitres
from workbench.dgfip.queries_spec import QuerySpec
from workbench.dgfip.queries_text import SqlText
from workbench.dgfip.reference import departements, nomenclatures, types_budget, types_etablissement
from workbench.dgfip.schema import budgets
from workbench.display import frame_table, remark, view
from workbench.errors import WorkbenchError, require_kind
from workbench.plans import years_text

__all__ = ["QueryResult", "csv_text", "in_euros", "labelled", "notices", "truncation"]

_SHOWN = 50
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, eq=False)
class QueryResult:
    """The rows of a query.

    Parameters
    ----------
    table
        Columns in the order of the query; amounts in euros (float64), codes as text.
    truncated
        Whether rows were left out.
    notices
        French sentences to read beside the figures.
    sql
        What was run.
    base, snapshot
        What was read.
    seconds
        What it took.
    spec
        What was asked; None for SQL that a person wrote.
    """

    table: pa.Table
    truncated: bool = False
    notices: tuple[str, ...] = ()
    sql: SqlText = field(default_factory=lambda: SqlText(""))
    base: str = ""
    snapshot: str = ""
    seconds: float = 0.0
    spec: QuerySpec | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a tidy DataFrame; `truncated` and the notices are in its ``attrs``."""
        frame: pd.DataFrame = self.table.to_pandas()
        frame.attrs = {"truncated": self.truncated, "notices": list(self.notices), "snapshot": self.snapshot}
        return frame

    def to_csv(self, to: str | Path | None = None, *, separator: str = ";", decimal: str = ",") -> str:
        """Write the rows as CSV.

        Parameters
        ----------
        to
            File to write in one step (UTF-8 with its mark, as French spreadsheets expect); None to get the text.
        separator, decimal
            As French spreadsheets have them.

        Returns
        -------
        str
            The text, or the path written. A text that a spreadsheet would take for a formula begins with an apostrophe.

        Raises
        ------
        WorkbenchError
            ``requete_ecriture`` when the file cannot be written.

        Examples
        --------
        >>> print(QueryResult(pa.table({"libelle": ["=1+1"], "C70": [-1234.5]})).to_csv())
        libelle;C70
        '=1+1;-1234,50
        <BLANKLINE>
        """
        text = csv_text(self.table, separator, decimal)
        if to is None:
            return text
        require_kind(to, (str, Path), "to", "le chemin d'un fichier", 'Par exemple to="ventes.csv".')
        try:
            with replacing(Path(to)) as partial:
                partial.write_text(text, encoding="utf-8-sig", newline="")
        except OSError as error:
            raise WorkbenchError("requete_ecriture", chemin=str(to), cause=error.strerror or str(error)) from error
        return str(to)

    def __str__(self) -> str:
        lines = [self.to_frame().to_string(index=False, max_rows=_SHOWN), self._foot(), *self.notices]
        return "\n".join(lines)

    def _foot(self) -> str:
        count = len(self)
        return f"{grouped(count)} ligne{'s' if count > 1 else ''} en {self.seconds:.2f} s".replace(".", ",")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = frame_table(
            self.table.slice(0, _SHOWN).to_pandas(),
            caption=self._foot(),
            shown=_SHOWN,
            total=len(self),
            rest=".to_frame()",
        )
        return view(*map(remark, self.notices), table)


def csv_text(table: pa.Table, separator: str = ";", decimal: str = ",") -> str:
    """Return rows as CSV, texts kept from running as formulas in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow([_guarded(name) for name in table.column_names])
    columns = [column.to_pylist() for column in table.columns]
    for row in zip(*columns, strict=True):
        writer.writerow([_written(value, decimal) for value in row])
    return out.getvalue()


def _written(value: Any, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # Two digits where the amount has no more; all of them for a quotient.
        text = f"{value:.2f}" if round(value, 2) == value else repr(value)
        return text.replace(".", decimal)
    return _guarded(value) if isinstance(value, str) else str(value)


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def labelled(base: Base, table: pa.Table, spec: QuerySpec) -> pa.Table:
    """Put the label of each code in a column beside it."""
    known: dict[str, Mapping[str, str]] = {
        "departement": departements(),
        "type_etablissement": types_etablissement(),
        "type_budget": types_budget(),
        "nomenclature": nomenclatures(),
        "etat": {"D": "définitif", "P": "provisoire", "M": "mixte"},
        "source": {"balances": "balances ouvertes", "cci": "base CCI"},
    }
    if {"compte", "chapitre", "classe"} & set(spec.columns):
        # Without a nomenclature, any label says more than none.
        labels = libelles_comptes(base, spec.perimetre.nomenclature or "*")
        known |= {"compte": labels, "chapitre": labels, "classe": labels}
    if "chapitre_budgetaire" in spec.columns:
        known["chapitre_budgetaire"] = libelles_chapitres(base, spec.perimetre.nomenclature)
    if "fonction" in spec.columns:
        named = libelles_fonctions(base, table.column("fonction").to_pylist())
        known |= {"fonction": named} if named else {}
    if "siren_epci" in spec.columns:
        known["siren_epci"] = libelles_epci(base)
    for name in spec.columns:
        if name in known:
            found = pa.array([known[name].get(code or "", "") for code in table.column(name).to_pylist()], pa.string())
            table = table.add_column(table.column_names.index(name) + 1, f"{name}_libelle", found)
    return table


def in_euros(found: pa.Table, spec: QuerySpec) -> pa.Table:
    """Give the columns of a statement their headings, and amounts in euros."""
    columns = [found.column(name) for name in spec.columns]
    for place in range(1, len(spec.measures) + 1):
        cents = found.column(f"mesure_{place}")
        # One division of exact cents: the double nearest to the amount.
        euros = np.asarray(cents.to_numpy(zero_copy_only=False), dtype=np.float64) / 100
        columns.append(pa.chunked_array([pa.array(euros, mask=np.asarray(cents.is_null()))], pa.float64()))
    return pa.table(columns, names=list(spec.headings))


def notices(base: Base, table: pa.Table, spec: QuerySpec, cut_at: int | None) -> Iterator[str]:
    """Say in French what must be read beside the rows of a query; ``cut_at`` when there were more than so many."""
    if cut_at is not None:
        yield truncation(cut_at)
    for measure in spec.measures:
        if measure.per_inhabitant and table.column(measure.name).null_count:
            yield f"« {measure.name} » : sans valeur là où la population n'est pas connue."
    if "chapitre_budgetaire" in spec.columns and table.column("chapitre_budgetaire").null_count:
        yield (
            "Sans chapitre : les comptes que le budget n'ouvre pas (classes 3 à 5…), et ceux des nomenclatures dont "
            "la base n'a pas le plan de comptes (wb.import_plan_comptes)."
        )
    if spec.perimetre.epci is not None or "epci" in spec.dimensions:
        known = epci_exercices(base)
        asked = spec.exercices or base.fetch(select(budgets.c.exercice).distinct()).column(0).to_pylist()
        unknown = sorted(set(asked) - known)
        if not known:
            yield (
                "Aucune source de cette base ne dit de quel EPCI relève une collectivité : importez une liste de "
                "membres (wb.import_epci), ou donnez les sirens des membres."
            )
        elif unknown:
            yield f"Composition des EPCI inconnue {years_text(unknown)} : ces exercices n'y sont pas comptés."


def truncation(rows: int) -> str:
    """Say that only the first rows are given.

    Examples
    --------
    >>> truncation(1), truncation(1000)
    ('Résultat tronqué : seule la première ligne est donnée.',
     'Résultat tronqué : seules les 1\u202f000 premières lignes sont données.')
    """
    if rows == 1:
        return "Résultat tronqué : seule la première ligne est donnée."
    return f"Résultat tronqué : seules les {grouped(rows)} premières lignes sont données."

"""Where a file is wrong: file, line, column, value, and what to do.

Called only after an engine refused a file, it reads the file again: once for its shape, once for
its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Text, and_, func, not_, or_, select, true

from workbench.dgfip.source_files import SourceFile, record_lines
from workbench.dgfip.values import Columns
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["SHOWN", "BadRow", "BadRowsError", "find_bad_rows"]

SHOWN = 20
"""How many bad rows an error lists."""

ADVICE = {
    "montant": "un montant en euros s'écrit 1234,56 ou 1234.56, sans espace ni séparateur de milliers",
    "exercice": "un exercice est une année (2019) ou une date (2019-01-01)",
    "siret": "un SIRET a quatorze chiffres",
    "operation": "un code d'opération va de 1 à 7",
    "etat": "l'état est D (définitif) ou P (provisoire)",
    "population": "une population est un nombre entier d'habitants",
    "habitants": "une population est un nombre entier d'habitants, zéro ou davantage",
    "identifiant": "il faut un SIREN (9 chiffres), un SIRET (14) ou un code commune (5)",
}


@dataclass(frozen=True)
class BadRow:
    """One refused cell.

    Parameters
    ----------
    file
        Name of the file.
    line
        Line of the file, the first being 1; row of the table for a parquet file.
    column
        Name of the column as the file has it; empty when the whole row is wrong.
    value
        What the file holds.
    advice
        French: what was expected.
    """

    file: str
    line: int
    column: str
    value: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.file}, ligne {self.line}" + (f", colonne {self.column}" if self.column else "")
        return f"{where} : {f'« {self.value} » ; ' if self.column else ''}{self.advice}"


class BadRowsError(WorkbenchError):
    """A file holds rows that cannot be imported; nothing was.

    Attributes
    ----------
    rows : list of BadRow
        The first ones, twenty at most.
    """

    @property
    def rows(self) -> list[BadRow]:
        """The first bad rows."""
        return list(self.details["rows"])


def bad_rows_error(rows: list[BadRow]) -> BadRowsError:
    """Make the error that lists these rows."""
    return BadRowsError("lignes_refusees", fichier=rows[0].file, rows=rows, liste="\n".join(f"  {row}" for row in rows))


def find_bad_rows(writer: Writer, source: SourceFile, kinds: Mapping[str, str]) -> WorkbenchError | None:
    """Look for what made an engine refuse a file.

    Parameters
    ----------
    writer
        The engine that refused it.
    source
        The file.
    kinds
        Our column names to what they hold: a key of `ADVICE`.

    Returns
    -------
    WorkbenchError or None
        None when every row is right, so that the cause lies elsewhere.
    """
    rows = _misshapen(source) if source.file.kind == "csv" else []
    return bad_rows_error(rows) if rows else _unreadable_values(writer, source, kinds)


def refused(columns: Columns, name: str, kind: str) -> ColumnElement[bool]:
    """Return whether a cell is refused, by the strict rule of its kind."""
    if kind == "montant":
        return columns.cents(name).is_(None)
    if kind == "exercice":
        # Populations may leave it blank; a balance may not.
        blank_allowed = columns.source.positions.keys().isdisjoint({"compte", "libelle"})
        return and_(columns.exercice().is_(None), not_(columns.is_blank(name)) if blank_allowed else true())
    if kind == "siret":
        return columns.siret(strict=True).is_(None)
    if kind == "operation":
        return columns.operation().is_(None)
    if kind == "identifiant":
        return columns.identifier(name).is_(None)
    if kind == "habitants":
        return columns.inhabitants().is_(None)
    if kind == "population":
        return and_(columns.text(name).is_not(None), columns.population(strict=True).is_(None))
    return func.coalesce(func.upper(columns.text(name)), "").not_in(["D", "P"])


def _misshapen(source: SourceFile) -> list[BadRow]:
    expected = len(source.file.columns)
    advice = f"{expected} colonnes attendues, "
    found: list[BadRow] = []
    for line, cells in record_lines(source):
        if len(cells) != expected:
            found.append(BadRow(source.name, line, "", "", f"{advice}{len(cells)} lues"))
            if len(found) == SHOWN:
                break
    return found


def _unreadable_values(writer: Writer, source: SourceFile, kinds: Mapping[str, str]) -> WorkbenchError | None:
    rows = writer.source(replace(source.file, ordered=True))
    columns = Columns(source, rows)
    present = [name for name in kinds if columns.has(name)]
    flags = [refused(columns, name, kinds[name]).label(f"refused_{name}") for name in present]
    values = [columns.raw(name).cast(Text).label(f"value_{name}") for name in present]
    numbered = select(func.row_number().over().label("record"), *flags, *values).subquery()
    bad = writer.fetch(
        select(numbered)
        .where(or_(*(numbered.c[f"refused_{name}"] for name in present)))
        .order_by(numbered.c.record)
        .limit(SHOWN)
    ).to_pylist()
    if not bad:
        return None
    lines = _lines(source, [row["record"] for row in bad])
    return bad_rows_error(
        [
            BadRow(
                source.name,
                lines[row["record"]],
                source.column_name(name),
                "" if row[f"value_{name}"] is None else row[f"value_{name}"],
                ADVICE[kinds[name]],
            )
            for row in bad
            for name in present
            if row[f"refused_{name}"]
        ][:SHOWN]
    )


def _lines(source: SourceFile, records: Iterable[int]) -> dict[int, int]:
    wanted = set(records)
    if source.file.kind != "csv":
        return {record: record for record in wanted}
    lines: dict[int, int] = {}
    for record, (line, _) in enumerate(record_lines(source), start=1):
        if record in wanted:
            lines[record] = line
            if len(lines) == len(wanted):
                break
    return lines

"""What a source is: a declaration that `workbench.signaux_faibles.execution` runs over columns, never row by row.

A `Source` says which columns it needs, how the entity is named, what each field reads and when a row is left aside.
Expressions are SQLAlchemy's, over `Cells`: whole columns of text under the source's own names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Date, Label, column, null
from sqlalchemy.types import TypeEngine

from workbench.signaux_faibles.kinds import PERIOD_START, Kind, constant
from workbench.signaux_faibles.kinds import period_end as end_of_period

__all__ = [
    "Cells",
    "Column",
    "Era",
    "Field",
    "Layout",
    "Months",
    "Scope",
    "Source",
    "computed",
    "period_end",
    "period_ends",
    "read",
]


class Scope(StrEnum):
    """What a type of data is about."""

    ETABLISSEMENT = "etablissement"
    """Keyed by a SIRET."""
    ENTREPRISE = "entreprise"
    """Keyed by a SIREN."""

    @property
    def digits(self) -> int:
        """How many digits a key has."""
        return 14 if self is Scope.ETABLISSEMENT else 9

    @property
    def key(self) -> str:
        """How the key is called."""
        return "siret" if self is Scope.ETABLISSEMENT else "siren"


class Era(StrEnum):
    """Whose rules a file follows, where they changed over the years."""

    H21 = "H21"
    """Until 2021."""
    NOW = "NOW"
    """Since the URSSAF files carry a SIRET."""


@dataclass(frozen=True)
class Cells:
    """The columns of a file under the source's own names, lower case.

    Parameters
    ----------
    columns
        Name to expression, which is never NULL.
    era
        The rules that the file follows.
    readings
        Filled by `read`: what a stage before the expressions is to compute, once.
    """

    columns: Mapping[str, ColumnElement[Any]]
    era: Era
    readings: dict[tuple[Kind, str], Label[Any]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return name in self.columns

    def text(self, name: str) -> ColumnElement[str]:
        """Return a column as it is written; empty where the cell, or the column, is."""
        return self.columns[name] if name in self.columns else constant("")

    def read(self, kind: Kind, name: str) -> ColumnElement[Any]:
        """Return a column read as a kind; NULL where it is no such value, or where the column is absent.

        However many expressions want it, it is read once: they get a reference to what `readings` computes.
        """
        if name not in self.columns:
            return null().cast(kind.type)
        label = self.readings.setdefault(
            (kind, name), kind.read(self.text(name)).label(f"reading {len(self.readings)}")
        )
        return column(label.name, kind.type)


Expression = Callable[[Cells], ColumnElement[Any]]
Condition = Callable[[Cells], ColumnElement[bool]]


@dataclass(frozen=True)
class Column:
    """A column of a source.

    Parameters
    ----------
    name
        As the source writes it; letter case does not matter.
    aliases
        Other spellings met over the years.
    required
        Whether a file without it is refused.
    """

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Field:
    """One field of the tuples.

    Parameters
    ----------
    name
        How the field is called.
    type
        What a table holds it in.
    value
        Its expression; NULL for what is empty, and for what is refused.
    column
        The column that it reads, for messages; the first one of several.
    refused
        When the row is an error because of this field; None when it never is.
    expected
        French end of the sentence « colonne : « valeur » … ».
    keeps
        Whether the tuple is stored all the same, the field being empty.
    unit
        Of a quantity: ``euros``, ``kEUR``, ``heures``, ``jours``, ``%``…
    path
        Where the field stands in the JSON form of a tuple; its name when empty.
    """

    name: str
    type: TypeEngine[Any]
    value: Expression
    column: str = ""
    refused: Condition | None = None
    expected: str = ""
    keeps: bool = False
    unit: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Months:
    """Columns that repeat one field month after month, ``eff202041`` (October 2020: quarter 4, month 1).

    Parameters
    ----------
    prefix
        How their names begin; the rest is a period of six characters, ``AAAATM``.
    field
        The field that they hold.
    kind
        How a cell is read; empty ones give no tuple.
    """

    prefix: str
    field: str
    kind: Kind
    unit: str = ""


@dataclass(frozen=True)
class Layout:
    """How a file that is no plain table with a header is brought to one; see `workbench.signaux_faibles.reshaping`.

    Parameters
    ----------
    positions
        Names of the columns of a file without header, or whose header does not matter, by their place.
    header
        Whether a first row is to be skipped although columns go by their place.
    years
        Whether columns ``<name> AAAA`` become one row a year.
    fewest
        Fields below which a row of such a file is no row.
    """

    positions: Mapping[str, int] = field(default_factory=dict)
    header: bool = True
    years: bool = False
    fewest: int = 0


@dataclass(frozen=True)
class Source:
    """One kind of file that partners send.

    Parameters
    ----------
    type
        Its name in batches: ``debit``.
    title
        French, for people.
    scope
        Établissement or entreprise.
    columns
        What its files hold and we read.
    key
        The entity, as written.
    key_column
        The column of the key, for messages.
    fields
        What its tuples hold besides the key.
    delimiter
        Between cells.
    lenient
        Whether quotes inside cells are forgiven.
    skipped
        Rows that the source has and that concern nobody.
    compte
        For files that may name an account instead of a SIRET: its column, and the date at which to look for it.
    months
        Columns by month, when there are any.
    layout
        Anything unusual in the shape of the file.
    era_of
        Tells the rules from the names of the columns, lower case; those of today by default.
    complete
        Whether a new file always replaces all that was known: True, or False when it depends on the delivery.
    """

    type: str
    title: str
    scope: Scope
    columns: tuple[Column, ...]
    key: Expression
    key_column: str
    fields: tuple[Field, ...] = ()
    delimiter: str = ";"
    lenient: bool = False
    skipped: Condition | None = None
    compte: tuple[str, Expression] | None = None
    months: Months | None = None
    layout: Layout = Layout()
    era_of: Callable[[frozenset[str]], Era] = lambda _: Era.NOW
    complete: bool = False


def read(
    name: str,
    column: str,
    kind: Kind,
    *,
    required: bool = False,
    companion: bool = False,
    keeps: bool = False,
    unit: str = "",
    path: tuple[str, ...] = (),
) -> Field:
    """Declare a field that reads one column.

    Parameters
    ----------
    name
        The field.
    column
        The column, lower case.
    kind
        How a cell is read.
    required
        Whether an empty cell is an error.
    companion
        Whether another field reads the same cell and says what is wrong with it.
    keeps, unit, path
        See `Field`.
    """

    def value(cells: Cells) -> ColumnElement[Any]:
        return cells.read(kind, column)

    def refused(cells: Cells) -> ColumnElement[bool]:
        text = cells.text(column)
        unreadable = cells.read(kind, column).is_(None)
        return unreadable if required else unreadable & (text != constant(""))

    judged = None if companion or kind.silent else refused
    return Field(name, kind.type, value, column, judged, kind.expected, keeps, unit, path)


def computed(
    name: str,
    type_: TypeEngine[Any],
    value: Expression,
    *,
    column: str = "",
    refused: Condition | None = None,
    expected: str = "",
    keeps: bool = False,
    path: tuple[str, ...] = (),
) -> Field:
    """Declare a field made from several columns, or by a rule of its own."""
    return Field(name, type_, value, column, refused, expected, keeps, path=path)


def period_end(cells: Cells, column: str) -> ColumnElement[Any]:
    """Return the day after the last one of the period of a column; NULL where it is none."""
    return end_of_period(cells.read(PERIOD_START, column), cells.text(column))


def period_ends(name: str, column: str) -> Field:
    """Declare the end of a period whose beginning another field reads, and judges, in the same column."""
    return computed(name, Date(), lambda cells: period_end(cells, column), column=column, path=("periode", "end"))

"""What a variable is, and of what setting its values are computed.

A `Variable` says in words what `workbench.signaux_faibles.variables` computes: documentation, help and the schema of
the output are made from it. Two definitions live side by side (`Definition`): the reference rules to the letter, and
what is right where they are known to be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, Double, FromClause, Text
from sqlalchemy.types import TypeEngine

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.signaux_faibles.variables.context import Attached, Context

__all__ = [
    "BOOLEAN",
    "DATE",
    "HORIZON",
    "INTEGER",
    "NUMBER",
    "TEXT",
    "Definition",
    "Family",
    "Level",
    "Scope",
    "Setting",
    "Variable",
    "month_index",
]

BOOLEAN, DATE, INTEGER, TEXT = Boolean(), Date(), BigInteger(), Text()
NUMBER: Double[float] = Double()
HORIZON = 18
"""Months within which a failure makes a period a positive one."""


class Definition(StrEnum):
    """Whose rules are followed."""

    COMPAT = "compat"
    """The reference, to the letter."""
    CORRIGE = "corrige"
    """What is right where the reference is known to be wrong."""


class Scope(StrEnum):
    """What a row of the output is about, each month."""

    ETABLISSEMENT = "etablissement"
    ENTREPRISE = "entreprise"


class Level(StrEnum):
    """What a row of a family is about."""

    MONTH = "month"
    """One entity of the output, one month: ``numero``, ``mois``."""
    ENTITY = "entity"
    """One entity of the output: ``numero``."""
    COMPANY_MONTH = "company_month"
    """One entreprise, one month: ``siren_numero``, ``mois``."""
    COMPANY = "company"
    """One entreprise: ``siren_numero``."""


@dataclass(frozen=True)
class Variable:
    """One variable.

    Parameters
    ----------
    code
        Its column.
    type
        What it is held in.
    formule
        French: how it is computed, with ``t`` for the month.
    unit
        Of a quantity: ``euros``, ``kEUR``, ``heures``, ``jours``, ``%``…
    sources
        Types of the facts that it reads.
    undefined
        French: when it has no value; empty when it always has one.
    compat
        French: what the reference does otherwise; empty where both definitions agree.
    corrige_only
        Whether the reference has no such variable.
    target
        Whether it looks into the future: to be predicted, never to predict from.
    default
        The value where there is none.
    default_compat
        The same, of the reference.
    expression
        From the setting, the rows of its family and those of the months, its value; the column of its code by default.
    """

    code: str
    type: TypeEngine[Any]
    formule: str
    unit: str = ""
    sources: tuple[str, ...] = ()
    undefined: str = ""
    compat: str = ""
    corrige_only: bool = False
    target: bool = False
    default: Any = None
    default_compat: Any = None
    expression: Callable[[Setting, FromClause, FromClause], ColumnElement[Any]] | None = None

    def defined_in(self, definition: Definition) -> bool:
        """Whether a definition has this variable."""
        return definition is Definition.CORRIGE or not self.corrige_only


@dataclass(frozen=True)
class Family:
    """Variables that are computed together.

    Parameters
    ----------
    code
        Its name.
    title
        French, for people.
    scope
        Of the output that it belongs to.
    variables
        In the order of the output.
    level
        What a row of ``rows`` is about.
    rows
        The select that computes them: the keys of its level, then a column a code.
    attach
        How it joins the output, for a family of another shape, which reads ``rows`` or not.
    of_company
        Whether the reference gives it for months with a balance sheet only.
    reads
        Other families whose rows it reads.
    """

    code: str
    title: str
    scope: Scope
    variables: tuple[Variable, ...]
    level: Level = Level.MONTH
    rows: Callable[[Context], Any] | None = None
    attach: Callable[[Context, Attached], Attached] | None = None
    of_company: bool = False
    reads: tuple[Family, ...] = ()

    def holds(self, codes: Container[str]) -> bool:
        """Whether a variable of this family is among some."""
        return any(each.code in codes for each in self.variables)


def month_index(day: date) -> int:
    """Return the number of a month: twelve times the year plus the month, from 0.

    Examples
    --------
    >>> month_index(date(2018, 1, 1)) - month_index(date(2017, 12, 31))
    1
    """
    return day.year * 12 + day.month - 1


@dataclass(frozen=True)
class Setting:
    """The months of the output and what was known then.

    Parameters
    ----------
    start
        First month, included.
    end
        Month after the last one.
    effectif_end
        Last month of which the workforce is known.
    definition
        Whose rules are followed.

    Raises
    ------
    WorkbenchError
        ``variables_periode`` when the start is not before the end.

    Examples
    --------
    >>> setting = Setting(date(2016, 1, 1), date(2018, 2, 1), date(2017, 12, 1))
    >>> setting.delay
    2
    """

    start: date
    end: date
    effectif_end: date
    definition: Definition = Definition.CORRIGE

    def __post_init__(self) -> None:
        if month_index(self.start) >= month_index(self.end):
            raise WorkbenchError("variables_periode", debut=self.start.isoformat(), fin=self.end.isoformat())

    @property
    def first(self) -> int:
        """Number of the first month."""
        return month_index(self.start)

    @property
    def after(self) -> int:
        """Number of the month after the last one."""
        return month_index(self.end)

    @property
    def delay(self) -> int:
        """Months from the last known workforce to the end: 1 when that of the last month is known; may be negative."""
        return self.after - month_index(self.effectif_end)

    @property
    def compat(self) -> bool:
        """Whether the reference is followed to the letter."""
        return self.definition is Definition.COMPAT

"""What a control is, and what it is asked of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, func, true

from workbench.dgfip.base import Base

__all__ = ["SHOWN", "Control", "Scope"]

SHOWN = 1000
"""How many cases a control details."""


@dataclass(frozen=True, eq=False)
class Control:
    """The answer to one question about a base.

    Parameters
    ----------
    code
        Stable, ASCII.
    title
        French: what is true when the control passes.
    ok
        True, False, or None when it could not be made.
    count
        Number of cases found.
    details
        The first cases, amounts in euros.
    explanation
        French: what the cases mean and what to do.
    """

    code: str
    title: str
    ok: bool | None
    count: int
    details: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    explanation: str = ""


@dataclass(frozen=True)
class Scope:
    """The part of a base that is controlled.

    Parameters
    ----------
    base
        An open base.
    import_id
        First import of the part; None for the whole base.
    """

    base: Base
    import_id: int | None

    def holds(self, rows: Any) -> ColumnElement[bool]:
        """Return whether a row of a table that has ``import_id`` is in the part."""
        return true() if self.import_id is None else rows.c.import_id >= self.import_id

    def cases(self, statement: Select[Any]) -> tuple[int, pd.DataFrame]:
        """Return how many rows a statement gives, and the first ones."""
        inner = statement.subquery()
        rows = self.base.fetch(inner.select().add_columns(func.count().over().label("nombre_total")).limit(SHOWN))
        frame = rows.to_pandas()
        count = int(frame["nombre_total"].iloc[0]) if len(frame) else 0
        return count, frame.drop(columns="nombre_total")

    def control(self, code: str, title: str, statement: Select[Any], explanation: str) -> Control:
        """Make the control that passes when a statement gives no row."""
        count, details = self.cases(statement)
        return Control(code, title, count == 0, count, euros(details), explanation if count else "")


def euros(details: pd.DataFrame) -> pd.DataFrame:
    """Turn the columns of cents, named ``…_centimes``, into euros."""
    cents = [name for name in details.columns if name.endswith("_centimes")]
    converted = details.assign(**{name: details[name] / 100 for name in cents})
    return converted.rename(columns={name: name.removesuffix("_centimes") for name in cents})

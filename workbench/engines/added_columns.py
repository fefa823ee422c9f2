"""A column that came later, added to a table that exists: SQLAlchemy has no statement for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

__all__ = ["AddColumn"]


class AddColumn(ExecutableDDLElement):
    """Add a column to its table, null in the rows that are there.

    Parameters
    ----------
    column
        A column of a table.

    Examples
    --------
    >>> from sqlalchemy import Integer, MetaData, Table
    >>> print(AddColumn(Table("notes", MetaData(), Column("n", Integer)).c.n))
    ALTER TABLE notes ADD COLUMN n INTEGER
    """

    inherit_cache = False

    def __init__(self, column: Column[Any]) -> None:
        self.column = column


@compiles(AddColumn)
def _add_column(element: AddColumn, compiler: Any, **_: Any) -> str:
    table = compiler.preparer.format_table(element.column.table)
    return f"ALTER TABLE {table} ADD COLUMN {compiler.get_column_specification(element.column)}"

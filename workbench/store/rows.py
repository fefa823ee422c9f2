"""Adding rows by the thousand, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from workbench.registry import Moment
from workbench.store.tables import COUNTER, OBJECT, OBJECT_NUMBERS, SHEET_NUMBERS

__all__ = ["add_new_rows", "add_rows", "new_numbers", "prefer_indexes"]

_ABSENT = "\\N"


def prefer_indexes(connection: Connection) -> None:
    """Make PostgreSQL look rows up by their index for the rest of the transaction.

    Tables that grow within it were planned for as they were: nearly empty. Each foreign key would then be checked by
    reading the whole table.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("enable_seqscan", "off", True)))


def _arrays(table: Table, rows: Mapping[str, Sequence[Any]]) -> Select[Any]:
    """Spread one array a column into rows: one statement and few parameters, however many rows."""

    def column(name: str) -> ColumnElement[Any]:
        kind: Column[Any] = table.c[name]
        array: Any = ARRAY(kind.type)
        return func.unnest(cast(bindparam(None, list(rows[name]), type_=array), array)).label(name)

    return select(*(column(name) for name in rows))


def _listed(rows: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]


def add_rows(connection: Connection, table: Table, rows: Mapping[str, Sequence[Any]]) -> None:
    """Add rows given by columns of one length."""
    if not next(iter(rows.values())):
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), _listed(rows))


def _copy(connection: Connection, table: Table, rows: Mapping[str, Sequence[Any]]) -> None:
    """Send rows as text, in the caller's transaction: arrays take a driver longer to write than a database to add."""
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.format_column(table.c[name]) for name in rows)
    columns = [_as_text(table.c[name], values) for name, values in rows.items()]
    lines = "".join("\t".join(cells) + "\n" for cells in zip(*columns, strict=True))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {preparer.format_table(table)} ({names}) FROM STDIN") as copy:
        copy.write(lines.encode())


def _as_text(column: Column[Any], values: Sequence[Any]) -> Iterable[str]:
    """Write the values of a column as COPY reads them."""
    if isinstance(column.type, Moment):
        written = {value: value.isoformat() for value in set(values)}
        return [written[value] for value in values]
    if isinstance(column.type, LargeBinary):
        return ["\\\\x" + value.hex() for value in values]
    if isinstance(column.type, Text):
        return [_ABSENT if value is None else _escaped(value) for value in values]
    return [_ABSENT if value is None else repr(value) for value in values]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def add_new_rows(connection: Connection, table: Table, rows: Mapping[str, Sequence[Any]]) -> list[int]:
    """Add the rows that the table has not, by its unique constraint; return the identifiers of those added.

    A row that another transaction is adding is waited for.
    """
    if connection.dialect.name == "postgresql":
        statement = postgresql.insert(table).from_select(list(rows), _arrays(table, rows), include_defaults=False)
        return list(connection.execute(statement.on_conflict_do_nothing().returning(table.c.id)).scalars())
    added: list[int] = []
    listed = _listed(rows)
    for first in range(0, len(listed), 500):
        few = sqlite.insert(table).values(listed[first : first + 500])
        added += connection.execute(few.on_conflict_do_nothing().returning(table.c.id)).scalars()
    return added


def new_numbers(connection: Connection, table: Table, count: int) -> list[int]:
    """Take increasing numbers for new objects or sheets."""
    if connection.dialect.name == "postgresql":
        numbers = OBJECT_NUMBERS if table is OBJECT else SHEET_NUMBERS
        each = func.generate_series(1, count).table_valued("number")
        return sorted(connection.execute(select(numbers.next_value()).select_from(each)).scalars())
    taken = update(COUNTER).values(value=COUNTER.c.value + count).returning(COUNTER.c.value)
    name = "object" if table is OBJECT else "sheet"
    last: int = connection.execute(taken.where(COUNTER.c.name == name)).scalar_one()
    return list(range(last - count + 1, last + 1))

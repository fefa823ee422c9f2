"""Rows by the million, as columns: what a long list is read with.

A driver makes Python objects of each row, which costs more than finding it. PostgreSQL gives the same rows as one
stream of text (``COPY``), which Arrow reads; SQLite is in the process, and its rows come by parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["fetched"]

PART = 50_000
"""Rows of a part."""


def fetched(connection: Connection, statement: Select[Any]) -> Iterator[pa.Table]:
    """Give the rows of a statement by parts, each a table: integers as ``int64``, texts as ``string``.

    Parameters
    ----------
    connection
        An open transaction: every part is of its state.
    statement
        What is asked; its columns are integers and texts, none of them null, of different names.

    Yields
    ------
    pyarrow.Table
        The columns of the statement, in its order.

    Examples
    --------
    >>> from sqlalchemy import create_engine, literal, select
    >>> with create_engine("sqlite://").connect() as connection:
    ...     [part.to_pylist() for part in fetched(connection, select(literal(1).label("a"), literal("x").label("b")))]
    [[{'a': 1, 'b': 'x'}]]
    """
    if connection.dialect.name == "postgresql":
        yield from _copied(connection, statement)
    else:
        yield from _by_rows(connection, statement)


def _schema(statement: Select[Any]) -> pa.Schema:
    import pyarrow as pa

    kinds = {int: pa.int64(), str: pa.string()}
    return pa.schema([(column.name, kinds[column.type.python_type]) for column in statement.selected_columns])


def _by_rows(connection: Connection, statement: Select[Any]) -> Iterator[pa.Table]:
    import pyarrow as pa

    schema = _schema(statement)
    with connection.execution_options(yield_per=PART).execute(statement) as result:
        for rows in result.partitions():
            columns = zip(*rows, strict=True)
            yield pa.table(
                [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema=schema
            )


def _copied(connection: Connection, statement: Select[Any]) -> Iterator[pa.Table]:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - narrows the type
    schema = _schema(statement)
    # The values are bound by the driver, as those of any statement: COPY takes no parameter from the server.
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT csv)", compiled.params) as copied,
    ):
        lines: list[bytes] = []
        for line in copied:
            lines.append(bytes(line))
            if len(lines) == PART:
                yield _read(lines, schema)
                lines = []
        if lines:
            yield _read(lines, schema)


def _read(lines: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    # A text with a line's end is one value; no text is a null: an empty one comes in quotes.
    return csv.read_csv(
        pa.py_buffer(b"".join(lines)),
        read_options=csv.ReadOptions(column_names=schema.names, use_threads=False, block_size=1 << 28),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={field.name: field.type for field in schema}, strings_can_be_null=False
        ),
    )

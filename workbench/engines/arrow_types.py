"""Arrow types: those that every engine gives (int64, string, float64), and those that a plain writer takes."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["plain", "without_dictionaries"]


def plain(rows: pa.Table) -> pa.Table:
    """Return rows with the types that every engine gives for these.

    Examples
    --------
    >>> plain(pa.table({"n": pa.array([1], pa.int16())})).schema.types
    [DataType(int64)]
    """
    for place, field in enumerate(rows.schema):
        if isinstance(field.type, pa.OpaqueType) and field.type.type_name == "numeric":
            # PostgreSQL's driver hands its unbounded decimals over as text.
            texts = pa.chunked_array([chunk.storage for chunk in rows.column(place).chunks], pa.string())
            rows = rows.set_column(place, field.name, texts.cast(pa.float64()))
    schema = pa.schema([pa.field(field.name, _plain_type(field.type)) for field in rows.schema])
    return rows if schema.equals(rows.schema) else rows.cast(schema)


def without_dictionaries(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose dictionaries are texts, for what does not take them (CSV, Spark).

    Examples
    --------
    >>> without_dictionaries(pa.schema([("siret", pa.dictionary(pa.int32(), pa.string()))])).types
    [DataType(string)]
    """
    return pa.schema(
        [pa.field(each.name, pa.string()) if pa.types.is_dictionary(each.type) else each for each in schema]
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return pa.int64()
    if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.float64() if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else kind

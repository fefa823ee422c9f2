"""Publications by the hundred thousand: one JSON object a line, or an Arrow stream, read as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from workbench.errors import WorkbenchError
from workbench.store.keys import loads

__all__ = ["ARROW", "NDJSON", "arrow_sheets", "ndjson_sheets"]

NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"

COLUMNS = frozenset({"key", "scope", "value", "releaseDate", "expires"})


def ndjson_sheets(lines: IO[bytes]) -> Iterator[Any]:
    """Read one sheet a line; empty lines are passed over.

    Raises
    ------
    WorkbenchError
        ``json_invalide``, with the number of the line.

    Examples
    --------
    >>> from io import BytesIO
    >>> list(ndjson_sheets(BytesIO(b'{"key": {"siren": "012345678"}, "value": {"a": 1}}')))
    [{'key': {'siren': '012345678'}, 'value': {'a': 1}}]
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                read = loads(line)
            except WorkbenchError as error:
                raise WorkbenchError("json_invalide", cause=f"ligne {number}, {error.details['cause']}") from None
            yield read


def arrow_sheets(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Read one sheet a row of an Arrow stream.

    Its columns are ``key`` and ``value``, each a struct, a map, or JSON in text; ``scope``, a list of texts;
    ``releaseDate`` and ``expires``, optional, moments with a time zone. A struct says all its fields: an absent one is
    null in a value, and no pair in a key.

    Raises
    ------
    WorkbenchError
        ``arrow_invalide``, ``json_invalide``.
    """
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(stream) as reader:
            unknown = sorted(set(reader.schema.names) - COLUMNS)
            if unknown:
                raise WorkbenchError("arrow_invalide", cause=f"colonne inconnue « {unknown[0]} »")
            for batch in reader:
                for row in batch.to_pylist(maps_as_pydicts="strict"):
                    yield _sheet(row)
    except (pa.ArrowException, KeyError, UnicodeDecodeError) as error:
        raise WorkbenchError("arrow_invalide", cause=str(error).splitlines()[0][:200]) from None


def _sheet(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("key", "value"):
        if isinstance(row.get(name), str):
            row[name] = loads(row[name])
    if isinstance(row.get("key"), dict):
        row["key"] = {name: text for name, text in row["key"].items() if text is not None}
    return row

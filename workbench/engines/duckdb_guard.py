"""What DuckDB is allowed to run of what a person wrote: one select, over tables and harmless functions.

A read-only connection without external access is not enough: a select may call table functions that change the whole
instance, and ``enable_logging`` on a file it may not open ends the process at the next statement. DuckDB's own parser
says what a text calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from workbench.engines.sql_errors import error_of, refuse_several
from workbench.errors import WorkbenchError

__all__ = ["judged"]

_HARMLESS = {"generate_series", "range", "unnest"}


def judged(cursor: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    """Return the statement of a text, refused when it is not one select over tables.

    Raises
    ------
    WorkbenchError
        ``sql_vide``, ``sql_plusieurs``, ``sql_interdite``.
    duckdb.Error
        What the parser says.
    """
    statements = cursor.extract_statements(text)
    refuse_several([str(each.type).rpartition(".")[2] for each in statements])
    row = cursor.execute("SELECT json_serialize_sql($1)", [text]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise WorkbenchError("sql_interdite", ou="", raison="", extrait="", detail=tree.get("error_message", ""))
    for function in _table_functions(tree):
        if function.get("function_name", "").lower() not in _HARMLESS:
            before = text.encode()[: function.get("query_location") or 0].decode(errors="ignore")
            place = before.count("\n") + 1, len(before) - before.rfind("\n")
            raise error_of(text, "Permission Error", place)
    return statements[0]


def _table_functions(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield node["function"]
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node

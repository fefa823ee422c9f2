"""SQL for those who prefer it, under the guard of the engine: it reads, within a time, one statement at once."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from types import NoneType
from typing import Any

from workbench.dgfip.base import Base
from workbench.dgfip.queries_measures import checked_text, nearest
from workbench.dgfip.queries_result import QueryResult, truncation
from workbench.dgfip.queries_spec import DEFAULT_ROWS, DEFAULT_SECONDS, checked_rows, checked_seconds
from workbench.dgfip.queries_text import SqlText
from workbench.dgfip.schema import metadata
from workbench.engines import Cancellation
from workbench.errors import WorkbenchError, require_kind

__all__ = ["sql"]


def sql(
    base: Base,
    text: str,
    parameters: Sequence[Any] = (),
    *,
    limit: int = DEFAULT_ROWS,
    timeout: float = DEFAULT_SECONDS,
    cancellation: Cancellation | None = None,
) -> QueryResult:
    """Run one SELECT that someone wrote.

    Parameters
    ----------
    base
        An open base. On PostgreSQL its role must have no power over the server's files (``sql_role``).
    text
        One statement over the tables of the base; values may be ``$1``, ``$2``…
    parameters
        Those values, in order: texts, integers, floats.
    limit
        Most rows; `QueryResult.truncated` says whether there were more.
    timeout
        Seconds that it may take.
    cancellation
        A switch that another thread may throw.

    Returns
    -------
    QueryResult
        Columns as the statement names them; stored amounts are in cents.

    Raises
    ------
    WorkbenchError
        ``sql_vide``, ``sql_plusieurs``, ``sql_interdite``, ``sql_incorrecte``, ``sql_valeurs``, ``sql_role``,
        ``requete_trop_longue``, ``requete_annulee``.
    KeyboardInterrupt
        On Ctrl-C.

    Examples
    --------
    >>> from workbench.dgfip import connect
    >>> with connect(demonstration_base) as base:
    ...     sql(base, "SELECT min(exercice) AS premier FROM budgets WHERE exercice > $1", [2000]).table.to_pydict()
    {'premier': [2017]}
    """
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
    checked_text(text, "requete")
    values = [_value(each) for each in parameters]
    rows, begun = checked_rows(limit), time.monotonic()
    try:
        table, truncated = base.queries.fetch_text(text, values, rows, checked_seconds(timeout), cancellation)
    except WorkbenchError as error:
        raise _helped(error) from error
    names = [
        f"{name}_{place}" if name in table.column_names[:place] else name
        for place, name in enumerate(table.column_names)
    ]
    return QueryResult(
        table=table.rename_columns(names),
        truncated=truncated,
        notices=(truncation(rows),) if truncated else (),
        sql=SqlText(text, tuple(values)),
        base=base.url,
        snapshot=base.snapshot,
        seconds=time.monotonic() - begun,
    )


def _value(given: Any) -> Any:
    """Return a value that both engines bind; those of numpy and pandas become Python's."""
    value = given.item() if hasattr(given, "item") else given
    require_kind(
        value,
        (str, int, float, NoneType),
        "parameters",
        "une suite de textes et de nombres",
        "Écrivez une date en texte.",
    )
    return checked_text(value, "parameters") if isinstance(value, str) else value


def _helped(error: WorkbenchError) -> WorkbenchError:
    """Add to an unknown table or column what its neighbours are."""
    reason = str(error.details.get("raison", ""))
    found = re.match(r"la (table|colonne) « (.*) » n'existe pas", reason)
    if not found:
        return error
    tables = metadata.tables
    names = sorted(tables) if found[1] == "table" else sorted({c.name for each in tables.values() for c in each.c})
    advice = nearest(found[2].rpartition(".")[2], names)
    return WorkbenchError(error.code, **{**error.details, "conseil": advice})

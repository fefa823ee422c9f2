"""How much the store is used, by whom and for what kind of thing: counts from the journal, never what was asked.

A kind is the ``type`` of the objects whose key was asked for, where it is a plain word, then which of `_ONE` the key
named: ``detail_siret`` is a question on one établissement. A question of counts, or of one column, has none. Nothing
else of a question is given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from workbench.errors import WorkbenchError
from workbench.store.keys import loads
from workbench.store.tables import JOURNAL

__all__ = ["LONGEST", "PARIS", "check_period", "counted"]

LONGEST = timedelta(days=732)
"""What is counted at once."""

PARIS = ZoneInfo("Europe/Paris")
"""Whose days they are."""

_ONE = ("siret", "siren")
"""Fields of a key of which each value is one établissement or one company."""

_WORD = re.compile(r"[a-z][a-z_]{0,30}")


def check_period(since: datetime, until: datetime) -> None:
    """Refuse a period that is empty, or too long.

    Raises
    ------
    WorkbenchError
        ``question_invalide``.
    """
    if not since < until <= since + LONGEST:
        raise WorkbenchError("question_invalide", cause=f"une période de {LONGEST.days} jours au plus est attendue")


def counted(connection: Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Count the entries of the journal by day, person, action, bucket and kind.

    Returns
    -------
    list of dict
        ``day`` (ISO, in Paris), ``reader``, ``action``, ``bucket``, ``kind``, ``count``; in the order of these.
    """
    asked = select(JOURNAL.c.at, JOURNAL.c.reader, JOURNAL.c.action, JOURNAL.c.bucket, JOURNAL.c.query).where(
        JOURNAL.c.at >= since, JOURNAL.c.at < until
    )
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in connection.execution_options(yield_per=10_000).execute(asked):
        day = row.at.replace(tzinfo=row.at.tzinfo or UTC).astimezone(PARIS).date().isoformat()
        found[day, row.reader, row.action, row.bucket, _kind(loads(row.query))] += 1
    names = ("day", "reader", "action", "bucket", "kind")
    return [dict(zip(names, key, strict=True)) | {"count": count} for key, count in sorted(found.items())]


def _kind(query: Mapping[str, Any]) -> str:
    key, columns = query.get("key"), query.get("columns")
    if not isinstance(key, Mapping) or query.get("limit") == 1 or (columns is not None and len(columns) == 1):
        return ""
    named = key.get("type")
    words = [named] if isinstance(named, str) and _WORD.fullmatch(named) else []
    words += [name for name in _ONE if name in key][:1]
    return "_".join(words)

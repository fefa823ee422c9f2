"""The policies in force, read in the transaction that uses them.

They are sheets like others, assembled as of now. What was read is kept under the counter that every change of policies
raises in its own transaction: a reader that sees the counter sees the change, whichever process made it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from workbench.errors import WorkbenchError
from workbench.store.keys import BUCKET, SYSTEM, loads
from workbench.store.policies import Policy, policy
from workbench.store.tables import COUNTER, KEY, OBJECT, PROPERTY

__all__ = ["POLICIES", "StoredPolicies", "changed", "is_policy"]

POLICIES = "policies"


def is_policy(bucket: str, key: dict[str, str]) -> bool:
    """Tell whether an object is a policy.

    Examples
    --------
    >>> is_policy("system", {"type": "policy", "name": "lecture"})
    True
    """
    return bucket == SYSTEM and key.get("type") == "policy"


def changed(connection: Connection) -> None:
    """Say that policies change in this transaction; those who change them take turns."""
    connection.execute(update(COUNTER).where(COUNTER.c.name == POLICIES).values(value=COUNTER.c.value + 1))


@dataclass(frozen=True)
class _Kept:
    version: int
    # name of the policy → its (released, property, value), in the order of insertion
    sheets: dict[str, list[tuple[datetime, str, Any]]]
    moment: datetime
    until: datetime | None
    policies: tuple[Policy, ...]


class StoredPolicies:
    """The policies of one registry; threads share it."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._lock = threading.Lock()

    def at(self, connection: Connection, now: datetime) -> tuple[Policy, ...]:
        """Return the policies in force, as this transaction sees them.

        Raises
        ------
        WorkbenchError
            ``politique_invalide``: someone changed the tables by other means. Nobody reads until it is mended.
        """
        version: int = connection.execute(select(COUNTER.c.value).where(COUNTER.c.name == POLICIES)).scalar_one()
        with self._lock:
            kept = self._kept
        if kept is None or kept.version != version:
            kept = _assembled(version, _sheets(connection), now)
        elif now < kept.moment or (kept.until is not None and now >= kept.until):
            kept = _assembled(version, kept.sheets, now)
        with self._lock:
            self._kept = kept
        return kept.policies


def _sheets(connection: Connection) -> dict[str, list[tuple[datetime, str, Any]]]:
    named, typed = KEY.alias(), KEY.alias()
    rows = connection.execute(
        select(named.c.value, OBJECT.c.key, PROPERTY.c.released, PROPERTY.c.name, PROPERTY.c.value)
        .select_from(PROPERTY)
        .join(OBJECT, OBJECT.c.id == PROPERTY.c.object_id)
        .join(named, (named.c.object_id == OBJECT.c.id) & (named.c.name == "name"))
        .join(typed, (typed.c.object_id == OBJECT.c.id) & (typed.c.name == "type") & (typed.c.value == "policy"))
        .where(OBJECT.c.bucket == SYSTEM)
        .order_by(named.c.value, OBJECT.c.id, PROPERTY.c.sheet_id)
    )
    found: dict[str, list[tuple[datetime, str, Any]]] = defaultdict(list)
    for name, key, released, field, value in rows:
        # Two policies may share a name when another pair tells them apart.
        others = {each: text for each, text in loads(key).items() if each not in (BUCKET, "type", "name")}
        shown = f"{name} {others}" if others else name
        found[shown].append((released, field, loads(value)))
    return dict(found)


def _assembled(version: int, sheets: dict[str, list[tuple[datetime, str, Any]]], now: datetime) -> _Kept:
    policies = []
    for name, facts in sheets.items():
        value = {field: content for released, field, content in facts if released <= now}
        if value.get("match") is None:
            # Retired, or not released yet.
            continue
        try:
            policies.append(policy(name, value))
        except WorkbenchError as error:
            raise WorkbenchError("politiques_illisibles", cause=error.message) from error
    later = [released for facts in sheets.values() for released, _, _ in facts if released > now]
    return _Kept(version, sheets, now, min(later, default=None), tuple(policies))

"""The policies that a new store has: its own protection, whose reports are, who says which budgets are seen.

A report is its author's: its key names her, and the badge that reading her copy or writing there takes is lent to her
alone. Nobody is ever given that badge: identity refuses those that begin with ``$``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select

from workbench.store import journal
from workbench.store.item import Item
from workbench.store.keys import BUCKET, SYSTEM, digest
from workbench.store.policies import EMAIL, FIELDS, MANAGER, Access
from workbench.store.tables import OBJECT
from workbench.store.writing import publish

__all__ = [
    "AUTHOR",
    "BUDGETS",
    "FIRST",
    "KEEPER",
    "NOBODY",
    "OF_REPORTS",
    "REPORTS",
    "STATISTICS",
    "protection",
    "publish_first",
    "unknown_policies",
]

REPORTS = "rapport"
"""The bucket of the published reports."""

AUTHOR = "$auteur"
"""The badge lent to the author of a report, for her reports."""

OF_REPORTS: Mapping[str, Mapping[str, Any]] = {
    "rapport": {"match": f"^{REPORTS}$", "write": [AUTHOR]},
    "rapport auteur": {"match": f"^{REPORTS}$", "key": {"auteur": EMAIL}, "promote": [AUTHOR]},
}

BUDGETS = "dgfip"
"""The bucket that says who sees which budgets of the accounting base."""

KEEPER = "$base"
"""The badge that writing there takes: who holds the registry has it, and no one else."""

STATISTICS = "stats"
"""The badge of those who count what is asked, without seeing it."""

FIRST: Mapping[str, Mapping[str, Any]] = {
    **OF_REPORTS,
    "budgets": {"match": f"^{BUDGETS}$", "write": [KEEPER]},
    "statistiques": {
        "match": f"^{SYSTEM}$",
        "key": {"type": "usage"},
        "scope": [STATISTICS],
        "promote": [MANAGER],
    },
}
"""The policies that a new store is given, beside its own protection."""

NOBODY = SimpleNamespace(email="system", badges=frozenset[str]())
"""Who publishes them."""


def protection(manager: str) -> Item:
    """Write the policy that protects the policies: a badge reads and writes them."""
    return _first("system", {"match": f"^{SYSTEM}$", "read": [manager], "write": [manager]})


def _first(name: str, value: Mapping[str, Any]) -> Item:
    # Every field is said: a policy of that name that was published before keeps none of its own.
    whole = {"key": {}, "scope": [], "read": [], "write": [], "promote": [], "writable": None, "when": None, **value}
    assert set(whole) == set(FIELDS)  # noqa: S101 - a field that is added has a word to say here
    return Item({BUCKET: SYSTEM, "type": "policy", "name": name}, frozenset(), whole)


def unknown_policies(connection: Connection, policies: Mapping[str, Mapping[str, Any]]) -> list[Item]:
    """Return those, of policies by name, that no one has ever published."""
    written = {digest(each.key): each for each in (_first(name, value) for name, value in policies.items())}
    wanted = select(OBJECT.c.digest).where(OBJECT.c.bucket == SYSTEM, OBJECT.c.digest.in_(list(written)))
    known = {bytes(mark) for mark in connection.execute(wanted).scalars()}
    return [each for mark, each in written.items() if mark not in known]


def publish_first(
    connection: Connection, policies: Sequence[Item], now: datetime, action: str, query: Mapping[str, Any]
) -> None:
    """Publish policies whoever asks, and say it in the journal."""
    everything = Access(frozenset(), frozenset(), (), (), frozenset(), closed=False)
    publish(connection, everything, policies, NOBODY.email, now)
    journal.record(connection, NOBODY, now, action, SYSTEM, query, str(len(policies)))

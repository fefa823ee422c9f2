"""One body for both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert

from workbench.registry import open_registry
from workbench.store import Store
from workbench.store.policies_stored import changed
from workbench.store.tables import (
    CHANGE,
    FILE,
    JOURNAL,
    KEY,
    OBJECT,
    PROPERTY,
    PROPERTY_FILE,
    PURGE,
    ROOM,
    SCOPE,
    SCOPE_BADGE,
    SHEET,
    TEXT,
)


@dataclass(frozen=True)
class Agent:
    """Who asks, in the tests."""

    email: str = "agent@exemple.fr"
    badges: frozenset[str] = field(default_factory=frozenset)


def agent(*badges: str, email: str = "agent@exemple.fr") -> Agent:
    return Agent(email, frozenset(badges))


MANAGER = agent("manager", email="responsable@exemple.fr")


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **durations: float) -> None:
        self.now += timedelta(**durations)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a store is; its tests empty it for themselves."""
    if request.param == "postgresql":
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database()
    return str(tmp_path_factory.mktemp("store") / "registre.sqlite")


def empty(store: Store) -> None:
    """Leave by the door of the purge all that a store holds."""
    with store.registry.write() as connection:
        connection.execute(insert(PURGE).values(id="test"))
        for table in (
            CHANGE,
            TEXT,
            PROPERTY_FILE,
            FILE,
            PROPERTY,
            SHEET,
            KEY,
            OBJECT,
            SCOPE_BADGE,
            SCOPE,
            JOURNAL,
            PURGE,
        ):
            connection.execute(delete(table))
        changed(connection)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(address: str, clock: Clock) -> Iterator[Store]:
    """A store that holds nothing but its first policy."""
    with Store(open_registry(address, rooms=[ROOM]), clock) as opened:
        empty(opened)
        opened.protect()
        yield opened


def sheet(key: dict[str, str], scope: list[str], value: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"key": key, "scope": scope, "value": value, **others}


def policy(name: str, **value: Any) -> dict[str, Any]:
    return sheet({"type": "policy", "name": name}, [], value)

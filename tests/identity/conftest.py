"""Registries with people, signing keys, and issuers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from issuer_documents import Documents
from sqlalchemy import delete

from workbench.identity.passwords import _nobody
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM, attempts, people
from workbench.registry import Registry, open_registry


@pytest.fixture
def documents() -> Iterator[Documents]:
    """A web server of JSON documents."""
    found = Documents()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened_registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the tables of identity, on each database in turn."""
    address = str(tmp_path_factory.mktemp("registre") / "registre.sqlite")
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        address = new_database()
    with open_registry(address, rooms=[ROOM]) as opened:
        yield opened


@pytest.fixture
def registry(opened_registry: Registry) -> Registry:
    """That registry, with nobody in it."""
    with opened_registry.write() as connection:
        connection.execute(delete(people))
        connection.execute(delete(attempts))
    return opened_registry


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make argon2 quick, but for the tests of its cost: the parameters change, the algorithm does not."""
    monkeypatch.setattr(
        "workbench.identity.passwords._HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    )
    _nobody.cache_clear()


@pytest.fixture(scope="session")
def signing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a signing key, which takes a while to draw."""
    folder = tmp_path_factory.mktemp("cles") / "identite"
    SigningKeys(folder)
    return folder

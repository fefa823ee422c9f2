"""An issuer made of a document and keys, served on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete

from workbench.identity.passwords import _nobody
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM, attempts, people
from workbench.registry import Registry, open_registry


class Documents:
    """A web server that answers the JSON documents put into ``pages``, and counts what it is asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                page = outer.pages.get(self.path, 404)
                status = page if isinstance(page, int) else 200
                content = page if isinstance(page, bytes) else json.dumps(page).encode()
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", "/keys")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def publish(self, jwks: Any, **document: Any) -> None:
        """Be an issuer of these keys."""
        self.pages["/.well-known/openid-configuration"] = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            **document,
        }
        self.pages["/keys"] = jwks


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


PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people


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

"""An issuer made of a document and keys, served on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


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


@pytest.fixture(params=["sqlite", "postgresql"])
def registry_address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty registry, on each database in turn."""
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database()
    return str(tmp_path_factory.mktemp("registre") / "registre.sqlite")

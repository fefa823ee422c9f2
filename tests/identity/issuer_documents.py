"""An issuer made of a document and keys, served on this machine; and a password of fictitious people."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASSWORD = "quatre mots sans rapport"  # noqa: S105


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

"""Cross-origin requests: one origin, the headers of tus; outside identity, since a preflight has no token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from workbench.identity.middleware import Application, Scope, Send

__all__ = ["Cors"]

METHODS = "POST, HEAD, PATCH, DELETE"
ASKED = (
    "Authorization, Content-Type, Location, Tus-Resumable, Upload-Checksum, Upload-Defer-Length, Upload-Length, "
    "Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, X-Requested-With"
)
EXPOSED = (
    "Location, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Defer-Length, "
    "Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset"
)


class Cors:
    """Lets the pages of one origin read the answers of an application.

    Parameters
    ----------
    app
        The application behind, identity included.
    origin
        Of those pages; empty for none.
    """

    def __init__(self, app: Application, origin: str) -> None:
        self.app = app
        self.origin = origin.rstrip("/")

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[MutableMapping[str, Any]]], send: Send
    ) -> None:
        """Answer a preflight, or add the headers to what the application answers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = {name.lower(): value for name, value in scope["headers"]}
        ours = bool(self.origin) and asked.get(b"origin", b"").decode("latin-1") == self.origin
        shown = [
            (b"access-control-allow-origin", self.origin.encode()),
            (b"access-control-expose-headers", EXPOSED.encode()),
        ]
        if scope["method"] == "OPTIONS" and b"origin" in asked and b"access-control-request-method" in asked:
            allowed = [
                (b"access-control-allow-methods", METHODS.encode()),
                (b"access-control-allow-headers", ASKED.encode()),
                (b"access-control-max-age", b"3600"),
            ]
            headers = [(b"vary", b"Origin"), *(shown[:1] + allowed if ours else [])]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                added = [(b"vary", b"Origin"), *(shown if ours else [])]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self.app(scope, receive, answer)

"""What became of one's own uploads, over HTTP: ``GET`` of the place where this is mounted.

Apart from ``/files/``, where nothing is ever read. An answer tells of the uploads of the space that the token names and
of no other; it gives no byte of them.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from workbench.errors import WorkbenchError
from workbench.identity.middleware import Application, IdentityMiddleware, Receive, Scope, Send
from workbench.identity.tokens import TokenVerifier
from workbench.uploads.answers import Answer, refusal_of
from workbench.uploads.inventory import inventory
from workbench.uploads.layout import check_space
from workbench.uploads.storage import Storage

__all__ = ["MOST", "create_app"]

MOST = 500
"""Uploads told: the last ones."""


def create_app(storage: Storage, verifier: TokenVerifier) -> Application:
    """Return the ASGI application that tells people of their uploads.

    Its answer is an object: ``space``, ``largest`` (bytes that a file may have), ``more`` (uploads that are not told)
    and ``uploads``, the last first: the members of `workbench.uploads.inventory.Row`.

    Parameters
    ----------
    storage
        Where the uploads are.
    verifier
        What turns bearer tokens into actors.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            found = await _answer(storage, scope)
        except WorkbenchError as error:
            found = refusal_of(error)
        headers = {"cache-control": "no-store", "content-length": str(len(found.body)), **found.headers}
        written = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": found.status, "headers": written})
        await send({"type": "http.response.body", "body": found.body if scope["method"] != "HEAD" else b""})

    return IdentityMiddleware(answer, verifier)


async def _answer(storage: Storage, scope: Scope) -> Answer:
    if scope["path"].removeprefix(scope.get("root_path", "")) not in ("", "/"):
        raise WorkbenchError("depot_inconnu")
    if scope["method"] not in ("GET", "HEAD"):
        raise WorkbenchError("depot_methode")
    space = check_space(scope["actor"].space)
    content = await asyncio.to_thread(_content, storage, space)
    return Answer(200, {"content-type": "application/json"}, json.dumps(content, ensure_ascii=False).encode())


def _content(storage: Storage, space: str) -> dict[str, Any]:
    rows = inventory(storage, space)
    told = [vars(row) for row in reversed(rows[-MOST:])]
    return {"space": space, "largest": storage.limits.largest, "more": len(rows) - len(told), "uploads": told}

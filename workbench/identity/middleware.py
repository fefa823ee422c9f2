"""The door of the services: pure ASGI, so that it holds for any framework and breaks neither streams nor context."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any

from workbench.errors import WorkbenchError
from workbench.identity.tokens import TokenVerifier
from workbench.logs import ANSWER

__all__ = ["IDENTITY_PREFIX", "IdentityMiddleware", "bearer_token"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

IDENTITY_PREFIX = "x-workbench-"
"""Headers that speak of who asks: never a client's to write."""


def bearer_token(headers: Collection[tuple[bytes, bytes]]) -> str:
    """Return the token of a request.

    Raises
    ------
    WorkbenchError
        ``jeton_absent`` when there is none, ``jeton_refuse`` when there are two.

    Examples
    --------
    >>> bearer_token([(b"authorization", b"Bearer abc")])
    'abc'
    """
    given = [value for name, value in headers if name.lower() == b"authorization"]
    if len(given) > 1:
        raise WorkbenchError("jeton_refuse", raison="il y en a plusieurs")
    scheme, _, token = given[0].decode("latin-1").partition(" ") if given else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise WorkbenchError("jeton_absent")
    return token.strip()


class IdentityMiddleware:
    """Puts the `Actor` of a verified token into ``scope["actor"]``; without one, the application is not reached.

    Parameters
    ----------
    app
        The ASGI application behind.
    verifier
        What turns tokens into actors.
    public
        Paths of the application, whole, that need no token; their ``scope["actor"]`` is None.
    """

    def __init__(self, app: Application, verifier: TokenVerifier, public: Collection[str] = ()) -> None:
        self.app = app
        self.verifier = verifier
        self.public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 (503 when the issuer is away), or let the application answer."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        prefix = IDENTITY_PREFIX.encode()
        headers = [pair for pair in scope["headers"] if not pair[0].lower().replace(b"_", b"-").startswith(prefix)]
        actor = None
        # The path of an application that is mounted begins with where it is.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path not in self.public:
            try:
                actor = await self.verifier.verify_async(bearer_token(headers))
            except WorkbenchError as error:
                await _refuse(scope, send, error)
                return
        inner = {**scope, "headers": headers, "actor": actor}
        if ANSWER in scope:
            # The application writes in it which of its routes answers: whoever records requests reads it there.
            scope[ANSWER]["scope"] = inner
        await self.app(inner, receive, send)


async def _refuse(scope: Mapping[str, Any], send: Send, error: WorkbenchError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    content = json.dumps({"detail": error.message, "status_code": error.status}, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if error.status == 401:
        challenge = "Bearer" if error.code == "jeton_absent" else 'Bearer error="invalid_token"'
        headers.append((b"www-authenticate", challenge.encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})

"""``/sante``, ``/pret`` and ``/metriques``, beside the services.

The first two tell anybody yes or no. What ails, and the metrics, are for this machine alone, asked directly and not
through a proxy; or, once `WORKBENCH_METRICS_TOKEN` is set, for who shows it, from wherever. Behind a proxy everyone
comes from this machine: there the token is the only way.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import math
import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from workbench.identity.middleware import Receive, Scope, Send
from workbench.watching.health import Check, checks
from workbench.watching.requests import REQUESTS, Requests
from workbench.watching.state import State

__all__ = ["PATHS", "Door"]

PATHS = ("/sante", "/pret", "/metriques")

LOCAL = frozenset({"127.0.0.1", "::1"})
LOCAL_NAMES = frozenset({"127.0.0.1", "[::1]", "::1", "localhost"})
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})


class Door:
    """The application.

    Parameters
    ----------
    base
        The accounting base that is served; that of the settings by default.
    token
        What a collector shows; empty to answer this machine alone.
    public_url
        The address of the proxy that stands before, if there is one.
    requests
        What is counted.
    kept
        Seconds that what was found of readiness is told again: anybody may ask.
    """

    def __init__(
        self,
        base: str | None = None,
        *,
        token: str = "",
        public_url: str = "",
        requests: Requests = REQUESTS,
        kept: float = 2.0,
    ) -> None:
        self._base = base
        self._token = token
        self._public_url = public_url
        self._requests = requests.registry
        self._state = CollectorRegistry()
        self._state.register(State(base))
        self._kept = kept
        self._known: list[Check] = []
        self._since = -math.inf
        self._looking = asyncio.Lock()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        told: dict[str, object]
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"")
        elif path == "/sante":
            await _answer(send, 200, _json({"etat": "vivant"}))
        elif path == "/pret":
            found = await self._checks()
            sound = not any(each.code for each in found)
            told = {"etat": "prêt" if sound else "indisponible"}
            if self._is_let_in(scope):
                told |= {"parties": {each.name: each.code or "prêt" for each in found}}
            await _answer(send, 200 if sound else 503, _json(told))
        elif path != "/metriques":
            await _answer(send, 404, b"")
        elif not self._is_let_in(scope):
            await _answer(send, 403, _json({"detail": "Les métriques ne vous sont pas ouvertes.", "status_code": 403}))
        else:
            await _answer(send, 200, await asyncio.to_thread(self._metrics), CONTENT_TYPE_PLAIN_0_0_4.encode())

    async def _checks(self) -> list[Check]:
        async with self._looking:
            if time.monotonic() - self._since >= self._kept:
                self._known = await asyncio.to_thread(checks, self._base)
                self._since = time.monotonic()
            return self._known

    def _metrics(self) -> bytes:
        return generate_latest(self._requests) + generate_latest(self._state)

    def _is_let_in(self, scope: Scope) -> bool:
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        if self._token:
            shown = dict(headers).get(b"authorization", b"")
            return hmac.compare_digest(shown, f"Bearer {self._token}".encode())
        if self._public_url or any(name in FORWARDED for name, _ in headers):
            return False
        # The name too: a page of the web may have its own resolve to this machine.
        host = dict(headers).get(b"host", b"").decode("latin-1")
        named = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
        return (scope.get("client") or ("",))[0] in LOCAL and named in LOCAL_NAMES


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


async def _answer(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Requests, counted by service, template of route, method and status; one line of the log each.

A label takes few values, whatever is asked: templates come from the routes that the services declare, never from an
address. So neither a metric nor a log says what was looked at, nor by whom.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from workbench.identity.middleware import Application, Receive, Scope, Send
from workbench.logs import ANSWER, REQUEST_HEADER, begin_request, event

__all__ = ["REFUSED", "REQUESTS", "Recorded", "Requests", "is_trusted", "template_of"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REFUSED = frozenset({401, 403, 413, 429})
"""Statuses of a refusal: who asks may not, or may not so much."""

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_LOG = logging.getLogger("workbench.requests")


class Requests:
    """What this process answered since it began.

    Examples
    --------
    >>> requests = Requests()
    >>> requests.record("/magasin", "/data/get/{bucket}", "GET", 403, 0.02)
    >>> requests.registry.get_sample_value("workbench_refusals_total", {"service": "/magasin", "status": "403"})
    1.0
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count = Counter(
            "workbench_requests",
            "Requests answered",
            ["service", "route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "workbench_request_seconds",
            "Seconds until a request was answered",
            ["service", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "workbench_refusals", "Requests refused", ["service", "status"], registry=self.registry
        )

    def record(self, service: str, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request and log it."""
        method = method if method in METHODS else "OTHER"
        self._count.labels(service, route, method, str(status)).inc()
        self._seconds.labels(service, route).observe(seconds)
        if status in REFUSED:
            self._refusals.labels(service, str(status)).inc()
        facts = {"service": service, "route": route, "method": method, "status": status}
        event(_LOG, "request", **facts, milliseconds=round(1000 * seconds, 1))


REQUESTS = Requests()
"""Those of this process."""


def is_trusted(peer: str | None, public_url: str) -> bool:
    """Say whether the identifier of a request may be taken from who sends it: the proxy, or a kernel of this machine.

    Examples
    --------
    >>> is_trusted("127.0.0.1", ""), is_trusted("203.0.113.9", ""), is_trusted("203.0.113.9", "https://wb.exemple.fr")
    (True, False, True)
    """
    return bool(public_url) or peer in ("127.0.0.1", "::1")


def template_of(answer: Mapping[str, Any]) -> str:
    """Return the template of the route that answered, from what the door of the service left.

    Examples
    --------
    >>> template_of({})
    '(no route)'
    """
    route = answer.get("scope", {}).get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else "(no route)"


class Recorded:
    """An ASGI application whose requests are named, counted and logged.

    Parameters
    ----------
    application
        The application.
    service
        What it is called: where it is mounted.
    public_url
        The address of the proxy that stands before it, if there is one.
    requests
        Where they are counted.
    """

    def __init__(
        self, application: Application, service: str, public_url: str = "", requests: Requests = REQUESTS
    ) -> None:
        self.application = application
        self.service = service
        self.public_url = public_url
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        name = REQUEST_HEADER.lower().encode()
        given = next((value for header, value in scope["headers"] if header.lower() == name), b"")
        trusted = is_trusted((scope.get("client") or (None,))[0], self.public_url)
        identifier = begin_request(given.decode("latin-1") if trusted else "")
        answer: dict[str, Any] = {}
        status, started = 500, time.perf_counter()

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), (name, identifier.encode())]}
            await send(message)

        try:
            await self.application({**scope, ANSWER: answer}, receive, sent)
        finally:
            seconds = time.perf_counter() - started
            self.requests.record(self.service, template_of(answer), scope["method"], status, seconds)

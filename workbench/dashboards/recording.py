"""Requests of the dashboards' server: named when they come, counted and logged when they are answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado import httputil, web

from workbench.dashboards.mounting import MountedHandler
from workbench.logs import REQUEST_HEADER, begin_request
from workbench.watching.requests import REQUESTS, is_trusted, template_of

__all__ = ["NamedRequest", "naming", "recording"]

UNKNOWN = "(no route)"


class NamedRequest(web.OutputTransform):
    """Gives each request its identifier before its handler runs, and tells it in the answer."""

    public_url = ""

    def __init__(self, request: httputil.HTTPServerRequest) -> None:
        given = request.headers.get(REQUEST_HEADER, "")
        # Tornado runs the handler in a context that it copies from this one, just after.
        self.identifier = begin_request(given if is_trusted(request.remote_ip, self.public_url) else "")
        # Mounted applications read it there, as from any proxy.
        request.headers[REQUEST_HEADER] = self.identifier

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, _finishing: bool
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        """Add the header."""
        headers[REQUEST_HEADER] = self.identifier
        return status_code, headers, chunk


def naming(public_url: str) -> type[NamedRequest]:
    """Return the transform of a server that people know by a proxy's address, or by its own when it is empty."""
    return type("NamedRequest", (NamedRequest,), {"public_url": public_url})


def recording(prefix: str, routes: Iterable[str], unknown: type[web.RequestHandler]) -> Any:
    """Return what Tornado calls when a request is answered.

    Parameters
    ----------
    prefix
        Path of the server.
    routes
        Paths whose ends say what was asked, and are left out.
    unknown
        The handler of what is nowhere.
    """
    starts = tuple(prefix + route for route in routes)

    def record(handler: web.RequestHandler) -> None:
        request = handler.request
        service, route = "tableaux", UNKNOWN
        if isinstance(handler, MountedHandler):
            service, route = handler.root or "exploitation", template_of(handler.answer)
            if not handler.root:
                route = request.path
        elif not isinstance(handler, unknown):
            begins = next((start for start in starts if request.path.startswith(start)), "")
            named = begins or handler.path_args or handler.path_kwargs
            # Where the path of a route has no part that changes, it is its own template.
            route = begins + "…" if begins else UNKNOWN if named else request.path
        method = request.method or ""
        REQUESTS.record(service, route, method, handler.get_status(), request.request_time())

    return record

"""ASGI applications under the address of the dashboards, in their server's own loop.

A mounted application answers as it would anywhere: its status, its headers, its bytes. It is told of bearer tokens and
never of cookies: what a browser sends by itself opens nothing there, so that no other site can use it. One that says so
is also open to the pages of this server: a request that proves to come from them is lent the token of its session.
Bodies travel part by part, as fast as the application takes them; it is stopped when its client goes away.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tornado import web

from workbench.identity.middleware import Application
from workbench.logs import ANSWER

__all__ = ["Lending", "Mounted", "MountedHandler"]

Lending = Callable[[web.RequestHandler], Awaitable[str | None]]
"""Gives the token that a request without one may have, or None."""

LARGEST_BODY = 1024**4
"""Bytes of a body; applications have limits of their own."""

PARTS = 4
"""Parts of a body that wait for the application."""

SHORT_BODY = 64 * 1024
"""Bytes that are received even when the answer did not need them: Tornado closes a connection that is answered before,
and the client, which does not know, loses the answer or its next request."""

SHORT_SECONDS = 10.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mounted:
    """An application and its place.

    Parameters
    ----------
    path
        Where it is: ``/magasin``.
    application
        The ASGI application.
    libelle
        What it is called.
    variable
        The environment variable by which kernels are told its address; empty for none.
    for_pages
        The pages of this server may ask it under the session of their person.
    """

    path: str
    application: Application
    libelle: str
    variable: str = ""
    for_pages: bool = False


@web.stream_request_body
class MountedHandler(web.RequestHandler):
    """Hands a request to an application, and its answer to the client."""

    def initialize(self, asgi: Application, root: str, lend: Lending | None = None) -> None:
        """Keep the application, the path that it is under, and who lends it tokens."""
        self._asgi = asgi
        self._root = root
        self._lend = lend
        self.answer: dict[str, Any] = {}
        """Where the application says which of its routes answers."""
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(PARTS)
        self._answering: asyncio.Future[None] | None = None
        self._whole = asyncio.Event()

    def prepare(self) -> None:
        """Begin to answer when the headers are there, if a body follows."""
        headers = self.request.headers
        if "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0":
            connection: Any = self.request.connection
            connection.set_max_body_size(LARGEST_BODY)
            self._answering = asyncio.ensure_future(self._answer())

    async def data_received(self, chunk: bytes) -> None:
        """Hand over a part of the body, or drop it when the application has answered without it."""
        await self._hand_over(chunk)

    async def _hand_over(self, part: bytes | None) -> None:
        assert self._answering is not None  # noqa: S101 - `prepare` comes first
        given = asyncio.ensure_future(self._parts.put(part))
        await asyncio.wait([given, self._answering], return_when=asyncio.FIRST_COMPLETED)
        given.cancel()

    async def _end(self) -> None:
        self._whole.set()
        if self._answering is None:
            # Tornado closes a connection whose request is answered before it is read, without a word to the client.
            self._answering = asyncio.ensure_future(self._answer())
        await self._hand_over(None)
        await asyncio.wait([self._answering])

    get = head = post = put = patch = delete = options = _end

    def on_connection_close(self) -> None:
        """Stop the application: nobody waits for what it would answer."""
        if self._answering is not None:
            self._answering.cancel()

    async def _answer(self) -> None:
        try:
            scope = self._scope()
            if self._lend is not None and "Authorization" not in self.request.headers:
                token = await self._lend(self)
                if token is not None:
                    scope["headers"].append((b"authorization", f"Bearer {token}".encode("latin-1")))
            await self._asgi(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - an application is not to end the server
            # A framework answers, then raises for the server to know.
            if not self._finished:
                _LOG.exception("a mounted application failed", exc_info=error)
        if not self._finished:
            self.send_error(500)

    def _scope(self) -> MutableMapping[str, Any]:
        request = self.request
        raw, _, query = request.uri.partition("?") if request.uri else ("/", "", "")
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in request.headers.get_all()
            if name.lower() != "cookie"
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.protocol,
            "path": unquote(raw, errors="replace"),
            "raw_path": raw.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": self._root,
            "headers": headers,
            "client": (request.remote_ip, 0),
            "server": (request.host_name, None),
            ANSWER: self.answer,
        }

    async def _receive(self) -> MutableMapping[str, Any]:
        part = await self._parts.get()
        if part is None:
            # Asked again, there is nothing more until the client goes, which cancels this.
            self._parts = asyncio.Queue()
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.set_status(message["status"])
            self.clear_header("Content-Type")
            if not self._whole.is_set() and not self._is_short():
                self.set_header("Connection", "close")
            for name, value in message.get("headers", []):
                self.add_header(name.decode("latin-1"), value.decode("latin-1"))
            await self._short_body()
            if not self._whole.is_set():
                self.set_header("Connection", "close")
            return
        if message.get("body"):
            self.write(message["body"])
        if message.get("more_body"):
            await self.flush()
        else:
            self.finish()

    async def _short_body(self) -> None:
        if self._is_short():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._whole.wait(), SHORT_SECONDS)

    def _is_short(self) -> bool:
        length = self.request.headers.get("Content-Length", "0")
        return "Transfer-Encoding" not in self.request.headers and length.isdecimal() and int(length) <= SHORT_BODY

    def check_xsrf_cookie(self) -> None:
        """Do nothing: no cookie opens anything here."""

    def _log(self) -> None:
        """Tell the operator what failed; a refusal is an answer like another, where no one counts answers."""
        if self.get_status() >= 500 or "log_function" in self.settings:
            super()._log()

    @property
    def root(self) -> str:
        """The path that the application is under."""
        return self._root

    def compute_etag(self) -> str | None:
        """Return none: the application says what may be kept."""
        return None

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what the application did not, in the shape of its errors."""
        self.set_header("Content-Type", "application/json")
        detail = {404: "Il n'y a rien à cette adresse.", 405: "Cette adresse ne se demande pas ainsi."}
        said = detail.get(status_code, "Une erreur inattendue est survenue.")
        self.finish(json.dumps({"detail": said, "status_code": status_code}, ensure_ascii=False))

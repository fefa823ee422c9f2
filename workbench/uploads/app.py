"""tus 1.0 over HTTP under ``/files/``: pure ASGI, so that bodies stream and nothing of them is kept in memory.

Who asks is what `IdentityMiddleware` verified, on every request; only a browser's CORS preflight, which cannot carry a
token and is told nothing but constants, is answered before. Rights come before existence: an upload of another space is
404, as one that never was. Nothing is ever downloaded.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.middleware import Application, IdentityMiddleware, Scope, Send
from workbench.identity.tokens import TokenVerifier
from workbench.uploads.answers import Answer, known, refusal_of, told
from workbench.uploads.body import Overflow, Receive, drain, receive_body
from workbench.uploads.cors import Cors
from workbench.uploads.finishing import Finisher
from workbench.uploads.info import Info
from workbench.uploads.layout import check_space
from workbench.uploads.outcome import PUBLISHED, QUARANTINED, Outcome
from workbench.uploads.protocol import (
    ALGORITHMS,
    IDENTIFIER,
    VERSION,
    Checksum,
    append_request,
    creation_request,
    effective_method,
    expiry_text,
    require_version,
    single_headers,
)
from workbench.uploads.purging import purge
from workbench.uploads.storage import EXTENSIONS
from workbench.uploads.turns import Turn, Turns
from workbench.uploads.writer import Writer

__all__ = ["FILES", "create_app"]

FILES = "/files/"
PURGE_SECONDS = 3600

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")
_LOG = logging.getLogger(__name__)


def create_app(
    finisher: Finisher,
    verifier: TokenVerifier,
    *,
    origin: str = "",
    public_url: str = "",
    patience: float = 5.0,
    idle: float = 60.0,
) -> Application:
    """Return the ASGI application of the uploads of a storage; it answers paths that begin with ``/files``.

    Parameters
    ----------
    finisher
        What ends uploads; its storage is the one served.
    verifier
        What turns bearer tokens into actors; `Actor.space` names whose uploads they are.
    origin
        The one origin whose pages may send files (``https://tableaux.example.fr``); empty for none but its own.
    public_url
        How clients reach this service; empty to read it from each request (``X-Forwarded-Proto``, ``-Host``).
    patience
        Seconds that a request waits for an upload that another one holds.
    idle
        Seconds without a byte after which a sender is gone.
    """
    service = _Service(finisher, public_url.rstrip("/").removesuffix(FILES.rstrip("/")), patience, idle)
    return Cors(IdentityMiddleware(service, verifier), origin)


@dataclass(frozen=True)
class _Asked:
    """One request: what handlers need of it."""

    scope: Scope
    receive: _Body
    headers: Mapping[str, str]
    actor: Actor


class _Body:
    """The channel of a request, which knows when its body has come to an end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message


class _Service:
    def __init__(self, finisher: Finisher, public_url: str, patience: float, idle: float) -> None:
        self.finisher = finisher
        self.storage = finisher.storage
        self.public_url = public_url
        self.idle = idle
        self.turns = Turns(patience)
        # Apart: a scan of hours must not keep a disk from being written.
        self.disk = ThreadPoolExecutor(32, "uploads-disk")
        self.ending = ThreadPoolExecutor(4, "uploads-ending")
        self.kept_house = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        self._keep_house()
        body = _Body(receive)
        try:
            answer = await self._answer(scope, body)
        except WorkbenchError as error:
            answer = refusal_of(error)
        except Exception as error:  # noqa: BLE001 - the last door: clients get an identifier, the log gets the traceback
            identifier = uuid4().hex[:8]
            _LOG.error("%s", identifier, exc_info=error)
            answer = told(500, f"Une erreur inattendue est survenue (identifiant {identifier}).", "erreur_inattendue")
        if answer.status >= 400 and not body.ended:
            await drain(body)
        headers = {"tus-resumable": VERSION, "cache-control": "no-store", "x-content-type-options": "nosniff"}
        headers |= answer.headers
        if answer.status != 204:
            headers["content-length"] = str(len(answer.body))
        written = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": written})
        content = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, receive: _Body) -> Answer:
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        if path != FILES.rstrip("/") and not path.startswith(FILES):
            raise WorkbenchError("depot_inconnu")
        identifier = path[len(FILES) :]
        if identifier and not IDENTIFIER.fullmatch(identifier):
            raise WorkbenchError("depot_inconnu")
        headers = single_headers(scope["headers"])
        asked = _Asked(scope, receive, headers, scope["actor"])
        method = effective_method(scope["method"], headers)
        if method == "OPTIONS":
            return self._options()
        if method == "GET" or (not identifier and method in ("HEAD", "PATCH", "DELETE")):
            raise WorkbenchError("depot_inconnu")
        if method not in (("HEAD", "PATCH", "DELETE") if identifier else ("POST",)):
            raise WorkbenchError("depot_methode")
        require_version(headers)
        if not identifier:
            return await self._create(asked)
        info, expired = await self._on_disk(self._look, identifier)
        if not asked.actor.space or info.space != asked.actor.space:
            raise WorkbenchError("depot_inconnu")
        if expired and method != "DELETE":
            raise WorkbenchError("depot_expire")
        if method == "HEAD":
            return await self._head(info)
        return await (self._append(asked, info) if method == "PATCH" else self._terminate(info))

    def _options(self) -> Answer:
        headers = {
            "tus-version": VERSION,
            "tus-extension": ",".join(EXTENSIONS),
            "tus-max-size": str(self.storage.limits.largest),
            "tus-checksum-algorithm": ",".join(ALGORITHMS),
        }
        return Answer(204, headers)

    async def _create(self, asked: _Asked) -> Answer:
        space = check_space(asked.actor.space)
        creation = creation_request(asked.headers)
        if creation.length is not None and (creation.body_length or 0) > creation.length:
            raise WorkbenchError("depot_debordement", taille=creation.length)
        metadata = {**creation.metadata, "goup-path": space, "email": asked.actor.email}
        info = await self._on_disk(self.storage.create, metadata, creation.length)
        headers = {"location": self._location(asked, info)}
        async with self._writer(info) as (turn, writer):
            if creation.with_data:
                try:
                    await self._receive(asked, turn, writer, creation.body_length, creation.checksum)
                except WorkbenchError as error:
                    # The upload is there: a client that reads the answer goes on from it.
                    refusal = refusal_of(error)
                    return Answer(refusal.status, {**refusal.headers, **headers}, refusal.body)
                headers["upload-offset"] = str(writer.offset)
            await self._end(turn, writer)
            return Answer(201, headers | self._expiry(writer))

    async def _head(self, info: Info) -> Answer:
        outcome = await self._on_disk(self.storage.outcome, info.identifier)
        if outcome is not None and outcome.state == PUBLISHED:
            return Answer(200, known(info, info.size or 0))
        async with self._writer(info) as (turn, writer):
            await self._on_disk(writer.commit)
            await self._end(turn, writer)
            return Answer(200, known(writer.info, writer.offset) | self._expiry(writer))

    async def _append(self, asked: _Asked, info: Info) -> Answer:
        request = append_request(asked.headers)
        async with self._writer(info) as (turn, writer):
            if request.offset != writer.offset:
                raise WorkbenchError("depot_position", offset=writer.offset, recu=request.offset)
            if request.length is not None:
                await self._on_disk(self.storage.set_size, writer, request.length)
            await self._receive(asked, turn, writer, request.body_length, request.checksum)
            await self._end(turn, writer)
            return Answer(204, {"upload-offset": str(writer.offset)} | self._expiry(writer))

    async def _terminate(self, info: Info) -> Answer:
        async with self._writer(info) as (_, writer):
            if writer.complete:
                raise WorkbenchError("depot_termine")
            await self._on_disk(self.storage.remove, writer)
        return Answer(204)

    async def _receive(
        self, asked: _Asked, turn: Turn, writer: Writer, announced: int | None, checksum: Checksum | None
    ) -> None:
        """Write the body of a request, and acknowledge it to the disk."""
        limit, refusal = await self._limit(writer)
        if announced is not None and limit is not None and announced > limit:
            raise refusal
        await self._on_disk(writer.begin, checksum)

        def watch(interrupt: Any) -> None:
            turn.interrupt = interrupt

        try:
            whole = await receive_body(asked.receive, writer, limit, self.idle, self.disk, watch)
        except Overflow as error:
            await self._on_disk(writer.discard)
            raise refusal from error
        except OSError as error:
            await self._on_disk(writer.give_up)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise WorkbenchError("depot_plein") from error
            raise
        if whole:
            await self._on_disk(writer.commit)
        else:
            await self._on_disk(writer.give_up)
            asked.receive.ended = True
            if not writer.complete:
                # Its sender is gone, silent, or asks again elsewhere.
                raise WorkbenchError("depot_occupe")

    async def _limit(self, writer: Writer) -> tuple[int | None, WorkbenchError]:
        """Return how many bytes may come, and what to say beyond."""
        info, limits = writer.info, self.storage.limits
        if info.size is not None:
            return max(0, info.size - writer.offset), WorkbenchError("depot_debordement", taille=info.size)
        room = await self._on_disk(self.storage.room_of, info)
        if room is not None and room < limits.largest:
            left = max(0, room - writer.offset)
            return left, WorkbenchError("depot_quota", espace=info.space, reste=left, quota=limits.quota)
        return limits.largest - writer.offset, WorkbenchError("depot_trop_grand", limite=limits.largest)

    async def _end(self, turn: Turn, writer: Writer) -> None:
        """Finish an upload that is whole; refuse to call it arrived when it is in quarantine."""
        if not writer.complete:
            return
        before = await self._on_disk(self.storage.outcome, writer.info.identifier)
        if before is None or before.state not in (PUBLISHED, QUARANTINED):
            turn.interrupt = None
            work = asyncio.get_running_loop().run_in_executor(self.ending, self.finisher.finish, writer)
            try:
                outcome: Outcome = await asyncio.shield(work)
            except asyncio.CancelledError:
                # The client left; the upload stays held until its end.
                await asyncio.wait([work])
                raise
            if outcome.state != PUBLISHED:
                raise WorkbenchError("depot_echec", cause=outcome.reason)
        elif before.state != PUBLISHED:
            raise WorkbenchError("depot_quarantaine", cause=before.reason)

    def _look(self, identifier: str) -> tuple[Info, bool]:
        """Return what is known of an upload, and whether it stayed unfinished for too long."""
        info = self.storage.info(identifier)
        try:
            whole = info.size is not None and self.storage.data_path(identifier).stat().st_size >= info.size
            return info, not whole and self.storage.expires(identifier) < datetime.now(UTC)
        except FileNotFoundError as error:
            raise WorkbenchError("depot_inconnu") from error

    def _expiry(self, writer: Writer) -> dict[str, str]:
        if writer.complete:
            return {}
        return {"upload-expires": expiry_text(writer.changed + self.storage.limits.unfinished)}

    def _writer(self, info: Info) -> _Held:
        return _Held(self, info)

    def _location(self, asked: _Asked, info: Info) -> str:
        base = self.public_url
        if not base:
            forwarded = asked.headers.get("x-forwarded-host", "").partition(",")[0].strip()
            host = forwarded or asked.headers.get("host", "")
            scheme = asked.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
            if scheme not in ("http", "https"):
                scheme = asked.scope.get("scheme", "http")
            # Without a name that is one, the address is relative to the one that was asked: clients read both.
            base = f"{scheme}://{host}" if _HOST.fullmatch(host) else ""
            base += asked.scope.get("root_path", "")
        return f"{base}{FILES}{info.identifier}"

    async def _on_disk(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.disk, partial(function, *arguments))

    def _keep_house(self) -> None:
        """From time to time, finish what a stop interrupted and remove what was abandoned."""
        now = asyncio.get_running_loop().time()
        if now - self.kept_house < PURGE_SECONDS:
            return
        self.kept_house = now

        def work() -> None:
            try:
                self.finisher.recover()
                purge(self.storage)
            except Exception:  # noqa: BLE001 - what is wrong with one file must not stop the service
                _LOG.exception("the storage could not be kept in order")

        self.ending.submit(work)


class _Held:
    """An upload held within this process, then by its lock; given back in any case."""

    def __init__(self, service: _Service, info: Info) -> None:
        self.service = service
        self.info = info
        self.taking = service.turns.take(info.identifier)
        self.writer: Writer | None = None

    async def __aenter__(self) -> tuple[Turn, Writer]:
        turn = await self.taking.__aenter__()
        try:
            self.writer = await self._open()
        except BaseException as error:
            await self.taking.__aexit__(type(error), error, error.__traceback__)
            raise
        return turn, self.writer

    async def _open(self) -> Writer:
        deadline = asyncio.get_running_loop().time() + self.service.turns.patience
        while True:
            try:
                writer: Writer = await self.service._on_disk(self.service.storage.open, self.info.identifier)
            except WorkbenchError as error:
                if error.code != "depot_occupe" or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.05)
            else:
                return writer

    async def __aexit__(self, *error: Any) -> None:
        try:
            if self.writer is not None:
                self.writer.close()
        finally:
            await self.taking.__aexit__(*error)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

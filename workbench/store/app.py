"""The store over HTTP: ``/data/…``, one error shape, an OpenAPI document.

Who asks is what `IdentityMiddleware` verified; nothing of a request is read before. Bodies are read whole, in a file
when they are long, before a transaction opens: a slow client holds nothing of the database.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace
from typing import IO, Annotated, Any, cast
from urllib.parse import quote
from uuid import uuid4

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from workbench.errors import WorkbenchError
from workbench.identity.middleware import Application, IdentityMiddleware
from workbench.identity.tokens import TokenVerifier
from workbench.store.app_schemas import ANSWERS, BROWSE, ERROR, FILE, GET, PURGE, PUT, SEARCH, WHY
from workbench.store.browsing import browsing
from workbench.store.bulk import ARROW, NDJSON, arrow_sheets, ndjson_sheets
from workbench.store.keys import Reader, checked_badges, loads
from workbench.store.question import question
from workbench.store.searching import search
from workbench.store.store import Store

__all__ = ["create_app"]

LARGEST = 32 * 1024 * 1024
"""Bytes of a JSON body, which is read in memory."""

LARGEST_STREAM = 8 * 1024 * 1024 * 1024
"""Bytes of a bulk publication, which goes through a file."""

_LOG = logging.getLogger(__name__)

_SENTENCES = {404: "Il n'y a rien à cette adresse.", 405: "Cette adresse ne se demande pas ainsi."}


def create_app(store: Store, verifier: TokenVerifier) -> ASGIApp:
    """Return the ASGI application of a store.

    Parameters
    ----------
    store
        What it serves.
    verifier
        What turns bearer tokens into actors. ``/openapi.json`` alone needs no token.
    """
    service = FastAPI(
        title="workbench store",
        version="1",
        description="Objects whose sheets each carry the badges needed to read them.",
        # The pages of documentation would load scripts from another host.
        docs_url=None,
        redoc_url=None,
        responses=dict.fromkeys((400, 401, 403, 404, 500), ERROR),
    )
    service.exception_handler(WorkbenchError)(_workbench_error)
    service.exception_handler(HTTPException)(_http_error)
    service.exception_handler(RequestValidationError)(_validation_error)
    service.exception_handler(Exception)(_defect)
    _routes(service, store)
    door = IdentityMiddleware(cast("Application", service), verifier, public=["/openapi.json"])
    return cast("ASGIApp", door)


def _actor(request: Request) -> Reader:
    actor: Reader | None = request.scope.get("actor")
    if actor is None:
        raise WorkbenchError("jeton_absent")
    return actor


async def _body(request: Request) -> AsyncIterator[IO[bytes]]:
    """Give the body as a file, at its beginning."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    most = LARGEST_STREAM if kind in (NDJSON, ARROW) else LARGEST
    with SpooledTemporaryFile(max_size=1024 * 1024) as file:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise WorkbenchError("demande_trop_longue", taille=most // 1024**2)
            file.write(part)
        file.seek(0)
        yield cast("IO[bytes]", file)


Actor = Annotated[Reader, Depends(_actor)]
Body = Annotated[IO[bytes], Depends(_body)]


def _routes(service: FastAPI, store: Store) -> None:
    def route(
        method: str, path: str, summary: str, answer: str, body: Mapping[str, Any] | None = None
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        extra = {"requestBody": dict(body)} if body is not None else None
        return service.api_route(
            path,
            methods=[method],
            summary=summary,
            response_class=Response,
            responses={200: ANSWERS[answer]},
            openapi_extra=extra,
        )

    @route("POST", "/data/get/{bucket:path}", "Read what you may see of a bucket", "objects", GET)
    def get(bucket: str, actor: Actor, body: Body) -> Response:
        return _json(store.answer(actor, bucket, question(_object(body))))

    @route("POST", "/data/browse/{bucket:path}", "Read a page of a long list, and count it", "page", BROWSE)
    def browse(bucket: str, actor: Actor, body: Body) -> Response:
        return _json(store.browsed(actor, bucket, browsing(_object(body))))

    @route("POST", "/data/search/{bucket:path}", "Find objects by their words", "objects", SEARCH)
    def find(bucket: str, actor: Actor, body: Body) -> Response:
        return _json(store.searched(actor, bucket, search(_object(body))))

    @route("POST", "/data/total/{bucket:path}", "Count what a search finds, a thousand at most", "total", SEARCH)
    def total(bucket: str, actor: Actor, body: Body) -> Response:
        return _json(store.total(actor, bucket, search(_object(body))))

    @route("POST", "/data/put/{bucket:path}", "Publish sheets, all of them or none", "published", PUT)
    def put(bucket: str, actor: Actor, body: Body, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == NDJSON:
            count = store.put(actor, bucket, ndjson_sheets(body))
        elif kind == ARROW:
            count = store.put(actor, bucket, arrow_sheets(body))
        else:
            count = store.put(actor, bucket, loads(body.read()))
        return _json({"status": "ok", "published": count})

    @route("POST", "/data/file/{bucket:path}", "Read a file that a property holds", "file", FILE)
    def file(bucket: str, actor: Actor, body: Body) -> Response:
        asked = _object(body)
        if not {"key", "property"} <= set(asked) <= {"key", "property", "date"}:
            raise WorkbenchError("question_invalide", cause="attendu : {key, property, date}")
        found = store.file(actor, bucket, asked["key"], asked["property"], date=asked.get("date"))
        # Whatever was published, a browser saves it: a page of a report is not a page of this server.
        headers = {
            "cache-control": "no-store",
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "content-security-policy": "sandbox; default-src 'none'",
            "x-content-type-options": "nosniff",
        }
        # Not `media_type`, which adds a charset that nobody declared.
        return Response(found.content, headers=headers | {"content-type": found.kind})

    @route("GET", "/data/policies", "Read the policies", "objects")
    def policies(actor: Actor) -> Response:
        return _json(store.get(actor, "system", {"type": "policy"}))

    @route("POST", "/data/why/{bucket:path}", "Explain what is visible, and which badges are missing", "explained", WHY)
    def why(bucket: str, actor: Actor, body: Body) -> Response:
        asked = _object(body)
        unknown = set(asked) - {"key", "date", "of"}
        if unknown:
            raise WorkbenchError("question_invalide", cause="attendu : {key, date, of}")
        return _json(store.why(actor, bucket, asked.get("key"), of=_subject(asked.get("of")), date=asked.get("date")))

    @route("GET", "/data/journal", "Read the journal, the last entries first", "entries")
    def journal(
        actor: Actor,
        since: str | None = None,
        until: str | None = None,
        email: str | None = None,
        bucket: str | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        found = store.journal(actor, since=since, until=until, email=email, bucket=bucket, limit=limit)
        return _json(found)

    @route("GET", "/data/usage", "Count what was asked by day, person and kind of thing", "usage")
    def usage(actor: Actor, since: str, until: str) -> Response:
        return _json(store.usage(actor, since, until))

    @route("POST", "/data/purge", "Delete what expired longer ago than a delay", "purged", PURGE)
    def purge(actor: Actor, body: Body) -> Response:
        asked = _object(body)
        days = asked.get("days")
        if set(asked) != {"days"} or isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 36_500:
            raise WorkbenchError("question_invalide", cause="attendu : {days}, un nombre entier de jours")
        return _json(store.purge(actor, timedelta(days=days)))


def _object(body: IO[bytes]) -> dict[str, Any]:
    text = body.read()
    read = loads(text) if text.strip() else {}
    if not isinstance(read, dict):
        raise WorkbenchError("question_invalide", cause="un objet JSON est attendu")
    return read


def _subject(asked: Any) -> Reader | None:
    if asked is None:
        return None
    email = asked.get("email", "") if isinstance(asked, dict) else None
    if not isinstance(email, str):
        raise WorkbenchError("question_invalide", cause="of est un objet {email, badges}")
    return SimpleNamespace(email=email, badges=checked_badges(asked.get("badges", []), "of.badges"))


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, default=_written, separators=(",", ":"))
    kept = {"cache-control": "no-store"} | dict(headers or {})
    return Response(text.encode(errors="replace"), status, kept, media_type="application/json")


def _error(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json({"detail": detail, "status_code": status, "code": code}, status, headers)


async def _workbench_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WorkbenchError)  # noqa: S101 - narrows the type
    if error.status >= 500:
        _LOG.error("%s: %s", error.code, error.message, exc_info=error)
    return _error(error.status, error.message, error.code)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type
    detail = _SENTENCES.get(error.status_code, "La demande est refusée.")
    return _error(error.status_code, detail, "demande_refusee", error.headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type
    place = ".".join(str(part) for part in error.errors()[0]["loc"][1:])
    refusal = WorkbenchError("question_invalide", cause=f"le paramètre {place} ne convient pas")
    return _error(refusal.status, refusal.message, refusal.code)


async def _defect(_: Request, error: Exception) -> Response:
    identifier = uuid4().hex[:8]
    _LOG.error("%s", identifier, exc_info=error)
    return _error(500, f"Une erreur inattendue est survenue (identifiant {identifier}).", "erreur_inattendue")

"""Comments over HTTP: what dashboards read and write, each for the person it works for.

Whoever has an account reads them and writes; each changes and removes her own. One's own trames (``~/code``) are
another machine's affair: here they are as absent.
"""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any, cast
from uuid import uuid4

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from workbench.discussion.comments import Comment, add_comment, comments, delete_comment, edit_comment
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.middleware import Application, IdentityMiddleware
from workbench.identity.strict_json import read_object
from workbench.identity.tokens import TokenVerifier
from workbench.registry import Registry

__all__ = ["create_app"]

LARGEST = 64 * 1024
"""Bytes of a body: the longest comment, whatever its characters."""

_LOG = logging.getLogger(__name__)

_SENTENCES = {404: "Il n'y a rien à cette adresse.", 405: "Cette adresse ne se demande pas ainsi."}

_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_COMMENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "author", "created", "edited", "trame", "indicateur", "text", "mine"],
    "properties": dict.fromkeys(("id", "author", "created", "text"), _TEXT)
    | dict.fromkeys(("edited", "trame", "indicateur"), _MAYBE)
    | {"mine": {"type": "boolean"}},
}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body_of(required: list[str], **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_ERROR = _answer("Refused.", {"type": "object", "required": ["detail", "status_code"]})
_ONE = _answer("The comment.", _COMMENT)
_ALL = _answer("The comments, the latest first.", {"type": "array", "items": _COMMENT})


def create_app(registry: Registry, verifier: TokenVerifier) -> ASGIApp:
    """Return the ASGI application of the comments.

    Parameters
    ----------
    registry
        Opened with `workbench.discussion.ROOM`.
    verifier
        What turns bearer tokens into actors; ``/openapi.json`` alone needs no token.
    """
    service = FastAPI(
        title="workbench comments",
        version="1",
        description="Comments on the application, on trames and on indicateurs.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": _ERROR, "5XX": _ERROR},
    )
    service.exception_handler(WorkbenchError)(_workbench_error)
    service.exception_handler(HTTPException)(_http_error)
    service.exception_handler(RequestValidationError)(_validation_error)
    service.exception_handler(Exception)(_defect)
    _routes(service, registry)
    return cast("ASGIApp", IdentityMiddleware(cast("Application", service), verifier, public=["/openapi.json"]))


def _actor(request: Request) -> Actor:
    actor: Actor | None = request.scope.get("actor")
    if actor is None:
        raise WorkbenchError("jeton_absent")
    return actor


async def _body(request: Request) -> dict[str, Any]:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise WorkbenchError("demande_trop_longue", taille=1)
    try:
        return read_object(content or b"{}")
    except ValueError as error:
        raise WorkbenchError("json_invalide", cause="un objet JSON en UTF-8 est attendu") from error


Author = Annotated[Actor, Depends(_actor)]
Body = Annotated[dict[str, Any], Depends(_body)]


def _routes(service: FastAPI, registry: Registry) -> None:
    options: dict[str, Any] = {"response_class": Response}

    @service.get("/comments/", summary="Read comments", responses={200: _ALL}, **options)
    def read(
        author: Author,
        trame: str | None = None,
        indicateur: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Response:
        found = comments(
            trame=_shared(trame), indicateur=indicateur, author=author.email, registry=registry, limit=limit
        )
        return _json([_shown(each, author) for each in found])

    written = _body_of(["text"], text=_TEXT, trame=_MAYBE, indicateur=_MAYBE)

    @service.post(
        "/comments/",
        summary="Write a comment",
        status_code=201,
        responses={201: _ONE},
        openapi_extra={"requestBody": written},
        **options,
    )
    def write(author: Author, body: Body) -> Response:
        trame, indicateur = (_code(body, name) for name in ("trame", "indicateur"))
        said = add_comment(
            _text(body), trame=_shared(trame), indicateur=indicateur, author=author.email, registry=registry
        )
        return _json(_shown(said, author), 201)

    @service.patch(
        "/comments/{identifier}/",
        summary="Change a comment of yours",
        responses={200: _ONE},
        openapi_extra={"requestBody": _body_of(["text"], text=_TEXT)},
        **options,
    )
    def change(identifier: str, author: Author, body: Body) -> Response:
        return _json(_shown(edit_comment(identifier, _text(body), author=author.email, registry=registry), author))

    @service.delete(
        "/comments/{identifier}/",
        summary="Remove a comment of yours",
        responses={200: _answer("Removed.", {"type": "object"})},
        **options,
    )
    def remove(identifier: str, author: Author) -> Response:
        delete_comment(identifier, author=author.email, registry=registry)
        return _json({"status": "ok"})


def _shared(trame: str | None) -> str | None:
    if trame is not None and trame.startswith("~"):
        raise WorkbenchError("api_objet_absent", objet="trame", identifiant=trame[:60])
    return trame


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise WorkbenchError("api_champ", champ="text", attendu="un texte")
    return text


def _code(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not (isinstance(value, str) and len(value) <= 200 and value.isprintable()):
        raise WorkbenchError("api_champ", champ=name, attendu="un code")
    return value


def _shown(comment: Comment, reader: Actor) -> dict[str, Any]:
    kept = {name: getattr(comment, name) for name in ("id", "author", "trame", "indicateur", "text")}
    dates = {name: _date(getattr(comment, name)) for name in ("created", "edited")}
    return kept | dates | {"mine": comment.author == reader.email}


def _date(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff"} | (headers or {})
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(text.encode(errors="replace"), status, kept, media_type="application/json")


def _error(error: WorkbenchError, status: int | None = None) -> Response:
    content = {"detail": error.message, "status_code": status or error.status, "code": error.code, "hint": error.hint}
    return _json(content, status or error.status)


async def _workbench_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WorkbenchError)  # noqa: S101 - narrows the type
    if error.status >= 500:
        identifier = uuid4().hex[:8]
        _LOG.error("%s %s: %s", identifier, error.code, error.message, exc_info=error)
        error = WorkbenchError("api_indisponible", identifiant=identifier)
    return _error(error)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type
    detail = _SENTENCES.get(error.status_code, "La demande est refusée.")
    content = {"detail": detail, "status_code": error.status_code, "code": "demande_refusee"}
    return _json(content, error.status_code, dict(error.headers or {}))


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type
    place = ".".join(str(part) for part in error.errors()[0]["loc"][1:])
    return _error(WorkbenchError("api_champ", champ=place, attendu="une autre valeur"), 400)


async def _defect(_: Request, error: Exception) -> Response:
    identifier = uuid4().hex[:8]
    _LOG.error("%s", identifier, exc_info=error)
    return _error(WorkbenchError("api_indisponible", identifiant=identifier))

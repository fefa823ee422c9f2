"""Reports over HTTP: the routes of the old application, so that its clients' scripts run after changing the address.

Routes, fields and states are those of the specification of OpenAnafi, section 9; what it got wrong is not kept. Who
asks is what a verified token says; requests are seen by their author alone, and to anyone else they are as absent. A
request is a job like any other: workers make it (`workbench.reports.jobs_worker`). Trames are read here, not changed:
they are files that a team keeps under git.

Paths end with a slash; one that is forgotten is added, since clients forget it when they download. It is one module
because its routes are one list: read whole, it tells all that a client may ask.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, cast
from uuid import uuid4

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from workbench.config import settings
from workbench.dgfip import connect
from workbench.dgfip.identifiers import list_identifiers
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.issuing import Issuer
from workbench.identity.middleware import Application, IdentityMiddleware
from workbench.identity.tokens import TokenVerifier
from workbench.registry import Registry
from workbench.reports.api_catalogue import (
    IDENTIFIER_TYPES,
    Catalogue,
    department_rows,
    identifier_type_rows,
    institution_rows,
    number_of,
    shown_text,
)
from workbench.reports.api_desk import Desk
from workbench.reports.api_requests import (
    aggregate_wanted,
    balance_wanted,
    body_object,
    checked_text,
    report_wanted,
)
from workbench.reports.api_schemas import ANSWERS, BODIES, ERROR
from workbench.reports.jobs_spec import stored_base
from workbench.reports.jobs_tables import JobState
from workbench.store import Store
from workbench.trames import export_archive, export_model_with_formules, modele_path

__all__ = ["create_app"]

LARGEST = 1024 * 1024
"""Bytes of a body: tens of thousands of identifiers."""

_LOG = logging.getLogger(__name__)

_SENTENCES = {404: "Il n'y a rien à cette adresse.", 405: "Cette adresse ne se demande pas ainsi."}

_BEARER = HTTPBearer(auto_error=False)
"""What the OpenAPI document says of tokens; `IdentityMiddleware` is what reads them."""

_PUBLIC = {("POST", "/users/authenticate/"), ("GET", "/openapi.json")}

_OF_THE_SERVICE = (
    *("adresse_", "base_", "classeur_", "dossier_", "modele_"),
    *("moteur_", "registre_", "serveur_", "trame_"),
)
"""Errors that are not the client's, and whose sentences name places of the server."""

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def create_app(
    registry: Registry,
    verifier: TokenVerifier,
    issuer: Issuer | None = None,
    *,
    base: str | Path | None = None,
    trames: Path | None = None,
    folder: Path | None = None,
    store: Store | None = None,
) -> ASGIApp:
    """Return the ASGI application of the reports.

    Parameters
    ----------
    registry
        Opened with `workbench.reports.jobs_tables.ROOM` and `workbench.reports.api_numbers.ROOM`.
    verifier
        What turns bearer tokens into actors.
    issuer
        Who issues a token for an e-mail and a password; None where people log in elsewhere: they bring their token.
    base, trames, folder
        The accounting base, the folder of the trames, and where the files go; those of the settings by default.
    store
        Where reports are published; the registry's by default.
    """
    service = FastAPI(
        title="workbench reports",
        version="1",
        description="Reports, balances and aggregates of the accounts of public bodies.",
        # The pages of documentation would load scripts from another host.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": ERROR, "5XX": ERROR},
    )
    service.exception_handler(WorkbenchError)(_workbench_error)
    service.exception_handler(HTTPException)(_http_error)
    service.exception_handler(RequestValidationError)(_validation_error)
    service.exception_handler(Exception)(_defect)
    place = (folder or settings().reports).absolute() / "api"
    desk = Desk(registry, Catalogue(registry, trames), issuer, verifier, stored_base(base), place, store)
    service.state.desk = desk
    _choices(service, desk)
    _requests(service, desk)
    return _Door(service, verifier)


class _Door:
    """Lets through who has a right token, and who comes for one; ends paths with a slash."""

    def __init__(self, service: FastAPI, verifier: TokenVerifier) -> None:
        self.service = service
        self.checked = IdentityMiddleware(cast("Application", service), verifier)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if not path.endswith(("/", ".json")):
                scope = {**scope, "path": path + "/", "raw_path": scope.get("raw_path", b"") + b"/"}
            local = scope["path"].removeprefix(scope.get("root_path", ""))
            if (scope["method"], local) in _PUBLIC:
                await self.service({**scope, "actor": None}, receive, send)
                return
        await self.checked(scope, receive, send)


async def _body(request: Request) -> dict[str, Any]:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise WorkbenchError("demande_trop_longue", taille=LARGEST // 1024**2)
    return body_object(content, request.headers.get("content-type", ""))


def _actor(request: Request, _: Annotated[Any, Depends(_BEARER)]) -> Actor:
    actor: Actor | None = request.scope.get("actor")
    if actor is None:
        raise WorkbenchError("jeton_absent")
    request.app.state.desk.check(actor)
    return actor


Author = Annotated[Actor, Depends(_actor)]
Body = Annotated[dict[str, Any], Depends(_body)]
Limit = Annotated[int | None, Query(ge=1, le=100_000)]
Offset = Annotated[int, Query(ge=0, le=2**31)]
Sort = Literal["number", "date", "state", "trame", "identifiers", "years"] | None
Route = Callable[[Callable[..., Response]], Callable[..., Response]]


def _route(service: FastAPI, method: str, path: str, summary: str, answer: str, body: str = "") -> Route:
    return service.api_route(
        path,
        methods=[method],
        summary=summary,
        response_class=Response,
        status_code=201 if answer == "asked" else 200,
        responses={201 if answer == "asked" else 200: ANSWERS[answer]},
        openapi_extra={"requestBody": BODIES[body]} if body else None,
    )


def _choices(service: FastAPI, desk: Desk) -> None:
    """Add the routes of what one logs in with and chooses from."""
    known = [Depends(_actor)]

    def get(path: str, summary: str, answer: str) -> Route:
        return service.api_route(
            path,
            methods=["GET"],
            summary=summary,
            response_class=Response,
            responses={200: ANSWERS[answer]},
            dependencies=known,
        )

    def one_and_all(path: str, what: str, names: tuple[str, str], rows: Callable[[], list[dict[str, Any]]]) -> None:
        @get(f"/{path}/", f"List every {what}", names[0])
        def every(limit: Limit = None, offset: Offset = 0) -> Response:
            return _page(rows(), limit, offset)

        @get(f"/{path}/{{number}}/", f"Read one {what}", names[1])
        def single(number: str) -> Response:
            return _json(_one(rows(), number, what))

    @_route(service, "POST", "/users/authenticate/", "Log in", "token", "login")
    def log_in(request: Request, body: Body) -> Response:
        username, password = (checked_text(body.get(name), name) for name in ("username", "password"))
        return _json({"token": desk.log_in(username, password, request.client.host if request.client else "")})

    @_route(service, "GET", "/users/authenticate/", "Say who asks", "person")
    def whoami(author: Author) -> Response:
        badges = sorted(author.badges)
        return _json({"name": author.name, "email": author.email, "isAdmin": "manager" in badges, "badges": badges})

    one_and_all("departments", "département", ("departments", "departments"), department_rows)
    one_and_all("institutions", "type d'établissement", ("institutions", "institutions"), institution_rows)
    one_and_all("identifier_types", "type d'identifiant", ("kinds", "kinds"), identifier_type_rows)
    one_and_all("nomenclatures", "nomenclature", ("nomenclatures", "nomenclature"), desk.catalogue.nomenclature_rows)
    one_and_all("frames", "trame", ("frames", "frame"), desk.catalogue.frame_rows)

    @get("/identifiers/", "List the identifiers of collectivités", "identifiers")
    def identifiers(
        author: Author,
        kind: Annotated[str, Query(alias="type")] = "",
        department: str = "",
        institutions: str = "",
        limit: Limit = None,
        offset: Offset = 0,
    ) -> Response:
        if kind not in IDENTIFIER_TYPES:
            raise WorkbenchError("api_champ", champ="type", attendu="SIRET, SIREN ou FINESS")
        types = [code for code in institutions.split(",") if code.strip()]
        with connect(desk.base or settings().base) as base:
            table = list_identifiers(
                base,
                cast("Any", kind),
                departements=department or None,
                types=types or None,
                among=desk.visible(author, base).sirets,
            )
        return _page(table.rename_columns(["ident", "ctype", "lbudg", "cbudg"]).to_pylist(), limit, offset)

    @get("/indicators/", "List the indicateurs of a trame, or of all", "indicators")
    def indicateurs(frame: str | None = None, limit: Limit = None, offset: Offset = 0) -> Response:
        return _page(desk.catalogue.indicateur_rows(frame), limit, offset)

    @get("/indicators/parameters/", "List the formules", "parameters")
    def formules(limit: Limit = None, offset: Offset = 0) -> Response:
        found = [part for row in desk.catalogue.indicateur_rows() for part in row["parameters"]]
        return _page(found, limit, offset)

    @get("/indicators/parameters/{number}/", "Read a formule", "parameter")
    def formule(number: str) -> Response:
        found = [part for row in desk.catalogue.indicateur_rows() for part in row["parameters"]]
        return _json(_one(found, number, "formule"))

    @get("/indicators/parameters/{number}/tree/", "Draw the tree of a formule", "drawing")
    def tree(number: str) -> Response:
        found, place = desk.catalogue.formule(number)
        drawn = found.formules[place].tree_svg()
        return Response(drawn.encode(), headers=_HEADERS, media_type="image/svg+xml")

    @get("/indicators/{number}/", "Read an indicateur", "indicator")
    def indicateur(number: str) -> Response:
        return _json(_one(desk.catalogue.indicateur_rows(), number, "indicateur"))

    @get("/downloadframe/{number}/", "Download a trame and its model", "archive")
    def archive(number: str) -> Response:
        kept = desk.catalogue.trame(number)
        with TemporaryDirectory() as name:
            path = export_archive(kept.trame, modele_path(kept.trame, kept.path), Path(name) / "export.zip")
            return _attachment(path.read_bytes(), "export.zip", "application/zip")

    @get("/downloadframelight/{number}/", "Download the model of a trame with its formules", "workbook")
    def light(number: str) -> Response:
        kept = desk.catalogue.trame(number)
        model = modele_path(kept.trame, kept.path)
        if model is None:
            raise WorkbenchError("api_objet_absent", objet="modèle de la trame", identifiant=kept.trame.code)
        with TemporaryDirectory() as name:
            path = export_model_with_formules(kept.trame, model, Path(name) / "modele.xlsx")
            return _attachment(path.read_bytes(), f"{kept.trame.code}_modele_et_formules.xlsx", _WORKBOOK)

    @service.post(
        "/equation/parse/",
        summary="Check a formule",
        response_class=Response,
        responses={200: ANSWERS["checked"]},
        openapi_extra={"requestBody": BODIES["formule"]},
        dependencies=known,
    )
    def check(body: Body) -> Response:
        said = desk.checked(body.get("original_equation"))
        wrong = [each["message"] for each in said if each["severity"] == "error"]
        if wrong:
            return _error(400, "\n".join(wrong), "formule_incorrecte", diagnostics=said)
        return _json({"diagnostics": said})


def _requests(service: FastAPI, desk: Desk) -> None:
    """Add the routes of the requests and of their files."""

    @_route(service, "POST", "/reports/", "Ask for a report on identifiers taken together", "asked", "report")
    def report(author: Author, body: Body) -> Response:
        return _json({"report_id": desk.keep(author, report_wanted(body, desk.catalogue, desk.base))}, 201)

    @_route(service, "POST", "/reports/balances/", "Ask for the balance of identifiers", "asked", "balance")
    def balance(author: Author, body: Body) -> Response:
        return _json({"report_id": desk.keep(author, balance_wanted(body, desk.base))}, 201)

    @_route(service, "POST", "/reports/aggregates/", "Ask for a report by criteria", "asked", "aggregate")
    def aggregate(author: Author, body: Body) -> Response:
        return _json({"report_id": desk.keep(author, aggregate_wanted(body, desk.catalogue, desk.base))}, 201)

    @_route(service, "GET", "/reports/", "List your requests, the last ones first", "reports")
    def reports(
        author: Author, limit: Limit = None, offset: Offset = 0, sort: Sort = None, descending: bool = True
    ) -> Response:
        rows, total = desk.requests(author, limit, offset, sort, descending)
        return _json(rows, headers={"x-total-count": str(total)})

    @_route(service, "GET", "/reports/{number}/", "Follow a request of yours", "report")
    def one_report(number: str, author: Author) -> Response:
        return _json(desk.shown([desk.job(author, number)])[0])

    @_route(service, "GET", "/reports/{number}/download/", "Download the workbook of a request of yours", "workbook")
    def download(number: str, author: Author) -> Response:
        job = desk.job(author, number)
        name = job.files.get("excel")
        if job.state is not JobState.DONE or name is None:
            cause = f" : {job.cause}" if job.cause else "."
            raise WorkbenchError("api_rapport_sans_fichier", etat=job.state.libelle, cause=cause)
        path = job.folder / name
        if path.parent != job.folder or path.is_symlink() or not path.is_file():
            raise WorkbenchError("api_fichier_perdu")
        return FileResponse(path, headers=_HEADERS, media_type=_WORKBOOK, filename=name)

    @_route(service, "POST", "/reports/{number}/cancel/", "Cancel a request of yours that has not ended", "report")
    def cancel(number: str, author: Author) -> Response:
        return _json(desk.shown([desk.cancel(author, number)])[0])

    @_route(
        service, "POST", "/reports/{number}/publication/", "Publish a report of yours", "publication", "publication"
    )
    def publish(number: str, author: Author, body: Body) -> Response:
        return _json(desk.publish(author, number, body.get("badges"), body.get("release")))


_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "content-security-policy": "sandbox"}


def _attachment(content: bytes, name: str, kind: str) -> Response:
    return Response(
        content, headers=_HEADERS | {"content-disposition": f'attachment; filename="{name}"'}, media_type=kind
    )


def _one(rows: list[dict[str, Any]], given: str, what: str) -> dict[str, Any]:
    number = number_of(given)
    found = next((row for row in rows if row["id"] == number), None)
    if found is None:
        raise WorkbenchError("api_objet_absent", objet=what, identifiant=shown_text(given))
    return found


def _page(rows: list[dict[str, Any]], limit: int | None, offset: int) -> Response:
    end = None if limit is None else offset + limit
    return _json(rows[offset:end], headers={"x-total-count": str(len(rows))})


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff"} | dict(headers or {})
    return Response(text.encode(errors="replace"), status, kept, media_type="application/json")


def _error(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    return _json({"detail": detail, "status_code": status, "code": code, **more}, status, headers)


async def _workbench_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkbenchError)  # noqa: S101 - narrows the type
    if error.code.startswith(_OF_THE_SERVICE):
        identifier = uuid4().hex[:8]
        _LOG.error("%s %s: %s", identifier, error.code, error.message, exc_info=error)
        error = WorkbenchError("api_indisponible", identifiant=identifier)
    # What a body names and is not there makes the body wrong; the old application had one status for wrong bodies.
    wrong = error.status == 422 or (request.method == "POST" and error.status == 404)
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else None
    more = {"hint": error.hint} if error.hint else {}
    return _error(400 if wrong else error.status, error.message, error.code, headers, **more)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type
    detail = _SENTENCES.get(error.status_code, "La demande est refusée.")
    return _error(error.status_code, detail, "demande_refusee", error.headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type
    place = ".".join(str(part) for part in error.errors()[0]["loc"][1:])
    refusal = WorkbenchError("api_champ", champ=place, attendu="une autre valeur")
    return _error(refusal.status, refusal.message, refusal.code)


async def _defect(_: Request, error: Exception) -> Response:
    identifier = uuid4().hex[:8]
    _LOG.error("%s", identifier, exc_info=error)
    return _error(500, f"Une erreur inattendue est survenue (identifiant {identifier}).", "erreur_inattendue")

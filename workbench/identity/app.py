"""The embedded issuer over HTTP: an ASGI application.

Errors for clients have one shape, ``{"detail", "status_code"}``, to which the endpoints of OAuth add the ``error`` and
``error_description`` that RFC 6749 prescribes. Errors for people are pages in French.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from workbench.errors import WorkbenchError
from workbench.identity.authorization import (
    AuthorizationRequest,
    OAuthError,
    answer_address,
    read_request,
)
from workbench.identity.issuing import LOGIN, Issuer, Login
from workbench.identity.pages import render_page
from workbench.identity.tokens import TokenRules, TokenVerifier

__all__ = ["create_app"]

LARGEST_FORM = 16 * 1024
LOGIN_COOKIE = "workbench_emetteur"
FORM_COOKIE = "workbench_formulaire"


def create_app(issuer: Issuer) -> Starlette:
    """Return the application of an issuer.

    Parameters
    ----------
    issuer
        Its routes are under the path of its address; a proxy in front strips it.
    """
    return _Application(issuer).build()


class _Application:
    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        parts = urlsplit(issuer.url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.cookies: dict[str, Any] = {
            "path": parts.path or "/",
            "secure": parts.scheme == "https",
            "httponly": True,
        }
        rules = TokenRules(issuer.url, issuer.audience)
        self.verifier = TokenVerifier(rules, _OwnKeys(issuer), issuer.clock)  # type: ignore[arg-type]

    def build(self) -> Starlette:
        routes = [
            Route("/.well-known/openid-configuration", self.document),
            Route("/jwks", self.jwks),
            Route("/authorize", self.authorize, methods=["GET", "POST"]),
            Route("/token", self.token, methods=["POST"]),
            Route("/revoke", self.revoke, methods=["POST"]),
            Route("/userinfo", self.userinfo, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["GET", "POST"]),
        ]
        handlers: dict[Any, Any] = {
            HTTPException: _http_error,
            WorkbenchError: _workbench_error,
            OAuthError: _oauth_error,
            Exception: _defect,
        }
        return Starlette(routes=routes, exception_handlers=handlers)

    # --- documents

    async def document(self, _: Request) -> Response:
        return JSONResponse(self.issuer.document(), headers={"Cache-Control": "max-age=300"})

    async def jwks(self, _: Request) -> Response:
        keys = await asyncio.to_thread(self.issuer.keys.jwks)
        return JSONResponse(keys, headers={"Cache-Control": "max-age=60"})

    # --- people

    async def authorize(self, request: Request) -> Response:
        try:
            asked = read_request(parse_qsl(request.url.query, keep_blank_values=True), self.issuer.clients)
        except OAuthError as error:
            if error.redirect:
                return self._refuse(error.redirect, error.state, error.code, error.description)
            return self._page(
                "Connexion impossible", 400, message="L'adresse qui vous a conduit ici n'est pas la bonne."
            )
        login = await asyncio.to_thread(self.issuer.find_login, request.cookies.get(LOGIN_COOKIE, ""))
        if request.method == "POST":
            return await self._log_in(request, asked)
        if login is not None and _is_fresh(login, asked, self.issuer):
            return await self._grant(asked, login)
        if asked.prompt == "none":
            return self._refuse(asked.redirect, asked.state, "login_required", "nobody is logged in")
        return self._form(request, "login", email=asked.login_hint)

    async def _log_in(self, request: Request, asked: AuthorizationRequest) -> Response:
        form = await _form_of(request)
        email, password = form.get("email", ""), form.get("password", "")
        if not self._is_ours(request, form):
            return self._form(request, "login", 403, email=email, problem="Le formulaire avait expiré. Recommencez.")
        address = request.client.host if request.client else ""
        try:
            person = await asyncio.to_thread(self.issuer.people.authenticate, email, password, address)
        except WorkbenchError as error:
            problem = f"{error.message} {error.hint}".strip()
            return self._form(request, "login", error.status, email=email, problem=problem)
        # A new secret at each login: one that was put into the browser before is worth nothing.
        secret = await asyncio.to_thread(self.issuer.open_login, person)
        login = await asyncio.to_thread(self.issuer.find_login, secret)
        assert login is not None  # noqa: S101 - opened the line before
        answer = await self._grant(asked, login)
        seconds = int(LOGIN.total_seconds())
        answer.set_cookie(LOGIN_COOKIE, secret, max_age=seconds, samesite="lax", **self.cookies)
        answer.delete_cookie(FORM_COOKIE, samesite="strict", **self.cookies)
        return answer

    async def _grant(self, asked: AuthorizationRequest, login: Login) -> Response:
        code = await asyncio.to_thread(self.issuer.grant_code, asked, login)
        address = answer_address(asked.redirect, code=code, state=asked.state, iss=self.issuer.url)
        return RedirectResponse(address, 303, headers=_PRIVATE)

    def _refuse(self, redirect: str, state: str, code: str, description: str) -> Response:
        address = answer_address(redirect, error=code, error_description=description, state=state, iss=self.issuer.url)
        return RedirectResponse(address, 303, headers=_PRIVATE)

    async def logout(self, request: Request) -> Response:
        query = dict(parse_qsl(request.url.query))
        form = await _form_of(request) if request.method == "POST" else {}
        asked = {**query, **form}
        login = await asyncio.to_thread(self.issuer.find_login, request.cookies.get(LOGIN_COOKIE, ""))
        hint = asked.get("id_token_hint", "")
        subject = await asyncio.to_thread(self.issuer.subject_of_hint, hint) if hint else ""
        if login is not None:
            # Another site may send a browser here: without a token of this very person, she confirms.
            if login.person.subject != subject and not (request.method == "POST" and self._is_ours(request, form)):
                return self._form(request, "logout")
            await asyncio.to_thread(self.issuer.close_login, login)
        target = asked.get("post_logout_redirect_uri", "")
        answer: Response
        if target and any(client.allows_after_logout(target) for client in self.issuer.clients.values()):
            answer = RedirectResponse(
                answer_address(target, state=asked.get("state", "")) if "state" in asked else target, 303
            )
        else:
            answer = self._page("Vous êtes déconnecté", message="Vous pouvez fermer cette page.")
        answer.delete_cookie(LOGIN_COOKIE, samesite="lax", **self.cookies)
        return answer

    def _is_ours(self, request: Request, form: dict[str, str]) -> bool:
        """Say whether a form was made for this browser, and sent from here."""
        origin = request.headers.get("origin", self.origin)
        kept = request.cookies.get(FORM_COOKIE, "")
        same = hmac.compare_digest(kept.encode(), form.get("form_token", "").encode())
        return bool(kept) and same and origin == self.origin

    def _form(self, request: Request, kind: str, status: int = 200, email: str = "", problem: str = "") -> Response:
        token = request.cookies.get(FORM_COOKIE, "") or secrets.token_urlsafe(32)
        title = "Se connecter" if kind == "login" else "Se déconnecter ?"
        answer = self._page(title, status, kind=kind, form_token=token, email=email[:254], problem=problem)
        answer.set_cookie(FORM_COOKIE, token, max_age=3600, samesite="strict", **self.cookies)
        return answer

    def _page(self, title: str, status: int = 200, **values: str) -> Response:
        content, headers = render_page(title, **values)
        return HTMLResponse(content, status, headers={**_PRIVATE, **headers})

    # --- clients

    async def token(self, request: Request) -> Response:
        form = await _form_of(request)
        client = self._client(request, form)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            values = (form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", ""))
            tokens = await asyncio.to_thread(self.issuer.redeem_code, client, *values)
        elif kind == "refresh_token":
            tokens = await asyncio.to_thread(self.issuer.refresh, client, form.get("refresh_token", ""))
        else:
            raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
        return JSONResponse(tokens, headers=_PRIVATE)

    async def revoke(self, request: Request) -> Response:
        form = await _form_of(request)
        await asyncio.to_thread(self.issuer.revoke, self._client(request, form), form.get("token", ""))
        return Response(headers=_PRIVATE)

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise WorkbenchError("jeton_absent")
        actor = await self.verifier.verify_async(token.strip())
        person = await asyncio.to_thread(self.issuer.people.get, actor.email)
        if person.subject != actor.subject:
            raise WorkbenchError("jeton_refuse", raison="la personne n'est plus la même")
        return JSONResponse(self.issuer.userinfo(person), headers=_PRIVATE)

    def _client(self, request: Request, form: dict[str, str]) -> str:
        client = form.get("client_id", "")
        header = request.headers.get("authorization", "")
        if header.lower().startswith("basic "):
            try:
                named, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
            except ValueError as error:
                raise OAuthError("invalid_client", "the Authorization header cannot be read") from error
            if secret or (client and named != client):
                raise OAuthError("invalid_client", "clients have no secret here")
            client = named
        if client not in self.issuer.clients:
            raise OAuthError("invalid_client", "unknown client_id")
        return client


class _OwnKeys:
    """The issuer's own keys, without going through the network to itself."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def cached(self, identifier: str) -> Any:
        """Return a public key."""
        return self._issuer.keys.key(identifier)

    def get(self, _: str) -> Any:
        """Refuse an unknown key."""
        raise WorkbenchError("jeton_refuse", raison="sa clé n'est pas de celles de l'émetteur")


_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache", "Referrer-Policy": "same-origin"}


def _is_fresh(login: Login, asked: AuthorizationRequest, issuer: Issuer) -> bool:
    age = issuer.now().timestamp() - login.since.timestamp()
    return asked.prompt not in ("login", "select_account") and (asked.max_age is None or age <= asked.max_age)


async def _form_of(request: Request) -> dict[str, str]:
    """Read a form of short fields, each given once."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_FORM:
            raise HTTPException(413)
    try:
        pairs = parse_qsl(content.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body cannot be read") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given twice")
    return dict(pairs)


def _json(status: int, detail: str, headers: dict[str, str] | None = None, **more: str) -> Response:
    return JSONResponse({**more, "detail": detail, "status_code": status}, status, {**_PRIVATE, **(headers or {})})


_Handler = Callable[[Request, Exception], Awaitable[Response]]

_SENTENCES = {
    404: "Il n'y a rien à cette adresse.",
    405: "Cette adresse ne se demande pas ainsi.",
    413: "La demande est trop longue.",
}


async def _http_error(_: Request, error: HTTPException) -> Response:
    return _json(
        error.status_code, _SENTENCES.get(error.status_code, "La demande est refusée."), dict(error.headers or {})
    )


async def _workbench_error(_: Request, error: WorkbenchError) -> Response:
    headers = {"WWW-Authenticate": "Bearer" if error.code == "jeton_absent" else 'Bearer error="invalid_token"'}
    return _json(error.status, error.message, headers if error.status == 401 else None)


async def _oauth_error(_: Request, error: OAuthError) -> Response:
    status = 401 if error.code == "invalid_client" else 400
    return _json(status, error.description, error=error.code, error_description=error.description)


async def _defect(_: Request, __: Exception) -> Response:
    return _json(500, "Une erreur inattendue est survenue.")

"""Login and logout in Jupyter Server and Voila."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler

from workbench.errors import WorkbenchError
from workbench.identity.pages import render_page
from workbench.identity.relying import Pending

__all__ = ["LoginHandler", "LogoutHandler", "ReturnHandler", "local_path"]


def local_path(text: str, base: str = "/") -> str:
    """Return the page to go to after a login: one of this server, whatever was asked.

    Examples
    --------
    >>> local_path("/voila/render/x.ipynb?a=1"), local_path("//evil.example"), local_path("https://evil.example")
    ('/voila/render/x.ipynb?a=1', '/', '/')
    """
    safe = text.startswith(base) and text.isprintable() and "\\" not in text and text.isascii()
    return text if safe and not text.startswith("//") and not urlsplit(text).netloc else base


class IdentityHandler(JupyterHandler):
    """What the pages of identity share."""

    of_identity = True
    """Reached by those who are not let in too: they may leave."""

    def show(self, title: str, status: int = 200, **values: str) -> None:
        """Write a page."""
        content, headers = render_page(title, **values)
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(content)

    def fail(self, error: WorkbenchError) -> None:
        """Tell what went wrong, and how to begin again."""
        self.log.warning("Login failed: %s", error.code)
        problem = f"{error.message} {error.hint}".strip()
        link = f"{self.base_url}login"
        self.show("Connexion impossible", error.status, problem=problem, link=link, link_text="Recommencer")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Write the page of any other error: no detail."""
        self.show("Cette page n'a pas pu être servie", status_code, message=f"Le serveur a répondu {status_code}.")

    @property
    def provider(self) -> Any:
        """The identity provider."""
        return self.identity_provider

    def return_address(self) -> str:
        """Where the issuer sends browsers back to."""
        return f"{self.provider.public_url}{self.base_url}oidc/retour"

    @property
    def cookie(self) -> dict[str, Any]:
        """How the cookie of a login that began is kept."""
        secure = self.provider.public_url.startswith("https://")
        return {"path": f"{self.base_url}oidc/", "httponly": True, "samesite": "Lax", "secure": secure}


class LoginHandler(IdentityHandler):
    """Sends a browser to the issuer."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Begin a login, under the name that people know the server by."""
        then = local_path(self.get_argument("next", self.base_url), self.base_url)
        if self.current_user:
            self.redirect(then)
            return
        if self.request.host != urlsplit(self.provider.public_url).netloc:
            self.redirect(f"{self.provider.public_url}{self.base_url}login?{urlencode({'next': then})}")
            return
        pending = Pending.begin(self.return_address())
        try:
            address = await asyncio.to_thread(self.provider.party.login_address, pending)
        except WorkbenchError as error:
            self.fail(error)
            return
        self.provider.sessions.begin(pending, then)
        # One cookie a login: two pages may ask at once.
        self.set_cookie(f"workbench_{pending.state[:12]}", pending.state, max_age=600, **self.cookie)
        self.redirect(address)


class ReturnHandler(IdentityHandler):
    """Where the issuer sends a browser back."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Finish a login that this very browser began."""
        state = self.get_argument("state", "")
        name = f"workbench_{state[:12]}"
        kept = self.get_cookie(name) if state.isascii() and state.replace("-", "").replace("_", "").isalnum() else None
        if not kept or not hmac.compare_digest(kept.encode(), state.encode()):
            self.fail(WorkbenchError("connexion_echouee", cause="elle n'a pas commencé dans ce navigateur"))
            return
        self.clear_cookie(name, **{key: value for key, value in self.cookie.items() if key == "path"})
        found = self.provider.sessions.take(state)
        if found is None:
            self.fail(WorkbenchError("connexion_echouee", cause="elle a commencé il y a trop longtemps"))
            return
        pending, then = found
        try:
            self._check_answer()
            tokens = await asyncio.to_thread(self.provider.party.redeem, pending, self.get_argument("code", ""))
        except WorkbenchError as error:
            self.fail(error)
            return
        await self.provider.open_session(self, tokens)
        self.redirect(then)

    def _check_answer(self) -> None:
        issuer = self.provider.party.settings.issuer
        if self.get_argument("error", ""):
            raise WorkbenchError("connexion_echouee", cause="l'émetteur l'a refusée")
        if self.get_argument("iss", issuer) != issuer:
            # The answer of another issuer that the browser was led to (RFC 9207).
            raise WorkbenchError("jeton_etranger")


class LogoutHandler(IdentityHandler):
    """Ends a session here, then at the issuer."""

    @allow_unauthenticated
    def get(self) -> None:
        """Ask: another site may lead a browser here."""
        if not self.current_user:
            self.redirect(self.base_url)
            return
        token = self.xsrf_token.decode()
        self.show("Se déconnecter ?", kind="logout", field="_xsrf", form_token=token)

    @allow_unauthenticated
    async def post(self) -> None:
        """End the session, its kernels and its tokens."""
        agent = self.current_user
        address = ""
        if agent:
            tokens = agent.session.tokens
            await self.provider.end_session(agent.session)
            await asyncio.to_thread(self.provider.party.revoke, tokens)
            back = f"{self.provider.public_url}{self.base_url}"
            address = await asyncio.to_thread(self.provider.party.logout_address, tokens, back)
        self.clear_cookie(self.provider.get_cookie_name(self), path="/")
        # Not a redirection: the policy of the page that holds the form would forbid it.
        link = address or self.base_url
        self.show("Déconnexion", message="Votre session est terminée.", link=link, link_text="Continuer", refresh=link)

"""Identity for Jupyter Server and Voila: who logged in, what she may reach, and whose each kernel is.

Configure three classes: `OidcIdentityProvider` as ``identity_provider_class``, `AgentAuthorizer` as
``authorizer_class``, and a kernel manager with `OwnedKernels`. A browser holds a random cookie and nothing else; tokens
stay in the server. A kernel is given no token of the service's: it finds its agent's access token, which lasts
minutes, in a file that is kept fresh as long as her session lives (`kernel_token`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.utils import ensure_async
from jupyter_server._tz import utcnow
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.call_context import CallContext
from tornado import web
from tornado.ioloop import PeriodicCallback
from traitlets import Any as AnyTrait
from traitlets import Bool, List, Unicode

from workbench.errors import WorkbenchError
from workbench.identity.configuration import IdentitySettings, identity_settings
from workbench.identity.kernel_token import TOKEN_FILE, write_token
from workbench.identity.middleware import IDENTITY_PREFIX
from workbench.identity.relying import RelyingParty, Tokens
from workbench.identity.sessions import KernelOwners, Session, Sessions

__all__ = ["Agent", "AgentAuthorizer", "OidcIdentityProvider", "OwnedKernels"]

EMAIL_HEADER = "X-Workbench-Email"
RENEW_BEFORE = timedelta(seconds=60)
SWEEP_SECONDS = 20


@dataclass
class Agent(User):
    """A person who logged in, for Jupyter."""

    session: Session | None = None


class OidcIdentityProvider(IdentityProvider):
    """Logs people in at an OpenID Connect issuer: authorization code with PKCE.

    A token in the address or in a header opens nothing here: only a session does.
    """

    settings = AnyTrait(help="Settings of identity; by default those of the environment.").tag(config=True)
    public_url = Unicode(help="Address that people know this server by; it is where they come back to.").tag(
        config=True
    )
    badges = List(Unicode(), help="Badges, all of them, that let a person in.").tag(config=True)
    emails = List(Unicode(), help="E-mails of the people who are let in whatever their badges.").tag(config=True)
    anyone = Bool(False, help="Let in everyone whom the issuer knows.").tag(config=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Jupyter's own token would open everything to who holds it.
        self.token = ""
        found: IdentitySettings = self.settings or identity_settings()
        self.party = RelyingParty(found)
        self.sessions = Sessions()
        self.owners = KernelOwners()
        self.public_url = (found.public_url or self.public_url).rstrip("/")
        self._folder: Path | None = None
        self._token_files: dict[str, Path] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._sweeping: PeriodicCallback | None = None

    # --- who asks

    async def get_user(self, handler: web.RequestHandler) -> Agent | None:
        """Return who asks, by her session alone; what a client says of itself is dropped."""
        known = getattr(handler, "_workbench_agent", None)
        if known is not None:
            return known  # type: ignore[no-any-return]
        headers = handler.request.headers
        for name in list(headers):
            if name.lower().replace("_", "-").startswith(IDENTITY_PREFIX):
                del headers[name]
        agent = await self._agent_of(handler)
        if agent is None or agent.session is None:
            return None
        if not self.admits(agent) and not getattr(handler, "of_identity", False):
            # Here rather than in the authorizer alone: many routes of Jupyter ask for a login and nothing else.
            handler.current_user = handler._jupyter_current_user = None  # type: ignore[attr-defined]
            raise web.HTTPError(403)
        headers[EMAIL_HEADER] = agent.session.email
        handler._workbench_agent = agent  # type: ignore[attr-defined]
        return agent

    async def _agent_of(self, handler: web.RequestHandler) -> Agent | None:
        """Return whose session the cookie of a request is."""
        session = self.sessions.find(handler.get_cookie(self.get_cookie_name(handler)) or "")
        if session is None or not await self._is_fresh(session):
            return None
        actor = session.tokens.actor
        return Agent(username=actor.email, name=actor.name, display_name=actor.name, session=session)

    async def lend_token(self, handler: web.RequestHandler) -> str | None:
        """Return the access token of a session, for a service that one of our own pages asks; None for any other.

        A browser sends its cookie whoever has it ask. So the request must also carry, in the header ``X-XSRFToken``,
        what our pages alone can read, and its browser must not say that it comes from elsewhere: another site cannot
        write that header without a leave that no service gives.
        """
        headers = handler.request.headers
        if not headers.get("X-XSRFToken") or headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return None
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in (
            handler.request.host,
            urlsplit(self.public_url).netloc,
        ):
            return None
        try:
            web.RequestHandler.check_xsrf_cookie(handler)
        except web.HTTPError:
            return None
        agent = await self._agent_of(handler)
        return agent.session.tokens.access if agent and agent.session and self.admits(agent) else None

    def is_token_authenticated(self, handler: web.RequestHandler) -> bool:  # noqa: ARG002
        """Say no: every form carries its own proof."""
        return False

    @property
    def auth_enabled(self) -> bool:
        """Whether people are asked who they are."""
        return True

    def identity_model(self, user: User) -> dict[str, Any]:
        """Return what the page may know of its person: no token."""
        return asdict(User(**{each.name: getattr(user, each.name) for each in fields(User)}))

    def get_cookie_name(self, handler: web.RequestHandler) -> str:  # noqa: ARG002
        """Return the name of the cookie: browsers share cookies between the ports of a host."""
        port = urlsplit(self.public_url).port or 0
        return f"__Host-workbench_{port}" if self._secure else f"workbench_{port}"

    @property
    def _secure(self) -> bool:
        return self.public_url.startswith("https://")

    def admits(self, agent: Agent) -> bool:
        """Say whether a person is let in at all; nobody is unless the configuration says who."""
        if agent.session is None or not self.sessions.lives(agent.session):
            return False
        actor = agent.session.tokens.actor
        return self.anyone or actor.email in self.emails or (bool(self.badges) and actor.holds(self.badges))

    async def _is_fresh(self, session: Session) -> bool:
        """Renew the tokens of a session that are about to end; end the session when they cannot be."""
        if session.tokens.actor.expires_at - utcnow() > RENEW_BEFORE:
            return True
        async with self._locks.setdefault(session.identifier, asyncio.Lock()):
            if not self.sessions.lives(session):
                return False
            if session.tokens.actor.expires_at - utcnow() > RENEW_BEFORE:
                return True
            try:
                session.tokens = await asyncio.to_thread(self.party.refresh, session.tokens)
            except WorkbenchError as error:
                if error.code == "emetteur_injoignable":
                    return session.tokens.actor.expires_at > utcnow()
                self.log.warning("Session of %s ended: %s", session.email, error.code)
                await self.end_session(session)
                return False
        for kernel in self.owners.of_session(session.identifier):
            if kernel in self._token_files:
                write_token(self._token_files[kernel], session.tokens.access)
        return True

    # --- sessions

    async def open_session(self, handler: web.RequestHandler, tokens: Tokens) -> None:
        """Open a session for the browser that asks, and set its cookie."""
        previous = self.sessions.find(handler.get_cookie(self.get_cookie_name(handler)) or "")
        if previous is not None:
            await self.end_session(previous)
        secret, _ = self.sessions.open(tokens)
        handler.set_cookie(
            self.get_cookie_name(handler), secret, path="/", httponly=True, samesite="Lax", secure=self._secure
        )
        if self._sweeping is None:
            self._sweeping = PeriodicCallback(self._sweep, SWEEP_SECONDS * 1000)
            self._sweeping.start()

    async def end_session(self, session: Session) -> None:
        """End a session and its kernels, whose open pages would otherwise go on."""
        self.sessions.end(session)
        self._locks.pop(session.identifier, None)
        manager = getattr(self.parent, "kernel_manager", None)
        for kernel in list(self.owners.of_session(session.identifier)):
            if manager is not None and kernel in manager:
                await ensure_async(manager.shutdown_kernel(kernel, now=True))
            self.forget_kernel(kernel)

    async def _sweep(self) -> None:
        """End the sessions whose time is over, and keep the tokens of running kernels fresh."""
        for session in self.sessions.all():
            if not self.sessions.lives(session):
                await self.end_session(session)
            elif self.owners.of_session(session.identifier):
                await self._is_fresh(session)

    # --- kernels

    def token_file(self, session: Session) -> Path:
        """Write the token of a session where one kernel will read it."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="workbench-"))
        path = self._folder / f"{time.monotonic_ns():x}"
        write_token(path, session.tokens.access)
        return path

    def keep_kernel(self, kernel: str, session: Session, path: Path) -> None:
        """Remember whose a kernel is."""
        self.owners.add(kernel, session.email, session.identifier)
        self._token_files[kernel] = path

    def forget_kernel(self, kernel: str) -> None:
        """Forget a kernel that ended."""
        self.owners.remove(kernel)
        path = self._token_files.pop(kernel, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what was written for kernels."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def get_handlers(self) -> list[tuple[str, object]]:
        """Return the routes of login and logout."""
        from workbench.identity.jupyter_handlers import LoginHandler, LogoutHandler, ReturnHandler

        return [("/login", LoginHandler), ("/logout", LogoutHandler), ("/oidc/retour", ReturnHandler)]


class AgentAuthorizer(Authorizer):
    """Lets in whom the configuration admits, each to her own kernels."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:  # noqa: ARG002
        """Say whether a person may do what she asks."""
        provider = self.identity_provider
        if not isinstance(provider, OidcIdentityProvider) or not isinstance(user, Agent) or not provider.admits(user):
            return False
        kernel = handler.path_kwargs.get("kernel_id")
        return kernel is None or provider.owners.owns(user.username, kernel)


class OwnedKernels:
    """For a kernel manager: each kernel is its agent's, and finds her token in a file."""

    async def start_kernel(self, *arguments: Any, env: dict[str, str] | None = None, **options: Any) -> str:
        """Start a kernel for the person whose request is being answered."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        agent = getattr(handler, "current_user", None)
        provider = getattr(handler, "identity_provider", None)
        if not isinstance(provider, OidcIdentityProvider):
            return await super().start_kernel(*arguments, env=env, **options)  # type: ignore[misc,no-any-return]
        if not isinstance(agent, Agent) or agent.session is None or not provider.admits(agent):
            raise web.HTTPError(403)
        path = provider.token_file(agent.session)
        environment = {**(os.environ if env is None else env), TOKEN_FILE: str(path)}
        for name in ("WORKBENCH_CLIENT_SECRET", "WORKBENCH_CLIENT_SECRET_FILE"):
            environment.pop(name, None)
        try:
            kernel: str = await super().start_kernel(*arguments, env=environment, **options)  # type: ignore[misc]
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        provider.keep_kernel(kernel, agent.session, path)
        self._provider = provider
        if not provider.sessions.lives(agent.session):
            # She logged out while it started.
            await provider.end_session(agent.session)
            raise web.HTTPError(403)
        return kernel

    def remove_kernel(self, kernel_id: str, *arguments: Any, **options: Any) -> Any:
        """Forget whose a kernel was."""
        provider = getattr(self, "_provider", None)
        if provider is not None:
            provider.forget_kernel(kernel_id)
        return super().remove_kernel(kernel_id, *arguments, **options)  # type: ignore[misc]

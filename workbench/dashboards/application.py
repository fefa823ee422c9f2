"""Voila, with what it serves reduced to what a dashboard needs.

Voila serves every notebook and many files under its root, runs any kernel installed on the machine and hands
its own environment, secrets included, to each. Here the list is closed instead: the routes of `ROUTES`, the
notebooks of one folder, one kernel specification, the variables of `KERNEL_ENVIRONMENT`. A route that a new
version of Voila adds stays absent until it is written here.

It is one module because that list is one: read whole, it tells all that a visitor may reach, and as whom.
"""

from __future__ import annotations

import asyncio
import importlib.resources
import json
import logging
import os
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_core.paths import jupyter_path
from jupyter_core.utils import ensure_async
from jupyter_events import EventLogger
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.call_context import CallContext
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from tornado import web
from tornado.websocket import WebSocketClosedError
from traitlets import Dict, List, Unicode, default
from traitlets.config import Config
from voila import handler as voila_handler
from voila.app import Voila
from voila.notebook_renderer import NotebookRenderer
from voila.paths import collect_static_paths, collect_template_paths
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from workbench.dashboards.home import Home
from workbench.dashboards.mounting import Lending, Mounted, MountedHandler
from workbench.dashboards.notices import notice_of
from workbench.dashboards.pages import page
from workbench.dashboards.recording import naming, recording
from workbench.dashboards.turns import Turns
from workbench.dashboards.welcome import MONTHS, Duties
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.configuration import IdentitySettings
from workbench.identity.jupyter import Agent, AgentAuthorizer, OidcIdentityProvider, OwnedKernels
from workbench.identity.kernel_token import TOKEN_FILE
from workbench.kernels.client import reserve
from workbench.kernels.limits import HEARING_SECONDS
from workbench.kernels.prompt import PromptClient
from workbench.kernels.provisioner import SPECIFICATION, Provisioned, specification
from workbench.kernels.runtime import address_of, sockets_folder
from workbench.kernels.wire import Reader
from workbench.logs import FORMAT, REQUEST, current_request, formatter, is_json
from workbench.reports.warm import known_trames
from workbench.watching.door import PATHS, Door

__all__ = ["KERNEL_ENVIRONMENT", "ROUTES", "DashboardApplication", "configuration"]

SHARE = Path(__file__).parent / "share"
STATIC = Path(__file__).parent / "static"

PROTOCOL = "v1.kernel.websocket.jupyter.org"

READY = 2
"""Kernels kept ready for the next visitors."""

MESSAGES = frozenset({"comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request"})
"""What a page may send to its kernel: messages of its widgets. No other, whatever Voila lets through."""

TARGETS = frozenset({"jupyter.widget.control"})
"""What a page may open: it asks which widgets there are, and makes none."""

MOST_PARTS = 64
"""Parts of a message; one has a channel, four headers and contents, and its buffers."""

ROUTES = (
    "/api/kernels/",  # a visitor's own kernel, by an identifier that only her page knows
    "/voila/static/",
    "/voila/labextensions/",
    "/voila/api/shutdown/",  # the page ends its kernel when it closes
    "/voila/render/",
)
"""The routes of Voila that stay; ``/voila/files``, the tree and the contents are not among them."""

KERNEL_ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE"),
        *("LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES"),
        *("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SYSTEMROOT", "WINDIR"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
        *("QUERY_STRING", "VOILA_BASE_URL", "VOILA_SERVER_URL", TOKEN_FILE, FORMAT),
    }
)
"""The variables of the server that a kernel receives."""

CONTENT_SECURITY_POLICY = "; ".join(  # noqa: FLY002 - one directive a line
    (
        "default-src 'self'",
        # Widgets are modules that the kernel sends, imported from a blob; Voila's front end compiles schemas.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


class DashboardKernelSpecManager(KernelSpecManager):
    """Knows one kernel: the interpreter of this server."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the only name there is."""
        return {"python3": str(SPECIFICATION)}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the only specification; any other name is unknown, whatever is installed."""
        if kernel_name != "python3":
            raise NoSuchKernel(kernel_name)
        return specification()


class DashboardKernel(Provisioned, ServerKernelManager):
    """The kernel of one visitor: made before she comes, it holds nothing of hers or of anybody until it is hers.

    It answers through its widgets and keeps no history. It is never given to a second visitor.
    """

    options = ("--HistoryManager.enabled=False",)
    provisioner_settings: ClassVar[Mapping[str, Any]] = {
        "options": list(options),
        "ready": READY,
        "filtered": False,  # the closed list is stricter
        "seconds": 120.0,
        "output": 1_000_000,
        "memory_share": 0.5,
    }
    sockets: Path | None = None
    client_factory = PromptClient

    def __init__(self, **options: Any) -> None:
        if os.name != "nt":
            # No port chosen in advance, which another program may take before the kernel starts.
            self.sockets = sockets_folder()
            options.update(transport="ipc", connection_file=str(self.sockets / "k.json"))
            if self.provisioner_settings.get("writable"):
                writable = [*self.provisioner_settings["writable"], str(self.sockets)]
                self.provisioner_settings = {**self.provisioner_settings, "writable": writable}  # type: ignore[misc]
        super().__init__(**options)

    @default("last_activity")
    def _since_it_is_known(self) -> datetime:
        # Jupyter asks it of kernels that are still starting, for which it has no answer of its own.
        return datetime.now(UTC)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if self.sockets is not None and not restart:
            shutil.rmtree(self.sockets, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources  # type: ignore[assignment] # a coroutine there too


class FilteredKernelManager(AsyncMappingKernelManager):
    """Starts kernels with the variables of `KERNEL_ENVIRONMENT` and its own, and no other."""

    variables = Dict(help="What the dashboards read: base, trames.", config=True)

    @default("kernel_manager_class")
    def _kernel_of_a_visitor(self) -> str:
        return f"{__name__}.{DashboardKernel.__name__}"

    async def start_kernel(  # type: ignore[override] # Jupyter's own override is a coroutine too
        self, *args: Any, env: dict[str, str] | None = None, **options: Any
    ) -> str:
        """Start a kernel; ``env`` is what Voila proposes, the whole environment of the server."""
        variables = _kernel_variables(env or {}, {**self.variables, REQUEST: current_request()})
        kernel_id: str = await super().start_kernel(*args, env=variables, **options)
        return kernel_id


class DashboardKernelManager(OwnedKernels, FilteredKernelManager):  # type: ignore[misc] # coroutines both
    """Does so for one person, when people are asked who they are."""


def _kernel_variables(proposed: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in proposed.items() if name in KERNEL_ENVIRONMENT}, **own}


class FrenchErrors:
    """Errors as pages in French that tell nothing of what was asked."""

    settings: dict[str, Any]
    base_url: str

    def write_error(self, status_code: int, **_: Any) -> None:
        """Write the page of an error."""
        name = "404.html" if status_code == 404 else "error.html"
        missing_form = status_code == 403 and self.request.method == "POST"  # type: ignore[attr-defined]
        self.finish(  # type: ignore[attr-defined]
            page(
                name,
                status_code=status_code,
                base_url=self.base_url,
                missing_form=missing_form,
                reference=current_request(),
            )
        )


class MissingHandler(FrenchErrors, JupyterHandler):
    """Everything else: a page in French."""

    def get(self) -> None:
        """Answer 404."""
        raise web.HTTPError(404)

    post = put = delete = patch = options = get

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here, so nothing is to be protected."""


class DashboardHandler(FrenchErrors, TornadoVoilaHandler):
    """Renders a notebook of the folder, and no other file."""

    async def get(self, path: str | None = None) -> None:
        """Answer 404 to any name that is not one of the dashboards, 403 to whoever lacks a badge that it takes."""
        dashboard = self.settings["dashboards"].get(path)
        if dashboard is None:
            raise web.HTTPError(404)
        if isinstance(self.current_user, Agent) and not dashboard.opens_to(_actor(self.current_user).badges):
            raise web.HTTPError(403)
        if isinstance(self.current_user, Agent) and await _duties(self):
            # Her word comes first, whatever address she was given.
            self.redirect(self.base_url)
            return
        self.xsrf_token  # noqa: B018 - sets the cookie that ends the kernel when the page closes
        await super().get(path=path)  # type: ignore[misc]


class HomeHandler(FrenchErrors, JupyterHandler):
    """The first page, and the comments that are written there."""

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        await self._show()

    @allow_unauthenticated
    async def post(self) -> None:
        """Write a comment, or remove one; what was typed is never lost."""
        text, removed = self.get_body_argument("text", ""), self.get_body_argument("remove", "")
        provider = self.identity_provider
        if isinstance(provider, OidcIdentityProvider) and not isinstance(self.current_user, Agent):
            self.set_status(401)
            self.finish(page("session.html", base_url=self.base_url, text=text))
            return
        home: Home = self.settings["home"]
        actor = self._actor
        given, read = self.get_body_argument("engagement", ""), self.get_body_argument("nouveautes", "")
        try:
            if actor is not None and "promesse" in self.request.body_arguments:
                # Without the tick the words are shown again.
                if given == "oui":
                    await asyncio.to_thread(home.promise, actor)
                self.redirect(self.base_url, status=303)
                return
            if actor is not None and await _duties(self):
                self.redirect(self.base_url, status=303)
                return
            if actor is not None and read:
                await asyncio.to_thread(home.read_news, actor, read)
                self.redirect(f"{self.base_url}#nouveautes", status=303)
                return
            if removed:
                await asyncio.to_thread(home.remove, self._actor, removed)
            else:
                await asyncio.to_thread(home.comment, self._actor, text)
        except WorkbenchError as error:
            self.set_status(error.status)
            await self._show(notice_of(error), text)
            return
        # Not sent again when the page is reloaded.
        self.redirect(f"{self.base_url}#commentaires", status=303)

    @property
    def _actor(self) -> Actor | None:
        return _actor(self.current_user) if isinstance(self.current_user, Agent) else None

    async def _show(self, problem: Mapping[str, str] | None = None, text: str = "") -> None:
        self.set_header("Cache-Control", "no-store")
        duties = await _duties(self)
        if duties is not None:
            named = {"base_url": self.base_url, "xsrf_token": self.xsrf_token.decode(), "duties": duties}
            self.finish(page("engagement.html", **named, person=self._actor, months=MONTHS))
            return
        shown = await asyncio.to_thread(self.settings["home"].page, self._actor)
        own = {"base_url": self.base_url, "xsrf_token": self.xsrf_token.decode(), "problem": problem, "text": text}
        self.finish(page("accueil.html", **shown, **own))


class HelpHandler(FrenchErrors, JupyterHandler):
    """How to use the dashboards."""

    @web.authenticated
    def get(self) -> None:
        """Show the page."""
        actor = _actor(self.current_user) if isinstance(self.current_user, Agent) else None
        self.finish(page("aide.html", base_url=self.base_url, dashboards=self.settings["home"].open_to(actor)))


async def _duties(handler: JupyterHandler) -> Duties | None:
    """What the person of a request has to give her word for first."""
    home: Home | None = handler.settings["home"]
    agent = handler.current_user
    if home is None or not isinstance(agent, Agent):
        return None
    return await asyncio.to_thread(home.duties, _actor(agent))


def _actor(agent: Agent) -> Actor:
    assert agent.session is not None  # noqa: S101 - whoever logged in has one
    return agent.session.tokens.actor


class DashboardShutdownHandler(VoilaShutdownKernelHandler):
    """Ends a kernel for whom it is; Voila would end anyone's."""

    async def post(self, kernel_id: str) -> None:
        """Refuse another person's kernel, and one that is not there, in the same way."""
        provider, agent = self.identity_provider, self.current_user
        if isinstance(provider, OidcIdentityProvider) and not (
            isinstance(agent, Agent) and provider.admits(agent) and provider.owners.owns(agent.username, kernel_id)
        ):
            raise web.HTTPError(403)
        await ensure_async(super().post(kernel_id))


class DashboardWebsocketHandler(VoilaKernelWebsocketHandler):
    """Carries the messages of one page, in the one protocol that both sides read without harm.

    Both Voila and Jupyter take the first eight bytes of a frame for a number of offsets and count up to it: a
    frame of the old protocol, or a made-up one, would keep the whole server busy for ever.
    """

    def write_error(self, status_code: int, **_: Any) -> None:  # noqa: ARG002
        """Answer a refusal by its status alone: no page is there to read more."""
        self.finish()

    async def get(self, kernel_id: str) -> None:
        """Accept version 1 of the protocol only."""
        if PROTOCOL not in self.request.headers.get("Sec-WebSocket-Protocol", ""):
            raise web.HTTPError(400)
        await super().get(kernel_id)  # type: ignore[no-untyped-call]

    def on_message(self, ws_message: bytes | str) -> None:
        """Drop what is not a message of a widget, or is no message at all; close when the person logged out."""
        if not self._is_let_in():
            self.close(4401)
        elif isinstance(ws_message, bytes) and _is_allowed(ws_message):
            super().on_message(ws_message)  # type: ignore[no-untyped-call]

    def on_pong(self, data: bytes) -> None:
        """Close the page of who logged out, or whose kernel ended: it then says so, without being asked anything."""
        super().on_pong(data)  # type: ignore[no-untyped-call]
        if not self._is_let_in():
            self.close(4401)
        elif self.kernel_id not in self.kernel_manager:
            self.close(4404)

    def _is_let_in(self) -> bool:
        agent, provider = self.current_user, self.identity_provider
        return not isinstance(provider, OidcIdentityProvider) or (isinstance(agent, Agent) and provider.admits(agent))


UNOPENED = "Ce tableau de bord n'a pas pu s'ouvrir. Rechargez la page."


class DashboardRenderer(NotebookRenderer):
    """What Voila sends of a notebook, to its end whatever happens: a page that waits for ever says nothing."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)  # type: ignore[no-untyped-call]
        self._turns: Turns = given["request_handler"].settings["turns"]
        self._turn = AsyncExitStack()

    async def _jinja_kernel_start(self, *given: Any, **named: Any) -> Any:
        # What comes before, which says that the page is coming, waits for nobody.
        await self._turn.enter_async_context(self._turns.taken())
        return await super()._jinja_kernel_start(*given, **named)  # type: ignore[no-untyped-call]

    async def generate_content_generator(
        self, kernel_id: Any = None, kernel_future: Any = None
    ) -> AsyncGenerator[Any, None]:
        """Yield the parts of the page; the last one says so when its kernel could not be had."""
        try:
            async for part in super().generate_content_generator(kernel_id, kernel_future):
                yield part
        except Exception:
            identifier = uuid4().hex[:8]
            self.log.exception("a dashboard did not open, identifier %s", identifier)
            said = f"{UNOPENED} Si l'erreur revient, signalez l'identifiant {identifier}."
            yield f'<script>workbench_say({json.dumps(said)}, "erreur");</script></div></main></body></html>', None
        finally:
            await self._turn.aclose()


class SubscribedConnection(ZMQChannelsWebsocketConnection):
    """The connection of a page to its kernel, open once what the kernel publishes is sure to be heard.

    Jupyter takes the connection to a busy kernel for open at once. The server learns late, under load, that a kernel
    is busy no more: a page was then let in before its subscription, and what answered its first question was lost.
    """

    def nudge(self) -> asyncio.Future[None]:
        """Wait for a message of the kernel whatever it does: its control channel answers beside its work."""
        kernel: Any = self.kernel_manager
        told = kernel.execution_state
        if told != "busy":
            return super().nudge()
        # Read once, before anything else of the loop can run.
        kernel.execution_state = "idle"
        try:
            return super().nudge()
        finally:
            kernel.execution_state = told


def _is_allowed(frame: bytes) -> bool:
    """Say whether a frame is well formed, and a message of `MESSAGES` on the channel of widgets."""
    count = int.from_bytes(frame[:8], "little")
    if not 6 <= count <= MOST_PARTS or len(frame) < 8 * (count + 1):
        return False
    offsets = [int.from_bytes(frame[8 * place : 8 * place + 8], "little") for place in range(1, count + 1)]
    if offsets != sorted(offsets) or offsets[0] != 8 * (count + 1) or offsets[-1] != len(frame):
        return False
    channel, header, _, _, content = (frame[offsets[place] : offsets[place + 1]] for place in range(5))
    try:
        said, told = json.loads(header), json.loads(content)
    except (ValueError, RecursionError):
        return False
    if channel != b"shell" or not isinstance(said, dict) or not isinstance(told, dict):
        return False
    kind = said.get("msg_type")
    return kind in MESSAGES and (kind != "comm_open" or told.get("target_name") in TARGETS)


class LibraryHandler(web.StaticFileHandler):
    """plotly.js, from the Python package that brings it: one copy, cached by the browser for its version."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse any other file of that folder."""
        if Path(absolute_path).name != "plotly.min.js":
            raise web.HTTPError(404)
        path: str | None = super().validate_absolute_path(root, absolute_path)
        return path

    def get_cache_time(self, *_: Any) -> int:
        """Return a year: the address carries the version."""
        return 365 * 86400


def is_incident(record: logging.LogRecord) -> bool:
    """Whether something went wrong: a page that leaves while its kernel writes to it is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


class DashboardApplication(Voila):
    """The server of the dashboards; see the module."""

    name = "workbench"
    dashboards = Dict(help="Each notebook served, by file name, in the order of the list.")
    services: Sequence[Mounted] = ()
    home: Home | None = None
    watch: Door | None = None
    public_url = ""

    # Only `configuration` speaks: neither a voila.json of the current folder nor those of Jupyter's folders.
    config_file_paths = List(Unicode(), [])

    def setup_template_dirs(self) -> None:
        """Search our templates, then Voila's."""
        roots = [str(SHARE), *jupyter_path()]
        names = (["voila", "nbconvert"], "workbench")
        self.template_paths = [*collect_template_paths(*names, prune=True, root_dirs=roots), str(STATIC)]  # type: ignore[no-untyped-call]
        self.static_paths = collect_static_paths(*names, root_dirs=roots)  # type: ignore[no-untyped-call]

    def initialize(self, argv: list[str] | None = None) -> None:
        """Silence what Voila says at every opening."""
        super().initialize(argv)  # type: ignore[no-untyped-call]
        self.log.addFilter(lambda record: not record.getMessage().endswith("is not trusted"))
        for handler in self.log.handlers if is_json() else ():
            handler.setFormatter(formatter())
        # Jupyter gives Tornado a time without a pong that Tornado shortens, and says so; both are right.
        logging.getLogger("tornado.general").addFilter(
            lambda record: not record.getMessage().startswith("The websocket_ping_timeout")
        )
        logging.getLogger("asyncio").addFilter(is_incident)

    def init_settings(self) -> dict[str, Any]:  # type: ignore[override] # Voila means the builtin
        """Add the closed list of the dashboards and what the first page shows."""
        found: Any = super().init_settings()
        prefix = self.server_url.rstrip("/")
        recorded = {
            "transforms": [naming(self.public_url)],
            "log_function": recording(prefix, (*ROUTES, "/statique/"), MissingHandler),
        }
        return {**found, **recorded, "dashboards": dict(self.dashboards), "home": self.home, "turns": Turns()}

    reservation: Reader | None = None

    @cached_property
    def event_logger(self) -> EventLogger:
        """Where kernels tell their events: one for all, as `logging` keeps for ever the one that each makes."""
        return EventLogger()

    def start(self) -> None:
        """Prepare kernels, then serve."""
        preload = specification().metadata["kernel_provisioner"]["config"]["preload"]
        variables = _kernel_variables(os.environ, self.config.DashboardKernelManager.variables)
        known = known_trames(Path(variables["WORKBENCH_TRAMES"])) if "WORKBENCH_TRAMES" in variables else []
        self.reservation = reserve(address_of(preload, variables), DashboardKernel.options, READY, known)
        try:
            super().start()  # type: ignore[no-untyped-call]
        finally:
            if self.reservation is not None:
                self.reservation.close()

    def init_handlers(self) -> list[Any]:  # type: ignore[override] # Voila means the builtin
        """Keep the routes of `ROUTES` and add ours."""
        prefix = self.server_url.rstrip("/")
        voila_handler.NotebookRenderer = DashboardRenderer  # type: ignore[attr-defined] # Voila leaves no other way to choose it
        found: Any = super().init_handlers()
        ours = {
            TornadoVoilaHandler: DashboardHandler,
            VoilaKernelWebsocketHandler: DashboardWebsocketHandler,
            VoilaShutdownKernelHandler: DashboardShutdownHandler,
        }
        kept = []
        for handler in found:
            if not handler[0].startswith(tuple(prefix + route for route in ROUTES)):
                continue
            kept.append((handler[0], ours.get(handler[1], handler[1]), *handler[2:]))
        identity = []
        if isinstance(self.identity_provider, OidcIdentityProvider):
            identity = [(prefix + path, handler) for path, handler in self.identity_provider.get_handlers()]
        plotly = str(importlib.resources.files("plotly") / "package_data")
        return [
            (f"{prefix}/", HomeHandler),
            (f"{prefix}/aide", HelpHandler),
            (f"{prefix}/statique/(plotly\\.min\\.js)", LibraryHandler, {"path": plotly}),
            *identity,
            *(
                (f"{root}/.*", MountedHandler, {"asgi": each.application, "root": root, "lend": self._lending(each)})
                for each in self.services
                for root in (prefix + each.path,)
            ),
            *((prefix + path, MountedHandler, {"asgi": self.watch, "root": prefix}) for path in PATHS if self.watch),
            *kept,
            (f"{prefix}/.*", MissingHandler),
        ]

    def _lending(self, mounted: Mounted) -> Lending | None:
        provider = self.identity_provider
        return provider.lend_token if mounted.for_pages and isinstance(provider, OidcIdentityProvider) else None


def _with_agent(page_config: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Tell the template who logged in."""
    agent = getattr(CallContext.get(CallContext.JUPYTER_HANDLER), "current_user", None)
    return {**page_config, "agent": agent.display_name} if isinstance(agent, Agent) else page_config


def _known_hosts(identity: IdentitySettings | None) -> list[str]:
    """Return the name by which a proxy on this machine is asked for the dashboards."""
    name = urlsplit(identity.public_url).hostname if identity is not None else None
    return [name] if name else []


def configuration(
    folder: Path,
    address: str,
    port: int,
    variables: Mapping[str, str],
    identity: IdentitySettings | None = None,
    writable: Sequence[str] = (),
) -> Config:
    """Return the settings of Voila for a folder of dashboards.

    Parameters
    ----------
    folder
        Folder of the notebooks.
    address, port
        Where to listen.
    variables
        What kernels find in their environment besides `KERNEL_ENVIRONMENT`.
    identity
        Where people log in; None leaves the dashboards open to whoever reaches the address.
    writable
        Folders that kernels may write in, where this system can hold them to it; none for wherever the user may.
    """
    DashboardKernel.provisioner_settings = {**DashboardKernel.provisioner_settings, "writable": list(writable)}
    local = address in ("127.0.0.1", "::1", "localhost")
    config = Config()
    config.Voila.ip = address
    config.Voila.port = port
    config.Voila.port_retries = 0
    config.Voila.open_browser = False
    config.Voila.log_level = logging.WARNING
    config.Voila.root_dir = str(folder)
    config.Voila.kernel_websocket_connection_class = SubscribedConnection
    config.Voila.tornado_settings = {
        # A page elsewhere on the web must not reach a local server through a name that resolves to it.
        "allow_remote_access": not local,
        "local_hostnames": ["localhost", *_known_hosts(identity)],
        # With "no-referrer", browsers send their forms from the origin "null", which Jupyter refuses.
        "headers": {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "same-origin"},
    }
    config.VoilaConfiguration.template = "workbench"
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.extension_allowlist = [
        "@jupyter-widgets/jupyterlab-manager",
        "@voila-dashboards/widgets-manager8",
        "anywidget",
    ]
    config.VoilaConfiguration.kernel_spec_manager_class = DashboardKernelSpecManager
    config.VoilaConfiguration.multi_kernel_manager_class = DashboardKernelManager
    config.DashboardKernelManager.variables = dict(variables)
    if identity is not None:
        config.Voila.identity_provider_class = OidcIdentityProvider
        config.Voila.authorizer_class = AgentAuthorizer
        config.OidcIdentityProvider.settings = identity
        config.VoilaConfiguration.page_config_hook = _with_agent
        config.OidcIdentityProvider.public_url = f"http://{address}:{port}"
        # Whoever has an account may open a dashboard; what it shows depends on her badges.
        config.OidcIdentityProvider.anyone = True
    # Closing a page ends its kernel; this is for the browsers that crash and the machines that sleep.
    config.AsyncMappingKernelManager.cull_idle_timeout = 600
    config.AsyncMappingKernelManager.cull_interval = 60
    config.VoilaExecutor.startup_timeout = 45
    config.VoilaExecutor.iopub_timeout = HEARING_SECONDS
    config.FileContentsManager.allow_hidden = False
    # Trust is a matter of JupyterLab; the signatures of the user's own notebooks are not to be touched.
    config.NotebookNotary.db_file = ":memory:"
    return config

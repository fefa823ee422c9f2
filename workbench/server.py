"""The services of the product: ASGI applications of its rooms, under one address and one identity.

`SERVICES` is the list. ``workbench up`` serves them beside the dashboards. Elsewhere, behind a proxy that holds the
certificate, ``uvicorn --factory workbench.server:create_application`` serves them alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from workbench.config import settings as product_settings
from workbench.dashboards.mounting import Mounted
from workbench.errors import WorkbenchError
from workbench.identity.alone import AloneVerifier
from workbench.identity.configuration import identity_settings
from workbench.identity.middleware import Application, Receive, Scope, Send
from workbench.identity.tokens import TokenVerifier
from workbench.watching.door import PATHS, Door
from workbench.watching.requests import Recorded

__all__ = ["SERVICES", "Service", "create_application", "opened_services"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """A service, not opened yet.

    Parameters
    ----------
    path
        Where it is mounted.
    libelle
        What it is called, in French.
    open
        Gives its application, which asks who comes, as long as the context lasts; on a base, that of the settings
        when it is None. Gives None when it is not configured, which it has told the operator.
    variable
        The environment variable by which kernels are told its address; empty for none.
    for_pages
        The pages of the dashboards may ask it under the session of their person.
    alone
        Whether it is also opened where nobody logs in, for kernels alone.
    """

    path: str
    libelle: str
    open: Callable[[TokenVerifier, str | None], AbstractContextManager[Application | None]]
    variable: str = ""
    for_pages: bool = False
    alone: bool = False


@contextmanager
def _store(verifier: TokenVerifier, _: str | None) -> Iterator[Application]:
    from workbench.store import open_store
    from workbench.store.app import create_app

    with open_store() as store:
        yield create_app(store, verifier)


@contextmanager
def _reports(verifier: TokenVerifier, base: str | None) -> Iterator[Application]:
    from workbench.registry import open_registry
    from workbench.reports.api_numbers import ROOM as NUMBERS
    from workbench.reports.app import create_app
    from workbench.reports.jobs_tables import ROOM
    from workbench.store import open_store

    with open_registry(rooms=[ROOM, NUMBERS]) as registry, open_store() as store:
        yield create_app(registry, verifier, base=base, store=store)


@contextmanager
def _comments(verifier: TokenVerifier, _: str | None) -> Iterator[Application]:
    from workbench.discussion import ROOM
    from workbench.discussion.app import create_app
    from workbench.registry import open_registry

    with open_registry(rooms=[ROOM]) as registry:
        yield create_app(registry, verifier)


@contextmanager
def _uploads(verifier: TokenVerifier, _: str | None) -> Iterator[Application | None]:
    from workbench.uploads.configuration import build_app, has_storage, open_storage, upload_settings

    settings = upload_settings()
    if not has_storage(settings):
        _LOG.warning("Le dépôt de fichiers n'est pas servi : donnez son dossier dans WORKBENCH_DEPOT.")
        yield None
        return
    for remark in open_storage(settings).remarks():
        _LOG.warning("Dépôt %s : %s", settings.base, remark)
    application = build_app(settings, verifier)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # It knows its own path, and must be told what precedes it.
        await application({**scope, "root_path": scope["root_path"].removesuffix(FILES)}, receive, send)

    yield answer


@contextmanager
def _arrivals(verifier: TokenVerifier, _: str | None) -> Iterator[Application | None]:
    from workbench.uploads.configuration import has_storage, open_storage, upload_settings
    from workbench.uploads.listing import create_app

    settings = upload_settings()
    yield create_app(open_storage(settings), verifier) if has_storage(settings) else None


FILES = "/files"

SERVICES: tuple[Service, ...] = (
    Service("/magasin", "magasin d'objets et rapports publiés", _store, "WORKBENCH_STORE", alone=True),
    Service("/rapports", "rapports à la demande", _reports, "WORKBENCH_RAPPORTS", alone=True),
    Service("/commentaires", "commentaires", _comments, "WORKBENCH_COMMENTAIRES", alone=True),
    Service(FILES, "dépôt de fichiers, par tus", _uploads, "WORKBENCH_UPLOADS", for_pages=True),
    Service("/envois", "liste de ses envois au dépôt", _arrivals, "WORKBENCH_ARRIVALS"),
)
"""A service that is added here is served everywhere."""


@contextmanager
def opened_services(
    verifier: TokenVerifier, services: Sequence[Service] = SERVICES, base: str | None = None
) -> Iterator[list[Mounted]]:
    """Open the services on a base; they are closed in the opposite order."""
    kept = [each for each in services if each.alone or not isinstance(verifier, AloneVerifier)]
    with ExitStack() as stack:
        yield [
            Mounted(each.path, application, each.libelle, each.variable, each.for_pages)
            for each in kept
            if (application := stack.enter_context(each.open(verifier, base))) is not None
        ]


def create_application(services: Sequence[Service] = SERVICES) -> Application:
    """Return one application of all the services, for an ASGI server; opened when it starts, closed when it stops.

    Raises
    ------
    WorkbenchError
        ``identite_requise`` without ``WORKBENCH_ISSUER``; ``identite_reglage``.
    """
    settings = identity_settings()
    if not settings.issuer:
        raise WorkbenchError("identite_requise")
    watch = Door(token=product_settings().metrics_token, public_url=settings.public_url)
    return _Together(services, TokenVerifier(settings.rules()), watch, settings.public_url)


class _Together:
    def __init__(
        self, services: Sequence[Service], verifier: TokenVerifier, watch: Door | None = None, public_url: str = ""
    ) -> None:
        self._services = services
        self._verifier = verifier
        self._watch = watch
        self._public_url = public_url
        self._mounted: list[tuple[Mounted, Application]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        for each, recorded in self._mounted:
            if scope["path"].startswith(f"{each.path}/"):
                root = f"{scope.get('root_path', '')}{each.path}"
                await recorded({**scope, "root_path": root}, receive, send)
                return
        if self._watch is not None and scope["type"] == "http" and scope["path"] in PATHS:
            await self._watch(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        content = {"detail": "Il n'y a rien à cette adresse.", "status_code": 404}
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content, ensure_ascii=False).encode()})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(opened_services(self._verifier, self._services))
                self._mounted = [(each, Recorded(each.application, each.path, self._public_url)) for each in opened]
            except WorkbenchError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

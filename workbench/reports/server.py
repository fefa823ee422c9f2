"""The reports over HTTP, served: who may come, the application, and beside it workers that make what is asked for."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.identity.configuration import IdentitySettings, identity_settings
from workbench.identity.embedded import identity_of
from workbench.identity.tables import ROOM as PEOPLE
from workbench.logs import uvicorn_options
from workbench.machine import memory_given_back
from workbench.registry import Registry, open_registry
from workbench.reports.api_numbers import ROOM as NUMBERS
from workbench.reports.attending import Attendant
from workbench.reports.jobs_pool import pool
from workbench.reports.jobs_tables import ROOM as JOBS
from workbench.reports.schedules import ROOM as SCHEDULES

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from workbench.identity.middleware import Application

__all__ = ["ROOMS", "attended", "ended_by_sigterm", "reports_application", "serve_reports"]

log = logging.getLogger(__name__)

ROOMS = (JOBS, NUMBERS, SCHEDULES, PEOPLE)
"""Whose tables the application needs."""

LOOK_SECONDS = 1.0


def reports_application(
    registry: Registry,
    identity: IdentitySettings,
    *,
    base: str | Path | None = None,
    trames: Path | None = None,
    folder: Path | None = None,
) -> ASGIApp:
    """Return the application of the reports for the people of an issuer.

    Parameters
    ----------
    registry
        Opened with `ROOMS`.
    identity
        What `workbench.identity.embedded.identity_of` gives: people of the embedded issuer log in here with their
        password, those of another one bring its tokens.
    base, trames, folder
        As for `workbench.reports.app.create_app`.
    """
    from workbench.identity.issuing import Issuer
    from workbench.identity.signing import SigningKeys
    from workbench.identity.tokens import TokenVerifier
    from workbench.reports.app import create_app

    issuer = None
    if not identity_settings().issuer:
        issuer = Issuer(identity.issuer, registry, SigningKeys(identity.folder), audience=identity.audience)
    return create_app(registry, TokenVerifier(identity.rules()), issuer, base=base, trames=trames, folder=folder)


def serve_reports(
    *,
    port: int,
    ready: Callable[[str], None],
    address: str = "127.0.0.1",
    base: str | Path | None = None,
    folder: Path | None = None,
    workers: int = 0,
    kernel: str | None = None,
    watched: Callable[[Application], Any] = lambda application: application,
) -> None:
    """Serve the reports in the foreground; Ctrl-C ends the server and its workers.

    Parameters
    ----------
    port, address
        Where it listens; the embedded issuer listens on the port after it.
    ready
        Told the address, once it answers.
    base, folder
        The accounting base, and where the files go; those of the settings by default.
    workers
        How many processes make reports here; 0 for none: ``workbench worker`` does.
    kernel
        As for `workbench.reports.run_batch`.
    watched
        What is put around the application: its metrics and its log.

    Raises
    ------
    WorkbenchError
        ``personnes_absentes``, ``port_occupe``, ``identite_requise``, ``travailleurs_arretes``; what the registry
        refuses.
    """
    import uvicorn

    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as door, ended_by_sigterm():
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address, port))
        except OSError as error:
            raise WorkbenchError("port_occupe", adresse=address, port=port) from error
        with identity_of(address, port) as identity, open_registry(rooms=ROOMS) as registry:
            if identity is None:
                raise WorkbenchError("personnes_absentes")
            application = reports_application(registry, identity, base=base, folder=folder)
            options: dict[str, Any] = {**uvicorn_options(), "http": "h11", "access_log": False, "lifespan": "off"}
            server = uvicorn.Server(
                uvicorn.Config(
                    watched(application), **options, proxy_headers=False, server_header=False, timeout_keep_alive=60
                )
            )
            with _workers(registry, workers, kernel, server), memory_given_back(), suppress(KeyboardInterrupt):
                ready(f"http://{address}:{door.getsockname()[1]}/")
                server.run(sockets=[door])


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end things in good order, as Ctrl-C does, where signals are heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _workers(registry: Registry, size: int, kernel: str | None, server: uvicorn.Server) -> Iterator[None]:
    """Run workers while a block lasts; workers that cannot start end the server."""
    failures: list[WorkbenchError] = []

    def failed(error: WorkbenchError) -> None:
        failures.append(error)
        server.should_exit = True

    with attended(registry, size, kernel, failed):
        yield
    if failures:
        raise failures[0]


@contextmanager
def attended(
    registry: Registry, size: int, kernel: str | None, failed: Callable[[WorkbenchError], None]
) -> Iterator[None]:
    """Run workers and what goes with them while a block lasts, beside what the block does.

    Parameters
    ----------
    registry
        Opened with the rooms of jobs and of schedules.
    size
        How many workers; 0 for none.
    kernel
        As for `workbench.reports.run_batch`.
    failed
        Told once why they were given up; called in a thread.
    """
    if not size:
        yield
        return
    stopped = threading.Event()
    attendant = Attendant(registry, log.warning)
    with pool(registry, None, size, kernel) as running:

        def attend() -> None:
            while not stopped.wait(LOOK_SECONDS):
                try:
                    attendant.look(running)
                except WorkbenchError as error:
                    failed(error)
                    return

        attending = threading.Thread(target=attend, name="workbench-attend", daemon=True)
        attending.start()
        try:
            yield
        finally:
            stopped.set()
            attending.join()

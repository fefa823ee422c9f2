"""Serve the uploads of a storage in the foreground."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from workbench.errors import WorkbenchError
from workbench.identity.embedded import identity_of
from workbench.identity.middleware import Application
from workbench.identity.tokens import TokenVerifier
from workbench.logs import uvicorn_options
from workbench.machine import memory_given_back
from workbench.uploads.configuration import UploadSettings, build_app, open_storage

__all__ = ["serve_uploads"]


def serve_uploads(
    settings: UploadSettings,
    address: str,
    port: int,
    say: Callable[[str], object],
    watched: Callable[[Application], Any] = lambda application: application,
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    settings
        Of the storage.
    address, port
        Where to listen; port 0 takes a free one.
    say
        Told, in French, what the operator must know.
    watched
        What is put around the application: its metrics and its log.

    Raises
    ------
    WorkbenchError
        ``depot_sans_identite``, ``identite_requise``, ``port_occupe``; what the settings and the storage refuse.
    """
    import uvicorn

    from workbench.uploads.http_parser import UploadProtocol

    for remark in open_storage(settings).remarks():
        say(remark)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address, port))
        except OSError as error:
            raise WorkbenchError("port_occupe", adresse=address, port=port) from error
        real = door.getsockname()[1]
        with identity_of(address, real) as identity, memory_given_back():
            if identity is None:
                raise WorkbenchError("depot_sans_identite")
            app = watched(build_app(settings, TokenVerifier(identity.rules())))
            host = f"[{address}]" if ":" in address else address
            say(f"Dépôt {settings.base} servi à http://{host}:{real}/files/")
            uvicorn.Server(
                uvicorn.Config(
                    app,
                    **uvicorn_options(),
                    http=UploadProtocol,
                    access_log=False,
                    lifespan="off",
                    proxy_headers=False,
                    server_header=False,
                )
            ).run([door])

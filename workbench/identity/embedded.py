"""Where the people of a server log in: the configured issuer, the one this machine has of its own, or nowhere.

The rule, from the first that holds:

1. ``WORKBENCH_ISSUER`` is set: that issuer.
2. The registry has people (``workbench user add``): the embedded issuer, started beside on the next port.
3. Nobody is known: the server is open, and then to this machine alone.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.identity.configuration import IdentitySettings, identity_settings
from workbench.identity.keys import is_local
from workbench.logs import uvicorn_options

__all__ = ["has_people", "identity_of", "serve_issuer"]


@contextmanager
def identity_of(address: str, port: int) -> Iterator[IdentitySettings | None]:
    """Give the settings of identity for a server at an address; None when it is open.

    Raises
    ------
    WorkbenchError
        ``identite_requise`` when it would be open to other machines; what the registry or the keys refuse.
    """
    configured = identity_settings()
    if configured.issuer:
        configured.rules()  # a wrong setting is told now, not at the first login
        yield configured
    elif not is_local(address):
        raise WorkbenchError("identite_requise")
    elif not has_people():
        yield None
    else:
        public = configured.public_url or f"http://{address}:{port}"
        with serve_issuer(configured, public, address, port + 1) as issuer:
            yield configured.with_issuer(issuer)


def has_people(address: str | None = None) -> bool:
    """Say whether the registry knows anybody; one that is not there yet is not made."""
    from workbench.identity.people import People
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry
    from workbench.registry.address import registry_url

    url = registry_url(address or settings().registry)
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        return False
    try:
        with open_registry(address, rooms=[ROOM], migrate=False) as registry:
            return People(registry).count() > 0
    except WorkbenchError as error:
        if error.code != "registre_ancien":
            raise
    # Older tables may hold people: only those that were never made are empty for sure.
    with open_registry(address, rooms=[ROOM]) as registry:
        return People(registry).count() > 0


@contextmanager
def serve_issuer(configured: IdentitySettings, public_url: str, address: str, port: int) -> Iterator[str]:
    """Serve the embedded issuer in a thread for the dashboards of a public address; gives its own address.

    Raises
    ------
    WorkbenchError
        ``port_occupe``; what the registry or the keys refuse.
    """
    import uvicorn

    from workbench.identity.app import create_app
    from workbench.identity.authorization import Client
    from workbench.identity.issuing import Issuer
    from workbench.identity.signing import SigningKeys
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as door, open_registry(rooms=[ROOM]) as registry:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address, port))
        except OSError as error:
            raise WorkbenchError("port_occupe", adresse=address, port=port) from error
        host = f"[{address}]" if ":" in address else address
        url = f"http://{host}:{door.getsockname()[1]}"
        client = Client(configured.client, (f"{public_url}/oidc/retour",), (f"{public_url}/",))
        issuer = Issuer(url, registry, SigningKeys(configured.folder), [client], configured.audience)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(issuer),
                **uvicorn_options(),
                http="h11",
                access_log=False,
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        # Bound already: the address answers before the first page needs it.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="issuer", daemon=True)
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)

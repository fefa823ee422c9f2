"""Serve the dashboards of a folder until interrupted."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.identity.configuration import IdentitySettings
from workbench.identity.embedded import identity_of
from workbench.identity.tokens import TokenVerifier

if TYPE_CHECKING:
    from workbench.dashboards.mounting import Mounted

__all__ = ["dashboard_titles", "serve"]

Opening = Callable[[TokenVerifier], "AbstractContextManager[list[Mounted]]"]


def dashboard_titles(folder: Path) -> dict[str, str]:
    """Return the title of each notebook of a folder by file name, sorted; hidden files and sub-folders are left out.

    Examples
    --------
    >>> dashboard_titles(Path("no-such-folder"))
    {}
    """
    return {
        path.name: _title(path)
        for path in sorted(folder.glob("*.ipynb"))
        if path.is_file() and not path.name.startswith(".")
    }


def _title(path: Path) -> str:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        return str(metadata.get("title") or path.stem)
    except (ValueError, KeyError, AttributeError, TypeError):
        # Listed all the same: opening it tells what is wrong.
        return path.stem


def serve(
    port: int = 8866,
    base: str | None = None,
    trames: Path | str | None = None,
    *,
    folder: Path | str = "dashboards",
    address: str = "127.0.0.1",
    services: Opening | None = None,
) -> None:
    """Serve the dashboards in the foreground; Ctrl-C ends the server and its kernels.

    Each visitor gets a kernel of the current interpreter, which opens the base read-only.

    Parameters
    ----------
    port
        TCP port.
    base
        Path or URL of the accounting base; by default ``WORKBENCH_BASE``.
    trames
        Folder of the trames; by default ``WORKBENCH_TRAMES``.
    folder
        Folder of the notebooks; nothing else in it or elsewhere is served.
    address
        Address to listen on. The default serves this machine only: nobody logs in.
    services
        Gives the applications to serve under the same address; they are opened where people are asked who they are,
        since they answer to a person.

    Raises
    ------
    WorkbenchError
        ``tableaux_absents`` when the folder holds no notebook, ``port_occupe`` when the port is taken,
        ``extra_absent`` when Voila is not installed, ``identite_requise`` when the address is another machine's to
        reach and nobody would be asked who she is.
    """
    folder = Path(folder).resolve()
    titles = dashboard_titles(folder)
    if not titles:
        raise WorkbenchError("tableaux_absents", dossier=folder)

    # jsonschema compiles 38 grammars of it at import when it is there, two seconds for a check that nobody makes.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        from workbench.dashboards.application import DashboardApplication, configuration
        from workbench.identity.jupyter import OidcIdentityProvider
    except ModuleNotFoundError as error:
        raise WorkbenchError("extra_absent", bibliotheque=error.name, extra="jupyter") from error

    default = settings()
    base = str(base or default.base)
    variables = {
        "WORKBENCH_BASE": _absolute(base),
        "WORKBENCH_TRAMES": str(Path(trames or default.trames).absolute()),
        "WORKBENCH_PLOTLY": f"/statique/plotly.min.js?v={version('plotly')}",
    }
    _check_port(address, port)
    with identity_of(address, port) as identity, _opened(services, identity) as mounted:
        host = f"[{address}]" if ":" in address else address
        public = (identity.public_url if identity is not None else "") or f"http://{host}:{port}"
        variables |= {each.variable: public + each.path for each in mounted if each.variable}
        # The instance: Voila's parts find their log through it.
        application = DashboardApplication.instance(
            config=configuration(folder, address, port, variables, identity), dashboards=titles
        )
        application.services = mounted
        application.initialize([])
        print(f"Tableaux de bord : http://{host}:{port}/  (Ctrl-C pour arrêter)", file=sys.stderr, flush=True)  # noqa: T201
        for each in mounted:
            print(f"Par HTTP, avec un jeton : {public}{each.path} ({each.libelle})", file=sys.stderr, flush=True)  # noqa: T201
        if identity is not None:
            print(f"On s'y connecte par {identity.issuer}", file=sys.stderr, flush=True)  # noqa: T201
        try:
            application.start()
        finally:
            if isinstance(application.identity_provider, OidcIdentityProvider):
                application.identity_provider.close()


@contextmanager
def _opened(services: Opening | None, identity: IdentitySettings | None) -> Iterator[list[Mounted]]:
    if services is None or identity is None:
        yield []
        return
    with services(TokenVerifier(identity.rules())) as mounted:
        yield mounted


def _absolute(base: str) -> str:
    """Return a base that a kernel finds from the folder of the notebooks, where it runs.

    Links are not followed: a base is one, that each import points at its new snapshot.
    """
    scheme, separator, path = base.rpartition(":///")
    if separator and scheme == "duckdb":
        return f"duckdb:///{Path(path).absolute()}"
    return base if "://" in base else str(Path(base).absolute())


def _check_port(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise WorkbenchError("port_occupe", adresse=address, port=port) from error

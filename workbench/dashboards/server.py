"""Serve the dashboards of a folder until interrupted."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from workbench.config import settings, shared_folder
from workbench.dashboards.listing import dashboards_of
from workbench.errors import WorkbenchError, reason
from workbench.identity.alone import ALONE, AloneVerifier
from workbench.identity.configuration import IdentitySettings, identity_settings
from workbench.identity.embedded import identity_of
from workbench.identity.kernel_token import TOKEN_FILE, write_token
from workbench.identity.tokens import TokenVerifier
from workbench.kernels.runtime import runtime_folder, runtime_path
from workbench.logs import announce, configure_logs, is_json
from workbench.machine import memory_given_back
from workbench.reports.server import attended, ended_by_sigterm

if TYPE_CHECKING:
    from workbench.dashboards.mounting import Mounted

__all__ = ["serve"]

Opening = Callable[[TokenVerifier], "AbstractContextManager[list[Mounted]]"]


def serve(
    port: int = 8866,
    base: str | None = None,
    trames: Path | str | None = None,
    *,
    folder: Path | str | None = None,
    address: str = "127.0.0.1",
    services: Opening | None = None,
    workers: int = 0,
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
        Folder of the notebooks; nothing else in it or elsewhere is served. By default `dashboards`, here or above, or
        those of the installed package.
    address
        Address to listen on. The default serves this machine only: nobody logs in.
    services
        Gives the applications to serve under the same address. They answer to a person: where nobody logs in, to the
        kernels of this server alone, for the person of the machine.
    workers
        How many processes make here the reports that are asked for; 0 for none.

    Raises
    ------
    WorkbenchError
        ``tableaux_absents`` when the folder holds no notebook, ``port_occupe`` when the port is taken,
        ``extra_absent`` when Voila is not installed, ``identite_requise`` when the address is another machine's to
        reach and nobody would be asked who she is.
    """
    folder = Path(folder or shared_folder("dashboards")).resolve()
    dashboards = dashboards_of(folder)
    if not dashboards:
        raise WorkbenchError("tableaux_absents", dossier=folder)

    # jsonschema compiles 38 grammars of it at import when it is there, two seconds for a check that nobody makes.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        from workbench.dashboards.application import DashboardApplication, configuration
        from workbench.dashboards.home import Home
        from workbench.identity.jupyter import OidcIdentityProvider
        from workbench.watching.door import Door
    except ModuleNotFoundError as error:
        raise WorkbenchError("extra_absent", bibliotheque=error.name, extra="jupyter") from error

    default = settings()
    base = str(base or default.base)
    variables = {
        "WORKBENCH_BASE": _absolute(base),
        "WORKBENCH_TRAMES": str(Path(trames or default.trames).absolute()),
        # Their file of settings is not given to kernels, and what they say goes where the server's own log goes.
        "WORKBENCH_JOURNAL": "json" if is_json() else "texte",
        "WORKBENCH_PLOTLY": f"/statique/plotly.min.js?v={version('plotly')}",
    }
    _check_port(address, port)
    _check_runtime()
    configure_logs()
    host = f"[{address}]" if ":" in address else address
    with (
        ended_by_sigterm(),
        memory_given_back(),
        _writable(variables) as writable,
        identity_of(address, port) as identity,
        _opened(services, identity, variables) as mounted,
        _working(workers),
    ):
        public = (identity.public_url if identity is not None else "") or f"http://{host}:{port}"
        variables |= {each.variable: public + each.path for each in mounted if each.variable}
        # The instance: Voila's parts find their log through it.
        application = DashboardApplication.instance(
            config=configuration(folder, address, port, variables, identity, writable), dashboards=dashboards
        )
        application.services = mounted
        application.public_url = identity_settings().public_url
        application.watch = Door(
            variables["WORKBENCH_BASE"], token=default.metrics_token, public_url=application.public_url
        )
        application.home = Home(dashboards, variables["WORKBENCH_BASE"], default.email)
        application.initialize([])
        announce(f"Tableaux de bord : http://{host}:{port}/  (Ctrl-C pour arrêter)")
        if identity is not None:
            for each in mounted:
                announce(f"Par HTTP, avec un jeton : {public}{each.path} ({each.libelle})")
            announce(f"On s'y connecte par {identity.issuer}")
        try:
            application.start()
        finally:
            application.home.close()
            provider = getattr(application, "identity_provider", None)  # there is none when the start was cut short
            if isinstance(provider, OidcIdentityProvider):
                provider.close()


@contextmanager
def _writable(variables: dict[str, str]) -> Iterator[list[str]]:
    """Give the folders that kernels may write in: one of theirs, and the caches that are made again from what is read.

    The base, the trames, the registry and the reports are not among them.
    """
    caches = [user_cache_path("workbench"), Path(__file__).parents[1] / "evaluation" / "__pycache__"]
    for cache in caches:
        with suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True) as folder:
        variables |= {"TMPDIR": folder, "IPYTHONDIR": str(Path(folder) / "ipython")}
        yield [folder, *map(str, caches)]


@contextmanager
def _opened(
    services: Opening | None, identity: IdentitySettings | None, variables: dict[str, str]
) -> Iterator[list[Mounted]]:
    """Open the services for the people of an issuer, or for the kernels of a person who works alone."""
    if services is None:
        yield []
    elif identity is not None:
        with services(TokenVerifier(identity.rules())) as mounted:
            yield mounted
    else:
        with TemporaryDirectory(prefix="workbench-") as folder:
            verifier, path = AloneVerifier(settings().email), Path(folder) / "jeton"
            write_token(path, verifier.token)
            variables |= {TOKEN_FILE: str(path), ALONE: "1"}
            with services(verifier) as mounted:
                yield mounted


@contextmanager
def _working(workers: int) -> Iterator[None]:
    """Make the reports that are asked for, beside the dashboards, which go on if they cannot be made."""
    if not workers:
        yield
        return
    from workbench.registry import open_registry
    from workbench.reports.jobs_tables import ROOM as JOBS
    from workbench.reports.schedules import ROOM as SCHEDULES

    with (
        open_registry(rooms=[JOBS, SCHEDULES]) as registry,
        attended(registry, workers, settings().kernel or None, lambda error: announce(str(error))),
    ):
        yield


def _absolute(base: str) -> str:
    """Return a base that a kernel finds from the folder of the notebooks, where it runs.

    Links are not followed: a base is one, that each import points at its new snapshot.
    """
    scheme, separator, path = base.rpartition(":///")
    if separator and scheme == "duckdb":
        return f"duckdb:///{Path(path).absolute()}"
    return base if "://" in base else str(Path(base).absolute())


def _check_runtime() -> None:
    try:
        runtime_folder()
    except OSError as error:
        raise WorkbenchError("noyau_dossier", dossier=str(runtime_path()), raison=reason(error)) from error


def _check_port(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise WorkbenchError("port_occupe", adresse=address, port=port) from error

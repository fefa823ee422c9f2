"""The files of an installation, written from the templates of ``share/`` for one domain and one machine.

They are complete: nothing is to be filled in by hand but the secrets, each in a file of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workbench import __version__
from workbench.atomic import replacing
from workbench.config.reference import example
from workbench.errors import WorkbenchError

__all__ = ["SECRETS", "Installation", "texts", "write_files"]

SHARE = Path(__file__).parent / "share"

SECRETS: Mapping[str, tuple[str, ...]] = {
    "workbench-tableaux.service": ("registre", "client_secret", "broker", "depot_smtp", "metrics_token"),
    "workbench-production.service": ("registre", "broker"),
    "workbench-depot.service": ("registre", "depot_smtp", "metrics_token"),
    "workbench-entretien.service": ("registre", "client_secret", "broker", "depot_smtp", "metrics_token"),
}
"""Which secrets each unit is lent, and no other."""

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PATH = re.compile(r"/[\w./@+-]*")


@dataclass(frozen=True)
class Installation:
    """One installation.

    Parameters
    ----------
    domain
        The name that people know it by, in lower case.
    issuer
        Address of the issuer of identities; empty leaves it to be given.
    prefix
        The environment of Python that holds the package.
    certificate, key
        The files of TLS on the proxy.
    https_port, http_port
        Where the proxy listens; no plain HTTP at 0.
    dashboards_port, depot_port
        Where the services listen, on this machine alone.
    access_log
        The log of nginx: addresses without what they ask.
    workers
        Processes that make reports.
    dashboards_memory, worker_memory
        Gibibytes that the dashboards with their kernels, and the workers with theirs, may use.

    Raises
    ------
    WorkbenchError
        ``installation_refusee``: a value that no file could hold safely.
    """

    domain: str
    issuer: str = ""
    prefix: str = "/usr/local/lib/workbench"
    certificate: str = "/etc/ssl/workbench/certificat.pem"
    key: str = "/etc/ssl/workbench/cle.pem"
    https_port: int = 443
    http_port: int = 80
    dashboards_port: int = 8866
    depot_port: int = 8876
    access_log: str = "/var/log/nginx/workbench.log"
    workers: int = 2
    dashboards_memory: int = 8
    worker_memory: int = 8

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise WorkbenchError("installation_refusee", cle="le nom de domaine", valeur=self.domain)
        paths = {"le dossier": self.prefix, "le certificat": self.certificate, "la clé": self.key}
        for name, path in (paths | {"le journal": self.access_log}).items():
            if not _PATH.fullmatch(path):
                raise WorkbenchError("installation_refusee", cle=name, valeur=path)
        if not re.fullmatch(r"(https?://[^\s\"\\]+)?", self.issuer):
            raise WorkbenchError("installation_refusee", cle="l'émetteur", valeur=self.issuer)

    @property
    def public(self) -> str:
        """The address that people know."""
        return f"https://{self.domain}" + (f":{self.https_port}" if self.https_port != 443 else "")


def texts(installation: Installation) -> dict[str, str]:
    """Return the files of an installation, by path.

    Examples
    --------
    >>> sorted(texts(Installation("atelier.exemple.fr")))[:3]
    ['apache/workbench.conf', 'conteneurs/Containerfile', 'conteneurs/compose.yaml']
    """
    environment = Environment(  # noqa: S701 - configuration files, from checked values
        loader=FileSystemLoader(SHARE), undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=False
    )
    local = f"127.0.0.1:{installation.dashboards_port}", f"127.0.0.1:{installation.depot_port}"
    inside = f"tableaux:{installation.dashboards_port}", f"depot:{installation.depot_port}"
    tls = {"certificate": "/etc/nginx/tls/certificat.pem", "key": "/etc/nginx/tls/cle.pem", "http_port": 0}
    facade = {**tls, "access_log": "/dev/stdout"}

    def filled(template: str, addresses: tuple[str, str] = local, **more: Any) -> str:
        values: dict[str, Any] = {
            **{name: getattr(installation, name) for name in installation.__dataclass_fields__},
            "public": installation.public,
            "version": __version__,
            "dashboards": addresses[0],
            "depot": addresses[1],
        }
        return environment.get_template(f"{template}.j2").render({**values, **more})

    units = {
        f"systemd/{unit}": filled(unit, unit=unit.partition(".")[0], secrets=secrets)
        for unit, secrets in SECRETS.items()
    }
    return {
        **units,
        "systemd/workbench-entretien.timer": filled("workbench-entretien.timer"),
        "systemd/workbench.sysusers": filled("workbench.sysusers"),
        "nginx/workbench.conf": filled("nginx.conf"),
        "apache/workbench.conf": filled("apache.conf"),
        "conteneurs/Containerfile": filled("Containerfile"),
        "conteneurs/compose.yaml": filled("compose.yaml"),
        "conteneurs/nginx-conteneurs.conf": filled("nginx.conf", inside, **facade),
        "conteneurs/workbench.toml": _settings(installation, Path("/var/lib/workbench")),
        "workbench.toml": _settings(installation, Path("/var/lib/workbench")),
    }


def _settings(installation: Installation, state: Path) -> str:
    given = {
        "base": state / "base.duckdb",
        "historique": state / "historique.duckdb",
        "reports": state / "rapports",
        "identite": state / "identite",
        "depot": state / "depot",
        "issuer": installation.issuer,
        "public_url": installation.public,
        "depot_url": installation.public,
    }
    return example({key: f'"{value}"' for key, value in given.items() if str(value)})


def write_files(installation: Installation, folder: Path, *, replace: bool = False) -> list[Path]:
    """Write the files of an installation in a folder, and return their paths.

    Parameters
    ----------
    installation
        For which.
    folder
        Made if it is not there.
    replace
        Write over files of the same names that differ; otherwise they are refused before anything is written.

    Raises
    ------
    WorkbenchError
        ``installation_existe``.
    """
    contents = {folder / name: text for name, text in texts(installation).items()}
    lock = Path(__file__).parents[1] / "share" / "requirements.lock"
    if lock.is_file():
        contents[folder / "conteneurs" / "requirements.lock"] = lock.read_text(encoding="utf-8")
    if not replace:
        for path, text in contents.items():
            if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
                raise WorkbenchError("installation_existe", chemin=path)
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    return list(contents)

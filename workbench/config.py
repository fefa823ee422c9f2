"""Where things are, read once from the environment.

Every setting has a default that serves one person on one machine; each is one environment
variable, so that a service file or a notebook can change it without code. The folders that people share are
looked for above the current one too: a notebook of JupyterLab runs in its own folder.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

__all__ = ["Settings", "settings"]


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Parameters
    ----------
    base
        Path or URL of the accounting base (``WORKBENCH_BASE``).
    history
        Path or URL of the history of companies (``WORKBENCH_HISTORIQUE``).
    trames
        Folder of the shared trames (``WORKBENCH_TRAMES``).
    private_trames
        Folder of one's own trames, whose codes are written ``~/code`` (``WORKBENCH_TRAMES_PRIVEES``).
    notebooks
        Folder of the notebooks that reports are made from (``WORKBENCH_NOTEBOOKS``).
    reports
        Folder that reports are written to (``WORKBENCH_REPORTS``).
    queries
        Folder of the shared queries (``WORKBENCH_REQUETES``).
    private_queries
        Folder of one's own queries (``WORKBENCH_REQUETES_PRIVEES``).
    email
        Who asks for reports and writes comments (``WORKBENCH_COURRIEL``); the user of the session by default.
    kernel
        Kernelspec that executes the notebooks of batches (``WORKBENCH_NOYAU``); prepared kernels by default.
    registry
        Path or URL of the registry, where jobs and comments are kept (``WORKBENCH_REGISTRE``); never printed.
    broker
        Address of the message broker that tells workers of jobs (``WORKBENCH_BROKER``), empty for none; never printed.
    store
        Address of the service of the store, for its client (``WORKBENCH_STORE``).
    chromium
        Program that turns HTML into PDF, empty to search the PATH (``WORKBENCH_CHROMIUM``).
    opendata
        Address of the open-data portal that publishes the balances (``WORKBENCH_OPENDATA``).
    opendata_key
        API key of that portal, empty for none (``WORKBENCH_OPENDATA_KEY``); never printed.
    metrics_token
        What a collector of metrics shows, empty to answer this machine alone (``WORKBENCH_METRICS_TOKEN``); never
        printed.
    """

    base: str
    history: str
    trames: Path
    private_trames: Path
    notebooks: Path
    reports: Path
    queries: Path
    private_queries: Path
    store: str
    chromium: str
    email: str
    kernel: str
    opendata: str
    opendata_key: str = field(repr=False)
    registry: str = field(repr=False)
    broker: str = field(repr=False)
    metrics_token: str = field(default="", repr=False)


def settings() -> Settings:
    """Read the settings from the environment; an empty variable is as good as none.

    Examples
    --------
    >>> settings().trames.name
    'trames'
    """
    environment = os.environ
    return Settings(
        base=environment.get("WORKBENCH_BASE") or "base.duckdb",
        history=environment.get("WORKBENCH_HISTORIQUE") or "historique.duckdb",
        trames=Path(environment.get("WORKBENCH_TRAMES") or _here_or_above("trames")),
        private_trames=Path(environment.get("WORKBENCH_TRAMES_PRIVEES") or user_data_path("workbench") / "trames"),
        notebooks=Path(environment.get("WORKBENCH_NOTEBOOKS") or _here_or_above("notebooks")),
        reports=Path(environment.get("WORKBENCH_REPORTS") or "rapports"),
        queries=Path(environment.get("WORKBENCH_REQUETES") or _here_or_above("requetes")),
        private_queries=Path(environment.get("WORKBENCH_REQUETES_PRIVEES") or user_data_path("workbench") / "requetes"),
        store=environment.get("WORKBENCH_STORE") or "http://127.0.0.1:8866/magasin",
        chromium=environment.get("WORKBENCH_CHROMIUM", ""),
        email=environment.get("WORKBENCH_COURRIEL") or f"{getpass.getuser()}@localhost",
        kernel=environment.get("WORKBENCH_NOYAU", "workbench"),
        opendata=environment.get("WORKBENCH_OPENDATA") or "https://data.economie.gouv.fr",
        opendata_key=environment.get("WORKBENCH_OPENDATA_KEY", ""),
        registry=environment.get("WORKBENCH_REGISTRE") or str(user_data_path("workbench") / "registre.sqlite"),
        broker=environment.get("WORKBENCH_BROKER", ""),
        metrics_token=environment.get("WORKBENCH_METRICS_TOKEN", ""),
    )


def _here_or_above(name: str) -> Path:
    """The folder of that name in the current one or the nearest above; in the current one when there is none."""
    here = Path(name)
    if here.is_dir():
        return here
    return next((above / name for above in Path.cwd().parents if (above / name).is_dir()), here)

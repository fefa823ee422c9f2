"""Where things are, read from the environment and the file of settings.

Every setting has a default that serves one person on one machine; `declared` lists them all, `reading` finds their
values. The folders that people share are looked for above the current one too, since a notebook of JupyterLab runs in
its own folder, then in the installed package.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from workbench.config.reading import is_set, read_values, text_of

__all__ = ["Settings", "is_set", "settings", "shared_folder", "text_of"]


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
    """Read the settings; an empty one is as good as none.

    Raises
    ------
    WorkbenchError
        What is wrong with the file of settings, or with a file of secrets: `workbench.config.reading.Values`.

    Examples
    --------
    >>> settings().trames.name
    'trames'
    """
    text = read_values().text
    return Settings(
        base=text("WORKBENCH_BASE") or "base.duckdb",
        history=text("WORKBENCH_HISTORIQUE") or "historique.duckdb",
        trames=Path(text("WORKBENCH_TRAMES") or shared_folder("trames")),
        private_trames=Path(text("WORKBENCH_TRAMES_PRIVEES") or user_data_path("workbench") / "trames"),
        notebooks=Path(text("WORKBENCH_NOTEBOOKS") or shared_folder("notebooks")),
        reports=Path(text("WORKBENCH_REPORTS") or "rapports"),
        queries=Path(text("WORKBENCH_REQUETES") or shared_folder("requetes")),
        private_queries=Path(text("WORKBENCH_REQUETES_PRIVEES") or user_data_path("workbench") / "requetes"),
        store=text("WORKBENCH_STORE") or "http://127.0.0.1:8866/magasin",
        chromium=text("WORKBENCH_CHROMIUM"),
        email=text("WORKBENCH_COURRIEL") or f"{getpass.getuser()}@localhost",
        kernel=text("WORKBENCH_NOYAU", "workbench"),
        opendata=text("WORKBENCH_OPENDATA") or "https://data.economie.gouv.fr",
        opendata_key=text("WORKBENCH_OPENDATA_KEY"),
        registry=text("WORKBENCH_REGISTRE") or str(user_data_path("workbench") / "registre.sqlite"),
        broker=text("WORKBENCH_BROKER"),
        metrics_token=text("WORKBENCH_METRICS_TOKEN"),
    )


def shared_folder(name: str) -> Path:
    """Return the folder of that name that people share.

    Parameters
    ----------
    name
        ``trames``, ``notebooks``, ``dashboards``, ``requetes``.

    Returns
    -------
    pathlib.Path
        In the current folder, in the nearest above, or in the installed package; in the current one when it is nowhere.
    """
    here = Path(name)
    if _is_folder(here):
        return here
    above = next((each / name for each in Path.cwd().parents if _is_folder(each / name)), None)
    packaged = Path(__file__).parents[1] / "share" / name
    return above or (packaged if packaged.is_dir() else here)


def _is_folder(path: Path) -> bool:
    """Say whether a folder is there: none is where this account may not look, as in the home of who launched it."""
    try:
        return path.is_dir()
    except PermissionError:
        return False

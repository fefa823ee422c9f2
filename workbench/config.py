"""Where things are, read once from the environment.

Every setting has a default that serves one person on one machine; each is one environment
variable, so that a service file or a notebook can change it without code.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings", "settings"]


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Parameters
    ----------
    base
        Path or URL of the accounting base (``WORKBENCH_BASE``).
    trames
        Folder of the shared trames (``WORKBENCH_TRAMES``).
    reports
        Folder that reports are written to (``WORKBENCH_REPORTS``).
    chromium
        Program that turns HTML into PDF, empty to search the PATH (``WORKBENCH_CHROMIUM``).
    """

    base: str
    trames: Path
    reports: Path
    chromium: str


def settings() -> Settings:
    """Read the settings from the environment.

    Examples
    --------
    >>> settings().trames.name
    'trames'
    """
    environment = os.environ
    return Settings(
        base=environment.get("WORKBENCH_BASE", "base.duckdb"),
        trames=Path(environment.get("WORKBENCH_TRAMES", "trames")),
        reports=Path(environment.get("WORKBENCH_REPORTS", "rapports")),
        chromium=environment.get("WORKBENCH_CHROMIUM", ""),
    )

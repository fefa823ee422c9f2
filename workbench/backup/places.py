"""What an installation is made of: its bases, its registry, its folders, by the settings in force."""

from __future__ import annotations

from pathlib import Path

from workbench.config import settings
from workbench.identity.configuration import identity_settings
from workbench.uploads.configuration import upload_settings

__all__ = ["BASES", "FOLDERS", "base_variable", "bases", "folder_variable", "folders"]

BASES = {"base": "WORKBENCH_BASE", "historique": "WORKBENCH_HISTORIQUE"}
"""Names of the bases, and the settings that say where they are."""

FOLDERS = {
    "cles": "WORKBENCH_IDENTITE",
    "depot": "WORKBENCH_DEPOT",
    "rapports": "WORKBENCH_REPORTS",
    "trames": "WORKBENCH_TRAMES",
    "trames_privees": "WORKBENCH_TRAMES_PRIVEES",
    "requetes": "WORKBENCH_REQUETES",
    "requetes_privees": "WORKBENCH_REQUETES_PRIVEES",
}
"""Names of the folders in a backup, and the settings that say where they are."""


def base_variable(name: str) -> str:
    """Return the setting of a base.

    Examples
    --------
    >>> base_variable("base")
    'WORKBENCH_BASE'
    """
    return BASES[name]


def folder_variable(name: str) -> str:
    """Return the setting of a folder.

    Examples
    --------
    >>> folder_variable("cles")
    'WORKBENCH_IDENTITE'
    """
    return FOLDERS[name]


def bases() -> dict[str, str]:
    """Return the address of each base."""
    found = settings()
    return {"base": found.base, "historique": found.history}


def folders() -> dict[str, Path]:
    """Return where each folder is, there or not."""
    found = settings()
    return {
        "cles": identity_settings().folder,
        "depot": upload_settings().base,
        "rapports": found.reports,
        "trames": found.trames,
        "trames_privees": found.private_trames,
        "requetes": found.queries,
        "requetes_privees": found.private_queries,
    }

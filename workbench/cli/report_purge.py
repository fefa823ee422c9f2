"""``workbench report purge``: requests made to the service, and their files, are not kept for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings

__all__ = ["purge"]


@click.command()
@click.option("--days", type=click.IntRange(min=1), required=True, help="Durée de conservation, en jours.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Dossier des rapports ; celui des réglages."
)
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
def purge(days: int, folder: Path | None, address: str | None) -> int:
    """Supprime les demandes faites au service et terminées depuis plus longtemps, avec leurs fichiers.

    Les lots ne sont pas touchés : leurs fichiers sont dans un dossier que leur auteur a choisi.
    """
    from workbench.registry import open_registry
    from workbench.reports.jobs_purge import purge_requests
    from workbench.reports.jobs_tables import ROOM

    with open_registry(address, rooms=[ROOM]) as registry:
        gone = purge_requests(registry, timedelta(days=days), (folder or settings().reports) / "api")
    say(f"{gone} demandes supprimées." if gone > 1 else f"{gone} demande supprimée.")
    return ExitCode.OK

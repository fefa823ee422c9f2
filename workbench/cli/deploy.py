"""``workbench deploy``: the files of an installation."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]


@click.group()
def command() -> None:
    """Les fichiers d'une installation : systemd, nginx, Apache, conteneurs."""


@command.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Dossier.")
@click.option("--domain", required=True, help="Nom que connaissent les personnes : atelier.exemple.fr.")
@click.option("--issuer", default="", help="Adresse de l'émetteur d'identités.")
@click.option(
    "--prefix", default="/usr/local/lib/workbench", show_default=True, help="Environnement Python où est le produit."
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processus de rapports.")
@click.option(
    "--memory",
    type=click.IntRange(2, 4096),
    default=8,
    show_default=True,
    help="Gio des tableaux, et de la production.",
)
@click.option("--replace", is_flag=True, help="Remplace les fichiers qui y sont déjà et diffèrent.")
def files(folder: Path, domain: str, issuer: str, prefix: str, workers: int, memory: int, replace: bool) -> int:
    """Écrit dans un dossier les fichiers d'une installation, à relire puis à poser à leur place.

    \b
    workbench deploy files --to installation --domain atelier.exemple.fr --issuer https://connexion.exemple.fr/realms/ca
    """
    from workbench.deployment.files import Installation, write_files

    installation = Installation(
        domain=domain, issuer=issuer, prefix=prefix, workers=workers, dashboards_memory=memory, worker_memory=memory
    )
    for path in write_files(installation, folder, replace=replace):
        click.echo(path)
    say("docs/exploitation.md dit où va chacun.")
    return ExitCode.OK

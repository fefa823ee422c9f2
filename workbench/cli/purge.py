"""``workbench purge``: what is past its duration is deleted, and the journal says so."""

from __future__ import annotations

from getpass import getuser

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]

_NAMES = {
    "journal": "journal du magasin, lignes",
    "expired": "magasin, ce qui a expiré",
    "reports": "rapports demandés au service",
    "uploads": "dépôt, envois transmis (zone de travail)",
    "comments": "commentaires",
}


@click.command()
@click.option(
    "--email", default=getuser, show_default="votre nom sur cette machine", help="Qui l'ordonne : adresse du journal."
)
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
def command(email: str, address: str | None) -> int:
    """Supprime ce dont la durée de conservation est passée ; le journal du magasin garde trace de chaque purge.

    Les durées sont des réglages, en jours : WORKBENCH_CONSERVATION_JOURNAL, _EXPIRES, _RAPPORTS, _DEPOT et
    _COMMENTAIRES ; « illimitee » garde sans limite.
    """
    from workbench.duties import purge_all

    for each in purge_all(email, address=address):
        kept = "conservés sans limite" if each.days is None else f"{each.count} supprimés ({each.days} jours)"
        say(f"{_NAMES[each.name]} : {kept}")
    return ExitCode.OK

"""``workbench base publish``: which budgets of the base each badge shows."""

from __future__ import annotations

from getpass import getuser

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, say

__all__ = ["publish"]


@click.command()
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
@click.option("--email", default=getuser, show_default="votre nom sur cette machine", help="Adresse du journal.")
@base_option
def publish(address: str | None, email: str, base: str) -> int:
    """Publie au magasin, budget par budget, les badges qui le montrent : son département et sa nomenclature.

    Une base de données ouvertes est visible de tous et n'en a pas besoin. À refaire après chaque import de comptes
    qui ne sont pas publiés : ce qui est déjà au magasin y reste.
    """
    from workbench.dgfip import connect
    from workbench.reports.visible_budgets import publish_budgets
    from workbench.store import open_store

    with connect(base) as opened, open_store(address) as store:
        count = publish_budgets(store, opened, email)
    say(f"{count} fiches ajoutées au magasin." if count > 1 else f"{count} fiche ajoutée au magasin.")
    return ExitCode.OK

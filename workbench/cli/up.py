"""``workbench up``: the dashboards and the services, in the foreground."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings

__all__ = ["command"]

_DEMONSTRATION = Path("demo/base.duckdb")


@click.command()
@click.option("--port", default=8866, show_default=True, help="Port.")
@click.option(
    "--base", default=None, show_default="WORKBENCH_BASE, base.duckdb ou la démonstration", help="Base comptable."
)
def command(port: int, base: str | None) -> int:
    """Sert les tableaux de bord sur cette machine ; Ctrl-C pour arrêter.

    Dès qu'une personne a un compte (workbench user add), sert aussi, à la même adresse, le magasin d'objets et
    les rapports à la demande.
    """
    from workbench.dashboards.server import serve
    from workbench.server import opened_services

    chosen = base or settings().base
    if base is None and not Path(chosen).exists() and _DEMONSTRATION.exists():
        say("Base de démonstration : toutes les communes sont fictives.")
        chosen = str(_DEMONSTRATION)
    serve(port=port, base=chosen, services=partial(opened_services, base=chosen))
    return ExitCode.OK

"""``workbench up``: the dashboards and the services, in the foreground."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings
from workbench.config.reading import text_of
from workbench.errors import WorkbenchError

__all__ = ["command"]

_DEMONSTRATION = Path("demo")


@click.command()
@click.option("--port", default=8866, show_default=True, help="Port.")
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="Adresse d'écoute ; une autre que celle de cette machine demande un émetteur (WORKBENCH_ISSUER).",
)
@click.option(
    "--base", default=None, show_default="WORKBENCH_BASE, base.duckdb ou la démonstration", help="Base comptable."
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=1,
    show_default=True,
    help="Processus qui produisent les rapports demandés ; 0 s'ils le sont ailleurs, par workbench worker.",
)
def command(port: int, address: str, base: str | None, workers: int) -> int:
    """Sert les tableaux de bord sur cette machine ; Ctrl-C pour arrêter.

    Dès qu'une personne a un compte (workbench user add), il faut se connecter, et le magasin d'objets, les rapports
    à la demande et les commentaires répondent aussi à cette adresse à qui a un jeton. Sans base, mais après
    « workbench demo », sert le dossier de la démonstration, et lui seul, à ses trois personnes.
    """
    from workbench.cli.demo_companies import has_demonstration_people
    from workbench.dashboards.server import serve
    from workbench.server import opened_services

    chosen = base or settings().base
    if base is None and not Path(chosen).exists() and (_DEMONSTRATION / "base.duckdb").exists():
        say("Démonstration : communes, entreprises et personnes sont fictives.")
        chosen = str(_DEMONSTRATION / "base.duckdb")
        _use_demonstration()
    elif has_demonstration_people():
        raise WorkbenchError("comptes_de_demonstration")
    serve(port=port, address=address, base=chosen, services=partial(opened_services, base=chosen), workers=workers)
    return ExitCode.OK


def _use_demonstration() -> None:
    """Name the registry and the history of the demonstration, for this server and what it starts."""
    from workbench.cli.demo_companies import PEOPLE, REGISTRY

    registry = _DEMONSTRATION / REGISTRY
    if text_of("WORKBENCH_REGISTRE") or text_of("WORKBENCH_ISSUER") or not registry.exists():
        return
    os.environ["WORKBENCH_REGISTRE"] = str(registry.absolute())
    os.environ.setdefault(
        "WORKBENCH_HISTORIQUE", str((_DEMONSTRATION / "entreprises" / "historique.duckdb").absolute())
    )
    say(f"  {each.email}  « {each.password} »  {each.sees}" for each in PEOPLE)

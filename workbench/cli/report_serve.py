"""``workbench report serve``: the reports over HTTP, alone, and workers that make them."""

from __future__ import annotations

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option
from workbench.cli.report_batch import kernel_option

__all__ = ["serve"]


@click.command()
@click.option("--port", default=8869, show_default=True, help="Port ; l'émetteur de cette machine prend le suivant.")
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    help="Nombre de processus qui produisent les rapports ; un par processeur sans cette option, 0 pour aucun.",
)
@kernel_option
@base_option
def serve(port: int, workers: int | None, kernel: str, base: str) -> int:
    """Sert les rapports par HTTP, aux adresses de l'ancienne application ; Ctrl-C pour arrêter.

    On s'y identifie par l'adresse et le mot de passe d'une personne de cette machine (« workbench user add »), ou par
    un jeton de l'émetteur de WORKBENCH_ISSUER. Chacun ne voit que ses demandes.
    """
    from workbench.logs import announce, configure_logs
    from workbench.machine import processors
    from workbench.reports.server import serve_reports
    from workbench.watching.alone import watched

    configure_logs()
    size = processors() if workers is None else workers
    serve_reports(
        port=port,
        base=base,
        workers=size,
        kernel=kernel or None,
        watched=lambda application: watched(application, "/rapports", base),
        ready=lambda url: announce(f"Rapports : {url}  (Ctrl-C pour arrêter)"),
    )
    return ExitCode.OK

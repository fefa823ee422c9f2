"""``workbench worker``: makes on this machine the reports that were entrusted to any."""

from __future__ import annotations

import signal
import threading

import click

from workbench.cli.exits import ExitCode
from workbench.cli.report_batch import kernel_option, workers_option

__all__ = ["command"]


@click.command()
@workers_option
@kernel_option
def command(workers: int | None, kernel: str) -> int:
    """Produit les rapports confiés aux machines partagées ; Ctrl-C pour arrêter.

    Les machines ont en commun le registre (WORKBENCH_REGISTRE, en PostgreSQL), la base comptable et le
    dossier des rapports, sous les mêmes chemins. Avec un serveur de messages RabbitMQ (WORKBENCH_BROKER), les
    processus apprennent de lui ce qu'il y a à faire ; sinon ils regardent le registre chaque seconde.
    """
    from workbench.logs import announce, configure_logs
    from workbench.machine import processors
    from workbench.registry import open_registry
    from workbench.reports.attending import Attendant
    from workbench.reports.jobs_pool import pool
    from workbench.reports.jobs_tables import ROOM
    from workbench.reports.schedules import ROOM as SCHEDULES

    configure_logs()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with open_registry(rooms=[ROOM, SCHEDULES]) as registry:
        size = workers or processors()
        attendant = Attendant(registry, announce)
        with pool(registry, None, size, kernel or None) as running:
            announce(f"Prêt : {size} processus, registre {attendant.place}.")
            while not stopped.wait(1.0):
                attendant.look(running)
    return ExitCode.OK

"""``workbench worker``: makes on this machine the reports that were entrusted to any."""

from __future__ import annotations

import logging
import signal
import threading

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.cli.report_batch import kernel_option, workers_option

__all__ = ["command"]

log = logging.getLogger(__name__)


@click.command()
@workers_option
@kernel_option
def command(workers: int | None, kernel: str) -> int:
    """Produit les rapports confiés aux machines partagées ; Ctrl-C pour arrêter.

    Les machines ont en commun le registre (WORKBENCH_REGISTRE, en PostgreSQL), la base comptable et le
    dossier des rapports, sous les mêmes chemins. Avec un serveur de messages RabbitMQ (WORKBENCH_BROKER), les
    processus apprennent de lui ce qu'il y a à faire ; sinon ils regardent le registre chaque seconde.
    """
    from workbench.errors import WorkbenchError
    from workbench.registry import open_registry
    from workbench.reports.batch import conclude_shared
    from workbench.reports.jobs_announce import Announcer, configured_broker, place_remark
    from workbench.reports.jobs_pool import pool, processors
    from workbench.reports.jobs_tables import ROOM
    from workbench.reports.jobs_worker import PASSING
    from workbench.reports.schedules import ROOM as SCHEDULES
    from workbench.reports.schedules import run_due

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with open_registry(rooms=[ROOM, SCHEDULES]) as registry:
        size = workers or processors()
        broker = configured_broker()
        announcer = None if broker is None else Announcer(registry, broker, say)
        messages = "" if broker is None else f", messages {broker.place}"
        say(filter(None, [place_remark(registry)]))
        if announcer is not None:
            announcer.check()
        with pool(registry, None, size, kernel or None) as running:
            say(f"Prêt : {size} processus, registre {registry.place}{messages}.")
            while not stopped.wait(1.0):
                running.mend()
                try:
                    if announcer is not None:
                        announcer.look()
                    conclude_shared(registry)
                    run_due(registry)
                except WorkbenchError as error:
                    if error.code not in PASSING:
                        raise
                    log.warning("%s", error.message)
    return ExitCode.OK

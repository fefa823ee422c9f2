"""``workbench report schedule``: batches that start by themselves, each month or at any date that a cron can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, say
from workbench.cli.report_batch import batch_options
from workbench.config import settings

if TYPE_CHECKING:
    from workbench.registry import Registry

__all__ = ["schedule"]


@click.group()
def schedule() -> None:
    """Les lots qui partent d'eux-mêmes : chaque mois, ou aux dates que dit un cron.

    Ils partent là où tourne « workbench worker », une fois chacun. Un départ manqué est rattrapé une fois.
    """


@contextmanager
def _registry() -> Iterator[Registry]:
    from workbench.registry import open_registry
    from workbench.reports.jobs_tables import ROOM
    from workbench.reports.schedules import ROOM as SCHEDULES

    with open_registry(rooms=[ROOM, SCHEDULES]) as registry:
        yield registry


def _date(moment: datetime) -> str:
    from workbench.reports.cron import ZONE

    return f"{moment.astimezone(ZONE):%d/%m/%Y à %Hh%M}"


@schedule.command()
@batch_options
@click.option(
    "--cron",
    required=True,
    help="Minute, heure, jour du mois, mois, jour de la semaine, à l'heure de Paris : « 0 6 1 * * » est le 1er à 6 h.",
)
@base_option
def add(
    liste: Path,
    trame: str,
    target: Path,
    formats: tuple[str, ...],
    model: Path | None,
    notebook: Path | None,
    nomenclature: str | None,
    prefix: str,
    shown: tuple[str, ...],
    cron: str,
    base: str,
) -> int:
    """Planifie un lot ; la liste est relue à chaque départ, qui écrit dans un dossier à sa date.

    \b
    workbench report schedule add liste.xlsx --trame trames/ofgl_agregats.yaml --to rapports --cron "0 6 1 * *"
    """
    from workbench.reports.schedules import add_schedule

    with _registry() as registry:
        kept = add_schedule(
            registry,
            liste,
            cron=cron,
            trame=trame,
            to=target,
            author=settings().email,
            base=base,
            formats=formats,
            model=model,
            notebook=notebook,
            nomenclature=nomenclature,
            prefix=prefix,
            shown=shown,
        )
    click.echo(kept.id)
    say(f"Premier départ : {_date(kept.due)}, heure de Paris, si « workbench worker » tourne.")
    return ExitCode.OK


@schedule.command("list")
def list_() -> int:
    """Liste vos planifications : identifiant, cron, prochain départ, liste, ce qu'a donné le dernier départ.

    Sortie : des lignes séparées par des tabulations.
    """
    from workbench.reports.schedules import schedules_of

    with _registry() as registry:
        for each in schedules_of(registry, settings().email):
            due = "en pause" if each.paused else _date(each.due)
            last = ""
            if each.last is not None:
                became = f"lot {each.batch}" if each.batch else f"échec, {' '.join(each.cause.split())}"
                last = f"{_date(each.last)} : {became}"
            click.echo(f"{each.id}\t{each.cron}\t{due}\t{each.name}\t{last}")
    return ExitCode.OK


@schedule.command()
@click.argument("planification", metavar="PLANIFICATION")
def remove(planification: str) -> int:
    """Retire une planification ; les lots déjà partis restent."""
    from workbench.reports.schedules import remove_schedule

    with _registry() as registry:
        found = remove_schedule(registry, planification, settings().email)
    say(f"Retirée : {found.name}, {found.cron}.")
    return ExitCode.OK


@schedule.command()
@click.argument("planification", metavar="PLANIFICATION")
def pause(planification: str) -> int:
    """Suspend une planification."""
    from workbench.reports.schedules import pause_schedule

    with _registry() as registry:
        found = pause_schedule(registry, planification, settings().email)
    say(f"En pause : {found.name}. Reprendre : workbench report schedule resume {found.id}")
    return ExitCode.OK


@schedule.command()
@click.argument("planification", metavar="PLANIFICATION")
def resume(planification: str) -> int:
    """Reprend une planification suspendue ; les départs de la pause ne sont pas rattrapés."""
    from workbench.reports.schedules import resume_schedule

    with _registry() as registry:
        found = resume_schedule(registry, planification, settings().email)
    say(f"Prochain départ de {found.name} : {_date(found.due)}.")
    return ExitCode.OK

"""``workbench report publish, published, fetch, withdraw``: reports in the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import settings

if TYPE_CHECKING:
    from workbench.reports.published import PublishedReport
    from workbench.reports.report import ReportResult

__all__ = ["fetch", "publish", "publish_one", "published", "readers_options", "withdraw"]

Command = TypeVar("Command", bound=Callable[..., Any])


def readers_options(function: Command) -> Command:
    """Add the options that say for whom a report is, and when."""
    function = click.option(
        "--release", metavar="DATE", help="Quand ces lecteurs le verront : 2030-01-31T08:00:00+01:00."
    )(function)
    function = click.option("--everyone", is_flag=True, help="Ouvert à toute personne qui a un compte.")(function)
    return click.option(
        "--badge", "badges", multiple=True, help="Un badge que ses lecteurs doivent avoir ; à répéter : tous."
    )(function)


_author = click.option("--author", help="Adresse de son auteur.")
_version = click.option("--version", help="Une version ; la dernière publiée sans cette option.")
_name = click.argument("name", metavar="RAPPORT")


def _scope(badges: tuple[str, ...], everyone: bool) -> list[str] | None:
    if badges and everyone:
        raise click.UsageError("Choisissez des lecteurs : --badge ou --everyone, l'un des deux.")
    return list(badges) if badges else [] if everyone else None


def publish_one(
    report: ReportResult | Path, badges: tuple[str, ...], *, everyone: bool, release: str | None, base: str | None
) -> None:
    """Publish a report and say under which name."""
    from workbench.reports import publish_report

    _tell(publish_report(report, badges=_scope(badges, everyone), release=release, base=base))


def _line(text: str) -> str:
    """Write another person's words on one line, without what a terminal would obey."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _tell(report: PublishedReport) -> None:
    say(f"Publié : {report.name}, version {report.version}")


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@readers_options
@click.option("--expires", metavar="DATE", help="Quand il cessera d'être lisible.")
def publish(
    sources: tuple[str, ...], badges: tuple[str, ...], everyone: bool, release: str | None, expires: str | None
) -> int:
    """Publie des rapports déjà faits : le .json écrit à côté de leurs fichiers, ou l'identifiant d'un lot.

    Sans --badge ni --everyone, un rapport publié n'est lisible que de son auteur. Publier de nouveau sous le même nom
    ajoute une version ; les précédentes restent lisibles de ceux qui les lisaient.

    \b
    workbench report publish rapports/m14_basique_21310900200013_2011_2018.json --badge bfc
    """
    from workbench.reports import publish_report

    scope = _scope(badges, everyone)
    code = ExitCode.OK
    for source in sources:
        if source.endswith(".json"):
            _tell(publish_report(source, badges=scope, release=release, expires=expires))
        elif not _publish_batch(source, scope, release, expires):
            code = ExitCode.FINDINGS
    return code


def _publish_batch(lot: str, scope: list[str] | None, release: str | None, expires: str | None) -> bool:
    """Publish the reports of a batch that are done; say which ones cannot be. Again, it goes on where it was."""
    from workbench.errors import WorkbenchError
    from workbench.registry import open_registry
    from workbench.reports.jobs import find_batch, jobs_of
    from workbench.reports.jobs_tables import ROOM, JobState
    from workbench.reports.publishing import publish_job
    from workbench.store import my_store

    author = settings().email
    with open_registry(rooms=[ROOM]) as registry:
        jobs = jobs_of(registry, author, batch=find_batch(registry, lot, author).id)
    done = [job for job in jobs if job.state is JobState.DONE]
    refused = 0
    with my_store() as store:
        for job in done:
            try:
                publish_job(job, badges=scope, release=release, expires=expires, store=store)
            except WorkbenchError as error:
                if error.code != "rapport_non_publiable":
                    raise
                refused += 1
                say(f"Ligne {job.position + 1} : {error.message}")
    count = len(done) - refused
    say(f"Publiés : {count} rapports du lot." if count > 1 else f"Publié : {count} rapport du lot.")
    return not refused


@click.command()
@click.option("--name", help="Les versions de ce rapport seulement.")
@_author
@click.option("--mine", is_flag=True, help="Les vôtres seulement.")
@click.option("--trame", help="Ceux de cette trame (son code).")
@click.option("--siret", help="Ceux de ce budget.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Nombre de rapports.")
def published(
    name: str | None, author: str | None, mine: bool, trame: str | None, siret: str | None, limit: int
) -> int:
    """Liste les rapports publiés que vous voyez, les derniers publiés d'abord.

    Sortie : des lignes séparées par des tabulations : rapport, version, auteur, titre, trame, exercices, fichiers.
    """
    from workbench.reports import published_reports

    if mine and author:
        raise click.UsageError("Choisissez un auteur : --mine ou --author, l'un des deux.")
    found = published_reports(name=name, author=author, mine=mine, trame=trame, siret=siret, limit=limit)
    for each in found:
        years = f"{each.card.get('exercice_min')}-{each.card.get('exercice_max')}"
        cells = [each.name, each.version, each.author, each.title, str(each.card.get("trame") or "BALANCE"), years]
        click.echo("\t".join(_line(cell) for cell in (*cells, ", ".join(each.files))))
    return ExitCode.OK if found else ExitCode.EMPTY


@click.command()
@_name
@_author
@_version
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=lambda: settings().reports,
    show_default="WORKBENCH_REPORTS ou rapports",
    help="Dossier des fichiers.",
)
def fetch(name: str, author: str | None, version: str | None, target: Path) -> int:
    """Écrit les fichiers d'un rapport publié : valeurs (.json), classeur, page.

    Les chemins des fichiers sont écrits sur la sortie standard.
    """
    from workbench.reports import published_report

    found = published_report(name, author=author, version=version)
    say(_line(f"{found.title}, version {found.version}, de {found.author}"))
    for path in found.save(target).values():
        click.echo(str(path))
    return ExitCode.OK


@click.command()
@_name
@_version
def withdraw(name: str, version: str | None) -> int:
    """Retire un de vos rapports publiés, ou une de ses versions, de la vue de tous."""
    from workbench.errors import WorkbenchError
    from workbench.reports import published_reports

    found = published_reports(name=name, mine=True, limit=1000)
    chosen = [each for each in found if version in (None, each.version)]
    if not chosen:
        raise WorkbenchError("rapport_inconnu", rapport=name)
    for each in chosen:
        each.withdraw()
    count = len(chosen)
    say(f"Retirés : {count} versions de {name}." if count > 1 else f"Retirée : une version de {name}.")
    return ExitCode.OK

"""``workbench report batch, resume, status, cancel, retry``: reports by the thousand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, existing_file, say
from workbench.cli.progress import count_bar
from workbench.config import settings

if TYPE_CHECKING:
    from workbench.registry import Registry
    from workbench.reports.batch import BatchResult
    from workbench.reports.jobs import Batch
    from workbench.reports.jobs_tables import JobState

__all__ = ["batch", "batch_options", "cancel", "kernel_option", "resume", "retry", "status", "workers_option"]

workers_option = click.option(
    "--workers", type=click.IntRange(1, 64), help="Nombre de processus ; un par processeur sans cette option."
)

kernel_option = click.option(
    "--kernel",
    default=lambda: settings().kernel,
    show_default="WORKBENCH_NOYAU, sinon un noyau préparé",
    help="Noyau Jupyter qui exécute les notebooks.",
)


def _registry() -> Registry:
    from workbench.registry import open_registry
    from workbench.reports.jobs_tables import ROOM

    return open_registry(rooms=[ROOM])


Command = TypeVar("Command", bound=Callable[..., Any])


def batch_options(function: Command) -> Command:
    """Declare what a batch is made of: its list, its trame, its folder, what each report is."""
    options = [
        click.argument("liste", metavar="LISTE", type=click.Path(path_type=Path)),
        click.option("--trame", required=True, help="Fichier ou code de la trame."),
        click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="Dossier des fichiers."),
        click.option(
            "--format",
            "formats",
            type=click.Choice(["excel", "notebook", "html", "pdf"]),
            multiple=True,
            default=["excel"],
            show_default=True,
            help="Ce qu'il faut produire ; peut se répéter. Le classeur seul n'exécute aucun notebook.",
        ),
        click.option("--model", type=existing_file, help="Classeur modèle (.xlsx) à remplir."),
        click.option("--notebook", type=existing_file, help="Notebook de rapport, autre que celui livré."),
        click.option("--nomenclature", help="Nomenclature des budgets ; « toutes » pour n'en écarter aucune."),
        click.option("--prefix", default="", help="Début du nom des fichiers."),
        click.option(
            "--indicateur", "shown", multiple=True, help="Indicateur à montrer dans l'index ; peut se répéter."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@batch_options
@workers_option
@kernel_option
@click.option(
    "--shared", is_flag=True, help="Confie les rapports aux machines où tourne « workbench worker », et rend la main."
)
@base_option
def batch(
    liste: Path,
    trame: str,
    target: Path,
    formats: tuple[str, ...],
    model: Path | None,
    notebook: Path | None,
    nomenclature: str | None,
    prefix: str,
    shown: tuple[str, ...],
    workers: int | None,
    kernel: str,
    shared: bool,
    base: str,
) -> int:
    """Produit un rapport par ligne d'une liste (.xlsx ou .csv).

    Colonnes : IDENTIFIANT (un SIRET), EXERCICE_MIN, EXERCICE_MAX, et si l'on veut CODE_DEPARTEMENT et
    LIBELLE_DE_BUDGET. Ctrl-C interrompt ; « workbench report resume » reprend là où l'on en était.

    \b
    workbench report batch liste.xlsx --trame trames/ofgl_agregats.yaml --to rapports/campagne
    """
    from workbench.reports.batch import submit_batch

    with _registry() as registry:
        kept = submit_batch(
            registry,
            liste,
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
            shared=shared,
        )
        if shared:
            from workbench.reports.jobs_announce import place_remark

            click.echo(kept.id)
            say(filter(None, [place_remark(registry)]))
            say(f"Suivre : workbench report status {kept.id}")
            return ExitCode.OK
        return _run(registry, kept, workers, kernel)


def _run(registry: Registry, kept: Batch, workers: int | None, kernel: str) -> int:
    from workbench.reports.batch import run_batch
    from workbench.reports.jobs_tables import ENDED

    say(f"Lot {kept.id}")
    try:
        with count_bar("Rapports") as advance:

            def progress(now: Mapping[JobState, int]) -> None:
                advance(sum(number for state, number in now.items() if state in ENDED), sum(now.values()), _said(now))

            result = run_batch(registry, kept, workers=workers, kernel=kernel or None, progress=progress)
    except KeyboardInterrupt:
        say(f"Interrompu. Reprendre : workbench report resume {kept.id}")
        return ExitCode.INTERRUPTED
    return _tell(result)


def _tell(result: BatchResult) -> int:
    from workbench.reports.jobs_tables import JobState

    say(_said(result.counts))
    click.echo(str(result.log))
    click.echo(str(result.index))
    return ExitCode.FINDINGS if result.counts[JobState.FAILED] else ExitCode.OK


def _said(now: Mapping[JobState, int]) -> str:
    return ", ".join(f"{state.libelle.lower()} : {number}" for state, number in now.items() if number)


@click.command()
@click.argument("lot", metavar="LOT")
@workers_option
@kernel_option
def resume(lot: str, workers: int | None, kernel: str) -> int:
    """Reprend un lot interrompu : ce qui est fait le reste."""
    from workbench.reports.jobs import find_batch

    with _registry() as registry:
        return _run(registry, find_batch(registry, lot, settings().email), workers, kernel)


@click.command()
@click.argument("lot", metavar="[LOT]", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Nombre de lots à montrer.")
def status(lot: str | None, limit: int) -> int:
    """Dit où en sont vos rapports : vos lots, ou chaque ligne de l'un d'eux.

    Sortie : des lignes séparées par des tabulations. Avec un lot : ligne, état, fichiers, cause.
    """
    from workbench.reports.jobs import batches_of, counts, find_batch, jobs_of

    author = settings().email
    with _registry() as registry:
        if lot is None:
            for each in batches_of(registry, author, limit=limit):
                when = f"{each.created.astimezone():%d/%m/%Y %H:%M}"
                click.echo("\t".join([each.id, when, each.name, _said(counts(registry, each.id))]))
            return ExitCode.OK
        found = find_batch(registry, lot, author)
        for job in jobs_of(registry, author, batch=found.id):
            cause = " ".join(job.cause.split())
            click.echo("\t".join([str(job.position + 1), job.state.libelle, ", ".join(job.files.values()), cause]))
        say(_said(counts(registry, found.id)))
    return ExitCode.OK


@click.command()
@click.argument("lot", metavar="LOT")
def cancel(lot: str) -> int:
    """Annule ce qui reste d'un lot ; ce qui est fait le reste, et le journal le dit."""
    from workbench.reports.batch import conclude_batch
    from workbench.reports.jobs import cancel as cancel_jobs
    from workbench.reports.jobs import find_batch

    author = settings().email
    with _registry() as registry:
        found = find_batch(registry, lot, author)
        say(f"Annulés : {cancel_jobs(registry, author, batch=found.id)}")
        conclude_batch(registry, found)
    return ExitCode.OK


@click.command()
@click.argument("lot", metavar="LOT")
@workers_option
@kernel_option
def retry(lot: str, workers: int | None, kernel: str) -> int:
    """Recommence ce qui a échoué ou a été annulé dans un lot."""
    from workbench.reports.jobs import find_batch
    from workbench.reports.jobs import retry as retry_jobs

    author = settings().email
    with _registry() as registry:
        found = find_batch(registry, lot, author)
        retry_jobs(registry, author, batch=found.id)
        if found.shared:
            # A worker writes it again at the end.
            (found.folder / f"{found.log}.xlsx").unlink(missing_ok=True)
            return ExitCode.OK
        return _run(registry, found, workers, kernel)

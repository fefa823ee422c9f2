"""``workbench report``: workbooks, notebooks and pages."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, exercices_option, existing_file, say
from workbench.cli.progress import progress_bar
from workbench.cli.report_batch import batch, cancel, resume, retry, status
from workbench.cli.report_published import fetch, publish, publish_one, published, readers_options, withdraw
from workbench.cli.report_purge import purge
from workbench.cli.report_schedule import schedule
from workbench.cli.report_serve import serve
from workbench.config import settings

__all__ = ["command"]

_folder = click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=lambda: settings().reports,
    show_default="WORKBENCH_REPORTS ou rapports",
    help="Dossier des fichiers.",
)


@click.group()
def command() -> None:
    """Les rapports : tableau, classeur, notebook, balance ; un seul, ou par lots."""


for _other in (batch, resume, status, cancel, retry, schedule, serve, publish, published, fetch, withdraw, purge):
    command.add_command(_other)


@command.command()
@click.option("--trame", required=True, help="Fichier ou code de la trame.")
@click.option(
    "--siret", "sirets", multiple=True, required=True, help="SIRET ; peut se répéter : les budgets sont additionnés."
)
@exercices_option
@_folder
@click.option("--model", type=existing_file, help="Classeur modèle (.xlsx) à remplir.")
@click.option("--notebook", type=existing_file, help="Notebook de rapport, autre que celui livré.")
@click.option(
    "--compare",
    is_flag=True,
    help="Met les budgets côte à côte, par habitant et avec leur strate, au lieu de les additionner.",
)
@click.option("--nomenclature", help="Nomenclature des budgets ; « toutes » pour n'en écarter aucune.")
@click.option("--excel/--no-excel", default=True, show_default=True, help="Écrit le classeur.")
@click.option("--html/--no-html", default=True, show_default=True, help="Écrit la page HTML.")
@click.option("--pdf/--no-pdf", default=False, show_default=True, help="Écrit le PDF (demande Chromium).")
@click.option("--publish", "published_too", is_flag=True, help="Le publie aussi, pour vous seul sans autre option.")
@readers_options
@base_option
def run(
    trame: str,
    sirets: tuple[str, ...],
    exercices: list[int],
    target: Path,
    model: Path | None,
    notebook: Path | None,
    compare: bool,
    nomenclature: str | None,
    excel: bool,
    html: bool,
    pdf: bool,
    published_too: bool,
    badges: tuple[str, ...],
    everyone: bool,
    release: str | None,
    base: str,
) -> int:
    """Évalue une trame et rend un rapport : classeur, notebook exécuté, page HTML, PDF.

    Les chemins des fichiers sont écrits sur la sortie standard.

    \b
    workbench report run --trame trames/m14_basique.yaml --siret 21310900200013 --exercices 2011-2018
    """
    from workbench.reports import State, run_report

    if exercices != list(range(exercices[0], exercices[-1] + 1)):
        raise click.UsageError(f"Un rapport porte sur une période sans trou : {exercices[0]}-{exercices[-1]}.")

    if not published_too and (badges or everyone or release):
        raise click.UsageError("Ces lecteurs sont ceux d'un rapport publié : ajoutez --publish.")
    with progress_bar("Rapport") as progress:
        result = run_report(
            trame=trame,
            base=base,
            sirets=sirets,
            exercices=exercices,
            to=target,
            notebook=notebook,
            model=model,
            compare=compare,
            nomenclature=nomenclature,
            excel=excel,
            html=html,
            pdf=pdf,
            progress=progress,
        )
    say(result.warnings)
    for path in result.files.values():
        click.echo(str(path))
    if result.state is State.DONE:
        if published_too:
            publish_one(result, badges, everyone=everyone, release=release, base=base)
        return ExitCode.OK
    say(result.message)
    return ExitCode.EMPTY if result.state is State.EMPTY else ExitCode.REFUSED


@command.command()
@click.option("--siret", "sirets", multiple=True, help="SIRET ; peut se répéter.")
@click.option("--siren", "sirens", multiple=True, help="SIREN : tous ses budgets ; peut se répéter.")
@exercices_option
@_folder
@base_option
def balance(sirets: tuple[str, ...], sirens: tuple[str, ...], exercices: list[int], target: Path, base: str) -> int:
    """Écrit le classeur des balances de comptes de quelques budgets."""
    from workbench.dgfip import connect
    from workbench.reports import write_balance

    if bool(sirets) == bool(sirens):
        raise click.UsageError("Choisissez des collectivités : --siret ou --siren, l'un des deux.")
    if not target.suffix:
        target.mkdir(parents=True, exist_ok=True)
    with connect(base) as opened:
        path = write_balance(opened, sirets or None, exercices, target, sirens=sirens or None)
    click.echo(str(path))
    return ExitCode.OK

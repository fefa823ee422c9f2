"""``workbench base``: what fills and describes the accounting base."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.base_plan import comptes, import_plan
from workbench.cli.base_publish import publish
from workbench.cli.base_query import queries, query, sql
from workbench.cli.exits import ExitCode
from workbench.cli.options import EXERCICES, base_option, exercices_option, existing_file, say

__all__ = ["command"]


@click.group()
def command() -> None:
    """La base comptable : importer, télécharger, contrôler, décrire."""


@command.command("import")
@click.argument("files", metavar="[FICHIER]...", nargs=-1, type=existing_file)
@click.option("--execution", type=existing_file, help="Base CCI : fichier des mouvements (execution).")
@click.option("--collectivite", type=existing_file, help="Base CCI : fichier des budgets (collectivite).")
@click.option("--comptes", type=existing_file, help="Libellés des comptes (comptes, libelles).")
@click.option(
    "--population", multiple=True, type=existing_file, help="Populations : siren ou code commune, exercice, population."
)
@click.option("--epci", multiple=True, type=existing_file, help="Membres des EPCI : siren, siren_membre, exercice.")
@click.option(
    "--epci-exercices",
    type=EXERCICES,
    help="Exercices des listes de membres qui ne les disent pas : 2016-2019.",
)
@click.option(
    "--reference",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier des tables de référence d'une base CCI.",
)
@base_option
def import_(
    files: tuple[Path, ...],
    execution: Path | None,
    collectivite: Path | None,
    comptes: Path | None,
    population: tuple[Path, ...],
    epci: tuple[Path, ...],
    epci_exercices: list[int] | None,
    reference: Path | None,
    base: str,
) -> int:
    """Importe des balances ouvertes de la DGFIP (csv, csv.gz, parquet) ou une base CCI.

    \b
    workbench base import balances_2019.csv balances_2020.csv.gz --population populations.csv
    workbench base import --execution execution.csv --collectivite collectivite.csv --comptes comptes.csv
    """
    from workbench.dgfip import (
        connect,
        import_balances,
        import_cci,
        import_comptes,
        import_epci,
        import_population,
        import_reference,
    )

    if (execution is None) != (collectivite is None):
        raise click.UsageError("--execution et --collectivite vont ensemble.")
    if not (files or execution or comptes or population or epci or reference):
        raise click.UsageError("Donnez au moins un fichier à importer.")
    with connect(base, read_only=False) as opened:
        if files:
            say(str(import_balances(opened, list(files), progress=True)))
        if execution is not None and collectivite is not None:
            say(str(import_cci(opened, execution=execution, collectivite=collectivite, comptes=comptes, progress=True)))
        elif comptes is not None:
            say(str(import_comptes(opened, comptes)))
        if reference is not None:
            say(str(import_reference(opened, reference)))
        for path in population:
            say(str(import_population(opened, path)))
        for path in epci:
            say(str(import_epci(opened, path, exercices=epci_exercices)))
    return ExitCode.OK


@command.command()
@click.option("--siret", "sirets", multiple=True, help="SIRET d'un budget ; peut se répéter.")
@click.option("--siren", "sirens", multiple=True, help="SIREN : tous ses budgets ; peut se répéter.")
@click.option("--departement", "departements", multiple=True, help="Département sur trois caractères : 031, 02A, 101.")
@exercices_option
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="balances",
    show_default=True,
    help="Dossier des fichiers.",
)
@click.option("--import/--no-import", "import_too", default=False, help="Importe ensuite dans la base.")
@base_option
def download(
    sirets: tuple[str, ...],
    sirens: tuple[str, ...],
    departements: tuple[str, ...],
    exercices: list[int],
    folder: Path,
    import_too: bool,
    base: str,
) -> int:
    """Télécharge des balances du portail des données ouvertes du ministère.

    \b
    workbench base download --siren 213300635 --exercices 2019-2023 --to balances --import
    """
    from workbench.dgfip import connect, download_balances, import_balances

    if not (sirets or sirens or departements):
        raise click.UsageError("Choisissez des collectivités : --siret, --siren ou --departement.")
    report = download_balances(
        sirets=sirets, sirens=sirens, departements=departements, exercices=exercices, to=folder, progress=say
    )
    say(str(report))
    if import_too and report.paths:
        with connect(base, read_only=False) as opened:
            say(str(import_balances(opened, report.paths, progress=True)))
    return ExitCode.OK


@command.command()
@click.option(
    "--format", "format_", type=click.Choice(["text", "csv"]), default="text", show_default=True, help="Présentation."
)
@base_option
def controls(format_: str, base: str) -> int:
    """Contrôle la base : équilibres, soldes, doublons, exercices manquants, comptes inconnus.

    Le code de sortie est 5 quand un contrôle trouve quelque chose.
    """
    from workbench.dgfip import connect
    from workbench.dgfip import controls as run_controls

    with connect(base) as opened:
        report = run_controls(opened)
    if format_ == "csv":
        click.echo(report.to_frame().to_csv(index=False), nl=False)
    else:
        click.echo(str(report))
    return ExitCode.OK if report.ok else ExitCode.FINDINGS


@command.command()
@base_option
def info(base: str) -> int:
    """Décrit la base : exercices, budgets, lignes, imports, instantané."""
    from workbench.dgfip import base_info, connect

    with connect(base) as opened:
        click.echo(str(base_info(opened)))
    return ExitCode.OK


@command.command()
@click.argument("text", metavar="TEXTE")
@click.option("--limit", default=20, show_default=True, help="Nombre de lignes au plus.")
@base_option
def find(text: str, limit: int, base: str) -> int:
    """Cherche des collectivités par leur nom ou le début de leur SIRET."""
    from workbench.dgfip import connect, find_collectivites

    with connect(base) as opened:
        found = find_collectivites(opened, text, limit=limit)
    click.echo(found.to_csv(index=False, sep="\t"), nl=False)
    return ExitCode.OK if len(found) else ExitCode.EMPTY


@command.command()
@base_option
def snapshots(base: str) -> int:
    """Liste les instantanés de la base, du plus ancien au plus récent."""
    from workbench.dgfip import snapshots as list_snapshots

    for snapshot in list_snapshots(base):
        state = "courant" if snapshot.current else ""
        click.echo(f"{snapshot.id}\t{snapshot.date:%Y-%m-%d %H:%M} UTC\t{snapshot.size / 1e6:.1f} Mo\t{state}".rstrip())
    return ExitCode.OK


@command.command()
@base_option
def migrate(base: str) -> int:
    """Complète les tables d'une base plus ancienne, dans un nouvel instantané.

    Un import le fait aussi. Une base plus ancienne se lit telle quelle ; une plus récente est refusée.
    """
    from workbench.dgfip import connect
    from workbench.dgfip import migrate as run_migrate

    # Opened for reading first: migrating creates no base.
    connect(base).close()
    with connect(base, read_only=False) as opened:
        click.echo(str(run_migrate(opened)))
    return ExitCode.OK


@command.command()
@click.option("--keep", default=3, show_default=True, type=click.IntRange(min=1), help="Instantanés à garder.")
@base_option
def prune(keep: int, base: str) -> int:
    """Supprime les instantanés les plus anciens."""
    from workbench.dgfip import prune_snapshots

    removed = prune_snapshots(base, keep=keep)
    say(f"{len(removed)} instantané(s) supprimé(s).")
    return ExitCode.OK


for each in (import_plan, comptes, publish, query, queries, sql):
    command.add_command(each)

"""``workbench trame``: the files of trames."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, exercices_option, existing_file, say
from workbench.cli.trame_plan import plan
from workbench.config import settings

__all__ = ["command"]


@click.group()
def command() -> None:
    """Les trames : vérifier, évaluer, importer, exporter, comparer, lister."""


@command.command()
@click.argument("files", metavar="FICHIER...", nargs=-1, required=True, type=existing_file)
def check(files: tuple[Path, ...]) -> int:
    """Vérifie des trames (.yaml ou .xlsx) et dit toutes leurs erreurs et remarques."""
    from workbench.trames import check_trame_file

    code = ExitCode.OK
    for path in files:
        problems = check_trame_file(path)
        for problem in problems:
            click.echo(f"{path}, {problem}")
        errors = sum(problem.severity == "error" for problem in problems)
        if errors:
            code = ExitCode.FINDINGS
        say(f"{path} : {errors} erreur(s), {len(problems) - errors} remarque(s).")
    return code


@command.command("import")
@click.argument("workbook", metavar="CLASSEUR", type=existing_file)
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Fichier .yaml à écrire."
)
@click.option("--nomenclature", help="Nomenclature de la trame : M14, M57…")
def import_(workbook: Path, target: Path, nomenclature: str | None) -> int:
    """Importe un pseudo-paramétrage Excel, en tout ou rien."""
    from workbench.trames import import_pseudo_parametrage, save_trame

    trame = import_pseudo_parametrage(workbook, nomenclature=nomenclature, code=target.stem)
    save_trame(trame, target)
    say(f"{target} : {len(trame.indicateurs)} indicateurs.")
    return ExitCode.OK


@command.command()
@click.argument("source", metavar="TRAME", type=existing_file)
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Classeur .xlsx à écrire."
)
def export(source: Path, target: Path) -> int:
    """Exporte une trame en pseudo-paramétrage Excel."""
    from workbench.trames import export_pseudo_parametrage, load_trame

    export_pseudo_parametrage(load_trame(source), target)
    say(f"{target} écrit.")
    return ExitCode.OK


@command.command()
@click.argument("before", metavar="AVANT", type=existing_file)
@click.argument("after", metavar="APRES", type=existing_file)
def compare(before: Path, after: Path) -> int:
    """Compare deux trames. Le code de sortie est 5 quand elles diffèrent."""
    from workbench.trames import compare_trames, load_trame

    comparison = compare_trames(load_trame(before), load_trame(after))
    click.echo(str(comparison))
    return ExitCode.OK if comparison.same else ExitCode.FINDINGS


@command.command("list")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Dossier des trames.")
def list_(folder: Path | None) -> int:
    """Liste les trames d'un dossier."""
    from workbench.trames import list_trames

    for summary in list_trames(folder or settings().trames):
        click.echo(str(summary))
    return ExitCode.OK


@command.command()
@click.argument("source", metavar="TRAME", type=existing_file)
@click.option("--siret", "sirets", multiple=True, help="SIRET ; peut se répéter : les budgets sont additionnés.")
@click.option("--siren", "sirens", multiple=True, help="SIREN : tous ses budgets ; peut se répéter.")
@exercices_option
@base_option
def evaluate(source: Path, sirets: tuple[str, ...], sirens: tuple[str, ...], exercices: list[int], base: str) -> int:
    """Évalue une trame et écrit les valeurs en CSV sur la sortie standard."""
    from workbench.dgfip import connect
    from workbench.evaluation import evaluate as run
    from workbench.trames import load_trame

    if not (sirets or sirens):
        raise click.UsageError("Choisissez des collectivités : --siret ou --siren.")
    trame = load_trame(source)
    with connect(base) as opened:
        table = run(trame, opened, sirets=sirets or None, sirens=sirens or None, exercices=exercices)
    say(table.provenance.avertissements)
    click.echo(table.to_csv(), nl=False)
    return ExitCode.OK if table.shape[1] else ExitCode.EMPTY


command.add_command(plan)

"""``workbench trame``: the files of trames."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import EXERCICES, TRAME, base_option, exercices_option, existing_file, say
from workbench.cli.progress import progress_bar
from workbench.cli.trame_comptes import look_at_comptes, transpose
from workbench.cli.trame_files import create, delete, duplicate, rename
from workbench.cli.trame_plan import plan
from workbench.cli.trame_search import search
from workbench.cli.trame_strates import strates
from workbench.config import settings

__all__ = ["command"]


@click.group()
def command() -> None:
    """Les trames : créer, vérifier, évaluer, importer, exporter, comparer, lister."""


@command.command()
@click.argument("files", metavar="FICHIER...", nargs=-1, required=True, type=existing_file)
@click.option(
    "--plan",
    help="Plans de comptes : une base, un fichier ou un dossier. Vérifie aussi ce que les formules lisent.",
)
@click.option("--exercices", type=EXERCICES, help="Avec --plan : ces exercices seulement.")
@click.option(
    "--classes", help="Avec --plan : cherche les comptes non lus de ces classes (67) ; 0 pour ne pas les chercher."
)
def check(files: tuple[Path, ...], plan: str | None, exercices: list[int] | None, classes: str | None) -> int:
    """Vérifie des trames (.yaml ou .xlsx) et dit toutes leurs erreurs et remarques.

    Avec --plan, dit aussi les comptes comptés deux fois, les préfixes qui ne lisent aucun compte et les comptes que
    rien ne lit. Le code de sortie est 5 quand une formule est à corriger.

    \b
    workbench trame check trames/m14_basique.yaml
    workbench trame check trames/ofgl_agregats_m57.yaml --plan base.duckdb --exercices 2024
    """
    from workbench.trames import check_trame_file

    if plan is None and (exercices or classes):
        raise click.UsageError("--exercices et --classes vont avec --plan.")
    code = ExitCode.OK
    for path in files:
        problems = check_trame_file(path)
        for problem in problems:
            click.echo(f"{path}, {problem}")
        errors = sum(problem.severity == "error" for problem in problems)
        if errors:
            code = ExitCode.FINDINGS
        say(f"{path} : {errors} erreur(s), {len(problems) - errors} remarque(s).")
        if plan is not None and not errors and look_at_comptes(path, plan, exercices, classes):
            code = ExitCode.FINDINGS
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
@click.argument("source", metavar="TRAME", type=TRAME)
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Classeur .xlsx à écrire, ou archive .zip qui réunit tout.",
)
@click.option("--model", type=existing_file, help="Classeur modèle ; par défaut, celui que nomme la trame.")
@click.option("--with-formules", is_flag=True, help="Le modèle, avec la formule de chaque ligne.")
def export(source: Path, target: Path, model: Path | None, with_formules: bool) -> int:
    """Exporte une trame : pseudo-paramétrage Excel, modèle avec ses formules, ou les deux et le modèle en .zip."""
    from workbench.trames import (
        export_archive,
        export_model_with_formules,
        export_pseudo_parametrage,
        load_trame,
        modele_path,
    )

    trame = load_trame(source)
    zipped = target.suffix.lower() == ".zip"
    if model is None and (zipped or with_formules):
        model = modele_path(trame, source)
    if zipped:
        export_archive(trame, model, target)
    elif with_formules:
        if model is None:
            raise click.UsageError("La trame ne nomme aucun modèle : donnez-le par --model.")
        export_model_with_formules(trame, model, target)
    else:
        export_pseudo_parametrage(trame, target)
    say(f"{target} écrit.")
    return ExitCode.OK


@command.command()
@click.argument("before", metavar="AVANT", type=TRAME)
@click.argument("after", metavar="APRES", type=TRAME)
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
@click.argument("source", metavar="TRAME", type=TRAME)
@click.option("--siret", "sirets", multiple=True, help="SIRET ; peut se répéter : les budgets sont additionnés.")
@click.option("--siren", "sirens", multiple=True, help="SIREN : tous ses budgets ; peut se répéter.")
@click.option("--departement", "departements", multiple=True, help="Avec --to : ce département ; peut se répéter.")
@click.option("--type", "types", multiple=True, help="Avec --to : ce type d'établissement ; peut se répéter.")
@exercices_option
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Évalue chaque collectivité à part, vers un fichier .parquet, .csv ou .duckdb.",
)
@click.option("--table", help="Avec --to x.duckdb : la table à écrire. (par défaut : valeurs)")
@click.option(
    "--layout",
    type=click.Choice(["wide", "long"]),
    default="wide",
    show_default=True,
    help="Avec --to : une colonne par indicateur, ou une ligne par valeur.",
)
@base_option
def evaluate(
    source: Path,
    sirets: tuple[str, ...],
    sirens: tuple[str, ...],
    departements: tuple[str, ...],
    types: tuple[str, ...],
    exercices: list[int],
    target: Path | None,
    table: str | None,
    layout: Literal["wide", "long"],
    base: str,
) -> int:
    """Évalue une trame et écrit les valeurs en CSV sur la sortie standard.

    Les collectivités choisies sont additionnées. Avec --to, chacune est évaluée à part, toute la base
    si aucune n'est choisie, et les valeurs vont dans un fichier, entier ou pas du tout. TRAME est un fichier, ou le
    code d'une trame partagée ou privée : m14_basique, ~/essais.

    \b
    workbench trame evaluate trames/m14_basique.yaml --siret 21310900200013 --exercices 2011-2018
    workbench trame evaluate trames/m14_basique.yaml --exercices 2011-2018 --to valeurs.duckdb
    """
    from workbench.dgfip import connect, perimetre
    from workbench.evaluation import evaluate as run
    from workbench.evaluation import write_each
    from workbench.trames import load_trame

    if target is None and (departements or types or table):
        raise click.UsageError("--departement, --type et --table vont avec --to.")
    if target is None and not (sirets or sirens):
        raise click.UsageError("Choisissez des collectivités : --siret ou --siren ; ou un fichier : --to.")
    trame = load_trame(source)
    if target is not None:
        chosen = perimetre(
            sirets=sirets or None, sirens=sirens or None, departements=departements or None, types=types or None
        )
        with connect(base) as opened, progress_bar("Évaluation") as progress:

            def advance(done: int, total: int) -> None:
                progress(done, total, "")

            rows = write_each(trame, opened, target, chosen, exercices, layout=layout, table=table, progress=advance)
        say(f"{target} : {rows} lignes.")
        return ExitCode.OK if rows else ExitCode.EMPTY
    with connect(base) as opened:
        values = run(trame, opened, sirets=sirets or None, sirens=sirens or None, exercices=exercices)
    say(values.provenance.avertissements)
    click.echo(values.to_csv(), nl=False)
    return ExitCode.OK if values.shape[1] else ExitCode.EMPTY


command.add_command(plan)
command.add_command(search)
command.add_command(transpose)
command.add_command(strates)
for each in (create, rename, duplicate, delete):
    command.add_command(each)

"""``workbench trame strates``: where collectivités stand among their like."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import EXERCICES, TRAME, base_option, say
from workbench.cli.progress import progress_bar

__all__ = ["strates"]


@click.command()
@click.argument("source", metavar="TRAME", type=TRAME)
@click.option("--exercices", type=EXERCICES, help="Exercices : 2019, 2016-2019 ; tous sans cette option.")
@click.option(
    "--by",
    type=click.Choice(["strate", "departement"]),
    default="strate",
    show_default=True,
    help="Qui est comparé : même strate de population, ou même département.",
)
@click.option(
    "--echelle",
    type=click.Choice(["fiches", "dotation"]),
    default="fiches",
    show_default=True,
    help="Strates des fiches publiées, ou de l'article L. 2334-3 du CGCT.",
)
@click.option("--siret", "sirets", multiple=True, help="Donne les rangs de ce SIRET ; peut se répéter.")
@click.option("--departement", "departements", multiple=True, help="Ne compare que dans ce département : 031, 02A.")
@click.option("--type", "types", multiple=True, help="Ne compare que ce type d'établissement : 101.")
@click.option("--zeros/--no-zeros", default=True, show_default=True, help="Compte les valeurs nulles.")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Fichier .csv, .parquet ou .xlsx ; sans lui, du CSV sur la sortie standard.",
)
@base_option
def strates(
    source: Path,
    exercices: list[int] | None,
    by: str,
    echelle: str,
    sirets: tuple[str, ...],
    departements: tuple[str, ...],
    types: tuple[str, ...],
    zeros: bool,
    target: Path | None,
    base: str,
) -> int:
    """Compare les collectivités : médiane et quartiles de chaque indicateur par strate, rangs.

    Budgets principaux seulement. Avec --siret, écrit les rangs de ces collectivités.

    \b
    workbench trame strates trames/ofgl_agregats_m57.yaml --exercices 2022-2024 --to strates.xlsx
    """
    from workbench.dgfip import connect, perimetre
    from workbench.evaluation import strates as run
    from workbench.reports import write_strates
    from workbench.trames import load_trame

    trame = load_trame(source)
    chosen = perimetre(departements=departements or None, types=types or None)
    with connect(base) as opened, progress_bar("Strates") as progress:

        def advance(done: int, total: int) -> None:
            progress(done, total, "")

        table = run(
            trame, opened, chosen, exercices, by=by, sirets=sirets, echelle=echelle, zeros=zeros, progress=advance
        )
    say(table.avertissements)
    shown = table.ranks if sirets else table.statistics
    if not shown.num_rows:
        return ExitCode.EMPTY
    if target is None:
        click.echo(shown.to_pandas().to_csv(index=False), nl=False)
    else:
        click.echo(str(write_strates(table, target)))
    return ExitCode.OK

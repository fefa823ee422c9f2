"""``workbench trame search``: the catalogue of trames."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["search"]


@click.command()
@click.argument("text", metavar="[TEXTE]", required=False, default="")
@click.option(
    "--reads", "compte", help="Les indicateurs qui lisent ce compte, seul, avec d'autres ou en partie : 7391."
)
@click.option("--exercice", type=int, help="Avec --reads : par une formule valable cet exercice-là.")
@click.option("--nomenclature", help="M14, M14+M57, M4*…")
@click.option("--trame", "pattern", help="Les trames dont le code suit ce motif : ofgl_*.")
@click.option("--cites", help="Les indicateurs qui citent celui-ci.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Dossier des trames.")
def search(
    text: str,
    compte: str | None,
    exercice: int | None,
    nomenclature: str | None,
    pattern: str | None,
    cites: str | None,
    folder: Path | None,
) -> int:
    """Cherche des indicateurs par leur code, leur libellé ou les comptes qu'ils lisent, dans toutes les trames.

    \b
    workbench trame search "dette"
    workbench trame search --reads 7391 --nomenclature M57
    """
    from workbench.trames import catalogue

    if exercice is not None and compte is None:
        raise click.UsageError("--exercice va avec --reads.")
    found = catalogue(folder)
    if nomenclature is not None:
        found = found.nomenclature(nomenclature)
    if pattern is not None:
        found = found.trame(pattern)
    if cites is not None:
        found = found.cites(cites)
    if compte is not None:
        found = found.reads(compte, exercice)
    if text:
        found = found.search(text)
    title, *lines = str(found).split("\n")
    for line in lines:
        click.echo(line)
    say(title)
    return ExitCode.OK if found.rows else ExitCode.EMPTY

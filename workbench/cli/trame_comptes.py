"""``workbench trame check --plan`` and ``transpose``: trames beside charts of accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import TRAME, say

if TYPE_CHECKING:
    from workbench.plans import PlansComptes

__all__ = ["look_at_comptes", "transpose"]


def _plans(where: str) -> PlansComptes:
    """Return the charts of a base, or of files: an address and a ``.duckdb`` are a base."""
    from workbench.dgfip import plans_comptes

    if "://" in where or where.endswith(".duckdb"):
        return plans_comptes(where)
    return plans_comptes(path=where)


def look_at_comptes(path: Path, plan: str, exercices: list[int] | None, classes: str | None) -> bool:
    """Write what an accountant would say of a trame; say whether a formule is to be mended."""
    from workbench.trames import check_comptes, load_trame

    wanted = None if classes is None else set(classes) & set("1234567")
    remarks = check_comptes(load_trame(path), _plans(plan), exercices=exercices, classes=wanted)
    for remark in remarks:
        click.echo(f"{path}, {remark}")
    looked = ", ".join(f"{name} {years[0]}-{years[-1]}" for name, years in remarks.exercices.items())
    say(f"{path} : {len(remarks)} remarque(s) sur les comptes ({looked}).")
    return bool(remarks.of("compte_double", "prefixe_sans_compte"))


@click.command()
@click.argument("source", metavar="TRAME", type=TRAME)
@click.option("--plan", required=True, help="Plans de comptes : une base, un fichier ou un dossier.")
@click.option("--from", "exercice_before", type=int, help="Exercice du plan de départ ; le dernier par défaut.")
@click.option("--nomenclature", default="M57", show_default=True, help="Nomenclature d'arrivée.")
@click.option("--exercice", type=int, help="Exercice du plan d'arrivée ; le dernier par défaut.")
@click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="AVANT=APRES",
    help="Une décision : 7391=73911+73918 ; peut se répéter.",
)
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Fichier .yaml à écrire.")
def transpose(
    source: Path,
    plan: str,
    exercice_before: int | None,
    nomenclature: str,
    exercice: int | None,
    choices: tuple[str, ...],
    target: Path | None,
) -> int:
    """Aide à transposer une trame : pour chaque compte lu, celui qui pourrait le remplacer, et pourquoi.

    Le code de sortie est 5 quand des comptes restent sans correspondance ou sont à vérifier.

    \b
    workbench trame transpose trames/m14_basique.yaml --plan base.duckdb --to m57_basique.yaml
    """
    from dataclasses import replace

    from workbench.trames import load_trame, save_trame
    from workbench.trames import transpose as run

    decided: dict[str, list[str]] = {}
    for choice in choices:
        before, equal, after = choice.partition("=")
        if not equal or not before.isdecimal() or not all(each.isdecimal() for each in after.split("+")):
            raise click.UsageError(f"--choose {choice} : écrivez 7391=73911 ou 7391=73911+73918.")
        decided[before] = after.split("+")
    trame, plans = load_trame(source), _plans(plan)
    if trame.nomenclature is None:
        raise click.UsageError(f"{source} n'a pas de nomenclature.")
    found = run(trame, plans.plan(trame.nomenclature, exercice_before), plans.plan(nomenclature, exercice))
    if decided:
        found = found.choose(decided)
    click.echo(str(found))
    if target is not None:
        save_trame(replace(found.trame, code=target.stem), target)
        say(f"{target} écrit : à relire, compte par compte.")
    return ExitCode.FINDINGS if found.unmatched or found.doubtful or found.remarks else ExitCode.OK

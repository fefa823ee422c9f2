"""``workbench base import-plan`` and ``comptes``: charts of accounts."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import EXERCICES, base_option, say

__all__ = ["comptes", "import_plan"]


@click.command("import-plan")
@click.argument("paths", metavar="FICHIER...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--nomenclature", help="Nomenclature des fichiers qui ne la disent pas : M14, M57…")
@click.option("--exercices", type=EXERCICES, help="Exercices des fichiers qui ne les disent pas : 2019 ou 2016-2019.")
@click.option("--licence", default="", help="Mention à garder avec des fichiers autres que ceux de TOTEM.")
@base_option
def import_plan(
    paths: tuple[Path, ...], nomenclature: str | None, exercices: list[int] | None, licence: str, base: str
) -> int:
    """Importe des plans de comptes : comptes, chapitres et fonctions, de TOTEM ou en CSV.

    Un dossier vaut pour ses fichiers .csv, .csv.gz et .parquet.

    \b
    workbench base import-plan plans_de_comptes/
    workbench base import-plan plan.csv --nomenclature M57 --exercices 2024
    """
    from workbench.dgfip import connect, import_plan_comptes

    with connect(base, read_only=False) as opened:
        report = import_plan_comptes(opened, paths, nomenclature=nomenclature, exercices=exercices, licence=licence)
        say(str(report))
    return ExitCode.OK


@click.command()
@click.argument("nomenclature", metavar="NOMENCLATURE")
@click.argument("text", metavar="[TEXTE]", required=False, default="")
@click.option("--exercice", type=int, help="L'exercice ; par défaut, le dernier dont on a le plan.")
@click.option("--variante", help="Seulement cette variante : M57_A, M14_COM_INF500…")
@click.option(
    "--plan", "path", type=click.Path(exists=True, path_type=Path), help="Lit ce fichier ou ce dossier, sans base."
)
@base_option
def comptes(
    nomenclature: str, text: str, exercice: int | None, variante: str | None, path: Path | None, base: str
) -> int:
    """Cherche des comptes par le début de leur numéro ou par les mots de leur libellé.

    \b
    workbench base comptes M57 739 --exercice 2024
    workbench base comptes M57 "attribution compensation" --plan plans_de_comptes/
    """
    from workbench.dgfip import plan_comptes

    plan = plan_comptes(nomenclature, exercice, base=None if path else base, path=path, variante=variante)
    found = plan.search(text) if text else plan.comptes
    for each in found:
        click.echo(f"{each.numero}\t{each.libelle}" + ("\tsupprimé" if each.supprime else ""))
    say(f"{plan} ; {len(found)} trouvés. {plan.source}")
    return ExitCode.OK if found else ExitCode.EMPTY

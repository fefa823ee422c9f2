"""``workbench trame create``, ``rename``, ``duplicate`` and ``delete``: the files of trames."""

from __future__ import annotations

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["create", "delete", "duplicate", "rename"]


@click.command()
@click.argument("name", metavar="TRAME")
@click.option("--nomenclature", help="M57, M14, M4*…")
@click.option("--libelle", default="", help="Son nom, pour les personnes.")
def create(name: str, nomenclature: str | None, libelle: str) -> int:
    """Crée une trame vide, dans le dossier des trames ; ~/code pour une trame privée.

    \b
    workbench trame create maison_m57 --nomenclature M57 --libelle "Trame de la maison"
    """
    from workbench.trames import create_trame

    say(f"{create_trame(name, nomenclature, libelle)} écrit.")
    return ExitCode.OK


@click.command()
@click.argument("name", metavar="TRAME")
@click.argument("new", metavar="NOUVEAU")
@click.option("--indicateur", metavar="CODE", help="Renomme cet indicateur, et non la trame.")
def rename(name: str, new: str, indicateur: str | None) -> int:
    """Renomme une trame, ou l'un de ses indicateurs ; ce qui la cite, ou le cite, suit.

    Une trame change de code, de fichier, et dans les séries qui la nomment. Un indicateur change dans les formules et
    dans les autres trames de sa série.

    \b
    workbench trame rename maison_m57 maison
    workbench trame rename maison A_PRODUITS --indicateur A_VENTES
    """
    from workbench.trames import rename_indicateur, rename_trame

    written = rename_indicateur(name, indicateur, new) if indicateur is not None else [rename_trame(name, new)]
    for path in written:
        say(f"{path} écrit.")
    return ExitCode.OK


@click.command()
@click.argument("name", metavar="TRAME")
@click.argument("new", metavar="COPIE")
@click.option("--libelle", help="Le nom de la copie. (par défaut : celui de la trame)")
def duplicate(name: str, new: str, libelle: str | None) -> int:
    """Copie une trame sous un autre code, commentaires compris.

    \b
    workbench trame duplicate ofgl_agregats_m57 ~/essai
    """
    from workbench.trames import duplicate_trame

    say(f"{duplicate_trame(name, new, libelle)} écrit.")
    return ExitCode.OK


@click.command()
@click.argument("name", metavar="TRAME")
@click.option("--yes", is_flag=True, help="Supprime ; sans elle, dit seulement quel fichier le serait.")
def delete(name: str, yes: bool) -> int:
    """Supprime le fichier d'une trame ; refusé tant qu'une série la nomme.

    \b
    workbench trame delete ~/essai --yes
    """
    from workbench.trames import delete_trame, trame_file

    path = trame_file(name)
    if not yes:
        raise click.UsageError(f"{path} serait supprimé : ajoutez --yes.")
    delete_trame(name)
    say(f"{path} supprimé.")
    return ExitCode.OK

"""``workbench restore``: a backup put back on a machine that has nothing."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.backup import programs_option
from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command"]


@click.command()
@click.argument("source", metavar="SAUVEGARDE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--to", "to", metavar="DOSSIER", required=True, type=click.Path(path_type=Path), help="Dossier à créer, ou vide."
)
@click.option("--registre", "registry", help="Adresse d'une base PostgreSQL vide, si le registre en était une.")
@programs_option
def command(source: Path, to: Path, registry: str | None, programs: Path | None) -> int:
    """Vérifie une sauvegarde, la restaure dans un dossier, la met à la version de ce logiciel et la prouve.

    Les empreintes de tous les fichiers sont vérifiées d'abord ; à la fin, les trames témoins sont évaluées de nouveau
    et leurs chiffres comparés. Le fichier workbench.env du dossier donne les réglages à reprendre.
    """
    from workbench.backup import restore_backup

    restored = restore_backup(source, to, registry=registry, programs=programs, tell=say)
    if restored.upgraded:
        say(f"Registre mis à jour : {', '.join(restored.upgraded)}.")
    for name, saved in restored.manifest.bases.items():
        if saved["kind"] == "pg_dump":
            say(f"Base {name} : à restaurer dans une base PostgreSQL vide, par pg_restore --dbname, depuis")
            say(f"  {restored.folder / name / 'base.dump'}")
    say(f"Restauré dans {restored.folder} ; {restored.figures} chiffres retrouvés à l'identique.")
    say(f"Réglages : {restored.folder / 'workbench.env'}")
    if registry is not None:
        say("L'adresse du registre n'y est pas, à cause de son mot de passe : donnez-la par WORKBENCH_REGISTRE_FILE.")
    return ExitCode.OK

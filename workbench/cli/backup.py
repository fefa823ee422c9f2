"""``workbench backup``: the whole installation, saved while it serves."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say

__all__ = ["command", "programs_option"]

programs_option = click.option(
    "--programs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier des programmes de PostgreSQL (pg_dump, pg_restore).",
    show_default="ceux du PATH",
)


@click.command()
@click.option(
    "--to", "to", metavar="DOSSIER", required=True, type=click.Path(path_type=Path), help="Dossier à créer, ou vide."
)
@click.option(
    "--with",
    "more",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fichier de plus, réglages ou secret ; à répéter.",
)
@programs_option
def command(to: Path, more: tuple[Path, ...], programs: Path | None) -> int:
    """Sauvegarde le registre, les bases, le dépôt, les rapports, les trames et les clés, sans rien arrêter.

    Tout ce qui était acquis au moment de lancer la commande est dans la sauvegarde. Elle contient des clés et des
    données nominatives : chiffrez-la avant de l'envoyer ailleurs.
    """
    from workbench.backup import take_backup

    manifest = take_backup(to, more=more, programs=programs, tell=say)
    say(manifest.remarks)
    say(f"{len(manifest.files)} fichiers, {manifest.size / 1e6:.1f} Mo, {len(manifest.figures)} trames témoins : {to}")
    missing = [each for each in manifest.remarks if "pas sauvegardée" in each]
    return ExitCode.FINDINGS if missing else ExitCode.OK

"""``workbench signaux publish-directory``: all that a history knows of the directory, for searches."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import history_option, say
from workbench.cli.progress import count_bar
from workbench.cli.signaux_publication import dry_run_option, email_option, publisher, registre_option

__all__ = ["publish_directory"]


@click.command("publish-directory")
@history_option
@click.option("--as-of", metavar="BATCH", help="Batch des données montrées ; par défaut, le dernier.")
@click.option(
    "--naf",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier des libellés d'activité (naf1.csv à naf5.csv).",
)
@click.option("--open-only", is_flag=True, help="Sans les établissements fermés.")
@click.option("--again", is_flag=True, help="Compare tout, même les tranches déjà publiées à l'identique.")
@dry_run_option
@email_option
@registre_option
def publish_directory(
    base: str,
    as_of: str | None,
    naf: Path | None,
    open_only: bool,
    again: bool,
    dry_run: bool,
    email: str,
    address: str | None,
) -> int:
    """Publie l'annuaire : chaque établissement que l'historique connaît, que chacun peut alors rechercher.

    Publié par tranches : interrompue (Ctrl+C), la même commande reprend où elle en était ; relancée, elle n'écrit que
    ce qui a changé.

    \b
    workbench signaux publish-directory --dry-run
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.publication import publish_directory as published
    from workbench.signaux_faibles.publication.labels import read_activities
    from workbench.store import open_store

    with open_history(base) as history, open_store(address) as store, count_bar("Annuaire") as progress:
        found = published(
            store,
            publisher(email),
            history,
            as_of=as_of,
            activities=None if naf is None else read_activities(naf),
            open_only=open_only,
            again=again,
            dry_run=dry_run,
            progress=progress,
        )
    for line in found.lines():
        say(line)
    return ExitCode.OK

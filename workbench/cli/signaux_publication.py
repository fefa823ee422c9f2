"""``workbench signaux publish|withdraw``: a list to agents, and back; for those who hold the registry."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import existing_file, history_option, say
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["dry_run_option", "email_option", "publish", "publisher", "registre_option", "withdraw"]

registre_option = click.option(
    "--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE"
)
email_option = click.option(
    "--email", default=getuser, show_default="votre nom sur cette machine", help="Pour qui : adresse du journal."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Dit ce qui changerait, et n'écrit rien.")
_release: Callable[[Any], Any] = click.option("--release", metavar="DATE", help="Moment : 2026-04-01T08:00:00+02:00.")


def publisher(email: str) -> Any:
    """Return who publishes: whoever holds the registry."""
    from workbench.signaux_faibles.publication.objects import WRITER
    from workbench.store.policies import MANAGER

    # Whoever opens the database may write it: the badges are those that the store asks of a publication.
    return SimpleNamespace(email=email, badges=frozenset({WRITER, MANAGER}))


@click.command()
@click.argument("path", metavar="LISTE", type=existing_file)
@history_option
@click.option("--as-of", metavar="BATCH", help="Batch des données montrées ; par défaut, celui de la liste.")
@click.option("--badge", help="Badge exigé en plus pour lire cette liste.")
@_release
@click.option("--expires", metavar="DATE", help="Moment où la liste n'est plus montrée.")
@click.option(
    "--naf",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier des libellés d'activité (naf1.csv à naf5.csv).",
)
@click.option("--alerts-only", is_flag=True, help="Sans les entreprises qui n'ont jamais été en alerte.")
@dry_run_option
@email_option
@registre_option
def publish(
    path: Path,
    base: str,
    as_of: str | None,
    badge: str | None,
    release: str | None,
    expires: str | None,
    naf: Path | None,
    alerts_only: bool,
    dry_run: bool,
    email: str,
    address: str | None,
) -> int:
    """Publie une liste et ce que l'historique sait de ses entreprises : pour chacun, ce que ses badges ouvrent.

    Tout est publié, ou rien ; publier de nouveau n'écrit que ce qui a changé, et retire ce qui n'y est plus.

    \b
    workbench signaux publish liste.parquet --dry-run
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.publication import publish as published
    from workbench.signaux_faibles.publication.labels import read_activities
    from workbench.store import open_store

    with open_history(base) as history, open_store(address) as store:
        found = published(
            store,
            publisher(email),
            path,
            history,
            as_of=as_of,
            badge=badge,
            released=release,
            expires=expires,
            activities=None if naf is None else read_activities(naf),
            alerts_only=alerts_only,
            dry_run=dry_run,
        )
    for line in found.lines():
        say(line)
    return ExitCode.OK


@click.command()
@click.argument("pair", metavar="BATCH.ALGORITHME")
@_release
@dry_run_option
@email_option
@registre_option
def withdraw(pair: str, release: str | None, dry_run: bool, email: str, address: str | None) -> int:
    """Retire une liste publiée : plus personne ne la voit. Les commentaires et les suivis restent.

    \b
    workbench signaux withdraw 2301.boosting-1a2b3c4d --dry-run
    """
    from workbench.signaux_faibles.publication import withdraw as withdrawn
    from workbench.store import open_store

    batch, _, algo = pair.partition(".")
    if not batch or not algo:
        raise WorkbenchError("publication_absente", liste=pair)
    with open_store(address) as store:
        found = withdrawn(store, publisher(email), batch, algo, released=release, dry_run=dry_run)
    would = " seraient retirés" if dry_run else " retirés"
    say(f"{pair} : {found.withdrawn} objets{would}.")
    return ExitCode.OK

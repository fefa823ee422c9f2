"""``workbench person``: what the product knows of a person."""

from __future__ import annotations

import json
import os
from getpass import getuser
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.errors import reason

__all__ = ["command"]


@click.group()
def command() -> None:
    """Ce que le logiciel sait d'une personne."""


@command.command()
@click.argument("email", metavar="EMAIL")
@click.option(
    "--to", "to", metavar="FICHIER", required=True, type=click.Path(path_type=Path), help="Fichier JSON à créer."
)
@click.option(
    "--by", default=getuser, show_default="votre nom sur cette machine", help="Qui exporte : adresse du journal."
)
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
def export(email: str, to: Path, by: str, address: str | None) -> int:
    """Exporte ses accès, commentaires, suivis, rapports et envois, pour répondre à sa demande (RGPD, article 15).

    Le fichier n'est lisible que par vous ; l'export est inscrit au journal.
    """
    from workbench.duties import known_of

    try:
        # Before anything is gathered: a file that is there is somebody's answer.
        file = os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{to} : {reason(error)}.") from error
    with file:
        try:
            found = known_of(email, by, address)
        except BaseException:
            to.unlink()
            raise
        json.dump(found, file, ensure_ascii=False, indent=1)
    counted = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
    say(f"{sum(counted.values())} éléments écrits dans {to}.")
    return ExitCode.OK if sum(counted.values()) else ExitCode.EMPTY

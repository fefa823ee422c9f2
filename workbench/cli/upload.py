"""``workbench upload``: send files to a storage, and run one."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.config import text_of

__all__ = ["command"]

_storage = click.option(
    "--depot",
    "base",
    type=click.Path(path_type=Path),
    help="Dossier du dépôt.",
    show_default="WORKBENCH_DEPOT, ou depot",
)


@click.group()
def command() -> None:
    """Les fichiers des partenaires : envoyer, servir, lister, reprendre une quarantaine."""


def _pairs(_ctx: click.Context, _param: click.Parameter, values: Iterable[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if not all(name and sign for name, sign, _ in pairs):
        raise click.BadParameter("écrivez nom=valeur.")
    return {name: value for name, _, value in pairs}


@command.command()
@click.argument("files", metavar="FICHIER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "url",
    default=lambda: text_of("WORKBENCH_DEPOT_URL") or None,
    required=True,
    help="Adresse du dépôt.",
    show_default="WORKBENCH_DEPOT_URL",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Fichier du jeton d'accès, relu à chaque morceau ; en JSON avec un refresh_token, il est renouvelé.",
    show_default="le jeton de ce noyau",
)
@click.option("--private", is_flag=True, help="Pour votre espace seulement, et non pour l'espace partagé.")
@click.option("--metadata", multiple=True, callback=_pairs, help="Renseignement joint, nom=valeur ; à répéter.")
@click.option("--chunk", type=click.IntRange(1, 1024), default=16, show_default=True, help="Mio par morceau.")
def send(
    files: tuple[Path, ...], url: str, token_file: Path | None, private: bool, metadata: dict[str, str], chunk: int
) -> int:
    """Envoie des fichiers ; relancée, la commande reprend où elle en était.

    \b
    workbench upload send effectif.csv --to https://depot.exemple.fr/files/ --token-file jeton
    """
    from rich.markup import escape

    from workbench.cli.progress import progress_bar
    from workbench.errors import WorkbenchError
    from workbench.uploads.client import UploadClient
    from workbench.uploads.token_file import upload_token

    refused = False
    with UploadClient(url, upload_token(token_file), chunk=chunk * 1024 * 1024) as client:
        for path in files:
            try:
                with progress_bar(escape(path.name)) as advance:
                    show, tell = partial(_show, advance), partial(_tell, path)
                    sent = client.send(path, private=private, metadata=metadata, progress=show, trouble=tell)
            except WorkbenchError as error:
                # The other files go all the same.
                if error.code not in ("envoi_refuse", "envoi_fichier", "envoi_interrompu"):
                    raise
                say(str(error))
                refused = True
                continue
            there = sent.resumed == sent.size and sent.size > 0
            say(f"{path} : {'déjà arrivé' if there else 'arrivé'}, {sent.size} octets.")
            click.echo(sent.url)
    return ExitCode.REFUSED if refused else ExitCode.OK


def _show(advance: Callable[[int, int, str], None], done: int, size: int) -> None:
    advance(done, size, f"{done / 1e6:.0f} / {size / 1e6:.0f} Mo")


def _tell(path: Path, cause: str, seconds: float) -> None:
    if seconds:
        say(f"{path} : {cause}. Nouvel essai dans {seconds:.0f} s.")


@command.command("list")
@_storage
@click.option("--csv", "as_csv", is_flag=True, help="En CSV, une colonne par renseignement joint.")
@click.option("--quarantine", is_flag=True, help="Les fichiers en quarantaine seulement.")
def list_(base: Path | None, as_csv: bool, quarantine: bool) -> int:
    """Liste les fichiers d'un dépôt, les plus anciens d'abord."""
    from workbench.uploads.configuration import open_storage, upload_settings
    from workbench.uploads.inventory import inventory, inventory_table
    from workbench.uploads.outcome import QUARANTINED

    rows = inventory(open_storage(upload_settings(base)))
    table = inventory_table([row for row in rows if not quarantine or row.state == QUARANTINED])
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(table)
    else:
        _print_table(table)
    return ExitCode.OK if len(table) > 1 else ExitCode.EMPTY


def _print_table(table: list[list[str]]) -> None:
    """Write a table whose cells hold one line each, whatever a client wrote."""
    shown = [["".join(sign if sign.isprintable() else " " for sign in cell)[:40] for cell in row] for row in table]
    widths = [max(len(row[place]) for row in shown) for place in range(len(shown[0]))]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command()
@click.argument("identifiers", metavar="[ENVOI]...", nargs=-1)
@_storage
def replay(identifiers: tuple[str, ...], base: Path | None) -> int:
    """Reprend des fichiers en quarantaine, tous par défaut : ce qui avait échoué est refait.

    Un fichier dont le contrôle réussit est transmis ; les autres restent en quarantaine.
    """
    from workbench.uploads.configuration import open_finisher, upload_settings
    from workbench.uploads.outcome import PUBLISHED

    finisher = open_finisher(upload_settings(base))
    left = False
    if not identifiers:
        finisher.recover()
    for identifier in identifiers or finisher.quarantined():
        outcome = finisher.replay(identifier)
        left = left or outcome.state != PUBLISHED
        say(f"{identifier} : {'transmis' if outcome.state == PUBLISHED else f'en quarantaine, {outcome.reason}'}.")
    return ExitCode.FINDINGS if left else ExitCode.OK


@command.command()
@_storage
@click.option("--days", type=click.IntRange(min=0), help="Retire aussi de tusd ce qui est transmis depuis ces jours.")
def purge(base: Path | None, days: int | None) -> int:
    """Retire les envois inachevés depuis trop longtemps ; les fichiers transmis restent dans leurs espaces."""
    from workbench.uploads.configuration import open_storage, upload_settings
    from workbench.uploads.purging import purge as purge_storage

    count = purge_storage(open_storage(upload_settings(base)), None if days is None else timedelta(days=days))
    say(f"{count} envois retirés." if count > 1 else f"{count} envoi retiré.")
    return ExitCode.OK


@command.command()
@_storage
@click.option("--address", default="127.0.0.1", show_default=True, help="Adresse d'écoute.")
@click.option("--port", type=click.IntRange(0, 65535), default=8876, show_default=True, help="Port.")
def serve(base: Path | None, address: str, port: int) -> int:
    """Sert un dépôt, sous /files/ ; Ctrl-C pour arrêter."""
    from workbench.logs import announce, configure_logs
    from workbench.uploads.configuration import upload_settings
    from workbench.uploads.serving import serve_uploads
    from workbench.watching.alone import watched

    configure_logs()
    serve_uploads(upload_settings(base), address, port, announce, lambda application: watched(application, "/files"))
    return ExitCode.OK

"""``workbench comment``: what people say of the application, of a trame, of an indicateur."""

from __future__ import annotations

import sys

import click

from workbench.cli.exits import ExitCode

__all__ = ["command"]

_trame = click.option("--trame", help="Code de la trame ; l'application sans cette option.")
_indicateur = click.option("--indicateur", help="Code de l'indicateur, avec sa trame.")


@click.group()
def command() -> None:
    """Les commentaires : sur l'application, une trame, un indicateur."""


@command.command()
@click.argument("texte", metavar="TEXTE")
@_trame
@_indicateur
def add(texte: str, trame: str | None, indicateur: str | None) -> int:
    """Écrit un commentaire ; « - » le lit sur l'entrée standard.

    L'auteur est celui de WORKBENCH_COURRIEL. L'identifiant du commentaire est écrit sur la sortie standard.
    """
    from workbench.discussion import add_comment

    text = sys.stdin.read() if texte == "-" else texte
    click.echo(add_comment(text, trame=trame, indicateur=indicateur).id)
    return ExitCode.OK


@command.command(name="list")
@_trame
@_indicateur
@click.option("--all", "everything", is_flag=True, help="Ceux des indicateurs aussi ; sans trame, tous.")
def list_(trame: str | None, indicateur: str | None, everything: bool) -> int:
    """Liste les commentaires, les derniers d'abord."""
    from workbench.discussion import comments

    found = comments(trame=trame, indicateur=indicateur, everything=everything)
    click.echo("\n\n".join(f"{comment.id}\n{comment}" for comment in found), nl=bool(found))
    return ExitCode.OK


@command.command()
@click.argument("commentaire", metavar="COMMENTAIRE")
@click.argument("texte", metavar="TEXTE")
def edit(commentaire: str, texte: str) -> int:
    """Change le texte d'un de vos commentaires."""
    from workbench.discussion import edit_comment

    edit_comment(commentaire, texte)
    return ExitCode.OK


@command.command()
@click.argument("commentaire", metavar="COMMENTAIRE")
def remove(commentaire: str) -> int:
    """Retire un de vos commentaires."""
    from workbench.discussion import delete_comment

    delete_comment(commentaire)
    return ExitCode.OK

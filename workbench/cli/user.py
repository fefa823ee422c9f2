"""``workbench user``: the people of the embedded issuer. A password is typed or piped, never an argument."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.identity.people import People
    from workbench.registry import Registry

__all__ = ["command"]

_badges = click.option("--badge", "badges", multiple=True, help="Badge ; l'option se répète.")
_email = click.argument("email", metavar="EMAIL")


@click.group()
def command() -> None:
    """Les personnes qui se connectent à cette machine, quand elle est son propre émetteur d'identités.

    Dès qu'il y en a une, `workbench up` demande de se connecter. Le mot de passe est demandé, ou lu sur l'entrée
    standard ; il ne se donne jamais en argument.
    """


@contextmanager
def _people() -> Iterator[tuple[Registry, People]]:
    from workbench.identity.people import People
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    with open_registry(rooms=[ROOM]) as registry:
        yield registry, People(registry)


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt(
            "Mot de passe",
            hide_input=True,
            confirmation_prompt="Encore une fois",
            err=True,
            default="",
            show_default=False,
        )
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise WorkbenchError("mot_de_passe_absent")
    return typed


@command.command()
@_email
@click.option("--given-name", default="", help="Prénom.")
@click.option("--family-name", default="", help="Nom.")
@_badges
def add(email: str, given_name: str, family_name: str, badges: tuple[str, ...]) -> int:
    """Ajoute une personne.

    \b
    workbench user add jeanne.martin@exemple.fr --given-name Jeanne --family-name Martin --badge bfc
    """
    from workbench.identity.actor import check_badge, check_email

    # Told before the password is asked for.
    check_email(email)
    for badge in badges:
        check_badge(badge)
    with _people() as (_, people):
        added = people.add(email, _password(), given_name=given_name, family_name=family_name, held=badges)
    say(f"{added.email} peut se connecter.")
    return ExitCode.OK


@command.command("list")
def list_() -> int:
    """Liste les personnes, leurs badges et leur espace de dépôt, en CSV."""
    with _people() as (_, people):
        rows = people.all()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["email", "prenom", "nom", "badges", "espace", "depuis"])
    for each in rows:
        names, held, since = (each.given_name, each.family_name), " ".join(each.badges), each.created.date().isoformat()
        writer.writerow([each.email, *names, held, each.space, since])
    return ExitCode.OK


@command.command()
@_email
@_badges
def badges(email: str, badges: tuple[str, ...]) -> int:
    """Remplace les badges d'une personne ; sans --badge, elle n'en a plus aucun."""
    with _people() as (_, people):
        changed = people.set_badges(email, badges)
    say(f"{changed.email} : {', '.join(changed.badges) or 'aucun badge'}. Effectif dans cinq minutes au plus.")
    return ExitCode.OK


@command.command()
@_email
@click.argument("name", metavar="ESPACE", default="")
def space(email: str, name: str) -> int:
    """Donne à une personne un espace de dépôt de fichiers ; sans ESPACE, elle n'en a plus."""
    with _people() as (_, people):
        changed = people.set_space(email, name)
    say(f"{changed.email} : {changed.space or 'aucun espace'}. Effectif dans cinq minutes au plus.")
    return ExitCode.OK


@command.command()
@_email
def password(email: str) -> int:
    """Change le mot de passe d'une personne ; ses sessions prennent fin."""
    with _people() as (_, people):
        people.get(email)
        people.set_password(email, _password())
    say("Le mot de passe est changé.")
    return ExitCode.OK


@command.command()
@_email
def remove(email: str) -> int:
    """Retire une personne ; ses sessions prennent fin dans cinq minutes au plus."""
    with _people() as (_, people):
        people.remove(email)
        left = people.count()
    say(f"{email} est retirée." if left else f"{email} est retirée. Il n'y a plus personne : workbench up est ouvert.")
    return ExitCode.OK


@command.command()
@_email
@click.option("--hours", type=click.FloatRange(0.01, 24), default=1.0, show_default=True, help="Durée, en heures.")
@click.option(
    "--port", default=8866, show_default=True, help="Port des tableaux de bord ; l'émetteur est sur le suivant."
)
def token(email: str, hours: float, port: int) -> int:
    """Écrit un jeton d'accès pour un script ; rien ne le révoque avant sa fin."""
    from workbench.identity.configuration import identity_settings
    from workbench.identity.issuing import Issuer
    from workbench.identity.signing import SigningKeys

    configured = identity_settings()
    with _people() as (registry, _):
        issuer = Issuer(
            f"http://127.0.0.1:{port + 1}", registry, SigningKeys(configured.folder), audience=configured.audience
        )
        click.echo(issuer.token_for(email, timedelta(hours=hours)))
    return ExitCode.OK


@command.command("rotate-keys")
@click.option("--now", "at_once", is_flag=True, help="Retire les anciennes clés tout de suite : chacun se reconnecte.")
def rotate_keys(at_once: bool) -> int:
    """Change la clé de signature ; l'ancienne reste publiée deux jours."""
    from workbench.identity.configuration import identity_settings
    from workbench.identity.signing import SigningKeys

    SigningKeys(identity_settings().folder).rotate(at_once=at_once)
    say("Une nouvelle clé signe dans une minute." if not at_once else "Les anciennes clés ne valent plus rien.")
    return ExitCode.OK

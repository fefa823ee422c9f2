"""``workbench store``: the objects of the registry, for those who hold it; each access is in the journal.

Whoever may open the database may read it all: the e-mail and badges given here say for whom a command works.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import say
from workbench.errors import reason

if TYPE_CHECKING:
    from workbench.store import Store

__all__ = ["command"]

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def command() -> None:
    """Le magasin d'objets : publier, lire, expliquer, journal, purge."""


def _as_someone(function: Command) -> Command:
    function = click.option("--badge", "badges", multiple=True, help="Un badge de cette personne ; à répéter.")(
        function
    )
    function = click.option(
        "--email", default=getuser, show_default="votre nom sur cette machine", help="Pour qui : adresse du journal."
    )(function)
    return click.option(
        "--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE"
    )(function)


def _pairs(_ctx: click.Context, _param: click.Parameter, values: Iterable[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if not all(sign for _, sign, _ in pairs):
        raise click.BadParameter("écrivez nom=valeur.")
    return {name: value for name, _, value in pairs}


_key = click.option("--key", "key", multiple=True, callback=_pairs, help="Paire de la clé, nom=valeur ; à répéter.")
_date = click.option("--date", help="À cette date : 2019-10-31T10:00:00Z.")


@contextmanager
def _opened(address: str | None) -> Iterator[Store]:
    from workbench.store import open_store

    with open_store(address) as store:
        yield store


def _someone(email: str, badges: Iterable[str]) -> Any:
    return SimpleNamespace(email=email, badges=frozenset(badges))


def _lines(rows: Iterable[Any]) -> None:
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False, default=_written))


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


@command.command()
@click.argument("bucket", metavar="SEAU")
@click.argument("path", metavar="FICHIER", type=click.Path(path_type=Path, allow_dash=True))
@_as_someone
def put(bucket: str, path: Path, address: str | None, email: str, badges: tuple[str, ...]) -> int:
    """Publie un fichier dans un seau : une ligne par objet (.ndjson, « - »), une liste (.json) ou un flux .arrow.

    Tout est publié, ou rien.
    """
    from workbench.store.bulk import arrow_sheets, ndjson_sheets
    from workbench.store.keys import loads

    def publish(file: BinaryIO) -> int:
        sheets: Any
        if path.suffix == ".json":
            sheets = loads(file.read())
        else:
            sheets = arrow_sheets(file) if path.suffix == ".arrow" else ndjson_sheets(file)
        with _opened(address) as store:
            return store.put(_someone(email, badges), bucket, sheets)

    if str(path) == "-":
        count = publish(sys.stdin.buffer)
    else:
        try:
            with path.open("rb") as file:
                count = publish(file)
        except OSError as error:
            raise click.UsageError(f"{path} : {reason(error)}.") from error
    say(f"{count} objets publiés dans {bucket}." if count > 1 else f"{count} objet publié dans {bucket}.")
    return ExitCode.OK


@command.command()
@click.argument("bucket", metavar="SEAU")
@_key
@_date
@click.option("--filter", "filters", multiple=True, help="Condition JSON {field, operator, value} ; à répéter.")
@click.option("--sort", help="Propriété du tri ; -propriété pour un ordre décroissant.")
@click.option("--limit", type=click.IntRange(min=1), help="Nombre d'objets au plus.")
@click.option("--offset", type=click.IntRange(min=0), help="Nombre d'objets à passer.")
@_as_someone
def get(
    bucket: str,
    key: dict[str, str],
    date: str | None,
    filters: tuple[str, ...],
    sort: str | None,
    limit: int | None,
    offset: int | None,
    address: str | None,
    email: str,
    badges: tuple[str, ...],
) -> int:
    """Écrit ce qu'une personne voit d'un seau, un objet JSON par ligne."""
    from workbench.errors import WorkbenchError
    from workbench.store.keys import loads

    order = None
    if sort:
        order = [{"field": sort.removeprefix("-"), "order": -1 if sort.startswith("-") else 1}]
    conditions = [loads(each) for each in filters]
    with _opened(address) as store:
        try:
            rows = store.get(
                _someone(email, badges),
                bucket,
                key,
                date=date,
                filter=conditions,
                sort=order,
                limit=limit,
                offset=offset,
            )
        except WorkbenchError as error:
            if error.code != "sans_donnees":
                raise
            say(error.message)
            return ExitCode.EMPTY
    _lines(rows)
    return ExitCode.OK


@command.command()
@click.argument("bucket", metavar="SEAU")
@_key
@_date
@click.option("--of", "of_email", default="", help="Adresse de la personne dont on explique la vue.")
@click.option("--of-badge", "of_badges", multiple=True, help="Un badge de cette personne ; à répéter.")
@_as_someone
def why(
    bucket: str,
    key: dict[str, str],
    date: str | None,
    of_email: str,
    of_badges: tuple[str, ...],
    address: str | None,
    email: str,
    badges: tuple[str, ...],
) -> int:
    """Explique ce qu'une personne voit : feuillets, politiques, badges manquants."""
    subject = _someone(of_email, of_badges) if of_email or of_badges else None
    with _opened(address) as store:
        rows = store.why(_someone(email, badges), bucket, key, of=subject, date=date)
    _lines(rows)
    return ExitCode.OK if rows else ExitCode.EMPTY


@command.command()
@click.option("--since", help="Depuis cette date : 2019-10-31T10:00:00Z.")
@click.option("--until", help="Avant cette date.")
@click.option("--reader", help="Les lignes de cette adresse seulement.")
@click.option("--bucket", help="Les lignes de ce seau seulement.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Lignes au plus.")
@_as_someone
def journal(
    since: str | None,
    until: str | None,
    reader: str | None,
    bucket: str | None,
    limit: int,
    address: str | None,
    email: str,
    badges: tuple[str, ...],
) -> int:
    """Écrit le journal, les lignes récentes d'abord."""
    with _opened(address) as store:
        who = _someone(email, badges)
        _lines(store.journal(who, since=since, until=until, email=reader, bucket=bucket, limit=limit))
    return ExitCode.OK


@command.command()
@click.option("--days", type=click.IntRange(min=0), required=True, help="Délai légal de conservation, en jours.")
@_as_someone
def purge(days: int, address: str | None, email: str, badges: tuple[str, ...]) -> int:
    """Supprime pour de bon ce qui a expiré depuis plus longtemps que le délai légal."""
    with _opened(address) as store:
        gone = store.purge(_someone(email, badges), timedelta(days=days))
    counts = f"{gone['properties']} propriétés, {gone['sheets']} feuillets, {gone['objects']} objets"
    say(f"Supprimés : {counts}, {gone['files']} fichiers.")
    return ExitCode.OK


@command.command()
@click.option("--manager", default="manager", show_default=True, help="Le badge qui protège les politiques.")
@click.option("--registre", "address", help="Fichier ou adresse du registre.", show_default="WORKBENCH_REGISTRE")
def protect(manager: str, address: str | None) -> int:
    """Publie de nouveau la politique qui protège les politiques."""
    with _opened(address) as store:
        store.protect(manager)
    say(f"Les politiques demandent le badge {manager}.")
    return ExitCode.OK

"""``workbench base query``, ``queries`` and ``sql``: questions to the base, results on stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import base_option, existing_file, say

if TYPE_CHECKING:
    from workbench.dgfip import QueryResult

__all__ = ["queries", "query", "sql"]

_limit = click.option("--limit", type=click.IntRange(min=1), help="Nombre de lignes au plus (100 000 par défaut).")
_timeout = click.option("--timeout", type=float, default=60.0, show_default=True, help="Secondes au plus.")
_to = click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Fichier .csv ou .xlsx à écrire, à la place de la sortie standard.",
)


@click.command()
@click.argument("name", metavar="[NOM]", required=False)
@click.option("--file", "path", type=existing_file, help="Fichier de la requête, à la place de son nom.")
@click.option("--sql", "only_sql", is_flag=True, help="Affiche le SQL et ses valeurs, sans rien exécuter.")
@_limit
@_timeout
@_to
@base_option
def query(
    name: str | None,
    path: Path | None,
    only_sql: bool,
    limit: int | None,
    timeout: float,
    target: Path | None,
    base: str,
) -> int:
    """Exécute une requête enregistrée et écrit ses lignes en CSV."""
    from workbench.dgfip import connect, load_query, read_query

    if (name is None) == (path is None):
        raise click.UsageError("Donnez le nom d'une requête enregistrée, ou --file.")
    asked = read_query(path) if path is not None else load_query(name or "")
    with connect(base) as opened:
        if only_sql:
            click.echo(str(asked.on(opened).sql()))
            return ExitCode.OK
        result = asked.on(opened).run(limit=limit, timeout=timeout)
    return _give(result, target)


@click.command()
def queries() -> int:
    """Liste les requêtes enregistrées, les vôtres puis celles qui sont partagées."""
    from workbench.dgfip import saved_queries

    for each in saved_queries():
        click.echo(str(each))
    return ExitCode.OK


@click.command()
@click.argument("text", metavar="SQL")
@_limit
@_timeout
@_to
@base_option
def sql(text: str, limit: int | None, timeout: float, target: Path | None, base: str) -> int:
    """Exécute une lecture SQL et écrit ses lignes en CSV ; « - » la lit sur l'entrée standard."""
    from workbench.dgfip import connect
    from workbench.dgfip.queries_spec import DEFAULT_ROWS
    from workbench.dgfip.queries_sql import sql as run

    written = sys.stdin.read() if text == "-" else text
    with connect(base) as opened:
        result = run(opened, written, limit=limit or DEFAULT_ROWS, timeout=timeout)
    return _give(result, target)


def _give(result: QueryResult, target: Path | None) -> int:
    say(list(result.notices))
    if target is None:
        click.echo(result.to_csv(separator=",", decimal="."), nl=False)
    elif target.suffix.lower() == ".xlsx":
        from workbench.reports import write_query

        say(f"{write_query(result, target)} écrit.")
    else:
        say(f"{result.to_csv(target)} écrit.")
    return ExitCode.OK if len(result) else ExitCode.EMPTY

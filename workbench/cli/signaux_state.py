"""``workbench signaux batches, state, rejected, export``: what the history knows, as of any batch."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import history_option, say
from workbench.cli.progress import progress_bar
from workbench.cli.signaux_history import as_of_option, types_option

__all__ = ["batches", "export", "rejected", "state"]


@click.command()
@history_option
def batches(base: str) -> int:
    """Liste les batchs de l'historique : ce que chacun a apporté, ce qui attend d'être compacté."""
    from workbench.signaux_faibles.history import open_history

    with open_history(base) as history:
        for each in history.batches():
            marked = [f"{name}*" if name in each.complete_types else name for name in each.types]
            waiting = f"\ten attente : {', '.join(each.pending_types)}" if each.pending_types else ""
            click.echo(f"{each.key}\t{each.imported:%Y-%m-%d %H:%M} UTC\t{', '.join(marked)}{waiting}")
    say("* livraison complète")
    return ExitCode.OK


@click.command()
@click.argument("name", metavar="TYPE|VUE")
@as_of_option
@click.option("--key", help="SIREN ou SIRET : ses lignes seules.")
@click.option("--limit", type=click.IntRange(1), help="Nombre de lignes au plus.")
@history_option
def state(name: str, as_of: str | None, key: str | None, limit: int | None, base: str) -> int:
    """Écrit en CSV ce qui est connu d'un type de fait, ou une vue nettoyée, tel qu'au moment d'un batch.

    \b
    workbench signaux state debit --key 012345678 --as-of 1802
    workbench signaux state clean_debit > dettes.csv
    """
    import pyarrow.csv as written
    from sqlalchemy import func, select

    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.history.export import parts, view_named
    from workbench.signaux_faibles.sources import sources

    with open_history(base) as history:
        chosen = history.state(name, as_of) if name in sources() else view_named(name)(history, as_of)
        given = chosen.subquery("given")
        own = given.c.siret if "siret" in given.c else given.c.siren
        statement = select(given)
        if key is not None:
            statement = statement.where(func.left(own, len(key)) == key)
        # However much is known, a part of it at a time is in memory.
        read = (
            parts(history, statement) if limit is None else iter([history.fetch(statement.order_by(own).limit(limit))])
        )
        first = next(read)
        with written.CSVWriter(sys.stdout.buffer, first.schema) as table:
            for rows in chain([first], read):
                table.write_table(rows)
    return ExitCode.OK


@click.command()
@click.argument("folder", metavar="DOSSIER", type=click.Path(file_okay=False, path_type=Path))
@as_of_option
@types_option
@click.option("--view", "names", multiple=True, help="Vue nettoyée ; toutes par défaut.")
@history_option
def export(folder: Path, as_of: str | None, types: tuple[str, ...], names: tuple[str, ...], base: str) -> int:
    """Écrit un fichier parquet par type et par vue nettoyée, et le rapport du batch en Markdown.

    \b
    workbench signaux export livraison --as-of 1802
    workbench signaux export livraison --type debit --view clean_debit
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.history.export import export as write

    asked = bool(types or names)
    with open_history(base) as history, progress_bar("Export") as advance:
        found = write(
            history,
            folder,
            as_of,
            types=types if asked else None,
            names=names if asked else None,
            progress=advance,
        )
    for name, count in found.files.items():
        click.echo(f"{folder / name}\t{count}")
    say(f"Rapport : {found.report}")
    return ExitCode.OK


@click.command()
@click.argument("batch", metavar="BATCH")
@types_option
@history_option
def rejected(batch: str, types: tuple[str, ...], base: str) -> int:
    """Écrit en CSV toutes les lignes rejetées d'un batch : fichier, ligne, colonne, valeur, motif.

    \b
    workbench signaux rejected 1802 > refus.csv
    """
    import pyarrow.csv as written
    from sqlalchemy import select

    from workbench.signaux_faibles.batches import check_key
    from workbench.signaux_faibles.history import open_history, schema

    at = schema.rejected_rows
    statement = select(
        at.c.file.label("fichier"),
        at.c.line.label("ligne"),
        at.c.field.label("colonne"),
        at.c.value.label("valeur"),
        at.c.reason.label("motif"),
    ).where(at.c.batch == check_key(batch))
    if types:
        statement = statement.where(at.c.type.in_(types))
    with open_history(base) as history:
        rows = history.fetch(statement.order_by(at.c.file, at.c.line, at.c.field))
    written.write_csv(rows, sys.stdout.buffer)
    return ExitCode.OK

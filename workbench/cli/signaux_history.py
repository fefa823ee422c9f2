"""``workbench signaux import, validate, compact, prune, purge``: what changes the history, and what judges it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import existing_file, history_option, say
from workbench.cli.progress import progress_bar
from workbench.signaux_faibles.batches import load_batch

__all__ = ["as_of_option", "compact", "import_", "prune", "purge", "types_option", "validate"]

as_of_option = click.option("--as-of", metavar="BATCH", help="État de ce batch ; par défaut, le dernier.")
types_option = click.option("--type", "types", multiple=True, help="Type de fait ; tous par défaut.")


@click.command("import")
@click.argument("descriptor", metavar="DESCRIPTEUR", type=existing_file)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Dossier de tous les batchs.",
)
@click.option("--parsers", "types", multiple=True, help="Type à lire ; tous par défaut.")
@click.option("--no-filter", is_flag=True, help="Lit tout, sans périmètre.")
@click.option("--skip-temporary", is_flag=True, help="Filtre les SIRET provisoires de l'URSSAF.")
@click.option("--compact", "compacted", is_flag=True, help="Compacte aussitôt : la base n'est écrite qu'une fois.")
@history_option
def import_(
    descriptor: Path,
    root: Path,
    types: tuple[str, ...],
    no_filter: bool,
    skip_temporary: bool,
    compacted: bool,
    base: str,
) -> int:
    """Lit les fichiers d'un batch dans l'historique, où leurs faits attendent d'être compactés.

    Tout est importé ou rien : interrompu, l'import se relance. Le même fichier relu remplace ce qui en attendait. Le
    rapport de chaque fichier sort en JSON ; les lignes rejetées restent dans la base. Le code de sortie est 5 quand un
    fichier est illisible ou de type inconnu.

    \b
    workbench signaux import 1802.yaml --root donnees
    workbench signaux import 1802.yaml --root donnees --compact --base postgresql://moi@serveur/signaux
    """
    from workbench.signaux_faibles.history import import_batch, open_history

    batch = load_batch(descriptor).confirmed()
    with open_history(base, read_only=False) as history, progress_bar("Import") as advance:
        found = import_batch(
            history,
            batch,
            root,
            types=types,
            no_filter=no_filter,
            temporary=not skip_temporary,
            compacted=compacted,
            progress=advance,
        )
    click.echo(json.dumps({"reports": found.journal()}, ensure_ascii=False, indent=2))
    say(str(found))
    unread = any(each.is_fatal for each in found.reports) or bool(found.unknown_types)
    return ExitCode.FINDINGS if unread else ExitCode.OK


@click.command()
@click.option("--waiting", is_flag=True, help="Juge ce qui attend d'être compacté, et non ce qui est connu.")
@as_of_option
@types_option
@history_option
def validate(waiting: bool, as_of: str | None, types: tuple[str, ...], base: str) -> int:
    """Juge chaque fait d'après les règles de son type ; ceux qui n'y sont pas conformes sortent en JSON, un par ligne.

    Le code de sortie est 5 quand il y en a.

    \b
    workbench signaux validate --waiting
    workbench signaux validate --type delai --as-of 1802 > delais.jsonl
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.history.validation import entries
    from workbench.signaux_faibles.history.validation import validate as judge

    with open_history(base) as history:
        found = judge(history, waiting=waiting, as_of=as_of, types=types)
        for type_ in found.by_type:
            for entry in entries(history, type_, waiting=waiting, as_of=as_of):
                click.echo(json.dumps(entry, ensure_ascii=False))
    say(str(found))
    return ExitCode.FINDINGS if found.count else ExitCode.OK


@click.command()
@click.option(
    "--since-batch", "since", metavar="BATCH", help="Premier batch à compacter ; par défaut, tous ceux qui attendent."
)
@history_option
def compact(since: str | None, base: str) -> int:
    """Fait entrer dans l'historique ce qui a été importé : des faits sont ajoutés, et retirés par les types complets.

    Un batch peut être compacté après ceux qui le suivent : leurs états n'en sont que plus justes. Ce qui change sort en
    JSON.

    \b
    workbench signaux compact
    workbench signaux compact --since-batch 1802
    """
    from dataclasses import asdict

    from workbench.signaux_faibles.history import compact as merge
    from workbench.signaux_faibles.history import open_history

    with open_history(base, read_only=False) as history, progress_bar("Compactage") as advance:
        found = merge(history, since, progress=advance)
    click.echo(json.dumps({"changes": [asdict(each) for each in found.changes]}, ensure_ascii=False, indent=2))
    say(str(found))
    return ExitCode.OK


@click.command()
@click.argument("batch", metavar="BATCH")
@click.option("--delete", "remove", is_flag=True, help="Retire ces entreprises ; sinon, elles sont seulement comptées.")
@history_option
def prune(batch: str, remove: bool, base: str) -> int:
    """Compte les SIREN et les SIRET hors du filtre d'un batch, et les retire de tout l'historique avec --delete.

    Les anciens états de la base les gardent jusqu'à « workbench base prune --base … ».

    \b
    workbench signaux prune 1802
    workbench signaux prune 1802 --delete
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.history import prune as clear

    with open_history(base, read_only=not remove) as history:
        found = clear(history, batch, remove=remove)
    click.echo(json.dumps({"count": found.entities}))
    say(f"{type_} : {count} fait(s)" for type_, count in found.rows.items())
    say("Retirés." if remove else "Rien n'est retiré : ajoutez --delete.")
    return ExitCode.OK


@click.command()
@click.option("--since-batch", "since", metavar="BATCH", help="Premier batch à oublier.")
@click.option("--waiting", is_flag=True, help="Oublie ce qui a été importé et n'est pas compacté.")
@click.option("--i-understand-what-im-doing", "sure", is_flag=True, help="Sans cette option, rien n'est retiré.")
@history_option
def purge(since: str | None, waiting: bool, sure: bool, base: str) -> int:
    """Oublie un batch et ceux qui le suivent, ou ce qui attend d'être compacté.

    \b
    workbench signaux purge --since-batch 1802 --i-understand-what-im-doing
    workbench signaux purge --waiting --i-understand-what-im-doing
    """
    from workbench.signaux_faibles.history import open_history, purge_waiting
    from workbench.signaux_faibles.history import purge as forget

    if (since is None) == (not waiting):
        raise click.UsageError("Donnez --since-batch, ou --waiting.")
    if not sure:
        with open_history(base) as history:
            known = history.batches()
        gone = [
            each.key for each in known if (since is not None and each.key >= since) or (waiting and each.pending_types)
        ]
        say(f"Batchs concernés : {', '.join(gone) or 'aucun'}. Rien n'est retiré sans --i-understand-what-im-doing.")
        return ExitCode.OK
    with open_history(base, read_only=False) as history, progress_bar("Purge") as advance:
        gone = forget(history, since, progress=advance) if since is not None else purge_waiting(history)
    click.echo(json.dumps({"batches": gone}))
    return ExitCode.OK

"""``workbench signaux``: the files of partners, batch by batch."""

from __future__ import annotations

import csv
import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import existing_file, say
from workbench.cli.progress import progress_bar
from workbench.cli.signaux_detection import detect, evaluate, train
from workbench.cli.signaux_directory import publish_directory
from workbench.cli.signaux_history import compact, import_, prune, purge, validate
from workbench.cli.signaux_publication import publish, withdraw
from workbench.cli.signaux_state import batches, export, rejected, state
from workbench.cli.signaux_variables import variables
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.signaux_faibles.batches import Batch

__all__ = ["command"]

_day = click.DateTime(formats=["%Y-%m-%d"])
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_output = click.Path(dir_okay=False, path_type=Path)
_rejected = click.option("--rejected", type=_output, help="Fichier CSV où garder toutes les lignes rejetées.")


_temporary = click.option(
    "--skip-temporary", is_flag=True, help="Filtre les SIRET provisoires de l'URSSAF (NIC en 5, 6, 7 ou 9)."
)


@click.group()
def command() -> None:
    """Les entreprises en difficulté : les fichiers et leur historique, les variables, les modèles et leurs listes."""


_HISTORY = (import_, validate, compact, prune, purge, batches, state, rejected, export)
for _other in (*_HISTORY, variables, train, detect, evaluate, publish, publish_directory, withdraw):
    command.add_command(_other)


@command.command()
@click.argument("root", metavar="DOSSIER", type=_folder)
@click.argument("key", metavar="BATCH")
@click.option("--to", "target", type=_output, help="Descripteur à écrire ; par défaut, sur la sortie standard.")
@click.option(
    "--form",
    type=click.Choice(["texte", "mongodb", "prepare-import", "now"]),
    default="texte",
    show_default=True,
    help="Forme du descripteur : texte à relire, ou l'une des formes JSON.",
)
@click.option(
    "--date-fin-effectif",
    "effectif_end",
    type=_day,
    metavar="AAAA-MM-JJ",
    help="Dernier mois d'effectifs, si rien ne le donne.",
)
@click.option("--start", type=_day, metavar="AAAA-MM-JJ", help="Premier mois ; par défaut 2016-01-01.")
@click.option(
    "--months",
    type=click.IntRange(1),
    help="Périmètre : mois regardés ; par défaut 100, ou 36 avec --enterprises.",
)
@click.option(
    "--threshold", type=click.IntRange(0), default=10, show_default=True, help="Périmètre : effectif atteint."
)
@click.option(
    "--exclude-category", "categories", multiple=True, help="Catégorie juridique à exclure, au lieu des usuelles."
)
@click.option(
    "--exclude-activity", "activities", multiple=True, help="Début d'activité à exclure, au lieu de 84 et 85."
)
@click.option("--enterprises", is_flag=True, help="Périmètre : d'après les effectifs d'entreprise (effectif_ent).")
@click.option("--name", default="", help="Libellé du batch.")
def prepare(
    root: Path,
    key: str,
    target: Path | None,
    form: str,
    effectif_end: datetime | None,
    start: datetime | None,
    months: int | None,
    threshold: int,
    categories: tuple[str, ...],
    activities: tuple[str, ...],
    enterprises: bool,
    name: str,
) -> int:
    """Reconnaît les fichiers d'un batch, construit son périmètre s'il manque et écrit son descripteur.

    Les types qui semblent complets sont à confirmer dans le descripteur : un type complet remplace tout ce qui était
    connu. Un filtre existant n'est jamais remplacé.

    \b
    workbench signaux prepare donnees 1802 --to 1802.yaml
    workbench signaux prepare donnees 1803_01 --form mongodb
    """
    from workbench.signaux_faibles.batches import START, save_batch, to_json
    from workbench.signaux_faibles.effectifs import RECENT_MONTHS, PerimetreRules
    from workbench.signaux_faibles.prepare import prepare_batch

    measured = "effectif_ent" if enterprises else "effectif"
    usual = PerimetreRules(months or RECENT_MONTHS[measured], threshold)
    rules = PerimetreRules(usual.months, threshold, categories or usual.categories, activities or usual.activities)
    batch = prepare_batch(
        root,
        key,
        rules=rules,
        effectif_end=effectif_end.date() if effectif_end else None,
        perimetre_from=measured,
        start=start.date() if start else START,
        name=name,
    )
    if form != "texte":
        text = json.dumps(to_json(batch, form), ensure_ascii=False, indent=2) + "\n"
        _write(text, target)
    elif target is None:
        _print_text(batch)
    else:
        save_batch(batch, target)
    say(f"{key} : {sum(map(len, batch.files.values()))} fichier(s) reconnu(s).")
    say(f"Non reconnu : {each}" for each in batch.unknown)
    say(batch.notes)
    say(f"À confirmer : {type_}, {why}" for type_, why in batch.to_confirm.items())
    return ExitCode.OK


def _write(text: str, target: Path | None) -> None:
    from workbench.atomic import replacing

    if target is None:
        click.echo(text, nl=False)
        return
    with replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")


def _print_text(batch: Batch) -> None:
    from workbench.engines import work_folder
    from workbench.signaux_faibles.batches import save_batch

    with work_folder(prefix="workbench-sources-") as work:
        save_batch(batch, work / "descripteur.yaml")
        click.echo((work / "descripteur.yaml").read_text(encoding="utf-8"), nl=False)


@command.command()
@click.argument("descriptor", metavar="DESCRIPTEUR", type=existing_file)
@click.option("--root", type=_folder, required=True, help="Dossier de tous les batchs.")
@click.option("--parsers", "types", multiple=True, help="Type à lire ; tous par défaut.")
@click.option("--no-filter", is_flag=True, help="Lit tout, sans périmètre.")
@_temporary
@_rejected
def check(
    descriptor: Path,
    root: Path,
    types: tuple[str, ...],
    no_filter: bool,
    skip_temporary: bool,
    rejected: Path | None,
) -> int:
    """Lit tous les fichiers d'un batch sans rien importer, et dit ce qui n'y va pas.

    Le rapport de chaque fichier sort en JSON. Le code de sortie est 5 quand un fichier est illisible ou qu'une ligne
    est rejetée.

    \b
    workbench signaux check 1802.yaml --root donnees --rejected refus.csv
    """
    from workbench.signaux_faibles.batches import load_batch
    from workbench.signaux_faibles.check import check_batch

    batch = load_batch(descriptor)
    with progress_bar("Lecture") as advance:
        found = check_batch(
            batch,
            root,
            types=types,
            no_filter=no_filter,
            temporary=not skip_temporary,
            rejected=rejected,
            progress=advance,
        )
    click.echo(json.dumps({"reports": found.journal()}, ensure_ascii=False, indent=2))
    say(str(found))
    return ExitCode.OK if found.is_right else ExitCode.FINDINGS


@command.command("parse-file")
@click.argument("type_", metavar="TYPE")
@click.argument("file", metavar="FICHIER")
@click.option("--filter", "perimetre", type=existing_file, help="Filtre : garde ces SIREN seulement.")
@click.option("--comptes", multiple=True, help="Fichier de comptes (admin_urssaf).")
@click.option(
    "--start",
    type=_day,
    metavar="AAAA-MM-JJ",
    default="2016-01-01",
    show_default=True,
    help="Premier mois, pour les comptes.",
)
@click.option("--end", type=_day, metavar="AAAA-MM-JJ", help="Mois après le dernier, pour les comptes.")
@click.option("--era", type=click.Choice(["H21", "NOW"]), help="Règles à suivre ; par défaut, celles de l'en-tête.")
@_temporary
@_rejected
def parse_file(
    type_: str,
    file: str,
    perimetre: Path | None,
    comptes: tuple[str, ...],
    start: datetime,
    end: datetime | None,
    era: str | None,
    skip_temporary: bool,
    rejected: Path | None,
) -> int:
    """Lit un fichier et écrit ses faits sur la sortie standard, un objet JSON par ligne.

    Le code de sortie est 3 quand le fichier est illisible, 5 quand une ligne est rejetée.

    \b
    workbench signaux parse-file debit donnees/1802/sigfaible_debits.csv > debits.jsonl
    """
    from workbench.signaux_faibles.reading import read_source, tuple_values
    from workbench.signaux_faibles.sources import source_named

    source = source_named(type_)
    last = end.date() if end else _this_month()
    content = read_source(
        type_,
        file,
        perimetre=perimetre,
        comptes=comptes,
        start=start.date(),
        end=last,
        era=era,
        temporary=not skip_temporary,
    )
    say(str(content.report))
    if rejected is not None:
        _write_rejected(content.rejected.to_pydict(), rejected)
    for rows in content.tuples.to_batches(max_chunksize=10_000):
        sys.stdout.writelines(
            json.dumps(tuple_values(source, row), ensure_ascii=False) + "\n" for row in rows.to_pylist()
        )
    if content.report.is_fatal:
        return ExitCode.REFUSED
    return ExitCode.FINDINGS if content.report.lines_rejected else ExitCode.OK


def _this_month() -> date:
    return date.today().replace(day=1)  # noqa: DTZ011 - months of the person who asks


def _write_rejected(rows: dict[str, list[object]], path: Path) -> None:
    from workbench.atomic import replacing

    try:
        with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(rows)
            writer.writerows(zip(*rows.values(), strict=True))
    except OSError as error:
        raise WorkbenchError("fichier_illisible", fichier=str(path), detail=str(error.strerror)) from error

"""``workbench signaux variables``: from the history to the table that a model learns from."""

from __future__ import annotations

import sys
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.exits import ExitCode
from workbench.cli.options import history_option, say
from workbench.cli.progress import progress_bar

if TYPE_CHECKING:
    from workbench.signaux_faibles.variables import Computation

__all__ = ["variables"]

_month = click.DateTime(formats=["%Y-%m", "%Y-%m-%d"])


@click.command()
@click.option("--batch", "as_of", metavar="BATCH", help="Ce qui était connu à ce batch ; par défaut, le dernier.")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="Dossier à écrire ; par défaut, CSV sur la sortie."
)
@click.option("--siren", "sirens", multiple=True, help="Entreprise ; toutes par défaut.")
@click.option(
    "--definition",
    type=click.Choice(["corrige", "compat"]),
    default="corrige",
    show_default=True,
    help="Règles : corrigées, ou celles de référence à la lettre.",
)
@click.option(
    "--entity",
    type=click.Choice(["etablissement", "entreprise"]),
    default="etablissement",
    show_default=True,
    help="Ce dont chaque ligne parle, mois par mois.",
)
@click.option("--family", "families", multiple=True, help="Famille de variables ; toutes par défaut.")
@click.option("--variable", "codes", multiple=True, help="Variable ; toutes par défaut.")
@click.option(
    "--month", "months", type=_month, multiple=True, metavar="AAAA-MM", help="Mois à calculer ; tous par défaut."
)
@click.option("--missing", is_flag=True, help="Calcule les mois qui manquent au dossier, et garde les autres.")
@click.option("--start", type=_month, metavar="AAAA-MM", help="Premier mois ; par défaut, celui du batch.")
@click.option(
    "--date-fin-effectif",
    "effectif_end",
    type=_month,
    metavar="AAAA-MM",
    help="Dernier mois d'effectifs connu ; par défaut, celui du batch.",
)
@click.option(
    "--naf",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier des libellés d'activité (naf1.csv à naf5.csv).",
)
@history_option
def variables(
    as_of: str | None,
    target: Path | None,
    sirens: tuple[str, ...],
    definition: str,
    entity: str,
    families: tuple[str, ...],
    codes: tuple[str, ...],
    months: tuple[datetime, ...],
    missing: bool,
    start: datetime | None,
    effectif_end: datetime | None,
    naf: Path | None,
    base: str,
) -> int:
    """Calcule les variables de chaque établissement, ou entreprise, mois par mois, telles qu'un batch les connaissait.

    Le dossier écrit a une partition par mois (periode=2018-01-01) de fichiers parquet ; il n'est remplacé qu'à la
    fin, d'un coup, et un mois inchangé garde ses fichiers. Toutes les variables sont décrites dans docs/variables.md.

    \b
    workbench signaux variables --batch 1802 --to variables
    workbench signaux variables --batch 1802 --siren 012345678 --family cotisations > une_entreprise.csv
    """
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.variables import (
        AT_ONCE,
        Computation,
        Definition,
        Scope,
        read_naf,
        relations_of,
        setting_of,
        write_variables,
    )
    from workbench.signaux_faibles.variables.output import missing_months
    from workbench.signaux_faibles.variables.plan import chosen

    if missing and target is None:
        raise click.UsageError("--missing demande un dossier (--to).")
    rules, scope = Definition(definition), Scope(entity)
    with open_history(base) as history, progress_bar("Variables") as advance:
        setting = setting_of(
            history,
            as_of,
            rules,
            start=start.date() if start else None,
            effectif_end=effectif_end.date() if effectif_end else None,
        )
        work = Computation(
            history,
            relations_of(history, as_of),
            setting,
            scope,
            chosen(codes, scope, rules, families),
            sirens or None,
            [each.date() for each in months] or None,
            read_naf(naf) if naf is not None else None,
            AT_ONCE,
        )
        if target is None:
            _print(work)
            return ExitCode.OK
        if missing:
            left = missing_months(work, target)
            if left is None:
                say(f"{target} : aucun mois ne manque.")
                return ExitCode.OK
            work = left
        facts = {"base": history.url, "etat": history.snapshot, "batch": history.batch(as_of).key}
        say(str(write_variables(work, target, facts=facts, progress=advance)))
    return ExitCode.OK


def _print(work: Computation) -> None:
    import pyarrow.csv as written

    from workbench.signaux_faibles.variables import compute_variables

    tables = compute_variables(work)
    # What is refused is refused before anything is written.
    first = next(tables, work.schema.empty_table())
    with written.CSVWriter(sys.stdout.buffer, work.schema) as output:
        for table in chain([first], tables):
            keys = [(name, "ascending") for name in ("siret", "siren", "periode") if name in table.column_names]
            output.write_table(table.sort_by(keys))

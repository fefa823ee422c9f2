"""Import of populations, for balances that carry none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    SmallInteger,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
)

from workbench.dgfip.bad_rows import find_bad_rows
from workbench.dgfip.base import Base
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts import POPULATION
from workbench.dgfip.publication import begin, next_import_id, record_import
from workbench.dgfip.schema import imports, populations
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source
from workbench.dgfip.values import Columns, checked
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_population"]

_NATURES = ("siret", "siren", "commune")
_KINDS = {
    "siret": "identifiant",
    "siren": "identifiant",
    "commune": "identifiant",
    "exercice": "exercice",
    "population": "habitants",
}


def import_population(base: Base, path: str | Path) -> ImportReport:
    """Import populations by SIREN, SIRET or commune.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    path
        CSV or parquet with a header: ``siren``, ``siret`` or ``code_commune`` (five characters),
        ``population`` (or ``ptot``, ``population_totale``), and ``exercice``, without which a
        population serves every exercice that has none of its own.

    Returns
    -------
    ImportReport
        A file that the base already holds changes nothing; a population given before for the same
        identifier and exercice is replaced. The population that a description carries itself goes
        before these.

    Raises
    ------
    WorkbenchError
        ``lignes_refusees`` with file, line, column and value, ``colonnes_absentes``,
        ``population_double`` when the file gives two for one identifier.
    """
    file, *others = expand_paths(path)
    if others:
        raise WorkbenchError("fichier_seul", motif=str(path))
    with begin(base) as work:
        source = open_source(file, POPULATION, work)
        nature = next((name for name in _NATURES if name in source.positions), None)
        if nature is None:
            raise WorkbenchError(
                "colonnes_absentes",
                fichier=source.name,
                nature=POPULATION.title,
                colonnes="SIREN, SIRET ou CODE_COMMUNE",
                proches="",
                entete=", ".join(source.header),
            )
        if _is_current(base, source):
            return ImportReport((source.name,), snapshot=base.snapshot)
        import_id = next_import_id(base)
        with base.write() as writer:
            rows = _load(writer, source, nature, import_id)
        base.refresh()
    notes = (
        ()
        if "exercice" in source.positions
        else (f"{source.name} ne donne pas d'exercice : ces populations servent à tous ceux qui n'en ont pas.",)
    )
    return ImportReport((source.name,), rows, ignored_columns=source.ignored, notes=notes, snapshot=base.snapshot)


def _is_current(base: Base, source: SourceFile) -> bool:
    last = base.fetch(
        select(imports.c.import_id, imports.c.lignes)
        .where(imports.c.sha256 == source.sha256, imports.c.source == "population")
        .order_by(imports.c.import_id.desc())
        .limit(1)
    ).to_pylist()
    if not last:
        return False
    left = base.fetch(
        select(func.count().label("n")).select_from(populations).where(populations.c.import_id == last[0]["import_id"])
    )
    return bool(left.column("n")[0].as_py() == last[0]["lignes"])


def _load(writer: Writer, source: SourceFile, nature: str, import_id: int) -> int:
    columns = Columns(source, writer.source(source.file))
    exercice = columns.exercice() if columns.has("exercice") else null().cast(SmallInteger)
    if columns.has("exercice"):
        exercice = case((columns.is_blank("exercice"), null()), else_=checked(exercice))
    values: list[ColumnElement[Any]] = [
        checked(columns.identifier(nature)).label("identifiant"),
        literal(nature).cast(Text),
        exercice,
        checked(columns.inhabitants()),
        literal(import_id),
    ]
    names = list(populations.c.keys())
    try:
        # A file exported row by row of a balance repeats itself; only contradictions are refused.
        rows = writer.execute(
            insert(populations).from_select(names, select(*values).distinct().order_by("identifiant"))
        )
    except WorkbenchError as error:
        kinds = {name: kind for name, kind in _KINDS.items() if name not in _NATURES or name == nature}
        raise (find_bad_rows(writer, source, kinds) or error) from None
    if not rows:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    p = populations.c
    twice = writer.fetch(
        select(p.identifiant, p.exercice)
        .where(p.import_id == import_id)
        .group_by(p.identifiant, p.exercice)
        .having(func.count() > 1)
        .order_by(p.identifiant, p.exercice)
        .limit(1)
    ).to_pylist()
    if twice:
        year = twice[0]["exercice"]
        raise WorkbenchError(
            "population_double",
            fichier=source.name,
            identifiant=twice[0]["identifiant"],
            exercice=f", exercice {year}" if year else "",
        )
    writer.loaded()
    newer = populations.alias("newer")
    again = and_(
        newer.c.import_id == import_id,
        newer.c.nature == p.nature,
        newer.c.identifiant == p.identifiant,
        newer.c.exercice.is_not_distinct_from(p.exercice),
    )
    writer.execute(delete(populations).where(p.import_id < import_id, exists().where(again)))
    record_import(writer, import_id, source, "population", rows, 0)
    return rows

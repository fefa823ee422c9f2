"""Import of charts of accounts into a base."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import and_, column, delete, exists, func, insert, select, table

from workbench.dgfip.base import Base
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.plan_files import TABLES, PlanFile, plan_paths, read_plan_file
from workbench.dgfip.publication import begin, next_import_id, record_import
from workbench.dgfip.schema import imports, plans
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_plan_comptes"]


def import_plan_comptes(
    base: Base,
    path: str | Path | Iterable[str | Path],
    *,
    nomenclature: str | None = None,
    exercices: Iterable[int] | int | None = None,
    licence: str = "",
) -> ImportReport:
    """Import charts of accounts: comptes, and the chapters and functions that go with them.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    path
        Files or patterns, or a folder of such files: those of TOTEM, or CSV and parquet files with a header:
        ``compte`` (or ``fonction``, or ``chapitre``), ``libelle`` and, where they have them, ``nomenclature``,
        ``exercice``, ``variante``, ``parent``, ``libelle_court``.
    nomenclature, exercices
        For files that do not say them.
    licence
        What must go with files other than TOTEM's, whose notice is kept with what is imported.

    Returns
    -------
    ImportReport
        A file replaces what the base had of the same kind for the (nomenclature, variante, exercice) that it
        carries. Files that the base already holds change nothing.

    Raises
    ------
    WorkbenchError
        ``lignes_refusees`` with file, line, column and value, ``plan_sans_precision``, ``plan_double`` when two files
        give the same chart, ``colonnes_absentes``; nothing is imported then.
    """
    files = plan_paths(path)
    years = [exercices] if isinstance(exercices, int) else list(exercices or ())
    with begin(base) as work:
        found = [read_plan_file(each, work, nomenclature, years) for each in files]
        _refuse_twins(found)
        names = tuple(each.source.name for each in found)
        fresh = [each for each in found if not _is_current(base, each)]
        if not fresh:
            return ImportReport(names, snapshot=base.snapshot)
        first = next_import_id(base)
        with base.write() as writer:
            for number, each in enumerate(fresh):
                _load(writer, each, first + number, each.licence or licence)
            writer.loaded()
            for number, each in enumerate(fresh):
                _replace(writer, each, first + number)
        base.refresh()
    notices = dict.fromkeys(each.licence or licence for each in fresh)
    return ImportReport(
        names,
        sum(each.rows.num_rows for each in fresh),
        exercices=tuple(sorted({year for each in fresh for year in each.rows["exercice"].unique().to_pylist()})),
        ignored_columns=tuple(dict.fromkeys(name for each in fresh for name in each.source.ignored)),
        notes=tuple(notice for notice in notices if notice),
        snapshot=base.snapshot,
    )


def _charts(file: PlanFile) -> pa.Table:
    """Return the charts that a file carries."""
    return file.rows.group_by(["nomenclature", "variante", "exercice"]).aggregate([([], "count_all")])


def _refuse_twins(files: list[PlanFile]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for file in files:
        for row in _charts(file).to_pylist():
            key = (file.nature, row["variante"] or row["nomenclature"], row["exercice"])
            other = seen.setdefault(key, file.source.name)
            if other != file.source.name:
                raise WorkbenchError(
                    "plan_double", un=other, autre=file.source.name, nature=key[0], plan=key[1], exercice=key[2]
                )


def _is_current(base: Base, file: PlanFile) -> bool:
    """Whether the base still holds all that the last import of this file gave it."""
    journal = imports.c
    last = base.fetch(
        select(journal.import_id, journal.lignes)
        .where(journal.sha256 == file.source.sha256, journal.source == f"plan_{file.nature}")
        .order_by(journal.import_id.desc())
        .limit(1)
    ).to_pylist()
    if not last or last[0]["lignes"] != file.rows.num_rows:
        return False
    stored = TABLES[file.nature]
    own = stored.c.import_id == last[0]["import_id"]
    left = base.fetch(select(func.count().label("n")).select_from(stored).where(own)).column("n")[0].as_py()
    held = base.fetch(select(stored.c.nomenclature, stored.c.exercice).where(own).distinct()).to_pylist()
    given = {(row["nomenclature"], row["exercice"]) for row in _charts(file).to_pylist()}
    return bool(left == file.rows.num_rows and {(row["nomenclature"], row["exercice"]) for row in held} == given)


def _copied(target: Any) -> Any:
    given = table("lignes_donnees", *(column(each.name) for each in target.columns))
    return insert(target).from_select(list(target.c.keys()), select(*given.c))


def _load(writer: Writer, file: PlanFile, import_id: int, licence: str) -> None:
    for target, rows in (
        (TABLES[file.nature], file.rows),
        (plans, _described(file, licence)),
    ):
        numbered = rows.append_column("import_id", pa.array([import_id] * rows.num_rows, pa.int32()))
        writer.execute(_copied(target), {"lignes_donnees": numbered.select(target.c.keys())})
    record_import(writer, import_id, file.source, f"plan_{file.nature}", file.rows.num_rows, 0)


def _described(file: PlanFile, licence: str) -> pa.Table:
    charts = _charts(file)
    count = charts.num_rows
    return pa.table(
        {
            **{name: charts[name] for name in ("nomenclature", "variante", "exercice")},
            "nature": pa.array([file.nature] * count),
            "lignes": charts["count_all"].cast(pa.int32()),
            "fichier": pa.array([file.source.name] * count),
            "licence": pa.array([licence] * count),
        }
    )


def _replace(writer: Writer, file: PlanFile, import_id: int) -> None:
    """Remove what older imports gave of the charts that a file carries."""
    newer = plans.alias("newer")
    for target in (TABLES[file.nature], plans):
        again = and_(
            newer.c.import_id == import_id,
            newer.c.nature == file.nature,
            *(newer.c[name] == target.c[name] for name in ("nomenclature", "variante", "exercice")),
        )
        older = [target.c.import_id < import_id]
        if target is plans:
            older.append(plans.c.nature == file.nature)
        writer.execute(delete(target).where(*older, exists(select(newer.c.import_id).where(again))))

"""A folder of variables: one parquet folder a month, put in place all at once.

The folder is a link to its present version, so that a reader sees one version whole; it changes in one renaming. A
month whose files are the same, byte for byte, keeps them from one version to the next; so does one that is not asked.
"""

from __future__ import annotations

import filecmp
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.atomic import replacing
from workbench.errors import WorkbenchError, reason
from workbench.signaux_faibles.variables.compute import Computation, Progress, compute_variables
from workbench.signaux_faibles.variables.context import first_day

__all__ = ["MANIFEST", "Written", "missing_months", "month_writer", "read_manifest", "write_variables"]

MANIFEST = "_manifeste.json"
"""Readers of parquet folders pass over names that begin so."""
_CHUNKS = 1_000_000
"""Columns of row groups that open files may remember, a few hundred bytes each; others are begun beyond."""
_HELD = 120_000_000
"""Values that wait to be written together, about eight bytes each: a column of a row group has a cost of its own."""
_KEYS = ("siret", "siren")
_LEVEL = 3
"""Of zstd: a third smaller than the first, and as fast on columns that repeat themselves."""


@dataclass(frozen=True)
class Written:
    """What was done.

    Parameters
    ----------
    folder
        Where the variables are.
    rows
        Computed.
    changed, kept
        Months whose file is new, and those whose file stayed.
    """

    folder: Path
    rows: int
    changed: tuple[str, ...]
    kept: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.folder} : {self.rows} ligne(s) calculée(s), {len(self.changed)} mois écrit(s), "
            f"{len(self.kept)} inchangé(s)."
        )


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return what a folder of variables says of itself; empty when it is none."""
    try:
        found: dict[str, Any] = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def write_variables(
    work: Computation, to: str | Path, *, facts: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Written:
    """Compute variables into a folder, parquet files by month.

    Parameters
    ----------
    work
        What to compute; with some months only, the others of the folder stay.
    to
        The folder, ``periode=2018-01-01/…`` inside, made or replaced.
    facts
        What the facts are of (``base``, ``batch``), for the manifest.
    progress
        Called with (entities done, entities in all, words).

    Returns
    -------
    Written

    Raises
    ------
    WorkbenchError
        ``variables_dossier`` when something else is there, or variables of another definition and only some months
        are asked, or it cannot be made; ``variables_sans_effectif``. Whatever is raised, the folder is as it was.
    """
    # Never resolved: the folder is a link.
    folder = Path(to).absolute()
    before = read_manifest(folder)
    if (folder.is_symlink() and not before) or (folder.exists() and not folder.is_symlink()):
        raise WorkbenchError("variables_dossier", dossier=str(to), raison="il existe et ne contient pas de variables")
    described = _described(work, facts or {})
    if before and len(work.asked_months) < work.setting.after - work.setting.first:
        _require_same(described, before, to)
    asked = [first_day(each).isoformat() for each in work.asked_months]
    others = [each for each in before.get("periodes", {}) if each not in asked]
    partial = len(asked) < work.setting.after - work.setting.first
    with _version(folder) as version:
        rows = _write_months(work, version, progress)
        kept = [each for each in asked if _keep_same(folder, version, each)]
        if partial:
            for each in others:
                _keep(folder, version, each)
            kept += others
        described["periodes"] = {**{each: before["periodes"][each] for each in others if partial}, **rows}
        with replacing(version / MANIFEST) as temporary:
            temporary.write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    changed = tuple(each for each in asked if each not in kept)
    return Written(Path(to), sum(rows.values()), changed, tuple(sorted(kept)))


def missing_months(work: Computation, to: str | Path) -> Computation | None:
    """Return what is left to compute of the months asked, those that a folder lacks; None when it lacks none.

    Raises
    ------
    WorkbenchError
        ``variables_dossier`` when the folder holds other variables, or those of other companies.
    """
    before = read_manifest(to)
    if before:
        _require_same(_described(work, {}), before, to)
    there = before.get("periodes", {})
    lacking = [day for day in map(first_day, work.asked_months) if day.isoformat() not in there]
    return replace(work, months=lacking) if lacking else None


def _require_same(described: Mapping[str, Any], before: Mapping[str, Any], to: str | Path) -> None:
    if any(before.get(name) != described[name] for name in ("definition", "entite", "variables", "sirens")):
        raise WorkbenchError(
            "variables_dossier", dossier=str(to), raison="ses variables ou ses entreprises ne sont pas celles demandées"
        )


def _described(work: Computation, facts: Mapping[str, str]) -> dict[str, Any]:
    setting = work.setting
    return {
        **facts,
        "definition": setting.definition.value,
        "entite": work.scope.value,
        "date_debut": setting.start.isoformat(),
        "date_fin": setting.end.isoformat(),
        "date_fin_effectif": setting.effectif_end.isoformat(),
        "variables": list(work.codes),
        "sirens": None if work.sirens is None else sorted(set(work.sirens)),
    }


@contextmanager
def _version(folder: Path) -> Iterator[Path]:
    """Give a new version to fill, which the folder becomes a link to when the block ends well."""
    versions = folder.with_name(f".{folder.name}.versions")
    version = versions / secrets.token_hex(4)
    try:
        version.mkdir(parents=True)
    except OSError as error:
        raise WorkbenchError("variables_dossier", dossier=str(folder), raison=reason(error)) from error
    try:
        yield version
        link = versions / f"{version.name}.lien"
        link.symlink_to(Path(versions.name) / version.name, target_is_directory=True)
        link.replace(folder)
    except BaseException:
        shutil.rmtree(version, ignore_errors=True)
        if not folder.is_symlink():
            shutil.rmtree(versions, ignore_errors=True)
        raise
    for each in versions.iterdir():
        if each != version:
            shutil.rmtree(each, ignore_errors=True)


def _month_folder(folder: Path, month: str) -> Path:
    return folder / f"periode={month}"


def _write_months(work: Computation, version: Path, progress: Progress | None) -> dict[str, int]:
    """Write what is computed, row groups of each month after one another; return the rows of each month."""
    schema = pa.schema([each for each in work.schema if each.name != "periode"])
    rows = {first_day(each).isoformat(): 0 for each in work.asked_months}
    for month in rows:
        _month_folder(version, month).mkdir()
    most = max(_CHUNKS // (len(schema) * max(len(rows), 1)), 1)
    groups = _row_groups(compute_variables(work, progress))
    number, finished = 0, False
    while not finished:
        with ExitStack() as files:
            writers: dict[str, pq.ParquetWriter] = {}
            for _ in range(most):
                group = next(groups, None)
                if group is None:
                    finished = True
                    break
                for month, part in group.items():
                    if month not in writers:
                        path = _month_folder(version, month) / f"partie-{number:04d}.parquet"
                        writers[month] = files.enter_context(month_writer(path, schema))
                    writers[month].write_table(part.select(schema.names))
                    rows[month] += part.num_rows
        number += 1
    return rows


def month_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file of one month, to be closed by who writes it.

    Parameters
    ----------
    path
        The file, made or replaced.
    schema
        Its columns: ``siret`` or ``siren``, then the variables.
    """
    # Numbers of a month seldom repeat, nor do keys: their dictionary costs more, in time and in bytes, than it spares.
    texts = [each.name for each in schema if pa.types.is_string(each.type) and each.name not in _KEYS]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=_LEVEL, use_dictionary=texts)


def _row_groups(tables: Iterator[pa.Table]) -> Iterator[dict[str, pa.Table]]:
    """Give the rows of each month, those of several tables together as long as they fit in `_HELD`."""
    held: dict[str, list[pa.Table]] = {}
    values = 0
    for table in tables:
        for month, part in _by_month(table):
            held.setdefault(month, []).append(part)
        values += table.num_rows * table.num_columns
        if values >= _HELD:
            yield {month: pa.concat_tables(parts) for month, parts in held.items()}
            held, values = {}, 0
    if held:
        yield {month: pa.concat_tables(parts) for month, parts in held.items()}


def _by_month(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Cut a table, every month of which has the same entities, by month, in the order of entities."""
    keys = [name for name in _KEYS if name in table.column_names]
    entities = table[keys[0]].unique()
    places = pc.index_in(table[keys[0]], value_set=entities.take(pc.sort_indices(entities)))
    days = table["periode"].cast(pa.int32())
    # Numbers are sorted several times as fast as texts.
    order = pa.array(np.lexsort((places.to_numpy(), days.to_numpy())))
    size = len(entities)
    if len(order) != size * len(table["periode"].unique()):
        raise AssertionError("a part of the variables lacks months of some of its entities")
    named = table.select(keys).combine_chunks().take(order[:size])
    # The allocator of the system gives the memory of the table before again; others hand it back to the kernel, which
    # then clears it page by page, in as long as the values take to be moved.
    ordered = pc.take(
        table.drop_columns(keys).combine_chunks(), order, boundscheck=False, memory_pool=pa.system_memory_pool()
    )
    for start in range(0, len(order), size):
        part = ordered.slice(start, size)
        for place, name in enumerate(keys):
            part = part.add_column(place, table.schema.field(name), named[name])
        yield part["periode"][0].as_py().isoformat(), part


def _keep_same(folder: Path, version: Path, month: str) -> bool:
    """Keep the files of a month that were already there, if they are the same."""
    old, new = _month_folder(folder, month), _month_folder(version, month)
    if not old.is_dir():
        return False
    names = sorted(each.name for each in new.iterdir())
    if names != sorted(each.name for each in old.iterdir()):
        return False
    if any(not filecmp.cmp(old / name, new / name, shallow=False) for name in names):
        return False
    shutil.rmtree(new)
    _keep(folder, version, month)
    return True


def _keep(folder: Path, version: Path, month: str) -> None:
    old, new = _month_folder(folder, month), _month_folder(version, month)
    new.mkdir()
    for each in old.iterdir():
        os.link(each, new / each.name)

"""A history as files: parquet, one a type and one a cleaned view, and a report that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, Numeric, Select, Text, func, select

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history import procol_views, sirene_views, views
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.month_report import month_report
from workbench.signaux_faibles.history.progress import Progress
from workbench.signaux_faibles.history.schema import stored_fields
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.sources import source_named, sources

__all__ = ["VIEWS", "Export", "export", "parts", "view_named"]

VIEWS: dict[str, Callable[[History, str | None], Select[Any]]] = {
    each.__name__: each
    for each in (
        views.clean_filter,
        views.clean_debit,
        views.clean_cotisation,
        views.clean_ap,
        views.clean_effectif,
        views.clean_effectif_ent,
        views.clean_delai,
        procol_views.clean_procol,
        procol_views.clean_procol_at_date,
        sirene_views.clean_sirene,
        sirene_views.clean_sirene_ul,
        sirene_views.clean_sirene_histo,
    )
}
"""The cleaned views by their names."""

_AT_ONCE = 2_000_000
"""Rows that are held in memory together; more are written company after company, by the beginning of their keys."""


@dataclass(frozen=True)
class Export:
    """What was written.

    Parameters
    ----------
    files
        Name of each file to its rows.
    report
        The report.
    """

    files: dict[str, int]
    report: Path


def view_named(name: str) -> Callable[[History, str | None], Select[Any]]:
    """Return a cleaned view by its name.

    Raises
    ------
    WorkbenchError
        ``vue_inconnue``.
    """
    if name not in VIEWS:
        raise WorkbenchError("vue_inconnue", vue=name, connues=", ".join(VIEWS))
    return VIEWS[name]


def export(
    history: History,
    folder: str | Path,
    as_of: str | None = None,
    *,
    types: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write a history as parquet files, and ``rapport.md`` beside them.

    Parameters
    ----------
    history
        The history.
    folder
        Where; made when absent. A file of the same name is replaced once its successor is whole.
    as_of
        A batch; the latest one by default.
    types
        Types to write as they are known; those of which something is known by default.
    names
        Cleaned views to write; all by default.
    progress
        Told of each file before it is written; may raise to stop.

    Raises
    ------
    WorkbenchError
        ``source_inconnue``, ``vue_inconnue``, ``fichier_illisible`` when the folder refuses.
    """
    asked = [*filter(history.has, sources())] if types is None else [source_named(each).type for each in types]
    wanted = [*VIEWS] if names is None else [*names]
    selects: dict[str, tuple[Select[Any], tuple[str, ...]]] = {}
    for type_ in asked:
        money = tuple(name for name, kind in stored_fields(type_) if isinstance(kind, Numeric) and kind.scale == 2)
        selects[type_] = history.state(type_, as_of), money
    for name in wanted:
        selects[name] = view_named(name)(history, as_of), _MONEY.get(name, ())
    target = Path(folder)
    written: dict[str, int] = {}
    try:
        for done, (name, (statement, money)) in enumerate(selects.items()):
            if progress is not None:
                progress(done, len(selects), name)
            with replacing(target / f"{name}.parquet") as partial:
                written[f"{name}.parquet"] = _write(history, statement, partial, money)
        with replacing(target / "rapport.md") as partial:
            partial.write_text(month_report(history, as_of, written), encoding="utf-8")
    except OSError as error:
        raise WorkbenchError("fichier_illisible", fichier=str(folder), detail=str(error.strerror or error)) from error
    return Export(written, target / "rapport.md")


_MONEY = {
    "clean_debit": ("part_ouvriere", "part_patronale"),
    "clean_cotisation": ("du",),
    "clean_delai": ("montant_echeancier",),
}
"""Amounts of the cleaned views, which are exact to the cent in files as they are in the base."""


def _write(history: History, statement: Select[Any], path: Path, money: tuple[str, ...]) -> int:
    total = 0
    writer: pq.ParquetWriter | None = None
    try:
        for rows in parts(history, statement):
            exact = _exact(rows, money)
            if writer is None:
                writer = pq.ParquetWriter(path, exact.schema, compression="zstd")
            writer.write_table(exact)
            total += exact.num_rows
    finally:
        if writer is not None:
            writer.close()
    return total


def parts(history: History, statement: Select[Any], at_once: int = _AT_ONCE) -> Iterator[pa.Table]:
    """Run a statement, in several times where its rows are many.

    Parameters
    ----------
    history
        The history.
    statement
        A state or a view: one of its columns is ``siret`` or ``siren``.
    at_once
        Rows above which companies are read by the beginning of their keys, one hundredth after another.

    Yields
    ------
    pyarrow.Table
        Rows in the order of their keys; the first part is there even without rows.
    """
    given = statement.subquery("given")
    count = int(history.fetch(select(func.count().label("n")).select_from(given))["n"][0].as_py())
    key = given.c.siret if "siret" in given.c else given.c.siren
    if count <= at_once:
        yield history.fetch(select(given).order_by(key))
        return
    beginning: ColumnElement[str] = func.left(key, constant(2), type_=Text())
    for number in range(100):
        yield history.fetch(select(given).where(beginning == f"{number:02d}").order_by(key))


def _exact(rows: pa.Table, money: tuple[str, ...]) -> pa.Table:
    for name in money:
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows[name].cast(pa.decimal128(38, 2)))
    return rows

"""What every import shares: the known files, the budgets replaced, the journal of imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, case, delete, exists, func, insert, literal, select, tuple_, update

from workbench.dgfip.base import Base
from workbench.dgfip.cells_stored import add_cells, complete_cells
from workbench.dgfip.schema import balances, budgets, cells, collectivites, doublons, imports
from workbench.dgfip.source_files import SourceFile
from workbench.engines import Writer, work_folder
from workbench.errors import WorkbenchError, require_kind

__all__ = ["Progress", "Publication", "begin", "progress_reporter"]

WHOLE = frozenset({"cci_comptes"})
"""Sources of which one file holds everything."""
Progress = Callable[[str, float], None]
"""Called with a French sentence and the fraction done, 0 to 1."""


@dataclass(frozen=True)
class Publication:
    """The counts of an import's budgets."""

    new: int
    replaced: int
    exercices: tuple[int, ...]


@contextmanager
def begin(base: Base) -> Iterator[Path]:
    """Keep other imports out and give a folder for the import's own files."""
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb", read_only=False).')
    base.require_writable()
    with base.store.lock(), work_folder() as folder:
        base.refresh()
        yield folder


def next_import_id(base: Base) -> int:
    """Return the first import identifier that is free."""
    last = base.fetch(select(func.coalesce(func.max(imports.c.import_id), 0).label("last")))
    return int(last.column("last")[0].as_py()) + 1


def current_budgets(base: Base, sha256: str, source: str) -> int | None:
    """Return how many budgets a known file still gives the base; None when it must be imported.

    A file is known when its last import is the one that the base's budgets of it come from, all of
    them: none was replaced since.
    """
    journal = select(imports.c.import_id, imports.c.sha256, imports.c.budgets).where(imports.c.source == source)
    if source in WHOLE:
        # Such a file replaces all that came before it, so only the last one is current.
        last = base.fetch(journal.order_by(imports.c.import_id.desc()).limit(1)).to_pylist()
        return 0 if last and last[0]["sha256"] == sha256 else None
    last = base.fetch(
        journal.where(imports.c.sha256 == sha256).order_by(imports.c.import_id.desc()).limit(1)
    ).to_pylist()
    if not last:
        return None
    carrier = collectivites if source == "cci_collectivites" else budgets
    count = select(func.count().label("n")).select_from(carrier).where(carrier.c.import_id == last[0]["import_id"])
    left = base.fetch(count).column("n")[0].as_py()
    return int(left) if left == last[0]["budgets"] else None


def require_sirets(writer: Writer, sirets: ColumnElement[Any], where: ColumnElement[bool], source: SourceFile) -> None:
    """Refuse identifiers that hold anything but letters and digits; lengths are left to the controls."""
    shaped = func.regexp_full_match(sirets, "[0-9A-Z]{1,14}")
    if writer.fetch(select(sirets).where(where, shaped.is_(False)).limit(1)).num_rows:
        raise WorkbenchError("requete_refusee", chemin=source.name, detail="SIRET")


def record_import(writer: Writer, import_id: int, source: SourceFile, kind: str, rows: int, count: int) -> None:
    """Write a file in the journal of imports."""
    writer.execute(
        insert(imports).values(
            import_id=import_id,
            fichier=source.name,
            sha256=source.sha256,
            source=kind,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            lignes=rows,
            budgets=count,
        )
    )


def add_budgets(writer: Writer, import_id: int) -> int:
    """Derive the budgets of an import from its balances; return their number."""
    etat = func.min(balances.c.etat)
    mixed = func.max(balances.c.etat)
    rows = (
        select(
            balances.c.exercice,
            balances.c.siret,
            case((etat == mixed, etat), else_=literal("M")),
            func.count(),
            literal(import_id),
        )
        .where(balances.c.import_id == import_id)
        .group_by(balances.c.exercice, balances.c.siret)
        .order_by(balances.c.siret, balances.c.exercice)
    )
    names = ["exercice", "siret", "etat", "lignes", "import_id"]
    count = writer.execute(insert(budgets).from_select(names, rows))
    add_cells(writer, import_id)
    return count


def publish(writer: Writer, first: int, files: dict[int, str]) -> Publication:
    """Give way to the budgets of the imports from ``first`` on: older ones of the same key go.

    Raises
    ------
    WorkbenchError
        ``budget_double`` when two files of this import carry the same budget.
    """
    _refuse_shared_budgets(writer, first, files)
    newer = budgets.alias("newer")
    replaced = writer.fetch(
        select(func.count().label("n"))
        .select_from(budgets)
        .where(budgets.c.import_id < first, _carried(newer, budgets, first))
    )
    count = int(replaced.column("n")[0].as_py())
    _keep_populations(writer, first)
    if count:
        for each in (balances, budgets, doublons, *([cells] if writer.remote else [])):
            carried = _carried(newer, each, first)
            writer.execute(delete(each).where(each.c.import_id < first, carried))
    described = collectivites.alias("newer")
    writer.execute(
        delete(collectivites).where(collectivites.c.import_id < first, _carried(described, collectivites, first))
    )
    complete_cells(writer)
    total = writer.fetch(
        select(budgets.c.exercice, func.count().label("n"))
        .where(budgets.c.import_id >= first)
        .group_by(budgets.c.exercice)
        .order_by(budgets.c.exercice)
    ).to_pylist()
    return Publication(
        new=sum(row["n"] for row in total) - count,
        replaced=count,
        exercices=tuple(row["exercice"] for row in total),
    )


def _carried(newer: Any, older: Table, first: int) -> Any:
    return tuple_(older.c.exercice, older.c.siret).in_(
        select(newer.c.exercice, newer.c.siret).where(newer.c.import_id >= first)
    )


def _keep_populations(writer: Writer, first: int) -> None:
    """Hand the known population on to the rows of a source that carries none."""
    older = collectivites.alias("older")
    known = (
        select(func.max(older.c.population))
        .where(
            older.c.import_id < first,
            older.c.exercice == collectivites.c.exercice,
            older.c.siret == collectivites.c.siret,
        )
        .scalar_subquery()
    )
    writer.execute(
        update(collectivites)
        .where(collectivites.c.import_id >= first, collectivites.c.population.is_(None))
        .where(exists(select(older.c.siret).where(older.c.import_id < first, older.c.population.is_not(None))))
        .values(population=known)
    )


def _refuse_shared_budgets(writer: Writer, first: int, files: dict[int, str]) -> None:
    shared = writer.fetch(
        select(
            budgets.c.siret,
            budgets.c.exercice,
            func.min(budgets.c.import_id).label("one"),
            func.max(budgets.c.import_id).label("other"),
        )
        .where(budgets.c.import_id >= first)
        .group_by(budgets.c.siret, budgets.c.exercice)
        .having(func.count() > 1)
        .order_by(budgets.c.siret, budgets.c.exercice)
    ).to_pylist()
    if shared:
        row = shared[0]
        raise WorkbenchError(
            "budget_double",
            siret=row["siret"],
            exercice=row["exercice"],
            un=files[row["one"]],
            autre=files[row["other"]],
            suite=f" ({len(shared)} budgets dans ce cas)" if len(shared) > 1 else "",
        )


@contextmanager
def progress_reporter(progress: Progress | bool) -> Iterator[Progress]:
    """Give a function to say how far an import is: the caller's, a bar on stderr, or nothing."""
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda _sentence, _fraction: None
    else:
        from rich.console import Console
        from rich.progress import Progress as Bar

        with Bar(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=1.0)
            yield lambda sentence, fraction: bar.update(task, description=sentence, completed=fraction)

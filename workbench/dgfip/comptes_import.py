"""Import of the labels of comptes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import delete, func, insert, literal, select

from workbench.dgfip.base import Base
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts_cci import COMPTES
from workbench.dgfip.publication import begin, current_budgets, next_import_id, record_import
from workbench.dgfip.schema import comptes
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source
from workbench.dgfip.values import Columns
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_comptes", "load_comptes"]


def import_comptes(base: Base, path: str | Path) -> ImportReport:
    """Import labels of comptes.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    path
        CSV or parquet with a header: ``compte``, ``libelle`` and, when the labels are those of one chart
        each, ``nomenclature``; or the CCI dump of ``comptes``.

    Returns
    -------
    ImportReport
        The file replaces the labels of the nomenclatures that it names, or those of no nomenclature
        in particular. A file that the base already holds changes nothing.

    Raises
    ------
    WorkbenchError
        ``colonnes_absentes``, ``fichier_sans_ligne`` and those of files that cannot be read.
    """
    file, *others = expand_paths(path)
    if others:
        raise WorkbenchError("fichier_seul", motif=str(path))
    with begin(base) as work:
        source = open_source(file, COMPTES, work)
        if current_budgets(base, source.sha256, "cci_comptes") is not None:
            return ImportReport((source.name,), snapshot=base.snapshot)
        import_id = next_import_id(base)
        with base.write() as writer:
            rows = load_comptes(writer, source)
            if not rows:
                raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
            record_import(writer, import_id, source, "cci_comptes", rows, 0)
        base.refresh()
    return ImportReport((source.name,), rows, ignored_columns=source.ignored, snapshot=base.snapshot)


def load_comptes(writer: Writer, source: SourceFile) -> int:
    """Put the labels of a file in the place of those of the same nomenclatures; return their number."""
    columns = Columns(source, writer.source(replace(source.file, ordered=True)))
    nomenclature = columns.text("nomenclature") if columns.has("nomenclature") else literal("")
    rows = (
        select(
            func.coalesce(nomenclature, "").label("nomenclature"),
            columns.text("compte").label("compte"),
            columns.text("libelle").label("libelle"),
            func.row_number().over().label("record"),
        )
    ).subquery()
    ranked = (
        select(
            rows.c.nomenclature,
            rows.c.compte,
            rows.c.libelle,
            func.row_number()
            .over(partition_by=(rows.c.nomenclature, rows.c.compte), order_by=rows.c.record)
            .label("rang"),
        )
        .where(rows.c.compte.is_not(None))
        .subquery()
    )
    named = writer.fetch(select(rows.c.nomenclature).distinct()).column(0).to_pylist()
    writer.execute(delete(comptes).where(comptes.c.nomenclature.in_(named)))
    return writer.execute(
        insert(comptes).from_select(
            ["nomenclature", "compte", "libelle"],
            select(ranked.c.nomenclature, ranked.c.compte, func.coalesce(ranked.c.libelle, "")).where(
                ranked.c.rang == 1
            ),
        )
    )

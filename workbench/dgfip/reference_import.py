"""Import of the CCI base's own reference tables: labels of codes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, func, insert, literal, select

from workbench.dgfip.base import Base
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts_cci import REFERENCES
from workbench.dgfip.publication import begin, next_import_id, record_import
from workbench.dgfip.reference import (
    activites,
    departements,
    nomenclatures,
    operations,
    types_budget,
    types_etablissement,
)
from workbench.dgfip.schema import imports, references
from workbench.dgfip.source_files import SourceFile, open_source
from workbench.dgfip.values import Columns
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_reference", "libelles_reference"]

_SUFFIXES = (".csv", ".csv.gz", ".txt", ".txt.gz")


def import_reference(base: Base, folder: str | Path) -> ImportReport:
    """Import the reference tables of a folder.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    folder
        Holds some of ``departement.csv``, ``nature_juridique.csv``, ``nomenclature.csv``,
        ``operations.csv``, ``type_activite.csv``, ``type_budget.csv``, ``type_etablissements.csv``,
        each with a header.

    Returns
    -------
    ImportReport
        A table replaces the one of the same name imported before; tables that the base already
        holds change nothing.

    Raises
    ------
    WorkbenchError
        ``references_absentes`` when the folder holds none of them, ``colonnes_absentes``.
    """
    found = {
        nature: (path, layout)
        for nature, (name, layout) in REFERENCES.items()
        if (path := _table_file(Path(folder), name)) is not None
    }
    if not found:
        expected = ", ".join(f"{name}.csv" for name, _ in REFERENCES.values())
        raise WorkbenchError("references_absentes", dossier=str(folder), noms=expected)
    with begin(base) as work:
        sources = {nature: open_source(path, layout, work) for nature, (path, layout) in found.items()}
        names = tuple(source.name for source in sources.values())
        fresh = {nature: source for nature, source in sources.items() if not _is_current(base, nature, source)}
        if not fresh:
            return ImportReport(names, snapshot=base.snapshot)
        first = next_import_id(base)
        rows = 0
        with base.write() as writer:
            for number, (nature, source) in enumerate(fresh.items()):
                rows += _load(writer, nature, source, first + number)
        base.refresh()
    ignored = tuple(dict.fromkeys(each for source in fresh.values() for each in source.ignored))
    return ImportReport(names, rows, ignored_columns=ignored, snapshot=base.snapshot)


def libelles_reference(base: Base, nature: str) -> dict[str, str]:
    """Return the labels of a kind of code: those shipped, and those imported over them.

    Parameters
    ----------
    base
        An open base.
    nature
        ``departement``, ``nature_juridique``, ``nomenclature``, ``operation``, ``activite``,
        ``type_budget`` or ``type_etablissement``.

    Returns
    -------
    dict of str to str
        Code to label.

    Raises
    ------
    WorkbenchError
        ``reference_inconnue`` for another kind.
    """
    if nature not in REFERENCES:
        raise WorkbenchError("reference_inconnue", nature=nature, connues=", ".join(REFERENCES))
    labels = _shipped(nature)
    if base.has_table(references.name):
        rows = base.fetch(select(references.c.code, references.c.libelle).where(references.c.nature == nature))
        labels |= dict(zip(rows.column("code").to_pylist(), rows.column("libelle").to_pylist(), strict=True))
    return dict(sorted(labels.items()))


def _shipped(nature: str) -> dict[str, str]:
    if nature == "operation":
        return {str(code): label for code, label in operations().items()}
    shipped = {
        "activite": activites,
        "departement": departements,
        "nomenclature": nomenclatures,
        "type_budget": types_budget,
        "type_etablissement": types_etablissement,
    }
    return shipped[nature]() if nature in shipped else {}


def _table_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}{suffix}" for suffix in _SUFFIXES) if path.is_file()), None)


def _is_current(base: Base, nature: str, source: SourceFile) -> bool:
    journal = imports.c
    last = base.fetch(
        select(journal.sha256)
        .where(journal.source == f"reference_{nature}")
        .order_by(journal.import_id.desc())
        .limit(1)
    ).column(0)
    return bool(last.to_pylist() == [source.sha256])


def _load(writer: Writer, nature: str, source: SourceFile, import_id: int) -> int:
    columns = Columns(source, writer.source(source.file))
    writer.execute(delete(references).where(references.c.nature == nature))
    code, label = columns.text("code"), columns.text("libelle")
    # The source often repeats the code at the head of its label.
    bare = func.if_(func.starts_with(label, code.concat(" - ")), func.substr(label, func.length(code) + 4), label)
    rows = (
        select(literal(nature), code, func.coalesce(func.min(bare), ""))
        .where(code.is_not(None))
        .group_by(code)
        .order_by(code)
    )
    count = writer.execute(insert(references).from_select(["nature", "code", "libelle"], rows))
    if not count:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    record_import(writer, import_id, source, f"reference_{nature}", count, 0)
    return count

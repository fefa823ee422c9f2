"""Import of lists of the members of EPCI."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, SmallInteger, Text, and_, delete, exists, func, insert, literal, or_, select

from workbench.dgfip.bad_rows import find_bad_rows
from workbench.dgfip.base import Base
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts import MEMBRES_EPCI
from workbench.dgfip.publication import begin, next_import_id, record_import
from workbench.dgfip.schema import imports, membres_epci
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source
from workbench.dgfip.values import Columns, checked
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_epci"]

_KINDS = dict.fromkeys(("siren_epci", "siren", "commune"), "identifiant") | {"exercice": "exercice"}
_NONE = "ZZZZZZZZZ"
"""What INSEE writes for a commune that belongs to no EPCI."""


def import_epci(base: Base, path: str | Path, *, exercices: Iterable[int] | int | None = None) -> ImportReport:
    """Import which communes belong to which EPCI.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    path
        CSV or parquet with a header: the list of members that the DGCL publishes for EPCI à fiscalité propre
        (``siren``, ``raison_sociale``, ``insee``, ``siren_membre``…), INSEE's (``CODGEO``, ``EPCI``, ``LIBEPCI``), or a
        simple one: ``siren_epci``, ``siren_membre`` or ``code_commune``, ``exercice``.
    exercices
        The exercices that a file which names none is valid for: a list describes the 1st of January of its year.

    Returns
    -------
    ImportReport
        For the exercices of the file, its members and its groupements take the place of what was known of them; others
        stay. A file that the base already holds changes nothing.

    Raises
    ------
    WorkbenchError
        ``epci_sans_exercice``, ``epci_sans_membre`` when no column names members, ``epci_double`` when a commune has
        two groupements in an exercice, ``lignes_refusees``, ``colonnes_absentes``.
    """
    years = sorted({int(year) for year in ([exercices] if isinstance(exercices, int) else exercices or ())})
    file, *others = expand_paths(path)
    if others:
        raise WorkbenchError("fichier_seul", motif=str(path))
    with begin(base) as work:
        source = open_source(file, MEMBRES_EPCI, work)
        if "exercice" not in source.positions and not years:
            raise WorkbenchError("epci_sans_exercice", fichier=source.name)
        if not {"siren", "commune"} & set(source.positions):
            raise WorkbenchError("epci_sans_membre", fichier=source.name)
        if _is_current(base, source, years):
            return ImportReport((source.name,), snapshot=base.snapshot)
        import_id = next_import_id(base)
        with base.write() as writer:
            rows = _load(writer, source, years, import_id)
        base.refresh()
    found = base.fetch(select(membres_epci.c.exercice).where(membres_epci.c.import_id == import_id).distinct())
    return ImportReport(
        (source.name,),
        rows,
        exercices=tuple(sorted(int(year) for year in found.column(0).to_pylist())),
        ignored_columns=source.ignored,
        snapshot=base.snapshot,
    )


def _is_current(base: Base, source: SourceFile, years: list[int]) -> bool:
    """Whether the base still holds all that the last import of this file gave it, for these exercices."""
    last = base.fetch(
        select(imports.c.import_id, imports.c.lignes)
        .where(imports.c.sha256 == source.sha256, imports.c.source == "membres_epci")
        .order_by(imports.c.import_id.desc())
        .limit(1)
    ).to_pylist()
    if not last:
        return False
    m = membres_epci.c
    held = base.fetch(
        select(m.exercice, func.count().label("n")).where(m.import_id == last[0]["import_id"]).group_by(m.exercice)
    )
    kept = {row["exercice"]: row["n"] for row in held.to_pylist()}
    same = "exercice" in source.positions or set(kept) == set(years)
    return same and sum(kept.values()) == last[0]["lignes"]


def _load(writer: Writer, source: SourceFile, years: list[int], import_id: int) -> int:
    columns = Columns(source, writer.source(source.file))
    dated = columns.has("exercice")
    members: list[ColumnElement[Any]] = [
        checked(columns.identifier(name)) if columns.has(name) else literal(None).cast(Text)
        for name in ("siren", "commune")
    ]
    if columns.has("siren"):
        # A SIREN is enough, and is the same when communes merge and change their code.
        members[1] = literal(None).cast(Text)
    rows = 0
    for year in [None] if dated else years:
        values: list[ColumnElement[Any]] = [
            (checked(columns.exercice()) if year is None else literal(year)).cast(SmallInteger),
            checked(columns.identifier("siren_epci")),
            columns.text("libelle_epci"),
            columns.text("nature"),
            *members,
            columns.text("libelle"),
            literal(import_id),
        ]
        known = func.upper(func.coalesce(columns.text("siren_epci"), ""), type_=Text()) != _NONE
        statement = select(*values).where(known).distinct()
        try:
            rows += writer.execute(insert(membres_epci).from_select(list(membres_epci.c.keys()), statement))
        except WorkbenchError as error:
            raise (find_bad_rows(writer, source, _KINDS) or error) from None
    if not rows:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    _refuse_doubles(writer, source, import_id)
    writer.loaded()
    _replace(writer, import_id)
    record_import(writer, import_id, source, "membres_epci", rows, 0)
    return rows


def _refuse_doubles(writer: Writer, source: SourceFile, import_id: int) -> None:
    m = membres_epci.c
    member = func.coalesce(m.siren, m.commune, type_=Text()).label("membre")
    twice = writer.fetch(
        select(member, m.exercice)
        .where(m.import_id == import_id)
        .group_by(member, m.exercice)
        .having(func.count() > 1)
        .order_by(m.exercice, member)
        .limit(1)
    ).to_pylist()
    if twice:
        raise WorkbenchError(
            "epci_double", fichier=source.name, membre=twice[0]["membre"], exercice=twice[0]["exercice"]
        )


def _replace(writer: Writer, import_id: int) -> None:
    """Remove what older imports told of the same members and groupements, exercice by exercice."""
    newer = membres_epci.alias("newer")
    same = or_(*(newer.c[name] == membres_epci.c[name] for name in ("siren_epci", "siren", "commune")))
    again = and_(newer.c.import_id == import_id, newer.c.exercice == membres_epci.c.exercice, same)
    writer.execute(delete(membres_epci).where(membres_epci.c.import_id < import_id, exists().where(again)))

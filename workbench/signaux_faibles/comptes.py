"""Accounts of the URSSAF and the établissement that each belongs to, month after month (specification 3.3).

Several accounts may belong to one SIRET, and an account may go from one to another: a file says when each stops being
attached (`Date_disp_siret`) and when it begins (`Date_crea_siret`). At a date, an account belongs to the SIRET that is
attached then; where several are, or none is yet, to the one that closes first after that date.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column as TableColumn,
)
from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    select,
    union,
)

from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Column, Scope, Source
from workbench.signaux_faibles.headers import match_header
from workbench.signaux_faibles.kinds import DATE_URSSAF, constant, matches
from workbench.signaux_faibles.opening import open_file

__all__ = ["COMPTES", "Comptes", "load_comptes"]

_ALWAYS = date(1, 1, 1)
_OPEN = date(2899, 1, 1)

COMPTES = Source(
    type="admin_urssaf",
    title="de comptes administratifs de l'URSSAF",
    scope=Scope.ETABLISSEMENT,
    columns=(
        Column("Compte"),
        Column("Siret"),
        Column("Date_disp_siret"),
        Column("Date_crea_siret", required=False),
    ),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    lenient=True,
)
"""The file of accounts; its own tuples are made by `workbench.signaux_faibles.sources.comptes`."""


@dataclass(frozen=True)
class Comptes:
    """Accounts and their SIRET.

    Parameters
    ----------
    table
        Columns ``compte, siret, debut, fermeture``: one row at most an account and a date, ``debut`` included,
        ``fermeture`` excluded.
    paths
        The files, as named.
    lines
        Rows of the files that were records.
    refused
        Line and reason of those that were none.
    """

    table: Table
    paths: tuple[str, ...]
    lines: int
    refused: tuple[tuple[int, str], ...] = ()


@contextmanager
def load_comptes(writer: Writer, paths: Iterable[str | Path], work: Path) -> Iterator[Comptes]:
    """Read files of accounts into a table of the writer, for the time of a block.

    Parameters
    ----------
    writer
        A DuckDB writer that still loads.
    paths
        In order: a later file replaces what an earlier one says of an account.
    work
        A folder for copies.

    Raises
    ------
    WorkbenchError
        ``compte_date`` when a closing date cannot be read, and what `open_file` and `match_header` raise.
    """
    suffix = secrets.token_hex(4)
    entries = _table(f"comptes_lus_{suffix}", TableColumn("rang", Integer), TableColumn("creation", Date))
    attached = _table(f"comptes_{suffix}", TableColumn("debut", Date))
    names = tuple(str(path) for path in paths)
    try:
        writer.create([entries, attached])
        lines, refused = 0, []
        for rank, name in enumerate(names):
            count, bad = _read(writer, name, rank, entries, work)
            lines += count
            refused += bad
        last = select(entries.c.compte, func.max(entries.c.rang).label("rang")).group_by(entries.c.compte).subquery()
        current = (
            select(entries)
            .join(last, and_(last.c.compte == entries.c.compte, last.c.rang == entries.c.rang))
            .subquery("current")
        )
        rows = _attachments(current)
        writer.execute(insert(attached).from_select(["compte", "siret", "debut", "fermeture"], rows))
        yield Comptes(attached, names, lines, tuple(refused))
    finally:
        writer.drop([entries, attached])


def _table(name: str, *columns: TableColumn[Any]) -> Table:
    own = (TableColumn("compte", Text), TableColumn("siret", Text), TableColumn("fermeture", Date))
    return Table(name, MetaData(), *own, *columns, prefixes=["TEMPORARY"])


def _read(writer: Writer, name: str, rank: int, entries: Table, work: Path) -> tuple[int, list[tuple[int, str]]]:
    opened = open_file(name, COMPTES, work)
    header = match_header(COMPTES, opened.header, by_siret=False, file=opened.path.name)
    raw = writer.source(opened.file)
    names = opened.file.columns[1:] if opened.numbered else opened.file.columns

    def text(column: str) -> ColumnElement[str]:
        if column not in header.places:
            return constant("")
        return func.coalesce(raw.c[names[header.places[column]]], constant(""), type_=Text())

    closing = text("date_disp_siret")
    unreadable = and_(closing != constant(""), DATE_URSSAF.read(closing).is_(None))
    bad = writer.fetch(select(closing.label("valeur")).select_from(raw).where(unreadable).limit(1)).to_pylist()
    if bad:
        raise WorkbenchError("compte_date", fichier=opened.path.name, valeur=bad[0]["valeur"])
    end = case((closing == constant(""), constant(_OPEN).cast(Date)), else_=DATE_URSSAF.read(closing))
    rows = select(
        text("compte"), text("siret"), end, literal(rank), DATE_URSSAF.read(text("date_crea_siret"))
    ).select_from(raw)
    writer.execute(
        insert(entries).from_select(
            ["compte", "siret", "fermeture", "rang", "creation"], rows.where(matches(text("siret"), "[0-9]{14}"))
        )
    )
    count = writer.fetch(select(func.count().label("n")).select_from(raw)).to_pylist()[0]["n"]
    if opened.refused is None:
        return count, []
    apart = writer.source(opened.refused)
    found = writer.fetch(select(apart.c.ligne, apart.c.motif).order_by(apart.c.ligne)).to_pylist()
    # Blank rows stand where lines were no records.
    return count if opened.numbered else count - len(found), [(row["ligne"], row["motif"]) for row in found]


def _attachments(entries: Any) -> Select[Any]:
    """Cut the time of each account where something changes, and say whose it is in between."""
    always = constant(_ALWAYS).cast(Date)
    moments = union(
        select(entries.c.compte, always.label("moment")),
        select(entries.c.compte, entries.c.creation).where(entries.c.creation.is_not(None)),
        select(entries.c.compte, entries.c.fermeture),
    ).subquery("moments")
    until = func.lead(moments.c.moment).over(partition_by=moments.c.compte, order_by=moments.c.moment)
    spans = select(moments.c.compte, moments.c.moment, until.label("until")).subquery("spans")
    begun = func.coalesce(entries.c.creation, always) <= spans.c.moment
    order = (case((begun, constant(0)), else_=constant(1)), entries.c.fermeture, entries.c.siret)
    ranked = (
        select(
            spans.c.compte,
            entries.c.siret,
            spans.c.moment,
            spans.c.until,
            func.row_number().over(partition_by=[spans.c.compte, spans.c.moment], order_by=order).label("rank"),
        )
        .join(entries, and_(entries.c.compte == spans.c.compte, entries.c.fermeture > spans.c.moment))
        .where(spans.c.until.is_not(None))
        .subquery("ranked")
    )
    return select(ranked.c.compte, ranked.c.siret, ranked.c.moment, ranked.c.until).where(ranked.c.rank == constant(1))

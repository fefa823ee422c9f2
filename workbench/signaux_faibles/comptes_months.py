"""What the file of accounts says as facts: for each account and each month of a batch, its établissement."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    column,
    false,
    func,
    insert,
    select,
    table,
)

from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.comptes import COMPTES, Comptes
from workbench.signaux_faibles.execution import Context, ParsedFile
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.report import FileReport
from workbench.signaux_faibles.results import REJECTED, SKIPPED, VALID

__all__ = ["parse_comptes"]


@contextmanager
def parse_comptes(writer: Writer, comptes: Comptes, context: Context) -> Iterator[ParsedFile]:
    """Give the établissement of each account, month after month, within a block.

    A month for which an account has no établissement is a rejected line; accounts are in their order, and lines are
    numbered account after account, month after month. Accounts whose établissements are all outside of the perimeter
    are left out.

    Parameters
    ----------
    writer
        The writer that holds the accounts.
    comptes
        The accounts.
    context
        Its dates give the months, from ``start`` included to ``end`` excluded.
    """
    staged = Table(
        f"mois_comptes_{secrets.token_hex(4)}",
        MetaData(),
        Column("line", BigInteger),
        Column("siret", Text),
        Column("numero_compte", Text),
        Column("periode", Date),
        Column("outcome", SmallInteger),
        prefixes=["TEMPORARY"],
    )
    try:
        writer.create([staged])
        names = ["line", "siret", "numero_compte", "periode", "outcome"]
        writer.execute(insert(staged).from_select(names, _months(comptes, context)), {"mois": _calendar(context)})
        yield _parsed(writer, staged, comptes, context)
    finally:
        writer.drop([staged])


def _calendar(context: Context) -> pa.Table:
    if context.end is None:
        raise WorkbenchError("batch_sans_dates", batch=context.batch)
    days, day = [], context.start.replace(day=1)
    while day < context.end:
        days.append(day)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return pa.table({"jour": pa.array(days, pa.date32())})


def _outside(siret: ColumnElement[Any], context: Context) -> ColumnElement[bool]:
    if context.perimetre is None:
        return false()
    return func.left(func.coalesce(siret, constant("")), constant(9)).not_in(select(context.perimetre.c.siren))


def _months(comptes: Comptes, context: Context) -> Any:
    at = comptes.table
    known = select(at.c.compte).where(~_outside(at.c.siret, context)).distinct().subquery("known")
    months = table("mois", column("jour"))
    each = select(known.c.compte, months.c.jour).select_from(known.join(months, constant(True))).subquery("each")
    outcome = case(
        (at.c.siret.is_(None), constant(REJECTED)),
        (_outside(at.c.siret, context), constant(SKIPPED)),
        else_=constant(VALID),
    )
    return select(
        func.row_number().over(order_by=[each.c.compte, each.c.jour]),
        at.c.siret,
        each.c.compte,
        each.c.jour,
        outcome,
    ).select_from(
        each.outerjoin(at, and_(at.c.compte == each.c.compte, each.c.jour >= at.c.debut, each.c.jour < at.c.fermeture))
    )


def _parsed(writer: Writer, staged: Table, comptes: Comptes, context: Context) -> ParsedFile:
    path = " ".join(comptes.paths)
    tuples = (
        select(staged.c.siret, staged.c.numero_compte, staged.c.periode)
        .where(staged.c.outcome == constant(VALID))
        .order_by(staged.c.line)
    )
    month = func.strftime(staged.c.periode, constant("%Y-%m-%d"), type_=Text())
    words = func.concat(
        constant("Pas de siret associé au compte "),
        staged.c.numero_compte,
        constant(" à la période "),
        month,
        constant(" 00:00:00 +0000 UTC"),
        type_=Text(),
    )
    rejected = (
        select(
            constant(Path(comptes.paths[-1]).name if comptes.paths else "").label("fichier"),
            staged.c.line.label("ligne"),
            constant("Compte").label("colonne"),
            staged.c.numero_compte.label("valeur"),
            words.label("motif"),
        )
        .where(staged.c.outcome == constant(REJECTED))
        .order_by(staged.c.line)
    )
    counts = {
        row["outcome"]: row["n"]
        for row in writer.fetch(
            select(staged.c.outcome, func.count().label("n")).group_by(staged.c.outcome)
        ).to_pylist()
    }
    first = writer.fetch(rejected.limit(FileReport.SHOWN)).to_pylist()
    report = FileReport(
        type=COMPTES.type,
        path=path,
        batch=context.batch,
        lines_parsed=sum(counts.values()) + len(comptes.refused),
        lines_rejected=counts.get(REJECTED, 0) + len(comptes.refused),
        lines_skipped=counts.get(SKIPPED, 0),
        tuples=counts.get(VALID, 0),
        first_rejected=(*((row["ligne"], row["motif"]) for row in first), *comptes.refused)[: FileReport.SHOWN],
    )
    return ParsedFile(COMPTES, report, tuples, rejected)

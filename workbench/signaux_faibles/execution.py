"""One executor for every source: a file in, tuples, rejected rows and counters out, by one statement over columns.

The statement fills a temporary table with a row a line of the file: its key, its fields, and what became of it. Tuples
are read from there, rejected rows too; nothing of a file goes through Python but its bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    column,
    false,
    func,
    insert,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import (
    Column as TableColumn,
)
from sqlalchemy.types import ARRAY

from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.comptes import Comptes
from workbench.signaux_faibles.declaration import Cells, Era, Months, Scope, Source
from workbench.signaux_faibles.headers import match_header
from workbench.signaux_faibles.kinds import constant, matches
from workbench.signaux_faibles.opening import OpenFile, open_file
from workbench.signaux_faibles.report import FileReport
from workbench.signaux_faibles.results import (
    NO_RECORD,
    REJECTED,
    SKIPPED,
    VALID,
    file_report,
    is_temporary,
    line_of,
    refusable,
    refused_rows,
    stored_tuples,
)

__all__ = ["Context", "ParsedFile", "parse_file"]


@dataclass(frozen=True)
class Context:
    """What a batch says to its files.

    Parameters
    ----------
    batch
        Its key.
    perimetre
        A table of the writer with a column ``siren``: what is outside is left aside; None keeps all.
    comptes
        Accounts and their SIRET, for files that name accounts.
    start, end
        First day of the batch, and the day after its last one.
    era
        Rules imposed; None takes those that the header of each file tells.
    temporary
        Whether the provisional SIRET that the URSSAF gives (NIC in 5, 6, 7 or 9) are kept; else they are skipped.
    """

    batch: str = ""
    perimetre: Table | None = None
    comptes: Comptes | None = None
    start: date = date(2016, 1, 1)
    end: date | None = None
    era: Era | None = None
    temporary: bool = True


@dataclass(frozen=True)
class ParsedFile:
    """What a file gave; its rows stay in the writer until the block of `parse_file` ends.

    Parameters
    ----------
    source
        What it was read as.
    report
        Counters and messages.
    tuples
        Columns: ``siret`` or ``siren``, then the fields; None when the file could not be read at all.
    rejected
        Columns ``fichier, ligne, colonne, valeur, motif``, by line.
    """

    source: Source
    report: FileReport
    tuples: Select[Any] | None = None
    rejected: Select[Any] | None = None


@contextmanager
def parse_file(writer: Writer, source: Source, path: str | Path, context: Context, work: Path) -> Iterator[ParsedFile]:
    """Read a file as a source, within a block.

    Parameters
    ----------
    writer
        A DuckDB writer that still loads.
    source
        What the file holds.
    path
        The file; ``gzip:`` may come before it.
    context
        Perimeter, accounts and dates of the batch.
    work
        A folder for copies.

    Yields
    ------
    ParsedFile
        A fatal error is in its report; it is not raised.
    """
    used: list[Table] = []
    copies: list[Path] = []
    start = datetime.now(UTC)
    try:
        try:
            opened = open_file(path, source, work)
            copies += _copies(opened)
            parsed = _parse(writer, source, str(path), opened, context, used)
        except WorkbenchError as error:
            if error.code == "requete_refusee":
                raise
            parsed = ParsedFile(source, FileReport.fatal(source.type, str(path), context.batch, error))
        yield replace(parsed, report=replace(parsed.report, start=start))
    finally:
        writer.drop(used)
        for copy in copies:
            copy.unlink(missing_ok=True)


def _copies(opened: OpenFile) -> list[Path]:
    """Return what `open_file` wrote, which a batch of many files has no room to keep."""
    apart = [opened.refused.path] if opened.refused is not None else []
    return [opened.file.path, *apart] if opened.file.path != opened.path else []


def _parse(
    writer: Writer, source: Source, path: str, opened: OpenFile, context: Context, used: list[Table]
) -> ParsedFile:
    header = match_header(source, opened.header, by_siret=_names_siret(source, opened.header), file=opened.path.name)
    era = context.era or source.era_of(frozenset(header.names))
    comptes = None
    if source.compte is not None and "siret" not in header.names:
        comptes = context.comptes
        if comptes is None:
            raise WorkbenchError("comptes_urssaf_absents", fichier=opened.path.name)
        era = context.era or Era.H21
    # The place of a row is the number of its line, but where lines were left out, or rows are to be joined: no order is
    # then kept, so that rows bear their number.
    numbered = opened.numbered or comptes is not None
    lines = _lines(writer, source, opened, header.places, era, header.months, numbered=numbered)
    outcome = _judged(source, lines, context, comptes)
    staged = _staging(source, header.months, numbered=numbered)
    used.append(staged)
    writer.create([staged])
    writer.execute(insert(staged).from_select(list(staged.c.keys()), outcome))
    refused = writer.source(opened.refused) if opened.refused is not None else None
    if refused is not None and not opened.numbered:
        # Blank rows stand where lines were no records.
        no_record = line_of(staged).in_(select(refused.c.ligne))
        writer.execute(update(staged).where(no_record).values(outcome=NO_RECORD, kept=False))
    tuples = stored_tuples(source, staged, header.months, context.perimetre)
    rejected = refused_rows(source, staged, refused, opened.path.name, header.labels)
    report = file_report(writer, source, path, context.batch, staged, context.perimetre, refused, rejected)
    return ParsedFile(source, replace(report, sha256=opened.sha256, era=str(era)), tuples, rejected)


def _names_siret(source: Source, header: tuple[str, ...]) -> bool:
    return source.compte is not None and "siret" in {each.strip().lower() for each in header}


@dataclass(frozen=True)
class _Lines:
    """The first stage: one row a line, cells read, and what to quote of a line that is refused."""

    rows: Any
    refusals: int


def _lines(
    writer: Writer,
    source: Source,
    opened: OpenFile,
    places: Mapping[str, int],
    era: Era,
    months: tuple[tuple[str, int], ...],
    *,
    numbered: bool,
) -> _Lines:
    file = opened.file if opened.numbered else replace(opened.file, ordered=opened.file.ordered or numbered)
    raw = writer.source(file)
    names = file.columns[1:] if opened.numbered else file.columns
    wanted = {**places, **{f"month {each}": place for each, place in months}}
    own = {name: func.coalesce(raw.c[names[place]], constant(""), type_=Text()) for name, place in wanted.items()}
    number = raw.c[file.columns[0]] if opened.numbered else func.row_number().over()
    line = [number.label("line")] if numbered else []
    written = select(*line, *(text.label(name) for name, text in own.items())).subquery("written")
    cells = Cells({name: column(name, Text()) for name in wanted}, era)
    chosen = [each.value(cells).label(each.name) for each in source.fields]
    failed: ColumnElement[Any] = constant(0).cast(BigInteger)
    texts: list[ColumnElement[str]] = []
    judges = refusable(source)
    for bit, each in enumerate(judges):
        assert each.refused is not None  # noqa: S101 - narrows the type
        wrong: ColumnElement[bool] = func.coalesce(each.refused(cells), true())
        failed = failed + case((wrong, constant(1 << bit)), else_=constant(0))
        texts.append(cells.text(each.column))
    by_siret = source.compte is None or cells.has("siret")
    key = source.key(cells) if by_siret else null().cast(Text)
    if source.compte is not None and cells.has("siret"):
        key = cells.text("siret")
    compte, day = (source.compte[0], source.compte[1](cells)) if source.compte is not None else ("", null().cast(Date))
    skipped = source.skipped(cells) if source.skipped is not None else false()
    texts.append(key if by_siret else cells.text(compte))
    extra: list[ColumnElement[Any]] = []
    if months and source.months is not None:
        values, some_wrong, texts_of_first = _month_cells(source.months, cells, months)
        extra.append(values.label("months"))
        failed = failed + case((some_wrong, constant(1 << (len(judges) + 1))), else_=constant(0))
        texts += texts_of_first
    # What several expressions want of a cell is computed here, once.
    read = select(written, *cells.readings.values()).subquery("read")
    rows = select(
        *([read.c.line] if numbered else []),
        key.label("key"),
        cells.text(compte).label("compte") if compte else null().cast(Text).label("compte"),
        day.label("day"),
        func.coalesce(skipped, false()).label("skipped"),
        failed.label("failed"),
        *chosen,
        *extra,
        *(each.label(f"text {place}") for place, each in enumerate(texts)),
    )
    return _Lines(rows.select_from(read).subquery("lines"), len(texts))


def _month_cells(
    declared: Months, cells: Cells, months: tuple[tuple[str, int], ...]
) -> tuple[ColumnElement[Any], ColumnElement[bool], list[ColumnElement[str]]]:
    """Return the values of all months, whether one cannot be read, and the month and text of the first such one."""
    names = [f"month {day}" for day, _ in months]
    told = [cells.read(declared.kind, each) for each in names]
    wrong = [and_(cells.text(name) != constant(""), each.is_(None)) for name, each in zip(names, told, strict=True)]
    if cells.era is Era.H21:
        # Until 2025 a month without anybody was as if it had not been told.
        told = [case((each > constant(0), each), else_=null()) for each in told]
    values = func.list_value(*told)
    if declared.kind.silent:
        return values, false(), []
    some_wrong = or_(*wrong)
    named = case(*((each, constant(day[:7])) for each, (day, _) in zip(wrong, months, strict=True)), else_=constant(""))
    text = case(*((each, cells.text(name)) for each, name in zip(wrong, names, strict=True)), else_=constant(""))
    # Nearly no line has any: the others are not searched for the first one.
    return values, some_wrong, [case((some_wrong, each), else_=constant("")) for each in (named, text)]


def _judged(source: Source, lines: _Lines, context: Context, comptes: Comptes | None) -> Select[Any]:
    """Say of each line whether it is valid, rejected or left aside, the perimeter apart.

    Lines keep the order of their file, which a join with the perimeter would not.
    """
    rows: Any = lines.rows
    origin: Any = rows
    key = rows.c.key
    skipped = rows.c.skipped
    if comptes is not None:
        at = comptes.table
        origin = rows.outerjoin(
            at, and_(at.c.compte == rows.c.compte, rows.c.day >= at.c.debut, rows.c.day < at.c.fermeture)
        )
        key = at.c.siret
        # A date that cannot be read is an error of the line; an account that nobody knows is not.
        skipped = or_(skipped, and_(rows.c.day.is_not(None), key.is_(None)))
    outside: ColumnElement[bool] = false()
    if not context.temporary and source.scope is Scope.ETABLISSEMENT:
        outside = is_temporary(key)
    # Each stage has the columns of the one before, so that nothing is computed twice.
    passed = [each for each in rows.c if each.name not in {"key", "compte", "day", "skipped"}]
    keyed: Any = (
        select(
            *passed,
            key.label("key"),
            skipped.label("skipped"),
            outside.label("outside"),
            _not_matching(key, source.scope.digits).label("wrong_key"),
        )
        .select_from(origin)
        .subquery("keyed")
    )
    key_bit = constant(1 << len(refusable(source)))
    failed = case((and_(keyed.c.failed == constant(0), keyed.c.wrong_key), key_bit), else_=keyed.c.failed)
    judged: Any = select(*(each for each in keyed.c if each.name != "failed"), failed.label("failed")).subquery(
        "judged"
    )
    outcome = case(
        (judged.c.skipped, constant(SKIPPED)),
        (judged.c.failed != constant(0), constant(REJECTED)),
        (judged.c.outside, constant(SKIPPED)),
        else_=constant(VALID),
    )
    stage: Any = select(judged, outcome.label("outcome")).subquery("stage")
    # A month that cannot be read takes nothing from the others.
    harmless = 1 << (len(refusable(source)) + 1)
    harmless += sum(1 << bit for bit, each in enumerate(refusable(source)) if each.keeps)
    dropped = stage.c.failed.op("&")(constant(~harmless & ((1 << 62) - 1)))
    kept = and_(~stage.c.skipped, ~stage.c.outside, ~stage.c.wrong_key, dropped == constant(0))
    texts = func.list_value(*(stage.c[f"text {place}"] for place in range(lines.refusals)))
    return select(
        *([stage.c.line] if "line" in stage.c else []),
        stage.c.key,
        stage.c.outcome,
        kept.label("kept"),
        stage.c.failed,
        case((stage.c.outcome == constant(REJECTED), texts), else_=null()).label("texts"),
        *(stage.c[each.name] for each in source.fields),
        *([stage.c.months] if "months" in stage.c else []),
    )


def _not_matching(key: ColumnElement[str], digits: int) -> ColumnElement[bool]:
    """Whether a key is none."""
    return ~func.coalesce(matches(key, f"[0-9]{{{digits}}}"), false())


def _staging(source: Source, months: tuple[tuple[str, int], ...], *, numbered: bool) -> Table:
    own = [TableColumn(each.name, each.type) for each in source.fields]
    if months and source.months is not None:
        own.append(TableColumn("months", ARRAY(source.months.kind.type)))
    return Table(
        f"lignes_{source.type}_{secrets.token_hex(4)}",
        MetaData(),
        *([TableColumn("line", BigInteger)] if numbered else []),
        TableColumn("key", Text),
        TableColumn("outcome", SmallInteger),
        TableColumn("kept", Boolean),
        TableColumn("failed", BigInteger),
        TableColumn("texts", ARRAY(Text())),
        *own,
        prefixes=["TEMPORARY"],
    )

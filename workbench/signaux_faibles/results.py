"""What the lines of a file gave, read from where `workbench.signaux_faibles.execution` put them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    Table,
    Text,
    and_,
    case,
    column,
    false,
    func,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from workbench.engines import Writer
from workbench.signaux_faibles.declaration import Field, Source
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.report import FileReport

__all__ = [
    "NO_RECORD",
    "REJECTED",
    "SKIPPED",
    "VALID",
    "file_report",
    "is_temporary",
    "line_of",
    "refusable",
    "refused_rows",
    "stored_tuples",
]

VALID, REJECTED, SKIPPED, NO_RECORD = 0, 1, 2, 3


def line_of(staged: Table) -> ColumnElement[int]:
    """Return the number of each line, 1 for the first one.

    Where the table has no column for it, lines were put there in the order of their file, and none was taken away.
    """
    if "line" in staged.c:
        return staged.c.line
    place: ColumnElement[int] = column("rowid", BigInteger, _selectable=staged)
    return place + constant(1)


def refusable(source: Source) -> list[Field]:
    """Return the fields that may make a line an error; their order numbers the bits of ``failed``.

    The next bit is the key's, the one after that of a month.
    """
    return [each for each in source.fields if each.refused is not None]


def is_temporary(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a SIRET is one that the URSSAF gives provisionally: its NIC begins with 5, 6, 7 or 9."""
    nic = func.substr(func.coalesce(key, constant("")), constant(10), constant(1), type_=Text())
    return nic.in_([constant(each) for each in "5679"])


def _inside(staged: Table, perimetre: Table | None) -> ColumnElement[bool]:
    """Whether a line is about a company of the perimeter."""
    if perimetre is None:
        return true()
    siren = func.left(func.coalesce(staged.c.key, constant("")), constant(9), type_=Text())
    return siren.in_(select(perimetre.c.siren))


def _wrong_check_digits(staged: Table, perimetre: Table | None) -> Select[Any]:
    """Count the SIREN of tuples whose check digit (Luhn's) is wrong."""
    siren = func.left(staged.c.key, constant(9), type_=Text())
    kept = and_(staged.c.kept, _inside(staged, perimetre))
    known = select(siren.label("siren")).where(kept).distinct().subquery("known")
    digits = [
        func.ascii(func.substr(known.c.siren, constant(place), constant(1))) - constant(48) for place in range(1, 10)
    ]
    total: ColumnElement[int] = constant(0)
    for place, digit in enumerate(digits):
        double = digit * constant(2)
        total = total + (digit if place % 2 == 0 else case((double > constant(9), double - constant(9)), else_=double))
    # A condition would be tried on each line, before the SIREN are told from one another.
    wrong = func.count().filter(func.mod(total, constant(10)) != constant(0))
    return select(wrong.label("n")).select_from(known)


def stored_tuples(
    source: Source, staged: Table, months: tuple[tuple[str, int], ...], perimetre: Table | None
) -> Select[Any]:
    """Return the key and fields of the lines that are kept, in order; a row a month where a line holds several."""
    kept = and_(staged.c.kept, _inside(staged, perimetre))
    key = staged.c.key.label(source.scope.key)
    fields = [staged.c[each.name] for each in source.fields]
    if source.months is None:
        return select(key, *fields).where(kept).order_by(line_of(staged))
    if not months:
        empty = [null().cast(Date).label("periode"), null().cast(source.months.kind.type).label(source.months.field)]
        return select(key, *fields, *empty).where(false())
    days = func.list_value(*(constant(each).cast(Date) for each, _ in months))
    spread = (
        select(
            line_of(staged).label("line"),
            key,
            *fields,
            func.unnest(days, type_=Date()).label("periode"),
            func.unnest(staged.c.months, type_=source.months.kind.type).label(source.months.field),
        )
        .where(kept)
        .subquery("spread")
    )
    chosen = [each for each in spread.c if each.name != "line"]
    return select(*chosen).where(spread.c[source.months.field].is_not(None)).order_by(spread.c.line, spread.c.periode)


def refused_rows(source: Source, staged: Table, refused: Any, file: str, labels: Mapping[str, str]) -> Select[Any]:
    """Return each refused cell and each line that is no record, by line: ``fichier, ligne, colonne, valeur, motif``."""
    judges = refusable(source)
    parts = []
    for bit, each in enumerate(judges):
        name = labels.get(each.column, each.column)
        value = _nth(staged, bit)
        said = func.concat(constant(f"{name} : « "), value, constant(f" » {each.expected}"), type_=Text())
        words: ColumnElement[str] = case((value == constant(""), constant(f"{name} : valeur absente")), else_=said)
        parts.append(_refusal(staged, bit, file, constant(name), value, words))
    value = _nth(staged, len(judges))
    words = func.concat(constant(f"{source.scope.key} invalide : "), value, type_=Text())
    name = labels.get(source.key_column, source.key_column)
    parts.append(_refusal(staged, len(judges), file, constant(name), value, words))
    if source.months is not None and not source.months.kind.silent:
        month, value = _nth(staged, len(judges) + 1), _nth(staged, len(judges) + 2)
        expected = constant(f" » {source.months.kind.expected}")
        said = func.concat(constant(f"{source.months.field} de "), month, constant(" : « "), value, expected)
        parts.append(_refusal(staged, len(judges) + 1, file, month, value, said))
    if refused is not None:
        parts.append(
            select(
                constant(file).label("fichier"),
                refused.c.ligne.label("ligne"),
                constant("").label("colonne"),
                func.coalesce(refused.c.valeur, constant("")).label("valeur"),
                refused.c.motif.label("motif"),
            )
        )
    every = union_all(*parts).subquery("refus")
    return select(every).order_by(every.c.ligne, every.c.colonne)


def _nth(staged: Table, place: int) -> ColumnElement[str]:
    return func.list_extract(staged.c.texts, constant(place + 1), type_=Text())


def _refusal(
    staged: Table,
    bit: int,
    file: str,
    name: ColumnElement[str],
    value: ColumnElement[Any],
    words: ColumnElement[Any],
) -> Select[Any]:
    return select(
        constant(file).label("fichier"),
        line_of(staged).label("ligne"),
        name.label("colonne"),
        value.label("valeur"),
        words.label("motif"),
    ).where(staged.c.outcome == constant(REJECTED), staged.c.failed.op("&")(constant(1 << bit)) != constant(0))


def _tuples_of(source: Source, staged: Table) -> ColumnElement[int]:
    """Return how many tuples a line gives."""
    if source.months is None:
        return constant(1)
    return func.list_count(staged.c.months) if "months" in staged.c else constant(0)


def file_report(
    writer: Writer,
    source: Source,
    path: str,
    batch: str,
    staged: Table,
    perimetre: Table | None,
    refused: Any,
    rejected: Select[Any],
) -> FileReport:
    """Count the lines of a file, and keep the first refusals."""
    told: Any = select(
        staged.c.outcome,
        staged.c.kept,
        is_temporary(staged.c.key).label("temporary"),
        _tuples_of(source, staged).label("tuples"),
        _inside(staged, perimetre).label("inside"),
    ).subquery("told")
    kept = and_(told.c.kept, told.c.inside)
    rejected_lines = told.c.outcome == constant(REJECTED)
    skipped = or_(told.c.outcome == constant(SKIPPED), and_(told.c.outcome == constant(VALID), not_(told.c.inside)))

    def count(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
        return func.count().filter(condition).label(name)

    counts = writer.fetch(
        select(
            count(told.c.outcome != constant(NO_RECORD), "parsed"),
            count(rejected_lines, "rejected"),
            count(skipped, "skipped"),
            count(and_(kept, rejected_lines), "partial"),
            count(and_(kept, told.c.temporary), "temporary"),
            func.sum(told.c.tuples).filter(kept).label("tuples"),
        )
    ).to_pylist()[0]
    unreadable = 0
    if refused is not None:
        unreadable = writer.fetch(select(func.count().label("n")).select_from(refused)).to_pylist()[0]["n"]
    total = counts["rejected"] + unreadable
    wrong = writer.fetch(_wrong_check_digits(staged, perimetre)).to_pylist()[0]["n"]
    first = writer.fetch(rejected.limit(FileReport.SHOWN)).to_pylist() if total else []
    return FileReport(
        type=source.type,
        path=path,
        batch=batch,
        lines_parsed=counts["parsed"] + unreadable,
        lines_rejected=total,
        lines_skipped=counts["skipped"],
        lines_partial=counts["partial"],
        tuples=counts["tuples"] or 0,
        temporary_sirets=counts["temporary"],
        wrong_check_digits=wrong,
        first_rejected=tuple((row["ligne"], row["motif"]) for row in first),
    )

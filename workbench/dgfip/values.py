"""What a source's cell becomes: expressions that an engine evaluates on whole columns.

Every expression gives NULL for a value that it refuses; `checked` turns that NULL into an error,
and `workbench.dgfip.bad_rows` then says where it was. The common spellings of an amount take a
short way, because a national file holds eighty million of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    and_,
    bindparam,
    case,
    extract,
    func,
    null,
    or_,
    try_cast,
)

from workbench.dgfip.source_files import SourceFile

__all__ = ["Columns", "checked", "constant"]

LIMIT = 10**15
"""Largest amount, in cents."""
TOLERANCE = "0.000001"
"""In euros: how far from a cent a number written by a program may fall."""

_COUNT = "^([0-9]{1,9})([.,]0*)?$"
_IDENTIFIERS = {
    "siret": (14, "[0-9A-Z]{14}"),
    "siren": (9, "[0-9A-Z]{9}"),
    "siren_epci": (9, "[0-9A-Z]{9}"),
    "commune": (5, "[0-9][0-9AB][0-9]{3}"),
}


def constant(value: Any) -> ColumnElement[Any]:
    """Return a constant of ours, written in the statement so that the engine prepares it once."""
    return bindparam(None, value, literal_execute=True)


def checked(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the value, or stop the statement when it was refused."""
    return func.coalesce(value, func.error(constant("valeur refusée")), type_=value.type)


class Columns:
    """The columns of a file, under our names.

    Parameters
    ----------
    source
        The file.
    rows
        Its rows, as a writer gives them.
    """

    def __init__(self, source: SourceFile, rows: FromClause) -> None:
        self.source = source
        self.rows = rows

    def raw(self, name: str) -> ColumnElement[Any]:
        """Return a column as the file has it."""
        return self.rows.c[self.source.file.columns[self.source.positions[name]]]

    def kind(self, name: str) -> str:
        """Return the physical type of a column, without its precision."""
        return self.source.file.types[self.source.positions[name]].partition("(")[0]

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return name in self.source.positions

    def written(self, name: str) -> ColumnElement[Any]:
        """Return a column as text."""
        raw = self.raw(name)
        return raw if self.kind(name) == "VARCHAR" else raw.cast(Text)

    def text(self, name: str) -> ColumnElement[Any]:
        """Return trimmed text; NULL when blank or absent."""
        if not self.has(name):
            return null().cast(Text)
        written = self.written(name)
        if self.source.escaped:
            written = _unescaped(written)
        return func.nullif(func.trim(written), constant(""), type_=Text())

    def code(self, name: str, width: int) -> ColumnElement[Any]:
        """Return a code; one that lost its leading zeros on the way gets them back."""
        text = self.text(name)
        whole = func.regexp_extract(text, constant("^([0-9]+)([.]0+)?$"), constant(1), type_=Text())
        return case((whole != constant(""), func.lpad(whole, _width(whole, width), constant("0"))), else_=text)

    def departement(self) -> ColumnElement[Any]:
        """Return the département on three characters: 033, 02A."""
        text = func.upper(self.code("departement", 3), type_=Text())
        return case((func.length(text) < constant(3), func.lpad(text, constant(3), constant("0"))), else_=text)

    def siret(self, strict: bool = False) -> ColumnElement[Any]:
        """Return the identifier of the budget; short of zeros by at most four when it is text."""
        written = self.written("siret")
        text = func.trim(written, type_=Text())
        digits = "[0-9]{10,13}" if self.kind("siret") == "VARCHAR" else "[0-9]{1,13}"
        exact = case(
            (_matches(text, digits), func.lpad(text, constant(14), constant("0"))),
            (_matches(text, "[0-9A-Z]{1,14}"), text),
            else_=null(),
        )
        # Characters of the common case are checked on the budgets, a thousand times fewer.
        return exact if strict else case((func.length(written) == constant(14), written), else_=exact)

    def exercice(self) -> ColumnElement[Any]:
        """Return the year, written as such or as a date."""
        if self.kind("exercice") in {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS"}:
            return _year(extract("year", self.raw("exercice")))
        written = self.written("exercice")
        year = func.regexp_extract(func.trim(written), constant("^([0-9]{4})([-/T .].*)?$"), constant(1), type_=Text())
        return case(
            (func.length(written) == constant(4), _year(written)),
            else_=_year(year),
        )

    def operation(self) -> ColumnElement[Any]:
        """Return the operation code, 1 to 7."""
        written = self.written("operation")
        code = func.regexp_extract(func.trim(written), constant("^0*([1-7])([.]0+)?$"), constant(1), type_=Text())
        return try_cast(case((func.length(written) == constant(1), _digit(written)), else_=code), SmallInteger)

    def cents(self, name: str) -> ColumnElement[Any]:
        """Return an amount in cents; an absent one is 0."""
        raw, kind = self.raw(name), self.kind(name)
        if kind == "VARCHAR":
            return _cents_of_text(raw)
        if kind in {"DOUBLE", "FLOAT"}:
            return _cents_of_float(raw.cast(Double))
        return case((raw.is_(None), constant(0)), else_=_cents_of_number(try_cast(raw, Numeric(38, 18))))

    def population(self, strict: bool = False) -> ColumnElement[Any]:
        """Return a number of inhabitants; NULL when blank, and when refused if ``strict``."""
        text = self.text("population")
        whole = func.regexp_extract(text, constant("^(-?[0-9]{1,9})([.,]0*)?$"), constant(1), type_=Text())
        number = try_cast(whole, Integer)
        return case((text.is_(None), null()), else_=number if strict else checked(number))

    def inhabitants(self) -> ColumnElement[Any]:
        """Return a number of inhabitants, at least zero; NULL when blank or refused."""
        whole = func.regexp_extract(
            self.text("population"), constant("^([0-9]{1,9})([.,]0*)?$"), constant(1), type_=Text()
        )
        return try_cast(whole, Integer)

    def identifier(self, nature: str) -> ColumnElement[Any]:
        """Return a SIRET, a SIREN or the code of a commune; NULL when it is none."""
        width, pattern = _IDENTIFIERS[nature]
        code = func.upper(self.code(nature, width), type_=Text())
        return case((_matches(code, pattern), code), else_=null())

    def is_blank(self, name: str) -> ColumnElement[Any]:
        """Whether a cell holds nothing."""
        return self.text(name).is_(None)


def _width(text: ColumnElement[Any], width: int) -> ColumnElement[Any]:
    # lpad also cuts what is longer, which would change a code.
    return func.greatest(constant(width), func.length(text)).cast(Integer)


def _matches(text: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return func.regexp_full_match(text, constant(pattern))


def _digit(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((text.between(constant("1"), constant("7")), text), else_=null())


def _year(value: ColumnElement[Any]) -> ColumnElement[Any]:
    year = try_cast(value, SmallInteger)
    return case((year.between(constant(1900), constant(2100)), year), else_=null())


def _unescaped(text: ColumnElement[Any]) -> ColumnElement[Any]:
    r"""Undo PostgreSQL's COPY escapes; a double backslash is set aside so that ``\\t`` stays one."""
    plain = func.replace(text, constant("\\\\"), constant("\x01"))
    for written, meant in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r"), ("\\b", "\b"), ("\\f", "\f"), ("\\v", "\v")):
        plain = func.replace(plain, constant(written), constant(meant))
    plain = func.replace(plain, constant("\x01"), constant("\\"), type_=Text())
    return case((func.contains(text, constant("\\")), plain), else_=text)


def _cents_of_text(text: ColumnElement[Any]) -> ColumnElement[Any]:
    digits = try_cast(
        func.replace(func.replace(text, constant(","), constant("")), constant("."), constant("")), BigInteger
    )
    number = func.replace(func.trim(text), constant(","), constant("."), type_=Text())
    written = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
    return case(
        (or_(*(text == constant(zero) for zero in ("0,00", "0.0", "0.00", "0"))), constant(0)),
        (_matches(text, "[+-]?[0-9]{1,13}[.,][0-9][0-9]"), digits),
        (_matches(text, "[+-]?[0-9]{1,13}[.,][0-9]"), digits * constant(10)),
        (or_(text.is_(None), func.trim(text) == constant("")), constant(0)),
        (_matches(number, written), _cents_of_number(try_cast(number, Numeric(38, 18)))),
        else_=null(),
    )


def _cents_of_number(number: ColumnElement[Any]) -> ColumnElement[Any]:
    rounded = try_cast(number, Numeric(18, 2))
    near = func.abs(number - rounded) <= constant(TOLERANCE).cast(Numeric(38, 18))
    # Exact: below 10**15 a whole number of cents is far from the precision of a double.
    cents = func.round(rounded.cast(Double) * constant(100)).cast(BigInteger)
    return case((and_(near, func.abs(cents) <= constant(LIMIT)), cents), else_=null())


def _cents_of_float(number: ColumnElement[Any]) -> ColumnElement[Any]:
    cents = func.round(number * constant(100))
    near = func.abs(number * constant(100) - cents) <= func.greatest(
        constant(TOLERANCE).cast(Double) * constant(100), func.abs(cents) * constant("1e-15").cast(Double)
    )
    return case(
        (number.is_(None), constant(0)),
        (
            and_(func.isfinite(number), func.abs(number * constant(100)) <= constant(LIMIT), near),
            cents.cast(BigInteger),
        ),
        else_=null(),
    )

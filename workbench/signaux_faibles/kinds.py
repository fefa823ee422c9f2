"""How a cell is read: one expression a kind, NULL where the text is none.

Dates are strict: each source has one way to write them. The casts of the engine are looser than any source
(``12.5`` rounds to 13, ``1_000`` is a thousand), so a pattern stands before each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Double,
    Integer,
    Numeric,
    Text,
    and_,
    bindparam,
    case,
    func,
    null,
    try_cast,
)
from sqlalchemy.types import TypeEngine

__all__ = [
    "BOOLEAN",
    "CENTS",
    "DATE_FR",
    "DATE_FR_SILENT",
    "DATE_ISO",
    "DATE_MONTH",
    "DATE_URSSAF",
    "DECIMAL",
    "DECIMAL_COMMA",
    "DECIMAL_COMMA_SILENT",
    "DIGITS",
    "EUROS",
    "FLOAT_INTEGER",
    "INTEGER",
    "INTEGER_SILENT",
    "PERIOD_START",
    "TEXT",
    "Kind",
    "between",
    "constant",
    "matches",
    "one_of",
    "period_end",
]


@dataclass(frozen=True)
class Kind:
    """How the cells of a column are read.

    Parameters
    ----------
    type
        What a table holds the value in.
    read
        From the text, never NULL, to the value; NULL where the text is no such value.
    expected
        French end of the sentence « colonne : « valeur » … ».
    silent
        Whether what cannot be read is merely absent.
    """

    type: TypeEngine[Any]
    read: Callable[[ColumnElement[str]], ColumnElement[Any]]
    expected: str
    silent: bool = False


def constant(value: Any) -> ColumnElement[Any]:
    """Return a constant of ours, written in the statement so that the engine prepares it once."""
    return bindparam(None, value, literal_execute=True)


def matches(text: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Whether a whole text follows a pattern."""
    return func.regexp_full_match(text, constant(pattern), type_=Boolean())


def _when(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((condition, value), else_=null())


def _comma(text: ColumnElement[str]) -> ColumnElement[str]:
    return func.replace(text, constant(","), constant("."), type_=Text())


_INTEGER = "[+-]?[0-9]{1,18}"
_NUMBER = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_AMOUNT = "[+-]?([0-9]{1,15}[.,]?[0-9]*|[.,][0-9]+)"


def _integer(text: ColumnElement[str]) -> ColumnElement[Any]:
    return _when(matches(text, _INTEGER), try_cast(text, BigInteger))


def _decimal(text: ColumnElement[str]) -> ColumnElement[Any]:
    number = try_cast(text, Double)
    return _when(and_(matches(text, _NUMBER), func.isfinite(number)), number)


def _euros(text: ColumnElement[str]) -> ColumnElement[Any]:
    return _when(matches(text, _AMOUNT), try_cast(_comma(text), Numeric(18, 2)))


def _cents(text: ColumnElement[str]) -> ColumnElement[Any]:
    # Sums of debts must be zero when they are: a DECIMAL, which a double of cents converts to without error.
    return _when(matches(text, _AMOUNT), (try_cast(_comma(text), Double) / constant(100)).cast(Numeric(18, 2)))


def _float_integer(text: ColumnElement[str]) -> ColumnElement[Any]:
    number = try_cast(_comma(text), Double)
    near = func.abs(number) < constant(1e15)
    return case(
        (matches(text, "[0-9]{1,15}"), try_cast(text, BigInteger)),
        (and_(matches(_comma(text), _NUMBER), near), func.trunc(number).cast(BigInteger)),
        else_=null(),
    )


def _digits(text: ColumnElement[str]) -> ColumnElement[Any]:
    kept = func.regexp_replace(text, constant("[^0-9]"), constant(""), constant("g"), type_=Text())
    return try_cast(func.nullif(kept, constant("")), BigInteger)


def _boolean(text: ColumnElement[str]) -> ColumnElement[Any]:
    lower = func.lower(text, type_=Text())
    return case(
        (lower.in_([constant("1"), constant("true")]), constant(True)),
        (lower.in_([constant("0"), constant("false")]), constant(False)),
        else_=null(),
    ).cast(Boolean)


def _date_iso(text: ColumnElement[str]) -> ColumnElement[Any]:
    # A time after the date says nothing more: some deliveries write midnight.
    written = matches(text, "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00(:00([.]0+)?)?Z?)?")
    return _when(written, try_cast(func.left(text, constant(10)), Date))


def _date_fr(text: ColumnElement[str]) -> ColumnElement[Any]:
    parts = func.concat(
        func.substr(text, 7, 4), constant("-"), func.substr(text, 4, 2), constant("-"), func.left(text, 2)
    )
    return _when(matches(text, "[0-9]{2}/[0-9]{2}/[0-9]{4}"), try_cast(parts, Date))


_MONTHS = {
    "01": ("JAN", "JANV"),
    "02": ("FEB", "FEV", "FÉV", "FEVR", "FÉVR"),
    "03": ("MAR", "MARS"),
    "04": ("APR", "AVR"),
    "05": ("MAY", "MAI"),
    "06": ("JUN", "JUIN"),
    "07": ("JUL", "JUIL"),
    "08": ("AUG", "AOU", "AOÛ", "AOUT", "AOÛT"),
    "09": ("SEP", "SEPT"),
    "10": ("OCT",),
    "11": ("NOV",),
    "12": ("DEC", "DÉC"),
}


def _date_month(text: ColumnElement[str]) -> ColumnElement[Any]:
    upper = func.upper(text, type_=Text())
    name = func.substr(upper, constant(3), func.length(upper) - constant(6), type_=Text())
    month = case(
        *((name.in_([constant(each) for each in names]), constant(number)) for number, names in _MONTHS.items()),
        else_=null(),
    )
    whole = func.right(upper, constant(4)).op("||")(constant("-")).op("||")(month).op("||")(constant("-"))
    # NULL in any part makes the whole NULL.
    return _when(matches(upper, "[0-9]{2}[A-ZÉÛ]{3,4}[0-9]{4}"), try_cast(whole.op("||")(func.left(upper, 2)), Date))


def _date_urssaf(text: ColumnElement[str]) -> ColumnElement[Any]:
    digits = (try_cast(text, Integer) + constant(19_000_000)).cast(Text)
    return _when(matches(text, "[0-9]{1,7}"), func.try_strptime(digits, constant("%Y%m%d")).cast(Date))


def _period_start(text: ColumnElement[str]) -> ColumnElement[Any]:
    century = case((func.left(text, constant(2)) < constant("50"), constant("20")), else_=constant("19"))
    whole = case((func.length(text) == constant(4), century.op("||")(text)), else_=text)
    # Nearly all are of six characters: the branches after the first one are for the others.
    return case(
        (matches(text, "[1-9][0-9]{3}[1-4][0-3]"), _first_day(text)),
        (matches(whole, "[1-9][0-9]{3}[1-4][0-3]"), _first_day(whole)),
        (matches(whole, "[1-9][0-9]{3}62"), func.make_date(_year(whole), constant(1), constant(1), type_=Date())),
        else_=null(),
    )


def _year(period: ColumnElement[str]) -> ColumnElement[Any]:
    return try_cast(period, Integer).op("//")(constant(100))


def _first_day(period: ColumnElement[str]) -> ColumnElement[Any]:
    number = try_cast(period, Integer)
    quarter = number.op("//")(constant(10)).op("%")(constant(10))
    month = func.greatest(number.op("%")(constant(10)), constant(1))
    return func.make_date(_year(period), (quarter - constant(1)) * constant(3) + month, constant(1), type_=Date())


def period_end(start: ColumnElement[Any], text: ColumnElement[str]) -> ColumnElement[Any]:
    """Return the day after the last one of a period that begins then; NULL where it does not begin."""
    lasts = case(
        (func.right(text, constant(2)) == constant("62"), constant(12)),
        (func.right(text, constant(1)) == constant("0"), constant(3)),
        else_=constant(1),
    )
    return func.date_add(start, func.to_months(lasts)).cast(Date)


def one_of(*values: str) -> Kind:
    """Return the kind of a text that is one of a list."""

    def value(text: ColumnElement[str]) -> ColumnElement[Any]:
        return _when(text.in_([constant(each) for each in values]), text)

    return Kind(Text(), value, f"n'est pas une valeur connue : {', '.join(values)}")


def between(low: int, high: int) -> Kind:
    """Return the kind of an integer that lies between two."""

    def value(text: ColumnElement[str]) -> ColumnElement[Any]:
        number = _integer(text)
        return _when(number.between(constant(low), constant(high)), number)

    return Kind(BigInteger(), value, f"n'est pas un entier de {low} à {high}")


TEXT = Kind(Text(), lambda text: text, "", silent=True)
INTEGER = Kind(BigInteger(), _integer, "n'est pas un nombre entier")
INTEGER_SILENT = Kind(BigInteger(), _integer, "", silent=True)
FLOAT_INTEGER = Kind(BigInteger(), _float_integer, "n'est pas un nombre")
DIGITS = Kind(BigInteger(), _digits, "", silent=True)
"""An integer among other characters, spaces for instance; none is no value."""
DECIMAL = Kind(Double(), _decimal, "n'est pas un nombre (point décimal)")
DECIMAL_COMMA = Kind(Double(), lambda text: _decimal(_comma(text)), "n'est pas un nombre")
DECIMAL_COMMA_SILENT = Kind(Double(), lambda text: _decimal(_comma(text)), "", silent=True)
EUROS = Kind(Numeric(18, 2), _euros, "n'est pas un montant en euros")
CENTS = Kind(Numeric(18, 2), _cents, "n'est pas un montant en centimes")
"""Hundredths of a euro, kept in euros."""
BOOLEAN = Kind(Boolean(), _boolean, "n'est ni vrai ni faux (0, 1, true, false)")
DATE_ISO = Kind(Date(), _date_iso, "n'est pas une date de la forme 2020-01-31")
DATE_FR = Kind(Date(), _date_fr, "n'est pas une date de la forme 31/01/2020")
DATE_FR_SILENT = Kind(Date(), _date_fr, "", silent=True)
DATE_MONTH = Kind(Date(), _date_month, "n'est pas une date de la forme 26MAY2014")
DATE_URSSAF = Kind(Date(), _date_urssaf, "n'est pas une date de l'URSSAF (AAMMJJ depuis 1900 : 1180203)")
PERIOD_START = Kind(Date(), _period_start, "est une période aux valeurs non autorisées (201712, 1022, 201762)")


def periods(names: Iterable[str]) -> list[str]:
    """Return the first day of periods of six characters, ISO 8601; raises ValueError for what is none.

    Examples
    --------
    >>> periods(["201041", "202011"])
    ['2010-10-01', '2020-01-01']
    """
    found = []
    for name in names:
        year, quarter, month = int(name[:4]), int(name[4]), int(name[5])
        if len(name) != 6 or not 1 <= quarter <= 4 or not 1 <= month <= 3:
            raise ValueError(name)
        found.append(f"{year:04d}-{(quarter - 1) * 3 + month:02d}-01")
    return found

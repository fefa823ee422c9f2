"""The workforce file of a batch: its last known month, and the companies large enough to be followed (2.3 and 2.4)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, MetaData, Table, Text, and_, func, insert, or_, select
from sqlalchemy.types import ARRAY

from workbench.engines import Writer
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.headers import match_header
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.opening import open_file
from workbench.signaux_faibles.sources import source_named

__all__ = ["CATEGORIES", "RECENT_MONTHS", "Effectifs", "PerimetreRules", "excluded_sirens", "load_effectifs"]

CATEGORIES = tuple(
    "4110 4120 4140 4160 7210 7220 7346 7348 7366 7373 7379 7383 7389 7410 7430 7470 7490".split()  # noqa: SIM905
)
"""Legal categories left out: public bodies and the like."""

RECENT_MONTHS = {"effectif": 100, "effectif_ent": 36}
"""How many of the last known months count: as until 2021 by établissement, as today by entreprise."""


@dataclass(frozen=True)
class PerimetreRules:
    """Which companies are followed.

    Parameters
    ----------
    months
        How many of the last known months count; see `RECENT_MONTHS`.
    threshold
        Effectifs that one of these months must reach.
    categories
        Legal categories left out, from the file of legal units.
    activities
        Beginnings of the activities left out: 84 administration, 85 teaching.
    """

    months: int = 100
    threshold: int = 10
    categories: tuple[str, ...] = CATEGORIES
    activities: tuple[str, ...] = ("84", "85")


@dataclass(frozen=True)
class Effectifs:
    """A workforce file, read once.

    Parameters
    ----------
    table
        Columns ``key`` (SIRET or SIREN) and ``months``, in the order of ``days``.
    days
        First days of the months, ascending, ISO 8601; months after the last known one are left out.
    digits
        Length of the keys.
    """

    writer: Writer
    table: Table
    days: tuple[str, ...]
    digits: int

    @property
    def last(self) -> date | None:
        """The last month that holds a value somewhere."""
        return date.fromisoformat(self.days[-1]) if self.days else None

    def sirens(self, rules: PerimetreRules) -> list[str]:
        """Return the SIREN whose workforce reached the threshold in one of the last months, sorted.

        Keys of another length, empty ones among them, are nobody's.
        """
        if not self.days:
            return []
        first = max(0, len(self.days) - rules.months) + 1
        recent = func.list_slice(self.table.c.months, constant(first), constant(len(self.days)))
        reached = func.list_max(recent, type_=BigInteger()) >= constant(rules.threshold)
        siren = func.left(self.table.c.key, constant(9), type_=Text()).label("siren")
        rows = select(siren).where(and_(func.length(self.table.c.key) == constant(self.digits), reached))
        return list(self.writer.fetch(rows.distinct().order_by("siren"))["siren"].to_pylist())


@contextmanager
def load_effectifs(writer: Writer, type_: str, path: str | Path, work: Path) -> Iterator[Effectifs]:
    """Read a workforce file, ``effectif`` or ``effectif_ent``, for the time of a block.

    Raises
    ------
    WorkbenchError
        What `open_file` and `match_header` raise.
    """
    source = source_named(type_)
    rows, header = _rows(writer, source, path, work)
    assert source.months is not None  # noqa: S101 - the two sources of workforce have months
    read = source.months.kind.read
    values = [read(_text(rows, place)) for _, place in header.months]
    kept = Table(
        f"effectifs_{secrets.token_hex(4)}",
        MetaData(),
        Column("key", Text),
        Column("months", ARRAY(BigInteger())),
        prefixes=["TEMPORARY"],
    )
    try:
        writer.create([kept])
        months: ColumnElement[Any] = func.list_value(*values) if values else func.list_value()
        chosen = select(_text(rows, header.places[source.scope.key]), months)
        writer.execute(insert(kept).from_select(["key", "months"], chosen))
        known = [
            func.count(func.list_extract(kept.c.months, constant(place + 1), type_=BigInteger())).label(f"m{place}")
            for place in range(len(values))
        ]
        counts = list(writer.fetch(select(*known)).to_pylist()[0].values()) if known else []
        last = max((place + 1 for place, count in enumerate(counts) if count), default=0)
        yield Effectifs(writer, kept, tuple(day for day, _ in header.months[:last]), source.scope.digits)
    finally:
        writer.drop([kept])


def excluded_sirens(writer: Writer, path: str | Path, rules: PerimetreRules, work: Path) -> set[str]:
    """Return the SIREN that their legal category or activity leaves out, from a file of legal units."""
    rows, header = _rows(writer, source_named("sirene_ul"), path, work)
    activity = "activiteprincipaleunitelegale"
    wrong: list[ColumnElement[bool]] = [
        _text(rows, header.places["categoriejuridiqueunitelegale"]).in_([constant(each) for each in rules.categories])
    ]
    if activity in header.places:
        wrong += [func.starts_with(_text(rows, header.places[activity]), constant(each)) for each in rules.activities]
    siren = _text(rows, header.places["siren"]).label("siren")
    return set(writer.fetch(select(siren).where(or_(*wrong)))["siren"].to_pylist())


def _rows(writer: Writer, source: Source, path: str | Path, work: Path) -> tuple[list[Any], Any]:
    opened = open_file(path, source, work)
    header = match_header(source, opened.header, by_siret=False, file=opened.path.name)
    raw = writer.source(opened.file)
    return [raw.c[name] for name in opened.file.columns[1 if opened.numbered else 0 :]], header


def _text(columns: list[Any], place: int) -> ColumnElement[str]:
    return func.coalesce(columns[place], constant(""), type_=Text())

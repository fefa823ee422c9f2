"""Fictitious companies, and the files that partners would send of them: for the demonstration, tests and benchmarks.

Nobody is described: the check digit of every SIREN is wrong. A tenth of the companies run into difficulty at some month:
their workforce falls, they pay no contributions any more, ask for partial activity and for delays, and end in a
collective procedure. Errors are put in on purpose, each known by its file, line and column.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from workbench.signaux_faibles.batches import check_key, month_of
from workbench.signaux_faibles.demonstration_files import FILES, Company, Establishment, Month

__all__ = ["Delivery", "InjectedError", "companies", "write_delivery"]


@dataclass(frozen=True)
class InjectedError:
    """An error put in on purpose.

    Parameters
    ----------
    type, file
        Where.
    line
        1 for the first line of data.
    column
        Name of the column; empty for a line that is no record.
    """

    type: str
    file: str
    line: int
    column: str


@dataclass(frozen=True)
class Delivery:
    """What was written.

    Parameters
    ----------
    folder
        Of the batch.
    companies
        Who was invented.
    lines
        Lines of data of each type, wrong ones included.
    errors
        Those put in.
    """

    folder: Path
    companies: tuple[Company, ...]
    lines: dict[str, int] = field(default_factory=dict)
    errors: tuple[InjectedError, ...] = ()


def write_delivery(
    root: str | Path,
    key: str = "1802",
    *,
    number: int = 50,
    months: int = 24,
    errors: int = 1,
    by_siret: bool = True,
    types: Iterable[str] | None = None,
    seed: int = 0,
) -> Delivery:
    """Write the files of a batch of fictitious companies.

    Parameters
    ----------
    root
        Folder of all batches; that of the batch is made.
    key
        Its key: series end the month before.
    number
        Companies.
    months
        Length of the series.
    errors
        Wrong lines of each kind put in each file.
    by_siret
        Whether the URSSAF's files name a SIRET, as today, or an account, as until 2021.
    types
        Types to write; all by default.
    seed
        The same seed gives the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> delivery = write_delivery(tempfile.mkdtemp(), number=3, months=6, types=["debit", "paydex"])
    >>> sorted(path.name for path in delivery.folder.iterdir())
    ['E_201802281200_Retro-Paydex_20180228.csv', 'sigfaible_debits.csv']
    """
    folder = Path(root) / check_key(key)
    folder.mkdir(parents=True, exist_ok=True)
    known = tuple(companies(number, months, month_of(key), seed))
    wanted = set(FILES if types is None else types)
    lines: dict[str, int] = {}
    injected: list[InjectedError] = []
    for type_, described in FILES.items():
        if type_ not in wanted:
            continue
        name = described.name.format(key=key, century=f"20{key[:4]}")
        rows = _Rows(type_, name, errors)
        header = described.header(known, by_siret)
        written = rows.with_errors(described.rows(known, by_siret), header, described.wrong, described.splits)
        _write(folder / name, described, header, written)
        lines[type_] = rows.count * described.lines_a_row(known)
        injected += rows.injected
    return Delivery(folder, known, lines, tuple(injected))


class _Rows:
    """Adds a wrong copy after each of the first rows, and counts."""

    def __init__(self, type_: str, file: str, errors: int) -> None:
        self._type, self._file, self._errors = type_, file, errors
        self.count = 0
        self.injected: list[InjectedError] = []

    def with_errors(
        self, rows: Iterable[Sequence[Any]], header: Sequence[str], wrong: tuple[str, str] | None, splits: bool
    ) -> Iterator[Sequence[Any]]:
        for position, row in enumerate(rows):
            self.count += 1
            yield row
            if position >= self._errors:
                continue
            if wrong is not None:
                copy = list(row)
                copy[header.index(wrong[0])] = wrong[1]
                yield self._noted(wrong[0], copy)
            if splits:
                yield self._noted("", list(row[:2]))

    def _noted(self, column: str, row: Sequence[Any]) -> Sequence[Any]:
        self.count += 1
        self.injected.append(InjectedError(self._type, self._file, self.count, column))
        return row


def _write(path: Path, described: Any, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    if path.suffix == ".xlsx":
        from workbench.signaux_faibles.excel import write_sheet

        write_sheet(path, [header, *rows])
        return
    # The same rows give the same bytes: a gzip file would keep the time.
    stream = gzip.GzipFile(path, "wb", mtime=0) if path.suffix == ".gz" else path.open("wb")
    with stream:
        if described.encoding == "utf-16-le":
            stream.write(b"\xff\xfe")
        for row in (header, *rows) if described.headed else rows:
            stream.write((_line(row, described.delimiter) + "\n").encode(described.encoding))


def _line(row: Sequence[Any], delimiter: str) -> str:
    cells = []
    for value in row:
        text = str(value)
        cells.append('"' + text.replace('"', '""') + '"' if delimiter in text or '"' in text else text)
    return delimiter.join(cells)


def companies(number: int, months: int, end: date, seed: int = 0) -> Iterator[Company]:
    """Invent companies and their months.

    Parameters
    ----------
    number
        How many.
    months
        Length of their series, which ends the month before ``end``.
    end
        A first day of month.
    seed
        Of the numbers drawn.
    """
    draw = Random(seed)  # noqa: S311 - fictitious companies need no secret
    days = [_shifted(end, -each) for each in range(months, 0, -1)]
    for position in range(number):
        siren = _wrong_siren(position)
        size = max(2, round(draw.lognormvariate(2.8, 1.0)))
        falls = draw.randrange(months // 3, months) if draw.random() < 0.1 or position == 1 else None
        departement = draw.choice(("01", "2A", "59", "75", "974"))
        places = []
        for establishment in range(draw.choice((1, 1, 1, 2, 3))):
            own = max(1, size // (establishment + 1))
            series = tuple(_month(draw, day, own, place, falls) for place, day in enumerate(days))
            places.append(
                Establishment(f"{siren}{establishment + 1:05d}", f"{position:012d}{establishment:06d}", series)
            )
        ape = draw.choice(("10.71A", "25.62B", "41.20A", "49.41A", "62.02A"))
        yield Company(
            siren, f"ENTREPRISE FICTIVE {position + 1}", ape, departement, tuple(places), days[falls] if falls else None
        )


def _month(draw: Random, day: date, size: int, place: int, falls: int | None) -> Month:
    fallen = falls is not None and place >= falls
    lost = min(0.8, 0.1 * (place - falls)) if fallen and falls is not None else 0.0
    workforce = max(0, round(size * (1 - lost) * draw.uniform(0.95, 1.05)))
    due = round(workforce * draw.uniform(900, 1100), 2)
    return Month(day, workforce, due, 0.0 if fallen else due, round(due * 0.3) if fallen else 0)


def _shifted(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _wrong_siren(position: int) -> str:
    """Return a SIREN that no company can have.

    Examples
    --------
    >>> _wrong_siren(0)
    '900000005'
    """
    start = f"9{position:07d}"
    # Luhn's key: every second digit doubled, from the right of the whole number.
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(start))
    return f"{start}{(10 - total % 10 + 4) % 10}"

"""The files that partners would send of fictitious companies: for the demonstration, tests and benchmarks.

Errors are put in on purpose, each known by its file, line and column.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.signaux_faibles.batches import check_key, month_of
from workbench.signaux_faibles.demonstration_companies import Company, companies
from workbench.signaux_faibles.demonstration_files import FILES, PartnerFile

__all__ = ["Delivery", "InjectedError", "write_delivery"]


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
    troubled: float = 0.1,
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
    troubled
        Share of the companies that run into difficulty.

    Examples
    --------
    >>> import tempfile
    >>> delivery = write_delivery(tempfile.mkdtemp(), number=3, months=6, types=["debit", "paydex"])
    >>> sorted(path.name for path in delivery.folder.iterdir())
    ['E_201802281200_Retro-Paydex_20180228.csv', 'sigfaible_debits.csv']
    """
    folder = Path(root) / check_key(key)
    folder.mkdir(parents=True, exist_ok=True)
    known = tuple(companies(number, months, month_of(key), seed, troubled=troubled))
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


def _write(path: Path, described: PartnerFile, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
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

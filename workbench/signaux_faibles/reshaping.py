"""Rows of a file that is not plain, brought to the columns that its declaration speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.records import Record

__all__ = ["Row", "as_they_are", "projection", "year_columns"]

Row = tuple[int, list[str] | None, str, str]
"""Number from 1, cells or None, the line as written, and why it is no record."""

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


Project = Callable[[Iterator[Record]], Iterator[Row]]


def projection(
    path: Path, source: Source, rows: Iterator[Record], *, padded: bool
) -> tuple[tuple[str, ...], Project, Iterator[Record]]:
    """Read the header of a file.

    Parameters
    ----------
    path
        The file, for messages.
    source
        What it should hold.
    rows
        Its records, header included.
    padded
        Whether rows may lack their last cells, as those of a workbook do.

    Returns
    -------
    names : tuple of str
        The columns; their places when they have no names.
    project : callable
        Makes rows of records.
    rows : iterator of Record
        What is left to read.

    Raises
    ------
    WorkbenchError
        ``fichier_vide``, or ``fichier_illisible`` when the header itself is no record.
    """
    first = next(rows, None)
    if first is None:
        raise WorkbenchError("fichier_vide", fichier=path.name)
    if first.cells is None:
        raise WorkbenchError("fichier_illisible", fichier=path.name, detail=f"en-tête : {first.reason}")
    layout = source.layout
    if layout.years:
        names, project = _by_year(first.cells, layout.fewest)
        return names, project, rows
    width = len(first.cells)
    names = tuple(first.cells)
    if layout.positions:
        if padded:
            width = max(width, 1 + max(layout.positions.values()))
        names = tuple(str(place) for place in range(width))
    shift = 1 if layout.header else 0
    left = rows if layout.header else chain([first], rows)
    return names, lambda kept: as_they_are(kept, width, shift, padded), left


def as_they_are(rows: Iterator[Record], width: int, shift: int, padded: bool) -> Iterator[Row]:
    """Make rows of records that have as many cells as they should.

    Parameters
    ----------
    rows
        The records.
    width
        Cells of a row.
    shift
        Records before the first row.
    padded
        Whether rows may lack their last cells, or have too many.
    """
    for row in rows:
        number = row.number - shift
        if row.cells is None:
            yield number, None, row.raw, row.reason
        elif len(row.cells) == width:
            yield number, row.cells, row.raw, ""
        elif padded:
            yield number, [*row.cells[:width], *[""] * (width - len(row.cells))], row.raw, ""
        else:
            yield number, None, row.raw, f"{width} colonnes attendues, {len(row.cells)} lues"


def year_columns(header: list[str]) -> tuple[list[tuple[str, int]], dict[str, dict[int, int]]]:
    """Tell the columns that are repeated year after year from the others.

    Returns
    -------
    fixed : list of (name, place)
        Columns of the company.
    yearly : dict of name to dict of year to place
        Columns ``<name> AAAA``, the year apart and double spaces made one.

    Examples
    --------
    >>> year_columns(["Numéro Siren", "Effectif 2018", "Effectif 2017", "C. A.  2018 kEUR"])
    ([('Numéro Siren', 0)], {'Effectif': {2018: 1, 2017: 2}, 'C. A. kEUR': {2018: 3}})
    """
    fixed: list[tuple[str, int]] = []
    yearly: dict[str, dict[int, int]] = {}
    for place, name in enumerate(header):
        found = _YEAR.search(name)
        if found is None:
            fixed.append((_spaced(name), place))
        else:
            bare = _spaced(name[: found.start()] + " " + name[found.end() :])
            yearly.setdefault(bare, {}).setdefault(int(found[1]), place)
    return fixed, yearly


def _spaced(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip()


def _by_year(header: list[str], fewest: int) -> tuple[tuple[str, ...], Project]:
    fixed, yearly = year_columns(header)
    seen = {year for places in yearly.values() for year in places}
    years = range(min(seen), max(seen) + 1) if seen else range(0)
    names = ("Annee", *(name for name, _ in fixed), *yearly)
    span = max(len(years), 1)

    def project(rows: Iterator[Record]) -> Iterator[Row]:
        for row in rows:
            first = (row.number - 2) * span + 1
            cells = row.cells
            if cells is None:
                yield first, None, row.raw, row.reason
            elif len(cells) != len(header):
                yield first, None, row.raw, f"{len(header)} colonnes attendues, {len(cells)} lues"
            else:
                own = [cells[place] for _, place in fixed]
                for shift, year in enumerate(years):
                    if len(names) < fewest:
                        yield first + shift, None, row.raw, "ligne invalide"
                        continue
                    values = [cells[places[year]] if year in places else "" for places in yearly.values()]
                    yield first + shift, [str(year), *own, *values], row.raw, ""

    return names, project

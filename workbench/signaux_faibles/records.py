"""Records of delimited text, whatever is wrong with them: the careful reader, for files that are not plain.

A record that cannot be split is given apart and reading goes on with the next line. Two manners with quotes:

* strict: a quote inside a bare cell, or after the end of a quoted one, makes the line no record;
* lenient: such a quote is an ordinary character.

A quoted cell may hold line ends. One that is still open after `LONGEST` lines was never meant to be: its first line
alone is refused, so that one stray quote does not swallow the rest of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["LONGEST", "Lines", "Record", "records"]

LONGEST = 200
"""Lines that one record may take."""

BARE_QUOTE = "guillemet au milieu d'une valeur"
OPEN_QUOTE = "guillemet jamais refermé, ou suivi d'autre chose que le séparateur"


@dataclass(frozen=True)
class Record:
    """One record of a file.

    Parameters
    ----------
    number
        1 for the first one.
    cells
        Its values; None when the line is no record.
    raw
        The line as written, without its end; the first one of several.
    reason
        French: why it is no record.
    """

    number: int
    cells: list[str] | None
    raw: str
    reason: str = ""


class Lines:
    """Lines without their ends, that can be given back; ``returned`` are those that were, the next one last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.returned: list[str] = []

    def next(self) -> str | None:
        """Return the next line; None at the end."""
        if self.returned:
            return self.returned.pop()
        line = next(self._lines, None)
        if line is None:
            return None
        if line.endswith("\r\n"):
            return line[:-2]
        return line.removesuffix("\n")

    def give_back(self, lines: list[str]) -> None:
        """Have these lines be the next ones."""
        self.returned += reversed(lines)


def records(lines: Iterable[str] | Lines, delimiter: str, *, lenient: bool) -> Iterator[Record]:
    r"""Split lines into records; empty lines are none.

    Parameters
    ----------
    lines
        With their ends, as a file opened with ``newline=""`` and split at ``\n`` gives them.
    delimiter
        One character.
    lenient
        How quotes out of place are taken.

    Examples
    --------
    >>> [each.cells for each in records(['a;"b;c"\n', '\n', 'd;e"f\n'], ";", lenient=True)]
    [['a', 'b;c'], ['d', 'e"f']]
    >>> [each.reason for each in records(['d;e"f\n', 'g;h\n'], ";", lenient=False)]
    ["guillemet au milieu d'une valeur", '']
    """
    source = lines if isinstance(lines, Lines) else Lines(lines)
    number = 0
    while (line := source.next()) is not None:
        if not line:
            continue
        number += 1
        if '"' not in line:
            yield Record(number, line.split(delimiter), line)
            continue
        cells, reason = _split(line, source, delimiter, lenient)
        yield Record(number, cells, line, reason)


def _split(line: str, source: Lines, delimiter: str, lenient: bool) -> tuple[list[str] | None, str]:
    cells: list[str] = []
    rest = line
    while True:
        if not rest.startswith('"'):
            cell, found, rest = rest.partition(delimiter)
            if '"' in cell and not lenient:
                return None, BARE_QUOTE
            cells.append(cell)
            if not found:
                return cells, ""
            continue
        value, after = _quoted(rest[1:], source, delimiter, lenient)
        if value is None:
            return None, OPEN_QUOTE
        cells.append(value)
        if after is None:
            return cells, ""
        rest = after


def _quoted(rest: str, source: Lines, delimiter: str, lenient: bool) -> tuple[str | None, str | None]:
    """Return the value of a quoted cell and what follows its delimiter, None at the end of the record."""
    parts: list[str] = []
    taken: list[str] = []
    while True:
        before, found, rest = rest.partition('"')
        parts.append(before)
        if found:
            if rest.startswith('"'):
                parts.append('"')
                rest = rest[1:]
            elif rest.startswith(delimiter):
                return "".join(parts), rest[len(delimiter) :]
            elif not rest:
                return "".join(parts), None
            elif lenient:
                parts.append('"')
            else:
                # What follows on further lines is read again: only this record is lost.
                source.give_back(taken)
                return None, None
            continue
        line = source.next() if len(taken) < LONGEST else None
        if line is None:
            if lenient and len(taken) < LONGEST:
                # The end of the file closes what was open.
                return "\n".join(["".join(parts)]), None
            source.give_back(taken)
            return None, None
        taken.append(line)
        parts.append("\n")
        rest = line

"""From formules with years to one text of the language, and back, without losing a character.

In the language the years are brackets inside the text; in a trame they are fields beside it. Joining puts the two
brackets after every segment of a formule that has bounds; splitting removes them. Two neighbouring formules that
are valid for the same exercices are joined by a line break, which the language ignores, so that splitting finds
the two again:

    split_texte(join_formules(parts)) == parts          for the canonical formules of a right text
    meaning(join_formules(split_texte(text))) == meaning(text)

Segments are found by their brackets alone, so that the text of a formule whose type d'appel comes in the next one
can be joined too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.formules.brackets import read_bracket, without_blanks

__all__ = ["Part", "join_formules", "origins", "split_texte", "year_brackets"]

Part = tuple[str, int | None, int | None]

_BRACKET = re.compile(r"\[[^\[\]]*\]")
_YEARS = ("RE-MIN", "RE-MAX")


@dataclass(frozen=True, slots=True)
class _Separator:
    """A bracket that belongs to a segment, and its place."""

    key: str
    value: str
    start: int
    end: int


def _separators(text: str) -> Iterator[_Separator]:
    for found in _BRACKET.finditer(text):
        bracket = read_bracket(found[0])
        if bracket.is_condition and not bracket.problem:
            yield _Separator(bracket.key, bracket.value, *found.span())


def year_brackets(text: str) -> list[tuple[int, int]]:
    """List the places of the RE-MIN and RE-MAX brackets of a text, zero-based, end excluded.

    Examples
    --------
    >>> year_brackets("C70[TA:BX][RE - MIN : 2012]")
    [(10, 27)]
    """
    return [(bracket.start, bracket.end) for bracket in _separators(text) if bracket.key in _YEARS]


def _slices(text: str) -> Iterator[tuple[int, int, list[_Separator]]]:
    """Cut a text into segments: start, end, separators; the end of a segment is that of its last separator."""
    start = 0
    group: list[_Separator] = []
    for bracket in _separators(text):
        if group and without_blanks(text[group[-1].end : bracket.start]):
            yield start, group[-1].end, group
            start, group = group[-1].end, []
        group.append(bracket)
    end = group[-1].end if group else start
    if group:
        yield start, end, group
    if without_blanks(text[end:]):
        yield end, len(text), []


def _shown(year: int | None) -> str:
    return "#" if year is None else f"{year:04d}"


def _year(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[0-9]{4}", value) else None


def _pieces(parts: Iterable[Part]) -> Iterator[tuple[str, int, int]]:
    """Yield the pieces of the joined text, each with its formule and its offset in it; -1, -1 when it is added."""
    whole = list(parts)
    for number, (texte, first, last) in enumerate(whole):
        if number and (first, last) == whole[number - 1][1:]:
            yield "\n", -1, -1
        slices = list(_slices(texte))
        for start, end, separators in slices:
            yield texte[start:end], number, start
            if first is not None or last is not None:
                yield f"[RE-MIN:{_shown(first)}][RE-MAX:{_shown(last)}]", -1, -1
            elif not separators and (len(whole) > 1 or len(slices) > 1):
                # The last segment needs none, except to the old system.
                yield "[RE-MIN:#]", -1, -1


def join_formules(parts: Iterable[Part]) -> str:
    """Write formules and their exercices as one text of the language.

    Examples
    --------
    >>> join_formules([("C70[TA:BX]", None, 2016), ("+C701[TA:BX]", 2017, None)])
    'C70[TA:BX][RE-MIN:#][RE-MAX:2016]+C701[TA:BX][RE-MIN:2017][RE-MAX:#]'
    >>> join_formules([("C70[TA:BX]", None, None)])
    'C70[TA:BX]'
    """
    return "".join(piece for piece, _, _ in _pieces(parts))


def origins(parts: Iterable[Part]) -> list[tuple[int, int]]:
    """For each character of the joined text, the formule and the offset it comes from; (-1, -1) when it is added.

    Examples
    --------
    >>> origins([("A_B", None, None), ("C_D", None, 2012)])[-25:-20]
    [(1, 1), (1, 2), (-1, -1), (-1, -1), (-1, -1)]
    """
    return [
        (number, start + shift if number >= 0 else -1)
        for piece, number, start in _pieces(parts)
        for shift in range(len(piece))
    ]


def split_texte(texte: str) -> list[Part]:
    """Cut a text of the language into formules and their exercices; see the module.

    Years that are none (``[RE-MIN:20XX]``) count as no bound: refusing them is the parser's affair.

    Examples
    --------
    >>> split_texte("C70[TA:BX][RE - MIN:#][RE - MAX : 2016] + C701[TA:BX][RE-MIN:2017]")
    [('C70[TA:BX]', None, 2016), ('+ C701[TA:BX]', 2017, None)]
    >>> split_texte("C70[TA:BX][TB:BP] - C71[TA:BX][TB:BA]")
    [('C70[TA:BX][TB:BP] - C71[TA:BX][TB:BA]', None, None)]
    """
    found: list[tuple[list[str], int | None, int | None]] = []
    closed = False
    for start, end, separators in _slices(texte):
        piece = texte[start:end]
        years: dict[str, int | None] = {}
        for bracket in reversed(separators):
            if bracket.key in _YEARS:
                piece = piece[: bracket.start - start] + piece[bracket.end - start :]
                # The first written of two same brackets wins, as in the old system.
                years[bracket.key] = _year(bracket.value)
        first, last = years.get("RE-MIN"), years.get("RE-MAX")
        leading = piece[: len(piece) - len(piece.lstrip())]
        # Without a separator of its own, a text cannot have another segment straight after it.
        if closed and found[-1][1:] == (first, last) and "\n" not in leading:
            found[-1][0].append(piece)
        else:
            found.append(([piece], first, last))
        closed = any(bracket.key not in _YEARS for bracket in separators)
    return [(" ".join("".join(pieces).split()), first, last) for pieces, first, last in found]

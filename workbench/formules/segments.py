"""A formule cut into texts that stand alone, each with the exercices it is valid for."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from workbench.formules.lexemes import Lexeme
from workbench.formules.printer import print_segment
from workbench.formules.reading import read_formule, syntax_error
from workbench.formules.tree import Segment, SyntaxTree

__all__ = ["split_segments"]

_YEARS = {"RE-MIN", "RE-MAX"}


def split_segments(text: str) -> list[tuple[str, int | None, int | None]]:
    """Cut a formule into segments, with the years beside the text instead of inside.

    Parameters
    ----------
    text
        The formule.

    Returns
    -------
    list of (str, int or None, int or None)
        For each segment, in order: its text without RE-MIN and RE-MAX, its first and its last exercice, None for no
        bound. The text is that of the author wherever it means the same alone; where it does not, because its type
        d'appel comes from another segment, the canonical text.

    Raises
    ------
    FormuleSyntaxError
        When the formule cannot be evaluated.

    Examples
    --------
    >>> split_segments("C73 - D73[TA: BX][RE-MAX:2011] + C74[TA:BX][TB:BP][RE-MIN:2012]")
    [('C73 - D73[TA: BX]', None, 2011), ('+ C74[TA:BX][TB:BP]', 2012, None)]
    >>> split_segments("C73[RE-MAX:2013]C74[TA:BX][RE-MIN:2014]")
    [('C73[TA:BX]', None, 2013), ('C74[TA:BX]', 2014, None)]
    """
    reading = read_formule(text)
    if reading.tree is None:
        raise syntax_error(text, reading.diagnostics)
    years = deque(
        lexeme
        for lexeme in reading.lexemes
        if lexeme.kind == "CONDITION" and lexeme.bracket is not None and lexeme.bracket.key in _YEARS
    )
    parts: list[tuple[str, int | None, int | None]] = []
    for segment in reading.tree.segments:
        removed: list[Lexeme] = []
        while years and years[0].start < segment.span.end:
            removed.append(years.popleft())
        parts.append((_stand_alone(text, segment, removed), segment.exercice_min, segment.exercice_max))
    return parts


def _stand_alone(text: str, segment: Segment, removed: list[Lexeme]) -> str:
    pieces: list[str] = []
    start = segment.span.start
    for lexeme in removed:
        pieces.append(text[start : lexeme.start].rstrip())
        start = lexeme.end
    alone = "".join([*pieces, text[start : segment.span.end]]).strip()
    expected = SyntaxTree((replace(segment, exercice_min=None, exercice_max=None),))
    return alone if read_formule(alone).tree == expected else print_segment(segment, with_exercices=False)

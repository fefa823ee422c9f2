"""Formules in colours, and the table of a trame, as a notebook shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.display import Markup, cut, html_table, safe
from workbench.formules import Diagnostic
from workbench.formules.parser import split_words
from workbench.formules.words import MAX_LEXEMES
from workbench.numbers import unite_of

if TYPE_CHECKING:
    from workbench.trames.model import Indicateur

__all__ = ["coloured", "indicateurs_table"]

_SHOWN = 60

_CLASSES = {
    "VARIABLE": "wb-variable",
    "REFERENCE": "wb-reference",
    "NUMBER": "wb-constante",
    "POPULATION": "wb-constante",
    "BRACKET": "wb-crochet",
}
_MARKS = {"error": "wb-faute", "warning": "wb-doute"}


def coloured(texte: str, diagnostics: Sequence[Diagnostic] = ()) -> Markup:
    """Write a formule as HTML, dressed by the classes of `workbench.display`.

    Parameters
    ----------
    texte
        The formule, right or wrong.
    diagnostics
        What is to be underlined; their messages are shown under the pointer.

    Examples
    --------
    >>> coloured("C70-A_B")
    '<code><span class="wb-variable">C70</span>-<span class="wb-reference">A_B</span></code>'
    """
    kinds = [""] * len(texte)
    for word in split_words(texte, MAX_LEXEMES):
        kinds[word.start : word.end] = [_CLASSES.get(word.kind, "")] * (word.end - word.start)
    marks = [("", "")] * len(texte)
    for each in sorted(diagnostics, key=lambda one: one.severity, reverse=True):
        for place in range(each.span.start, min(max(each.span.end, each.span.start + 1), len(texte))):
            marks[place] = (_MARKS[each.severity], each.message)
    pieces, start = [], 0
    for end in range(1, len(texte) + 1):
        if end < len(texte) and (kinds[end], marks[end]) == (kinds[start], marks[start]):
            continue
        names = " ".join(filter(None, (kinds[start], marks[start][0])))
        title = f' title="{safe(marks[start][1])}"' if marks[start][1] else ""
        text = safe(texte[start:end])
        pieces.append(f'<span class="{names}"{title}>{text}</span>' if names else text)
        start = end
    return Markup(f"<code>{''.join(pieces)}</code>")


def indicateurs_table(indicateurs: Sequence[Indicateur], *, caption: str = "") -> str:
    """Write one row a formule; the code and the libellé on the first row of each indicateur."""
    rows: list[tuple[object, ...]] = []
    for indicateur in indicateurs[:_SHOWN]:
        unite = safe(unite_of(indicateur.unite).heading)
        name = Markup(f'{safe(indicateur.libelle)} <span class="wb-detail">{unite}</span>')
        parts = [(coloured(part.texte), part.validite) for part in indicateur.formules] or [(coloured("0"), "")]
        rows.append((indicateur.code, name, *parts[0]))
        rows += [("", "", *part) for part in parts[1:]]
    more = cut(min(len(indicateurs), _SHOWN), len(indicateurs), ".to_frame()")
    heads: tuple[str, ...] = ("Code", "Libellé", "Formule", "Exercices")
    if not any(row[3] for row in rows):
        heads, rows = heads[:3], [row[:3] for row in rows]
    table = html_table(heads, rows, caption=caption, shown=len(rows))
    return table + (f'<p class="wb-detail">{more}</p>' if more else "")

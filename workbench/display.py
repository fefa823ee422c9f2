"""What values of the workbench look like in a notebook: one way to write tables, facts and remarks as HTML.

Every rich representation is made here, so that figures read the same everywhere and one place escapes what comes from
data. Colours are shades of the text around, so that a light theme and a dark one both read;
nothing is set for a white page only. An object that has a rich form keeps its plain one in
``str`` and ``repr``.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.numbers import MINUS, format_number, typeset

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MISSING",
    "STYLE",
    "Figure",
    "Markup",
    "coded",
    "cut",
    "facts",
    "frame_table",
    "html_table",
    "remark",
    "safe",
    "view",
]

MISSING = "—"
"""What stands for a value that is not there."""

SHOWN = 50
"""Rows that a table shows unless told."""

_LONGEST = 2000
"""Characters of a text that a cell shows."""

# What would hide or turn around the text that follows it.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_CODES = frozenset({"exercice", "annee", "debut", "fin", "niveau"})
"""Columns of frames whose integers are no quantities: 2024 is a year."""

# Mixed with the colour of the text around, a hue is dark on white and light on black, whatever the theme.
_OVER = "color-mix(in srgb,currentColor 42%,{})"

STYLE = (
    "<style>"
    ".wb-vue{overflow-x:auto;color:inherit}"
    ".wb-vue table{border-collapse:collapse;margin:.25em 0 .6em}"
    ".wb-vue caption{text-align:left;font-weight:600;padding:.3em 0;color:inherit}"
    ".wb-vue .wb-tableau th,.wb-vue .wb-tableau td{text-align:left!important;vertical-align:baseline;"
    "padding:.25em .7em;overflow-wrap:break-word;white-space:normal;max-width:44em}"
    ".wb-vue .wb-tableau th.wb-nombre,.wb-vue .wb-tableau td.wb-nombre"
    "{text-align:right!important;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".wb-vue .wb-tableau thead th{border-bottom:1px solid currentColor}"
    ".wb-vue .wb-tableau thead th.wb-nombre{white-space:normal}"
    ".wb-vue tbody th{font-weight:400}"
    ".wb-vue code{white-space:pre-wrap;overflow-wrap:anywhere;background:none!important;padding:0!important;"
    "color:inherit}"
    ".wb-vue pre,.wb-vue pre code{white-space:pre;background:none;color:inherit;overflow-x:auto;margin:.2em 0}"
    ".wb-vue td>code{display:block;min-width:min(16em,60vw)}"
    ".wb-vue .wb-detail,.wb-vue .wb-absent{color:color-mix(in srgb,currentColor 72%,transparent);font-weight:400}"
    ".wb-vue th>.wb-detail,.wb-vue td>.wb-detail{display:block;font-size:.9em;overflow-wrap:anywhere}"
    f".wb-vue .wb-oui{{color:{_OVER.format('#18a63a')}}}"
    f".wb-vue .wb-non,.wb-vue .wb-erreur{{color:{_OVER.format('#ff2a1f')}}}"
    f".wb-vue .wb-attention,.wb-vue .wb-crochet{{color:{_OVER.format('#d97700')}}}"
    f".wb-vue .wb-variable{{color:{_OVER.format('#0a58ff')}}}"
    f".wb-vue .wb-reference{{color:{_OVER.format('#9a2bf2')}}}"
    f".wb-vue .wb-constante{{color:{_OVER.format('#0a9a3a')}}}"
    ".wb-vue .wb-faute{text-decoration:wavy underline #d11;text-underline-offset:.2em}"
    ".wb-vue .wb-doute{text-decoration:wavy underline #c78500;text-underline-offset:.2em}"
    ".wb-vue .wb-remarque{border-left:3px solid #d97700;padding:.1em .7em;margin:.3em 0}"
    ".wb-vue ins,.wb-vue del{text-decoration:none;border-left:3px solid #18a63a;padding-left:.4em}"
    ".wb-vue del{border-color:#d11;text-decoration:line-through;opacity:.8}"
    ".wb-vue summary{cursor:pointer}"
    ".wb-vue details>details,.wb-vue details>.wb-feuille{margin-left:1.3em}"
    ".wb-vue .wb-montant{font-variant-numeric:tabular-nums;white-space:nowrap}"
    "</style>"
)
"""The look of views; classes are those that ``reports/report.css`` dresses in exported pages."""


class Markup(str):
    """HTML that is safe already: what this module made, or escaped by its author."""

    __slots__ = ()


class Figure(str):
    """A figure already written: set to the right of its column."""

    __slots__ = ()


def safe(text: object) -> str:
    r"""Escape a text for HTML; what would hide or reverse it is shown as a mark, a very long one is cut.

    Examples
    --------
    >>> safe("<b>L'été</b>"), safe("a\u202eb")
    ('&lt;b&gt;L&#x27;été&lt;/b&gt;', 'a�b')
    """
    if isinstance(text, Markup):
        return text
    words = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(text))
    return escape(words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…")


def coded(text: str) -> Markup:
    """Write a formule, or anything that reads as code."""
    return Markup(f"<code>{safe(text)}</code>")


def view(*parts: str) -> str:
    """Put parts together as one output; empty ones are left out."""
    return f'{STYLE}<div class="wb-vue">{"".join(parts)}</div>'


def remark(text: str) -> str:
    """Write a sentence to be read before the figures."""
    return f'<p class="wb-remarque">{safe(typeset(text))}</p>'


def cut(shown: int, total: int, rest: str = "") -> str:
    r"""Say that rows are left out, and how to see them; nothing when none is.

    Examples
    --------
    >>> cut(50, 1234, ".to_frame()").replace("\u202f", " ").replace("\xa0", " ")
    '50 lignes affichées sur 1 234 ; .to_frame() les donne toutes.'
    >>> cut(3, 3)
    ''
    """
    if shown >= total:
        return ""
    all_of_them = f"\u00a0; {rest} les donne toutes" if rest else ""
    return f"{format_number(shown)} lignes affichées sur {format_number(total)}{all_of_them}."


def html_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    heads: int = 1,
    shown: int = SHOWN,
    total: int | None = None,
    rest: str = "",
) -> str:
    r"""Write a table.

    Parameters
    ----------
    headings
        One a column; none for a table without head.
    rows
        Cells: texts are escaped, numbers written in French and set to the right, None and NaN shown as missing,
        `Figure` and `Markup` taken as they are.
    caption
        Title of the table.
    heads
        How many columns name the row.
    shown
        Rows at most; the others are counted in a notice under the table.
    total
        Number of rows, when ``rows`` holds only the first ones.
    rest
        What gives them all: ``".to_frame()"``.

    Examples
    --------
    >>> html_table(["Compte", "Montant"], [("7311", -1234.5)])[-57:].replace("\u202f", " ")
    '<td class="wb-nombre">−1 234,50</td></tr></tbody></table>'
    """
    kept = list(rows)
    body = [[_cell(value) for value in row] for row in kept[:shown]]
    right = [any(row[place][0] for row in body if place < len(row)) for place in range(len(headings))]
    head = "".join(
        f'<th scope="col"{_CLASS if right[place] else ""}>{safe(name)}</th>' for place, name in enumerate(headings)
    )
    lines = []
    for row in body:
        cells = []
        for place, (number, text) in enumerate(row):
            kind = _CLASS if number or (place < len(right) and right[place]) else ""
            tag, scope = ("th", ' scope="row"') if place < heads else ("td", "")
            cells.append(f"<{tag}{scope}{kind}>{text}</{tag}>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    more = cut(len(body), len(kept) if total is None else total, rest)
    return "".join(
        [
            '<table class="wb-tableau">',
            f"<caption>{safe(caption)}</caption>" if caption else "",
            f"<thead><tr>{head}</tr></thead>" if headings else "",
            f"<tbody>{''.join(lines)}</tbody></table>",
            f'<p class="wb-detail">{more}</p>' if more else "",
        ]
    )


_CLASS = ' class="wb-nombre"'


def frame_table(
    frame: pd.DataFrame,
    *,
    caption: str = "",
    headings: Sequence[str] = (),
    shown: int = SHOWN,
    total: int | None = None,
    rest: str = "",
) -> str:
    """Write the columns of a frame, without its index.

    Parameters
    ----------
    frame
        Its first rows are formatted; the others only counted.
    caption, shown, total, rest
        As for `html_table`.
    headings
        Titles of the columns; their names by default.
    """
    columns = [list(_column(str(name), frame.iloc[:shown, place])) for place, name in enumerate(frame.columns)]
    return html_table(
        headings or [str(name) for name in frame.columns],
        list(zip(*columns, strict=True)),
        caption=caption,
        heads=0,
        shown=shown,
        total=len(frame) if total is None else total,
        rest=rest,
    )


def facts(pairs: Iterable[tuple[str, object]], caption: str = "") -> str:
    """Write names and what they are, a line each."""
    return html_table((), pairs, caption=caption, shown=1000)


def _column(name: str, values: pd.Series[Any]) -> Iterator[object]:
    given = values.tolist()
    if name in _CODES:
        yield from (None if _absent(value) else Figure(_plain(value)) for value in given)
        return
    reals = [value for value in given if isinstance(value, float) and math.isfinite(value)]
    whole = all(value == int(value) for value in reals)
    for value in given:
        yield Figure(format_number(value)) if whole and isinstance(value, float) and not _absent(value) else value


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _absent(value: object) -> bool:
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in {"NaTType", "NAType"}
    )


def _cell(value: object) -> tuple[bool, str]:
    """Write a cell, and say whether it is a number."""
    if _absent(value):
        return False, f'<span class="wb-absent">{MISSING}</span>'
    if isinstance(value, Figure):
        return True, safe(value)
    if isinstance(value, str):
        return False, safe(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return False, "oui" if value else "non"
    if isinstance(value, numbers.Integral):
        return True, format_number(int(value)) if abs(int(value)) < 10**15 else safe(str(value).replace("-", MINUS))
    if isinstance(value, numbers.Real):
        return True, format_number(float(value), 2)
    if isinstance(value, list | tuple):
        return False, safe(", ".join(map(str, value)))
    return False, safe(value)

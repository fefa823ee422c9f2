"""What a sheet is made of: blocks of items, ready to read, which a page, a Word file and a PDF show alike.

An item is data for JSON. Nothing is shown anywhere that is not in an item, so a file holds what its reader saw and no
more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plotly.graph_objs._figure import Figure

from workbench.dashboards.dates import month
from workbench.dashboards.presentation import shown_chart
from workbench.numbers import NO_BREAK, format_number, typeset

__all__ = [
    "Block",
    "Item",
    "block",
    "cell",
    "chart",
    "closed",
    "empty",
    "euros",
    "facts",
    "in_days",
    "table",
    "text",
    "thousands",
]

Item = dict[str, Any]
Block = dict[str, Any]

MOST_COLUMNS = 9
"""Columns of the figures of a chart; with more, its places are rows."""


def block(name: str, title: str, items: Iterable[Item | None], about: str = "", *, wide: bool = False) -> Block:
    """Return a block: a title, what it shows, what its help says.

    Parameters
    ----------
    name
        An ASCII name, unique in the sheet.
    title, about
        French.
    items
        Those that are None are left out.
    wide
        Whether it takes the whole width of the page.
    """
    kept = [each for each in items if each is not None]
    return {"name": name, "title": typeset(title), "about": typeset(about), "items": kept, "wide": wide}


def facts(pairs: Iterable[tuple[str, str | None]]) -> Item | None:
    """Return names and what they are; those that are not known are left out."""
    known = [[name, value] for name, value in pairs if value]
    return {"kind": "facts", "pairs": known} if known else None


def text(sentence: str, tone: str = "plain") -> Item:
    """Return a sentence; its tone is ``plain``, ``alert``, ``note``, ``closed`` or ``empty``."""
    return {"kind": "text", "text": typeset(sentence), "tone": tone}


def closed(sentence: str) -> Item:
    """Say that the reader has no right to something."""
    return text(sentence, "closed")


def empty(sentence: str) -> Item:
    """Say that there is nothing: the reader has the right to know it."""
    return text(sentence, "empty")


def cell(words: str, tone: str = "", address: str = "") -> dict[str, str]:
    """Return a cell with a tone (``negative``, ``absent``, a level) or a link."""
    return {"text": words, "tone": tone, "address": address}


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str | Mapping[str, str]]], *, figures: bool = True
) -> Item | None:
    """Return a table whose first column names the row; None without a row.

    Parameters
    ----------
    caption
        French.
    heads
        Names of the columns.
    rows
        Texts, or cells of `cell`.
    figures
        Whether the other columns are numbers, set to the right.
    """
    body = [[one if isinstance(one, str) else dict(one) for one in row] for row in rows]
    return (
        {"kind": "table", "caption": caption, "heads": list(heads), "rows": body, "figures": figures} if body else None
    )


def chart(figure: Figure, description: str) -> Item:
    """Return a chart, its description for who does not see it, its figures as a table."""
    figure.update_layout(meta={"description": typeset(description)})
    shown = shown_chart(figure)
    rows = shown["rows"]
    if rows is not None and len(rows["head"]) > MOST_COLUMNS:
        # Many months read better one under the other.
        lines = [rows["head"], *rows["body"]]
        heads, *body = ([line[place] for line in lines] for place in range(len(rows["head"])))
        rows = {"head": ["Mois", *heads[1:]], "body": [[month(line[0]) or line[0], *line[1:]] for line in body]}
    return {"kind": "chart", **shown, "rows": rows}


def in_days(value: float) -> str:
    r"""Write a number of days; French plurals start at two.

    Examples
    --------
    >>> in_days(1.0).replace("\u00a0", " "), in_days(0).replace("\u00a0", " "), in_days(2).replace("\u00a0", " ")
    ('1 jour', '0 jour', '2 jours')
    """
    return f"{format_number(value)}{NO_BREAK}{'jour' if abs(round(value)) < 2 else 'jours'}"


def euros(value: float | None) -> str:
    r"""Write an amount in euros; empty when it is not known.

    Examples
    --------
    >>> euros(1234.4).replace("\u202f", " ").replace("\u00a0", " "), euros(None)
    ('1 234 €', '')
    """
    return "" if value is None else f"{format_number(value)}{NO_BREAK}€"


def thousands(value: float | None) -> str:
    """Write an amount that is in thousands of euros; empty when it is not known."""
    return "" if value is None else f"{format_number(value)}{NO_BREAK}k€"

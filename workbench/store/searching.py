"""Searching: which objects a person finds by their words. Everything is decided in the database.

The text of an object is that of the last sheet, among those she may see, which has one. First come the texts that begin
by what was asked, in their order; then those that hold every word, in the order of the sheets that hold them. Nothing
is looked at beyond `MOST_FOUND`: a search that finds more is to be made more precise, and costs the same as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, cast, literal_column, not_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from workbench.errors import WorkbenchError
from workbench.store.keys import checked_text
from workbench.store.question import Filter, Question, question
from workbench.store.reading import Eyes, asked_objects, has_visible_property
from workbench.store.rule_sql import found
from workbench.store.tables import TEXT, WORDS
from workbench.store.words import LEAST, PREFIX, words_of

__all__ = ["MOST_FOUND", "Search", "found_by_words", "search"]

MOST_FOUND = 1000
"""Objects that a search finds, at most."""

MOST_WORDS = 12

_TEXT = TEXT.alias("said")
_LATER = TEXT.alias("later_text")
_LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True)
class Search:
    """What is searched.

    Parameters
    ----------
    words
        What `words_of` made of the text asked.
    key
        Pairs that the objects must have.
    filters
        All must pass.
    limit, offset
        The page.
    """

    words: str
    key: Mapping[str, str] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    limit: int = 20
    offset: int = 0


def search(asked: Any) -> Search:
    """Read a search as the HTTP interface receives it.

    Parameters
    ----------
    asked
        ``{text, key, filter, limit, offset}``; ``text`` is required.

    Raises
    ------
    WorkbenchError
        ``recherche_courte``, ``question_invalide``, ``cle_invalide``, ``seau_invalide``.

    Examples
    --------
    >>> search({"text": "Boulangerie Dupont", "limit": 5}).words
    'boulangerie dupont'
    """
    if not isinstance(asked, Mapping) or not isinstance(asked.get("text"), str):
        raise WorkbenchError("question_invalide", cause="text, un texte, est attendu")
    unknown = sorted(str(name) for name in set(asked) - {"text", "key", "filter", "limit", "offset"})
    if unknown:
        shown = unknown[0][:60].encode(errors="replace").decode()
        raise WorkbenchError("question_invalide", cause=f"champ inconnu « {shown} »")
    words = words_of(checked_text(asked["text"], "text"))
    if len(words.replace(" ", "")) < LEAST:
        raise WorkbenchError("recherche_courte", nombre=LEAST)
    rest = question({name: value for name, value in asked.items() if name != "text"})
    limit = min(rest.limit or 20, MOST_FOUND)
    return Search(" ".join(words.split()[:MOST_WORDS]), rest.key, rest.filters, limit, rest.offset)


def found_by_words(connection: Connection, eyes: Eyes, asked: Search, end: int) -> list[int]:
    """Return the first objects that a search finds, in order, `MOST_FOUND` and one at most."""
    end = min(end, MOST_FOUND + 1)
    said = _TEXT
    begins = (said.c.words >= asked.words, said.c.words < asked.words + _LAST_LETTER)
    first = _visible(eyes, asked).where(*begins).order_by(said.c.words, said.c.sheet_id).limit(end)
    listed = list(dict.fromkeys(connection.execute(first).scalars()))
    if len(listed) < end:
        others = _holding(connection, eyes, asked).where(not_(begins[0] & begins[1]))
        listed += connection.execute(others.limit(end - len(listed))).scalars()
    return listed


def _holding(connection: Connection, eyes: Eyes, asked: Search) -> Select[Any]:
    """Find the texts that hold every word."""
    said, index = _TEXT, WORDS
    if connection.dialect.name == "postgresql":
        parts = [f"'{word}':*" if len(word) >= PREFIX else f"'{word}'" for word in asked.words.split()]
        holds = index.c.words.op("@@")(cast(" & ".join(parts), TSQUERY))
        same = index.c.sheet_id == said.c.sheet_id
    else:
        parts = [f'"{word}"*' if len(word) >= PREFIX else f'"{word}"' for word in asked.words.split()]
        # The table is what FTS5 asks: a column would take positions, which are not kept.
        holds = literal_column(index.name).op("MATCH")(" AND ".join(parts))
        same = index.c.rowid == said.c.sheet_id
    number = index.c.sheet_id if connection.dialect.name == "postgresql" else index.c.rowid
    return _visible(eyes, asked).join(index, same).where(holds).order_by(number)


def _visible(eyes: Eyes, asked: Search) -> Select[Any]:
    """Select the objects whose text, as this person sees it, is this one."""
    said, later = _TEXT, _LATER
    superseded = (
        select(1)
        .select_from(later)
        .correlate_except(later)
        .where(later.c.object_id == said.c.object_id, later.c.sheet_id > said.c.sheet_id, eyes.sees(later))
    )
    conditions = asked_objects(eyes, Question(asked.key, filters=asked.filters), None, said.c.object_id)
    return (
        select(said.c.object_id)
        .select_from(said)
        .where(said.c.bucket == eyes.bucket, eyes.sees(said), not_(found(superseded)))
        .where(*conditions, has_visible_property(eyes, said.c.object_id))
    )

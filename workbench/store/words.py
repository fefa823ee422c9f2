"""Words, as searches compare them: without accents, case or signs, the same on both databases and in every locale."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LEAST", "PREFIX", "words_of"]

LEAST = 3
"""Letters and digits that a search must have."""

PREFIX = 3
"""Letters from which a word asked is the beginning of a word found; a shorter one is that word."""

LONGEST = 1000
"""Characters that are kept of a text."""

LONGEST_WORD = 100

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d"})
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> str:
    """Return the words of a text, a space between them.

    Examples
    --------
    >>> words_of("L'Œuvre d'Été & Fils — S.A.S., 75 011")
    'l oeuvre d ete fils s a s 75 011'
    """
    # Decomposed after the case too: a capital may become a letter and a mark.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text[:LONGEST]).casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(_LIGATURES)
    return " ".join(word[:LONGEST_WORD] for word in _WORD.findall(plain))[:LONGEST]

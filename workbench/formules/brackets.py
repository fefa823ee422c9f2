"""What is written between brackets: a key, a colon, a value, with blanks anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = ["BINDINGS", "CONDITIONS", "KEYS", "Bracket", "read_bracket", "without_blanks"]

BINDINGS = ("TA", "OS")
"""Keys that give something to what stands on their left, and close it."""

CONDITIONS = ("RE-MIN", "RE-MAX", "TB", "TE", "CAL")
"""Keys that say when, or how, a segment counts."""

KEYS = BINDINGS + CONDITIONS

_BLANKS = re.compile(r"[\s\u200b\u2060\ufeff]+")
_WELL_FORMED = re.compile(r"\[([A-Z-]+):([A-Z0-9#-]+)\]")
# What the author of a malformed bracket had in mind: ``[TA BX``, ``[ta:bx]``, ``[RE-MIN=2014]``.
_LOOSE = re.compile(r"\[(RE.?MIN|RE.?MAX|TA|OS|TB|TE|CAL)[^A-Z0-9#]*([A-Z0-9#-]*)")
_EXAMPLES = {"TA": "BX", "OS": "M1", "RE-MIN": "2014", "RE-MAX": "2014", "TB": "BP", "TE": "101", "CAL": "ABS"}


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket that has been read.

    Parameters
    ----------
    key
        One of `KEYS`; the most likely one when the bracket is wrong; empty when there is none.
    value
        What follows the colon, without blanks.
    problem
        ``""`` when the bracket can be read, else ``"malformed"`` or ``"unknown"``.
    suggestion
        The bracket that should have been written; empty when it cannot be guessed.
    """

    key: str
    value: str
    problem: str = ""
    suggestion: str = ""

    @property
    def is_condition(self) -> bool:
        """Whether it belongs to the segment rather than to what stands on its left."""
        return self.key in CONDITIONS


def without_blanks(text: str) -> str:
    """Remove every blank, of any kind, zero-width ones included.

    Examples
    --------
    >>> without_blanks("[ RE - MIN : 2014 ]")
    '[RE-MIN:2014]'
    """
    return _BLANKS.sub("", text)


def read_bracket(text: str) -> Bracket:
    """Read a bracket, from ``[`` on; the closing bracket may be missing.

    Examples
    --------
    >>> read_bracket("[RE - MIN : 2014 ]")
    Bracket(key='RE-MIN', value='2014', problem='', suggestion='')
    >>> read_bracket("[REMIN:2014]")
    Bracket(key='RE-MIN', value='2014', problem='unknown', suggestion='[RE-MIN:2014]')
    >>> read_bracket("[ta:bx]")
    Bracket(key='TA', value='BX', problem='malformed', suggestion='[TA:BX]')
    """
    compact = without_blanks(text)
    match = _WELL_FORMED.fullmatch(compact)
    if match:
        key, value = match.groups()
        if key in KEYS:
            return Bracket(key, value)
        close = get_close_matches(key[:20], KEYS, n=1, cutoff=0.6)
        if close:
            return Bracket(close[0], value, "unknown", f"[{close[0]}:{value}]")
        return Bracket("", value, "unknown")
    loose = _LOOSE.match(compact.upper())
    if not loose:
        return Bracket("", "", "malformed")
    key = loose[1] if loose[1] in KEYS else f"RE-{loose[1][-3:]}"
    value = loose[2]
    return Bracket(key, value, "malformed", f"[{key}:{value or _EXAMPLES[key]}]")

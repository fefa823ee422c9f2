"""Names of indicateurs: which ones a formule can write."""

from __future__ import annotations

import re
import unicodedata

from workbench.formules.diagnostics import Diagnostic, diagnose
from workbench.formules.tree import Span

__all__ = ["LONGEST_NAME", "check_name", "is_name", "plain_capitals", "writable_name"]

LONGEST_NAME = 100
"""Most characters of a name, as in the old system."""

_NAME = re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)+")
# What the old system recognised first at the start of a name, so that it could not read the rest.
_FIRST = ((re.compile(r"(SC|SD|C|D)[0-9]+"), "la variable"), (re.compile(r"[0-9]+"), "le nombre"))


def is_name(text: str) -> bool:
    """Whether a formule can refer to an indicateur of this name.

    Examples
    --------
    >>> is_name("M14_EPARGNE"), is_name("EPARGNE"), is_name("M14_\u00c9PARGNE")
    (True, False, False)
    """
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def plain_capitals(text: str) -> str:
    """Write in capitals, without accents nor anything that has no ASCII form."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").upper()


def writable_name(text: str) -> str:
    """Give the nearest name that formules can refer to.

    Examples
    --------
    >>> writable_name("\u00c9pargne"), writable_name("taux d'effort")
    ('A_EPARGNE', 'TAUX_D_EFFORT')
    """
    words = re.findall(r"[A-Z0-9]+", plain_capitals(text[:LONGEST_NAME]))
    return "_".join(words if len(words) > 1 else ["A", *(words or ["B"])])


def check_name(name: str, span: Span) -> list[Diagnostic]:
    """Say whether formules, here and in the old system, can refer to an indicateur of this name."""
    if not is_name(name):
        return [diagnose("nom_impossible", span, nom=name, exemple=writable_name(name))]
    for pattern, what in _FIRST:
        match = pattern.match(name)
        if match:
            return [diagnose("nom_ambigu", span, nom=name, lecture=f"{what} {match[0]}", exemple=f"I_{name}")]
    return []

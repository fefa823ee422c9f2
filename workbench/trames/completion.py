"""What can be written at a place of a formule: comptes with their labels, indicateurs, types d'appel, brackets.

Pure: an editor gives the text and the place, and what is known; nothing is read from a file or a base. The text before
the place alone decides what is begun; the answer says which stretch each completion replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.formules import SIDES, SOLDES, TYPES_APPEL
from workbench.formules.tree import Span
from workbench.plans import PlanComptes, plain_words
from workbench.trames.model import Trame

__all__ = ["Completion", "complete_formule"]

Kind = Literal["compte", "indicateur", "type_appel", "crochet", "population", "cote"]

_BRACKETS = {
    "TA": "type d'appel des variables écrites depuis le précédent",
    "OS": "décale l'indicateur qui précède : M1, un exercice plus tôt",
    "RE-MIN": "premier exercice du segment",
    "RE-MAX": "dernier exercice du segment",
    "TB": "seulement les budgets principaux (BP) ou annexes (BA)",
    "TE": "seulement ce type d'établissement",
    "CAL": "valeur absolue du segment",
}
_VALUES: dict[str, Mapping[str, str]] = {
    "OS": {"M1": "un exercice plus tôt", "P1": "un exercice plus tard", "M2": "deux exercices plus tôt"},
    "TB": {"BP": "budget principal", "BA": "budget annexe"},
    "TE": {"101": "communes", "201": "départements", "301": "régions"},
    "CAL": {"ABS": "valeur absolue"},
    "RE-MIN": {"#": "pas de borne"},
    "RE-MAX": {"#": "pas de borne"},
}
_OPEN = re.compile(r"\[\s*([A-Za-z-]*)\s*(?:(:)\s*([A-Za-z0-9#]*))?$")
_VARIABLE = re.compile(r"(?<![\w$])(SC|SD|C|D)([0-9]*)$", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w$])([^\W\d][\w]*|\$\w*)$")


@dataclass(frozen=True, slots=True)
class Completion:
    """Something that can be written.

    Parameters
    ----------
    text
        What to write in the place of ``span``.
    span
        The stretch already begun; empty to insert.
    kind
        ``compte``, ``indicateur``, ``type_appel``, ``crochet``, ``population`` or ``cote``.
    libelle
        In French, what it is: the label of the compte or of the indicateur.
    """

    text: str
    span: Span
    kind: Kind
    libelle: str = ""


def complete_formule(
    text: str,
    position: int | None = None,
    *,
    trame: Trame | Mapping[str, str] | Iterable[str] | None = None,
    comptes: PlanComptes | None = None,
    limit: int = 50,
) -> list[Completion]:
    """List what can be written at a place.

    Parameters
    ----------
    text
        The formule, right or not.
    position
        Zero-based offset, in characters; None for the end.
    trame
        A trame, or labels by code, or codes: the indicateurs that can be named.
    comptes
        The chart of accounts: ``workbench.plan_comptes("M57", 2024)``.
    limit
        How many at most.

    Returns
    -------
    list of Completion
        The likeliest first. A compte is found by the beginning of its number after a side (``C739``), or by words of
        its label (``dotation``), any letter case, accents apart.

    Examples
    --------
    >>> from workbench.plans import Compte
    >>> plan = PlanComptes("M57", 2024, (Compte("73", "Impôts"), Compte("739", "Reversements", "73")))
    >>> [(each.text, each.libelle) for each in complete_formule("C70-D73", comptes=plan)]
    [('D73', 'Impôts'), ('D739', 'Reversements')]
    >>> [each.text for each in complete_formule("C70[TA:B")]
    ['[TA:BX]', '[TA:BR]', '[TA:BO]', '[TA:BE]']
    >>> [each.text for each in complete_formule("rever", comptes=plan)]
    ['C739', 'D739']
    """
    at = len(text) if position is None else max(0, min(position, len(text)))
    before = text[:at]
    labels = _labels(trame)
    if opened := _OPEN.search(before):
        return _brackets(text, at, opened)[:limit]
    found: list[Completion] = []
    variable = _VARIABLE.search(before)
    word = _WORD.search(before)
    if word is not None:
        end = at + _tail(text, at, r"\w*")
        found += _indicateurs(word[1], Span(word.start(1), end), labels)
    if variable is not None:
        side = variable[1].upper()
        end = at + _tail(text, at, r"[0-9]*")
        found += _numbers(side, variable[2], Span(variable.start(1), end), comptes)
    if word is not None:
        span = Span(word.start(1), at)
        if "$POP".startswith(word[1].upper()):
            found.append(Completion("$POP", span, "population", "la population, en habitants"))
        found += _by_words(word[1], span, comptes)
    if variable is None and word is None:
        found += _next(before, Span(at, at), labels)
    return list(dict.fromkeys(found))[:limit]


def _labels(trame: Trame | Mapping[str, str] | Iterable[str] | None) -> Mapping[str, str]:
    if isinstance(trame, Trame):
        return {one.code: one.libelle for one in trame.indicateurs}
    if isinstance(trame, Mapping):
        return trame
    return dict.fromkeys(trame or (), "")


def _tail(text: str, at: int, pattern: str) -> int:
    """Count the characters of the word that the place stands in, after it."""
    match = re.match(pattern, text[at:])
    return match.end() if match else 0


def _numbers(side: str, digits: str, span: Span, comptes: PlanComptes | None) -> list[Completion]:
    """Offer the comptes that begin so: the number itself, those just below, then further."""
    if comptes is None:
        return []
    under = [each for each in comptes.under(digits) if not each.supprime]
    if not digits:
        under = [each for each in under if len(each.numero) <= 2]
    under.sort(key=lambda each: (len(each.numero), each.numero))
    return [Completion(side + each.numero, span, "compte", each.libelle) for each in under]


def _by_words(word: str, span: Span, comptes: PlanComptes | None) -> list[Completion]:
    """Offer the comptes whose label has the word, credit side first, debit side for classes of charges."""
    if comptes is None or len(word) < 3 or not word.isalpha():
        return []
    found = [each for each in comptes.search(word, 200) if not each.supprime]
    found.sort(key=lambda each: (len(each.numero), each.numero))
    sides = {numero: ("D", "C") if numero in "26" else ("C", "D") for numero in "0123456789"}
    return [
        Completion(side + each.numero, span, "compte", each.libelle)
        for each in found[:20]
        for side in sides[each.numero[0]]
    ]


def _indicateurs(begun: str, span: Span, labels: Mapping[str, str]) -> list[Completion]:
    """Offer the indicateurs whose code begins so, then those that hold it, then those whose label has the word."""
    asked = begun.upper()
    words = plain_words(begun)
    starts = [code for code in labels if code.startswith(asked)]
    holds = [code for code in labels if asked in code and code not in starts] if len(asked) > 1 else []
    said = [
        code
        for code, label in labels.items()
        if len(begun) > 2 and words and all(" " + word in " " + " ".join(plain_words(label)) for word in words)
    ]
    return [Completion(code, span, "indicateur", labels[code]) for code in dict.fromkeys([*starts, *holds, *said])]


def _next(before: str, span: Span, labels: Mapping[str, str]) -> list[Completion]:
    """Offer what may follow: a value after an operator, a bracket after a value."""
    last = before.rstrip()[-1:]
    if last in {"", "+", "-", "*", "/", "^", "("}:
        sides = [
            Completion(side, span, "cote", f"{label} des comptes qui commencent par…") for side, label in SIDES.items()
        ]
        population = Completion("$POP", span, "population", "la population, en habitants")
        return [*sides, population, *(Completion(code, span, "indicateur", label) for code, label in labels.items())]
    return [Completion(f"[{key}:", span, "crochet", label) for key, label in _BRACKETS.items()]


def _brackets(text: str, at: int, opened: re.Match[str]) -> list[Completion]:
    key, colon, value = opened[1].upper(), opened[2], (opened[3] or "").upper()
    span = Span(opened.start(), at + _tail(text, at, r"[A-Za-z0-9#]*\s*\]?" if colon else r"[A-Za-z-]*"))
    if not colon:
        return [
            Completion(f"[{each}:", span, "crochet", label) for each, label in _BRACKETS.items() if each.startswith(key)
        ]
    if key == "TA":
        sides = _pending_sides(text[: opened.start()])
        order = sorted(TYPES_APPEL, key=["BX", "BR", "SX", "BO", "BE", "SS", "NB"].index)
        return [
            Completion(f"[TA:{each}]", span, "type_appel", TYPES_APPEL[each])
            for each in order
            if each.startswith(value) and all((each, side) in SOLDES for side in sides)
        ]
    return [
        Completion(f"[{key}:{each}]", span, "crochet", label)
        for each, label in _VALUES.get(key, {}).items()
        if each.startswith(value)
    ]


def _pending_sides(before: str) -> set[str]:
    """Find the sides of the variables that a type d'appel written here would bind."""
    last = max((match.end() for match in re.finditer(r"\[\s*TA\s*:[^\]]*\]", before)), default=0)
    return {match[1] for match in re.finditer(r"(?<![\w$])(SC|SD|C|D)[0-9]+(?!\w)", before[last:])}

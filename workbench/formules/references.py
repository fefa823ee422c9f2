"""What a formule says of other indicateurs: whether they exist, whether they lead back to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from heapq import nlargest
from itertools import pairwise

from workbench.formules.diagnostics import Diagnostic, diagnose
from workbench.formules.lexemes import Lexeme
from workbench.formules.names import LONGEST_NAME, writable_name

__all__ = ["Names", "circles", "misnamed", "shortest_circle", "unknown"]

_CLOSELY_COMPARED = 12
"""Names compared letter by letter, which is slow; those that share the most pairs of letters are enough."""

_MOST_LOOKED_UP = 100
"""Misspelt names for which neighbours are looked for; beyond, it is not a matter of spelling."""


class Names:
    """The names of the indicateurs that exist, and the nearest ones to a misspelt name.

    Examples
    --------
    >>> Names(["M14_EPARGNE", "M14_DETTE", "A_B"]).nearest("M14_EPARNGE")
    ['M14_EPARGNE']
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._pairs: dict[str, set[str]] | None = None
        self._found: dict[str, list[str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def nearest(self, name: str) -> list[str]:
        """Give three names at most, the nearest first; none when none is near, or the name is of no usual length."""
        if len(name) > LONGEST_NAME:
            return []
        if name not in self._found:
            if len(self._found) >= _MOST_LOOKED_UP:
                return []
            if self._pairs is None:
                self._pairs = {known: _pairs_of(known) for known in self._names if len(known) <= LONGEST_NAME}
            pairs = _pairs_of(name)
            candidates = nlargest(
                _CLOSELY_COMPARED,
                ((len(pairs & theirs) / len(pairs | theirs), known) for known, theirs in self._pairs.items()),
            )
            self._found[name] = get_close_matches(name, [known for _, known in candidates], n=3, cutoff=0.7)
        return self._found[name]


def _pairs_of(name: str) -> set[str]:
    return {"", *map("".join, pairwise(name))}


def unknown(lexemes: Iterable[Lexeme], names: Names, own: str | None = None) -> list[Diagnostic]:
    """Report references to indicateurs that do not exist, with the nearest that do; `own` exists by being defined."""
    return [
        diagnose("indicateur_inconnu", lexeme.span, indicateur=lexeme.text, conseil=_advice(names.nearest(lexeme.text)))
        for lexeme in lexemes
        if lexeme.kind == "REFERENCE" and lexeme.text != own and lexeme.text not in names
    ]


def _advice(near: list[str]) -> str:
    return f"Vouliez-vous dire {' ou '.join(near)} ?" if near else ""


def misnamed(lexemes: Iterable[Lexeme], names: Names) -> list[Diagnostic]:
    """Report words that are the name of an existing indicateur, but that no formule can refer to."""
    return [
        diagnose("nom_impossible", lexeme.span, nom=lexeme.text, exemple=writable_name(lexeme.text))
        for lexeme in lexemes
        if lexeme.kind == "WORD" and lexeme.text in names
    ]


def circles(graph: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Keep of a graph of references what may lie on a circle: what is referred to, and refers, within the rest.

    Examples
    --------
    >>> kept = circles({"A_A": ["B_B"], "B_B": ["A_A", "C_C"], "C_C": []})
    >>> {name: sorted(others) for name, others in kept.items()}
    {'A_A': ['B_B'], 'B_B': ['A_A']}
    """
    after = {name: {other for other in others if other in graph} for name, others in graph.items()}
    before: dict[str, set[str]] = {name: set() for name in graph}
    for name, others in after.items():
        for other in others:
            before[other].add(name)
    for one, back in ((after, before), (before, after)):
        ends = [name for name, others in one.items() if not others]
        while ends:
            name = ends.pop()
            for other in back.pop(name, ()):
                one[other].discard(name)
                if not one[other]:
                    ends.append(other)
            one.pop(name)
    return after


def shortest_circle(graph: Mapping[str, Collection[str]], name: str, through: str) -> list[str]:
    """Find the shortest way from `name` to itself whose first step is `through`; empty when there is none.

    Examples
    --------
    >>> shortest_circle({"A_A": ["B_B"], "B_B": ["C_C"], "C_C": ["A_A"]}, "A_A", "B_B")
    ['A_A', 'B_B', 'C_C', 'A_A']
    """
    if through == name:
        return [name, name]
    came_from: dict[str, str] = {through: name}
    frontier = [through]
    while frontier:
        following: list[str] = []
        for current in frontier:
            for other in sorted(graph.get(current, ())):
                if other == name:
                    way = [name, current]
                    while way[-1] != name:
                        way.append(came_from[way[-1]])
                    return way[::-1]
                if other not in came_from:
                    came_from[other] = current
                    following.append(other)
        frontier = following
    return []

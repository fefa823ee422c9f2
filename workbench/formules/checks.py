"""Checking formules: everything that can be said of a text, or of a whole trame, in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from workbench.formules.diagnostics import Diagnostic, diagnose
from workbench.formules.lexemes import Lexeme
from workbench.formules.names import check_name
from workbench.formules.parser import split_words
from workbench.formules.reading import Reading, read_formule
from workbench.formules.references import Names, circles, misnamed, shortest_circle, unknown
from workbench.formules.tree import Span
from workbench.formules.words import MAX_LENGTH, MAX_LEXEMES

__all__ = ["check_formule", "check_formules"]

_LONGEST_WAY = 8


def check_formule(
    text: str,
    known_indicateurs: Iterable[str] | Mapping[str, str] | None = None,
    *,
    name: str | None = None,
) -> list[Diagnostic]:
    """Say everything that is wrong or doubtful in a formule; never raises.

    Parameters
    ----------
    text
        The formule.
    known_indicateurs
        Names of the indicateurs that exist. A mapping from names to formules finds circles too. None: references are
        not looked up.
    name
        Name of the indicateur that the formule defines, if it has one: it is checked, and so is that the formule
        does not depend on it.

    Returns
    -------
    list of Diagnostic
        In the order of the text; empty when there is nothing to say. The formule can be evaluated when none is an
        error.

    Examples
    --------
    >>> check_formule("C70[TA:BX]/A_B", known_indicateurs=["A_B"])
    []
    >>> for diagnostic in check_formule("C70/(A_C", known_indicateurs=["A_B_C"]):
    ...     print(diagnostic.span.start, diagnostic.code, diagnostic.hint)
    0 type_appel_absent Ajoutez [TA:…] après elle ou à la fin de l'expression. Types d'appel ...
    4 parenthese_non_fermee Ajoutez « ) ».
    5 indicateur_inconnu Vouliez-vous dire A_B_C ?
    >>> [diagnostic.message for diagnostic in check_formule("A_B+1", {"A_B": "C_D", "C_D": "A_B"}, name="C_D")]
    ["L'indicateur C_D dépend de lui-même : C_D → A_B → C_D."]
    """
    reading = read_formule(text)
    names: Names | None = None
    graph: dict[str, set[str]] = {}
    if isinstance(known_indicateurs, str):
        known_indicateurs = [known_indicateurs]
    if known_indicateurs is not None:
        names = Names(known_indicateurs if isinstance(known_indicateurs, Mapping) else frozenset(known_indicateurs))
    if name is not None:
        graph = {name: _references(reading.lexemes)}
        if isinstance(known_indicateurs, Mapping):
            graph = _reachable(name, graph, known_indicateurs)
    return _complete(reading, names, name, graph, Span(0, len(text) if reading.lexemes else 0))


def check_formules(formules: Mapping[str, str]) -> dict[str, list[Diagnostic]]:
    """Check the formules of a whole trame, which may refer to one another.

    Parameters
    ----------
    formules
        Text of the formule by name of the indicateur.

    Returns
    -------
    dict of str to list of Diagnostic
        For every name, in the same order, what `check_formule` says of its text.

    Examples
    --------
    >>> found = check_formules({"A_B": "C70[TA:BX]", "A_C": "A_B/A_D"})
    >>> {name: [diagnostic.code for diagnostic in diagnostics] for name, diagnostics in found.items()}
    {'A_B': [], 'A_C': ['indicateur_inconnu']}
    """
    readings = {name: read_formule(text) for name, text in formules.items()}
    graph = circles({name: _references(reading.lexemes) for name, reading in readings.items()})
    names = Names(formules)
    return {
        name: _complete(reading, names, name, graph, Span(0, len(formules[name]))) for name, reading in readings.items()
    }


def _complete(
    reading: Reading, names: Names | None, name: str | None, graph: Mapping[str, Collection[str]], whole: Span
) -> list[Diagnostic]:
    """Add to a reading what depends on the other indicateurs."""
    added: list[Diagnostic] = []
    unwritable: list[Diagnostic] = []
    if name is not None:
        added += check_name(name, whole)
    if names is not None:
        added += unknown(reading.lexemes, names, own=name)
        unwritable = misnamed(reading.lexemes, names)
    if name is not None:
        added += _circles(reading.lexemes, name, graph)
    told = {diagnostic.span for diagnostic in unwritable}
    kept = [
        diagnostic
        for diagnostic in reading.diagnostics
        if diagnostic.code != "mot_inconnu" or diagnostic.span not in told
    ]
    return sorted([*kept, *unwritable, *added], key=lambda diagnostic: (diagnostic.span.start, diagnostic.severity))


def _references(lexemes: Iterable[Lexeme]) -> set[str]:
    return {lexeme.text for lexeme in lexemes if lexeme.kind == "REFERENCE"}


@lru_cache(maxsize=4096)
def _references_of(text: str) -> frozenset[str]:
    """Find the references of a formule that is looked at for another's sake, often the same one many times."""
    return frozenset(_references(split_words(text, MAX_LEXEMES)))


def _reachable(name: str, graph: dict[str, set[str]], formules: Mapping[str, str]) -> dict[str, set[str]]:
    """Complete the graph with the formules that `name` depends on, however far."""
    waiting = list(graph[name])
    while waiting:
        current = waiting.pop()
        text = formules.get(current)
        if current not in graph and isinstance(text, str) and len(text) <= MAX_LENGTH:
            graph[current] = set(_references_of(text))
            waiting += graph[current]
    return graph


def _circles(lexemes: Sequence[Lexeme], name: str, graph: Mapping[str, Collection[str]]) -> list[Diagnostic]:
    """Report each reference that leads back to `name`, once."""
    diagnostics: list[Diagnostic] = []
    if name not in graph:
        return diagnostics
    ways: dict[str, list[str]] = {}
    for lexeme in lexemes:
        if lexeme.kind != "REFERENCE" or (lexeme.text != name and lexeme.text not in graph):
            continue
        if lexeme.text not in ways:
            ways[lexeme.text] = way = shortest_circle(graph, name, lexeme.text)
            if way:
                shown = way if len(way) <= _LONGEST_WAY else [*way[: _LONGEST_WAY - 2], "…", *way[-2:]]
                diagnostics.append(diagnose("cycle", lexeme.span, indicateur=name, chemin=" → ".join(shown)))
    return diagnostics

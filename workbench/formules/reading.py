"""Reading a formule: words, what their brackets apply to, syntax; all that is wrong with it, and its tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from workbench.formules.bindings import bind
from workbench.formules.diagnostics import Diagnostic, FormuleSyntaxError, diagnose, format_diagnostic, has_errors
from workbench.formules.lexemes import Lexeme
from workbench.formules.parser import parse_lexemes, split_words
from workbench.formules.printer import print_formule
from workbench.formules.tree import Span, SyntaxTree
from workbench.formules.words import MAX_DEPTH, MAX_LENGTH, MAX_LEXEMES, read_words, too_deep

__all__ = ["Reading", "parse_formule", "read_formule"]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a text.

    Parameters
    ----------
    tree
        None when there is an error.
    diagnostics
        Everything that can be told from the text alone, in its order.
    lexemes
        The words; none when the text is too long to be looked at.
    """

    tree: SyntaxTree | None
    diagnostics: tuple[Diagnostic, ...]
    lexemes: tuple[Lexeme, ...] = ()


def read_formule(text: object) -> Reading:
    """Read a text of any kind, or what is no text; never raises."""
    if not isinstance(text, str):
        return Reading(None, (diagnose("texte_attendu", Span(0, 0), recu=type(text).__name__),))
    if len(text) > MAX_LENGTH:
        refusal = diagnose("texte_trop_long", Span(0, 0), longueur=len(text), limite=MAX_LENGTH)
        return Reading(None, (refusal,))
    lexemes = split_words(text, MAX_LEXEMES + 1)
    if len(lexemes) > MAX_LEXEMES:
        return Reading(None, (diagnose("formule_trop_longue", lexemes[-1].span, limite=MAX_LEXEMES),))
    diagnostics = read_words(lexemes) + bind(lexemes)
    deep = too_deep(lexemes)
    tree = None
    if deep is None:
        tree, mistakes = parse_lexemes(lexemes, len(text))
        diagnostics += mistakes
        if not has_errors(diagnostics):
            diagnostics += _check_canonical(tree, lexemes, text)
    else:
        diagnostics.append(deep)
    diagnostics.sort(key=lambda diagnostic: (diagnostic.span.start, diagnostic.severity))
    return Reading(None if has_errors(diagnostics) else tree, tuple(diagnostics), tuple(lexemes))


def _check_canonical(tree: SyntaxTree, lexemes: list[Lexeme], text: str) -> list[Diagnostic]:
    """Refuse a text within the limits whose canonical text is beyond them, so that what is read can always be written.

    Brackets group without parentheses: ``A_A[TA:BX]+B_B[TA:BX]*2`` over and over is not nested, its canonical text is.
    """
    grouping = sum(1 for lexeme in lexemes if lexeme.kind in {"BINDING", "LPAR"})
    if grouping <= MAX_DEPTH and len(lexemes) <= MAX_LEXEMES // 2 and len(text) <= MAX_LENGTH // 2:
        return []
    canonical = print_formule(tree)
    if len(canonical) <= MAX_LENGTH:
        words = split_words(canonical, MAX_LEXEMES + 1)
        deep = too_deep(words)
        if deep is None and len(words) <= MAX_LEXEMES:
            return []
        if deep is not None:
            return [diagnose(deep.code, Span(0, len(text)), limite=MAX_DEPTH)]
    return [diagnose("formule_trop_longue", Span(0, len(text)), limite=MAX_LEXEMES)]


def parse_formule(text: str) -> SyntaxTree:
    """Read a formule.

    Parameters
    ----------
    text
        The formule, in the language of the specification.

    Returns
    -------
    SyntaxTree
        Frozen; every node has the span of text it came from.

    Raises
    ------
    FormuleSyntaxError
        When the text cannot be evaluated; it carries every diagnostic, not the first alone.

    Examples
    --------
    A bracket closes everything on its left at its level of parentheses: here, the sum is divided.

    >>> tree = parse_formule("C70+C73[TA:BX]/D60[TA:BX]")
    >>> tree.segments[0].expression.operator
    '/'
    >>> parse_formule("C70+")
    Traceback (most recent call last):
    ...
    workbench.formules.diagnostics.FormuleSyntaxError: La formule ne peut pas être évaluée :
    Erreur, ligne 1, colonne 1 : La variable C70 n'a pas de type d'appel.
    ...
    """
    return _parsed(text) if isinstance(text, str) else _tree_of(text)


def _tree_of(text: str) -> SyntaxTree:
    reading = read_formule(text)
    if reading.tree is None:
        raise syntax_error(text if isinstance(text, str) else "", reading.diagnostics)
    return reading.tree


# A trame is checked, compiled and explained: each of them reads the formules of the others.
_parsed = lru_cache(maxsize=1024)(_tree_of)


def syntax_error(text: str, diagnostics: tuple[Diagnostic, ...]) -> FormuleSyntaxError:
    """Make the exception of a text that has errors."""
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
    shown = [format_diagnostic(text, error) for error in errors[:_SHOWN]]
    if len(errors) > _SHOWN:
        shown.append(f"… et {len(errors) - _SHOWN} autres erreurs.")
    return FormuleSyntaxError("formule_incorrecte", texte=text, diagnostics=diagnostics, rendu="\n".join(shown))

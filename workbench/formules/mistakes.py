"""Names for the mistakes of syntax, and how to go on after each.

The parser says that a word cannot come next; this module says what its author forgot, from the word, the one before it
and the parentheses still open. The repair puts the parser back on its feet, so that the next mistake is found too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.formules.diagnostics import Diagnostic, diagnose, shorten
from workbench.formules.lexemes import OPERANDS, Lexeme
from workbench.formules.tree import Span

__all__ = ["Mistake", "name_mistake"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake of syntax and its repair.

    Parameters
    ----------
    diagnostics
        What to tell.
    repair
        What to give the parser before trying the word again: a value, an operator, the missing closing parentheses; or
        drop the word.
    """

    diagnostics: tuple[Diagnostic, ...]
    repair: Literal["value", "operator", "close", "drop"]


def name_mistake(previous: Lexeme | None, lexeme: Lexeme, opened: list[Lexeme]) -> Mistake:
    """Name the mistake that `lexeme` reveals.

    Parameters
    ----------
    previous
        The word before, None at the start.
    lexeme
        The word that cannot come here; of kind ``""`` at the end of the text.
    opened
        The opening parentheses that are not closed yet.
    """
    kind = lexeme.kind
    before = "" if previous is None else previous.kind
    if before in {"", "ADDOP", "MULOP", "LPAR"}:
        return _value_missing(previous, lexeme)
    if before == "CONDITION" and kind == "MULOP":
        lieu = f"avant « {lexeme.text} » : le crochet qui précède termine le segment"
        return Mistake((_value(lexeme.span, lieu),), "value")
    if kind == "" and opened:
        return Mistake(tuple(diagnose("parenthese_non_fermee", place.span) for place in opened), "close")
    if previous is not None and kind == "BINDING":
        said = diagnose("crochet_mal_place", lexeme.span, texte=lexeme.text, precedent=previous.text)
        return Mistake((said,), "drop")
    if kind == "CONDITION":
        return Mistake((diagnose("condition_entre_parentheses", lexeme.span, texte=lexeme.text),), "drop")
    if previous is not None and kind in OPERANDS | {"LPAR"}:
        both_numbers = previous.kind == kind == "NUMBER"
        said = diagnose(
            "operateur_manquant",
            Span(previous.start, lexeme.end),
            precedent=previous.text,
            texte=lexeme.text,
            conseil=f"Un nombre s'écrit sans blanc : {shorten(previous.text + lexeme.text)}."
            if both_numbers
            else "Écrivez + - * / ou ^ entre les deux.",
        )
        return Mistake((said,), "operator")
    return Mistake((diagnose("parenthese_non_ouverte", lexeme.span),), "drop")


def _value(span: Span, lieu: str, conseil: str = "") -> Diagnostic:
    return diagnose("operande_manquante", span, lieu=lieu, conseil=conseil)


def _value_missing(previous: Lexeme | None, lexeme: Lexeme) -> Mistake:
    """Name the mistake when a value was expected and something else came."""
    kind = lexeme.kind
    if previous is None or previous.kind == "LPAR":
        if kind in {"BINDING", "CONDITION"}:
            return Mistake((diagnose("crochet_sans_expression", lexeme.span, texte=lexeme.text),), "drop")
        if kind == "MULOP":
            lieu = f"avant « {lexeme.text} »"
            return Mistake((_value(lexeme.span, lieu),), "value")
        if previous is None:
            code = "parenthese_non_ouverte" if kind == "RPAR" else "formule_vide"
            return Mistake((diagnose(code, lexeme.span),), "drop" if kind == "RPAR" else "value")
        if kind == "RPAR":
            return Mistake((diagnose("parentheses_vides", Span(previous.start, lexeme.end)),), "value")
        return Mistake((), "value")  # the parenthesis that ends the text is told as not closed
    if kind == "":
        return Mistake((diagnose("operateur_final", previous.span, texte=previous.text),), "value")
    lieu = f"entre « {previous.text} » et « {shorten(lexeme.text)} »"
    conseil = ""
    if kind == "MULOP" and previous.text == lexeme.text:
        conseil = "La puissance s'écrit ^." if lexeme.text == "*" else "Supprimez l'un des deux."
    return Mistake((_value(Span(previous.start, lexeme.end), lieu, conseil),), "value")

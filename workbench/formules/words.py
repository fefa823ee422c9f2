"""The first look at a formule: what each word is, before any syntax.

Sizes are bounded here, so that no later step meets a text it would be slow on.
"""

from __future__ import annotations

import re
from decimal import Decimal

from workbench.formules.brackets import KEYS, read_bracket
from workbench.formules.diagnostics import Diagnostic, diagnose
from workbench.formules.lexemes import Lexeme
from workbench.formules.names import LONGEST_NAME, is_name, plain_capitals, writable_name
from workbench.formules.tree import Number, Population, Span
from workbench.types_appel import SIDES

__all__ = [
    "LOOKALIKES",
    "MAX_COMPTE_DIGITS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_LEXEMES",
    "MAX_NUMBER_DIGITS",
    "read_words",
    "too_deep",
]

MAX_LENGTH = 100_000
"""Longest text, in characters."""

MAX_LEXEMES = 12_000
"""Most words in a text: a sum of 6 000 variables of one type d'appel."""

MAX_DEPTH = 200
"""Most parentheses, and most signs, inside one another."""

MAX_NUMBER_DIGITS = 28
"""Digits of a number: those that decimal arithmetic keeps."""

MAX_COMPTE_DIGITS = 20
"""Digits of a compte; charts of accounts stop at about ten."""

LOOKALIKES = {"−": "-", "–": "-", "—": "-", "‑": "-", "×": "*", "·": "*", "÷": "/", "∕": "/", ":": "/", "²": "^2"}
_COMPTE = re.compile(r"(SC|SD|C|D)([0-9]+)")


def read_words(lexemes: list[Lexeme]) -> list[Diagnostic]:
    """Complete each lexeme with what its text alone tells, and report those that mean nothing.

    Numbers and ``$POP`` receive their leaf; raw brackets become ``BINDING`` or ``CONDITION`` with their content.
    """
    diagnostics: list[Diagnostic] = []
    for index, lexeme in enumerate(lexemes):
        if lexeme.kind == "NUMBER":
            digits = len(lexeme.text) - ("." in lexeme.text)
            if digits > MAX_NUMBER_DIGITS:
                diagnostics.append(diagnose("nombre_trop_long", lexeme.span, chiffres=digits, limite=MAX_NUMBER_DIGITS))
            else:
                lexeme.node = Number(Decimal(lexeme.text), lexeme.span)
        elif lexeme.kind == "POPULATION":
            lexeme.node = Population(lexeme.span)
        elif lexeme.kind == "VARIABLE":
            digits = len(lexeme.text.lstrip("SCD"))
            if digits > MAX_COMPTE_DIGITS:
                diagnostics.append(diagnose("compte_trop_long", lexeme.span, chiffres=digits, limite=MAX_COMPTE_DIGITS))
        elif lexeme.kind in {"BRACKET", "OPEN_BRACKET"}:
            diagnostics += _read_bracket(lexeme)
        elif lexeme.kind == "STRAY":
            diagnostics.append(_stray(lexeme, lexemes[index + 1] if index + 1 < len(lexemes) else None))
        elif lexeme.kind == "WORD":
            diagnostics.append(_unknown_word(lexeme, lexemes[index + 1] if index + 1 < len(lexemes) else None))
    return diagnostics


def _read_bracket(lexeme: Lexeme) -> list[Diagnostic]:
    bracket = read_bracket(lexeme.text)
    closed = lexeme.kind == "BRACKET"
    lexeme.kind = "CONDITION" if bracket.is_condition else "BINDING"
    lexeme.bracket = bracket
    if closed and not bracket.problem:
        return []
    if bracket.suggestion:
        conseil = f"Écrivez {bracket.suggestion}."
    else:
        conseil = f"Crochets acceptés : {', '.join(f'[{key}:…]' for key in KEYS)}."
    code = (
        "crochet_non_ferme"
        if not closed
        else "crochet_inconnu"
        if bracket.problem == "unknown"
        else "crochet_mal_forme"
    )
    return [diagnose(code, lexeme.span, texte=lexeme.text.strip(), conseil=conseil)]


def _stray(lexeme: Lexeme, following: Lexeme | None) -> Diagnostic:
    if lexeme.text == ",":
        return diagnose("virgule_decimale", lexeme.span)
    conseil = ""
    if lexeme.text in LOOKALIKES:
        conseil = f"Écrivez « {LOOKALIKES[lexeme.text]} »."
    elif lexeme.text == "." and following is not None and following.kind == "NUMBER":
        conseil = f"Écrivez 0.{following.text}."
    elif lexeme.text == "]":
        conseil = "Ce crochet n'a pas été ouvert : supprimez-le."
    elif lexeme.text == "=":
        conseil = "Une formule ne contient que le calcul, sans signe égal ni comparaison."
    elif lexeme.text == "%":
        conseil = "Pour un pourcentage, multipliez ou divisez par 100."
    return diagnose("caractere_inattendu", lexeme.span, texte=lexeme.text, conseil=conseil)


def _unknown_word(lexeme: Lexeme, following: Lexeme | None) -> Diagnostic:
    text = lexeme.text
    if len(text) > LONGEST_NAME:
        return diagnose("mot_inconnu", lexeme.span, texte=text, conseil="")
    plain = plain_capitals(text)
    with_digits = plain.replace("O", "0").replace("I", "1")
    if text in SIDES and following is not None and following.kind == "NUMBER":
        conseil = f"Supprimez le blanc : {text}{following.text}."
    elif text in SIDES:
        conseil = f"Une variable est {text} suivi d'un numéro de compte : {text}70."
    elif text.startswith("$"):
        conseil = "Le seul nom qui commence par $ est $POP, la population."
    elif _COMPTE.fullmatch(plain) or (plain != text and is_name(plain)):
        conseil = f"Écrivez {plain}, en capitales et sans accent."
    elif _COMPTE.fullmatch(with_digits):
        conseil = f"Écrivez {with_digits}, avec des chiffres."
    else:
        conseil = (
            "Une variable est C, D, SC ou SD suivi d'un numéro de compte ; le nom d'un indicateur est en capitales et "
            f"en chiffres, avec au moins un souligné : {writable_name(text)}."
        )
    return diagnose("mot_inconnu", lexeme.span, texte=text, conseil=conseil)


def too_deep(lexemes: list[Lexeme]) -> Diagnostic | None:
    """Say where parentheses, or signs in a row, are nested beyond `MAX_DEPTH`; None when they are not."""
    depth = signs = 0
    for lexeme in lexemes:
        signs = signs + 1 if lexeme.kind == "ADDOP" else 0
        if lexeme.kind == "LPAR":
            depth += 1
        elif lexeme.kind == "RPAR":
            depth = max(0, depth - 1)
        if depth > MAX_DEPTH or signs > MAX_DEPTH:
            return diagnose("imbrication_trop_profonde", Span(lexeme.start, lexeme.end), limite=MAX_DEPTH)
    return None

"""From text to words and from words to a syntax tree: the only door to lark.

Building the parser takes some tens of milliseconds; it is done once, by the first formule that is read, so that
importing the package costs nothing. The words are handed to the parser one by one: where one cannot come next, the
mistake is named, repaired and parsing goes on, so that every mistake of a text is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.formules.bindings import segment_conditions
from workbench.formules.diagnostics import Diagnostic
from workbench.formules.lexemes import UNREADABLE, Lexeme
from workbench.formules.mistakes import name_mistake
from workbench.formules.tree import Binary, Node, Number, Segment, Span, SyntaxTree, Unary

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.parsers.lalr_interactive_parser import InteractiveParser

__all__ = ["parse_lexemes", "split_words"]


def split_words(text: str, limit: int) -> list[Lexeme]:
    """Cut a text into words, at most `limit` of them; any text can be cut.

    Examples
    --------
    >>> [(lexeme.kind, lexeme.text) for lexeme in split_words("C70 [TA:BX]/é", 10)]
    [('VARIABLE', 'C70'), ('BRACKET', '[TA:BX]'), ('MULOP', '/'), ('WORD', 'é')]
    """
    thread = _lark().parse_interactive(text, start="formule").lexer_thread
    return [
        Lexeme(token.type, str(token), token.start_pos or 0, token.end_pos or 0)
        for token in islice(thread.lex(None), limit)  # type: ignore[no-untyped-call]
    ]


def parse_lexemes(lexemes: Sequence[Lexeme], length: int) -> tuple[SyntaxTree, list[Diagnostic]]:
    """Build the syntax tree.

    Parameters
    ----------
    lexemes
        Words whose brackets have been read and whose leaves are known.
    length
        Length of the text, in characters: where the end is.

    Returns
    -------
    tree : SyntaxTree
        What could be made of the text; to be thrown away if anything is wrong with it.
    diagnostics : list of Diagnostic
        Every mistake of syntax.
    """
    from lark import Token

    parser = _lark().parse_interactive(start="formule")
    nowhere = Lexeme("WORD", "", length, length)  # unreadable: what is wrong beside a repair is told already
    repairs = {"value": Token("NUMBER", nowhere), "operator": Token("ADDOP", nowhere), "close": Token("RPAR", nowhere)}
    diagnostics: list[Diagnostic] = []
    opened: list[Lexeme] = []
    previous: Lexeme | None = None
    doubtful = False  # something unreadable, already told, stands just before
    for lexeme in (*lexemes, Lexeme("", "", length, length)):
        if lexeme.kind == "STRAY":
            doubtful = True
            continue
        unreadable = lexeme.kind in UNREADABLE
        token = Token("NUMBER" if unreadable else lexeme.kind or "$END", lexeme)
        while _out_of_place(lexeme, opened) or not _accepts(parser, token):
            mistake = name_mistake(previous, lexeme, opened)
            beside = doubtful or unreadable or (previous is not None and previous.kind in UNREADABLE)
            if not (beside and mistake.repair in {"value", "operator"}):
                diagnostics += mistake.diagnostics
            if mistake.repair == "drop":
                break
            for _ in opened if mistake.repair == "close" else (None,):
                previous = nowhere
                parser.feed_token(repairs[mistake.repair])
            if mistake.repair == "close":
                opened.clear()
        else:
            if lexeme.kind == "LPAR":
                opened.append(lexeme)
            elif lexeme.kind == "RPAR":
                opened.pop()
            previous, doubtful = lexeme, False
    if len(diagnostics) > 1:  # a text of misplaced brackets alone is not empty to its author
        diagnostics = [diagnostic for diagnostic in diagnostics if diagnostic.code != "formule_vide"]
    tree: Any = parser.result
    return tree, diagnostics


def _out_of_place(lexeme: Lexeme, opened: list[Lexeme]) -> bool:
    """Whether parentheses forbid the word.

    The parser would see it too, but only after ending an expression that the repair needs unfinished: its tables do not
    tell levels of parentheses apart.
    """
    return not opened if lexeme.kind == "RPAR" else bool(opened) and lexeme.kind in {"CONDITION", ""}


def _accepts(parser: InteractiveParser, token: Token) -> bool:
    from lark import UnexpectedToken

    try:
        parser.result = parser.feed_token(token)
    except UnexpectedToken:
        return False
    return True


@cache
def _lark() -> Lark:
    from lark import Lark
    from lark.common import LexerConf
    from lark.lexer import BasicLexer

    class Lexer(BasicLexer):
        """The usual lexer; its strict mode would need a package to compare terminals, whose priorities decide here."""

        __future_interface__ = 2

        def __init__(self, conf: LexerConf) -> None:
            conf.strict = False
            super().__init__(conf)

    grammar = files("workbench.formules").joinpath("formule.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer=Lexer,
        start=["formule", "unread"],
        transformer=_Builder(),
        strict=True,  # a conflict of the grammar is an error
        maybe_placeholders=False,
        keep_all_tokens=True,
    )


class _Part(NamedTuple):
    """A node and the text it takes with its parentheses and brackets, which its own span leaves out."""

    node: Node
    start: int
    end: int


_NOTHING = Number(Decimal(0))
"""Holds the place of what could not be read."""


class _Builder:
    """One method a rule of the grammar, called as the rule is recognised."""

    def leaf(self, children: list[Any]) -> _Part:
        """Reduce ``atom : NUMBER | VARIABLE | REFERENCE | POPULATION``."""
        lexeme: Lexeme = children[0].value
        return _Part(lexeme.node or _NOTHING, lexeme.start, lexeme.end)

    def group(self, children: list[Any]) -> _Part:
        """Reduce ``atom : "(" expression ")"``."""
        return _Part(children[1].node, children[0].value.start, children[2].value.end)

    def closed(self, children: list[Any]) -> _Part:
        """Reduce ``closed : expression BINDING``."""
        return _Part(children[0].node, children[0].start, children[1].value.end)

    def unary(self, children: list[Any]) -> _Part:
        """Reduce ``unary : ADDOP unary``."""
        sign: Lexeme = children[0].value
        operand: _Part = children[1]
        return _Part(Unary(sign.text, operand.node, Span(sign.start, operand.end)), sign.start, operand.end)  # type: ignore[arg-type]

    def binary(self, children: list[Any]) -> _Part:
        """Reduce ``sum : sum ADDOP right`` and ``product : product MULOP unary``."""
        left, operator, right = children
        span = Span(left.start, right.end)
        return _Part(Binary(operator.value.text, left.node, right.node, span), left.start, right.end)

    def segment(self, children: list[Any]) -> Segment:
        """Reduce ``segment : expression CONDITION+`` and ``last : expression``."""
        expression: _Part = children[0]
        conditions: list[Lexeme] = [token.value for token in children[1:]]
        end = conditions[-1].end if conditions else expression.end
        return Segment(expression.node, span=Span(expression.start, end), **segment_conditions(conditions))

    def formule(self, children: list[Any]) -> SyntaxTree:
        """Reduce ``formule : segment* last | segment+``."""
        return SyntaxTree(tuple(children))

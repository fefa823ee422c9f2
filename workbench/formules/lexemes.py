"""The words of a formule: what the lexer yields and every later step reads."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.formules.brackets import Bracket
from workbench.formules.tree import Node, Span

__all__ = ["OPERANDS", "UNREADABLE", "Lexeme"]

OPERANDS = frozenset({"NUMBER", "VARIABLE", "REFERENCE", "POPULATION", "WORD"})
"""Kinds that stand for a value; a word that means nothing holds the place of one."""

UNREADABLE = frozenset({"WORD", "STRAY"})
"""Kinds that belong to no formule."""


@dataclass(slots=True)
class Lexeme:
    """One word of a formule.

    Parameters
    ----------
    kind
        A terminal of ``formule.lark``; empty at the end of the text.
    text
        As written.
    start, end
        Zero-based offsets in the formule, in characters, end excluded.
    node
        The leaf of the syntax tree, once it is known.
    bracket
        The content of a bracket.
    """

    kind: str
    text: str
    start: int
    end: int
    node: Node | None = None
    bracket: Bracket | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)

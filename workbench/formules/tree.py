"""The syntax tree of a formule: frozen nodes, each with the span of text it came from.

Spans do not take part in equality: two texts that mean the same thing have equal trees, which is
what lets ``parse(print(tree)) == tree`` be a property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

__all__ = [
    "Binary",
    "Node",
    "Number",
    "Population",
    "Reference",
    "Segment",
    "Span",
    "SyntaxTree",
    "Unary",
    "Variable",
    "walk",
]

Side = Literal["C", "D", "SC", "SD"]
TypeAppel = Literal["SX", "SS", "BR", "BO", "NB", "BE", "BX"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: zero-based offsets, in characters, end excluded."""

    start: int
    end: int


_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, exact: ``Decimal("0.5")``."""

    value: Decimal
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Population:
    """``$POP``: the inhabitants of the perimeter in the exercice."""

    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A sum over the comptes that start with ``compte``, in euros: ``C73[TA:BX]``."""

    side: Side
    compte: str
    type_appel: TypeAppel
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another indicateur, ``offset`` exercices away: -1 for ``[OS:M1]``, 2 for ``[OS:P2]``."""

    indicateur: str
    offset: int = 0
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an operand."""

    operator: Literal["+", "-"]
    operand: Node
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; ``*``, ``/`` and ``^`` share one precedence, all are left-associative."""

    operator: Literal["+", "-", "*", "/", "^"]
    left: Node
    right: Node
    span: Span = field(default=_NOWHERE, compare=False)


Node = Number | Population | Variable | Reference | Unary | Binary


@dataclass(frozen=True, slots=True)
class Segment:
    """An expression and the conditions under which it counts.

    Parameters
    ----------
    expression
        What is computed.
    exercice_min, exercice_max
        First and last exercice, both included; None for no bound.
    type_budget
        ``"BP"`` or ``"BA"``: only for principal or annexe budgets; None for all.
    type_etablissement
        Only for this establishment type (``"101"``); None for all.
    absolute
        The label of a ``[CAL:label]`` bracket, which takes the absolute value; None without one.
    """

    expression: Node
    exercice_min: int | None = None
    exercice_max: int | None = None
    type_budget: Literal["BP", "BA"] | None = None
    type_etablissement: str | None = None
    absolute: str | None = None
    span: Span = field(default=_NOWHERE, compare=False)

    def covers(self, exercice: int) -> bool:
        """Whether the segment counts in this exercice."""
        return (self.exercice_min is None or self.exercice_min <= exercice) and (
            self.exercice_max is None or exercice <= self.exercice_max
        )


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """A whole formule: its value is the sum of its segments."""

    segments: tuple[Segment, ...]


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all nodes below it, left to right, without recursion.

    Examples
    --------
    >>> sum_ = Binary("+", Number(Decimal(1)), Reference("A_B"))
    >>> [type(part).__name__ for part in walk(sum_)]
    ['Binary', 'Number', 'Reference']
    """
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, Unary):
            stack.append(current.operand)
        elif isinstance(current, Binary):
            stack.append(current.right)
            stack.append(current.left)

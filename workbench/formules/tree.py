"""The syntax tree of a formule: frozen nodes, each with the span of text it came from.

Spans do not take part in equality: two texts that mean the same thing have equal trees, which is
what lets ``parse(print(tree)) == tree`` be a property.

A sum of some thousand terms is a tree of that depth, leaning left. So nothing here recurses: equality, hash, repr
and pickling work on a flat list, and `walk` and `postorder` let others do the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from workbench.types_appel import Side, TypeAppel

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
    "postorder",
    "walk",
]


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


class _Branch:
    """What nodes above others share: comparisons that do not recurse."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, _Branch):
            return NotImplemented
        return _flat(self) == _flat(other)

    def __hash__(self) -> int:
        return hash(tuple(_flat(self)))

    def __repr__(self) -> str:
        pieces: list[str] = []
        stack: list[object] = [self]
        while stack:
            current = stack.pop()
            if isinstance(current, Unary):
                stack += [f", span={current.span})", current.operand]
                pieces.append(f"Unary(operator={current.operator!r}, operand=")
            elif isinstance(current, Binary):
                stack += [f", span={current.span})", current.right, ", right=", current.left]
                pieces.append(f"Binary(operator={current.operator!r}, left=")
            else:
                pieces.append(current if isinstance(current, str) else repr(current))
        return "".join(pieces)

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_flat, (_flat(self, spans=True),)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unary(_Branch):
    """A sign before an operand."""

    operator: Literal["+", "-"]
    operand: Node
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(_Branch):
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


def postorder(node: Node) -> Iterator[Node]:
    """Yield the nodes operands first, each before the node that uses it, without recursion.

    It is the order in which a stack machine evaluates: a `Binary` finds its two operands on top of the stack.

    Examples
    --------
    >>> sum_ = Binary("+", Number(Decimal(1)), Reference("A_B"))
    >>> [type(part).__name__ for part in postorder(sum_)]
    ['Number', 'Reference', 'Binary']
    """
    stack: list[Node] = [node]
    reverse: list[Node] = []
    while stack:
        current = stack.pop()
        reverse.append(current)
        if isinstance(current, Unary):
            stack.append(current.operand)
        elif isinstance(current, Binary):
            stack.append(current.left)
            stack.append(current.right)
    return reversed(reverse)


def _flat(node: Any, *, spans: bool = False) -> list[Any]:
    """Write the tree as leaves and (operator, number of operands, span or None), operands first."""
    return [
        (part.operator, 1 if isinstance(part, Unary) else 2, part.span if spans else None)
        if isinstance(part, _Branch)
        else part
        for part in postorder(node)
    ]


def _from_flat(parts: list[Any]) -> Node:
    stack: list[Node] = []
    for part in parts:
        if not isinstance(part, tuple):
            stack.append(part)
            continue
        operator, operands, span = part
        right = stack.pop()
        stack.append(Unary(operator, right, span) if operands == 1 else Binary(operator, stack.pop(), right, span))
    return stack[0]

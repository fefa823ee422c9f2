"""The definitions of one indicateur under several nomenclatures, read as one.

A perimeter may hold, in one exercice, budgets of several nomenclatures. What each trame adds up from comptes is added
up on its own budgets, and the sums are added; a quotient is that of the sums of numerators and denominators, not a
sum or a mean of quotients; what all trames say alike, without naming a compte (an indicateur, a number,
``$POP``), is read once, on all budgets. Definitions that differ in shape (a product here, a sum there) cannot be
read so: each is then evaluated on its own budgets, and where an exercice mixes nomenclatures the results are added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evaluation.fold import Leaf, Operator, fold
from workbench.evaluation.forms import Condition
from workbench.formules.tree import Binary, Node, Number, Reference, Segment, Unary, Variable, walk

__all__ = ["Merged", "Part", "Term", "Together", "Whole", "is_linear", "merge"]

_DEPTH = 40
"""Quotients inside quotients that are looked into."""


@dataclass(frozen=True)
class Whole:
    """An expression read once, on all budgets."""

    node: Node


@dataclass(frozen=True)
class Part:
    """An expression read on the budgets of one nomenclature."""

    nomenclature: str
    node: Node


@dataclass(frozen=True)
class Together:
    """An operation on two sums, each over all budgets."""

    operator: Operator
    left: Sum
    right: Sum


Term = Whole | Part | Together
Sum = tuple[tuple[int, Term], ...]


@dataclass(frozen=True)
class Merged:
    """Segments of several trames that count as one.

    Parameters
    ----------
    condition
        The part of the perimeter that they look at.
    absolute
        Whether the absolute value of their sum is taken.
    terms
        What they add up, with signs.
    """

    condition: Condition
    absolute: bool
    terms: Sum


def merge(segments: Mapping[str, Sequence[Segment]], linear: Callable[[str], bool]) -> tuple[tuple[Merged, ...], bool]:
    """Read the segments that each nomenclature has for one exercice as one definition.

    Parameters
    ----------
    segments
        By nomenclature, all those of the serie; empty for one that does not define the indicateur.
    linear
        Whether the indicateur of a code is a weighted sum of amounts in every trame.

    Returns
    -------
    tuple
        The segments, and whether some of it could not be read together.

    Examples
    --------
    >>> from workbench.formules import parse_formule
    >>> m14, m57 = (parse_formule(f"A_B-{compte}[TA:BR]").segments for compte in ("C731", "C7311"))
    >>> (merged,), apart = merge({"M14": m14, "M57": m57}, lambda code: True)
    >>> [(sign, type(term).__name__) for sign, term in merged.terms], apart
    ([(1, 'Whole'), (-1, 'Part'), (-1, 'Part')], False)
    """
    merger = _Merger(tuple(segments), linear)
    plain: dict[Condition, dict[str, list[tuple[int, Node]]]] = {}
    absolute: dict[tuple[Condition, int], dict[str, list[tuple[int, Node]]]] = {}
    for nomenclature, each in segments.items():
        seen: Counter[Condition] = Counter()
        for segment in each:
            condition = Condition(segment.type_budget, segment.type_etablissement)
            terms = _terms(segment.expression)
            if segment.absolute is None:
                plain.setdefault(condition, {}).setdefault(nomenclature, []).extend(terms)
            else:
                # The absolute value of the sum: the first of one trame goes with the first of another.
                absolute.setdefault((condition, seen[condition]), {})[nomenclature] = terms
                seen[condition] += 1
    merged = [Merged(condition, False, merger.sum(terms)) for condition, terms in plain.items()]
    merged += [Merged(condition, True, merger.sum(terms)) for (condition, _), terms in absolute.items()]
    return tuple(merged), merger.apart


class _Merger:
    def __init__(self, nomenclatures: tuple[str, ...], linear: Callable[[str], bool]) -> None:
        self.nomenclatures = nomenclatures
        self.linear = linear
        self.apart = False

    def sum(self, terms: Mapping[str, list[tuple[int, Node]]], depth: int = 0) -> Sum:
        counts = [Counter(each for each in terms.get(one, []) if _nameless(each[1])) for one in self.nomenclatures]
        alike = counts[0].copy()
        for count in counts[1:]:
            alike &= count
        result: list[tuple[int, Term]] = [(sign, Whole(node)) for sign, node in alike.elements()]
        other: dict[str, list[tuple[int, Node]]] = {}
        for one, each in terms.items():
            left = alike.copy()
            for sign, node in each:
                if left[sign, node] > 0:
                    left[sign, node] -= 1
                elif is_linear(node, self.linear):
                    result.append((sign, Part(one, node)))
                    self.apart |= isinstance(node, Number)
                else:
                    other.setdefault(one, []).append((sign, node))
        return (*result, *self.operations(other, depth))

    def operations(self, terms: Mapping[str, list[tuple[int, Node]]], depth: int) -> list[tuple[int, Term]]:
        """Operations of the same kind, in the same order in every trame, are made once on sums."""
        if not terms:
            return []
        rows = [terms.get(one, []) for one in self.nomenclatures]
        kinds = [[(sign, _operator(node)) for sign, node in row] for row in rows]
        if depth > _DEPTH or any(kind != kinds[0] for kind in kinds) or any(each is None for _, each in kinds[0]):
            self.apart = True
            return [(sign, Part(one, node)) for one, each in terms.items() for sign, node in each]
        result: list[tuple[int, Term]] = []
        for position, (sign, operator) in enumerate(kinds[0]):
            nodes = {one: row[position][1] for one, row in zip(self.nomenclatures, rows, strict=True)}
            left, right = (
                self.sum({one: _terms(side(node)) for one, node in nodes.items()}, depth + 1)
                for side in (_left, _right)
            )
            assert operator is not None  # noqa: S101 - a kind without operator is apart
            result.append((sign, Together(operator, left, right)))
        return result


def is_linear(node: Node, linear: Callable[[str], bool]) -> bool:
    """Whether an expression is a weighted sum of amounts, numbers and inhabitants of its exercice.

    Examples
    --------
    >>> from workbench.formules import parse_formule
    >>> [
    ...     is_linear(parse_formule(texte).segments[0].expression, lambda code: True)
    ...     for texte in ("C70/2[TA:BX]", "C70/D60[TA:BX]", "A_B-2*A_C", "A_B[OS:M1]")
    ... ]
    [True, False, True, False]
    """
    kind = fold(
        node,
        leaf=lambda one: _leaf_kind(one, linear),
        opposite=lambda kind: kind,
        total=lambda kinds: max((kind for _, kind in kinds), key=_KINDS.index),
        combined=_combined_kind,
    )
    return bool(kind != "other")


Kind = Literal["constant", "linear", "other"]
_KINDS: tuple[Kind, ...] = ("constant", "linear", "other")


def _leaf_kind(node: Leaf, linear: Callable[[str], bool]) -> Kind:
    if isinstance(node, Number):
        return "constant"
    if isinstance(node, Reference):
        return "linear" if not node.offset and linear(node.indicateur) else "other"
    return "linear"


def _combined_kind(operator: Operator, left: Kind, right: Kind) -> Kind:
    if left == right == "constant":
        return "constant"
    if operator == "*" and "constant" in (left, right):
        return right if left == "constant" else left
    return left if operator == "/" and right == "constant" else "other"


def _terms(expression: Node) -> list[tuple[int, Node]]:
    """The signed terms of an expression, left to right."""
    terms: list[tuple[int, Node]] = []
    todo: list[tuple[int, Node]] = [(1, expression)]
    while todo:
        sign, node = todo.pop()
        if isinstance(node, Unary):
            todo.append((-sign if node.operator == "-" else sign, node.operand))
        elif isinstance(node, Binary) and node.operator in "+-":
            todo += [(-sign if node.operator == "-" else sign, node.right), (sign, node.left)]
        else:
            terms.append((sign, node))
    return terms


def _nameless(node: Node) -> bool:
    """Whether an expression names no compte."""
    return not any(isinstance(each, Variable) for each in walk(node))


def _operator(node: Node) -> Operator | None:
    return node.operator if isinstance(node, Binary) and node.operator in ("*", "/", "^") else None


def _left(node: Node) -> Node:
    assert isinstance(node, Binary)  # noqa: S101 - of an operation
    return node.left


def _right(node: Node) -> Node:
    assert isinstance(node, Binary)  # noqa: S101 - of an operation
    return node.right

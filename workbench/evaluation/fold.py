"""One walk over an expression, for whoever wants a result from each node.

A legal formule can be a sum of thousands of terms, and its tree as deep: the walk keeps its own
stack. A chain of sums and differences is handed over whole, as signed terms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from workbench.formules.tree import Binary, Node, Number, Population, Reference, Unary, Variable

__all__ = ["Leaf", "Operator", "fold"]

Result = TypeVar("Result")
Leaf = Number | Population | Variable | Reference
Operator = Literal["*", "/", "^"]


def fold(
    expression: Node,
    *,
    leaf: Callable[[Leaf], Result],
    opposite: Callable[[Result], Result],
    total: Callable[[Sequence[tuple[int, Result]]], Result],
    combined: Callable[[Operator, Result, Result], Result],
) -> Result:
    """Compute bottom-up.

    Parameters
    ----------
    expression
        The tree.
    leaf
        The result of a number, a variable, a reference or ``$POP``.
    opposite
        The result of a minus sign.
    total
        The result of a sum, from its terms with their signs, 1 or -1.
    combined
        The result of a product, a quotient or a power.

    Examples
    --------
    >>> from workbench.formules import parse_formule
    >>> fold(
    ...     parse_formule("2*3-(4-1)").segments[0].expression,
    ...     leaf=lambda node: int(node.value),
    ...     opposite=lambda value: -value,
    ...     total=lambda terms: sum(sign * value for sign, value in terms),
    ...     combined=lambda operator, left, right: left * right,
    ... )
    3
    """
    results: list[Result] = []
    todo: list[tuple[Node, bool]] = [(expression, False)]
    while todo:
        node, operands_done = todo.pop()
        if isinstance(node, Unary):
            if not operands_done:
                todo += [(node, True), (node.operand, False)]
            elif node.operator == "-":
                results.append(opposite(results.pop()))
        elif not isinstance(node, Binary):
            results.append(leaf(node))
        elif node.operator == "+" or node.operator == "-":
            terms = _terms(node)
            if not operands_done:
                todo.append((node, True))
                todo.extend((term, False) for _, term in reversed(terms))
            else:
                values = results[-len(terms) :]
                del results[-len(terms) :]
                results.append(total([(sign, value) for (sign, _), value in zip(terms, values, strict=True)]))
        elif not operands_done:
            todo += [(node, True), (node.right, False), (node.left, False)]
        else:
            right, left = results.pop(), results.pop()
            results.append(combined(node.operator, left, right))
    return results[0]


def _terms(node: Binary) -> list[tuple[int, Node]]:
    """The signed terms of a chain of sums and differences, left to right."""
    terms: list[tuple[int, Node]] = []
    todo: list[tuple[int, Node]] = [(1, node)]
    while todo:
        sign, current = todo.pop()
        if isinstance(current, Binary) and current.operator in "+-":
            todo += [(-sign if current.operator == "-" else sign, current.right), (sign, current.left)]
        else:
            terms.append((sign, current))
    return terms

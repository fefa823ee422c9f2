"""The syntax tree of a formule, one line a node, for a terminal."""

from __future__ import annotations

from workbench.formules.printer import print_segment
from workbench.formules.tree import Binary, Node, Number, Population, Reference, SyntaxTree, Unary, Variable
from workbench.types_appel import TYPES_APPEL

__all__ = ["draw_tree"]


def draw_tree(tree: SyntaxTree) -> str:
    """Draw a tree.

    Examples
    --------
    >>> from workbench.formules.reading import parse_formule
    >>> print(draw_tree(parse_formule("C70-A_B[TA:BX]")))
    segment C70[TA:BX]-A_B
    └─ −
       ├─ C70 (BX : opérations budgétaires, réelles et d'ordre)
       └─ A_B
    """
    lines: list[str] = []
    for segment in tree.segments:
        lines.append(f"segment {print_segment(segment)}")
        todo: list[tuple[Node, str, bool]] = [(segment.expression, "", True)]
        while todo:
            node, margin, last = todo.pop()
            lines.append(f"{margin}{'└─' if last else '├─'} {_name(node)}")
            children = _children(node)
            below = margin + ("   " if last else "│  ")
            todo.extend((child, below, child is children[-1]) for child in reversed(children))
    return "\n".join(lines)


def _children(node: Node) -> list[Node]:
    if isinstance(node, Unary):
        return [node.operand]
    return [node.left, node.right] if isinstance(node, Binary) else []


def _name(node: Node) -> str:
    if isinstance(node, Number):
        return f"{node.value:f}"
    if isinstance(node, Population):
        return "$POP"
    if isinstance(node, Variable):
        return f"{node.side}{node.compte} ({node.type_appel} : {TYPES_APPEL[node.type_appel]})"
    if isinstance(node, Reference):
        return node.indicateur + (f" {node.offset:+d} exercice(s)" if node.offset else "")
    return {"+": "+", "-": "−", "*": "×", "/": "÷", "^": "puissance"}[node.operator]

"""The syntax tree of a formule as a drawing: SVG text, made here, so that no program of the machine is needed.

It reads from left to right: the whole, the operations, the values, one line a value. A chain of terms or of factors is
one node, as a person counts them. Colours are those of the page around (``currentColor``, ``--wb-mark-…``), so that a
drawing suits a light and a dark theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from workbench.formules.tree import (
    Binary,
    Node,
    Number,
    Population,
    Reference,
    Segment,
    Span,
    SyntaxTree,
    Unary,
    Variable,
)
from workbench.types_appel import SIDES, TYPES_APPEL

__all__ = ["draw_tree_svg"]

_MOST_NODES = 400
_DEEPEST = 40
_LONGEST = 44
_CHARACTER, _LINE, _BOX, _GAP, _SIGN = 7.3, 30, 22, 34, 16
_SYMBOLS = {"+": "+", "-": "−", "*": "×", "/": "÷", "^": "puissance"}


@dataclass(slots=True)
class _Drawn:
    """A node of the drawing."""

    kind: str
    label: str
    note: str = ""
    title: str = ""
    sign: str = ""
    span: Span | None = None
    children: list[_Drawn] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        text = self.label + ("  " + self.note if self.note else "")
        return len(text) * _CHARACTER + 16 + (_SIGN if self.sign else 0)


def draw_tree_svg(tree: SyntaxTree, libelles: Mapping[str, str] | None = None) -> str:
    """Draw a tree.

    Parameters
    ----------
    tree
        That of a formule.
    libelles
        What comptes (``"70"``) and indicateurs are called; shown beside them.

    Returns
    -------
    str
        An SVG document of its own, with a title and its stretch of the text on each node (``data-from``, ``data-to``).
        Beyond 400 nodes, what is left is said and not drawn.

    Examples
    --------
    >>> from workbench.formules.reading import parse_formule
    >>> drawing = draw_tree_svg(parse_formule("C70-A_B[TA:BX]"), {"70": "Ventes"})
    >>> drawing.startswith("<svg"), "C70 [BX]" in drawing, "Ventes" in drawing
    (True, True, True)
    """
    budget = _Budget()
    known = libelles or {}
    if len(tree.segments) == 1 and not _conditions(tree.segments[0]):
        root = _of(tree.segments[0].expression, known, budget, 0)
    else:
        root = _Drawn("operation", "Somme" if tree.segments else "0")
        root.children = [_segment(each, known, budget) for each in tree.segments if budget.take()]
    width, height = _place(root)
    body = "".join(_edges(root)) + "".join(_boxes(root))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wb-tree-svg" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="ui-monospace, \'DejaVu Sans Mono\', monospace" font-size="12">'
        f"<title>Arbre de la formule</title>{body}</svg>"
    )


class _Budget:
    """How many nodes can still be drawn."""

    def __init__(self) -> None:
        self.left = _MOST_NODES

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def _conditions(segment: Segment) -> str:
    years = (segment.exercice_min, segment.exercice_max)
    said = []
    if years[0] is not None or years[1] is not None:
        said.append(
            f"jusqu'à {years[1]}"
            if years[0] is None
            else f"depuis {years[0]}"
            if years[1] is None
            else f"de {years[0]} à {years[1]}"
        )
    if segment.type_budget:
        said.append("budgets principaux" if segment.type_budget == "BP" else "budgets annexes")
    if segment.type_etablissement:
        said.append(f"type {segment.type_etablissement}")
    if segment.absolute is not None:
        said.append("valeur absolue")
    return ", ".join(said)


def _segment(segment: Segment, known: Mapping[str, str], budget: _Budget) -> _Drawn:
    said = _conditions(segment) or "toujours"
    return _Drawn("segment", said, span=segment.span, children=[_of(segment.expression, known, budget, 1)])


def _of(node: Node, known: Mapping[str, str], budget: _Budget, depth: int) -> _Drawn:
    """Make what is drawn of an expression; a leading plus says nothing."""
    while isinstance(node, Unary) and node.operator == "+":
        node = node.operand
    if isinstance(node, Number):
        return _Drawn("nombre", f"{node.value:f}".replace(".", ","), span=node.span)
    if isinstance(node, Population):
        return _Drawn("nombre", "$POP", "population", span=node.span)
    if isinstance(node, Variable):
        title = f"{SIDES[node.side]}, {TYPES_APPEL[node.type_appel]}"
        label = f"{node.side}{node.compte} [{node.type_appel}]"
        return _Drawn("compte", label, _short(known.get(node.compte, "")), title, span=node.span)
    if isinstance(node, Reference):
        when = f" ({node.offset:+d} ex.)".replace("-", "−") if node.offset else ""
        return _Drawn("indicateur", node.indicateur + when, _short(known.get(node.indicateur, "")), span=node.span)
    terms = _chain(node)
    if isinstance(node, Unary):
        label = "Opposé"
    elif node.operator in "+-":
        label = "Somme"
    elif node.operator == "^":
        label = "Puissance"
    else:
        label = "Quotient" if len(terms) == 2 and node.operator == "/" else "Produit"
    drawn = _Drawn("operation", label, span=node.span)
    for rank, (sign, term) in enumerate(terms):
        if depth >= _DEEPEST or not budget.take():
            drawn.children.append(_Drawn("reste", f"… {len(terms) - rank} de plus"))
            break
        child = _of(term, known, budget, depth + 1)
        child.sign = sign
        drawn.children.append(child)
    return drawn


def _chain(node: Unary | Binary) -> list[tuple[str, Node]]:
    """List the terms, or the factors, of operations of one kind in a row, each with its sign."""
    if isinstance(node, Unary):
        return [(_SYMBOLS[node.operator], node.operand)]
    family = "+-" if node.operator in "+-" else "*/" if node.operator in "*/" else "^"
    terms: list[tuple[str, Node]] = []
    left: Node = node
    while isinstance(left, Binary) and left.operator in family:
        terms.append(("^" if left.operator == "^" else _SYMBOLS[left.operator], left.right))
        left = left.left
    if family == "+-" and isinstance(left, Unary) and left.operator == "-":
        terms.append((_SYMBOLS["-"], left.operand))
    else:
        terms.append(("", left))
    return terms[::-1]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _place(root: _Drawn) -> tuple[float, float]:
    """Give each node its place; return the width and the height of the whole."""
    columns: list[list[_Drawn]] = []
    leaves = 0

    def visit(node: _Drawn, depth: int) -> None:
        nonlocal leaves
        if depth == len(columns):
            columns.append([])
        columns[depth].append(node)
        for child in node.children:
            visit(child, depth + 1)
        if node.children:
            node.y = (node.children[0].y + node.children[-1].y) / 2
        else:
            node.y = 6 + leaves * _LINE
            leaves += 1

    visit(root, 0)
    x = 4.0
    right = 0.0
    for nodes in columns:
        for node in nodes:
            node.x = x
            right = max(right, x + node.width)
        x += max(node.width for node in nodes if node.children or nodes is columns[-1]) + _GAP if _inner(nodes) else 0
    return right + 6, 6 + leaves * _LINE


def _inner(nodes: list[_Drawn]) -> bool:
    return any(node.children for node in nodes)


def _edges(root: _Drawn) -> list[str]:
    pieces = []
    todo = [root]
    while todo:
        node = todo.pop()
        for child in node.children:
            x1, y1, x2, y2 = node.x + node.width, node.y + _BOX / 2, child.x, child.y + _BOX / 2
            middle = (x2 - _GAP / 2) if x1 < x2 else x2
            pieces.append(
                f'<path d="M{x1:.1f} {y1:.1f}H{x2 - _GAP:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} '
                f'{x2:.1f} {y2:.1f}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>'
            )
        todo.extend(node.children)
    return pieces


def _boxes(root: _Drawn) -> list[str]:
    pieces = []
    todo = [root]
    while todo:
        node = todo.pop()
        place = f' data-from="{node.span.start}" data-to="{node.span.end}"' if node.span is not None else ""
        pieces.append(f'<g class="wb-node wb-node-{node.kind}"{place}>')
        if node.title or node.note:
            pieces.append(f"<title>{escape(' — '.join(each for each in (node.note, node.title) if each))}</title>")
        pieces.append(
            f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{_BOX}" rx="4" '
            'fill="currentColor" fill-opacity="0.05" stroke="currentColor" stroke-opacity="0.35"/>'
        )
        x = node.x + 8
        y = node.y + _BOX / 2 + 4
        if node.sign:
            pieces.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="currentColor" font-weight="700">{node.sign}</text>')
            x += _SIGN
        colour = f"var(--wb-mark-{node.kind}, currentColor)"
        note = (
            f'<tspan dx="10" fill="currentColor" fill-opacity="0.75">{escape(node.note)}</tspan>' if node.note else ""
        )
        place = f'x="{x:.1f}" y="{y:.1f}"'
        pieces.append(f'<text {place} style="fill:{colour}" font-weight="600">{escape(node.label)}{note}</text></g>')
        todo.extend(reversed(node.children))
    return pieces

"""From a syntax tree to its canonical text.

``parse_formule(print_formule(tree)) == tree``. The tree has no brackets; the text needs them where they bind what they
must and close nothing they must not:

* variables that follow one another with one type d'appel share one ``[TA:xx]``, written as early as it can be after the
  last of them, but outside parentheses that the first one does not stand in: ``C70+C73-D739[TA:BX]``,
  ``C70-(D60-D61)[TA:BX]``;
* ``[OS:xx]`` follows its indicateur immediately;
* since a bracket closes everything on its left, a product on the right of a sum that needs one inside is put between
  parentheses: ``A_B-(C_D[OS:M1]/E_F)``;
* a sum that is multiplied is put between parentheses, although a bracket would do, because readers expect it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from workbench.formules.tree import (
    Binary,
    Node,
    Number,
    Population,
    Reference,
    Segment,
    SyntaxTree,
    Unary,
    Variable,
    postorder,
)

__all__ = ["print_formule", "print_segment"]


def print_formule(tree: SyntaxTree) -> str:
    """Write a formule in its canonical form.

    Parameters
    ----------
    tree
        Given by `parse_formule`, or built by hand.

    Returns
    -------
    str
        One line without blanks. Two segments of which the first has no condition are parted by ``[RE-MIN:#]``.

    Raises
    ------
    ValueError
        When no text says what the tree says: a negative or infinite number, an offset beyond 99 exercices.

    Examples
    --------
    >>> from workbench.formules import parse_formule
    >>> print_formule(parse_formule("C282 - D282[TA: BX]/(SD22-SC22)[TA: SX] [RE - MIN : 2012 ]"))
    '(C282-D282[TA:BX])/(SD22-SC22[TA:SX])[RE-MIN:2012]'
    """
    texts = [print_segment(segment) for segment in tree.segments]
    for index, segment in enumerate(tree.segments[:-1]):
        if not _conditions(segment, with_exercices=True):
            texts[index] += "[RE-MIN:#]"
    return "".join(texts)


def print_segment(segment: Segment, with_exercices: bool = True) -> str:
    """Write one segment in its canonical form.

    Parameters
    ----------
    segment
        Of a syntax tree.
    with_exercices
        Whether to write RE-MIN and RE-MAX; they come last.

    Examples
    --------
    >>> from workbench.formules import parse_formule
    >>> segment = parse_formule("C70[TA:BX][RE-MAX:2014][CAL:ABS]").segments[0]
    >>> print_segment(segment)
    'C70[TA:BX][CAL:ABS][RE-MAX:2014]'
    >>> print_segment(segment, with_exercices=False)
    'C70[TA:BX][CAL:ABS]'
    """
    return _expression(segment.expression) + _conditions(segment, with_exercices=with_exercices)


def _conditions(segment: Segment, *, with_exercices: bool) -> str:
    brackets: list[tuple[str, str | None]] = [
        ("TB", segment.type_budget),
        ("TE", segment.type_etablissement),
        ("CAL", segment.absolute),
    ]
    if with_exercices:
        brackets += [("RE-MIN", _year(segment.exercice_min)), ("RE-MAX", _year(segment.exercice_max))]
    return "".join(f"[{key}:{value}]" for key, value in brackets if value is not None)


def _year(exercice: int | None) -> str | None:
    if exercice is None:
        return None
    if not 0 <= exercice <= 9999:
        raise ValueError(f"no bracket can state the exercice {exercice}")
    return f"{exercice:04d}"


_SUM, _PRODUCT, _SIGNED = range(3)
_LEVELS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "^": _PRODUCT}


@dataclass(slots=True)
class _TypeAppel:
    """A ``[TA:xx]`` to be written: the variables it binds, by their places in the segment."""

    text: str
    first: int
    last: int


@dataclass(slots=True)
class _Text:
    """The text of a node, and the brackets that must follow it.

    ``low`` and ``high`` are the places of its variables in the segment, end excluded. ``inside`` tells where brackets
    were written within a product: the piece, and the type d'appel or None for an offset.
    """

    pieces: list[str]
    level: int
    low: int
    high: int
    offset: str = ""
    type_appel: _TypeAppel | None = None
    inside: list[tuple[int, _TypeAppel | None]] = field(default_factory=list)

    def close(self) -> None:
        """Write the brackets that are due."""
        if self.offset:
            self.inside.append((len(self.pieces), None))
            self.pieces.append(self.offset)
            self.offset = ""
        if self.type_appel is not None:
            self.inside.append((len(self.pieces), self.type_appel))
            self.pieces.append(self.type_appel.text)
            self.type_appel = None

    def wrap(self) -> None:
        """Put it between parentheses, with the brackets that concern it alone."""
        shared = self.type_appel
        if shared is not None and shared.first < self.low:
            self.type_appel = None
        else:
            shared = None
        self.close()
        self.pieces.insert(0, "(")
        self.pieces.append(")")
        self.level = _SIGNED
        self.inside = []
        self.type_appel = shared

    def stand_right_of_sum(self) -> None:
        """Make it a right operand of + or -, where no bracket may stand inside a bare product."""
        if self.level == _SUM:
            self.wrap()
        elif self.inside:
            piece, type_appel = self.inside[0]
            movable = len(self.inside) == 1 and type_appel is not None and type_appel.last == self.high - 1
            if movable and self.type_appel is None:
                self.pieces[piece] = ""
                self.type_appel = type_appel
                self.inside = []
            else:
                self.wrap()


def _expression(root: Node) -> str:
    due = _types_appel([node for node in postorder(root) if isinstance(node, Variable)])
    place = 0
    stack: list[_Text] = []
    for node in postorder(root):
        if isinstance(node, Binary):
            right = stack.pop()
            _join(stack[-1], node.operator, right)
        elif isinstance(node, Unary):
            if stack[-1].level != _SIGNED:
                stack[-1].wrap()
            stack[-1].pieces.insert(0, node.operator)
        elif isinstance(node, Variable):
            stack.append(_Text([f"{node.side}{node.compte}"], _SIGNED, place, place + 1, type_appel=due.get(place)))
            place += 1
        elif isinstance(node, Reference):
            stack.append(_Text([node.indicateur], _SIGNED, place, place, offset=_offset(node.offset)))
        else:
            stack.append(_Text([_constant(node)], _SIGNED, place, place))
    text = stack.pop()
    text.close()
    return "".join(text.pieces)


def _types_appel(variables: Sequence[Variable]) -> dict[int, _TypeAppel]:
    """Give the brackets, by the place of the last variable of each run."""
    due: dict[int, _TypeAppel] = {}
    first = 0
    for place, variable in enumerate(variables):
        if place + 1 == len(variables) or variables[place + 1].type_appel != variable.type_appel:
            due[place] = _TypeAppel(f"[TA:{variable.type_appel}]", first, place)
            first = place + 1
    return due


def _join(left: _Text, operator: str, right: _Text) -> None:
    """Extend the text of a left operand into that of the operation."""
    level = _LEVELS[operator]
    if level == _PRODUCT and left.level == _SUM:
        left.wrap()
    left.close()
    if level == _SUM:
        right.stand_right_of_sum()
    elif right.level != _SIGNED:
        right.wrap()
    left.pieces.append(operator)
    left.pieces += right.pieces
    left.level = level
    left.high = right.high
    left.offset, left.type_appel = right.offset, right.type_appel


def _offset(offset: int) -> str:
    if abs(offset) > 99:
        raise ValueError(f"no bracket can state an offset of {offset} exercices")
    return f"[OS:{'P' if offset > 0 else 'M'}{abs(offset)}]" if offset else ""


def _constant(node: Number | Population) -> str:
    if isinstance(node, Population):
        return "$POP"
    value: Decimal = node.value
    if not value.is_finite() or value.is_signed():
        raise ValueError(f"a formule cannot write the number {value}")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

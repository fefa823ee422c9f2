"""From text to tree and back."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from pathlib import Path

import pytest
from formule_strategies import nodes, trees
from hypothesis import given, settings

from workbench.formules import (
    Binary,
    Node,
    Number,
    Reference,
    Segment,
    SyntaxTree,
    Unary,
    Variable,
    parse_formule,
    postorder,
    print_formule,
    print_segment,
    walk,
)

FOLDER = Path(__file__).parent


def lines(name: str) -> list[str]:
    rows = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("# ")]


@pytest.mark.parametrize("text", lines("identity.txt"))
def test_prints_back_unchanged(text: str) -> None:
    assert print_formule(parse_formule(text)) == text


@pytest.mark.parametrize("row", lines("rewrites.txt"))
def test_is_rewritten(row: str) -> None:
    before, after = row.split(" -> ")
    tree = parse_formule(before)
    assert print_formule(tree) == after
    assert parse_formule(after) == tree


@given(trees)
@settings(max_examples=66, deadline=None)
def test_parsing_the_text_of_a_tree_gives_the_tree(tree: SyntaxTree) -> None:
    text = print_formule(tree)
    assert parse_formule(text) == tree
    assert print_formule(parse_formule(text)) == text


@given(trees)
@settings(max_examples=33, deadline=None)
def test_years_can_be_left_out(tree: SyntaxTree) -> None:
    for segment in tree.segments:
        parsed = parse_formule(print_segment(segment, with_exercices=False)).segments[0]
        assert parsed.expression == segment.expression
        assert (parsed.exercice_min, parsed.exercice_max) == (None, None)
        assert (parsed.type_budget, parsed.absolute) == (segment.type_budget, segment.absolute)


@given(trees)
@settings(max_examples=33, deadline=None)
def test_trees_survive_pickling_and_copying(tree: SyntaxTree) -> None:
    parsed = parse_formule(print_formule(tree))
    for twin in (pickle.loads(pickle.dumps(parsed)), copy.deepcopy(parsed)):  # noqa: S301
        assert twin == parsed
        assert hash(twin) == hash(parsed)
        assert repr(twin) == repr(parsed)  # spans included


@given(nodes)
@settings(max_examples=33, deadline=None)
def test_postorder_evaluates_and_walk_visits_the_same_nodes(node: Node) -> None:
    rebuilt: list[Node] = []
    for part in postorder(node):
        if isinstance(part, Binary):
            right = rebuilt.pop()
            rebuilt.append(Binary(part.operator, rebuilt.pop(), right))
        elif isinstance(part, Unary):
            rebuilt.append(Unary(part.operator, rebuilt.pop()))
        else:
            rebuilt.append(part)
    assert rebuilt == [node]
    assert sorted(map(repr, walk(node))) == sorted(map(repr, postorder(node)))


def test_equality_tells_shapes_apart() -> None:
    one = Number(Decimal(1))
    assert Binary("-", one, one) != Binary("+", one, one)
    assert Binary("-", Binary("-", one, one), one) != Binary("-", one, Binary("-", one, one))
    assert Unary("-", one) != one
    assert Unary("-", Binary("-", one, one)) != Binary("-", Unary("-", one), one)
    assert Unary("-", one) != Unary("+", one)
    assert Binary("+", one, one) != "1+1"
    assert len({Binary("+", one, one), Binary("+", one, Number(Decimal("1.0"))), Unary("+", one)}) == 2


def test_repr_is_that_of_a_dataclass() -> None:
    expression = parse_formule("-1*2").segments[0].expression
    one = "Number(value=Decimal('1'), span=Span(start=1, end=2))"
    two = "Number(value=Decimal('2'), span=Span(start=3, end=4))"
    assert repr(expression) == (
        f"Binary(operator='*', left=Unary(operator='-', operand={one}, span=Span(start=0, end=2)), "
        f"right={two}, span=Span(start=0, end=4))"
    )


@pytest.mark.parametrize(
    "segment",
    [
        Segment(Number(Decimal(-1))),
        Segment(Number(Decimal("NaN"))),
        Segment(Number(Decimal("Infinity"))),
        Segment(Reference("A_B", 100)),
        Segment(Number(Decimal(1)), exercice_min=10_000),
    ],
)
def test_what_no_text_can_say_is_refused(segment: Segment) -> None:
    with pytest.raises(ValueError, match=r"bracket|number"):
        print_segment(segment)


def test_a_shared_node_is_printed_each_time() -> None:
    receipts = Variable("C", "70", "BX")
    assert print_segment(Segment(Binary("/", receipts, receipts))) == "C70/C70[TA:BX]"

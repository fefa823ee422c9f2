"""The reference cases: what the old system read, and what is right."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from formule_strategies import old_pieces
from hypothesis import HealthCheck, given, settings
from lark import Lark, LarkError, Token, Tree

from workbench.formules import (
    SOLDES,
    Binary,
    Diagnostic,
    Node,
    Number,
    Population,
    Reference,
    Segment,
    Unary,
    Variable,
    check_formule,
    parse_formule,
    postorder,
    print_formule,
    split_segments,
    walk,
)
from workbench.formules.reading import read_formule

pytestmark = pytest.mark.shared

ACCEPTED = {"T270": "blanks inside the key of a bracket: section 1.1 asks for them to be accepted (KEEP)"}
"""Cases that the reference refuses and the specification accepts."""


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared / "golden/formules/cases.json").read_text("utf-8"))["cases"]
    return found


@pytest.fixture(scope="module")
def known(shared: Path) -> dict[str, str]:
    trame = json.loads((shared / "golden/formules/base_trame.json").read_text("utf-8"))["trame"]
    return {row["name"]: row["formula"] for row in trame}


def errors(text: str, known: dict[str, str]) -> list[Diagnostic]:
    return [found for found in check_formule(text, known, name="CASE_X") if found.severity == "error"]


def test_wrong_cases_are_errors_with_a_position(cases: list[dict[str, Any]], known: dict[str, str]) -> None:
    wrong = [case for case in cases if case["reference_error"] and case["id"] not in ACCEPTED]
    assert len(wrong) >= 20
    for case in wrong:
        found = errors(case["formula"], known)
        assert found, case["id"]
        for diagnostic in found:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(case["formula"]), case["id"]
            assert diagnostic.message, case["id"]


def test_right_cases_are_read(cases: list[dict[str, Any]], known: dict[str, str]) -> None:
    right = [case for case in cases if not case["reference_error"] or case["id"] in ACCEPTED]
    assert len(right) >= 150
    for case in right:
        assert errors(case["formula"], known) == [], case["id"]
        tree = parse_formule(case["formula"])
        assert parse_formule(print_formule(tree)) == tree, case["id"]


def test_the_base_trame_is_read(known: dict[str, str]) -> None:
    for name, text in known.items():
        assert check_formule(text, known, name=name) == [], name


def test_variables_and_conditions_are_those_of_the_old_system(cases: list[dict[str, Any]]) -> None:
    compared = 0
    for case in cases:
        if case["upstream_segments"] is None or case["reference_error"] or case["id"] == "T268":  # P10: TE ignored
            continue
        ours = parse_formule(case["formula"]).segments
        theirs = case["upstream_segments"]["segments"]
        assert len(ours) == len(theirs), case["id"]
        for segment, old in zip(ours, theirs, strict=True):
            variables = [node for node in walk(segment.expression) if isinstance(node, Variable)]
            once = dict.fromkeys((found.compte, found.type_appel, found.side) for found in variables)
            assert list(once) == [(row["compte"], row["type_appel"], row["cote"]) for row in old["variables"]], case[
                "id"
            ]
            assert [segment.exercice_min, segment.exercice_max] == [
                None if year is None else int(year) for year in (old["year_min"], old["year_max"])
            ], case["id"]
            assert segment.type_budget == old["type_budget"], case["id"]
            assert segment.absolute == old["cal"], case["id"]
            compared += 1
    assert compared >= 170


def readable(segment: Segment) -> Any:
    """The tree as the old system wrote it: nested tuples, signs merged into names, ``@M1`` for an offset."""
    stack: list[Any] = []
    for node in postorder(segment.expression):
        if isinstance(node, Binary):
            right = stack.pop()
            stack.append((node.operator, stack.pop(), right))
        elif isinstance(node, Unary):
            operand = stack.pop()
            stack.append(operand if node.operator == "+" or str(operand).startswith("-") else f"-{operand}")
        elif isinstance(node, Variable):
            stack.append(f"{node.side}{node.compte}")
        elif isinstance(node, Reference):
            sign = "P" if node.offset > 0 else "M"
            stack.append(f"@{sign}{abs(node.offset)}{node.indicateur}" if node.offset else node.indicateur)
        else:
            stack.append(int(node.value) if isinstance(node, Number) else "$POP")
    return stack.pop()


def test_shapes_are_those_of_the_old_system(cases: list[dict[str, Any]]) -> None:
    compared = 0
    for case in cases:
        if case["upstream_segments"] is None or case["reference_error"]:
            continue
        for segment, old in zip(
            parse_formule(case["formula"]).segments, case["upstream_segments"]["segments"], strict=True
        ):
            text = old["readable"].replace("@P0", "")  # no offset
            expected = ast.literal_eval(text) if text[0] == "(" or text.isdigit() else text
            assert readable(segment) == expected, case["id"]
            compared += 1
    assert compared >= 170


def test_texts_of_segments_are_those_of_the_old_system(cases: list[dict[str, Any]]) -> None:
    compared = 0
    for case in cases:
        if case["upstream_segments"] is None or case["reference_error"]:
            continue
        if {"P10", "P11", "P06"} & set(case["flags"]) or case["id"] in {"T084", "T272"}:
            continue  # the old texts are shifted (P11), or do not stand alone (T084: type d'appel of the next segment)
        theirs = [segment["original"].strip() for segment in case["upstream_segments"]["segments"]]
        assert [texte for texte, _, _ in split_segments(case["formula"])] == theirs, case["id"]
        compared += 1
    assert compared >= 150


def test_coefficients_are_those_of_the_reference_table(shared: Path) -> None:
    rows = json.loads((shared / "golden/solde_table.json").read_text("utf-8"))
    sides = {"c": "credit", "d": "debit"}
    expected = {
        (row["type_appel"], row["cote"]): {f"{sides[key[0]]}_{key[1]}": value for key, value in row["coef"].items()}
        for row in rows
        if "error" not in row
    }
    assert len(expected) == 24
    assert {pair: dict(coefficients) for pair, coefficients in SOLDES.items()} == expected


@pytest.fixture(scope="module")
def reference_grammar(shared: Path) -> Lark:
    return Lark((shared / "spec/formule_reference.lark").read_text("utf-8"), parser="lalr")


def reference_shape(item: Any) -> Any:
    if isinstance(item, Token):
        return str(item)
    if item.data == "closed":
        return reference_shape(item.children[0])
    return tuple(reference_shape(child) for child in item.children)


def our_shape(node: Node) -> Any:
    stack: list[Any] = []
    for part in postorder(node):
        if isinstance(part, Binary):
            right = stack.pop()
            stack.append((stack.pop(), part.operator, right))
        elif isinstance(part, Unary):
            stack.append((part.operator, stack.pop()))
        elif isinstance(part, Variable):
            stack.append((f"{part.side}{part.compte}",))
        elif isinstance(part, Reference):
            stack.append((part.indicateur,))
        else:
            stack.append(("$POP",) if isinstance(part, Population) else (str(part.value),))
    return stack.pop()


SYNTAX = {
    *("formule_vide", "operateur_manquant", "operande_manquante", "operateur_final", "parentheses_vides"),
    *("parenthese_non_fermee", "parenthese_non_ouverte", "crochet_sans_expression", "crochet_mal_place"),
    *("condition_entre_parentheses", "mot_inconnu"),
}


@given(text=old_pieces)
@settings(max_examples=133, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_syntax_is_that_of_the_reference_grammar(reference_grammar: Lark, text: str) -> None:
    try:
        tree: Tree[Token] | None = reference_grammar.parse(text)
    except LarkError:
        tree = None
    segments = [] if tree is None else tree.children
    if any(len(segment.children) == 1 for segment in segments[:-1] if isinstance(segment, Tree)):
        tree = None
    reading = read_formule(text)
    wrong = {diagnostic.code for diagnostic in reading.diagnostics} & SYNTAX
    assert (tree is None) == bool(wrong), wrong
    if reading.tree is not None:
        expected = [reference_shape(segment.children[0]) for segment in segments if isinstance(segment, Tree)]
        assert [our_shape(segment.expression) for segment in reading.tree.segments] == expected

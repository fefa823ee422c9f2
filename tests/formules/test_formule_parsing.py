"""What a text means."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from importlib.resources import files

import pytest

from workbench.formules import (
    SIDES,
    SOLDES,
    TYPES_APPEL,
    Binary,
    Number,
    Population,
    Reference,
    Segment,
    Span,
    Unary,
    Variable,
    parse_formule,
    walk,
)
from workbench.formules.tree import Node


def expression(text: str) -> Node:
    (segment,) = parse_formule(text).segments
    return segment.expression


def variables(text: str) -> list[tuple[str, str]]:
    return [
        (f"{node.side}{node.compte}", node.type_appel)
        for segment in parse_formule(text).segments
        for node in walk(segment.expression)
        if isinstance(node, Variable)
    ]


def offsets(text: str) -> list[tuple[str, int]]:
    return [
        (node.indicateur, node.offset)
        for segment in parse_formule(text).segments
        for node in walk(segment.expression)
        if isinstance(node, Reference)
    ]


C70 = Variable("C", "70", "BX")
D60 = Variable("D", "60", "BX")
A = Reference("A_B")
ONE, TWO, THREE = (Number(Decimal(digit)) for digit in "123")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("C70[TA:BX]", C70),
        ("SD16[TA:SX]", Variable("SD", "16", "SX")),
        ("C013[TA:BX]", Variable("C", "013", "BX")),
        ("0.5", Number(Decimal("0.5"))),
        ("$POP", Population()),
        ("1+2*3", Binary("+", ONE, Binary("*", TWO, THREE))),
        ("2*3^2", Binary("^", Binary("*", TWO, THREE), TWO)),
        ("2^3^2", Binary("^", Binary("^", TWO, THREE), TWO)),
        ("3-2-1", Binary("-", Binary("-", THREE, TWO), ONE)),
        ("-A_B^2", Binary("^", Unary("-", A), TWO)),
        ("--1", Unary("-", Unary("-", ONE))),
        ("-(1+2)", Unary("-", Binary("+", ONE, TWO))),
        ("-$POP", Unary("-", Population())),
        ("1*-2", Binary("*", ONE, Unary("-", TWO))),
        ("C70+D60[TA:BX]/2", Binary("/", Binary("+", C70, D60), TWO)),
        ("1+(C70[TA:BX]/2)", Binary("+", ONE, Binary("/", C70, TWO))),
        ("1+A_B[OS:M1]*2", Binary("*", Binary("+", ONE, Reference("A_B", -1)), TWO)),
        ("2*(1+C70[TA:BX]*2)", Binary("*", TWO, Binary("*", Binary("+", ONE, C70), TWO))),
        ("\u00a0C70\u202f+\u200bD60\t[\u2009T A\u00a0:\nB X ]\ufeff", Binary("+", C70, D60)),
    ],
)
def test_meaning(text: str, meaning: Node) -> None:
    assert expression(text) == meaning


@pytest.mark.parametrize(
    ("text", "types_appel"),
    [
        ("(C70+C73)/D60[TA:BX]", ["BX", "BX", "BX"]),
        ("C70[TA:BX]-C70[TA:BR]", ["BX", "BR"]),
        ("C70*(D60[TA:BR]-1)+C73[TA:BX]", ["BR", "BR", "BX"]),
        ("C70[TA:BX][TA:BR]", ["BX"]),
        ("C73[RE-MAX:2013]C74[TA:BX][RE-MIN:2014]", ["BX", "BX"]),
        ("C73[RE-MAX:2013]C74[RE-MAX:2014]C75[TA:SX]", ["SX", "SX", "SX"]),
    ],
)
def test_a_type_appel_binds_all_variables_since_the_last_one(text: str, types_appel: list[str]) -> None:
    assert [type_appel for _, type_appel in variables(text)] == types_appel


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A_B[OS:M1]", [("A_B", -1)]),
        ("A_B[OS:P2]", [("A_B", 2)]),
        ("A_B[OS:M0]+C_D[OS:P0]+E_F[OS:P09]", [("A_B", 0), ("C_D", 0), ("E_F", 9)]),
        ("A_B[OS:M99]", [("A_B", -99)]),
        ("A_B+C_D[OS:M1]", [("A_B", 0), ("C_D", -1)]),
        ("A_B+C10[TA:SS][OS:M1]", [("A_B", -1)]),
        ("(A_B-(C_D-1)*2)[OS:P1]", [("A_B", 0), ("C_D", 1)]),
        ("A_B[OS:M1]+A_B[OS:M2]-A_B", [("A_B", -1), ("A_B", -2), ("A_B", 0)]),
    ],
)
def test_an_offset_shifts_the_last_indicateur(text: str, expected: list[tuple[str, int]]) -> None:
    assert offsets(text) == expected


@pytest.mark.parametrize(
    ("brackets", "expected"),
    [
        ("", {}),
        ("[RE-MIN:2012]", {"exercice_min": 2012}),
        ("[RE - MIN : 2012 ][RE-MAX:#]", {"exercice_min": 2012}),
        (
            "[TB:BA][CAL:VA][TE:101][RE-MAX:2014]",
            {
                "type_budget": "BA",
                "absolute": "VA",
                "type_etablissement": "101",
                "exercice_max": 2014,
            },
        ),
        ("[CAL:#]", {"absolute": "#"}),
        ("[TE:ABC]", {"type_etablissement": "ABC"}),
        ("[RE-MIN:#][RE-MIN:2012]", {}),
        ("[TB:BP] [TB:BA]", {"type_budget": "BP"}),
        ("[RE-MIN:2015][RE-MAX:2013]", {"exercice_min": 2015, "exercice_max": 2013}),
    ],
)
def test_conditions_come_in_any_order_and_the_first_of_a_key_wins(brackets: str, expected: dict[str, object]) -> None:
    (segment,) = parse_formule("1" + brackets).segments
    assert segment == Segment(ONE, **expected)  # type: ignore[arg-type]


def test_a_segment_begins_after_the_conditions_of_the_one_before() -> None:
    tree = parse_formule("1[RE-MAX:2013]+2[CAL:ABS]-3")
    assert [segment.expression for segment in tree.segments] == [ONE, Unary("+", TWO), Unary("-", THREE)]
    assert [segment.covers(2014) for segment in tree.segments] == [False, True, True]


def test_spans_are_those_of_the_text() -> None:
    text = " -( C70 + 2 ) [TA:BX] / A_B[OS:M1] [RE-MIN:2014] [CAL:X] $POP"
    tree = parse_formule(text)

    def excerpt(span: Span) -> str:
        return text[span.start : span.end]

    first, second = tree.segments
    assert excerpt(first.span) == "-( C70 + 2 ) [TA:BX] / A_B[OS:M1] [RE-MIN:2014] [CAL:X]"
    assert excerpt(second.span) == "$POP"
    excerpts = [excerpt(node.span) for node in walk(first.expression)]
    assert excerpts == ["-( C70 + 2 ) [TA:BX] / A_B", "-( C70 + 2 )", "C70 + 2", "C70", "2", "A_B"]


def test_spans_do_not_take_part_in_equality() -> None:
    assert parse_formule("C70 [TA:BX]+1") == parse_formule(" C70[TA: BX] + 1")


def test_types_appel_and_sides_are_described() -> None:
    assert {type_appel for type_appel, _ in SOLDES} == set(TYPES_APPEL)
    assert {side for _, side in SOLDES} == set(SIDES)
    assert len(SOLDES) == 24
    assert {("BO", "SC"), ("BO", "SD"), ("NB", "SC"), ("NB", "SD")}.isdisjoint(SOLDES)
    for pair in [("SX", "C"), ("SS", "SD"), ("BR", "SC")]:
        text = f"{pair[1]}1[TA:{pair[0]}]"
        assert expression(text) == Variable(pair[1], "1", pair[0])  # type: ignore[arg-type]


def test_coefficients_name_columns_of_the_base() -> None:
    from workbench.dgfip.schema import AMOUNTS

    assert {column for coefficients in SOLDES.values() for column in coefficients} <= set(AMOUNTS)
    assert dict(SOLDES["BR", "SC"]) == {"credit_2": 1, "credit_6": -1, "credit_7": -1}  # odd, and kept
    assert dict(SOLDES["BR", "C"]) == {"credit_2": 1, "credit_6": -1, "debit_7": -1}


def test_the_grammar_travels_with_the_package() -> None:
    grammar = files("workbench.formules").joinpath("formule.lark")
    assert "formule" in grammar.read_text(encoding="utf-8")


def test_importing_the_package_does_not_load_lark() -> None:
    code = "import sys, workbench.formules; print('lark' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_two_threads_may_read_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    texts = [f"C{number}-D{number}[TA:BX]/(A_{number}+{number})" for number in range(200)]
    alone = [parse_formule(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(parse_formule, texts)) == alone

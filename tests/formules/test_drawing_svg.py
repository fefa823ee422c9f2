"""The drawing of a formule."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.formules import draw_tree_svg, parse_formule
from workbench.trames import Formule, Indicateur

SVG = "{http://www.w3.org/2000/svg}"


def labels(drawing: str) -> list[str]:
    root = ET.fromstring(drawing)  # noqa: S314 - our own text
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def test_terms_are_counted_as_a_person_does() -> None:
    # Five terms are one sum, not four sums inside one another; a leading plus says nothing.
    drawing = draw_tree_svg(parse_formule("+C70-D709+C71-A_B+2.5[TA:BR]"))
    assert labels(drawing) == ["Somme", "C70 [BR]", "−", "D709 [BR]", "+", "C71 [BR]", "−", "A_B", "+", "2,5"]


def test_the_bracket_that_closes_a_sum_is_seen() -> None:
    divided = labels(draw_tree_svg(parse_formule("C70+C73[TA:BX]/D60[TA:BX]")))
    assert divided == ["Quotient", "Somme", "C70 [BX]", "+", "C73 [BX]", "÷", "D60 [BX]"]


def test_conditions_and_offsets_are_said() -> None:
    drawing = draw_tree_svg(parse_formule("A_B[OS:M1][RE-MAX:2011]C74[TA:BX][TB:BP][RE-MIN:2012]"))
    assert labels(drawing) == [
        "Somme", "jusqu'à 2011", "A_B (−1 ex.)", "depuis 2012, budgets principaux", "C74 [BX]",
    ]  # fmt: skip


def test_each_node_says_its_stretch() -> None:
    text = "C70-A_B[TA:BX]"
    root = ET.fromstring(draw_tree_svg(parse_formule(text)))  # noqa: S314
    nodes = [each.attrib for each in root.iter() if "data-from" in each.attrib]
    spans = [(int(each["data-from"]), int(each["data-to"])) for each in nodes]
    assert [text[first:last] for first, last in spans] == ["C70-A_B", "C70", "A_B"]


@given(st.text(max_size=40))
def test_no_label_is_markup(label: str) -> None:
    clean = "".join(letter for letter in label if letter.isprintable())
    drawing = draw_tree_svg(parse_formule("C70[TA:BX]+1"), {"70": f"<script>{clean}</script>&\"'"})
    root = ET.fromstring(drawing)  # noqa: S314
    tags = {each.tag.removeprefix(SVG) for each in root.iter()}
    assert tags <= {
        "svg",
        "title",
        "g",
        "rect",
        "text",
        "tspan",
        "path",
    }


@pytest.mark.parametrize(
    "text",
    [
        "+".join(["C70"] * 5000) + "[TA:BX]",
        "(1+" * 150 + "1" + ")" * 150,
        "*".join(["2"] * 3000),
        "^".join(["2"] * 3000),
    ],
    ids=["terms", "parentheses", "factors", "powers"],
)
def test_a_huge_formule_is_drawn_in_part(text: str) -> None:
    drawing = draw_tree_svg(parse_formule(text))
    assert len(drawing) < 300_000
    assert any("de plus" in each for each in labels(drawing))


def test_notebooks_draw_formules() -> None:
    assert str(Formule("C70[TA:BX]")._repr_svg_()).startswith("<svg")
    assert Formule("C70[TA:")._repr_svg_() is None
    assert "Ventes" in Indicateur.from_texte("A_B", "C70[TA:BX]").tree_svg({"70": "Ventes"})

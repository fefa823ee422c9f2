"""An explanation as lines: signs, totals that add up, levels opened one at a time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation import Explanation
from workbench.widgets.explanations import explanation_tree, node_at


def compte(number: str, cents: int, sign: int = 1) -> Explanation:
    return Explanation("compte", number, "", Fraction(cents, 100), sign=sign)


def variable(label: str, *comptes: Explanation, sign: int = 1) -> Explanation:
    return Explanation("variable", label, "", sum((one.amount for one in comptes), Fraction(0)), comptes, sign)


PRODUITS = variable("C70[TA:BX]", compte("7011", 150_050), compte("706", -50))
CHARGES = variable("D64[TA:BX]", compte("641", 100_000), sign=-1)
SOMME = Explanation("operation", "somme", "", PRODUITS.amount - CHARGES.amount, (PRODUITS, CHARGES))
EPARGNE = Explanation("indicateur", "A_EPARGNE", "Épargne", SOMME.amount, (SOMME,))


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_lines_carry_signs_amounts_and_totals() -> None:
    line = explanation_tree(EPARGNE, {"A_EPARGNE": "euros"}, levels=3)
    assert (line["label"], line["libelle"], plain(line["value"])) == ("A_EPARGNE", "Épargne", "500,00 €")
    assert "total" not in line  # one child: nothing is added up
    (somme,) = line["children"]
    assert (somme["label"], somme["total"], plain(somme["value"])) == ("Somme", "Total", "500,00 €")
    produits, charges = somme["children"]
    assert (produits["sign"], plain(produits["value"])) == ("", "1 500,00 €")
    assert (charges["sign"], plain(charges["value"])) == ("−", "1 000,00 €")
    assert [(one["sign"], one["label"], plain(one["value"])) for one in produits["children"]] == [
        ("", "7011", "1 500,50 €"),
        ("+", "706", "−0,50 €"),
    ]


def test_deeper_levels_wait_to_be_asked_for() -> None:
    line = explanation_tree(EPARGNE, {}, levels=2)
    produits = line["children"][0]["children"][0]
    assert produits["more"] is True
    assert "children" not in produits
    node = node_at(EPARGNE, [0, 0])
    assert node is PRODUITS
    assert [one["label"] for one in explanation_tree(node, {}, levels=1)["children"]] == ["7011", "706"]


@pytest.mark.parametrize("path", [[1], [0, 2], [0, -1], [True], [0.0], ["0"], [None], [[0]], [0, 0, 0, 0]])
def test_a_path_that_leads_nowhere_gives_nothing(path: list[Any]) -> None:
    assert node_at(EPARGNE, path) is None


def test_products_and_quotients_say_their_operator_and_have_no_total() -> None:
    number = Explanation("nombre", "1000", "", Fraction(1000))
    quotient = Explanation("operation", "÷", "", PRODUITS.amount / 1000, (PRODUITS, number))
    line = explanation_tree(quotient, {})
    assert line["label"] == "Quotient"
    assert [one["sign"] for one in line["children"]] == ["", "÷"]
    assert "total" not in line
    assert plain(line["value"]) == "1,50 €"  # euros divided by a number stay euros
    ratio = Explanation("operation", "÷", "", PRODUITS.amount / CHARGES.amount, (PRODUITS, CHARGES))
    assert plain(explanation_tree(ratio, {})["value"]) == "1,5"


@pytest.mark.parametrize(
    ("unite", "value", "text"),
    [
        ("pourcentage", Fraction(123, 1000), "12,30 %"),
        ("annees", Fraction(44, 10), "4,40 ans"),
        ("ratio", Fraction(1, 3), "0,333"),
        ("euros_par_habitant", Fraction(10001, 10), "1 000,10 €/hab."),
    ],
)
def test_an_indicateur_is_written_in_its_unit(unite: str, value: Fraction, text: str) -> None:
    node = Explanation("indicateur", "A_B", "", value)
    assert plain(explanation_tree(node, {"A_B": unite})["value"]) == text
    shifted = Explanation("decalage", "A_B en 2018", "", value)
    assert plain(explanation_tree(shifted, {"A_B": unite})["value"]) == text


def test_a_very_deep_explanation_is_shown_a_level_at_a_time() -> None:
    node = compte("6", 100)
    for _ in range(5000):
        node = Explanation("operation", "opposé", "", -node.amount, (node,))
    line = explanation_tree(node, {}, levels=2)
    assert line["children"][0]["children"][0]["more"] is True
    assert node_at(node, [0] * 5000).label == "6"  # type: ignore[union-attr]


amounts = st.integers(-(10**13), 10**13)


@given(st.lists(st.tuples(amounts, st.sampled_from([1, -1])), min_size=2, max_size=30))
def test_what_is_shown_adds_up_to_what_is_shown(parts: list[tuple[int, int]]) -> None:
    comptes = tuple(compte(str(rank), cents, sign) for rank, (cents, sign) in enumerate(parts))
    total = sum(sign * cents for cents, sign in parts)
    line = explanation_tree(Explanation("operation", "somme", "", Fraction(total, 100), comptes), {})

    def cents(text: str) -> int:
        return int(plain(text).removesuffix(" €").replace(" ", "").replace(",", "").replace("−", "-"))

    shown = sum((-1 if child["sign"] == "−" else 1) * cents(child["value"]) for child in line["children"])
    assert shown == cents(line["value"])

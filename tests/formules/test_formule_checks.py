"""Names of other indicateurs, circles, whole trames; any text at all."""

from __future__ import annotations

import time

import pytest
from formule_strategies import formule_like, trees
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.formules import (
    FormuleSyntaxError,
    Reference,
    SyntaxTree,
    check_formule,
    check_formules,
    parse_formule,
    print_formule,
    walk,
)


@given(st.text() | formule_like)
@settings(max_examples=133, deadline=None)
def test_checking_never_raises_and_agrees_with_parsing(text: str) -> None:
    found = check_formule(text)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
        assert diagnostic.message
        assert "{" not in diagnostic.message + diagnostic.hint or "{" in text
    if any(diagnostic.severity == "error" for diagnostic in found):
        with pytest.raises(FormuleSyntaxError) as raised:
            parse_formule(text)
        assert raised.value.diagnostics == found
    else:
        assert parse_formule(text).segments


@given(formule_like, st.lists(st.text()), st.text() | st.none())
@settings(max_examples=50, deadline=None)
def test_checking_never_raises_whatever_the_names(text: str, known: list[str], name: str | None) -> None:
    check_formule(text, known, name=name)
    check_formule(text, dict.fromkeys(known, text), name=name)
    check_formules(dict.fromkeys(known, text))


@given(trees)
@settings(max_examples=33, deadline=None)
def test_a_printed_tree_has_no_error(tree: SyntaxTree) -> None:
    references = {
        node.indicateur for segment in tree.segments for node in walk(segment.expression) if isinstance(node, Reference)
    }
    found = check_formule(print_formule(tree), references)
    assert {diagnostic.code for diagnostic in found} <= {
        "exercices_inverses",
        "type_etablissement_inhabituel",
        "variable_deux_types_appel",
    }


def codes(text: str, known: object = None, name: str | None = None) -> list[str]:
    return [diagnostic.code for diagnostic in check_formule(text, known, name=name)]  # type: ignore[arg-type]


@pytest.mark.parametrize("known", [["A_B"], {"A_B"}, ("A_B",), {"A_B": "1"}, iter(["A_B"])])
def test_known_names_may_be_any_iterable(known: object) -> None:
    assert codes("A_B+A_C", known) == ["indicateur_inconnu"]


def test_references_are_not_looked_up_without_names() -> None:
    assert codes("A_B") == []
    assert codes("A_B", []) == ["indicateur_inconnu"]


def test_every_unknown_reference_is_told() -> None:
    assert codes("X_Y+X_Y*Z_T", ["A_B"]) == ["indicateur_inconnu"] * 3


def test_no_neighbour_is_offered_when_none_is_near() -> None:
    (diagnostic,) = check_formule("M14_DETTE", ["A_B", "ZZZ_TOP"])
    assert diagnostic.hint == ""


def test_a_formule_that_names_itself_is_a_circle_without_other_names() -> None:
    assert codes("A_B+A_B", name="A_B") == ["cycle"]
    assert codes("A_B+1", known=["C_D"], name="A_B") == ["cycle"]
    assert codes("A_B[OS:M1]+1", name="A_B") == ["cycle"]


def test_the_text_given_replaces_the_known_one() -> None:
    trame = {"A_B": "C_D", "C_D": "A_B"}
    assert codes("1", trame, "A_B") == []
    assert codes("A_B", trame, "C_D") == ["cycle"]


def test_a_circle_elsewhere_is_not_told_here() -> None:
    trame = {"A_B": "C_D", "C_D": "A_B", "E_F": "A_B"}
    assert codes("A_B", trame, "E_F") == []
    found = check_formules(trame)
    assert {name: [diagnostic.code for diagnostic in said] for name, said in found.items()} == {
        "A_B": ["cycle"],
        "C_D": ["cycle"],
        "E_F": [],
    }


def test_each_reference_that_leads_back_is_told_with_its_way() -> None:
    trame = {"A_A": "B_B+D_D+C_C", "B_B": "C_C", "C_C": "A_A", "D_D": "1"}
    messages = [diagnostic.message for diagnostic in check_formules(trame)["A_A"]]
    assert messages == [
        "L'indicateur A_A dépend de lui-même : A_A → B_B → C_C → A_A.",
        "L'indicateur A_A dépend de lui-même : A_A → C_C → A_A.",
    ]


def test_a_long_way_is_shortened() -> None:
    length = 2000
    trame = {f"A_{step}": f"A_{(step + 1) % length}" for step in range(length)}
    (diagnostic,) = check_formule("A_1", trame, name="A_0")
    assert diagnostic.message.endswith("A_0 → A_1 → A_2 → A_3 → A_4 → A_5 → … → A_1999 → A_0.")


def test_a_deep_trame_without_circle_is_right() -> None:
    trame = {f"A_{step}": f"A_{step + 1}+A_{step + 2}" for step in range(3000)}
    trame |= {"A_3000": "1", "A_3001": "1"}
    assert not any(check_formules(trame).values())
    assert codes("A_0", trame, "B_B") == []


def test_names_of_a_trame_are_checked() -> None:
    found = check_formules({"EPARGNE": "1", "A_B": "EPARGNE*2", "C12_A": "1", "D_E": "C12_A"})
    assert {name: [diagnostic.code for diagnostic in said] for name, said in found.items()} == {
        "EPARGNE": ["nom_impossible"],
        "A_B": ["nom_impossible"],
        "C12_A": ["nom_ambigu"],
        "D_E": [],
    }


@pytest.mark.parametrize("name", ["", "A", "A_", "_A", "A__B", "a_b", "A_é", "A B", "A-B", "A_B" * 40])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    assert codes("1", name=name) == ["nom_impossible"]


@pytest.mark.parametrize("name", ["A_B", "M14_CE_PFA_1000", "SCOT_1", "CD_12", "DETTE_1", "B2_C3"])
def test_good_names_are_accepted(name: str) -> None:
    assert codes("1", name=name) == []
    assert codes(name, [name]) == []


def test_known_names_of_all_kinds_can_be_read_back() -> None:
    for name in ["C12_AB", "1A_B", "SD16_X", "2014_X"]:
        expression = parse_formule(f"{name}+1").segments[0].expression
        assert Reference(name) in list(walk(expression))


def test_a_trame_of_500_formules_is_checked_quickly() -> None:
    text = "C282-D282+C2817-D2817[TA: BX]/(SD22-SC22+SD217-SC217)[TA: SX][RE-MAX:2014]+A_0[OS:M1]/$POP[RE-MIN:2015]"
    trame = {"A_0": "1"} | {f"A_{number}": text for number in range(1, 500)}
    check_formules({"A_B": "1"})  # builds the parser
    started = time.process_time()
    found = check_formules(trame)
    assert time.process_time() - started < 10
    assert not any(found.values())


def test_a_trame_where_nothing_is_known_is_checked_quickly() -> None:
    trame = {f"M14_CE_{number}": f"M14_CF_{number}+M14_CG_{number}" for number in range(500)}
    started = time.process_time()
    found = check_formules(trame)
    assert time.process_time() - started < 30
    assert sum(map(len, found.values())) == 1000

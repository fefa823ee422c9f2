"""Joining formules and their years into one text, and back."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trame_strategies import expressions, textes, unhurried, years

from workbench.formules import parse_formule, print_formule, split_segments
from workbench.trames.segments import join_formules, origins, split_texte, year_brackets


def _formule_strategies() -> ModuleType:
    path = Path(__file__).parents[1] / "formules" / "formule_strategies.py"
    spec = importlib.util.spec_from_file_location("formule_strategies_of_trames", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trees = _formule_strategies().trees
parts = st.lists(st.tuples(textes(["A_B", "C_D"]), years, years), min_size=1, max_size=4)


def canonical(part: tuple[str, int | None, int | None]) -> tuple[str, int | None, int | None]:
    return " ".join(part[0].split()), part[1], part[2]


@unhurried
@given(parts)
def test_splitting_undoes_joining(formules) -> None:
    formules = [canonical(part) for part in formules]
    assert split_texte(join_formules(formules)) == formules


@unhurried
@given(parts)
def test_joined_text_means_its_formules(formules) -> None:
    expected = [
        (segment.expression, first, last, segment.type_budget, segment.type_etablissement, segment.absolute)
        for texte, first, last in formules
        for segment in parse_formule(texte).segments
    ]
    found = parse_formule(join_formules(formules)).segments
    assert [
        (one.expression, one.exercice_min, one.exercice_max, one.type_budget, one.type_etablissement, one.absolute)
        for one in found
    ] == expected


@unhurried
@given(trees)
def test_any_formule_keeps_its_meaning(tree) -> None:
    text = print_formule(tree)
    again = join_formules(split_texte(text))
    assert parse_formule(again) == parse_formule(text)
    assert not any(year_brackets(texte) for texte, _, _ in split_texte(text))


@unhurried
@given(st.lists(st.tuples(expressions(["A_B"]), years, years), min_size=1, max_size=4))
def test_segments_are_those_of_the_language(formules) -> None:
    text = join_formules([canonical(part) for part in formules])
    assert split_texte(text) == [canonical(part) for part in split_segments(text)]


@unhurried
@given(parts)
def test_origins_point_at_the_same_character(formules) -> None:
    joined = join_formules(formules)
    for character, (number, offset) in zip(joined, origins(formules), strict=True):
        if number >= 0:
            assert formules[number][0][offset] == character
        else:
            assert character in "[]RE-MINAX:#0123456789\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n", []),
        ("C70[TA:BX]", [("C70[TA:BX]", None, None)]),
        ("C70[TA:BX][RE-MIN:#][RE-MAX:#]", [("C70[TA:BX]", None, None)]),
        # the first of two same conditions wins
        ("C70[TA:BX][RE-MIN:2012][RE-MIN:2015]", [("C70[TA:BX]", 2012, None)]),
        # the order and the blanks of conditions are free
        ("C70[TA:BX][RE-MAX:2015][TB:BP] [ RE - MIN : 2012 ]", [("C70[TA:BX][TB:BP]", 2012, 2015)]),
        # neighbours of the same exercices stay together when a condition parts them
        ("A_B[TB:BP]A_C[TB:BA]", [("A_B[TB:BP]A_C[TB:BA]", None, None)]),
        # a line break keeps them apart
        ("A_B[TB:BP]\nA_C[TB:BA]", [("A_B[TB:BP]", None, None), ("A_C[TB:BA]", None, None)]),
        # without a condition they could not be written side by side
        ("A_B[RE-MIN:2012]A_C[RE-MIN:2012]", [("A_B", 2012, None), ("A_C", 2012, None)]),
    ],
)
def test_split(text, expected) -> None:
    assert split_texte(text) == expected


def test_last_formule_ends_with_a_condition_for_the_old_system() -> None:
    assert join_formules([("A_B", None, 2016), ("A_C", None, None)]) == "A_B[RE-MIN:#][RE-MAX:2016]A_C[RE-MIN:#]"


def test_brackets_without_end_are_read_quickly() -> None:
    assert split_texte("[RE-MIN:" * 20_000) == [("[RE-MIN:" * 20_000, None, None)]
    assert len(split_texte("A_B[CAL:X]" * 5_000)) == 1

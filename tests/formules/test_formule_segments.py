"""Texts of segments, each standing alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from formule_strategies import formule_like, trees
from hypothesis import given, settings

from workbench.formules import FormuleSyntaxError, SyntaxTree, parse_formule, print_formule, split_segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("C70 + 1[TA: BX]", [("C70 + 1[TA: BX]", None, None)]),
        ("C70[TA:BX][RE-MAX:2014]", [("C70[TA:BX]", None, 2014)]),
        ("A_B [RE - MIN: 2017 ][RE - MAX : # ]", [("A_B", 2017, None)]),
        ("A_B [RE-MIN:2014] [CAL:X]", [("A_B [CAL:X]", 2014, None)]),
        ("A_B[TB:BP][RE-MIN:2014][TE:101][RE-MAX:2015]", [("A_B[TB:BP][TE:101]", 2014, 2015)]),
        ("A_B[CAL:X]\n+ C_D", [("A_B[CAL:X]", None, None), ("+ C_D", None, None)]),
        ("A_B[TB:BP]C_D[TB:BA]", [("A_B[TB:BP]", None, None), ("C_D[TB:BA]", None, None)]),
        # what does not stand alone is written anew
        ("C73[RE-MAX:2013]C74[TA:BX]", [("C73[TA:BX]", None, 2013), ("C74[TA:BX]", None, None)]),
        ("A_B[RE-MAX:2013]1[OS:M1]", [("A_B[OS:M1]", None, 2013), ("1", None, None)]),
        # a bracket that the first of its key makes void goes with the years
        ("A_B[RE-MIN:2014][RE-MIN:2015]", [("A_B", 2014, None)]),
    ],
)
def test_split(text: str, parts: list[tuple[str, int | None, int | None]]) -> None:
    assert split_segments(text) == parts


def check_parts(text: str) -> None:
    tree = parse_formule(text)
    parts = split_segments(text)
    assert len(parts) == len(tree.segments)
    for segment, (texte, exercice_min, exercice_max) in zip(tree.segments, parts, strict=True):
        assert parse_formule(texte) == SyntaxTree((replace(segment, exercice_min=None, exercice_max=None),))
        assert (exercice_min, exercice_max) == (segment.exercice_min, segment.exercice_max)


@given(trees)
@settings(max_examples=50, deadline=None)
def test_each_part_means_alone_what_it_meant(tree: SyntaxTree) -> None:
    check_parts(print_formule(tree))


@given(formule_like)
@settings(max_examples=50, deadline=None)
def test_a_wrong_text_is_refused_and_a_right_one_is_split(text: str) -> None:
    try:
        parse_formule(text)
    except FormuleSyntaxError:
        with pytest.raises(FormuleSyntaxError):
            split_segments(text)
    else:
        check_parts(text)

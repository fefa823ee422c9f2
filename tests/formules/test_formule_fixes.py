"""What an editor offers to write instead: each fix mends what it is offered for."""

from __future__ import annotations

import pytest
from formule_strategies import formule_like
from hypothesis import given

from workbench.formules import DIAGNOSTICS, apply_fix, check_formule, fixes_of

KNOWN = ["A_VENTES", "A_B", "C_D"]
MENDED = [
    ("C70-D70", "C70-D70[TA:BR]"),
    ("C70[TA:BX]+C71[RE-MIN:2014]", "C70[TA:BX]+C71[TA:BR][RE-MIN:2014]"),
    ("C70[TA:BY]", "C70[TA:BX]"),
    ("SD16[TA:BO]", "D16[TA:BO]"),
    ("C70[TA:BX", "C70[TA:BX]"),
    ("C70[ta:bx]", "C70[TA:BX]"),
    ("C70[TA BX]", "C70[TA:BX]"),
    ("C70[TA:BX][REMIN:2014]", "C70[TA:BX][RE-MIN:2014]"),
    ("A_B[OS:X1]", "A_B[OS:M1]"),
    ("C70[TA:BX][TB:XX]", "C70[TA:BX][TB:BP]"),
    ("C70[TA:BX][RE-MIN:14]", "C70[TA:BX][RE-MIN:2014]"),
    ("C70[TA:BX][RE-MIN:2020][RE-MAX:2014]", "C70[TA:BX][RE-MIN:2014][RE-MAX:2020]"),
    ("C70[TA:BX][RE-MIN:2014][RE-MIN:2015]", "C70[TA:BX][RE-MIN:2014]"),
    ("A_VENTE/2", "A_VENTES/2"),
    ("a_ventes/2", "A_VENTES/2"),
    ("C7O[TA:BX]", "C70[TA:BX]"),
    ("c70[TA:BX]", "C70[TA:BX]"),
    ("C 70[TA:BX]", "C70[TA:BX]"),
    ("A_B−C_D", "A_B-C_D"),
    ("A_B×2", "A_B*2"),
    ("0,5*A_B", "0.5*A_B"),
    ("A_B C_D", "A_B+C_D"),
    ("A_B+", "A_B"),
    ("(A_B+C_D", "(A_B+C_D)"),
    ("A_B+C_D)", "A_B+C_D"),
    ("A_B[TA:BX]", "A_B"),
]


@pytest.mark.parametrize(("text", "expected"), MENDED)
def test_the_first_fix_mends(text: str, expected: str) -> None:
    offered = [fix for each in check_formule(text, KNOWN) for fix in fixes_of(text, each, KNOWN)]
    assert apply_fix(text, offered[0]) == expected
    assert check_formule(expected, KNOWN) == []
    assert all(fix.title for fix in offered)


def test_what_has_no_likely_mending_has_no_fix() -> None:
    for text in ("", "Z_Z/2", "C70[TA:BX]", "éé"):
        assert [fix for each in check_formule(text, KNOWN) for fix in fixes_of(text, each, KNOWN)] == []


def test_every_offer_is_for_a_diagnostic_that_exists() -> None:
    from workbench.formules.fixes import _OFFERS

    assert set(_OFFERS) <= set(DIAGNOSTICS)


@given(formule_like)
def test_a_fix_touches_its_span_alone_and_leaves_less_of_the_remark(text: str) -> None:
    for each in check_formule(text, KNOWN):
        for fix in fixes_of(text, each, KNOWN):
            assert 0 <= fix.span.start <= fix.span.end <= len(text)
            after = apply_fix(text, fix)
            assert after.startswith(text[: fix.span.start])
            assert after.endswith(text[fix.span.end :])
            before = [one.code for one in check_formule(text, KNOWN)].count(each.code)
            if each.code not in {"indicateur_inconnu", "nom_impossible"}:
                assert [one.code for one in check_formule(after)].count(each.code) < before

"""Texts nobody writes: handled or refused at once, never by a RecursionError."""

from __future__ import annotations

import copy
import pickle
import time

import pytest

from workbench.formules import (
    check_formule,
    format_diagnostic,
    parse_formule,
    print_formule,
    split_segments,
    walk,
)
from workbench.formules.words import MAX_DEPTH, MAX_LENGTH

REFUSED = {
    "nested parentheses": ("(" * 10_000 + "1" + ")" * 10_000, "formule_trop_longue"),
    "open parentheses": ("(" * 10_000, "imbrication_trop_profonde"),
    "one level too many": ("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "imbrication_trop_profonde"),
    "a megabyte of digits": ("1" * 1_000_000, "texte_trop_long"),
    "digits up to the limit": ("1" * MAX_LENGTH, "nombre_trop_long"),
    "digits of a compte": ("C" + "1" * 99_000 + "[TA:BX]", "compte_trop_long"),
    "signs": ("-" * 100_000 + "1", "texte_trop_long"),
    "ten thousand signs": ("-" * 10_000 + "1", "imbrication_trop_profonde"),
    "ten thousand operators": ("1" + "+1" * 10_000, "formule_trop_longue"),
    "opening brackets": ("[" * 100_000, "formule_trop_longue"),
    "closing brackets": ("]" * 100_000, "caractere_inattendu"),
    "bracket never closed": ("C70[" + "A" * 99_000, "crochet_non_ferme"),
    "bracket of blanks": ("C70[" + " " * 90_000 + "]", "crochet_mal_forme"),
    "long name": ("A_" * 49_999, "mot_inconnu"),
    "underscores": ("_" * 100_000, "mot_inconnu"),
    "blanks": (" " * 100_000, "formule_vide"),
    "dots": ("1." * 5_000, "caractere_inattendu"),
    "operators alone": ("*+" * 5_900, "operande_manquante"),
    "brackets that group": (
        "+".join(f"C{compte}[TA:{'BX' if compte % 2 else 'SX'}]*2" for compte in range(210)),
        "imbrication_trop_profonde",
    ),
    "a canonical text that is too long": (
        "1+" * 5_500 + "+".join(f"C{compte}[TA:{'BX' if compte % 2 else 'SX'}]*2" for compte in range(190)),
        "formule_trop_longue",
    ),
    "empty parentheses": ("()" * 5_900, "parentheses_vides"),
    "values in a row": ("C70 " * 11_900, "operateur_manquant"),
    "unreadable words": ("é " * 11_900, "mot_inconnu"),
    "unknown references": ("+".join(f"M14_CE_{number}" for number in range(5_900)), "indicateur_inconnu"),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_is_refused_quickly(text: str, code: str) -> None:
    check_formule("1")  # builds the parser
    started = time.process_time()
    found = check_formule(text, {f"M14_CF_{number}": "1" for number in range(300)}, name="A_B")
    assert time.process_time() - started < 20  # a few tenths, on a machine that does nothing else
    assert code in {diagnostic.code for diagnostic in found}
    assert len(format_diagnostic(text, found[0])) < 1000


ACCEPTED = {
    "deepest parentheses": "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH,
    "deepest to the right": "1-(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH,
    "deepest signs": "-(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH,
    "signs in a row": "-" * MAX_DEPTH + "1",
    "a sum": "1" + "+1" * 5_999,
    "a sum of variables": "+".join(f"C{compte}" for compte in range(5_000)) + "[TA:BX]",
    "a product of types d'appel": "*".join(f"C{compte}[TA:{'BX' if compte % 2 else 'SX'}]" for compte in range(1_500)),
    "a sum of products": "+".join(f"(C{compte}[TA:{'BX' if compte % 2 else 'SX'}]*2)" for compte in range(1_500)),
    "brackets that group": "+".join(f"C{compte}[TA:{'BX' if compte % 2 else 'SX'}]*2" for compte in range(200)),
    "offsets": "-".join(f"A_{number}[OS:M1]" for number in range(1_500)),
    "segments": "C70[TA:BX][RE-MIN:2014]" * 1_000,
    "segments that share a type d'appel": "C70[RE-MIN:2014]" * 1_000 + "C70[TA:BX]",
    "a long label": "1[CAL:" + "A" * 99_000 + "]",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_is_handled_whatever_its_depth(text: str) -> None:
    tree = parse_formule(text)
    twin = parse_formule(text)
    assert tree == twin
    assert hash(tree) == hash(twin)
    assert repr(tree) == repr(twin)
    assert pickle.loads(pickle.dumps(tree)) == tree  # noqa: S301
    assert copy.deepcopy(tree) == tree
    assert sum(1 for segment in tree.segments for _ in walk(segment.expression)) >= 1
    printed = print_formule(tree)
    assert parse_formule(printed) == tree


def test_many_segments_are_split() -> None:
    assert split_segments("C70[TA:BX][RE-MIN:2014]" * 1_000) == [("C70[TA:BX]", 2014, None)] * 1_000

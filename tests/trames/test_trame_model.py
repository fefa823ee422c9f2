"""Trames as values."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from trame_strategies import trames, unhurried

from workbench.formules import FormuleSyntaxError, parse_formule
from workbench.trames import (
    DependentIndicateurError,
    Formule,
    Indicateur,
    Trame,
    TrameError,
    UnknownIndicateurError,
    check_trame,
    trame_from_formules,
)


@pytest.fixture
def trame() -> Trame:
    return trame_from_formules(
        {
            "A_DESENDETTEMENT": "A_DETTE/A_EPARGNE",
            "A_EPARGNE": "C7[TA:BX]-D6[TA:BX][RE-MAX:2016]+C7[TA:BX]-D6[TA:BX][RE-MIN:2017]",
            "A_DETTE": "SC164-SD164[TA:SX]",
            "A_DETTE_HABITANT": "A_DETTE/$POP-A_DETTE[OS:M1]",
        },
        nomenclature="M14",
        libelles={"A_DETTE": "Encours"},
    )


def test_access(trame) -> None:
    assert trame["A_DETTE"].libelle == "Encours"
    assert trame.codes == ("A_DESENDETTEMENT", "A_EPARGNE", "A_DETTE", "A_DETTE_HABITANT")
    assert trame._ipython_key_completions_() == list(trame.codes)
    with pytest.raises(KeyError) as caught:
        trame["A_DETTES"]
    assert isinstance(caught.value, UnknownIndicateurError)
    assert "« A_DETTE »".replace(" ", "\u00a0") in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 (written on this line)


def test_empty_trame_is_a_trame() -> None:
    empty = Trame("vide", ())
    assert empty
    assert len(empty) == 0
    assert empty.order == ()
    assert "<table" in empty._repr_html_()


def test_order_puts_dependencies_first(trame) -> None:
    assert trame.order == ("A_DETTE", "A_EPARGNE", "A_DESENDETTEMENT", "A_DETTE_HABITANT")
    assert trame.dependencies("A_DESENDETTEMENT") == ("A_DETTE", "A_EPARGNE")
    assert trame.uses("A_DETTE") == ("A_DESENDETTEMENT", "A_DETTE_HABITANT")


def test_order_of_a_long_chain() -> None:
    count = 3000
    formules = {f"A_{number}": f"A_{number + 1}+1" for number in range(count)} | {f"A_{count}": "1"}
    assert trame_from_formules(formules).order == tuple(f"A_{number}" for number in range(count, -1, -1))


def test_circle_is_named() -> None:
    trame = Trame(
        "essai",
        (
            Indicateur("A_A", formules=(Formule("A_B"),)),
            Indicateur("A_B", formules=(Formule("A_C"),)),
            Indicateur("A_C", formules=(Formule("A_B"),)),
        ),
    )
    with pytest.raises(TrameError, match="A_B → A_C → A_B"):
        _ = trame.order


def test_codes_are_unique() -> None:
    with pytest.raises(TrameError, match="A_B"):
        Trame("essai", (Indicateur("A_B"), Indicateur("A_B", "autre")))


@unhurried
@given(trames())
def test_texte_gives_exactly_the_segments(trame) -> None:
    for one in trame.indicateurs:
        bounds = [(segment.exercice_min, segment.exercice_max) for segment in one.tree.segments]
        assert list(dict.fromkeys(bounds)) == list(
            dict.fromkeys((part.exercice_min, part.exercice_max) for part in one.formules)
        )
        if one.formules:
            assert parse_formule(one.texte) == one.tree
    assert not [problem for problem in check_trame(trame) if problem.severity == "error"]


@unhurried
@given(trames())
def test_equal_trames_have_one_hash(trame) -> None:
    copy = pickle.loads(pickle.dumps(trame))  # noqa: S301 (written on this line)
    assert copy == trame
    assert hash(copy) == hash(trame)
    assert hash(replace(trame, libelle=trame.libelle + "x")) != hash(trame)


@unhurried
@given(trames())
def test_order_holds_every_indicateur_after_its_dependencies(trame) -> None:
    order = trame.order
    assert sorted(order) == sorted(trame.codes)
    for code in order:
        assert all(order.index(other) < order.index(code) for other in trame.dependencies(code))


def test_with_indicateur_replaces_in_place_or_adds_at_the_end(trame) -> None:
    changed = trame.with_indicateur(Indicateur("A_EPARGNE", "Épargne"))
    assert changed.codes == trame.codes
    assert changed["A_EPARGNE"].libelle == "Épargne"
    assert trame["A_EPARGNE"].libelle == ""
    assert trame.with_indicateur(Indicateur("A_Z")).codes == (*trame.codes, "A_Z")


def test_without_indicateur(trame) -> None:
    assert trame.without_indicateur("A_DESENDETTEMENT").codes == ("A_EPARGNE", "A_DETTE", "A_DETTE_HABITANT")
    with pytest.raises(DependentIndicateurError, match="A_DESENDETTEMENT, A_DETTE_HABITANT"):
        trame.without_indicateur("A_DETTE")
    with pytest.raises(UnknownIndicateurError):
        trame.without_indicateur("A_RIEN")


def test_rename_follows_references_and_no_longer_name(trame) -> None:
    renamed = trame.rename_indicateur("A_DETTE", "A_ENCOURS")
    assert renamed.codes == ("A_DESENDETTEMENT", "A_EPARGNE", "A_ENCOURS", "A_DETTE_HABITANT")
    assert renamed["A_DETTE_HABITANT"].texte == "A_ENCOURS/$POP-A_ENCOURS[OS:M1]"
    assert renamed["A_DESENDETTEMENT"].texte == "A_ENCOURS/A_EPARGNE"
    assert not check_trame(renamed)
    assert renamed.rename_indicateur("A_ENCOURS", "A_DETTE") == trame
    with pytest.raises(TrameError):
        trame.rename_indicateur("A_DETTE", "A_EPARGNE")
    with pytest.raises(UnknownIndicateurError):
        trame.rename_indicateur("A_RIEN", "A_Z")


def test_canonical_form() -> None:
    one = Indicateur("A_B", " a\n b ", [Formule(" C70\u00a0+\n C71[TA:BX] ")], "l1  \r\nl2\n\n", unite="")  # type: ignore[arg-type]
    assert one == Indicateur("A_B", "a b", (Formule("C70 + C71[TA:BX]"),), "l1\nl2")
    assert hash(one)


def test_no_formule_is_worth_nothing() -> None:
    one = Indicateur("A_B")
    assert one.texte == ""
    assert one.tree.segments == ()
    assert one.references == ()


def test_wrong_text_is_refused_with_every_diagnostic() -> None:
    with pytest.raises(FormuleSyntaxError) as caught:
        Indicateur.from_texte("A_B", "C70+D60[TA:ZZ]*[RE-MIN:20XX]")
    assert len(caught.value.diagnostics) > 1


def test_from_formules_lists_every_error() -> None:
    with pytest.raises(TrameError) as caught:
        trame_from_formules(
            {"A_A": "A_Z+1", "a": "1", "A_B": "C70", "A_C": "", "A_D": "1[RE-MIN:20XX]"}, libelles={"A_E": "?"}
        )
    assert sorted({error.where for error in caught.value.errors}) == ["A_A", "A_B", "A_C", "A_D", "A_E", "a"]


def test_check_trame_looks_at_every_field() -> None:
    wrong = Trame(
        "x/y",
        (
            Indicateur("A_B", "nul\x00", (Formule(""), Formule("1[RE-MIN:2012]"), Formule("1", 20120)), unite="euro"),
            Indicateur("2A_B", formules=(Formule("1"),)),
        ),
        types_etablissement=("1",),
        types_identifiant=("RNA",),
        modele="../m.xlsx",
    )
    problems = check_trame(wrong)
    assert [(one.where, one.severity) for one in problems].count(("x/y", "error")) == 4
    assert sum(one.where == "A_B" and one.severity == "error" for one in problems) >= 5
    assert [one.severity for one in problems if one.where == "2A_B"] == ["warning"]


def test_html_is_escaped() -> None:
    trame = Trame("t", (Indicateur("A_B", "<b>", (Formule("1"),), "'><script>"),), "<i>")
    shown = trame._repr_html_()
    assert "<script>" not in shown
    assert "&lt;i&gt;" in shown
    assert "&lt;b&gt;" in shown
    assert "A_B" in str(trame)


def test_error_survives_pickling() -> None:
    with pytest.raises(TrameError) as caught:
        trame_from_formules({"A_A": "C70"})
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (written on this line)
    assert again.errors == caught.value.errors
    assert str(again) == str(caught.value)
    assert again.source == "trame"

"""What changed between two trames."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from trame_strategies import trames, unhurried

from workbench.trames import Formule, Indicateur, Trame, compare_trames, serie_of, trame_from_formules


@unhurried
@given(trames())
def test_same_trames_do_not_differ(trame) -> None:
    comparison = compare_trames(trame, trame)
    assert comparison.same
    assert not comparison
    assert "aucune différence" in str(comparison)


@unhurried
@given(trames(), trames())
def test_comparison_is_empty_only_for_equal_trames(before, after) -> None:
    assert compare_trames(before, after).same is (before == after)
    forth, back = compare_trames(before, after), compare_trames(after, before)
    assert forth.added == back.removed
    assert [change.code for change in forth.changed] != [] or forth.moved is back.moved


def test_every_kind_of_change() -> None:
    before = trame_from_formules(
        {
            "A_A": "C70[TA:BX][RE-MAX:2016]+C701[TA:BX][RE-MIN:2017]",
            "A_B": "C71[TA: BX] + C72[TA:BX]",
            "A_C": "1",
            "A_D": "2",
        },
        nomenclature="M14",
    )
    after = Trame(
        "trame",
        (
            Indicateur("A_D", "Deux", (Formule("2"),), theme="T"),
            Indicateur("A_A", formules=(Formule("C70[TA:BX]", None, 2016), Formule("C702[TA:BX]", 2017))),
            Indicateur.from_texte("A_B", "+C71[TA:BX]+C72[TA:BX]"),
            Indicateur("A_E", "<Neuf>", (Formule("3", 2012, 2016),)),
        ),
        nomenclature="M57",
        types_etablissement=("101",),
    )
    comparison = compare_trames(before, after)
    assert str(comparison).replace("\u00a0", " ") == (
        "De trame à trame :\n"
        "  nomenclature : M14 → M57\n"
        "  types d'établissement : (vide) → 101\n"
        "Ajoutés :\n"
        "  A_E  <Neuf>\n"
        "Supprimés :\n"
        "  A_C\n"
        "Modifiés :\n"
        "  A_A\n"
        "    - +C701[TA:BX]  (depuis 2017)\n"
        "    + C702[TA:BX]  (depuis 2017)\n"
        "  A_B\n"
        "    formule écrite autrement, de même valeur\n"
        "    - C71[TA: BX] + C72[TA:BX]\n"
        "    + +C71[TA:BX]+C72[TA:BX]\n"
        "  A_D\n"
        "    libellé : (vide) → Deux\n"
        "    thème : (vide) → T\n"
        "Les indicateurs communs ne sont pas dans le même ordre."
    )
    shown = comparison._repr_html_()
    assert "<del><code" in shown
    assert "<ins><code" in shown
    assert "&lt;Neuf&gt;" in shown
    assert "<Neuf>" not in shown


def test_a_sign_that_matters_is_no_writing() -> None:
    before = Trame("t", (Indicateur("A_A", formules=(Formule("1-2"),)),))
    after = Trame("t", (Indicateur("A_A", formules=(Formule("1--2"),)),))
    assert not compare_trames(before, after).changed[0].same_meaning


def test_wrong_formules_can_be_compared() -> None:
    before = Trame("t", (Indicateur("A_A", formules=(Formule("C70"),)),))
    after = before.with_indicateur(replace(before["A_A"], formules=(Formule("C71"),)))
    assert not compare_trames(before, after).changed[0].same_meaning


def test_series_are_compared_trame_by_trame() -> None:
    def serie(m14: str, code: str = "s", **more: str) -> Trame:
        parts = [("M14", {"A_B": m14}), ("M57", {"A_B": "C73[TA:BX]"})]
        trames = [trame_from_formules(texts, nomenclature=name, code=f"s_{name}") for name, texts in parts]
        trames += [trame_from_formules({"A_B": text}, nomenclature=name, code=name) for name, text in more.items()]
        return serie_of(trames, code=code)

    assert compare_trames(serie("C70[TA:BX]"), serie("C70[TA:BX]")).same
    # The text in force is the same: only the older trame changed.
    found = compare_trames(serie("C70[TA:BX]"), serie("C71[TA:BX]"))
    assert not found.same
    assert [each.code for one in found.trames for each in one.changed] == ["A_B"]
    assert "De s_M14 à s_M14 :" in str(found)
    assert "C71[TA:BX]" in found._repr_html_()
    longer = compare_trames(serie("C70[TA:BX]"), serie("C70[TA:BX]", M52="C7[TA:BX]"))
    assert "nomenclature : M14+M57 → M14+M57+M52" in str(longer)
    assert compare_trames(serie("C70[TA:BX]"), trame_from_formules({"A_B": "C73[TA:BX]"}, code="s"))

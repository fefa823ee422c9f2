"""A formule being written, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.plans import Compte, PlanComptes, PlansComptes
from workbench.widgets.formule_draft import MOST_COLLECTIVITES, FormuleDraft

NUMEROS = (
    ("6", "Charges"), ("60", "Achats"), ("7", "Produits"), ("70", "Ventes"), ("701", "Produits finis"),
    ("73", "Impôts"), ("739", "Reversements"),
)  # fmt: skip
PLAN = PlanComptes("M57", 2024, tuple(Compte(*each) for each in NUMEROS))
TRAME = wb.trame_from_formules({"A_VENTES": "C70[TA:BR]", "A_PART": "A_VENTES/$POP"}, nomenclature="M57", code="essai")


@pytest.fixture
def base(demonstration_base: str) -> Iterator[wb.Base]:
    with wb.connect(demonstration_base) as opened:
        yield opened


def test_a_mistake_is_mended_by_its_fix() -> None:
    draft = FormuleDraft("C70-D70[TA:BR", trame=TRAME)
    [said] = draft.said()["diagnostics"]
    assert (said["severity"], draft.texte[said["from"] : said["to"]]) == ("error", "[TA:BR")
    fix = said["fixes"][0]
    draft.write(draft.texte[: fix["from"]] + fix["replacement"] + draft.texte[fix["to"] :])
    assert (draft.texte, draft.said()["diagnostics"], draft.right) == ("C70-D70[TA:BR]", [], True)


def test_the_place_of_a_formule_matters() -> None:
    draft = FormuleDraft("A_PART", code="A_VENTES", trame=TRAME)
    assert [each["code"] for each in draft.said()["diagnostics"]] == ["cycle"]
    assert all(each["text"] != "A_VENTES" for each in draft.completions("A_", 2))
    draft.place(TRAME, "A_AUTRE", "A_PART")
    assert draft.right
    assert {each["text"] for each in draft.completions("A_", 2)} == {"A_VENTES", "A_PART"}


def test_nothing_written_is_no_mistake() -> None:
    said = FormuleDraft("").said()
    assert said == {"diagnostics": [], "right": False, "empty": True}


def test_labels_and_remarks_come_from_the_chart() -> None:
    draft = FormuleDraft("C70+C701-D799[TA:BR]", trame=TRAME, plans=PLAN)
    assert draft.reads()[:2] == [{"text": "70", "libelle": "Ventes"}, {"text": "701", "libelle": "Produits finis"}]
    nothing, twice = draft.remarks()
    assert draft.texte[nothing["from"] : nothing["to"]] == "D799"
    assert "ne commence par 799" in nothing["message"]
    assert "701" in twice["message"]
    assert [each["libelle"] for each in draft.completions("C73", 3)] == ["Impôts", "Reversements"]
    assert "Ventes" in draft.tree()
    draft.write("C70[TA:")
    assert (draft.tree(), draft.remarks()) == ("", [])


def test_the_chart_of_another_exercice_can_be_chosen() -> None:
    older = PlanComptes("M57", 2023, (Compte("7", "Produits"), Compte("70", "Ventes d'avant", "7")))
    draft = FormuleDraft("C70[TA:BR]", trame=TRAME, plans=PlansComptes.of([PLAN, older]))
    assert draft.choices()["plans"] == ["2023", "2024"]
    draft.choose_plan("2023")
    assert draft.reads() == [{"text": "70", "libelle": "Ventes d'avant"}]
    for wrong in ("2022", 2023, None):
        with pytest.raises(WorkbenchError, match="choix"):
            draft.choose_plan(wrong)


def test_values_are_those_of_the_base(base: wb.Base, demonstration_siret: str) -> None:
    draft = FormuleDraft("A_VENTES*2", trame=TRAME, base=base, sirets=[demonstration_siret])
    table = wb.evaluate(
        wb.trame_from_formules({"A_VENTES": "C70[TA:BR]", "A_X": "A_VENTES*2"}, "M57"),
        base,
        sirets=demonstration_siret,
        exercices=range(2000, 2100),
    )
    values: Any = draft.values()
    assert tuple(values["exercices"]) == draft.exercices
    [row] = values["rows"]
    from workbench.reports.numbers import format_value

    expected = [
        format_value(table.at["A_X", year], decimals=2) if year in table.columns else "" for year in draft.exercices
    ]
    assert row["cells"] == expected
    assert any(expected)


def test_the_explanation_follows_what_is_wished(base: wb.Base, demonstration_siret: str) -> None:
    draft = FormuleDraft("C7[TA:BX]", trame=TRAME, base=base, sirets=[demonstration_siret])
    first: Any = draft.explanation()
    assert first["exercice"] == 2024
    draft.wish(demonstration_siret, 2023)
    second: Any = draft.explanation()
    assert second["exercice"] == 2023
    assert second["tree"]["children"][0]["label"] == "C7[TA:BX]"
    assert draft.expansion([0])["children"]  # type: ignore[index]
    for nowhere in ([99], ["0"], None, [True], "0"):
        assert draft.expansion(nowhere) is None
    draft.write("C7[TA:")
    assert (draft.values(), draft.explanation()) == (None, None)
    draft.write("C7[TA:BX]")
    draft.wish("00000000000000", 2023)
    draft.wish(demonstration_siret, "2023")
    assert draft.explanation()["exercice"] == 2023  # type: ignore[index]


def test_what_is_too_large_is_said(base: wb.Base, demonstration_siret: str) -> None:
    draft = FormuleDraft("C7[TA:BX]" + "*C7[TA:BX]" * 60, base=base, sirets=[demonstration_siret])
    assert draft.right
    assert draft.values() is not None
    assert draft.explanation() is None


def test_collectivites_come_and_go(base: wb.Base, demonstration_siret: str) -> None:
    draft = FormuleDraft("C7[TA:BX]", base=base)
    assert draft.values() is None
    sirets = [each["value"] for each in draft.search("")]
    assert demonstration_siret in [each["value"] for each in draft.search(demonstration_siret)]
    for siret in sirets[:MOST_COLLECTIVITES]:
        draft.add_collectivite(siret)
    draft.add_collectivite(sirets[0])
    with pytest.raises(WorkbenchError) as refused:
        draft.add_collectivite(sirets[MOST_COLLECTIVITES])
    assert refused.value.code == "collectivites_trop_nombreuses"
    draft.remove_collectivite(sirets[0])
    draft.remove_collectivite({"no": "siret"})
    assert [each["siret"] for each in draft.values()["rows"]] == sirets[1:MOST_COLLECTIVITES]  # type: ignore[index]


@pytest.mark.parametrize("siret", ["00000000000000", "x" * 14, "' OR 1=1 --xx", 12, None, ["9"]])
def test_no_siret_is_believed(base: wb.Base, siret: object) -> None:
    draft = FormuleDraft("C7[TA:BX]", base=base)
    with pytest.raises(WorkbenchError) as refused:
        draft.add_collectivite(siret)
    assert refused.value.code == "choix_inconnu"
    assert draft.choices()["collectivites"] == []


def test_a_period_is_among_what_is_offered(base: wb.Base) -> None:
    draft = FormuleDraft("C7[TA:BX]", base=base)
    draft.choose_period("2023", "2021")
    assert draft.exercices == (2021, 2022, 2023)
    for wrong in (("1900", "2021"), (2021, 2022), (None, "2021")):
        with pytest.raises(WorkbenchError):
            draft.choose_period(*wrong)
    assert draft.exercices == (2021, 2022, 2023)


@given(
    st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())), st.one_of(st.integers(), st.none(), st.text())
)
def test_any_text_is_answered(text: object, position: object) -> None:
    import json

    draft = FormuleDraft("", trame=TRAME, plans=PLAN)
    draft.write(text)
    draft.write("\ud800C70[TA:BX]" if text is None else text)
    whole = [
        draft.said(),
        draft.completions(text, position),
        draft.remarks(),
        draft.tree(),
        draft.reads(),
        draft.choices(),
    ]
    json.dumps(whole).encode()
    json.dumps(whole, ensure_ascii=False).encode()


def test_offsets_count_characters() -> None:
    draft = FormuleDraft("😀+C70", trame=TRAME)
    first, second = (each for each in draft.said()["diagnostics"])
    assert (first["from"], first["to"]) == (0, 1)
    assert (second["from"], second["to"]) == (2, 5)


def test_a_serie_is_written_trame_by_trame() -> None:
    other = wb.trame_from_formules({"A_VENTES": "C70[TA:BR]"}, nomenclature="M14", code="autre")
    with pytest.raises(WorkbenchError) as refused:
        FormuleDraft("A_VENTES", trame=wb.serie_of([TRAME, other], code="serie"))
    assert refused.value.code == "serie_ecriture"

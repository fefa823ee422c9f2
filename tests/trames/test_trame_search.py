"""The catalogue, what is kept of readings, and the editor's completions."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.formules import Variable, walk
from workbench.plans import Compte, PlanComptes
from workbench.trames import catalogue, completion, kept_readings, list_trames
from workbench.trames.formule_view import look_at_formule
from workbench.trames.search import readings_of

formule_like = st.lists(
    st.sampled_from([*"+-*/^()[]:", "C70", "SD16", "A_B", "$POP", "[TA:BX]", "[TA:", "[OS:M", "A_", "d", "vent", " "])
    | st.text(max_size=3),
    max_size=20,
).map("".join)

PLAN = PlanComptes(
    "M57",
    2024,
    tuple(
        Compte(*each)
        for each in (
            ("70", "Ventes"),
            ("701", "Ventes de produits", "70"),
            ("73", "Impôts et taxes"),
            ("739", "Reversements", "73"),
            ("7391", "Dégrèvements", "739"),
        )
    ),
)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Catalogue:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "trames"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "privees"))
    for folder, code, nomenclature, formules in (
        ("trames", "a_m14", "M14", {"A_IMPOTS": "C73-D7391[TA:BR][RE-MAX:2016]C73[TA:BR][RE-MIN:2017]"}),
        (
            "trames",
            "a_m57",
            "M57",
            {"A_IMPOTS": "C73-D739111[TA:BR]", "A_VENTES": "C70[TA:BR]", "A_PART": "A_VENTES/A_IMPOTS"},
        ),
        ("privees", "essai", "M57", {"A_DETTE": "SC16-SD16[TA:SX]"}),
    ):  # fmt: skip
        libelles = {"A_IMPOTS": "Impôts nets"} if folder == "trames" else {}
        trame = wb.trame_from_formules(formules, nomenclature, code, libelles)
        (tmp_path / folder).mkdir(exist_ok=True)
        wb.save_trame(trame, tmp_path / folder / f"{code}.yaml")
    (tmp_path / "trames" / "a.yaml").write_text("serie: [a_m14, a_m57]\n", encoding="utf-8")
    (tmp_path / "trames" / "fausse.yaml").write_text("indicateurs: [{code: A_B, formule: C70}]\n", encoding="utf-8")
    return catalogue()


def _rows(found: wb.Catalogue) -> list[tuple[str, str]]:
    return [(row.trame, row.code) for row in found]


def test_filters_chain(found: wb.Catalogue) -> None:
    assert len(found) == 5
    assert _rows(found.trame("~/*")) == [("~/essai", "A_DETTE")]
    assert _rows(found.nomenclature("M57").search("impots net")) == [("a_m57", "A_IMPOTS")]
    assert _rows(found.nomenclature("M14+M57").trame("a_*").reads("70")) == [("a_m57", "A_VENTES")]
    assert _rows(found.cites("A_VENTES")) == [("a_m57", "A_PART")]
    assert _rows(found.search("rien de tel")) == []
    assert found.search("impots").filters == ("« impots »",)
    assert list(found.trames().index) == ["a", "a_m14", "a_m57", "fausse", "~/essai"]
    assert found.trames().loc["a", "nature"] == "série"
    assert found.trames().loc["fausse", "erreurs"] == 1
    assert found.nomenclatures().loc["M57"].tolist() == [2, 4]
    assert found["~/essai"].codes == ("A_DETTE",)
    assert "~/essai" in found._ipython_key_completions_()


def test_who_reads_a_compte(found: wb.Catalogue) -> None:
    table = found.reads("7391").to_frame()
    assert table[["trame", "lecture", "variables"]].to_numpy().tolist() == [
        ["a_m14", "couvre, exact", "C73 D7391"],
        ["a_m57", "couvre, détaille", "C73 D739111"],
    ]
    assert _rows(found.reads("7391", exact=True)) == [("a_m14", "A_IMPOTS")]
    assert found.reads("D7391", 2018).to_frame()["trame"].tolist() == ["a_m57"]
    assert _rows(found.reads("D7391", 2016)) == [("a_m14", "A_IMPOTS"), ("a_m57", "A_IMPOTS")]
    assert "couvre" in found.reads("7391")._repr_html_()
    assert "A_IMPOTS" in str(found.reads("7391"))
    with pytest.raises(WorkbenchError, match="numéro de compte"):
        found.reads("73a")


def test_readings_are_those_of_the_tree(project: Path) -> None:
    for path in sorted((project / "trames").glob("*_m14.yaml")):
        for one in wb.load_trame(path).indicateurs:
            nodes = [node for segment in one.tree.segments for node in walk(segment.expression)]
            expected = {f"{node.side}{node.compte}" for node in nodes if isinstance(node, Variable)}
            assert {each.variable for each in readings_of(one)} == expected


def test_what_was_read_is_kept_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_readings, "user_cache_path", lambda _name: tmp_path / "cache")
    monkeypatch.setattr(kept_readings, "_known", {})
    monkeypatch.setattr(kept_readings, "_SMALL", 0)
    trame = wb.trame_from_formules({"A_B": "C70[TA:BX][RE-MIN:2012]", "A_C": "A_B/$POP"}, "M57", "essai")
    path = wb.save_trame(trame, tmp_path / "essai.yaml")
    assert wb.load_trame(path) == trame
    [kept] = (tmp_path / "cache" / "trames").glob("*.json")
    monkeypatch.setattr(kept_readings, "_known", {})
    monkeypatch.setattr("workbench.trames.files.read_yaml", lambda *_: pytest.fail("read twice"))
    assert wb.load_trame(path) == trame
    # Another process's file that says nothing sensible costs time, not a wrong trame.
    monkeypatch.undo()
    monkeypatch.setattr(kept_readings, "user_cache_path", lambda _name: tmp_path / "cache")
    for wrong in ("", "{", "[]", json.dumps({"trame": {"code": "x"}, "problems": []}), json.dumps({"trame": None})):
        kept.write_text(wrong, encoding="utf-8")
        monkeypatch.setattr(kept_readings, "_known", {})
        assert wb.load_trame(path) == trame
    # One character more is another text.
    path.write_text(path.read_text(encoding="utf-8").replace("C70", "C701"), encoding="utf-8")
    assert wb.load_trame(path)["A_B"].formules[0].texte == "C701[TA:BX]"
    # A folder that refuses is no matter.
    monkeypatch.setattr(kept_readings, "user_cache_path", lambda _name: path)
    monkeypatch.setattr(kept_readings, "_known", {})
    assert len(list_trames(tmp_path)) == 1


def _texts(text: str, position: int | None = None, **known: object) -> list[str]:
    return [each.text for each in wb.complete_formule(text, position, **known)]  # type: ignore[arg-type]


def test_completions() -> None:
    trame = wb.trame_from_formules(
        {"A_IMPOTS": "C73[TA:BX]", "B_VENTES": "C70[TA:BX]"}, libelles={"B_VENTES": "Produits"}
    )
    assert _texts("C70+C739", comptes=PLAN) == ["C739", "C7391"]
    assert _texts("d", comptes=PLAN)[:2] == ["D70", "D73"]
    assert _texts("degrev", comptes=PLAN) == ["C7391", "D7391"]
    assert _texts("A_", trame=trame) == ["A_IMPOTS"]
    assert _texts("vent", trame=trame) == ["B_VENTES"]
    assert _texts("prod", trame=trame) == ["B_VENTES"]
    assert _texts("$", trame=trame) == ["$POP"]
    assert _texts("C70[") == [f"[{key}:" for key in completion._BRACKETS]
    assert _texts("C70[r") == ["[RE-MIN:", "[RE-MAX:"]
    # BO and NB do not exist for soldes.
    assert "[TA:BO]" in _texts("C70[TA:")
    assert "[TA:BO]" not in _texts("C70-SC70[TA:")
    assert _texts("C70[TA:BX]")[0] == "[TA:"
    assert _texts("C70+", trame=trame)[:4] == ["C", "D", "SC", "SD"]
    assert {"A_IMPOTS", "$POP"} <= set(_texts("C70+", trame=trame))
    # In the middle of a word, the whole word is replaced.
    [first, *_] = wb.complete_formule("C70+A_IMP", 6, trame=trame)
    assert (first.text, first.span.start, first.span.end) == ("A_IMPOTS", 4, 9)
    [only] = wb.complete_formule("C70[TA:BR]", 8)[:1]
    assert (only.span.start, only.span.end) == (3, 10)
    assert wb.complete_formule("C70", 3, comptes=PLAN)[0].libelle == "Ventes"


@given(formule_like, st.integers(-5, 200))
def test_any_text_can_be_completed(text: str, position: int) -> None:
    for each in wb.complete_formule(text, position, trame=["A_B"], comptes=PLAN):
        assert 0 <= each.span.start <= each.span.end <= len(text)
        assert each.text


@given(formule_like)
def test_any_text_can_be_looked_at(text: str) -> None:
    view = look_at_formule(text, comptes=PLAN)
    assert len(view.fixes) == len(view.diagnostics)
    assert view._repr_html_()
    assert view._repr_mimebundle_()["text/plain"] == str(view)
    assert view.right == (not any(each.severity == "error" for each in view.diagnostics))

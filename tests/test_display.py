"""What a notebook shows: French figures, hostile texts kept harmless, large things cut with a notice, a plain twin."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.dgfip import QueryResult, base_info
from workbench.display import MISSING, cut, frame_table, html_table, safe
from workbench.frames import ShownFrame
from workbench.plans import Compte, Fonction, PlanComptes, PlansComptes
from workbench.trames import Trame, compare_trames
from workbench.trames.formule_view import look_at_formule

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202egnp.exe</table></style>&amp;"


class Elements(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


OWN_TAGS = {
    *("b", "br", "caption", "code", "del", "details", "div", "ins", "li", "p", "pre", "span", "style", "summary"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}


def elements(html: str) -> Elements:
    found = Elements()
    found.feed(html)
    return found


def assert_harmless(shown: Any) -> None:
    html = shown._repr_html_()
    found = elements(html)
    assert found.tags <= OWN_TAGS, found.tags - OWN_TAGS
    assert not [name for name in found.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "\u202e" not in html
    assert html.count("<table") == html.count("</table>")
    assert html.count("</style>") <= html.count("<style>")


@pytest.fixture(scope="module")
def hostile_trame() -> Trame:
    one = wb.Indicateur.from_texte("A_B", "C70[TA:BX]", HOSTILE, theme=HOSTILE, description=HOSTILE, reference=HOSTILE)
    return Trame(
        "essai", (one, wb.Indicateur.from_texte("A_C", "A_B/C60[TA:BX]", HOSTILE)), HOSTILE, nomenclature="M57"
    )


@pytest.fixture(scope="module")
def shown(demonstration_base: str, demonstration_siret: str, hostile_trame: Trame) -> dict[str, Any]:
    """One of each thing that a notebook shows, its texts hostile wherever they come from data."""
    base = wb.connect(demonstration_base)
    other = Trame("autre", (wb.Indicateur.from_texte("A_B", "C7[TA:BX]", "Ventes"),), nomenclature="M57")
    plan = PlanComptes(
        "M57", 2024, (Compte("7", HOSTILE), Compte("70", HOSTILE)), (Fonction("0", HOSTILE),), (), HOSTILE
    )
    table = wb.evaluate(hostile_trame, base, sirets=[demonstration_siret], exercices=range(2022, 2025))
    asked = wb.query(base).measure("C70", libelle="Ventes").by("collectivite", "exercice")
    return {
        "base": base,
        "base_info": base_info(base),
        "controls": wb.controls(base),
        "trame": hostile_trame,
        "indicateur": hostile_trame["A_B"],
        "formule": hostile_trame["A_C"].formules[0],
        "serie": wb.serie_of([wb.trame_from_formules({"A_B": "C7[TA:BX]"}, "M14", "x"), hostile_trame]),
        "table": table,
        "explanation": wb.explain(table, "A_C", 2024),
        "strates": wb.strates(hostile_trame, base, exercices=[2024], sirets=demonstration_siret),
        "perimetre": wb.perimetre(departements="031", nomenclature="M57"),
        "query": asked,
        "sql": asked.sql(),
        "result": asked.run(),
        "hostile result": QueryResult(pa.table({HOSTILE: [HOSTILE]}), notices=(HOSTILE,)),
        "preview": wb.preview("C70[TA:BX]", base, sirets=[demonstration_siret]),
        "comparison": compare_trames(hostile_trame, other),
        "plan": plan,
        "plans": PlansComptes.of([plan]),
        "comptes": plan.to_frame(),
        "remarks": wb.check_comptes(hostile_trame, plan),
        "transposition": wb.transpose(hostile_trame, plan, plan),
        "formule_view": look_at_formule("C70-D70[TA:BX+<b>"),
        "frame": ShownFrame({HOSTILE: [HOSTILE, None]}),
    }  # fmt: skip


def test_nothing_of_the_data_runs(shown: dict[str, Any]) -> None:
    for each in shown.values():
        assert_harmless(each)


def test_each_has_a_plain_twin(shown: dict[str, Any]) -> None:
    for name, each in shown.items():
        plain = repr(each)
        assert plain, name
        assert "object at 0x" not in plain, name


@given(st.text(max_size=200))
def test_any_text_is_a_text(text: str) -> None:
    table = html_table([text], [(text, 1)], caption=text)
    assert elements(table).tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", table)


def test_figures_are_french() -> None:
    table = html_table(["Compte", "Montant"], [("7311", -1234567.891), ("64", None), ("65", float("nan"))])
    assert ">−1\u202f234\u202f567,89<" in table
    assert elements(table).text.count(MISSING) == 2
    assert 'class="wb-nombre">Montant' in table
    assert 'class="wb-nombre">Compte' not in table


def test_years_and_identifiers_are_no_quantities() -> None:
    frame = pd.DataFrame({"siret": ["99900006500019"], "exercice": [2024], "habitants": [12345], "montant": [1234.0]})
    text = "|".join(elements(frame_table(frame)).text)
    assert "|99900006500019|2024|12\u202f345|1\u202f234" in text


def test_what_is_left_out_is_said() -> None:
    frame = pd.DataFrame({"montant": range(1234)})
    table = frame_table(frame, rest=".to_frame()")
    assert table.count("<tr>") == 51
    assert "50 lignes affichées sur 1\u202f234\u00a0; .to_frame() les donne toutes." in table
    assert cut(1234, 1234) == ""
    assert len(safe("x" * 100_000)) < 2100


def test_the_table_shows_units_names_and_warnings(shown: dict[str, Any], hostile_trame: Trame) -> None:
    html = shown["table"]._repr_html_()
    assert "\u00a0€<" in html
    assert "budget" in html
    assert safe(HOSTILE) in html


def test_a_table_changed_by_arithmetic_is_not_given_units(shown: dict[str, Any]) -> None:
    table = shown["table"]
    assert "€" in table.round(0)._repr_html_()
    assert "€" in table[[2024]]._repr_html_()
    assert "€" in table.loc[["A_C"], [2022, 2024]]._repr_html_()
    for changed in (table / 1000, table.T, table.diff(axis=1), table.describe(), table.rename(columns={2024: 2023})):
        assert "€" not in changed._repr_html_()
        assert "<table" in changed._repr_html_()


def test_tidy_figures(shown: dict[str, Any]) -> None:
    table = shown["table"]
    tidy = table.tidy()
    assert list(tidy.columns) == ["indicateur", "libelle", "theme", "unite", "exercice", "valeur"]
    assert str(tidy["exercice"].dtype) == "int64"
    assert str(tidy["valeur"].dtype) == "float64"
    back = tidy.pivot_table(index="indicateur", columns="exercice", values="valeur")
    assert (back.loc[table.index].to_numpy() == table.to_numpy()).all()
    assert len((table / 2).tidy()) == len(tidy)
    with pytest.raises(wb.WorkbenchError, match="table"):
        wb.IndicateurTable({2024: [1.0]}).tidy()


def test_the_tree_of_an_explanation_unfolds(shown: dict[str, Any]) -> None:
    html = shown["explanation"]._repr_html_()
    assert html.count("<details open>") == 1
    assert html.count("<details") == html.count("</details>") > 2


def test_a_large_explanation_is_cut(shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.evaluation.explanation_html.SHOWN", 3)
    html = shown["explanation"]._repr_html_()
    assert html.count("<details") == html.count("</details>")
    nodes = sum(1 for _ in shown["explanation"].walk())
    assert f"3 lignes affichées sur {nodes}" in html


def test_a_trame_as_a_frame(hostile_trame: Trame) -> None:
    frame = wb.Trame(
        "a", (wb.Indicateur.from_texte("A_B", "C70[TA:BX][RE-MAX:2016]+C71[TA:BX][RE-MIN:2017]"),)
    ).to_frame()
    assert frame["formule"].tolist() == ["C70[TA:BX]", "+C71[TA:BX]"]
    assert frame["exercice_max"].tolist() == [2016, pd.NA]
    assert str(frame["exercice_min"].dtype) == "Int64"
    assert len(hostile_trame.to_frame()) == 2

"""The page of a collectivité, without a browser: what is offered, chosen, refused and shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from workbench.dashboards.collectivite import MOST_EXERCICES, MOST_PROPOSALS, CollectiviteView
from workbench.dgfip import Base, connect
from workbench.errors import WorkbenchError

pytestmark = pytest.mark.shared

COMMUNE = "21310900200013"  # COMMUNE-EXEMPLE 001, M14
EAU = "21310900200039"  # EAU 001, M49

TRAME = """
code: {code}
libelle: Essai {code}
nomenclature: {nomenclature}
indicateurs:
  - code: E_PRODUITS
    libelle: Produits
    theme: Fonctionnement
    reference: plan M14, classe 7
    formules:
      - texte: C7-D7[TA:BX]
  - code: E_CHARGES
    libelle: Charges <b>
    theme: Fonctionnement
    formules:
      - texte: D6-C6[TA:BX]
  - code: E_TAUX
    libelle: Taux
    theme: Ratios
    unite: pourcentage
    formules:
      - texte: (E_PRODUITS-E_CHARGES)/E_PRODUITS
"""


@pytest.fixture(scope="module")
def trames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trames")
    for code, nomenclature in (("essai", "M14"), ("eau", "M49"), ("autre", "M14")):
        (folder / f"{code}.yaml").write_text(TRAME.format(code=code, nomenclature=nomenclature), encoding="utf-8")
    (folder / "absente_de_la_base.yaml").write_text(TRAME.format(code="absente_de_la_base", nomenclature="M99"))
    (folder / "fausse.yaml").write_text(
        "code: fausse\nindicateurs:\n  - code: F_F\n    formules:\n      - texte: C7(\n"
    )
    return folder


@pytest.fixture(scope="module")
def base(golden_base: Path) -> Iterator[Base]:
    with connect(golden_base) as opened:
        yield opened


@pytest.fixture
def view(base: Base, trames: Path) -> CollectiviteView:
    return CollectiviteView(base, trames)


@pytest.fixture
def chosen(view: CollectiviteView) -> CollectiviteView:
    view.choose("trame", "essai")
    view.choose("collectivite", COMMUNE)
    return view


def labels(choices: list[dict[str, str]]) -> list[str]:
    return [choice["label"] for choice in choices]


def test_offers_the_nomenclatures_that_both_base_and_trames_have(view: CollectiviteView) -> None:
    form = view.form()
    assert labels(form["nomenclatures"]) == ["M14", "M49"]
    assert form["nomenclature"] == "M14"
    assert labels(form["trames"]) == ["Essai autre", "Essai essai"]
    assert form["exercices"] == []
    assert view.figures() is None
    assert view.charts() == []
    assert view.documents() == []


def test_tells_of_a_trame_that_cannot_be_read(view: CollectiviteView) -> None:
    (notice,) = view.notices()
    assert notice["kind"] == "avertissement"
    assert "fausse.yaml" in notice["message"]


def test_changing_nomenclature_changes_the_trames(view: CollectiviteView) -> None:
    view.choose("nomenclature", "M49")
    form = view.form()
    assert labels(form["trames"]) == ["Essai eau"]
    assert form["trame"] == "eau"
    view.choose("collectivite", EAU)
    assert view.figures()["title"].startswith("Essai eau — EAU 001")  # type: ignore[index]


@pytest.mark.parametrize("text", ["exemple 001", "EXEMPLE 001", "commune-exemple 001", "213 109 002 00013", COMMUNE])
def test_search_by_name_or_siret(view: CollectiviteView, text: str) -> None:
    found = view.search(text)
    assert COMMUNE in [one["value"] for one in found]
    one = next(one for one in found if one["value"] == COMMUNE)
    assert one["label"] == "COMMUNE-EXEMPLE 001"
    assert one["detail"].replace("\u202f", " ") == "SIRET 213 109 002 00013 · département 31 · M14 · 2011 à 2018"


@pytest.mark.parametrize("text", [None, 12, ["x"], {"a": 1}, "rien de tel", "%", "_", "' OR 1=1 --"])
def test_search_for_nonsense_finds_nothing(view: CollectiviteView, text: Any) -> None:
    assert view.search(text) == []


def test_search_is_bounded(view: CollectiviteView) -> None:
    assert 0 < len(view.search("")) <= MOST_PROPOSALS
    assert view.search("commune" + " " * 100_000 + "zzz") != []


def test_exercices_are_those_of_the_data(chosen: CollectiviteView) -> None:
    assert labels(chosen.form()["exercices"]) == [str(year) for year in range(2011, 2019)]
    assert (chosen.debut, chosen.fin) == (2019 - MOST_EXERCICES, 2018)
    chosen.choose("debut", "2015")
    chosen.choose("fin", "2016")
    assert chosen.figures()["exercices"] == [2015, 2016]  # type: ignore[index]


def test_a_bound_that_crosses_the_other_takes_it_along(chosen: CollectiviteView) -> None:
    chosen.choose("fin", "2013")
    chosen.choose("debut", "2016")
    assert (chosen.debut, chosen.fin) == (2016, 2016)
    chosen.choose("fin", "2012")
    assert (chosen.debut, chosen.fin) == (2012, 2012)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nomenclature", "M57"),
        ("nomenclature", ""),
        ("nomenclature", 14),
        ("trame", "eau"),  # of another nomenclature
        ("trame", "absente_de_la_base"),
        ("trame", "fausse"),
        ("trame", "../../secret"),
        ("trame", "../trames/essai"),
        ("trame", None),
        ("collectivite", "00000000000000"),
        ("collectivite", "2131090020001"),
        ("collectivite", "' OR '1'='1'"),
        ("collectivite", "２１３１０９００２０００１３"),
        ("collectivite", "<img src=x>"),
        ("collectivite", 21310900200013),
        ("collectivite", [COMMUNE]),
        ("debut", "2010"),
        ("fin", "2019"),
        ("fin", "99999999999999999999"),
        ("debut", "2015.0"),
        ("debut", "-1"),
        ("debut", 2015),
        ("trames", "essai"),
        ("__class__", "essai"),
        (None, "essai"),
        ({}, []),
    ],
)
def test_a_choice_that_is_not_offered_is_refused_and_changes_nothing(
    chosen: CollectiviteView, field: Any, value: Any
) -> None:
    before, figures = chosen.form(), chosen.figures()
    with pytest.raises(WorkbenchError) as error:
        chosen.choose(field, value)
    assert error.value.code == "choix_inconnu"
    assert chosen.form() == before
    assert chosen.figures() == figures


def test_an_exercice_without_collectivite_is_refused(view: CollectiviteView) -> None:
    with pytest.raises(WorkbenchError, match="Exercice"):
        view.choose("debut", "2015")


def test_a_collectivite_without_comptes_in_the_nomenclature_says_where_they_are(chosen: CollectiviteView) -> None:
    with pytest.raises(WorkbenchError) as error:
        chosen.choose("collectivite", EAU)
    assert error.value.message == "EAU 001 n'a pas de comptes en M14."
    assert "M49" in error.value.hint
    assert chosen.figures() is None
    assert chosen.charts() == []
    assert chosen.form()["collectivite"] == "EAU 001"
    chosen.choose("nomenclature", "M49")
    assert chosen.figures() is not None


def test_figures_are_written_in_french(chosen: CollectiviteView) -> None:
    chosen.choose("debut", "2017")
    figures = chosen.figures()
    assert figures is not None
    assert figures["title"] == "Essai essai — COMMUNE-EXEMPLE 001"
    assert figures["subtitle"].replace("\u202f", " ") == (
        "SIRET 213 109 002 00013 · nomenclature M14 · comptes provisoires en 2018"
    )
    assert [group["theme"] for group in figures["groups"]] == ["Fonctionnement", "Ratios"]
    produits, charges = figures["groups"][0]["rows"]
    assert (produits["libelle"], produits["unite"]) == ("Produits", "€")
    # 8 630 231.09 is the value of C7-D7[TA:BX] in 2017: the next test adds it up from the dump.
    assert produits["cells"][0]["text"].replace("\u202f", " ") == "8 630 231"
    assert charges["libelle"] == "Charges <b>"  # text stays text: the browser writes it as such
    (taux,) = figures["groups"][1]["rows"]
    assert taux["unite"] == "%"
    assert taux["cells"][0] == {"text": "−6,1", "negative": True, "zero": False}


def test_the_table_agrees_with_the_rows_of_the_dump(chosen: CollectiviteView, shared: Path) -> None:
    cents = 0
    with (shared / "golden/data/small/execution.csv").open(newline="") as source:
        for row in csv.DictReader(source):
            if (row["exercice"], row["ident"]) == ("2017", COMMUNE) and row["comptes"].startswith("7"):
                balance = round(float(row["cptcre"]) * 100) - round(float(row["cptdeb"]) * 100)
                cents += balance if row["cptop"] in ("2", "7") else 0
    assert chosen.table is not None
    assert chosen.table.loc["E_PRODUITS", 2017] == cents / 100


def test_an_explanation_adds_up_to_the_figure(chosen: CollectiviteView) -> None:
    explanation = chosen.explanation("E_PRODUITS", 2017)
    assert explanation is not None
    assert explanation["title"].replace("\u202f", " ").replace("\u00a0", " ") == "Produits, 2017 : 8 630 231,09 €"
    assert explanation["formules"] == [{"texte": "C7-D7[TA:BX]", "validite": ""}]
    assert explanation["reference"] == "plan M14, classe 7"
    assert [child["label"] for child in explanation["tree"]["children"]] == ["C7[TA:BX]", "D7[TA:BX]"]
    credits_ = chosen.expansion([0])
    assert credits_ is not None
    assert len(credits_["children"]) > 5

    def cents(text: str) -> int:
        return int("".join(letter for letter in text.replace("−", "-") if letter in "-0123456789"))

    for node in (explanation["tree"], credits_):
        total = sum((-1 if child["sign"] == "−" else 1) * cents(child["value"]) for child in node["children"])
        assert total == cents(node["value"])
    json.dumps(explanation, allow_nan=False)


@pytest.mark.parametrize(
    ("code", "exercice"),
    [
        ("E_AUTRE", 2017),
        ("E_PRODUITS", 2010),
        ("E_PRODUITS", "2017"),
        ("E_PRODUITS", True),
        ("E_PRODUITS", 2017.0),
        (None, 2017),
        (["E_PRODUITS"], 2017),
        ("../x", 2017),
    ],
)
def test_a_figure_that_is_not_in_the_table_is_not_explained(chosen: CollectiviteView, code: Any, exercice: Any) -> None:
    assert chosen.explanation(code, exercice) is None


@pytest.mark.parametrize("path", [None, "0", 0, [99], [-1], ["0"], {"0": 0}, [0] * 10_000])
def test_a_path_that_leads_nowhere_is_not_expanded(chosen: CollectiviteView, path: Any) -> None:
    assert chosen.expansion([0]) is None  # nothing is being explained yet
    chosen.explanation("E_PRODUITS", 2017)
    assert chosen.expansion(path) is None


def test_a_new_table_forgets_what_was_explained(chosen: CollectiviteView) -> None:
    chosen.explanation("E_PRODUITS", 2017)
    chosen.choose("fin", "2016")
    assert chosen.expansion([0]) is None


def test_charts_are_plotly_figures_of_the_indicateurs_chosen(chosen: CollectiviteView) -> None:
    import plotly.graph_objects as go

    assert chosen.charts()
    chosen.draw("E_PRODUITS")
    chosen.draw("E_TAUX")
    chosen.draw("E_INCONNU")
    chosen.draw(["E_PRODUITS"])
    assert chosen.drawn == ("E_PRODUITS", "E_TAUX")
    charts = chosen.charts()
    assert [trace["meta"] for chart in charts for trace in chart["data"]] == ["E_PRODUITS", "E_TAUX"]
    for chart in charts:
        assert "Graphique" in chart["alternative"]
        assert chart["config"]["displaylogo"] is False
        go.Figure({"data": chart["data"], "layout": chart["layout"]})  # refuses what plotly does not know
        json.dumps(chart, allow_nan=False)
    chosen.draw("E_PRODUITS")
    assert chosen.drawn == ("E_TAUX",)
    chosen.undraw()
    assert chosen.drawn == ()


def test_documents_open_and_hold_the_figures(chosen: CollectiviteView) -> None:
    report = chosen.document("rapport")
    assert report is not None
    assert report.name == f"essai_{COMMUNE}_2011-2018.xlsx"
    workbook = openpyxl.load_workbook(io.BytesIO(report.content), data_only=True)
    values = [cell for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row]
    assert chosen.table is not None
    assert float(chosen.table.loc["E_PRODUITS", 2017]) in values
    balance = chosen.document("balance")
    assert balance is not None
    assert balance.name == f"balance_{COMMUNE}_2011-2018.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(balance.content), read_only=True).sheetnames


@pytest.mark.parametrize("name", [None, "", "autre", "../rapport", 1, ["rapport"]])
def test_no_other_document_is_given(chosen: CollectiviteView, name: Any) -> None:
    assert chosen.document(name) is None


def test_a_base_without_comptes_says_what_to_do(tmp_path: Path, trames: Path) -> None:
    connect(tmp_path / "vide.duckdb", read_only=False).close()
    with connect(tmp_path / "vide.duckdb") as empty, pytest.raises(WorkbenchError) as error:
        CollectiviteView(empty, trames)
    assert error.value.code == "base_sans_comptes"
    assert "workbench base import" in error.value.hint


def test_without_a_trame_for_the_base_says_what_to_do(base: Base, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as error:
        CollectiviteView(base, tmp_path)
    assert error.value.code == "trames_absentes"
    assert "M14" in error.value.message

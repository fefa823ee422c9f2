"""Budgets that are not as others: nobody lives there, nobody knows how many do, a département of no list."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import workbench as wb
from workbench.dashboards import comparaison_files
from workbench.dashboards.collectivite import CollectiviteView
from workbench.dashboards.collectivite_page import CollectivitePage
from workbench.dashboards.comparaison import ComparaisonView
from workbench.dashboards.comparaison_page import ComparaisonPage
from workbench.dashboards.documents import Document
from workbench.dgfip import Base
from workbench.errors import WorkbenchError

EMPTY, UNKNOWN, NORMAL, UNTYPED = "21000000100010", "21000000200010", "21000000300010", "21000009900010"
TRAME = """code: essai
libelle: Essai
nomenclature: M14
indicateurs:
  - {code: E_PRODUITS, libelle: Produits, unite: euros, formule: "C7-D7[TA:BX]"}
  - {code: E_TAUX, libelle: Taux, unite: pourcentage, formule: "D6[TA:BX]/C7[TA:BX]"}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """Nine communes in two exercices: the first is empty, the second unknown, the last in no known département."""
    folder = tmp_path_factory.mktemp("bords")
    bodies = [(f"210000{number:03d}00010", "031", "101", 200 * number) for number in range(3, 10)]
    bodies += [(EMPTY, "031", "101", 0), (UNKNOWN, "031", "101", ""), (UNTYPED, "777", "", 500)]
    bodies = [("2100000" + siret[7:], *rest) for siret, *rest in bodies]
    execution, described = [], []
    for year in (2018, 2019):
        for number, (siret, departement, kind, people) in enumerate(bodies):
            for compte, debit, credit in (("70", 0, 1000 * (number + 1) + year), ("60", 900, 0)):
                execution.append(f"{year},{siret},,{compte},2,{debit},{credit},D")
            described.append(f"{year},{siret},{departement},001,V,{people},M14,,M14,{siret[:9]},1,{kind}")
    (folder / "execution.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n" + "\n".join(execution) + "\n"
    )
    (folder / "collectivite.csv").write_text(
        "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n" + "\n".join(described) + "\n"
    )
    with wb.connect(str(folder / "base.duckdb"), read_only=False) as opened:
        wb.import_cci(opened, execution=folder / "execution.csv", collectivite=folder / "collectivite.csv")
    with wb.connect(str(folder / "base.duckdb")) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trames").mkdir()
    (tmp_path / "trames" / "essai.yaml").write_text(TRAME, encoding="utf-8")
    return tmp_path / "trames"


def compared(base: Base, folder: Path, siret: str) -> CollectiviteView:
    view = CollectiviteView(base, folder)
    view.choose("collectivite", siret)
    job = view.situation.job()
    assert job is not None
    view.situation.take(job())
    return view


def row_of(view: CollectiviteView, code: str) -> dict[str, Any]:
    shown = view.situation.shown()
    assert shown is not None
    rows: list[dict[str, Any]] = [row for group in shown["groups"] for row in group["rows"]]
    return next(row for row in rows if row["code"] == code)


def workbook_of(view: CollectiviteView | ComparaisonView, name: str) -> Any:
    document = view.document(name)
    assert document is not None
    return openpyxl.load_workbook(io.BytesIO(document.content), read_only=True)


@pytest.mark.parametrize("siret", [EMPTY, UNKNOWN])
def test_an_amount_per_inhabitant_of_nobody_is_no_value(base: Base, folder: Path, siret: str) -> None:
    view = compared(base, folder, siret)
    row = row_of(view, "E_PRODUITS_HABITANT")
    assert (row["value"], row["rank"], row["percentile"]) == ("–", "–", None)
    assert row_of(view, "E_TAUX")["value"] != "–"
    book = workbook_of(view, "comparaison")
    beside = {line[0]: line[3] for line in book["Comparaison"].iter_rows(values_only=True)}
    assert beside["E_PRODUITS_HABITANT"] is None
    assert beside["E_TAUX"] > 0
    apart = {(line[2], line[5]): line[6] for line in book["Valeurs"].iter_rows(min_row=2, values_only=True)}
    assert apart["E_PRODUITS_HABITANT", 2019] is None
    drawn = [chart for chart in view.situation.charts() if chart["data"][0]["meta"] == "E_PRODUITS_HABITANT"]
    assert [set(chart["data"][0]["y"]) for chart in drawn] == [{None}]


def test_nobody_is_not_in_a_median(base: Base, folder: Path) -> None:
    view = compared(base, folder, NORMAL)
    # Seven of the nine communes of the département have inhabitants.
    assert row_of(view, "E_PRODUITS_HABITANT")["departement_rank"].endswith("sur 7")
    assert row_of(view, "E_TAUX")["departement_rank"].endswith("sur 9")
    assert view.situation.found is not None
    assert any(
        "4 budgets-exercices sans habitant ou de population inconnue" in each
        for each in view.situation.found.comparison.strates.avertissements
    )
    whole = ComparaisonView(base, folder)
    whole.take(whole.job()())
    assert whole.found is not None
    assert not {EMPTY, UNKNOWN} & set(whole.found.grid["siret"])
    assert any(each.endswith("leur population étant nulle ou inconnue : 4.") for each in map(plain, whole.notes()))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_that_nobody_lives_there_is_said(base: Base, folder: Path) -> None:
    view = CollectiviteView(base, folder)
    view.choose("collectivite", EMPTY)
    view.choose("montants", "habitant")
    assert [each["message"] for each in view.notices()] == [
        "Aucun habitant en 2018, 2019 : les montants par habitant y valent 0."
    ]


def test_one_is_not_several(base: Base) -> None:
    trame = wb.trame_from_formules({"A_B": "C7[TA:BX]/$POP"}, nomenclature="M14")
    only = wb.perimetre(sirets=[UNKNOWN])
    assert wb.strates(trame, base, only, exercices=[2019]).avertissements == (
        "1 budget-exercice sans population connue : il forme un groupe à part.",
        "1 budget-exercice sans habitant ou de population inconnue : les indicateurs qui lisent $POP l'écartent.",
    )


def test_an_unknown_type_is_said_so(base: Base, folder: Path) -> None:
    shown = compared(base, folder, UNTYPED).situation.shown()
    assert shown is not None
    assert "type (inconnu)" in shown["notes"][0]


def test_the_workbook_of_a_comparison_is_of_the_exercice_shown(base: Base, folder: Path) -> None:
    view = compared(base, folder, NORMAL)
    view.situation.choose_exercice("2018")
    rows = list(workbook_of(view, "comparaison")["Comparaison"].iter_rows(values_only=True))
    assert rows[0][2] == "Thème (2018)"
    assert rows[1][3] == pytest.approx((1000 + 2018) / 600)
    assert rows[1][4] == pytest.approx(view.situation.found.comparison.median(rows[1][0], NORMAL, 2018))  # type: ignore[union-attr]


def test_a_departement_of_no_list_keeps_its_code(base: Base, folder: Path) -> None:
    view = ComparaisonView(base, folder)
    view.choose("types", [])
    view.take(view.job()())
    places = [row[0] for row in workbook_of(view, "excel")["Départements"].iter_rows(min_row=2, values_only=True)]
    assert places == [each["name"] for each in view.shown()["map"]["places"]] == ["Haute-Garonne", "777"]


def test_bars_say_what_they_hold(base: Base, folder: Path) -> None:
    view = ComparaisonView(base, folder)
    view.choose("montants", "total")
    view.take(view.job()())
    assert view.found is not None
    told = view.found.statistics(2019)
    labels = [row[0] for row in view.charts()[0]["rows"]["body"]]
    # The first and the last hundredths are in the bars at the ends.
    assert (told["minimum"], told["maximum"]) == (3019, 11019)
    assert labels[0].startswith("moins de ")
    assert labels[-1].endswith(" et plus")
    assert all(label.startswith("de ") for label in labels[1:-1])
    drawn = view.charts()[0]["data"][0]["customdata"]
    assert [each.split(" : ", 1)[1] for each in drawn] == labels


def test_what_is_printed_has_both_indicateurs(base: Base, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []

    def keep(name: str, sections: Sequence[str], figures: Sequence[Mapping[str, Any]]) -> Document:
        printed.extend(sections)
        return Document(name, b"")

    monkeypatch.setattr(comparaison_files, "pdf_document", keep)
    view = ComparaisonView(base, folder)
    view.choose("autre", "E_TAUX")
    view.take(view.job()())
    assert view.document("pdf") is not None
    row = view.shown()["ranking"]["rows"][0]
    assert f">{row['other']}</td>" in printed[-1]
    assert ">Taux</th>" in printed[-1]


def test_an_exercice_may_be_chosen_while_others_are_compared(base: Base, folder: Path) -> None:
    view = ComparaisonView(base, folder)
    view.take(view.job()())
    view.choose("montants", "total")
    job = view.job()
    assert [each["value"] for each in view.form()["exercices"]] == ["2019", "2018"]
    view.choose("exercice", "2018")
    view.take(job())
    assert view.exercice == 2018
    assert view.shown()["title"].endswith("2018")


def test_a_failed_comparison_is_no_longer_awaited(base: Base, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = ComparaisonView(base, folder)
    page = ComparaisonPage(view)
    page._background.wait("comparaison")
    assert page.actions.files

    def fail() -> None:
        # Files of the former comparison are no longer offered.
        assert page.actions.files == []
        raise WorkbenchError("cellules_absentes", chemin="base.duckdb")

    monkeypatch.setattr(view, "job", lambda: fail)
    page.form._handle_custom_msg({"kind": "change", "field": "montants", "value": "total"}, [])
    page._background.wait("comparaison")
    assert not page.ranking.state["pending"]
    assert page.actions.notices[0]["kind"] == "erreur"


def test_a_refusal_is_no_longer_said_once_a_choice_is_taken(base: Base, folder: Path) -> None:
    view = CollectiviteView(base, folder)
    view.choose("collectivite", NORMAL)
    page = CollectivitePage(view)
    page._compare()
    page.situation._handle_custom_msg({"kind": "peer", "value": "0"}, [])
    assert page.actions.notices[0]["kind"] == "erreur"
    page.situation._handle_custom_msg({"kind": "peer", "value": EMPTY}, [])
    page._background.wait("situation")
    assert view.situation.peers == (EMPTY,)
    assert page.actions.notices == []

"""Many collectivités compared, without a browser: what is chosen, refused, computed and shown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import workbench as wb
from workbench.dashboards.collectivite import CollectiviteView
from workbench.dashboards.comparaison import MOST_FOLLOWED, ComparaisonView
from workbench.dashboards.comparaison_answer import PAGE, answer, map_of
from workbench.dashboards.components import outlines
from workbench.dashboards.shades import CLASSES
from workbench.dgfip import Base, connect, departements, find_collectivites, perimetre, select_budgets, strate_of
from workbench.errors import WorkbenchError
from workbench.reports.panorama import Panorama, panorama
from workbench.reports.visible_budgets import VisibleBudgets, publish_budgets
from workbench.store import Desk, open_store
from workbench.trames import Indicateur, trame_from_formules

CODE = "CI_CAF"


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


def computed(view: ComparaisonView) -> ComparaisonView:
    view.take(view.job()())
    return view


@pytest.fixture
def view(base: Base, project: Path) -> ComparaisonView:
    return computed(ComparaisonView(base, project / "trames"))


@pytest.fixture(scope="module")
def unchanged(base: Base, project: Path) -> ComparaisonView:
    return computed(ComparaisonView(base, project / "trames"))


def another(view: ComparaisonView) -> str:
    """An indicateur that is not the one compared."""
    offered = (each["value"] for theme in view.form()["themes"] for each in theme["indicateurs"])
    return str(next(code for code in offered if code != view.indicateur))


@pytest.fixture(scope="module")
def grid(base: Base, project: Path) -> dict[tuple[str, int], float]:
    """An amount of every commune and exercice, each commune evaluated alone."""
    trame = wb.load_trame(project / "trames" / "comptes_individuels.yaml")
    communes = set(select_budgets(base, perimetre(types=["101"]))["siret"].to_pylist())
    found = {}
    for siret in sorted(communes):
        table = wb.evaluate(trame, base, sirets=[siret], exercices=range(2017, 2025))
        found |= {(siret, int(year)): float(table.loc[CODE, year]) for year in table.columns}
    return found


def test_values_are_those_of_each_collectivite_alone(
    view: ComparaisonView, base: Base, grid: dict[tuple[str, int], float]
) -> None:
    view.choose("montants", "total")
    view.choose("indicateur", CODE)
    computed(view)
    assert view.found is not None
    own = {(row["siret"], row["exercice"]): row["value"] for row in view.found.grid.to_dict("records")}
    assert own == grid
    view.choose("montants", "habitant")
    computed(view)
    for row in view.found.grid.to_dict("records"):
        people = strate_of(base, row["siret"], row["exercice"]).population
        assert people
        assert np.isclose(row["value"], grid[row["siret"], row["exercice"]] / people, rtol=1e-12)


def test_ranking_and_statistics(view: ComparaisonView, grid: dict[tuple[str, int], float]) -> None:
    view.choose("montants", "total")
    view.choose("indicateur", CODE)
    computed(view)
    values = sorted(value for (_, year), value in grid.items() if year == 2024)
    assert view.found is not None
    told = view.found.statistics(2024)
    assert told["count"] == len(values)
    assert told["median"] == values[-(-len(values) // 2) - 1]
    assert (told["minimum"], told["maximum"]) == (values[0], values[-1])
    rows = view.shown()["ranking"]["rows"]
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, len(values) + 1)]
    assert [grid[row["siret"], 2024] for row in rows] == values[::-1]
    view.choose("order", "asc")
    assert [row["siret"] for row in view.shown()["ranking"]["rows"]] == [row["siret"] for row in rows[::-1]]
    evolution = view.found.evolution
    assert evolution["exercice"].tolist() == list(range(2017, 2025))
    json.dumps([view.shown(), view.form(), view.notes()], allow_nan=False)


def test_an_offset_finds_the_exercice_before(base: Base) -> None:
    texts = {"A_A": "C7-D7[TA:BX]", "A_AVANT": "A_A[OS:M1]"}
    trame = trame_from_formules(texts, nomenclature="M14+M57")
    seen = panorama(trame, base, perimetre(types=["101"]), "A_A", "A_AVANT")
    values = {(row["siret"], row["exercice"]): (row["value"], row["other"]) for row in seen.grid.to_dict("records")}
    for (siret, year), (_, before) in values.items():
        assert before == (values[siret, year - 1][0] if year > 2017 else 0)


def test_pages_and_equal_values() -> None:
    count = PAGE + 3
    frame = pd.DataFrame(
        {
            "siret": [f"{number:014}" for number in range(count)],
            "exercice": 2024,
            "libelle": [f"C{number:03}" for number in range(count)],
            "departement": ["001", "02A"] * (count // 2) + [""],
            "population": [float("nan")] * count,
            "etat": "P",
            "value": [7.0] * count,
            "other": [float("nan")] * count,
        }
    )
    seen = Panorama(Indicateur.from_texte("A_B", "C7[TA:BX]"), None, (2024,), frame)
    said = answer(seen, 2024, {"0" * 14: "C000"}, descending=True, page=99)
    assert (said["ranking"]["page"], said["ranking"]["pages"], len(said["ranking"]["rows"])) == (1, 2, 3)
    assert {row["rank"] for row in said["ranking"]["rows"]} == {"1"}
    assert [row["siret"] for row in said["ranking"]["pinned"]] == ["0" * 14]
    # All alike: one shade, and no place for who has no département.
    assert [each["code"] for each in said["map"]["places"]] == ["001", "02A"]
    assert len(said["map"]["legend"]) == 1


def test_shades_part_the_departements_evenly() -> None:
    class Seen:
        indicateur = SimpleNamespace(unite="euros")

        def by_departement(self, _: int) -> Any:
            codes = list(departements())[:20]
            return pd.DataFrame({"departement": codes, "count": 1, "median": [float(n) for n in range(20)]})

    found = map_of(Seen(), 2024)  # type: ignore[arg-type]
    assert [each["count"] for each in found["legend"]] == [20 // CLASSES] * CLASSES


def test_every_departement_has_an_outline() -> None:
    drawn = outlines()
    metropole = [f"{number:03}" for number in range(1, 96) if number != 20] + ["02A", "02B"]
    assert set(metropole) | {"101", "102", "103", "104", "106"} == set(drawn["paths"])
    assert set(drawn["paths"]) <= set(departements())
    for path in drawn["paths"].values():
        assert re.fullmatch(r"(M[0-9.]+ [0-9.]+l[-0-9. ]+z)+", path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trame", "absente"),
        ("trame", "../../secret"),
        ("indicateur", "X_Y"),
        ("indicateur", ""),
        ("indicateur", 3),
        ("autre", "X_Y"),
        ("montants", "kilo"),
        ("exercice", "1999"),
        ("exercice", 2024),
        ("order", "up"),
        ("page", "-1"),
        ("page", "9" * 30),
        ("follow", "0" * 14),
        ("follow", "' OR 1=1 --"),
        ("follow", None),
        ("nomenclature", "M49"),  # not of the trame
        ("nomenclature", 3),
        ("departements", ["999"]),
        ("departements", "031"),
        ("departements", [3]),
        ("types", ["abc"]),
        ("population", ["x", ""]),
        ("population", "1000"),
        ("sirets", ["1"]),
        ("sirets", [["1"]]),
        ("measures", {"action": "add", "text": "C70"}),
        ("comptes", ["70"]),
        ("name", "x"),
        ("__class__", "x"),
        (None, None),
        ({}, []),
    ],
)
def test_a_choice_that_is_not_offered_is_refused_and_changes_nothing(
    unchanged: ComparaisonView, field: Any, value: Any
) -> None:
    before = (unchanged.form(), unchanged.shown())
    with pytest.raises(WorkbenchError):
        unchanged.choose(field, value)
    assert (unchanged.form(), unchanged.shown()) == before


def test_the_perimeter_is_that_of_the_assisted_query(view: ComparaisonView, base: Base) -> None:
    assert view.choose("departements", ["031"])
    computed(view)
    assert view.found is not None
    assert set(view.found.grid["departement"]) == {"031"}
    assert view.form()["departements"] == [{"value": "031", "label": "31 Haute-Garonne"}]
    assert "31 Haute-Garonne" in view.notes()[0]
    view.choose("departements", [])
    low = min(strate_of(base, siret, 2024).population or 0 for siret in view.found.grid["siret"])
    view.choose("population", [str(low), ""])
    computed(view)
    assert view.found.grid["population"].min() >= low
    view.choose("population", ["", "1"])
    computed(view)
    assert "empty" in view.shown()
    assert (view.charts(), view.documents(), view.document("csv")) == ([], [], None)


def test_a_second_indicateur_and_followed_ones(view: ComparaisonView) -> None:
    assert len(view.charts()) == 2
    assert view.found is not None
    other = another(view)
    view.choose("autre", other)
    computed(view)
    sirets = sorted(set(view.found.grid["siret"]))
    for siret in sirets[:MOST_FOLLOWED]:
        assert not view.choose("follow", siret)
    with pytest.raises(WorkbenchError) as error:
        view.choose("follow", sirets[MOST_FOLLOWED])
    assert error.value.code == "collectivites_trop_nombreuses"
    charts = view.charts()
    assert len(charts) == 3
    import plotly.graph_objects as go

    for chart in charts:
        go.Figure({"data": chart["data"], "layout": chart["layout"]})  # refuses what plotly does not know
        json.dumps(chart, allow_nan=False)
        assert chart["alternative"].startswith("Graphique")
    distribution, evolution, scatter = charts
    assert sum(int(row[1]) for row in distribution["rows"]["body"]) == len(sirets)
    assert evolution["rows"]["head"] == ["", *map(str, range(2017, 2025))]
    assert len(evolution["rows"]["body"]) == 3 + MOST_FOLLOWED
    assert len(scatter["data"]) == 1 + MOST_FOLLOWED
    assert len(view.shown()["ranking"]["pinned"]) == MOST_FOLLOWED
    view.choose("unfollow", sirets[0])
    assert len(view.shown()["followed"]) == MOST_FOLLOWED - 1


def test_many_points_become_squares(view: ComparaisonView, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.reports import panorama_charts

    monkeypatch.setattr(panorama_charts, "MOST_POINTS", 2)
    other = another(view)
    view.choose("autre", other)
    computed(view)
    (drawn,) = (chart for chart in view.charts() if chart["data"][0]["type"] == "heatmap")
    counted = sum(sum(line) for line in drawn["data"][0]["customdata"])
    assert view.found is not None
    assert counted == view.found.statistics(2024)["count"]


def test_documents_hold_the_figures(view: ComparaisonView) -> None:
    assert view.found is not None
    ranking = view.found.ranking(2024)
    document = view.document("csv")
    assert document is not None
    rows = list(csv.DictReader(io.StringIO(document.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["siret"] for row in rows] == ranking["siret"].tolist()
    column = next(name for name in rows[0] if name.startswith("CI_"))
    assert [float(row[column].replace(",", ".")) for row in rows] == ranking["value"].tolist()
    book = view.document("excel")
    assert book is not None
    sheets = openpyxl.load_workbook(io.BytesIO(book.content), read_only=True)
    assert sheets.sheetnames == ["Classement 2024", "Départements", "Évolution", "Lecture"]
    values = [row[5] for row in sheets["Classement 2024"].iter_rows(min_row=2, values_only=True)]
    # A workbook has sixteen digits.
    assert np.allclose(values, ranking["value"], rtol=1e-14, atol=0)
    for name in (None, "autre", 3, ["csv"]):
        assert view.document(name) is None


def test_only_what_is_seen_is_compared(base: Base, project: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "registre.sqlite") as store:
        publish_budgets(store, base, "exploitant@exemple.fr")
        badges = frozenset({"dgfip:031", "dgfip:M14", "dgfip:M57", "dgfip:M49", "dgfip:M4"})
        desk = Desk(store, SimpleNamespace(email="agent@exemple.fr", badges=badges))
        view = ComparaisonView(base, project / "trames", VisibleBudgets(base, lambda: nullcontext(desk)))
        computed(view)
        assert view.found is not None
        own = set(view.found.grid["siret"])
        assert set(view.found.grid["departement"]) == {"031"}
        everyone = find_collectivites(base, "", 100)
        hidden = str(everyone[everyone["departement"] != "031"]["siret"].iloc[0])
        for field, value in (("follow", hidden), ("sirets", [hidden]), ("sirets", [min(own), hidden])):
            with pytest.raises(WorkbenchError) as error:
                view.choose(field, value)
            assert error.value.code == "choix_inconnu"
        for what in ("followed", "sirets"):
            proposed = {each["value"] for each in view.search(what, "")}
            assert proposed
            assert hidden not in proposed
        assert view.search("measures", "C70") == []
        # Another département may be asked for: nothing of it is there.
        view.choose("departements", ["059"])
        computed(view)
        assert "empty" in view.shown()


def test_pages_answer_messages(view: ComparaisonView, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.dashboards.comparaison_page import ComparaisonPage
    from workbench.dashboards.components import Component

    sent: list[dict[str, Any]] = []

    def send(_: Any, content: dict[str, Any], buffers: Any = None) -> None:
        sent.append({**content, "buffers": buffers})

    monkeypatch.setattr(Component, "send", send)
    page = ComparaisonPage(view)
    page._background.wait("comparaison")
    assert page.ranking.state["ranking"]["total"] == 6
    assert page.charts.turn == 1

    def receive(component: Any, content: Any) -> None:
        component._handle_custom_msg(content, [])

    receive(page.ranking, {"kind": "change", "field": "order", "value": "asc"})
    assert page.ranking.state["ranking"]["order"] == "asc"
    assert page.charts.turn == 1  # nothing drawn has changed
    receive(page.form, {"kind": "change", "field": "departements", "value": ["031"]})
    page._background.wait("comparaison")
    assert page.ranking.state["ranking"]["total"] == 1
    receive(page.form, {"kind": "change", "field": "trame", "value": "nowhere"})
    assert page.actions.notices[0]["kind"] == "erreur"
    assert {"kind": "refused", "buffers": None} in sent
    receive(page.ranking, {"kind": "search", "what": "followed", "text": "", "serial": 7})
    assert sent[-2]["serial"] == 7
    receive(page.charts, {"kind": "figures"})
    assert len(page.charts.figures) == 2
    receive(page.actions, {"kind": "download", "file": "csv"})
    page._background.wait("file")
    assert any(message["kind"] == "file" and message["name"].endswith(".csv") for message in sent)
    for nonsense in ({}, {"kind": "change"}, {"kind": "search", "what": "x", "text": "y", "serial": "z"}):
        receive(page.form, nonsense)
        receive(page.ranking, nonsense)


BORDEAUX = "21330063500017"


@pytest.mark.shared
def test_a_real_balance_has_the_figures_of_an_evaluation(shared: Path, project: Path, tmp_path: Path) -> None:
    with connect(tmp_path / "base.duckdb", read_only=False) as writable:
        wb.import_balances(writable, [shared / "data" / "balances" / "balance_bordeaux_2019.csv"])
    with connect(tmp_path / "base.duckdb") as real:
        trame = wb.load_trame(project / "trames" / "m14_basique.yaml")
        table = wb.evaluate(trame, real, sirets=[BORDEAUX], exercices=2019)
        alone = CollectiviteView(real, project / "trames")
        alone.choose("trame", "m14_basique")
        alone.choose("collectivite", BORDEAUX)
        assert alone.table is not None
        assert alone.table[2019].to_dict() == table[2019].to_dict()
        many = ComparaisonView(real, project / "trames")
        many.choose("trame", "m14_basique")
        many.choose("montants", "total")
        for code in table.index:
            many.choose("indicateur", code)
            computed(many)
            assert many.found is not None
            assert many.found.of(BORDEAUX) == {2019: table.loc[code, 2019]}
        # No source gives the population: nothing is said per inhabitant, and no strate is.
        job = alone.situation.job()
        assert job is not None
        alone.situation.take(job())
        shown = alone.situation.shown()
        assert shown is not None
        assert shown["strate"] == ""
        assert "n’est pas connue" in shown["notes"][0]
        assert {row["value"] for group in shown["groups"] for row in group["rows"] if row["unite"] == "€/hab."} == {"–"}

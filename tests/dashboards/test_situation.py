"""A collectivité among its like, without a browser."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.dashboards.collectivite import CollectiviteView
from workbench.dgfip import Base, connect, perimetre, strate_of
from workbench.errors import WorkbenchError

CODE = "CI_PRODUITS_FONCTIONNEMENT_HABITANT"


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


@pytest.fixture
def view(base: Base, project: Path, demonstration_siret: str) -> CollectiviteView:
    view = CollectiviteView(base, project / "trames")
    view.choose("nomenclature", "M14+M57")
    view.choose("trame", "comptes_individuels")
    view.choose("collectivite", demonstration_siret)
    return view


def compared(view: CollectiviteView) -> CollectiviteView:
    job = view.situation.job()
    assert job is not None
    view.situation.take(job())
    return view


def test_statistics_are_those_of_every_collectivite_of_the_strate(view: CollectiviteView, base: Base) -> None:
    assert view.collectivite is not None
    siret = view.collectivite.siret
    situation = compared(view).situation
    found = situation.found
    assert found is not None
    code = next(one.code for _, one in found.comparison.indicateurs if one.unite == "euros_par_habitant")
    row = found.comparison.ranked[code, siret, 2024]
    # By hand: every commune evaluated apart, those of the same class kept.
    where = strate_of(base, siret, 2024)
    grid = wb.evaluate_each(
        found.comparison.trame,
        base,
        perimetre(types=["101"], nomenclature=where.nomenclature),
        range(2017, 2025),
        nomenclature=None,
    )
    values = {
        each["siret"]: each["value"]
        for each in grid.to_pylist()
        if each["exercice"] == 2024 and each["indicateur"] == code
    }
    like = sorted(value for each, value in values.items() if strate_of(base, each, 2024).libelle == where.libelle)
    assert row["count"] == len(like)
    assert row["median"] == like[-(-len(like) // 2) - 1]
    assert row["rank"] == 1 + sum(value > values[siret] for value in like)
    assert row["value"] == values[siret]
    shown = situation.shown()
    assert shown is not None
    line = next(each for group in shown["groups"] for each in group["rows"] if each["code"] == code)
    assert line["rank"] == f"{row['rank']} sur {len(like)}"
    assert line["percentile"] == round(row["percentile"], 1)
    json.dumps(shown, allow_nan=False)


def test_nothing_is_compared_before_it_is_computed(view: CollectiviteView) -> None:
    state = view.situation.shown()
    assert state is not None
    assert state["pending"]
    assert state["exercice"] == "2024"
    assert view.situation.charts() == []
    assert "comparaison" not in {each["value"] for each in view.documents()}
    assert view.document("comparaison") is None
    compared(view)
    assert not view.situation.shown()["pending"]  # type: ignore[index]
    assert view.document("comparaison").content.startswith(b"PK")  # type: ignore[union-attr]
    view.choose("fin", "2023")
    assert view.situation.shown()["pending"]  # type: ignore[index]


def test_peers_are_shown_beside(view: CollectiviteView, base: Base) -> None:
    view.situation.add_peer(
        other := next(one["value"] for one in view.search("") if one["value"] != view.collectivite.siret)
    )  # type: ignore[union-attr]
    assert view.situation.peers == (other,)
    compared(view)
    found = view.situation.found
    assert found is not None
    alone = wb.evaluate(
        found.comparison.trame, base, sirets=[other], exercices=range(2017, 2025), nomenclature="M14+M57"
    )
    code = found.comparison.indicateurs[0][1].code
    assert found.comparison.value(code, other, 2024) == alone.loc[code, 2024]
    shown = view.situation.shown()
    assert shown is not None
    assert shown["columns"] == [shown["peers"][0]["label"]]
    figures = view.situation.charts()
    assert figures
    assert {len(figure["rows"]["head"]) for figure in figures} == {9}
    view.situation.draw(code)
    assert [trace["meta"] for figure in view.situation.charts() for trace in figure["data"]][:1] == [code]
    view.situation.remove_peer(other)
    assert view.situation.peers == ()


def test_peers_that_are_like(view: CollectiviteView, base: Base) -> None:
    view.situation.propose_peers()
    own = strate_of(base, view.collectivite.siret, 2024)  # type: ignore[union-attr]
    for siret in view.situation.peers:
        other = strate_of(base, siret, 2024)
        assert (other.libelle, other.type_etablissement, other.nomenclature) == (
            own.libelle,
            own.type_etablissement,
            own.nomenclature,
        )


@pytest.mark.parametrize("value", [None, 3, "", "x", "0" * 14, "' OR 1=1 --", ["2"], {"a": 1}])
def test_what_is_not_offered_changes_nothing(view: CollectiviteView, value: object) -> None:
    for choose in (view.situation.add_peer, view.situation.choose_exercice):
        with pytest.raises(WorkbenchError) as error:
            choose(value)
        assert error.value.code == "choix_inconnu"
    view.situation.draw(value)
    view.situation.remove_peer(value)
    assert (view.situation.peers, view.situation.drawn, view.situation.exercice) == ((), (), 2024)


def test_amounts_per_inhabitant(view: CollectiviteView, base: Base) -> None:
    total = view.table
    assert total is not None
    view.choose("montants", "habitant")
    table = view.table
    assert table is not None
    where = {year: strate_of(base, view.collectivite.siret, year).population for year in table.columns}  # type: ignore[union-attr]
    code = next(one.code for one in view.trame.indicateurs if one.unite == "euros")
    for year, people in where.items():
        assert people
        assert np.isclose(table.loc[f"{code}_HABITANT", year], total.loc[code, year] / people, rtol=1e-12)
    units = {view.trame[code].unite for code in total.index if f"{code}_HABITANT" not in table.index}
    assert "euros" not in units
    assert len(table) == len({code.removesuffix("_HABITANT") for code in total.index})
    explanation = view.explanation(f"{code}_HABITANT", 2024)
    assert explanation is not None
    assert view.expansion([0]) is not None
    # Thresholds speak of amounts: they say the same of both.
    both = [view.remarks()]
    view.choose("montants", "total")
    both.append(view.remarks())
    assert [one["texte"] for one in both[0]] == [one["texte"] for one in both[1]]
    with pytest.raises(WorkbenchError):
        view.choose("montants", "kilo")


def test_remarks_are_those_of_reports(view: CollectiviteView) -> None:
    from workbench.reports.comments import comments

    assert view.table is not None
    expected = comments(view.table)
    assert expected
    assert [(one["gravite"], one["texte"], one["source"]) for one in view.remarks()] == [
        (one.gravite, one.texte, one.source) for one in expected
    ]
    for one in view.remarks():
        if one["code"] and one["exercice"]:
            assert view.explanation(one["code"], one["exercice"]) is not None


def test_the_csv_has_the_figures(view: CollectiviteView) -> None:
    document = view.document("csv")
    assert document is not None
    assert document.name.endswith("_2017-2024.csv")
    rows = list(csv.DictReader(io.StringIO(document.content.decode("utf-8-sig")), delimiter=";"))
    assert view.table is not None
    assert [row["code"] for row in rows] == list(view.table.index)
    for row in rows:
        assert float(row["2024"].replace(",", ".")) == view.table.loc[row["code"], 2024]


def test_the_page_is_printed_as_it_is_seen(view: CollectiviteView) -> None:
    from workbench.reports.pdf import find_chromium

    if not find_chromium():
        pytest.skip("no Chromium on this machine")
    document = compared(view).document("pdf")
    assert document is not None
    assert document.content.startswith(b"%PDF")
    assert len(document.content) > 50_000


@pytest.mark.shared
def test_a_base_whose_populations_are_unknown_is_compared_by_ratios(golden_base: Path, tmp_path: Path) -> None:
    trames = tmp_path / "trames"
    trames.mkdir()
    (trames / "essai.yaml").write_text(
        "code: essai\nnomenclature: M14\nindicateurs:\n  - code: E_TAUX\n    unite: pourcentage\n"
        "    formules:\n      - texte: D6[TA:BX]/C7[TA:BX]\n",
        encoding="utf-8",
    )
    with connect(golden_base) as opened:
        view = CollectiviteView(opened, trames)
        view.choose("collectivite", "21310900200013")
        shown = compared(view).situation.shown()
    assert shown is not None
    assert [row["code"] for group in shown["groups"] for row in group["rows"]] == ["E_TAUX"]

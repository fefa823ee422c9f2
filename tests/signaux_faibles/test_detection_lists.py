"""Lists: levels, forms, second stage, evaluation, drift, card, registry, and the commands that make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.reports.notebook import execute_notebook
from workbench.signaux_faibles.detection.alerts import AlertList, detect, list_label
from workbench.signaux_faibles.detection.card import MEASURES, card_text, list_card
from workbench.signaux_faibles.detection.corrections import (
    Correction,
    corrected,
    covid_debt,
    financial_steps,
    first_alerts,
    partial_activity_steps,
    urssaf_steps,
)
from workbench.signaux_faibles.detection.dataset import Dataset, Perimetre, build_dataset
from workbench.signaux_faibles.detection.demonstration import CAUSES, companies_table
from workbench.signaux_faibles.detection.detector import Detector
from workbench.signaux_faibles.detection.evaluation import Evaluation, compare_lists, evaluate, variable_stability
from workbench.signaux_faibles.detection.metrics import METRICS
from workbench.signaux_faibles.detection.outputs import datapi_scores, front_document, last_lists, read_list, write_list
from workbench.signaux_faibles.detection.parts import Parts
from workbench.signaux_faibles.detection.registered import (
    ROOM,
    make_list_again,
    make_model_again,
    record_list,
    recorded_lists,
    recorded_model,
)
from workbench.signaux_faibles.detection.runs import demonstration, judge, parts_of
from workbench.signaux_faibles.detection.thresholds import Level

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demonstrated() -> tuple[Detector, pa.Table]:
    return demonstration()


@pytest.fixture(scope="module")
def learnt(demonstrated: tuple[Detector, pa.Table]) -> tuple[Detector, Parts]:
    return demonstrated[0], parts_of(*demonstrated)


@pytest.fixture(scope="module")
def dataset(demonstrated: tuple[Detector, pa.Table]) -> Dataset:
    detector, table = demonstrated
    return build_dataset(table, detector.declaration.without_target(), perimetre=Perimetre()).between(
        "2022-12", "2023-01"
    )


@pytest.fixture(scope="module")
def alerts(learnt: tuple[Detector, Parts], dataset: Dataset) -> AlertList:
    return detect(learnt[0], dataset, batch="2301", snapshot="essai", previous={str(dataset.entities[0]): 0.25})


@pytest.fixture(scope="module")
def evaluation(learnt: tuple[Detector, Parts]) -> Evaluation:
    return evaluate(learnt[0], learnt[1].test, draws=10)


def code_of(error: pytest.ExceptionInfo[WorkbenchError]) -> str:
    return error.value.code


# --- lists and forms ------------------------------------------------------------------------------------------------


def test_a_list_holds_each_company_once(alerts: AlertList, dataset: Dataset) -> None:
    frame = alerts.frame()
    assert sorted(frame["siren"]) == sorted(dataset.entities)
    assert frame["probabilite"].is_monotonic_decreasing
    assert frame["alerte"].value_counts().to_dict() == {level.value: alerts.count(level) for level in Level}
    assert all(alerts.count(level) for level in Level)
    assert frame["ecart"].notna().sum() == 1


def test_planted_causes_come_first(alerts: AlertList, dataset: Dataset) -> None:
    table = companies_table().set_index(["siren", "periode"])["cause"]
    explanation = alerts.explanation
    themes = np.array(explanation.declaration.themes)[explanation.by_theme.argmax(axis=1)]
    planted = table.loc[[(each, pd.Timestamp("2022-12-01")) for each in explanation.entities]].to_numpy()
    strong = (planted != "") & (explanation.probabilities >= alerts.detector.thresholds.high)
    assert set(planted[strong]) == set(CAUSES)
    assert np.mean(themes[strong] == planted[strong]) >= 0.9


def test_the_scores_of_datapi(alerts: AlertList) -> None:
    scores = json.loads(json.dumps(datapi_scores(alerts), allow_nan=False))
    assert len(scores) == len(alerts)
    one = next(each for each in scores if each["alert"] == "Alerte seuil F1")
    wanted = "siren score diff alert periode batch algo explSelection macroExpl microExpl redressements"
    assert {*wanted.split(), "alertPreRedressements"} <= set(one)
    assert one["periode"] == "2022-12-01T00:00:00Z"
    assert sum(one["macroExpl"].values()) == pytest.approx(100 * one["score"], abs=1e-9)
    assert set(one["macroExpl"]) == set(one["microExpl"])
    assert 2 <= len(one["phrases"]) <= 3
    quiet = next(each for each in scores if each["alert"] == "Pas d'alerte")
    assert quiet["macroExpl"] == {}
    assert {each["diff"] is None for each in scores} == {True, False}


def test_the_document_of_the_front(alerts: AlertList) -> None:
    document = json.loads(json.dumps(front_document(alerts), allow_nan=False))
    for one in document:
        assert one["idListe"] == "Janvier 2023"
        assert ("macroExpl" in one) == (one["alert"] != "Pas d'alerte")
        if "macroExpl" in one:
            assert sum(one["macroExpl"].values()) == pytest.approx(one["Risque de défaillance"], abs=1e-9)
    old = [{"siren": document[0]["siren"], "alert": "Alerte seuil F1/2"}, {"siren": "800099999", "alert": "vert"}]
    merged = last_lists([old, document])
    assert merged[document[0]["siren"]]["alert"] == document[0]["alert"]
    assert merged["800099999"]["alert"] == "Pas d'alerte"


def test_our_parquet_is_read_back(alerts: AlertList, tmp_path: Path) -> None:
    table, card = read_list(write_list(alerts, tmp_path / "liste.parquet", card=list_card(alerts)))
    assert card["empreinte"] == alerts.fingerprint
    rows = table.to_pandas()
    points = rows.filter(like="points_").sum(axis=1, min_count=1)
    known = points.notna()
    assert known.sum() == len(alerts.explained)
    assert points[known].to_numpy() == pytest.approx(rows["probabilite"][known].to_numpy(), abs=1e-9)
    assert rows["phrases"].dropna().map(len).max() <= 3
    with pytest.raises(WorkbenchError) as caught:
        read_list(tmp_path / "absente.parquet")
    assert code_of(caught) == "fichier_illisible"


def test_lists_that_cannot_be_made(learnt: tuple[Detector, Parts], dataset: Dataset) -> None:
    detector, parts = learnt
    for wrong, code in (
        (parts.test, "detection_liste"),
        (dataset.take(np.array([0, 0])), "detection_liste"),
    ):
        with pytest.raises(WorkbenchError) as caught:
            detect(detector, wrong, batch="2301")
        assert code_of(caught) == code
    with pytest.raises(WorkbenchError) as caught:
        list_label("2313")
    assert code_of(caught) == "batch_cle"


# --- second stage ---------------------------------------------------------------------------------------------------


def test_corrections_move_one_level_at_the_most() -> None:
    entities = np.array(["800000001", "800000002", "800000003", "800000004"])
    up = Correction({"800000001": 1, "800000002": 2, "800000004": 1}, {"800000002": ("a",)})
    down = Correction({"800000001": -1, "800000003": -1, "800000004": 1}, {"800000002": ("b",)})
    ranks, reasons = corrected(np.array([1, 0, 0, 2]), entities, [up, down])
    assert ranks.tolist() == [1, 1, 0, 2]
    assert reasons == {"800000002": ("a", "b")}
    assert corrected(np.array([1]), entities[:1], [])[0].tolist() == [1]


def test_the_rules_of_experts() -> None:
    siren = {"siren": ["800000001", "800000002", "800000003", "800000004"]}
    debt = pd.DataFrame(
        siren | {"dette": [5000, 2100, 900, 10], "dette_juillet_2020": 1000, "cotisation_moy12m": [5000, 5500, 9, 0]}
    )
    assert covid_debt(debt).steps == {"800000001": 1}
    frozen = pd.DataFrame(
        siren
        | {
            "dette_ancienne_max": [2000, 2000, 900, 2000],
            "dette_recente_min": [100, 300, 0, 0],
            "cotisation_annuelle": 10_000,
            "dette_en_hausse": [0, 1, 1, 1],
            "urssaf_principale": [0, 0, 1, 0],
        }
    )
    assert urssaf_steps(frozen).steps == {"800000001": -1, "800000002": 1}
    assert urssaf_steps(frozen).reasons["800000004"] == ("dette_urssaf_remboursee", "dette_urssaf_en_hausse")
    activity = pd.DataFrame(siren | {"ap_jours": [300, 241, 240, np.nan], "ap_part_effectif": [0.6, 0.5, 0.9, 0.9]})
    assert partial_activity_steps(activity).steps == {"800000001": 1}
    accounts = pd.DataFrame(
        siren
        | {
            "endettement_sur_caf": [4, 4, 3, np.nan],
            "ebe": [-1, 5, -1, -1],
            "ca_sur_ca_2019": [0.8, 1, 0.7, 1],
            "capitaux_propres": [-1, -1, -1, 1],
        }
    )
    assert financial_steps(accounts).steps == {"800000001": 2, "800000002": 1}
    with pytest.raises(WorkbenchError) as caught:
        financial_steps(debt)
    assert code_of(caught) == "detection_colonnes"


def test_a_corrected_list_keeps_both_levels_and_hides_tax_data(
    learnt: tuple[Detector, Parts], dataset: Dataset, alerts: AlertList
) -> None:
    quiet = str(alerts.entities[np.flatnonzero(alerts.ranks == 0)[0]])
    rule = Correction({quiet: 1}, {quiet: ("k_propres_negatifs", "recours_activite_partielle")})
    moved = detect(learnt[0], dataset, batch="2301", corrections=[rule])
    for public, shown in (
        ((), ["recours_activite_partielle"]),
        ((quiet,), ["k_propres_negatifs", "recours_activite_partielle"]),
    ):
        one = next(each for each in datapi_scores(moved, public_accounts=public) if each["siren"] == quiet)
        assert (one["alert"], one["alertPreRedressements"]) == ("Alerte seuil F2", "Pas d'alerte")
        assert one["redressements"] == shown
        assert one["macroExpl"]
    assert moved.fingerprint != alerts.fingerprint


def test_a_first_alert_is_a_level_never_reached() -> None:
    past = [{"800000001": 1, "800000002": 2}, {"800000001": 0}]
    assert first_alerts({"800000001": 2, "800000002": 2, "800000003": 1, "800000004": 0}, past) == {
        "800000001": True,
        "800000002": False,
        "800000003": True,
    }


# --- evaluation, drift, card ----------------------------------------------------------------------------------------


def test_an_evaluation_has_every_measure_with_and_without_strong_signals(
    evaluation: Evaluation, learnt: tuple[Detector, Parts]
) -> None:
    measures = evaluation.measures
    assert set(MEASURES) == set(METRICS) == set(measures["mesure"])
    by_scope = measures.drop_duplicates("perimetre").set_index("perimetre")["defaillances"]
    strong = int(learnt[1].test.strong.sum())
    assert strong > 0
    assert by_scope["avec signaux forts"] - by_scope["sans signaux forts"] == strong
    assert evaluation.value("roc_auc") > 0.65
    assert set(evaluation.groups["critere"]) == {"secteur", "taille", "région"}
    sizes = evaluation.groups.drop_duplicates(["critere", "groupe"]).groupby("critere")["lignes"].sum()
    assert set(sizes) == {int((~learnt[1].test.strong).sum())}
    json.dumps(evaluation.to_json(), allow_nan=False)


def test_a_detector_is_judged_on_other_months(learnt: tuple[Detector, Parts]) -> None:
    found, rows = judge(learnt[0], companies_table(), test=("2021-05", "2021-08"), draws=0)
    assert str(rows.periodes.max()) == "2021-06"
    assert not set(rows.companies) & set(learnt[1].train.companies)
    assert np.isnan(found.measures["bas"]).all()
    with pytest.raises(WorkbenchError) as caught:
        judge(learnt[0], companies_table(), test=("2020-06", "2020-08"))
    assert code_of(caught) == "detection_fuite_temps"


def test_drift_counts_what_moved(learnt: tuple[Detector, Parts]) -> None:
    before = {"1": (0.1, 0), "2": (0.5, 1), "3": (0.9, 2), "4": (0.6, 1), "5": (0.2, 0)}
    now = {"1": (0.5, 1), "2": (0.1, 0), "3": (0.5, 1), "4": (0.9, 2), "6": (0.9, 2)}
    drift = compare_lists(before, now)
    assert (drift.entered, drift.left, drift.risen, drift.fallen) == (("1", "6"), ("2",), ("4",), ("3",))
    assert (drift.appeared, drift.gone) == (1, 1)
    moved = learnt[1].test.take(np.arange(len(learnt[1].test)))
    moved.matrix[:, 3] += 5
    table = variable_stability(learnt[1].test, moved)
    assert table["variable"][0] == moved.declaration.given[3].name
    assert table["stabilite"][0] > 1
    assert (table["stabilite"][1:] == 0).all()


def test_the_card_says_what_a_list_is_made_of(alerts: AlertList, evaluation: Evaluation) -> None:
    drift = compare_lists({"1": (0.1, 0)}, {"1": (0.9, 2)})
    card = list_card(alerts, evaluation=evaluation, drift=drift)
    text = card_text(json.loads(json.dumps(card, allow_nan=False)))
    for said in (
        "Liste de janvier 2023",
        alerts.fingerprint[:12],
        "| apprentissage |",
        "2019-06",
        "graine 0",
        "alertes nouvelles\u00a0: 1",
    ):
        assert said in text, said
    assert all(str(each) not in text for each in alerts.entities)
    assert card["origine"]["donnees"]["apprentissage"]["empreinte"]


# --- registry -------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(registry_address: str) -> Registry:
    return open_registry(registry_address, rooms=[ROOM])


def test_a_list_is_made_again_from_the_registry(
    registry: Registry, alerts: AlertList, dataset: Dataset, learnt: tuple[Detector, Parts]
) -> None:
    with registry:
        first = record_list(alerts, dataset, list_card(alerts), author="anne@exemple.fr", registry=registry)
        assert record_list(alerts, dataset, {}, author="b@exemple.fr", registry=registry) == first
        assert recorded_lists(batch="2301", registry=registry) == [first]
        assert recorded_lists(batch="2302", registry=registry) == []
        again = make_list_again(first, dataset, registry=registry)
        assert again.probabilities.tolist() == alerts.probabilities.tolist()
        model = recorded_model(first.model[:10], registry=registry)
        assert make_model_again(model, learnt[1]).fingerprint == first.model
        for wrong, code in ((dataset.take(np.arange(20)), "detection_autre"),):
            with pytest.raises(WorkbenchError) as caught:
                make_list_again(first, wrong, registry=registry)
            assert code_of(caught) == code
        with pytest.raises(WorkbenchError) as caught:
            make_list_again(replace(first, id="0" * 64), dataset, registry=registry)
        assert code_of(caught) == "detection_autre"
        for unknown in ("", "%", "zz", "0" * 64):
            with pytest.raises(WorkbenchError) as caught:
                recorded_model(unknown, registry=registry)
            assert code_of(caught) == "detection_inconnu"


def test_a_model_made_from_other_rows_is_refused(learnt: tuple[Detector, Parts]) -> None:
    detector, parts = learnt
    with pytest.raises(WorkbenchError) as caught:
        make_model_again(detector, replace(parts, train=parts.train.take(np.arange(len(parts.train) - 1))))
    assert code_of(caught) == "detection_autre"


# --- commands and notebook ------------------------------------------------------------------------------------------


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(each) for each in words])
    return int(str(stop.value.code))


def test_the_commands_learn_list_and_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    table = tmp_path / "entreprises.parquet"
    companies_table(400).to_parquet(table, index=False)
    model, first, second = (tmp_path / name for name in ("modele.json", "un.parquet", "deux.parquet"))
    windows = ("--train", "2018-01:2019-07", "--test", "2021-02:2021-05", "--known-until", "2023-01")
    small = ("--parameter", "trees=30", "--parameter", "rate=0.1", "--seed", "3", "--batch", "2301")
    assert run("signaux", "train", table, "--to", model, *windows, *small) == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert said["parametres"]["trees"] == 30
    assert (
        run("signaux", "detect", model, table, "--periode", "2022-11", "--batch", "2212", "--to", first) == ExitCode.OK
    )
    options = ("--previous", first, "--card", tmp_path / "carte.md")
    assert (
        run("signaux", "detect", model, table, "--periode", "2022-12", "--batch", "2301", "--to", second, *options) == 0
    )
    capsys.readouterr()
    assert "Depuis la liste précédente" in (tmp_path / "carte.md").read_text(encoding="utf-8")
    assert read_list(second)[0].column("ecart").null_count == 0
    with open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]) as registry:
        assert [each.batch for each in recorded_lists(registry=registry)] == ["2301", "2212"]
    options = ("--previous", table, "--batch", "2301", "--to", tmp_path / "trois.parquet")
    assert run("signaux", "detect", model, table, "--periode", "2022-12", *options) == ExitCode.REFUSED
    assert "pas une liste" in capsys.readouterr().err
    front = tmp_path / "front.json"
    words = ("--batch", "2301", "--to", front, "--form", "front", "--no-record")
    assert run("signaux", "detect", model, table, "--periode", "2022-12", *words) == ExitCode.OK
    assert len(json.loads(front.read_text(encoding="utf-8"))) == 400
    # Made again, a list has the same bytes in every form.
    for form in ("csv", "datapi", "front", "parquet"):
        once, again = tmp_path / f"un.{form}", tmp_path / f"deux.{form}"
        for path in (once, again):
            assert (
                run("signaux", "detect", model, table, "--periode", "2022-12", *words[:2], "--to", path, "--form", form)
                == 0
            )
        assert once.read_bytes() == again.read_bytes()
    capsys.readouterr()
    assert run("signaux", "evaluate", model, table, "--test", "2021-03:2021-06") == ExitCode.OK
    assert len(json.loads(capsys.readouterr().out)["measures"]) == 2 * len(METRICS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--train", "2018-01:2020-07", "--test", "2021-02:2021-05"), ExitCode.REFUSED),
        (("--train", "2018-01:2019-07", "--test", "2021-02:2021-05", "--parameter", "arbres=3"), ExitCode.REFUSED),
        (("--train", "2019-07:2019-01", "--test", "2021-02:2021-05"), ExitCode.USAGE),
    ],
)
def test_commands_refuse_leaks_and_faults(words: tuple[str, ...], code: ExitCode, tmp_path: Path) -> None:
    table = tmp_path / "entreprises.parquet"
    companies_table(60).to_parquet(table, index=False)
    assert run("signaux", "train", table, "--to", tmp_path / "modele.json", *words) == code
    assert not (tmp_path / "modele.json").exists()


def test_the_notebook_of_a_list_runs(tmp_path: Path) -> None:
    notebook = ROOT / "notebooks" / "60_evaluation_du_modele.ipynb"
    execution = execute_notebook(notebook, {"tirages": 5}, folder=tmp_path)
    assert not execution.failed, f"{execution.cell}: {execution.cause}"
    shown = json.dumps(execution.notebook, ensure_ascii=False)
    for said in (
        "Aire sous la courbe ROC",
        "application/vnd.plotly.v1+json",
        "alourdit le risque",
        "Graphique : de la moyenne",
        "empreinte",
    ):
        assert said in shown, said
    cells = [output for cell in execution.notebook["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in cells if output.get("name") == "stderr"]

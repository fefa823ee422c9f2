"""What a new user brings: other files, other spellings, holes, categories; and what is refused, in words."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from other_companies import made, made_declaration

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.alerts import AlertList, detect
from workbench.signaux_faibles.detection.calibration import Calibration
from workbench.signaux_faibles.detection.columns import Declaration, Variable
from workbench.signaux_faibles.detection.corrections import read_corrections
from workbench.signaux_faibles.detection.dataset import Dataset, build_dataset, draw
from workbench.signaux_faibles.detection.detector import Detector, Origin, load_detector, save_detector, train
from workbench.signaux_faibles.detection.encodings import DRAW, FOLDS, NOISE, PRIOR, encoded, learn_encodings
from workbench.signaux_faibles.detection.evaluation import variable_stability
from workbench.signaux_faibles.detection.explanations import explain
from workbench.signaux_faibles.detection.forms import radar, relative
from workbench.signaux_faibles.detection.learners import Boosting, Forest, Learner, Logistic
from workbench.signaux_faibles.detection.learners.logistic import LinearModel
from workbench.signaux_faibles.detection.log_odds import debt_log_odds, moved_levels
from workbench.signaux_faibles.detection.outputs import datapi_scores
from workbench.signaux_faibles.detection.parts import Parts, Windows, split
from workbench.signaux_faibles.detection.runs import learn
from workbench.signaux_faibles.detection.scores import write_scores
from workbench.signaux_faibles.detection.synthetic import synthetic_companies
from workbench.signaux_faibles.detection.thresholds import Thresholds

WINDOWS = Windows(("2018-01", "2018-05"), ("2018-11", "2019-01"))
SMALL = Boosting(trees=20, rate=0.15, rows=20)


def refused(code: str, *words: str) -> pytest.RaisesExc[WorkbenchError]:
    return pytest.RaisesExc(
        WorkbenchError, check=lambda error: error.code == code and all(word in str(error) for word in words)
    )


# --- files of others ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["françaises", "anglaises"])
def test_a_csv_gives_the_rows_of_a_parquet(written: str, tmp_path: Path) -> None:
    table = made(600)
    table["siren"] = "0" + table["siren"].str[1:]
    table.loc[table.index % 5 == 0, "ebe_sur_ca"] = np.nan
    wanted = build_dataset(table, made_declaration())
    if written == "françaises":
        path = tmp_path / "table.csv"
        texts = table.assign(defaillance=table["defaillance"].map({0: "Non", 1: "oui"}))
        texts.to_csv(path, sep=";", decimal=",", index=False, encoding="utf-8-sig")
    else:
        path = tmp_path / "table.csv.gz"
        table.assign(defaillance=table["defaillance"] == 1).to_csv(path, index=False)
    found = build_dataset(path, made_declaration())
    assert found.names.tolist() == wanted.names.tolist()
    assert np.array_equal(found.matrix, wanted.matrix, equal_nan=True)
    assert found.fingerprint() == wanted.fingerprint()
    assert set(found.groups["taille"]) == set(wanted.groups["taille"])


def table(**columns: object) -> pa.Table:
    keys = {"siren": ["800000001", "800000002", "800000003"], "periode": ["2020-01"] * 3, "x": ["1", " 2,5", ""]}
    return pa.table(keys | columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": ["1", "environ 3", "2"]}, ("« environ 3 »", "ligne 2", "nombre")),
        ({"y": ["alive", "failed", "alive"]}, ("« alive »", "« failed »", "oui ou non")),
        ({"periode": ["2020-01", "janvier", "2020-03"]}, ("« janvier »", "ligne 2", "AAAA-MM-JJ")),
        ({"periode": [99, 2020, 2021]}, ("99", "année")),
        ({"periode": ["2020-13-01"] * 3}, ("AAAA-MM-JJ",)),
        ({"siren": ["800000001", None, "800000003"]}, ("1 valeur(s) absente(s)", "ligne 2")),
        ({"periode": [2020.0, float("nan"), 2021.0]}, ("ligne 2",)),
    ],
)
def test_what_has_no_meaning_is_named(columns: dict[str, object], words: tuple[str, ...]) -> None:
    declaration = Declaration("essai", (Variable("x", "effectif"),), target="y" if "y" in columns else "")
    with refused("detection_valeurs", *words):
        build_dataset(table(**columns), declaration)
    assert build_dataset(table(), replace(declaration, target="")).matrix[:, 0].tolist()[:2] == [1.0, 2.5]


def test_windows_without_rows_say_what_the_table_has() -> None:
    dataset = build_dataset(made(600), made_declaration())
    for windows in (replace(WINDOWS, train=("2010-01", "2011-01")), replace(WINDOWS, test=("2019-03", "2019-01"))):
        with refused("detection_vide", "de 2018-01 à 2018-11"):
            split(dataset, windows, seed=1)


@pytest.mark.parametrize("learner", [SMALL, Forest(trees=10, depth=4), Logistic(penalty=0.001)], ids=lambda x: x.kind)
def test_columns_that_say_nothing_change_nothing_but_themselves(learner: Learner) -> None:
    rows = made(3000).assign(vide=np.nan, constante=5.0)
    added = tuple(Variable(name, "effectif", default=None) for name in ("vide", "constante"))
    declaration = replace(made_declaration(), variables=(*made_declaration().variables, *added))
    parts = split(build_dataset(rows, declaration), WINDOWS, seed=1)
    explanation = explain(train(parts, learner), parts.test)
    assert not explanation.contributions[:, -2:].any()
    assert np.isfinite(explanation.probabilities).all()


@pytest.mark.parametrize(
    "learner",
    [Boosting(trees=-3), Boosting(trees="cent"), Forest(columns="toutes"), Logistic(penalty=-1.0)],  # type: ignore[arg-type]
    ids=repr,
)
def test_what_a_library_refuses_is_said(learner: Learner) -> None:
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    with refused("detection_modele", learner.kind):
        learner.fit(values, np.array([0, 1, 0, 1]), signs=(0, 0))


def test_parameters_are_searched_on_what_is_learnt_from() -> None:
    windows = Windows(("2018-01", "2018-09"), ("2018-11", "2019-01"))
    near = replace(made_declaration(), horizon=1)
    detector, parts, trials = learn(made(6000), near, windows, learner=SMALL, fits=6, seed=0)
    assert len(trials) == 2
    assert all(0 < score <= 1 for each in trials for score in each.scores)
    assert detector.probabilities(parts.test).max() > 0.5


# --- categories -----------------------------------------------------------------------------------------------------


def with_activities() -> tuple[pd.DataFrame, Declaration]:
    rows = made(3000)
    company = rows["siren"].str[1:].astype(int)
    rows["code_ape_niveau2"] = np.array(["01", "25", "47", "62"], dtype=object)[company % 4]
    rows.loc[company % 11 == 0, "code_ape_niveau2"] = None
    rows.loc[(company % 4 == 2) & (company % 3 > 0), "defaillance"] = 1
    return rows, made_declaration().encoding("code_ape_niveau2")


@pytest.fixture(scope="module")
def activities() -> Dataset:
    return build_dataset(*with_activities())


@pytest.fixture(scope="module")
def learnt(activities: Dataset) -> tuple[Detector, Parts]:
    parts = split(activities, WINDOWS, seed=1)
    return train(parts, SMALL, seed=2), parts


def test_a_category_is_the_share_of_its_failures_among_other_companies(learnt: tuple[Detector, Parts]) -> None:
    train_ = learnt[1].train
    encodings, rows = learn_encodings(train_, seed=2)
    place = len(train_.declaration.given) - 1
    texts = np.array([*train_.categories["taux_code_ape_niveau2"], ""], dtype=object)
    numbers = train_.matrix[:, place]
    of = texts[np.where(np.isnan(numbers), len(texts) - 1, numbers).astype(int)]
    overall = train_.target.mean()
    folds = np.floor(draw(train_.names, 2 + DRAW) * FOLDS)[train_.companies]
    for row in range(0, len(train_), 61):
        same = (of == of[row]) & (folds != folds[row])
        assert train_.companies[row] not in train_.companies[same]
        wanted = ((train_.target[same] == 1).sum() + PRIOR * overall) / (same.sum() + PRIOR)
        assert abs(rows.matrix[row, place] - wanted) <= NOISE + 1e-6
    every = of == "47"
    share = ((train_.target[every] == 1).sum() + PRIOR * overall) / (every.sum() + PRIOR)
    assert encodings["taux_code_ape_niveau2"].shares["47"] == pytest.approx(share)
    assert set(encodings["taux_code_ape_niveau2"].shares) == {"01", "25", "47", "62", ""}
    assert (rows.matrix[:, :place] == train_.matrix[:, :place]).all()


def test_categories_are_saved_judged_and_explained(learnt: tuple[Detector, Parts], tmp_path: Path) -> None:
    detector, parts = learnt
    again = load_detector(save_detector(detector, tmp_path / "modele.json"))
    assert again.fingerprint == detector.fingerprint
    assert again.probabilities(parts.test).tolist() == detector.probabilities(parts.test).tolist()
    assert train(parts, SMALL, seed=2).fingerprint == detector.fingerprint
    # A list has other companies: its categories have other numbers, and some were never met.
    rows, declaration = with_activities()
    few = rows[rows["code_ape_niveau2"].isin(["47", "62"]) & (rows["periode"] == "2018-11-01")]
    few = few.assign(code_ape_niveau2=few["code_ape_niveau2"].replace("62", "99"))
    listed = build_dataset(few, declaration.without_target())
    seen = encoded(listed, again.encodings).matrix[:, -1]
    shares = again.encodings["taux_code_ape_niveau2"]
    assert set(seen.tolist()) == {np.float32(shares.shares["47"]), np.float32(shares.overall)}
    explanation = explain(again, listed)
    assert np.abs(explanation.start + explanation.by_theme.sum(axis=1) - again.probabilities(listed)).max() < 1e-9
    assert explanation.by_theme[seen == np.float32(shares.shares["47"]), -1].mean() > 0
    stable = variable_stability(parts.train, listed).set_index("variable")["stabilite"]
    assert stable["taux_code_ape_niveau2"] > 1


def test_a_fingerprint_knows_the_categories_of_its_rows_alone(activities: Dataset) -> None:
    rows, declaration = with_activities()
    some = rows["code_ape_niveau2"].isin(["25", "62"])
    kept = activities.take(np.flatnonzero(some))
    assert build_dataset(rows[some], declaration).fingerprint() == kept.fingerprint()
    other = rows.assign(code_ape_niveau2=rows["code_ape_niveau2"].replace("62", "63"))
    assert build_dataset(other[some], declaration).fingerprint() != kept.fingerprint()


def test_a_category_that_gives_failures_away_is_caught() -> None:
    rows, declaration = with_activities()
    rows["code_ape_niveau2"] = np.where(rows["defaillance"] == 1, "radiée", "active")
    with refused("detection_fuite_suspecte", "taux_code_ape_niveau2"):
        split(build_dataset(rows, declaration), WINDOWS, seed=1)
    # An activity of each company, or one of all, says nothing: what others became must not tell its target.
    for nothing in (rows["siren"], "47"):
        split(build_dataset(rows.assign(code_ape_niveau2=nothing), declaration), WINDOWS, seed=1)


# --- forms ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alerts(learnt: tuple[Detector, Parts], activities: Dataset) -> AlertList:
    return detect(learnt[0], activities.between("2018-11", "2018-12"), batch="1812")


def test_the_scores_of_2019(
    alerts: AlertList, activities: Dataset, learnt: tuple[Detector, Parts], tmp_path: Path
) -> None:
    at = datetime(2019, 1, 4, 12, 30, tzinfo=UTC)
    before = activities.between("2018-09", "2018-10").take(np.arange(50))
    first = write_scores(alerts, tmp_path, before=before, at=at)
    again = write_scores(alerts, tmp_path, before=before, at=at)
    assert first.name == f"2019-01-04_v1_{alerts.algo}.csv"
    assert again.name == f"2019-01-04_v2_{alerts.algo}.csv"
    assert first.read_bytes() == again.read_bytes()
    with first.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["siren", "periode", "score", "score_diff", "algo", "batch", "timestamp", "alert"]
    assert [float(each["score"]) for each in rows] == alerts.probabilities.tolist()
    assert (rows[0]["periode"], rows[0]["timestamp"]) == ("2018-11-01", "2019-01-04T12:30:00Z")
    then = dict(zip(before.entities, learnt[0].probabilities(before), strict=True))
    for each in rows:
        known = then.get(each["siren"])
        assert each["score_diff"] == ("" if known is None else str(float(each["score"]) - known))
    with refused("requete_ecriture"):
        write_scores(alerts, first / "scores.csv")


def test_an_etablissement_is_named_beside_its_company(alerts: AlertList) -> None:
    of = replace(alerts, entities=np.array([f"{each}00012" for each in alerts.entities], dtype=object))
    one = datapi_scores(of)[0]
    assert one["siret"] == f"{one['siren']}00012"


THREE: dict[str, Any] = {"min_size": 3, "max_size": 3}


@settings(max_examples=20)
@given(st.lists(st.floats(-2, 2), **THREE), st.floats(-4, -0.5), st.lists(st.floats(-1, 1), **THREE))
def test_the_radar_and_the_relative_weights_are_those_of_2021(
    weights: list[float], intercept: float, values: list[float]
) -> None:
    # Specification 6.3, on a logistic regression left as it is: βx, b, and n variables.
    means, scales, lows, highs, replaced = ((each,) * 3 for each in (0.0, 1.0, -9.0, 9.0, 0.0))
    model = LinearModel(tuple(weights), intercept, means, scales, lows, highs, replaced)
    variables = (Variable("a", "dette_urssaf"), Variable("b", "effectif"), Variable("c", "dette_urssaf"))
    rows = {name: [value] for name, value in zip("abc", values, strict=True)}
    dataset = build_dataset(
        pa.table({"siren": ["800000001"], "periode": ["2020-01"], **rows}), Declaration("essai", variables)
    )
    calibration, thresholds = Calibration(1.0, 0.0, "log-odds"), Thresholds(0.5, 0.5)
    detector = Detector(dataset.declaration, "logistic", {}, model, calibration, thresholds, {}, Origin())
    parts = np.array(weights) * np.array(values, dtype=np.float32)
    explanation = explain(detector, dataset)
    debt, staff = parts[0] + parts[2], parts[1]
    marks = {"dette_urssaf": debt - 2 * intercept / 3, "effectif": staff - intercept / 3}
    assert radar(explanation)[0] == pytest.approx({name: 1 / (1 + np.exp(-each)) for name, each in marks.items()})
    whole = abs(intercept) + np.abs(parts).sum()
    assert relative(explanation)[0] == pytest.approx({"dette_urssaf": debt / whole, "effectif": staff / whole})


# --- second stage ---------------------------------------------------------------------------------------------------


def test_facts_of_a_file_choose_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "faits.csv"
    path.write_text(
        "siren;ap_jours;ap_part_effectif;endettement_sur_caf\n800000001;300;0,6;9\n800000002;10;0,9;\n",
        encoding="utf-8",
    )
    (only,) = read_corrections(path)
    assert only.steps == {"800000001": 1}
    assert only.reasons == {"800000001": ("recours_activite_partielle",)}
    path.write_text("siren;ap_jours\n800000001;300\n", encoding="utf-8")
    with refused("detection_colonnes", "ap_part_effectif"):
        read_corrections(path)
    path.write_text("siren;ap_jours;ap_part_effectif\n800000001;300;1\n800000001;300;1\n", encoding="utf-8")
    with refused("detection_doublons", "800000001"):
        read_corrections(path)


def test_the_corrections_of_2020_move_levels_by_the_thresholds(alerts: AlertList) -> None:
    high, moderate = alerts.detector.thresholds.high, alerts.detector.thresholds.moderate
    shifts = pd.Series({"800000001": 20.0, str(alerts.entities[0]): 0.0, "899999999": 9.0})
    before = int(alerts.first_ranks[alerts.entities.tolist().index("800000001")])
    assert moved_levels(alerts, shifts).steps == ({"800000001": 2 - before} if before < 2 else {})
    assert not moved_levels(alerts, shifts * 0).steps
    lowered = moved_levels(alerts, pd.Series(-20.0, index=alerts.entities))
    assert set(lowered.steps) == set(alerts.entities[alerts.probabilities >= moderate].tolist())
    assert high >= moderate
    with refused("detection_colonnes", "dette"):
        debt_log_odds(pd.DataFrame({"entite": ["800000001"]}))


def test_a_synthetic_company_is_no_company() -> None:
    rows, declaration = with_activities()
    rows.loc[rows["siren"] == "800000004", "paydex"] = np.nan
    rows = rows[~((rows["siren"] == "800000008") & (rows["periode"] > "2018-05-01"))]
    asked: dict[str, Any] = {"by": "code_ape_niveau2", "least": 5, "seed": 3}
    made_ = synthetic_companies(rows, declaration, **asked)
    pd.testing.assert_frame_equal(made_, synthetic_companies(rows, declaration, **asked))
    assert "cause" not in made_.columns
    assert not set(made_["siren"]) & set(rows["siren"])
    assert not made_.duplicated(["siren", "periode"]).any()
    sizes = rows.groupby("code_ape_niveau2")["siren"].nunique() // 5
    assert made_.groupby("code_ape_niveau2")["siren"].nunique().to_dict() == sizes.to_dict()
    # Means of five or more: nearer to one another than companies are, and the same on the whole.
    assert made_["effectif"].std() < 0.6 * rows["effectif"].std()
    assert made_["effectif"].mean() == pytest.approx(rows["effectif"].mean(), rel=0.1)
    few = rows[rows["siren"].isin(["800000001", "800000005", "800000009", "800000013", "800000017"])]
    one = synthetic_companies(few, declaration, **asked).set_index("periode")["dette_sur_cotisation"]
    assert one.to_numpy() == pytest.approx(few.groupby("periode")["dette_sur_cotisation"].mean().to_numpy())
    hidden = few.assign(dette_sur_cotisation=few["dette_sur_cotisation"].where(few["siren"] != "800000005"))
    assert synthetic_companies(hidden, declaration, **asked)["dette_sur_cotisation"].isna().all()
    with refused("detection_vide", "5"):
        synthetic_companies(few[few["siren"] != "800000001"], declaration, **asked)

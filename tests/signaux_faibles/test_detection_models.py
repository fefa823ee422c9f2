"""Models, thresholds, measures and explanations, on companies whose cause of failure is known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from other_companies import made, made_declaration
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, balanced_accuracy_score, fbeta_score, roc_auc_score

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.calibration import Calibration, fit_calibration
from workbench.signaux_faibles.detection.dataset import Dataset, build_dataset
from workbench.signaux_faibles.detection.detector import Detector, load_detector, save_detector, train
from workbench.signaux_faibles.detection.explanations import Explanation, explain
from workbench.signaux_faibles.detection.forms import macro, micro, radar, relative, selection
from workbench.signaux_faibles.detection.learners import (
    Boosting,
    Forest,
    Learner,
    Logistic,
    learner_named,
    model_from_json,
)
from workbench.signaux_faibles.detection.metrics import Ranked, calibration_curve, measure
from workbench.signaux_faibles.detection.parts import Parts, Windows, split
from workbench.signaux_faibles.detection.search import search
from workbench.signaux_faibles.detection.sentences import sentences
from workbench.signaux_faibles.detection.thresholds import (
    Level,
    Thresholds,
    find_thresholds,
    read_level,
    thresholds_by_rates,
)

WINDOWS = Windows(("2018-01", "2018-05"), ("2018-11", "2019-01"))
LEARNERS: dict[str, Learner] = {
    "boosting": Boosting(trees=40, rate=0.1, rows=20),
    "forest": Forest(trees=25, depth=5),
    "logistic": Logistic(penalty=0.001),
}
CAUSES = {"dette": "dette_urssaf", "comptes": "sante_financiere", "paiement": "paiement_fournisseurs"}


@pytest.fixture(scope="module")
def parts() -> Parts:
    return split(build_dataset(made(6000), made_declaration()), WINDOWS, seed=1)


@pytest.fixture(scope="module", params=sorted(LEARNERS))
def detector(request: pytest.FixtureRequest, parts: Parts) -> Detector:
    return train(parts, LEARNERS[request.param], seed=4)


@pytest.fixture(scope="module")
def explained(detector: Detector, parts: Parts) -> tuple[Explanation, Dataset]:
    return explain(detector, parts.test), parts.test


# --- models ---------------------------------------------------------------------------------------------------------


def test_probabilities_mean_what_they_say(detector: Detector, parts: Parts) -> None:
    probabilities = detector.probabilities(parts.test)
    assert Ranked(probabilities, parts.test.target).roc_auc() > 0.9
    assert probabilities.mean() == pytest.approx(parts.test.target.mean(), abs=0.06)


def test_the_same_seed_gives_the_same_detector(detector: Detector, parts: Parts) -> None:
    assert train(parts, LEARNERS[detector.kind], seed=4).fingerprint == detector.fingerprint


def test_a_detector_is_read_back_as_it_was(detector: Detector, parts: Parts, tmp_path: Path) -> None:
    path = save_detector(detector, tmp_path / "modele.json")
    again = load_detector(path)
    assert again.fingerprint == detector.fingerprint
    assert again.probabilities(parts.test).tolist() == detector.probabilities(parts.test).tolist()
    assert again.origin.data["apprentissage"]["lignes"] == len(parts.train)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "workbench-detection-1"}'])
def test_what_is_no_detector_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "modele.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorkbenchError) as caught:
        load_detector(path)
    assert caught.value.code == "detection_modele"


def test_trees_that_cannot_be_read_are_refused(parts: Parts) -> None:
    model = model_from_json({"forme": "arbres", "espace": "log-odds", "texte": "tree\nrien"})
    with pytest.raises(WorkbenchError, match="arbres"):
        model.scores(parts.test.matrix)


def test_a_forest_is_the_one_of_scikit_learn(parts: Parts) -> None:
    ours = Forest(trees=12, depth=9).fit(parts.train.matrix, parts.train.target, signs=(), seed=7)
    theirs = RandomForestClassifier(12, max_depth=9, max_features="sqrt", random_state=7)
    theirs.fit(parts.train.matrix, parts.train.target)
    assert ours.scores(parts.test.matrix) == pytest.approx(theirs.predict_proba(parts.test.matrix)[:, 1], abs=1e-12)


def test_signs_are_held(parts: Parts) -> None:
    boosted = train(parts, LEARNERS["boosting"]).model
    rows = np.repeat(parts.test.matrix[:40], 30, axis=0)
    rows[:, 0] = np.tile(np.linspace(0, 3, 30), 40)
    assert (np.diff(boosted.scores(rows).reshape(40, 30), axis=1) >= 0).all()


def test_rows_drawn_again_do_not_move_probabilities(parts: Parts) -> None:
    plain, drawn = (train(parts, LEARNERS["boosting"], sampling=share) for share in (None, 0.6))
    assert drawn.calibration.intercept < plain.calibration.intercept - 0.3
    assert drawn.probabilities(parts.test).mean() == pytest.approx(plain.probabilities(parts.test).mean(), abs=0.05)


def test_absent_values_are_taken_by_every_model(detector: Detector, parts: Parts) -> None:
    holes = parts.test.matrix.copy()
    holes[::2, 1] = np.nan
    assert np.isfinite(detector.model.scores(holes)).all()
    found, start = detector.model.contributions(holes)
    assert found.sum(axis=1) + start == pytest.approx(detector.model.scores(holes), abs=1e-9)


def test_unknown_learners_and_parameters_are_named() -> None:
    for kind, parameters in (("oracle", {}), ("forest", {"arbres": 3})):
        with pytest.raises(WorkbenchError, match="inconnu") as caught:
            learner_named(kind, parameters)
        assert caught.value.code == "detection_modele"


def test_a_search_keeps_to_its_budget() -> None:
    dataset = build_dataset(made(), made_declaration())
    trials = search(dataset, LEARNERS["boosting"], space={"trees": (5, 40), "leaves": (2, 7)}, fits=9, folds=3)
    assert len(trials) == 3
    assert [len(each.scores) for each in trials] == [3, 3, 3]
    assert trials[0].score == max(each.score for each in trials)
    with pytest.raises(WorkbenchError, match="inconnu"):
        search(dataset, Boosting(), space={"arbres": (5,)})


# --- thresholds and measures ----------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.4, 0.7]), st.booleans()), min_size=1, max_size=25))
def test_thresholds_have_the_highest_score(rows: list[tuple[float, bool]]) -> None:
    probabilities, target = np.array([row[0] for row in rows]), np.array([int(row[1]) for row in rows])
    if not target.any():
        with pytest.raises(WorkbenchError):
            find_thresholds(probabilities, target)
        return
    found = find_thresholds(probabilities, target, grid=101)
    assert 0 <= found.moderate <= found.high <= 1
    exact = find_thresholds(probabilities, target)
    for beta, threshold in ((0.5, exact.high), (2.0, exact.moderate)):
        scores = {
            each: fbeta_score(target, probabilities >= each, beta=beta, zero_division=0)
            for each in sorted(set(probabilities))
        }
        both = max(scores[exact.high], scores[exact.moderate])
        assert scores[threshold] == pytest.approx(max(scores.values())) or both == pytest.approx(max(scores.values()))


def test_the_rule_by_rates() -> None:
    probabilities, target = np.array([0.9, 0.8, 0.5, 0.3, 0.1]), np.array([1, 1, 0, 1, 0])
    assert thresholds_by_rates(probabilities, target, precision=0.93, recall=0.9) == Thresholds(0.8, 0.3)
    with pytest.raises(WorkbenchError):
        thresholds_by_rates(probabilities, 1 - target)
    with pytest.raises(WorkbenchError):
        Thresholds(0.2, 0.3)


def test_levels_of_every_era() -> None:
    for text in ("Alerte seuil F1", "Alerte seuil F1/2", "Risque élevé", "RISQUE FORT", "rouge"):
        assert read_level(text) is Level.HIGH
    for text in ("Alerte seuil F2", "risque modéré", "Risque mode\u0301re\u0301", "orange"):
        assert read_level(text) is Level.MODERATE
    for text in ("Pas d'alerte", "Pas d\u2019alerte", "Pas de risque", "vert"):
        assert read_level(text) is Level.NONE
    with pytest.raises(WorkbenchError, match="Hors périmètre"):
        read_level("Hors périmètre")
    assert Thresholds(0.5, 0.2).ranks(np.array([0.1, 0.2, 0.5])).tolist() == [0, 1, 2]


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.4, 0.7]), st.booleans(), st.integers(0, 2)), min_size=2, max_size=25
    )
)
def test_measures_are_those_of_scikit_learn(rows: list[tuple[float, bool, int]]) -> None:
    probabilities, target, weights = (np.array([row[place] for row in rows], dtype=np.float64) for place in range(3))
    if not 0 < (target * weights).sum() < weights.sum():
        return
    ranked = Ranked(probabilities, target).weighted(weights)
    found = (ranked.roc_auc(), ranked.average_precision(), ranked.balanced_accuracy(0.4), ranked.f_score(0.4, 2.0))
    alerts = probabilities >= 0.4
    assert found == pytest.approx(
        (
            roc_auc_score(target, probabilities, sample_weight=weights),
            average_precision_score(target, probabilities, sample_weight=weights),
            balanced_accuracy_score(target, alerts, sample_weight=weights),
            fbeta_score(target, alerts, beta=2, sample_weight=weights, zero_division=np.nan),
        ),
        nan_ok=True,
    )


def test_intervals_hold_the_value_and_count_companies() -> None:
    random = np.random.default_rng(0)
    companies = np.repeat(np.arange(150), 4)
    target = np.repeat(random.random(150) < 0.3, 4).astype(int)
    probabilities = np.clip(np.repeat(random.normal(size=150), 4) * 0.1 + target * 0.1 + 0.5, 0, 1)
    grouped = measure(probabilities, target, companies, (0.6, 0.5), draws=60)["roc_auc"]
    alone = measure(probabilities, target, np.arange(600), (0.6, 0.5), draws=60)["roc_auc"]
    assert grouped.low < grouped.value < grouped.high
    assert grouped.high - grouped.low > 1.4 * (alone.high - alone.low)
    curve = calibration_curve(probabilities, target)
    assert curve["lignes"].sum() == 600
    assert (curve["bas"] <= curve["observe"]).all()


def test_calibration_finds_what_was_turned() -> None:
    random = np.random.default_rng(0)
    z = random.normal(size=20_000) * 2
    target = (random.random(20_000) < 1 / (1 + np.exp(-(0.5 * z - 1)))).astype(int)
    found = fit_calibration(z, target, "log-odds")
    assert (found.slope, found.intercept) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.05))


# --- explanations ---------------------------------------------------------------------------------------------------


def test_contributions_add_up_to_the_displayed_probability(
    explained: tuple[Explanation, Dataset], detector: Detector
) -> None:
    explanation, dataset = explained
    shown = detector.probabilities(dataset)
    for parts_ in (explanation.contributions, explanation.by_theme, explanation.by_feature):
        assert np.abs(explanation.start + parts_.sum(axis=1) - shown).max() < 1e-9
    log_odds = np.log(shown / (1 - shown))
    assert np.abs(explanation.log_start + explanation.log_by_theme.sum(axis=1) - log_odds).max() < 1e-9
    for row in range(0, len(explanation), 17):
        steps = explanation.waterfall(row)
        assert steps[-2].end == pytest.approx(shown[row], abs=1e-9)
        assert all(one.end == other.start for one, other in pairwise(steps[:-1]))
    for themes, variables, shown_ in zip(macro(explanation), micro(explanation), 100 * shown, strict=True):
        assert sum(themes.values()) == pytest.approx(shown_, abs=1e-9)
        for theme, value in themes.items():
            assert sum(variables[theme].values()) == pytest.approx(value, abs=1e-9)


@given(
    st.sampled_from(["log-odds", "probability"]),
    st.floats(0.05, 3),
    st.floats(-3, 3),
    st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=5),
)
def test_whatever_the_model_says_is_shared_out_exactly(
    space: str, slope: float, shift: float, given_: list[float]
) -> None:
    calibration = Calibration(slope, shift, space)
    contributions = np.array([given_, [0.0] * len(given_)])
    scores = contributions.sum(axis=1) + 0.5
    for wanted, shown in (("probability", calibration.probabilities), ("log-odds", calibration.log_odds)):
        shares, start = calibration.attribute(contributions, 0.5, scores, space=wanted)
        assert start + shares.sum(axis=1) == pytest.approx(shown(scores), abs=1e-9)
        assert (np.sign(shares) * np.sign(contributions) >= 0).all()


def test_the_planted_cause_ranks_first(explained: tuple[Explanation, Dataset]) -> None:
    explanation, dataset = explained
    causes = made(6000).set_index(["siren", "periode"])["cause"]
    keys = zip(dataset.entities, dataset.periodes.astype("M8[s]"), strict=True)
    planted = np.array([causes.loc[siren, periode] for siren, periode in keys])
    first = np.array(explanation.declaration.themes)[explanation.by_theme.argmax(axis=1)]
    for cause, theme in CAUSES.items():
        assert np.mean(first[planted == cause] == theme) > 0.97, cause
        row = int(np.flatnonzero(planted == cause)[0])
        assert sentences(explanation, row)[0].theme == theme
        assert selection(explanation)[row]["selectConcerning"][0][0] == theme
        assert max(radar(explanation)[row], key=radar(explanation)[row].__getitem__) == theme
        assert max(relative(explanation)[row], key=relative(explanation)[row].__getitem__) == theme


def test_sentences_are_tied_to_facts(explained: tuple[Explanation, Dataset]) -> None:
    explanation, dataset = explained
    names = [each.name for each in dataset.declaration.given]
    row = int(np.argmax(explanation.probabilities))
    said = sentences(explanation, row)
    assert 2 <= len(said) <= 3
    assert len({each.variable for each in said}) == len(said)
    for each in said:
        place = names.index(each.variable)
        assert each.entity == dataset.entities[row]
        assert each.value == pytest.approx(float(dataset.matrix[row, place]))
        assert each.contribution == explanation.contributions[row, place]
        assert ("alourdit" if each.contribution > 0 else "allège") in each.text
        assert "\u00a0point" in each.text
    assert sentences(explanation, row, most=1) == said[:1]


def test_a_sentence_of_a_derived_or_absent_fact(parts: Parts) -> None:
    from workbench.signaux_faibles.detection.columns import Variable
    from workbench.signaux_faibles.detection.sentences import title

    debt = Variable("dette", "dette_urssaf", label="le montant dû")
    change = Variable("dette_diff3m", "dette_urssaf", operation="diff", of=("dette",), months=3)
    declaration = replace(made_declaration(), variables=(debt, change))
    assert title(declaration, change) == "la variation en 3\u00a0mois du montant dû"
    holes = parts.test.take(np.arange(50))
    holes.matrix[:, 1] = np.nan
    explanation = explain(train(parts, LEARNERS["boosting"]), holes)
    said = [each for row in range(50) for each in sentences(explanation, row) if each.variable == "ebe_sur_ca"]
    assert said
    assert all(each.value is None and "On ne connaît pas l’excédent" in each.text for each in said)


def test_explanations_of_another_table_are_refused(detector: Detector, parts: Parts) -> None:
    other = replace(parts.test, declaration=replace(made_declaration(), variables=made_declaration().variables[::-1]))
    with pytest.raises(WorkbenchError) as caught:
        explain(detector, other)
    assert caught.value.code == "detection_modele"
    assert json.dumps(detector.to_json(), allow_nan=False)

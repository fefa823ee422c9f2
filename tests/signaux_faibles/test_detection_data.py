"""Datasets, derived variables, parts, and the leaks that are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from other_companies import made, made_declaration
from sklearn.metrics import roc_auc_score

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import OPERATIONS as NAMES
from workbench.signaux_faibles.detection.columns import Declaration, Variable, load_declaration
from workbench.signaux_faibles.detection.dataset import Dataset, Perimetre, build_dataset
from workbench.signaux_faibles.detection.derive import OPERATIONS, derive
from workbench.signaux_faibles.detection.french import FUTURE, french_declaration
from workbench.signaux_faibles.detection.leaks import alone
from workbench.signaux_faibles.detection.parts import Parts, Windows, check_parts, cross_parts, draw, resample, split
from workbench.signaux_faibles.detection.search import time_folds

WINDOWS = Windows(("2018-01", "2018-05"), ("2018-11", "2019-01"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return build_dataset(made(), made_declaration())


def refused(code: str) -> pytest.RaisesExc[WorkbenchError]:
    return pytest.RaisesExc(WorkbenchError, check=lambda error: error.code == code)


def table(**columns: object) -> pa.Table:
    return pa.table(
        {"siren": ["800000001"] * 3, "periode": ["2020-01", "2020-02", "2020-03"], "x": [1.0, 2.0, 4.0]} | columns
    )


def declared(*variables: Variable, **others: object) -> Declaration:
    return Declaration("essai", variables or (Variable("x", "sante_financiere"),), **others)  # type: ignore[arg-type]


# --- tables ---------------------------------------------------------------------------------------------------------


def test_arrow_pandas_and_parquet_give_the_same_rows(dataset: Dataset, tmp_path: Path) -> None:
    frame = made()
    shuffled = frame.sample(frac=1, random_state=3)
    partition = tmp_path / "table"
    for name, part in shuffled.groupby("region"):
        (partition / f"region={name}").mkdir(parents=True)
        part.drop(columns="region").to_parquet(partition / f"region={name}" / "part.parquet")
    for source in (pa.Table.from_pandas(frame), shuffled, partition):
        again = build_dataset(source, made_declaration())
        assert again.fingerprint() == dataset.fingerprint()
    other = frame.assign(paydex=frame["paydex"] + (frame.index == 7))
    assert build_dataset(other, made_declaration()).fingerprint() != dataset.fingerprint()


def test_defaults_absent_values_and_sirets() -> None:
    declaration = declared(Variable("x", "effectif", default=None), Variable("y", "effectif", default=0.0))
    rows = table(siret=["80000000100012"] * 3, y=[None, float("inf"), 3.0], x=[None, 1.0, 2.0])
    built = build_dataset(rows, replace(declaration, entity="siret"))
    assert built.names.tolist() == ["800000001"]
    assert built.matrix.tolist() == [pytest.approx([np.nan, 0], nan_ok=True), [1, 0], [2, 3]]
    assert built.target.tolist() == [-1, -1, -1]


def test_the_target_by_mark_by_months_left_and_by_date() -> None:
    by_months = build_dataset(table(til=[18, 0, None]), declared(til="til"))
    assert by_months.target.tolist() == [1, 1, 0]
    assert by_months.strong.tolist() == [False, True, False]
    by_date = build_dataset(table(jugement=["2020-02-15", "2021-09-01", "2021-07-31"]), declared(event="jugement"))
    assert by_date.target.tolist() == [1, 0, 1]
    assert not by_date.strong.any()
    late = build_dataset(table(jugement=pa.array([None, "2020-02-01", "2019-12-31"])), declared(event="jugement"))
    assert late.target.tolist() == [0, 1, 1]
    assert late.strong.tolist() == [False, True, True]
    assert build_dataset(table(y=[True, False, None]), declared(target="y")).target.tolist() == [1, 0, -1]


def test_the_perimetre() -> None:
    rows = table(
        siren=["800000001", "800000002", "800000003"],
        effectif=[9, 10, 50],
        ape=["10.10Z", "84.11Z", None],
        etat=["A"] * 3,
    )
    declaration = declared(effectif="effectif", activite="ape", active="etat")
    assert build_dataset(rows, declaration, perimetre=Perimetre()).entities.tolist() == ["800000003"]
    assert len(build_dataset(rows, declaration, perimetre=Perimetre(effectif=10, activities=()))) == 2
    with refused("detection_vide"):
        build_dataset(rows, declaration, perimetre=Perimetre(effectif=99))


@pytest.mark.parametrize(
    ("rows", "declaration", "code"),
    [
        (table(), declared(Variable("z", "effectif")), "detection_colonnes"),
        (table(x=["un", "deux", "trois"]), declared(), "detection_valeurs"),
        (table(periode=["2020-01", "2020-01", "2020-03"]), declared(), "detection_doublons"),
        (table(periode=["2020-01", "janvier", "2020-03"]), declared(), "detection_valeurs"),
        (table(y=[0, 1, 2]), declared(target="y"), "detection_valeurs"),
        (table().slice(0, 0), declared(), "detection_vide"),
        ("absent.parquet", declared(), "fichier_illisible"),
    ],
)
def test_bad_tables_are_refused(rows: object, declaration: Declaration, code: str) -> None:
    with refused(code):
        build_dataset(rows, declaration)  # type: ignore[arg-type]


def test_a_declaration_is_read_and_its_faults_named(tmp_path: Path) -> None:
    path = tmp_path / "declaration.yaml"
    path.write_text(
        "name: essai\ntarget: defaut\nvariables:\n"
        "  - {name: dette, theme: dette_urssaf, sign: 1, default: 0.0}\n"
        "  - {name: dette_diff3m, theme: dette_urssaf, operation: diff, of: [dette], months: 3}\n",
        encoding="utf-8",
    )
    read = load_declaration(path)
    assert [each.name for each in read.given] == ["dette", "dette_diff3m"]
    assert read.feature_of("dette_diff3m") == "dette"
    assert Declaration.from_json(french_declaration().to_json()) == french_declaration()
    for text in ("- un", "variables: [{nom: x}]", "variables: []\nname: x", "name: ["):
        path.write_text(text, encoding="utf-8")
        with refused("detection_declaration"):
            load_declaration(path)
    for wrong in ((Variable("b", "t", operation="lag", of=("a",)),), (Variable("a", "t"), Variable("a", "t"))):
        with refused("detection_declaration"):
            declared(*wrong)
    with refused("detection_declaration"):
        Variable("a", "t", operation="devine")


# --- derived variables ----------------------------------------------------------------------------------------------


def test_every_operation_is_declared() -> None:
    assert set(OPERATIONS) == set(NAMES)


@given(
    st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 30)), st.integers(-9, 9), min_size=1, max_size=40),
    st.integers(1, 14),
)
def test_the_past_is_looked_up_by_the_calendar(rows: dict[tuple[int, int], int], months: int) -> None:
    companies, calendar = (np.array([key[place] for key in rows]) for place in (0, 1))
    columns = {"x": np.array(list(rows.values()), dtype=np.float64)}
    wanted = [Variable("x", "t")] + [
        Variable(name, "t", operation=name, of=("x",), months=months)
        for name in ("lag", "diff", "mean", "negative", "age")
    ]
    derive(columns, tuple(wanted), companies, calendar)
    for place, ((company, now), value) in enumerate(rows.items()):
        past = rows.get((company, now - months), np.nan)
        window = [rows[company, each] for each in range(now - months + 1, now + 1) if (company, each) in rows]
        assert columns["lag"][place] == pytest.approx(past, nan_ok=True)
        assert columns["diff"][place] == pytest.approx(value - past, nan_ok=True)
        assert columns["mean"][place] == pytest.approx(np.mean(window))
        assert columns["negative"][place] == sum(each < 0 for each in window)
        assert columns["age"][place] == now - min(each for owner, each in rows if owner == company)


def test_nothing_comes_from_a_later_month() -> None:
    declaration = declared(
        Variable("x", "t"),
        *(Variable(f"{name}2", "t", operation=name, of=("x",), months=2) for name in ("lag", "diff", "growth", "mean")),
    )
    before, after = (build_dataset(table(x=[1.0, 2.0, last]), declaration).matrix for last in (4.0, 400.0))
    assert np.array_equal(before[:2], after[:2], equal_nan=True)


def test_the_declaration_of_french_companies_builds() -> None:
    declaration = french_declaration()
    raw = [each.name for each in declaration.variables if not each.operation]
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.random(40) for name in raw})
    frame = frame.assign(
        siren=np.repeat(["800000001", "800000002"], 20),
        periode=np.tile(pd.date_range("2019-01-01", periods=20, freq="MS"), 2),
        failure=[None, *[True] * 39],
        signal_fort=[True, *[False] * 39],
        futur_connu=[*[True] * 39, False],
        effectif=25,
        code_naf="C",
        statut_juridique="5710",
    )
    built = build_dataset(frame, declaration, perimetre=Perimetre())
    assert built.matrix.shape == (40, len(declaration.given))
    place = [each.name for each in declaration.given].index("paydex_nb_jours_diff12m")
    assert np.isnan(built.matrix[:12, place]).all()
    assert built.matrix[12, place] == pytest.approx(
        frame["paydex_nb_jours"][12] - frame["paydex_nb_jours"][0], rel=1e-5
    )
    assert built.target.tolist() == [1] * 39 + [-1]
    assert built.strong.tolist() == [True] + [False] * 39
    told = build_dataset(frame.assign(paydex_nb_jours_diff12m=7.0), declaration)
    assert (told.matrix[:, place] == 7).all()
    with refused("detection_fuite_variable"):
        build_dataset(
            frame, replace(declaration, variables=(*declaration.variables, Variable(FUTURE[2], "dette_urssaf")))
        )


# --- parts and leaks ------------------------------------------------------------------------------------------------


def test_parts_are_apart_by_company_and_by_time(dataset: Dataset) -> None:
    parts = split(dataset, WINDOWS, seed=1)
    sides = [set(part.companies.tolist()) for part in (parts.train, parts.validation, parts.test)]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert parts.train.periodes.max() + 6 < parts.test.periodes.min()
    assert len(sides[0]) > len(sides[2]) > 60
    folds = list(cross_parts(dataset, WINDOWS, folds=4, seed=1))
    assert sorted(np.concatenate([each.test.companies for each in folds])) == sorted(
        dataset.between(*WINDOWS.test).companies.tolist()
    )


def test_the_draw_depends_on_nothing_else(dataset: Dataset) -> None:
    assert draw(dataset.names[::-1], 5)[::-1].tolist() == draw(dataset.names, 5).tolist()
    assert draw(dataset.names, 5).tolist() != draw(dataset.names, 6).tolist()
    assert abs(draw(dataset.names, 5).mean() - 0.5) < 0.1


def test_a_company_on_two_sides_is_caught(dataset: Dataset) -> None:
    parts = split(dataset, WINDOWS, seed=1)
    one = dataset.take(dataset.companies == parts.train.companies[0]).between(*WINDOWS.test)
    planted = Parts(parts.train, parts.validation, parts.test.take(np.arange(len(parts.test) - 1)))
    check_parts(planted, WINDOWS)
    names = ("companies", "entities", "periodes", "matrix", "target", "strong")
    both = {name: np.concatenate([getattr(parts.test, name), getattr(one, name)]) for name in names}
    with refused("detection_fuite_siren") as caught:
        check_parts(replace(parts, test=replace(parts.test, groups={}, **both)), WINDOWS)
    assert one.names[one.companies[0]] in caught.value.message


def test_learning_that_looks_into_the_test_is_caught(dataset: Dataset) -> None:
    for windows in (
        Windows(("2018-01", "2018-07"), ("2018-11", "2019-01")),
        Windows(("2018-01", "2018-03"), ("2018-11", "2019-01"), validation=("2018-05", "2018-08")),
    ):
        with refused("detection_fuite_temps"):
            split(dataset, windows, seed=1)
    with refused("detection_cible_inconnue"):
        split(dataset, replace(WINDOWS, known_until="2019-03"), seed=1)
    split(dataset, replace(WINDOWS, known_until="2019-06"), seed=1)


@pytest.mark.parametrize("how", ["value", "absence"])
def test_a_variable_that_gives_the_target_away_is_caught(how: str) -> None:
    frame = made()
    random = np.random.default_rng(0)
    told = frame["defaillance"].where(random.random(len(frame)) > 0.01, 1 - frame["defaillance"]).astype(float)
    frame["radiation"] = told + random.normal(size=len(frame)) * 0.01 if how == "value" else np.where(told, np.nan, 1)
    given_ = made_declaration()
    leaking = replace(given_, variables=(*given_.variables, Variable("radiation", "effectif", default=None)))
    built = build_dataset(frame, leaking)
    with refused("detection_fuite_suspecte") as caught:
        split(built, WINDOWS, seed=1)
    assert "radiation" in caught.value.message
    split(built, WINDOWS, seed=1, allowed=("radiation",))


def test_a_target_given_as_a_variable_is_caught() -> None:
    given_ = made_declaration()
    for leak in (
        Variable("defaillance", "effectif"),
        Variable("defaillance_lag6m", "effectif", operation="lag", of=("defaillance",), months=6),
    ):
        variables = (
            (*given_.variables, Variable("defaillance", "effectif", given=False))
            if leak.operation
            else given_.variables
        )
        with refused("detection_fuite_variable"):
            build_dataset(made(), replace(given_, variables=(*variables, leak)))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_the_area_of_a_variable_alone_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    values, target = (np.array([row[place] for row in rows], dtype=np.float64) for place in (0, 1))
    if 0 < target.sum() < len(target):
        area = roc_auc_score(target, values)
        assert alone(values, target) == pytest.approx(max(area, 1 - area))


@pytest.mark.parametrize("adding", [True, False])
def test_rows_are_drawn_again_to_a_share(dataset: Dataset, adding: bool) -> None:
    drawn = resample(dataset, 0.5, seed=2, adding=adding)
    assert drawn.positives / len(drawn) == pytest.approx(0.5, abs=1e-3)
    assert (len(drawn) > len(dataset)) == adding
    assert resample(dataset, 0.01) is dataset
    assert resample(dataset, 0.5, seed=2, adding=adding).fingerprint() == drawn.fingerprint()


def test_folds_of_the_search_respect_companies_and_time(dataset: Dataset) -> None:
    for learnt, judged in time_folds(dataset, 3, seed=0):
        assert not set(dataset.companies[learnt]) & set(dataset.companies[judged])
        assert dataset.periodes[learnt].max() + 6 < dataset.periodes[judged].min()

"""A forest grown by Spark: read from its JVM, it is MLlib's, and then needs Spark no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from other_companies import made, made_declaration
from sklearn.metrics import roc_auc_score

from workbench.engines.spark_rows import SparkRows
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration, Variable
from workbench.signaux_faibles.detection.dataset import Perimetre, build_dataset
from workbench.signaux_faibles.detection.detector import train
from workbench.signaux_faibles.detection.learners import SparkForest, model_from_json
from workbench.signaux_faibles.detection.learners.logistic import medians
from workbench.signaux_faibles.detection.parts import Windows, split
from workbench.signaux_faibles.detection.runs import learn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def master(new_spark: Callable[[], str]) -> str:
    return new_spark().partition("master=")[2]


def test_spark_grows_a_forest_like_any_other(master: str) -> None:
    windows = Windows(("2018-01", "2018-05"), ("2018-11", "2019-01"))
    parts = split(build_dataset(made(3000), made_declaration()), windows, seed=1)
    detector = train(parts, SparkForest(trees=5, depth=4, master=master), seed=3)
    scores = detector.model.scores(parts.test.matrix)
    assert roc_auc_score(parts.test.target, scores) > 0.7
    contributions, start = detector.model.contributions(parts.test.matrix)
    assert contributions.sum(axis=1) + start == pytest.approx(scores, abs=1e-9)
    again = model_from_json(json.loads(json.dumps(detector.model.to_json())))
    assert (again.scores(parts.test.matrix) == scores).all()


def test_spark_s_forest_says_what_mllib_says(master: str) -> None:
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql.functions import xxhash64

    from workbench.engines.spark_session import session_of

    draw = np.random.default_rng(5)
    values = draw.normal(size=(800, 3)).astype(np.float32)
    target = (values[:, 0] - values[:, 1] + draw.normal(size=800) > 0.5).astype(np.int8)
    ours = SparkForest(trees=4, depth=3, columns="2", master=master).fit(values, target, signs=(), seed=11)

    session = session_of(master)
    names = ["v0", "v1", "v2"]
    columns = [*(values[:, place].astype(np.float64) for place in range(3)), target.astype(np.float64)]
    frame = session.createDataFrame(pa.table(columns, names=[*names, "cible"]))
    rows = VectorAssembler(inputCols=names, outputCol="variables").transform(
        frame.withColumn("ligne", xxhash64(*names, "cible")).repartition(1, "ligne").sortWithinPartitions("ligne")
    )
    theirs = RandomForestClassifier(
        featuresCol="variables", labelCol="cible", numTrees=4, maxDepth=3, featureSubsetStrategy="2", seed=11
    ).fit(rows)
    said = theirs.transform(rows).select("v0", "v1", "v2", "probability").collect()
    asked = np.array([[row.v0, row.v1, row.v2] for row in said], dtype=np.float32)
    assert ours.scores(asked) == pytest.approx([float(row.probability[1]) for row in said], abs=1e-12)


def table_of_months() -> tuple[pd.DataFrame, Declaration]:
    """Companies with a variable of their past, holes, a perimeter, and a key that sorts as the table does."""
    table = made(2400).sort_values(["siren", "periode"], ignore_index=True)
    table.loc[table.index % 7 == 0, "ebe_sur_ca"] = np.nan
    change = Variable("paydex_diff2m", "paiement_fournisseurs", operation="diff", of=("paydex",), months=2)
    return table, replace(made_declaration(), variables=(*made_declaration().variables, change))


def test_executors_read_the_parquet_and_learn_the_same_detector(master: str, tmp_path: Path) -> None:
    table, declaration = table_of_months()
    for name, part in table.groupby("region"):
        (tmp_path / "table" / f"region={name}").mkdir(parents=True)
        part.drop(columns="region").to_parquet(tmp_path / "table" / f"region={name}" / "part.parquet")
    windows = Windows(("2018-01", "2018-05"), ("2018-11", "2019-01"))
    asked: dict[str, Any] = {
        "learner": SparkForest(trees=3, depth=4, master=master),
        "perimetre": Perimetre(12),
        "seed": 1,
    }
    here, parts, _ = learn(table, declaration, windows, **asked)
    there, kept, _ = learn(tmp_path / "table", declaration, windows, **asked)
    assert np.isnan(parts.train.matrix).any()
    assert there.fingerprint == here.fingerprint
    assert there.probabilities(parts.test).tolist() == here.probabilities(parts.test).tolist()
    assert kept.validation.fingerprint() == parts.validation.fingerprint()
    assert kept.test.fingerprint() == parts.test.fingerprint()
    wanted = {**here.origin.data["apprentissage"], "empreinte": ""}
    assert {**there.origin.data["apprentissage"], "empreinte": ""} == wanted
    # What only executors see is refused in the words of any other table.
    table.loc[:2, "siren"] = table["siren"][6]
    table.to_parquet(tmp_path / "double.parquet")
    with pytest.raises(WorkbenchError) as caught:
        learn(tmp_path / "double.parquet", declaration, windows, **asked)
    assert caught.value.code == "detection_doublons"


def test_medians_of_executors_are_exact(master: str, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    columns = [
        random.normal(size=1001),
        np.round(random.normal(size=1001), 1) * -1e6,
        np.where(random.random(1001) < 0.4, np.nan, random.random(1001)),
        np.full(1001, np.nan),
        np.zeros(1001),
    ]
    names = [f"v{place}" for place in range(len(columns))]
    table = pa.table([pa.array(each.astype(np.float32)) for each in columns], names=names)
    pq.write_table(table.append_column("cle", pa.array([f"{n:09d}" for n in range(1001)])), tmp_path / "t.parquet")
    fields = [("refus", pa.string()), *((name, pa.float32()) for name in names)]

    def ready(rows: pa.Table) -> pa.Table:
        return rows.select(names).add_column(0, "refus", pa.nulls(rows.num_rows, pa.string()))

    with SparkRows(master, [tmp_path / "t.parquet"], ["cle", *names], "cle", ready, pa.schema(fields)) as rows:
        found = rows.medians(rows.frame, names)
    assert found == medians(np.column_stack(columns).astype(np.float32))


def test_spark_s_refusals_are_said(master: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        SparkForest(trees=1, columns="beaucoup", master=master).fit(
            np.zeros((4, 1), dtype=np.float32), np.array([0, 1, 0, 1]), signs=()
        )
    assert caught.value.code == "requete_refusee"

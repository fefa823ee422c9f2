"""A forest grown by Spark: read from its JVM, it is MLlib's, and then needs Spark no more."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from other_companies import made, made_declaration
from sklearn.metrics import roc_auc_score

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.dataset import build_dataset
from workbench.signaux_faibles.detection.detector import train
from workbench.signaux_faibles.detection.learners import SparkForest, model_from_json
from workbench.signaux_faibles.detection.parts import Windows, split

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
        frame.repartition(session.sparkContext.defaultParallelism)
    )
    theirs = RandomForestClassifier(
        featuresCol="variables", labelCol="cible", numTrees=4, maxDepth=3, featureSubsetStrategy="2", seed=11
    ).fit(rows)
    said = theirs.transform(rows).select("v0", "v1", "v2", "probability").collect()
    asked = np.array([[row.v0, row.v1, row.v2] for row in said], dtype=np.float32)
    assert ours.scores(asked) == pytest.approx([float(row.probability[1]) for row in said], abs=1e-12)


def test_spark_s_refusals_are_said(master: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        SparkForest(trees=1, columns="beaucoup", master=master).fit(
            np.zeros((4, 1), dtype=np.float32), np.array([0, 1, 0, 1]), signs=()
        )
    assert caught.value.code == "requete_refusee"

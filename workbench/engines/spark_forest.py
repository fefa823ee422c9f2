"""A random forest grown by Spark's MLlib, given back as plain arrays.

What MLlib draws depends on how rows are parted and ordered: they are laid out by their own content, in as many parts as
their number asks for. The same rows give the same forest, whatever brought them and whatever the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.engines.spark_rows import spark_failure
from workbench.engines.spark_session import session_of

__all__ = ["GrownTree", "forest_of", "grow_forest"]

_TARGET, _ROW, _WEIGHT = "cible", "ligne", "poids"

PART = 100_000
"""Rows of a part, more or less."""


@dataclass(frozen=True)
class GrownTree:
    """A binary tree, node by node, the root first; a leaf has -1 as its left.

    Parameters
    ----------
    left, right
        Children; a value at most the threshold goes left.
    feature, threshold
        What a node asks; -2 and 0 for a leaf.
    value
        Share of the rows of a node whose target is 1.
    rows
        Rows drawn that reached each node.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    rows: np.ndarray


def grow_forest(
    master: str | None,
    blocks: Iterable[np.ndarray],
    target: np.ndarray,
    *,
    trees: int,
    depth: int,
    rows: int,
    columns: str,
    bins: int,
    seed: int,
) -> list[GrownTree]:
    """Grow a forest where a Spark session computes.

    Parameters
    ----------
    master
        As Spark writes it; None for the session that runs, else ``local[*]``.
    blocks
        Rows of the table of variables, some at a time, none absent.
    target
        0 or 1, for all rows in order.
    trees, depth, rows, columns, bins
        How many, how deep, rows of a leaf at the least, variables tried at a split as MLlib writes it, thresholds
        tried of a variable.
    seed
        Of what is drawn; the same rows give the same forest.

    Raises
    ------
    WorkbenchError
        ``moteur_absent``, ``java_absent``, ``spark_demarrage``, ``spark_autre_maitre``; ``requete_refusee`` when
        Spark fails.
    """
    session = session_of(master)
    table, names = _table(blocks, target)
    try:
        frame = session.createDataFrame(table)
    except Exception as error:  # errors of Spark and of py4j have no common class
        raise spark_failure(error, master) from error
    return forest_of(
        frame,
        names,
        table.num_rows,
        trees=trees,
        depth=depth,
        rows=rows,
        columns=columns,
        bins=bins,
        seed=seed,
        master=master,
    )


def forest_of(
    frame: Any,
    names: Sequence[str],
    size: int,
    *,
    trees: int,
    depth: int,
    rows: int,
    columns: str,
    bins: int,
    seed: int,
    medians: Sequence[float] | None = None,
    weight: float = 1.0,
    master: str | None = None,
) -> list[GrownTree]:
    """Grow a forest from a frame of Spark.

    Parameters
    ----------
    frame
        Columns of numbers and ``cible``.
    names, size
        Columns of the variables, and how many rows there are.
    trees, depth, rows, columns, bins, seed
        See `grow_forest`.
    medians
        What absent values are replaced by.
    weight
        Of a row whose target is 1; the others weigh 1.
    master
        What an error names.
    """
    from pyspark import StorageLevel
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import functions as sql

    forest = RandomForestClassifier(
        featuresCol="variables",
        labelCol=_TARGET,
        numTrees=trees,
        maxDepth=depth,
        minInstancesPerNode=rows,
        featureSubsetStrategy=columns,
        maxBins=bins,
        seed=seed,
    )
    if weight != 1.0:
        forest = forest.setWeightCol(_WEIGHT)
    filled = []
    for place, name in enumerate(names):
        value = sql.col(name).cast("double")
        if medians is not None:
            value = sql.when(value.isNull() | sql.isnan(value), sql.lit(float(medians[place]))).otherwise(value)
        filled.append(value.alias(name))
    target = sql.col(_TARGET).cast("double").alias(_TARGET)
    try:
        rows_ = frame.select(*filled, target).withColumn(_ROW, sql.xxhash64(*names, _TARGET))
        laid = rows_.repartition(size // PART + 1, _ROW).sortWithinPartitions(_ROW)
        weighted = laid.withColumn(_WEIGHT, sql.when(sql.col(_TARGET) == 1, float(weight)).otherwise(1.0))
        gathered = VectorAssembler(inputCols=list(names), outputCol="variables").transform(weighted)
        learnt = gathered.select("variables", _TARGET, _WEIGHT).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            model = forest.fit(learnt)
        finally:
            learnt.unpersist()
        return [_arrays(each.rootNode()) for each in model._java_obj.trees()]
    except Exception as error:  # errors of Spark and of py4j have no common class
        raise spark_failure(error, master) from error


def _table(blocks: Iterable[np.ndarray], target: np.ndarray) -> tuple[pa.Table, list[str]]:
    """Arrow's table of the blocks, column by column, with the target."""
    parts, done = [], 0
    for block in blocks:
        names = [f"v{place}" for place in range(block.shape[1])]
        arrays = [pa.array(np.ascontiguousarray(block[:, place], dtype=np.float64)) for place in range(block.shape[1])]
        end = done + len(block)
        parts.append(pa.table([*arrays, pa.array(target[done:end].astype(np.float64))], names=[*names, _TARGET]))
        done = end
    return pa.concat_tables(parts), names


def _arrays(root: Any) -> GrownTree:
    """Read a tree of the JVM, its nodes in the order of a walk."""
    left: list[int] = []
    right: list[int] = []
    feature: list[int] = []
    threshold: list[float] = []
    value: list[float] = []
    rows: list[int] = []
    waiting: list[tuple[Any, int, list[int] | None]] = [(root, -1, None)]
    while waiting:
        node, parent, side = waiting.pop()
        place = len(left)
        if side is not None:
            side[parent] = place
        calculator = node.impurityStats()
        left.append(-1)
        right.append(-1)
        rows.append(round(calculator.count()))
        value.append(calculator.prob(1.0))
        inner = node.numDescendants() > 0
        split = node.split() if inner else None
        feature.append(split.featureIndex() if split else -2)
        threshold.append(split.threshold() if split else 0.0)
        if inner:
            waiting += [(node.rightChild(), place, right), (node.leftChild(), place, left)]
    return GrownTree(
        np.array(left), np.array(right), np.array(feature), np.array(threshold), np.array(value), np.array(rows)
    )

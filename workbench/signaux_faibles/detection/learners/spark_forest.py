"""Random forest by Spark's MLlib: its rows are learnt from where a cluster holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from workbench.signaux_faibles.detection.learners.logistic import medians
from workbench.signaux_faibles.detection.learners.trees import Tree, TreeModel, forest_text

__all__ = ["SparkForest"]

_BLOCK = 500_000
"""Rows handed over at once."""


@dataclass(frozen=True)
class SparkForest:
    """A random forest: depth 9, 100 trees, the square root of the variables at each split.

    What it learnt is read without Spark: scores, explanations and files are those of any forest.

    Parameters
    ----------
    trees, depth
        How many, and how deep.
    rows
        Rows of a leaf at the least.
    columns
        Variables tried at each split: ``sqrt``, ``log2`` or a share.
    bins
        Thresholds tried of a variable.
    master
        Who computes, as Spark writes it; the session that runs, or this machine, by default.
    """

    kind: ClassVar[str] = "spark_forest"

    trees: int = 100
    depth: int = 9
    rows: int = 1
    columns: str | float = "sqrt"
    bins: int = 32
    master: str = ""

    def fit(
        self,
        values: np.ndarray,
        target: np.ndarray,
        *,
        signs: tuple[int, ...],  # noqa: ARG002
        seed: int = 0,
    ) -> TreeModel:
        """Learn; a forest knows no signs."""
        from workbench.engines.spark_forest import grow_forest

        replaced = medians(values)

        def blocks() -> Iterator[np.ndarray]:
            for start in range(0, len(values), _BLOCK):
                block = values[start : start + _BLOCK]
                yield np.where(np.isnan(block), np.asarray(replaced, dtype=np.float32), block)

        grown = grow_forest(
            self.master or None,
            blocks(),
            target,
            trees=self.trees,
            depth=self.depth,
            rows=self.rows,
            columns=str(self.columns),
            bins=self.bins,
            seed=seed,
        )
        trees = [Tree(each.left, each.right, each.feature, each.threshold, each.value, each.rows) for each in grown]
        return TreeModel(forest_text(trees, values.shape[1]), "probability", replaced)

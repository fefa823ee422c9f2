"""Random forest by Spark's MLlib, from a matrix or from rows that executors hold (see `spark_learning`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.signaux_faibles.detection.learners.logistic import medians
from workbench.signaux_faibles.detection.learners.trees import Tree, TreeModel, forest_text

if TYPE_CHECKING:
    from workbench.engines.spark_forest import GrownTree

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

        grown = grow_forest(self.master or None, blocks(), target, seed=seed, **self._asked())
        return _model(grown, replaced)

    def fit_frame(
        self, frame: Any, names: Sequence[str], size: int, replaced: tuple[float, ...], *, weight: float, seed: int
    ) -> TreeModel:
        """Learn from rows that the executors hold: see `workbench.engines.spark_forest.forest_of`."""
        from workbench.engines.spark_forest import forest_of

        grown = forest_of(
            frame, names, size, medians=replaced, weight=weight, seed=seed, master=self.master or None, **self._asked()
        )
        return _model(grown, replaced)

    def _asked(self) -> dict[str, Any]:
        return {
            "trees": self.trees,
            "depth": self.depth,
            "rows": self.rows,
            "columns": str(self.columns),
            "bins": self.bins,
        }


def _model(grown: Sequence[GrownTree], replaced: tuple[float, ...]) -> TreeModel:
    trees = [Tree(each.left, each.right, each.feature, each.threshold, each.value, each.rows) for each in grown]
    return TreeModel(forest_text(trees, len(replaced)), "probability", replaced)

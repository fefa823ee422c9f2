"""Random forest by scikit-learn, in the configuration of 2024 by default (specification 6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from workbench.signaux_faibles.detection.learners.interface import THREADS, parameters_checked
from workbench.signaux_faibles.detection.learners.logistic import medians, sklearn
from workbench.signaux_faibles.detection.learners.trees import Tree, TreeModel, forest_text

__all__ = ["Forest"]


@dataclass(frozen=True)
class Forest:
    """A random forest: depth 9, 100 trees, the square root of the variables at each split.

    Parameters
    ----------
    trees, depth
        How many, and how deep.
    rows
        Rows of a leaf at the least.
    columns
        Variables tried at each split: ``sqrt``, ``log2`` or a share.
    """

    kind: ClassVar[str] = "forest"

    trees: int = 100
    depth: int = 9
    rows: int = 1
    columns: str | float = "sqrt"

    def fit(
        self,
        values: np.ndarray,
        target: np.ndarray,
        *,
        signs: tuple[int, ...],  # noqa: ARG002
        seed: int = 0,
    ) -> TreeModel:
        """Learn; a forest knows no signs."""
        replaced = medians(values)
        library = sklearn("ensemble").RandomForestClassifier(
            n_estimators=self.trees,
            max_depth=self.depth,
            min_samples_leaf=self.rows,
            max_features=self.columns,
            n_jobs=THREADS,
            random_state=seed,
        )
        filled = np.where(np.isnan(values), np.asarray(replaced, dtype=np.float32), values)
        with parameters_checked(self.kind):
            library.fit(filled, target)
        text = forest_text([_tree(each.tree_) for each in library.estimators_], values.shape[1])
        return TreeModel(text, "probability", replaced)


def _tree(tree: Any) -> Tree:
    shares = tree.value[:, 0, :]
    return Tree(
        tree.children_left,
        tree.children_right,
        tree.feature,
        tree.threshold,
        shares[:, -1] / shares.sum(axis=1),
        np.rint(tree.weighted_n_node_samples).astype(np.int64),
    )

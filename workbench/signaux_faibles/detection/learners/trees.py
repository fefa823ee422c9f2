"""Trees of any origin, written as LightGBM writes its own.

LightGBM predicts a text in which a boosting's trees add up. A forest is such a sum too: the leaves of each tree are
divided by the number of trees. Its exact SHAP values (TreeSHAP, path dependent) need the number of rows that
reached each node, which the text carries.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.learners.interface import THREADS

__all__ = ["Tree", "TreeModel", "forest_text", "lightgbm"]

NOT_A_NUMBER_LEFT = 10
"""LightGBM's decision type of a number whose absent values go left (8: missing is NaN, 2: default left)."""

BLOCK = 50_000
"""Rows explained at once: LightGBM gives a float64 for each variable of each."""


def lightgbm() -> Any:
    """Return the library.

    Raises
    ------
    WorkbenchError
        ``extra_absent``; ``bibliotheque_systeme`` where the system lacks what the library is linked to.
    """
    # Threads that wait by turning take four times the processor where it is shared; read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import lightgbm as library
    except ModuleNotFoundError as error:
        raise WorkbenchError("extra_absent", bibliotheque="lightgbm", extra="detection") from error
    except OSError as error:
        # The loader of the system says which file: « libgomp.so.1: cannot open shared object file ».
        absent = str(error).partition(":")[0]
        raise WorkbenchError("bibliotheque_systeme", bibliotheque="LightGBM", fichier=absent) from error
    return library


@dataclass(frozen=True)
class Tree:
    """A binary tree as arrays, node by node, the root first; a leaf has -1 as its left.

    Parameters
    ----------
    left, right
        Children; a value at most the threshold goes left.
    feature, threshold
        What a node asks.
    value
        What a leaf says.
    rows
        How many rows of the learning reached each node.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class TreeModel:
    """A sum of trees.

    Parameters
    ----------
    text
        The model in LightGBM's text format.
    space
        ``log-odds`` for a boosting, ``probability`` for a forest.
    medians
        What absent values are replaced by; None leaves them absent.
    """

    text: str
    space: str
    medians: tuple[float, ...] | None = None

    @cached_property
    def _booster(self) -> Any:
        library = lightgbm()
        try:
            return library.Booster(model_str=self.text)
        except library.basic.LightGBMError as error:
            raise WorkbenchError("detection_modele", detail=f"les arbres ne se lisent pas ({error})") from error

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text, "space": self.space, "medians": self.medians}

    def _filled(self, values: np.ndarray) -> np.ndarray:
        if self.medians is None:
            return values
        return np.where(np.isnan(values), np.asarray(self.medians, dtype=np.float32), values)

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the trees for each row."""
        found = self._booster.predict(self._filled(values), raw_score=True, num_threads=THREADS)
        return np.asarray(found, dtype=np.float64)

    def contributions(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return TreeSHAP's values, and the mean of the learning's scores that they start from."""
        parts = [
            np.asarray(
                self._booster.predict(
                    self._filled(values[start : start + BLOCK]), pred_contrib=True, num_threads=THREADS
                )
            )
            for start in range(0, len(values), BLOCK)
        ]
        found = np.concatenate(parts) if parts else np.zeros((0, values.shape[1] + 1))
        return found[:, :-1], float(found[0, -1]) if len(found) else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the text and what goes with it."""
        medians = None if self.medians is None else list(self.medians)
        return {"forme": "arbres", "espace": self.space, "medianes": medians, "texte": self.text}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TreeModel:
        """Read what `to_json` gives."""
        medians = content.get("medianes")
        return cls(
            str(content["texte"]), str(content["espace"]), None if medians is None else tuple(map(float, medians))
        )


def forest_text(trees: Sequence[Tree], features: int) -> str:
    """Write the mean of some trees as a LightGBM model.

    Parameters
    ----------
    trees
        The forest.
    features
        How many variables it sees.

    Examples
    --------
    >>> stump = Tree(*map(np.array, ([1, -1, -1], [2, -1, -1], [0, -2, -2], [0.5, 0, 0], [0, 0.1, 0.9], [10, 6, 4])))
    >>> model = TreeModel(forest_text([stump], 1), "probability")
    >>> model.scores(np.array([[0.0], [1.0]], dtype=np.float32)).tolist()
    [0.1, 0.9]
    """
    blocks = [_tree_text(place, tree, len(trees)) for place, tree in enumerate(trees)]
    names = " ".join(f"Column_{place}" for place in range(features))
    header = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        "objective=regression",
        f"feature_names={names}",
        "feature_infos=" + " ".join(["[-1e+300:1e+300]"] * features),
        "tree_sizes=" + " ".join(str(len(block.encode())) for block in blocks),
        "",
        "",
    ]
    return "\n".join(header) + "".join(blocks) + "end of trees\n\nparameters:\nend of parameters\n"


def _tree_text(place: int, tree: Tree, trees: int) -> str:
    leaf = tree.left < 0
    number = np.where(leaf, np.cumsum(leaf) - 1, np.cumsum(~leaf) - 1)
    # LightGBM names a leaf by the complement of its number.
    child = np.where(leaf, -number - 1, number)
    nodes = np.flatnonzero(~leaf)
    values = tree.value[leaf] / trees
    lines: list[tuple[str, str]] = [
        ("num_leaves", str(int(leaf.sum()))),
        ("num_cat", "0"),
    ]
    if len(nodes):
        lines += [
            ("split_feature", _joined(tree.feature[nodes])),
            ("split_gain", _joined(np.zeros(len(nodes), dtype=np.int64))),
            ("threshold", _joined(tree.threshold[nodes].astype(np.float64))),
            ("decision_type", _joined(np.full(len(nodes), NOT_A_NUMBER_LEFT))),
            ("left_child", _joined(child[tree.left[nodes]])),
            ("right_child", _joined(child[tree.right[nodes]])),
        ]
    lines += [
        ("leaf_value", _joined(values)),
        ("leaf_weight", _joined(tree.rows[leaf])),
        ("leaf_count", _joined(tree.rows[leaf])),
    ]
    if len(nodes):
        lines += [
            ("internal_value", _joined(np.zeros(len(nodes), dtype=np.int64))),
            ("internal_weight", _joined(tree.rows[nodes])),
            ("internal_count", _joined(tree.rows[nodes])),
        ]
    lines += [("is_linear", "0"), ("shrinkage", "1")]
    return f"Tree={place}\n" + "".join(f"{name}={value}\n" for name, value in lines) + "\n\n"


def _joined(values: np.ndarray) -> str:
    return " ".join(map(repr, values.tolist()))

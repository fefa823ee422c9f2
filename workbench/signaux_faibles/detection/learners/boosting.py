"""Gradient boosting by LightGBM, with monotone constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from workbench.signaux_faibles.detection.learners.interface import THREADS, parameters_checked
from workbench.signaux_faibles.detection.learners.trees import TreeModel, lightgbm

__all__ = ["Boosting"]


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting.

    Parameters
    ----------
    trees, rate, leaves
        How many trees, what each one adds, and leaves of each at the most.
    depth
        Of the trees; -1 for no limit but `leaves`.
    rows
        Rows of a leaf at the least.
    shrinkage
        Penalty on the squares of what leaves say.
    columns, share
        Variables and rows drawn for each tree, from 0 to 1.
    monotone
        Whether the signs of the variables are held.
    """

    kind: ClassVar[str] = "boosting"

    trees: int = 350
    rate: float = 0.03
    leaves: int = 15
    depth: int = -1
    rows: int = 60
    shrinkage: float = 5.0
    columns: float = 0.4
    share: float = 0.8
    monotone: bool = True

    def fit(self, values: np.ndarray, target: np.ndarray, *, signs: tuple[int, ...], seed: int = 0) -> TreeModel:
        """Learn; the same seed gives the same trees, whatever the number of threads."""
        library = lightgbm()
        parameters = {
            "objective": "binary",
            "learning_rate": self.rate,
            "num_leaves": self.leaves,
            "max_depth": self.depth,
            "min_data_in_leaf": self.rows,
            "lambda_l2": self.shrinkage,
            "feature_fraction": self.columns,
            "bagging_fraction": self.share,
            "bagging_freq": 1 if self.share < 1 else 0,
            "seed": seed,
            "num_threads": THREADS,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }
        if self.monotone and any(signs):
            parameters["monotone_constraints"] = list(signs)
        data = library.Dataset(values, label=target.astype(np.float32), free_raw_data=True, params={"verbose": -1})
        with parameters_checked(self.kind):
            try:
                booster = library.train(parameters, data, num_boost_round=self.trees)
            except library.basic.LightGBMError as error:
                # « Check failed: (num_leaves) > (1) at <a file of the library> ».
                raise ValueError(str(error).partition(" at /")[0]) from error
        return TreeModel(booster.model_to_string(), "log-odds")

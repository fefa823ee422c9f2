"""Logistic regression by scikit-learn, on scaled variables (specification 6.3 and 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.learners.interface import parameters_checked

__all__ = ["LinearModel", "Logistic", "medians", "sklearn"]

TAILS = (0.01, 0.99)
"""Quantiles beyond which values are brought back: ratios have tails that a weight would follow anywhere."""


def sklearn(module: str) -> Any:
    """Return a module of scikit-learn.

    Raises
    ------
    WorkbenchError
        ``extra_absent``.
    """
    try:
        return import_module(f"sklearn.{module}")
    except ModuleNotFoundError as error:
        raise WorkbenchError("extra_absent", bibliotheque="scikit-learn", extra="detection") from error


def medians(values: np.ndarray) -> tuple[float, ...]:
    """Return what stands for the absent values of each variable: the median of those known, 0 where none is."""
    found = []
    for column in values.T:
        known = column[~np.isnan(column)]
        found.append(float(np.median(known)) if len(known) else 0.0)
    return tuple(found)


@dataclass(frozen=True)
class LinearModel:
    """A weight a variable.

    Parameters
    ----------
    weights
        Of the scaled variables.
    intercept
        The score of a company whose variables are all the average.
    means, scales
        How variables are scaled: less the mean, divided by the standard deviation, both of values brought back.
    lows, highs
        Limits that values are brought back to.
    medians
        What absent values are replaced by.
    """

    weights: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]
    scales: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    medians: tuple[float, ...]
    space: str = "log-odds"

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        filled = np.where(np.isnan(values), np.asarray(self.medians), values.astype(np.float64))
        found: np.ndarray = (np.clip(filled, self.lows, self.highs) - np.asarray(self.means)) / np.asarray(self.scales)
        return found

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return the intercept and the weighted sum of each row."""
        found: np.ndarray = self._scaled(values) @ np.asarray(self.weights) + self.intercept
        return found

    def contributions(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return each weight times its scaled variable: the SHAP values of a linear model."""
        return self._scaled(values) * np.asarray(self.weights), self.intercept

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {
            "forme": "lineaire",
            "poids": list(self.weights),
            "constante": self.intercept,
            "bas": list(self.lows),
            "hauts": list(self.highs),
            "moyennes": list(self.means),
            "echelles": list(self.scales),
            "medianes": list(self.medians),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> LinearModel:
        """Read what `to_json` gives."""
        weights, means, scales, lows, highs, replaced = (
            tuple(map(float, content[name])) for name in ("poids", "moyennes", "echelles", "bas", "hauts", "medianes")
        )
        return cls(weights, float(content["constante"]), means, scales, lows, highs, replaced)


@dataclass(frozen=True)
class Logistic:
    """Logistic regression with a penalty on the squares of the weights.

    Parameters
    ----------
    penalty
        MLlib's regParam: 0.12 in 2024.
    iterations, tolerance
        When to stop.
    """

    kind: ClassVar[str] = "logistic"

    penalty: float = 0.12
    iterations: int = 500
    tolerance: float = 1e-5

    def fit(
        self,
        values: np.ndarray,
        target: np.ndarray,
        *,
        signs: tuple[int, ...],  # noqa: ARG002
        seed: int = 0,  # noqa: ARG002
    ) -> LinearModel:
        """Learn; signs are not held."""
        replaced = medians(values)
        filled = np.where(np.isnan(values), np.asarray(replaced), values.astype(np.float64))
        lows, highs = np.quantile(filled, TAILS, axis=0)
        filled = np.clip(filled, lows, highs)
        means, scales = filled.mean(axis=0), filled.std(axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        scaled = (filled - means) / scales
        # MLlib divides the sum of the losses by the number of rows; scikit-learn multiplies it by C.
        with parameters_checked(self.kind):
            strength = 1.0 / (self.penalty * len(target)) if self.penalty else np.inf
            library = sklearn("linear_model").LogisticRegression(
                C=strength, max_iter=self.iterations, tol=self.tolerance
            )
            library.fit(scaled, target)
        return LinearModel(
            tuple(map(float, library.coef_[0])),
            float(library.intercept_[0]),
            tuple(map(float, means)),
            tuple(map(float, scales)),
            tuple(map(float, lows)),
            tuple(map(float, highs)),
            replaced,
        )

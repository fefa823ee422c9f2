"""How good probabilities are, with intervals drawn again by company.

Rows of one company are not independent: a bootstrap draws companies, each with all its rows. Sorting is done once, each
draw is a set of weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["METRICS", "Measure", "Ranked", "calibration_curve", "measure", "measure_groups"]

DRAWS = 200


@dataclass(frozen=True)
class Measure:
    """A metric and its interval.

    Parameters
    ----------
    value
        On the rows as they are; NaN where it has no meaning.
    low, high
        Interval of 95 %, by percentiles of the bootstrap.
    """

    value: float
    low: float
    high: float


class Ranked:
    """Probabilities sorted once, to be measured under many weights.

    Parameters
    ----------
    probabilities, target
        Of the rows.

    Examples
    --------
    >>> ranked = Ranked(np.array([0.9, 0.6, 0.4, 0.1]), np.array([1, 0, 1, 0]))
    >>> round(ranked.average_precision(), 4), ranked.roc_auc()
    (0.8333, 0.75)
    """

    def __init__(self, probabilities: np.ndarray, target: np.ndarray) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        self.probabilities = probabilities[self.order]
        self.positive = (target[self.order] == 1).astype(np.float64)
        self.ends = np.flatnonzero(np.append(np.diff(self.probabilities) != 0, True))
        self.weights = np.ones(len(probabilities))

    def weighted(self, weights: np.ndarray) -> Ranked:
        """Return the same rows with weights, given in the order of the rows as they came."""
        other: Ranked = object.__new__(Ranked)
        other.__dict__.update(self.__dict__, weights=weights[self.order])
        return other

    def _running(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the failures and the others at each distinct probability or above."""
        right = np.cumsum(self.weights * self.positive)[self.ends]
        wrong = np.cumsum(self.weights * (1 - self.positive))[self.ends]
        return right, wrong

    def average_precision(self) -> float:
        """Return the area under precision and recall, by steps."""
        right, wrong = self._running()
        if not right[-1]:
            return float("nan")
        precision = right / np.maximum(right + wrong, 1e-300)
        return float(np.sum(np.diff(right, prepend=0.0) * precision) / right[-1])

    def roc_auc(self) -> float:
        """Return the area under the ROC curve, ties counted half."""
        right, wrong = self._running()
        if not right[-1] or not wrong[-1]:
            return float("nan")
        before = np.concatenate([[0.0], right[:-1]])
        return float(np.sum(np.diff(wrong, prepend=0.0) * (right + before) / 2) / (right[-1] * wrong[-1]))

    def at(self, threshold: float) -> tuple[float, float, float, float]:
        """Return right alerts, wrong alerts, failures missed and others left alone, at a threshold."""
        alerted = int(np.searchsorted(-self.probabilities, -threshold, side="right"))
        positive = self.weights * self.positive
        right, alerts = float(positive[:alerted].sum()), float(self.weights[:alerted].sum())
        missed = float(positive[alerted:].sum())
        return right, alerts - right, missed, float(self.weights[alerted:].sum()) - missed

    def precision(self, threshold: float) -> float:
        """Return the share of failures among the alerts."""
        right, wrong, _, _ = self.at(threshold)
        return right / (right + wrong) if right + wrong else float("nan")

    def recall(self, threshold: float) -> float:
        """Return the share of failures that had an alert."""
        right, _, missed, _ = self.at(threshold)
        return right / (right + missed) if right + missed else float("nan")

    def f_score(self, threshold: float, beta: float) -> float:
        """Return Fβ: recall counts β times as much as precision."""
        right, wrong, missed, _ = self.at(threshold)
        below = (1 + beta**2) * right + beta**2 * missed + wrong
        return (1 + beta**2) * right / below if below else float("nan")

    def balanced_accuracy(self, threshold: float) -> float:
        """Return the mean of the shares of failures alerted and of others left alone."""
        right, wrong, missed, left = self.at(threshold)
        if not right + missed or not wrong + left:
            return float("nan")
        return (right / (right + missed) + left / (wrong + left)) / 2


METRICS: dict[str, Callable[[Ranked, float, float], float]] = {
    "average_precision": lambda ranked, high, moderate: ranked.average_precision(),  # noqa: ARG005
    "roc_auc": lambda ranked, high, moderate: ranked.roc_auc(),  # noqa: ARG005
    "precision_fort": lambda ranked, high, moderate: ranked.precision(high),  # noqa: ARG005
    "rappel_fort": lambda ranked, high, moderate: ranked.recall(high),  # noqa: ARG005
    "f05_fort": lambda ranked, high, moderate: ranked.f_score(high, 0.5),  # noqa: ARG005
    "exactitude_equilibree_fort": lambda ranked, high, moderate: ranked.balanced_accuracy(high),  # noqa: ARG005
    "precision_modere": lambda ranked, high, moderate: ranked.precision(moderate),  # noqa: ARG005
    "rappel_modere": lambda ranked, high, moderate: ranked.recall(moderate),  # noqa: ARG005
    "f2_modere": lambda ranked, high, moderate: ranked.f_score(moderate, 2.0),  # noqa: ARG005
    "exactitude_equilibree_modere": lambda ranked, high, moderate: ranked.balanced_accuracy(moderate),  # noqa: ARG005
}
"""What is measured, by name, of the ranks and the two thresholds."""


def measure(
    probabilities: np.ndarray,
    target: np.ndarray,
    companies: np.ndarray,
    thresholds: tuple[float, float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Measure]:
    """Measure probabilities.

    Parameters
    ----------
    probabilities, target, companies
        Of the rows.
    thresholds
        High, moderate.
    draws
        Of the bootstrap; 0 for no interval (both its ends are NaN).
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        By name of `METRICS`.
    """
    ranked = Ranked(probabilities, target)
    values = {name: metric(ranked, *thresholds) for name, metric in METRICS.items()}
    codes, known = pd.factorize(companies)
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(draws):
        times = np.bincount(random.integers(0, len(known), len(known)), minlength=len(known))
        again = ranked.weighted(times[codes].astype(np.float64))
        for name, metric in METRICS.items():
            drawn[name].append(metric(again, *thresholds))
    return {name: Measure(value, *_interval(drawn[name])) for name, value in values.items()}


def _interval(values: list[float]) -> tuple[float, float]:
    known = np.array(values)[~np.isnan(values)] if values else np.zeros(0)
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def measure_groups(
    probabilities: np.ndarray,
    target: np.ndarray,
    companies: np.ndarray,
    labels: np.ndarray,
    thresholds: tuple[float, float],
    *,
    draws: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure each group apart.

    Returns
    -------
    pandas.DataFrame
        A row a group and a metric: ``groupe, lignes, defaillances, mesure, valeur, bas, haut``.
    """
    rows = []
    for label in sorted(set(labels.tolist())):
        inside = labels == label
        found = measure(probabilities[inside], target[inside], companies[inside], thresholds, draws=draws, seed=seed)
        positives = int(np.count_nonzero(target[inside] == 1))
        rows += [(label, int(inside.sum()), positives, name, *vars(each).values()) for name, each in found.items()]
    return pd.DataFrame(rows, columns=["groupe", "lignes", "defaillances", "mesure", "valeur", "bas", "haut"])


def calibration_curve(probabilities: np.ndarray, target: np.ndarray, *, bins: int = 10) -> pd.DataFrame:
    """Compare what was foreseen to what came, by classes of as many rows.

    Returns
    -------
    pandas.DataFrame
        ``lignes, prevu, observe, bas, haut``: mean probability, share of failures, its interval of 95 % (Wilson's).

    Examples
    --------
    >>> curve = calibration_curve(np.array([0.1, 0.1, 0.8, 0.8]), np.array([0, 0, 1, 1]), bins=2)
    >>> curve[["prevu", "observe"]].to_numpy().tolist()
    [[0.1, 0.0], [0.8, 1.0]]
    """
    order = np.argsort(probabilities, kind="stable")
    rows = []
    for part in np.array_split(order, min(bins, len(order))):
        size, share = len(part), float(target[part].mean())
        middle = (share + 1.96**2 / (2 * size)) / (1 + 1.96**2 / size)
        half = 1.96 / (1 + 1.96**2 / size) * np.sqrt(share * (1 - share) / size + 1.96**2 / (4 * size**2))
        rows.append((size, float(probabilities[part].mean()), share, max(0.0, middle - half), min(1.0, middle + half)))
    return pd.DataFrame(rows, columns=["lignes", "prevu", "observe", "bas", "haut"])

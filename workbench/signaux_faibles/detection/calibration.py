"""From the score of a model to a probability, and from SHAP values to points of that probability.

The probability is the logistic function of ``slope × z + intercept``, z being the score as log-odds (Platt's
calibration): two numbers found on companies that the model never saw, which change no rank.

A model's SHAP values add up to its score, not to a probability. Attributing a function g of a sum along the straight
path from the average company to this one gives each part its share of the whole difference (Aumann and Shapley's
value):

    p = p0 + Σ φ × (g(s) - g(s0)) / (s - s0)

with s the score, s0 the one that SHAP values start from, p0 = g(s0), and g'(s0) where both are equal. It is exact in
the space one shows, whatever the model; the same formula gives points of log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

__all__ = ["LEAST_SLOPE", "Calibration", "fit_calibration"]

FLOOR = 1e-6
"""Scores that are probabilities are kept this far from 0 and 1: their log-odds would be infinite."""

LEAST_SLOPE = 0.05
"""A score whose log-odds deserve less than this says nothing."""

NEAR = 1e-9
"""Scores nearer than this to the start take the derivative: a difference of both would be rounding alone."""


@dataclass(frozen=True)
class Calibration:
    """How scores become probabilities.

    Parameters
    ----------
    slope, intercept
        Of the log-odds; 1 and 0 leave them as they are.
    space
        Of the model's scores: ``log-odds`` or ``probability``.

    Examples
    --------
    >>> calibration = Calibration(1.0, 0.0, "probability")
    >>> calibration.probabilities(np.array([0.2, 0.5])).round(12).tolist()
    [0.2, 0.5]
    """

    slope: float
    intercept: float
    space: str

    def log_odds(self, scores: np.ndarray) -> np.ndarray:
        """Return the log-odds of the calibrated probabilities."""
        found: np.ndarray = self.slope * _log_odds(scores, self.space) + self.intercept
        return found

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities."""
        found: np.ndarray = expit(self.log_odds(scores))
        return found

    def attribute(
        self, contributions: np.ndarray, start: float, scores: np.ndarray, *, space: str = "probability"
    ) -> tuple[np.ndarray, float]:
        """Turn SHAP values of a score into shares of the calibrated probability, or of its log-odds.

        Parameters
        ----------
        contributions
            A row a company, a column a variable.
        start
            The score that they start from.
        scores
            Of each row.
        space
            What to add up to: ``probability`` or ``log-odds``.

        Returns
        -------
        tuple of (numpy.ndarray, float)
            The shares, and what they start from: their sum is the probability (the log-odds), to the rounding.
        """
        given = self.probabilities if space == "probability" else self.log_odds
        origin = float(given(np.array([start]))[0])
        # The sum itself, not the score: what is shared out is what the parts add up to.
        moved = contributions.sum(axis=1)
        near = np.abs(moved) < NEAR
        factor = np.where(near, self._slope_at(start, space), (given(scores) - origin) / np.where(near, 1.0, moved))
        return contributions * factor[:, None], origin

    def _slope_at(self, score: float, space: str) -> float:
        inside = min(max(score, FLOOR), 1 - FLOOR)
        slope = self.slope / (inside * (1 - inside)) if self.space == "probability" else self.slope
        if space == "probability":
            p = float(self.probabilities(np.array([score]))[0])
            slope *= p * (1 - p)
        return slope

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"pente": self.slope, "constante": self.intercept, "espace": self.space}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Read what `to_json` gives."""
        return cls(float(content["pente"]), float(content["constante"]), str(content["espace"]))


def _log_odds(scores: np.ndarray, space: str) -> np.ndarray:
    if space == "log-odds":
        return scores
    found: np.ndarray = logit(np.clip(scores, FLOOR, 1 - FLOOR))
    return found


def fit_calibration(scores: np.ndarray, target: np.ndarray, space: str) -> Calibration:
    """Find the calibration that makes a validation set likeliest.

    Parameters
    ----------
    scores, target
        Of companies that the model did not learn from, in their natural share.
    space
        Of the scores.

    Returns
    -------
    Calibration
        With a slope of at least `LEAST_SLOPE`, so that ranks never turn round.
    """
    z = _log_odds(scores, space)
    positives = float(target.sum())
    # Platt's targets: with few failures, certainty is not to be believed.
    high, low = (positives + 1) / (positives + 2), 1 / (len(target) - positives + 2)
    wanted = np.where(target == 1, high, low)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        moved = parameters[0] * z + parameters[1]
        error = expit(moved) - wanted
        value = float(np.mean(np.logaddexp(0, moved) - wanted * moved))
        return value, np.array([np.mean(error * z), np.mean(error)])

    first = np.array([1.0, 0.0])
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=[(LEAST_SLOPE, None), (None, None)])
    return Calibration(float(found.x[0]), float(found.x[1]), space)

"""Why a company has its probability: what each variable brings, and each theme, adding up to what is displayed.

SHAP values of the model are shared out by `workbench.signaux_faibles.detection.calibration.Calibration.attribute` in
points of the calibrated probability (and of its log-odds, for the forms of 2021). A theme is the sum of its variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.detector import Detector
from workbench.signaux_faibles.detection.encodings import encoded

__all__ = ["Explanation", "Step", "explain"]


@dataclass(frozen=True)
class Step:
    """A bar of a waterfall.

    Parameters
    ----------
    name
        ``depart``, a theme, or ``total``.
    start, end
        Probabilities between which it stands.
    """

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Explanation:
    """What the variables bring to some companies.

    Parameters
    ----------
    declaration
        Of the variables.
    entities, periodes, matrix
        Of the dataset explained.
    probabilities
        As displayed.
    start, contributions
        What all companies start from, and points of probability: a row a company, a column a variable.
    log_start, log_contributions
        The same in log-odds.
    references
        Deciles of the variables in what was learnt from.
    """

    declaration: Declaration
    entities: np.ndarray
    periodes: np.ndarray
    matrix: np.ndarray
    probabilities: np.ndarray
    start: float
    contributions: np.ndarray
    log_start: float
    log_contributions: np.ndarray
    references: Mapping[str, tuple[float, ...]]

    def __len__(self) -> int:
        return len(self.probabilities)

    @cached_property
    def by_theme(self) -> np.ndarray:
        """Points of probability: a row a company, a column a theme of the declaration."""
        return self._summed(
            self.contributions, [each.theme for each in self.declaration.given], self.declaration.themes
        )

    @cached_property
    def log_by_theme(self) -> np.ndarray:
        """The same in log-odds."""
        given = [each.theme for each in self.declaration.given]
        return self._summed(self.log_contributions, given, self.declaration.themes)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The variables that one speaks of: lags, means and changes are of the same one."""
        return tuple(dict.fromkeys(self.declaration.feature_of(each.name) for each in self.declaration.given))

    @cached_property
    def by_feature(self) -> np.ndarray:
        """Points of probability: a row a company, a column one of `features`."""
        given = [self.declaration.feature_of(each.name) for each in self.declaration.given]
        return self._summed(self.contributions, given, self.features)

    def theme_of(self, feature: str) -> str:
        """Return the theme of one of `features`."""
        return next(each.theme for each in self.declaration.given if self.declaration.feature_of(each.name) == feature)

    @staticmethod
    def _summed(values: np.ndarray, labels: list[str], wanted: tuple[str, ...]) -> np.ndarray:
        member = np.array([[label == name for name in wanted] for label in labels], dtype=np.float64)
        found: np.ndarray = values @ member
        return found

    def waterfall(self, row: int) -> list[Step]:
        """Return the bars that lead from what all start from to a company's probability, longest first."""
        steps = [Step("depart", 0.0, self.start)]
        reached = self.start
        points = self.by_theme[row]
        for place in np.argsort(-np.abs(points), kind="stable"):
            steps.append(Step(self.declaration.themes[place], reached, reached + float(points[place])))
            reached = steps[-1].end
        return [*steps, Step("total", 0.0, float(self.probabilities[row]))]


def explain(detector: Detector, dataset: Dataset) -> Explanation:
    """Explain companies.

    Parameters
    ----------
    detector
        What gave them a probability.
    dataset
        The companies; take those in alert only: an explanation weighs as much as the variables, three times.

    Raises
    ------
    WorkbenchError
        ``detection_modele`` for other variables; ``detection_explication`` if contributions did not add up to the
        probability: an explanation that does not is not shown.
    """
    detector.check(dataset)
    dataset = encoded(dataset, detector.encodings)
    scores = detector.model.scores(dataset.matrix)
    raw, origin = detector.model.contributions(dataset.matrix)
    probabilities = detector.calibration.probabilities(scores)
    points, start = detector.calibration.attribute(raw, origin, scores)
    log_points, log_start = detector.calibration.attribute(raw, origin, scores, space="log-odds")
    gap = float(np.abs(start + points.sum(axis=1) - probabilities).max()) if len(scores) else 0.0
    if not gap < 1e-9:
        raise WorkbenchError("detection_explication", ecart=gap)
    return Explanation(
        detector.declaration,
        dataset.entities,
        dataset.periodes,
        dataset.matrix,
        probabilities,
        start,
        points,
        log_start,
        log_points,
        detector.references,
    )

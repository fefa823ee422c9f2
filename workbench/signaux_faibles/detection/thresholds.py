"""Two thresholds on a probability, three levels, and every spelling that levels had."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError

__all__ = ["Level", "Thresholds", "find_thresholds", "levels_of", "read_level", "thresholds_by_rates"]


class Level(Enum):
    """A level, by its label in datapi (specification 7.2)."""

    HIGH = "Alerte seuil F1"
    MODERATE = "Alerte seuil F2"
    NONE = "Pas d'alerte"

    @property
    def title(self) -> str:
        """What an agent reads."""
        return {"HIGH": "Risque fort", "MODERATE": "Risque modéré", "NONE": "Pas de risque"}[self.name]

    @property
    def rank(self) -> int:
        """2, 1 or 0."""
        return {"HIGH": 2, "MODERATE": 1, "NONE": 0}[self.name]

    @classmethod
    def of_rank(cls, rank: int) -> Level:
        """Return the level of a rank."""
        return (cls.NONE, cls.MODERATE, cls.HIGH)[rank]


_SPELLINGS: Mapping[str, Level] = {
    **dict.fromkeys(("alerte seuil f1", "alerte seuil f1/2", "seuil f1", "f1"), Level.HIGH),
    **dict.fromkeys(("risque fort", "risque eleve", "rouge", "red", "high"), Level.HIGH),
    **dict.fromkeys(("alerte seuil f2", "seuil f2", "f2", "risque modere", "orange", "moderate"), Level.MODERATE),
    **dict.fromkeys(("pas d'alerte", "pas de risque", "aucun", "aucune alerte", "vert", "green", "none"), Level.NONE),
}


def read_level(text: str) -> Level:
    """Read the label of a level, of any era: « Alerte seuil F1/2 », « Risque élevé », « rouge ».

    Raises
    ------
    WorkbenchError
        ``detection_niveau``.

    Examples
    --------
    >>> read_level("Alerte seuil F1/2").value, read_level("risque modéré").value, read_level("Pas d’alerte").value
    ('Alerte seuil F1', 'Alerte seuil F2', "Pas d'alerte")
    """
    plain = unicodedata.normalize("NFKD", str(text).replace("’", "'"))
    plain = " ".join("".join(each for each in plain if not unicodedata.combining(each)).lower().split())
    if plain not in _SPELLINGS:
        raise WorkbenchError("detection_niveau", texte=text)
    return _SPELLINGS[plain]


@dataclass(frozen=True)
class Thresholds:
    """Where levels begin: a probability that reaches it has the level.

    Parameters
    ----------
    high, moderate
        From 0 to 1, the second one at most the first.
    """

    high: float
    moderate: float

    def __post_init__(self) -> None:
        if not 0 <= self.moderate <= self.high <= 1:
            raise WorkbenchError("detection_seuils", fort=self.high, modere=self.moderate)

    def ranks(self, probabilities: np.ndarray) -> np.ndarray:
        """Return 2, 1 or 0 for each probability."""
        return (probabilities >= self.moderate).astype(np.int8) + (probabilities >= self.high).astype(np.int8)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"fort": self.high, "modere": self.moderate}


def levels_of(ranks: np.ndarray) -> list[Level]:
    """Return the level of each rank."""
    return [Level.of_rank(int(rank)) for rank in ranks]


def _counts(
    probabilities: np.ndarray, target: np.ndarray, grid: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return thresholds, ascending, with how many reach each one, and how many failures of those."""
    order = np.sort(probabilities)
    positive = np.sort(probabilities[target == 1])
    steps = np.unique(probabilities) if grid is None else np.linspace(0, 1, grid)
    alerts = len(order) - np.searchsorted(order, steps, side="left")
    return steps, alerts, len(positive) - np.searchsorted(positive, steps, side="left")


def find_thresholds(
    probabilities: np.ndarray, target: np.ndarray, *, grid: int | None = None, betas: tuple[float, float] = (0.5, 2.0)
) -> Thresholds:
    """Find the thresholds of the highest F0.5 (precision first) and F2 (recall first), on a validation set.

    Parameters
    ----------
    probabilities, target
        Of companies that the model neither learnt from nor is judged on.
    grid
        Thresholds tried, evenly spaced over [0, 1]: 101 in 2024, 1 000 in 2021. Every probability met by default: a
        hundredth is coarse where one company in two hundred fails.
    betas
        Of the high level, and of the moderate one.

    Examples
    --------
    >>> find_thresholds(np.array([0.9, 0.6, 0.4, 0.1]), np.array([1, 0, 1, 0]))
    Thresholds(high=0.9, moderate=0.4)
    """
    steps, alerts, right = _counts(probabilities, target, grid)
    positives = int(np.count_nonzero(target == 1))
    if not positives:
        raise WorkbenchError("detection_vide", cause="la validation n'a aucune défaillance")
    found = []
    for beta in betas:
        score = (1 + beta**2) * right / np.maximum(beta**2 * positives + alerts, 1)
        # Between equal scores the highest threshold: fewer alerts for as much.
        found.append(float(steps[len(score) - 1 - int(np.argmax(score[::-1]))]))
    return Thresholds(max(found), min(found))


def thresholds_by_rates(
    probabilities: np.ndarray, target: np.ndarray, *, precision: float = 0.93, recall: float = 0.63
) -> Thresholds:
    """Find the smallest threshold of a precision, and the largest of a recall: the other rule of 2021.

    Raises
    ------
    WorkbenchError
        ``detection_vide`` when no threshold has the precision.
    """
    steps, alerts, right = _counts(probabilities, target, None)
    precise = np.flatnonzero((right / np.maximum(alerts, 1) >= precision) & (alerts > 0))
    complete = np.flatnonzero(right >= recall * np.count_nonzero(target == 1))
    if not len(precise):
        raise WorkbenchError("detection_vide", cause=f"aucun seuil n'a une précision de {precision:.0%}")
    high = float(steps[precise[0]])
    return Thresholds(high, min(high, float(steps[complete[-1]])))

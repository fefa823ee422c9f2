"""How good a detector is on companies and months that it never saw, and how a list moved since the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import WorkbenchError
from workbench.frames import ShownFrame
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.detector import Detector
from workbench.signaux_faibles.detection.encodings import Encoding
from workbench.signaux_faibles.detection.metrics import DRAWS, calibration_curve, measure, measure_groups

__all__ = ["Drift", "Evaluation", "compare_lists", "evaluate", "population_stability", "variable_stability"]

EMPTY = 1e-4
"""Share given to a class that one of both populations has nobody in: its logarithm must exist."""


@dataclass(frozen=True)
class Evaluation:
    """How good a detector is.

    Parameters
    ----------
    measures
        ``perimetre`` (with or without strong signals), ``lignes, defaillances, mesure, valeur, bas, haut``.
    groups
        The same by ``critere`` (sector, size, region) and ``groupe``, without strong signals.
    curve
        ``lignes, prevu, observe, bas, haut``: see `workbench.signaux_faibles.detection.metrics.calibration_curve`.
    """

    measures: pd.DataFrame
    groups: pd.DataFrame
    curve: pd.DataFrame

    def value(self, name: str, *, strong: bool = False) -> float:
        """Return a measure, without strong signals by default."""
        rows = self.measures
        chosen = rows[(rows["mesure"] == name) & (rows["perimetre"] == _scope(strong))]
        return float(chosen["valeur"].iloc[0])

    def to_json(self) -> dict[str, Any]:
        """Return the measures as plain values, NaN as None."""
        return {name: _plain(getattr(self, name)) for name in ("measures", "groups", "curve")}


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): getattr(value, "item", lambda v=value: v)() for name, value in row.items()} for row in rows]


def _scope(strong: bool) -> str:
    return "avec signaux forts" if strong else "sans signaux forts"


def evaluate(
    detector: Detector,
    dataset: Dataset,
    *,
    probabilities: np.ndarray | None = None,
    draws: int = DRAWS,
    group_draws: int = 0,
    seed: int = 0,
) -> Evaluation:
    """Measure a detector on a test set.

    Parameters
    ----------
    detector
        Whose thresholds are used; neither they nor its calibration were found on these rows.
    dataset
        With a known target: a `Parts.test`.
    probabilities
        Of the rows, where several detectors shared them out (`cross_parts`); those of the detector by default.
    draws, group_draws
        Of the bootstrap by company, for all and for each group; 0 for no interval.
    seed
        Of the bootstrap.

    Raises
    ------
    WorkbenchError
        ``detection_vide`` when the target of no row is known.
    """
    known = dataset.target >= 0
    if not known.any():
        raise WorkbenchError("detection_vide", cause="la cible d'aucune ligne n'est connue")
    found = detector.probabilities(dataset) if probabilities is None else probabilities
    dataset, found = dataset.take(known), found[known]
    thresholds = (detector.thresholds.high, detector.thresholds.moderate)
    tables = []
    for strong in (False, True):
        kept = np.ones(len(dataset), dtype=bool) if strong else ~dataset.strong
        measures = measure(
            found[kept], dataset.target[kept], dataset.companies[kept], thresholds, draws=draws, seed=seed
        )
        size, positives = int(kept.sum()), int(np.count_nonzero(dataset.target[kept] == 1))
        tables += [(_scope(strong), size, positives, name, *vars(each).values()) for name, each in measures.items()]
    columns = ["perimetre", "lignes", "defaillances", "mesure", "valeur", "bas", "haut"]
    kept = ~dataset.strong
    weak, chances = dataset.take(kept), found[kept]
    groups = [
        measure_groups(chances, weak.target, weak.companies, labels, thresholds, draws=group_draws, seed=seed).assign(
            critere=name
        )
        for name, labels in weak.groups.items()
    ]
    empty = pd.DataFrame(columns=["groupe", *columns[1:], "critere"])
    return Evaluation(
        ShownFrame(tables, columns=columns),
        ShownFrame(pd.concat(groups, ignore_index=True) if groups else empty),
        ShownFrame(calibration_curve(chances, weak.target)),
    )


def population_stability(before: np.ndarray, now: np.ndarray, *, classes: int = 10) -> float:
    """Return the population stability index: 0 for the same distribution, above 0.25 for another one.

    Parameters
    ----------
    before, now
        Values of both populations; absent ones are a class of their own.
    classes
        Of as many values of the first population.

    Examples
    --------
    >>> same = np.arange(100.0)
    >>> population_stability(same, same), population_stability(same, same + 50) > 0.25
    (0.0, True)
    """
    known = before[~np.isnan(before)]
    limits = np.unique(np.quantile(known, np.linspace(0, 1, classes + 1)[1:-1])) if len(known) else np.zeros(0)
    return _stability(*(_shares(each, limits) for each in (before, now)))


def _shares(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    absent = np.isnan(values)
    places = np.where(absent, len(limits) + 1, np.searchsorted(limits, np.nan_to_num(values), side="right"))
    counts = np.bincount(places, minlength=len(limits) + 2)
    found: np.ndarray = np.maximum(counts / max(len(values), 1), EMPTY)
    return found


def _stability(before: np.ndarray, now: np.ndarray) -> float:
    return float(np.sum((now - before) * np.log(now / before)))


def variable_stability(before: Dataset, now: Dataset) -> pd.DataFrame:
    """Return the stability index of each variable, the least stable first.

    Returns
    -------
    pandas.DataFrame
        ``variable, theme, stabilite, absents_avant, absents``.
    """
    rows = []
    for place, each in enumerate(now.declaration.given):
        one, other = (part.matrix[:, place] for part in (before, now))
        if each.category:
            known = tuple(sorted({*before.categories[each.name], *now.categories[each.name]}))
            ranks = Encoding({text: float(rank) for rank, text in enumerate(known)}, -1.0)
            one, other = (ranks.values(part.matrix[:, place], part.categories[each.name]) for part in (before, now))
        rows.append(
            (
                each.name,
                each.theme,
                population_stability(one.astype(np.float64), other.astype(np.float64)),
                float(np.isnan(one).mean()),
                float(np.isnan(other).mean()),
            )
        )
    table = ShownFrame(rows, columns=["variable", "theme", "stabilite", "absents_avant", "absents"])
    return ShownFrame(table.sort_values("stabilite", ascending=False, kind="stable", ignore_index=True))


@dataclass(frozen=True)
class Drift:
    """What moved between two lists.

    Parameters
    ----------
    stability
        Population stability index of the probabilities.
    entered, left
        Companies in alert now that were not, and the reverse.
    risen, fallen
        Companies in alert both times, at a higher or a lower level.
    appeared, gone
        Companies that only one of both lists holds.
    """

    stability: float
    entered: tuple[str, ...]
    left: tuple[str, ...]
    risen: tuple[str, ...]
    fallen: tuple[str, ...]
    appeared: int
    gone: int

    def to_json(self) -> dict[str, Any]:
        """Return counts as plain values: a card names nobody."""
        return {
            "stabilite": self.stability,
            "alertes_nouvelles": len(self.entered),
            "alertes_perdues": len(self.left),
            "alertes_relevees": len(self.risen),
            "alertes_abaissees": len(self.fallen),
            "entreprises_apparues": self.appeared,
            "entreprises_disparues": self.gone,
        }


def compare_lists(
    before: Mapping[str, tuple[float, int]], now: Mapping[str, tuple[float, int]], *, classes: int = 10
) -> Drift:
    """Compare two lists.

    Parameters
    ----------
    before, now
        Probability and rank (2, 1, 0) by company.
    classes
        Of the stability index.

    Examples
    --------
    >>> compare_lists({"800000001": (0.1, 0)}, {"800000001": (0.9, 2)}).entered
    ('800000001',)
    """
    both = sorted(set(before) & set(now))
    ranks = {entity: (before.get(entity, (0.0, 0))[1], now.get(entity, (0.0, 0))[1]) for entity in {*before, *now}}
    moved = {entity: pair for entity, pair in sorted(ranks.items()) if pair[0] != pair[1]}
    one = np.array([each[0] for each in before.values()])
    other = np.array([each[0] for each in now.values()])
    return Drift(
        population_stability(one, other, classes=classes) if len(one) and len(other) else float("nan"),
        tuple(entity for entity, (old, new) in moved.items() if not old),
        tuple(entity for entity, (old, new) in moved.items() if not new),
        tuple(entity for entity, (old, new) in moved.items() if 0 < old < new),
        tuple(entity for entity, (old, new) in moved.items() if 0 < new < old),
        len(now) - len(both),
        len(before) - len(both),
    )

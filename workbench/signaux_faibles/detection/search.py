"""Parameters of a learner, searched within a budget of fits, by cross-validation that respects companies and time.

Each fold learns from other companies, before a month, and is judged on its own companies, from that month on and a
horizon later than what was learnt: as a list is. The test is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.encodings import encoded, learn_encodings
from workbench.signaux_faibles.detection.learners import Learner, learner_named
from workbench.signaux_faibles.detection.metrics import Ranked
from workbench.signaux_faibles.detection.parts import draw

__all__ = ["SPACES", "Trial", "search", "time_folds"]

SPACES: Mapping[str, Mapping[str, Sequence[Any]]] = MappingProxyType(
    {
        "boosting": {
            "trees": (150, 350, 600),
            "rate": (0.02, 0.03, 0.06),
            "leaves": (7, 15, 31),
            "rows": (30, 60, 150),
            "shrinkage": (1.0, 5.0, 20.0),
            "columns": (0.25, 0.4, 0.7),
        },
        "forest": {"trees": (100, 200), "depth": (7, 9, 12), "rows": (1, 5, 20), "columns": ("sqrt", 0.3)},
        "spark_forest": {"trees": (100, 200), "depth": (7, 9, 12), "rows": (1, 5, 20), "bins": (32, 255)},
        "logistic": {"penalty": (0.0, 0.001, 0.01, 0.12)},
    }
)
"""What is tried by default."""


DRAW = 1_000_003
"""Added to the seed for the folds."""


@dataclass(frozen=True)
class Trial:
    """Parameters tried.

    Parameters
    ----------
    learner
        The learner with them.
    scores
        Average precision of each fold.
    """

    learner: Learner
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """The mean of the folds."""
        return float(np.mean(self.scores))


def time_folds(dataset: Dataset, folds: int, *, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, fold after fold, the rows to learn from and those to judge on.

    A table of several months is cut where two thirds of its failures are behind, less the horizon for what is learnt.

    Raises
    ------
    WorkbenchError
        ``detection_vide`` when a fold would have no failure on a side.
    """
    # A draw of its own: companies of the learning come from a part of the first one, and would fill some folds alone.
    fold = np.floor(draw(dataset.names, seed + DRAW) * folds).astype(np.int32)[dataset.companies]
    before = after = np.ones(len(dataset), dtype=bool)
    if dataset.declaration.periode:
        failures = np.sort(dataset.periodes[dataset.target == 1])
        if not len(failures):
            raise WorkbenchError("detection_vide", cause="aucune défaillance pour la validation croisée")
        cut = failures[len(failures) * 2 // 3]
        before, after = dataset.periodes + dataset.declaration.horizon < cut, dataset.periodes >= cut
    found = [
        (np.flatnonzero((fold != place) & before), np.flatnonzero((fold == place) & after)) for place in range(folds)
    ]
    for rows in (part for pair in found for part in pair):
        if not np.count_nonzero(dataset.target[rows] == 1):
            raise WorkbenchError(
                "detection_vide", cause="trop peu de défaillances ou de mois pour une validation croisée dans le temps"
            )
    return found


def search(
    dataset: Dataset,
    learner: Learner,
    *,
    space: Mapping[str, Sequence[Any]] | None = None,
    fits: int = 30,
    folds: int = 3,
    seed: int = 0,
) -> list[Trial]:
    """Try parameters within a budget.

    Parameters
    ----------
    dataset
        What is learnt from; neither validation nor test.
    learner
        The first one tried, and what the space does not name.
    space
        Values by parameter; `SPACES` by default.
    fits
        How many times something may be learnt: candidates times folds, at the most.
    folds
        Of the cross-validation.
    seed
        Of the folds and of the candidates drawn.

    Returns
    -------
    list of Trial
        The best first.

    Raises
    ------
    WorkbenchError
        ``detection_vide``; ``detection_modele`` for a parameter that is not known.
    """
    chosen = dict(SPACES[learner.kind] if space is None else space)
    known: dict[str, Any] = asdict(learner)  # type: ignore[call-overload]
    unknown = set(chosen) - set(known)
    if unknown:
        raise WorkbenchError("detection_modele", detail=f"paramètre inconnu : {', '.join(sorted(unknown))}")
    combinations = list(product(*chosen.values()))
    random = np.random.default_rng(seed)
    drawn = random.permutation(len(combinations))[: max(0, fits // folds - 1)]
    tried = [dict(zip(chosen, combinations[place], strict=True)) for place in drawn]
    candidates = [learner, *(learner_named(learner.kind, {**known, **each}) for each in tried)]
    pairs = time_folds(dataset, folds, seed=seed)
    signs = tuple(each.sign for each in dataset.declaration.given)
    trials = []
    for candidate in candidates:
        scores = []
        for learnt, judged in pairs:
            encodings, rows = learn_encodings(dataset.take(learnt), seed=seed)
            model = candidate.fit(rows.matrix, rows.target, signs=signs, seed=seed)
            rows = encoded(dataset.take(judged), encodings)
            scores.append(Ranked(model.scores(rows.matrix), rows.target).average_precision())
        trials.append(Trial(candidate, tuple(scores)))
    return sorted(trials, key=lambda trial: -trial.score)

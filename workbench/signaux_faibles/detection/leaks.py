"""What gives the future away inside the variables themselves.

A variable may know the future without saying so: computed after the event, filled from later months, absent only for
companies that failed. What such variables have in common is that each predicts almost alone what nothing should.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.encodings import shares_of_others

__all__ = ["SUSPECT", "alone", "check_columns"]

SUSPECT = 0.97
"""Area under the ROC curve from which a variable alone is not believed; the best of the models published reaches
0.93."""

MOST_ROWS = 200_000
"""Rows that the check looks at: enough for two digits."""


def alone(values: np.ndarray, target: np.ndarray) -> float:
    """Return how well a variable alone parts the target, whichever way it runs: from 0.5 to 1, as an area under ROC.

    Examples
    --------
    >>> alone(np.array([3.0, 2.0, 1.0, 0.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    positives = int(np.count_nonzero(target == 1))
    negatives = len(target) - positives
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(values)
    area = (ranks[target == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return float(max(area, 1 - area))


def check_columns(dataset: Dataset, *, allowed: tuple[str, ...] = ()) -> None:
    """Refuse a variable that gives the target away, by its values or by its absence.

    Parameters
    ----------
    dataset
        What is about to be learnt from.
    allowed
        Variables that somebody looked at and found right.

    Raises
    ------
    WorkbenchError
        ``detection_fuite_suspecte``.
    """
    rows = np.arange(len(dataset))
    if len(rows) > MOST_ROWS:
        # All positives, which are few, and a part of the others.
        others = np.flatnonzero(dataset.target != 1)
        some = others[np.linspace(0, len(others) - 1, MOST_ROWS).astype(np.int64)]
        rows = np.concatenate([np.flatnonzero(dataset.target == 1)[:MOST_ROWS], some])
    target = dataset.target[rows]
    for place, variable in enumerate(dataset.declaration.given):
        if variable.name in allowed:
            continue
        values = dataset.matrix[rows, place]
        absent = np.isnan(values)
        if variable.category:
            # What the others of its category became: a category that only those who failed have gives them away.
            values = shares_of_others(dataset, place, dataset.categories[variable.name])[rows]
        known = ~absent
        for what, found in (
            ("sa valeur", alone(values[known], target[known]) if np.count_nonzero(target[known] == 1) > 1 else 0.5),
            ("son absence", alone(absent.astype(np.float32), target) if absent.any() else 0.5),
        ):
            if found >= SUSPECT and _enough(target):
                raise WorkbenchError(
                    "detection_fuite_suspecte", variable=variable.name, quoi=what, aire=f"{found:.3f}".replace(".", ",")
                )


def _enough(target: np.ndarray) -> bool:
    """Whether chance alone would not give such an area: on a few failures anything may."""
    return int(np.count_nonzero(target == 1)) >= 10

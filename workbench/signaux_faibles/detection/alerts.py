"""A list: the companies of one month, their probability, their level, and why those in alert are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.corrections import Correction, corrected
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.detector import Detector
from workbench.signaux_faibles.detection.explanations import Explanation, explain
from workbench.signaux_faibles.detection.thresholds import Level

__all__ = ["AlertList", "detect", "list_label"]

MONTHS = (
    "Janvier", "Février", "Mars", "Avril", "Mai", "Juin",
    "Juillet", "Août", "Septembre", "Octobre", "Novembre", "Décembre",
)  # fmt: skip


def list_label(batch: str) -> str:
    """Return what people call the list of a batch.

    Raises
    ------
    WorkbenchError
        ``batch_cle``.

    Examples
    --------
    >>> list_label("2403_01")
    'Mars 2024'
    """
    found = re.match(r"(\d\d)(0[1-9]|1[0-2])(?!\d)", batch)
    if not found:
        raise WorkbenchError("batch_cle", cle=batch)
    return f"{MONTHS[int(found[2]) - 1]} 20{found[1]}"


@dataclass(frozen=True)
class AlertList:
    """A list.

    Parameters
    ----------
    batch, snapshot, algo
        What it was made from, and by which model.
    periode
        The month that companies are seen in, as text: 2024-03.
    entities
        SIREN or SIRET, sorted.
    probabilities
        As displayed.
    previous
        Probabilities of the list before; NaN where a company was not in it, or there is no such list.
    first_ranks
        2, 1 or 0: by the thresholds alone.
    ranks
        After the second stage.
    reasons
        Codes of the corrections that applied, company by company; empty without a second stage.
    detector
        What made it.
    explanation, explained
        Of the companies in alert, and their places in the list.
    """

    batch: str
    snapshot: str
    algo: str
    periode: str
    entities: np.ndarray
    probabilities: np.ndarray
    previous: np.ndarray
    first_ranks: np.ndarray
    ranks: np.ndarray
    detector: Detector
    explanation: Explanation
    explained: np.ndarray
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entities)

    @property
    def label(self) -> str:
        """What people call it: « Mars 2024 »."""
        return list_label(self.batch)

    def count(self, level: Level) -> int:
        """Return how many companies have a level."""
        return int(np.count_nonzero(self.ranks == level.rank))

    @cached_property
    def fingerprint(self) -> str:
        """What tells two lists apart: SHA-256 of companies, probabilities and levels."""
        digest = hashlib.sha256(f"{self.batch}\n{self.periode}\n".encode())
        digest.update("\n".join(self.entities.tolist()).encode())
        digest.update(np.ascontiguousarray(self.probabilities, dtype=np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.ranks, dtype=np.int8).tobytes())
        return digest.hexdigest()

    def frame(self) -> pd.DataFrame:
        """Return the list as a table: a row a company, the highest probability first."""
        table = pd.DataFrame(
            {
                self.detector.declaration.entity or "entreprise": self.entities,
                "periode": self.periode,
                "probabilite": self.probabilities,
                "ecart": self.probabilities - self.previous,
                "alerte": [Level.of_rank(int(rank)).value for rank in self.ranks],
                "alerte_avant_redressements": [Level.of_rank(int(rank)).value for rank in self.first_ranks],
                "redressements": [list(self.reasons.get(entity, ())) for entity in self.entities],
            }
        )
        return table.sort_values("probabilite", ascending=False, kind="stable").reset_index(drop=True)


def detect(
    detector: Detector,
    dataset: Dataset,
    *,
    batch: str,
    snapshot: str = "",
    algo: str = "",
    previous: Mapping[str, float] | None = None,
    corrections: Sequence[Correction] = (),
    explained: bool = True,
) -> AlertList:
    """Make a list.

    Parameters
    ----------
    detector
        Learnt before.
    dataset
        Companies of one month, each once.
    batch, snapshot, algo
        What is written on the list; by default the algorithm is the learner's name and the beginning of its
        fingerprint.
    previous
        Probabilities of the list before, by company.
    corrections
        A second stage, applied after the thresholds: see `workbench.signaux_faibles.detection.corrections`.
    explained
        Whether to explain the companies in alert.

    Raises
    ------
    WorkbenchError
        ``detection_liste`` for several months or a company twice, ``batch_cle``, ``detection_modele``.
    """
    list_label(batch)
    months = np.unique(dataset.periodes)
    if len(months) != 1:
        raise WorkbenchError("detection_liste", cause=f"la table a {len(months)} mois : une liste est d'un seul")
    if len(np.unique(dataset.entities)) != len(dataset):
        raise WorkbenchError("detection_liste", cause="une entreprise y est plusieurs fois")
    dataset = dataset.take(np.argsort(dataset.entities, kind="stable"))
    probabilities = detector.probabilities(dataset)
    first = detector.thresholds.ranks(probabilities)
    ranks, reasons = corrected(first, dataset.entities, corrections)
    alerts = np.flatnonzero((ranks > 0) | (first > 0)) if explained else np.zeros(0, dtype=np.int64)
    before = np.array([(previous or {}).get(entity, np.nan) for entity in dataset.entities], dtype=np.float64)
    return AlertList(
        batch,
        snapshot,
        algo or f"{detector.kind}-{detector.fingerprint[:8]}",
        str(months[0]),
        dataset.entities,
        probabilities,
        before,
        first,
        ranks,
        detector,
        explain(detector, dataset.take(alerts)),
        alerts,
        reasons,
    )

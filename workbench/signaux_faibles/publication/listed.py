"""What a list says, whatever it comes from: an `AlertList`, or the parquet that `write_list` made of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection import forms
from workbench.signaux_faibles.detection.alerts import AlertList, list_label
from workbench.signaux_faibles.detection.card import list_card
from workbench.signaux_faibles.detection.outputs import read_list
from workbench.signaux_faibles.detection.sentences import sentences
from workbench.signaux_faibles.detection.thresholds import Level, read_level
from workbench.signaux_faibles.publication.objects import batch_of

__all__ = ["Listed", "Source", "listed"]

Source: TypeAlias = "AlertList | str | Path"

POINTS = "points_"


@dataclass(frozen=True)
class Listed:
    """A list, ready to be published.

    Parameters
    ----------
    batch, algo, periode
        What is written on it.
    entities
        SIREN, or SIRET.
    probabilities, differences
        From 0 to 1; NaN where there is no list before.
    ranks
        2, 1 or 0.
    explanations
        By entity, of those in alert.
    thresholds
        ``modere`` and ``fort``; empty when they are not known.
    card
        Its card.
    """

    batch: str
    algo: str
    periode: str
    entities: list[str]
    probabilities: np.ndarray
    differences: np.ndarray
    ranks: np.ndarray
    explanations: Mapping[str, Mapping[str, Any]]
    thresholds: Mapping[str, float]
    card: Mapping[str, Any]

    @property
    def pair(self) -> str:
        """What names it in keys."""
        return batch_of(self.batch, self.algo)

    @property
    def label(self) -> str:
        """What people call it."""
        return list_label(self.batch)

    @property
    def alerts(self) -> list[str]:
        """SIREN of the companies in alert, sorted."""
        return sorted({entity[:9] for entity, rank in zip(self.entities, self.ranks.tolist(), strict=True) if rank})


def listed(source: Source, *, card: Mapping[str, Any] | None = None) -> Listed:
    """Read a list.

    Parameters
    ----------
    source
        The list, or the path of the parquet that `workbench.signaux_faibles.detection.write_list` wrote.
    card
        Its card; by default that of the list, without its evaluation, or of the file.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``; ``publication_liste`` for a file that is not a list.
    """
    found = _of_alerts(source, card) if isinstance(source, AlertList) else _of_file(Path(source), card)
    list_label(found.batch)
    if not all(len(each) in (9, 14) for each in found.entities):
        raise WorkbenchError("publication_liste", cause="ses entreprises ne sont ni des SIREN, ni des SIRET")
    return found


def _of_alerts(alerts: AlertList, card: Mapping[str, Any] | None) -> Listed:
    explanation = alerts.explanation
    thresholds = _thresholds(alerts.detector.thresholds.to_json())
    by_feature = 100 * explanation.by_feature
    of_theme: dict[str, list[int]] = {}
    for place, feature in enumerate(explanation.features):
        of_theme.setdefault(explanation.theme_of(feature), []).append(place)
    told = zip(
        explanation.entities.tolist(),
        (100 * explanation.by_theme).tolist(),
        by_feature.tolist(),
        forms.radar(explanation),
        forms.selection(explanation),
        strict=True,
    )
    explanations = {
        entity: {
            "probabilite": float(explanation.probabilities[row]),
            "depart": explanation.start,
            "seuils": thresholds,
            "themes": dict(zip(explanation.declaration.themes, themes, strict=True)),
            "variables": {
                theme: {explanation.features[place]: features[place] for place in places}
                for theme, places in of_theme.items()
            },
            "radar": marks,
            "concerne": chosen["selectConcerning"],
            "rassure": chosen["selectReassuring"],
            "phrases": [str(each) for each in sentences(explanation, row)],
        }
        for row, (entity, themes, features, marks, chosen) in enumerate(told)
    }
    return Listed(
        alerts.batch,
        alerts.algo,
        alerts.periode,
        alerts.entities.tolist(),
        alerts.probabilities,
        alerts.probabilities - alerts.previous,
        np.asarray(alerts.ranks),
        explanations,
        thresholds,
        list_card(alerts) if card is None else card,
    )


def _thresholds(told: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(told[name]) for name in ("modere", "fort") if told.get(name) is not None}


def _of_file(path: Path, card: Mapping[str, Any] | None) -> Listed:
    table, about = read_list(path)
    needed = {"periode", "probabilite", "ecart", "alerte"}
    if not needed <= set(table.column_names) or not {"batch", "algo"} <= about.keys() or not table.num_rows:
        raise WorkbenchError("publication_liste", cause=f"{path} n'est pas un fichier de liste")
    entities = table.column(0).to_pylist()
    themes = [name for name in table.column_names if name.startswith(POINTS) and name != "points_depart"]
    columns = {
        name: table[name].to_pylist() for name in (*themes, "points_depart", "phrases") if name in table.schema.names
    }
    thresholds = _thresholds(((about.get("modele") or {}).get("seuils")) or {})
    probabilities = table["probabilite"].to_numpy(zero_copy_only=False)
    starts = columns.get("points_depart") or [None] * len(entities)
    explanations = {
        entity: {
            "probabilite": float(probabilities[row]),
            "depart": starts[row],
            "seuils": thresholds,
            "themes": {name.removeprefix(POINTS): 100 * columns[name][row] for name in themes},
            "variables": None,
            "radar": None,
            "concerne": None,
            "rassure": None,
            "phrases": (columns.get("phrases") or [])[row] or [],
        }
        for row, entity in enumerate(entities)
        if starts[row] is not None
    }
    return Listed(
        about["batch"],
        about["algo"],
        table["periode"][0].as_py(),
        entities,
        probabilities,
        table["ecart"].to_numpy(zero_copy_only=False).astype(np.float64),
        np.array([read_level(each).rank for each in table["alerte"].to_pylist()]),
        explanations,
        thresholds,
        {name: value for name, value in about.items() if name != "snapshot"} if card is None else card,
    )


def level_of(rank: int) -> str:
    """Return what is published of a rank."""
    return Level.of_rank(rank).value

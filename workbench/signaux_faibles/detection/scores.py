"""The score file of 2019 and 2020 (specification 6.2): a CSV, a row an établissement or a company."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.alerts import AlertList
from workbench.signaux_faibles.detection.dataset import Dataset
from workbench.signaux_faibles.detection.thresholds import Level, Thresholds

__all__ = ["THRESHOLDS_2019", "scores_name", "write_scores"]

THRESHOLDS_2019 = Thresholds(0.15, 0.07)
"""Those of 2019 and 2020, for the scores of their models; a detector has its own."""


def scores_name(folder: str | Path, day: date, detail: str) -> str:
    """Return the name of the next file of a day in a folder: ``AAAA-MM-JJ_vN_<detail>.csv``.

    Examples
    --------
    >>> scores_name("absent", date(2020, 2, 3), "liste février")
    '2020-02-03_v1_liste-février.csv'
    """
    bare = re.sub(r"[^\w-]+", "-", detail).strip("-") or "scores"
    pattern = re.compile(rf"{day.isoformat()}_v(\d+)_.*\.csv")
    known = [pattern.fullmatch(each.name) for each in Path(folder).glob("*.csv")]
    return f"{day.isoformat()}_v{max((int(each[1]) for each in known if each), default=0) + 1}_{bare}.csv"


def write_scores(
    alerts: AlertList, path: str | Path, *, before: Dataset | None = None, at: datetime | None = None
) -> Path:
    """Write the scores of a list.

    Parameters
    ----------
    alerts
        The list.
    path
        The file, or a folder: it is then named by `scores_name`, from the algorithm.
    before
        The same companies a month before: ``score_diff`` is what the same model says now less what it said then. Absent
        without it, and for a company that was not there; the list before (`AlertList.previous`) comes first.
    at
        ``timestamp``; now by default. The same moment gives the same bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    WorkbenchError
        ``requete_ecriture``, ``detection_modele`` for other variables a month before.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    target = Path(path)
    if target.is_dir():
        target /= scores_name(target, moment.date(), alerts.algo)
    key = alerts.detector.declaration.entity or "entreprise"
    then = alerts.previous
    if before is not None and len(before) and np.isnan(then).all():
        known = dict(zip(before.entities, alerts.detector.probabilities(before), strict=True))
        then = np.array([known.get(entity, np.nan) for entity in alerts.entities])
    try:
        with replacing(target) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([key, "periode", "score", "score_diff", "algo", "batch", "timestamp", "alert"])
            columns = (alerts.entities, alerts.probabilities, then, alerts.ranks)
            for entity, score, old, rank in zip(*(each.tolist() for each in columns), strict=True):
                moved = "" if np.isnan(old) else score - old
                about = (alerts.algo, alerts.batch, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
                writer.writerow([entity, f"{alerts.periode}-01", score, moved, *about, Level.of_rank(rank).value])
    except OSError as error:
        raise WorkbenchError("requete_ecriture", chemin=str(target), cause=error.strerror) from error
    return target

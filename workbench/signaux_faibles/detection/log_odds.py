"""The corrections of November 2020 (specification 6.2), in log-odds of the probability: debts and activities.

They belong to the second stage: a probability moved past a threshold moves a level, and only by one step.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.alerts import AlertList
from workbench.signaux_faibles.detection.corrections import Correction

__all__ = ["activity_log_odds", "debt_log_odds", "moved_levels"]

BEFORE = "2018-07"
"""The month before which the failures of an activity are its usual ones."""


def _required(table: pd.DataFrame, *names: str) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration="de la seconde étape")


def debt_log_odds(table: pd.DataFrame) -> pd.Series:
    """Return what the debt of each company adds, from 0 to 1: 1 for the highest of its activity.

    Parameters
    ----------
    table
        ``entite, code_ape_niveau3, dette`` (euros)``, effectif``: a row a company.

    Returns
    -------
    pandas.Series
        By ``entite``. In an activity, companies that owe more than a euro by employee are ranked by decreasing debt,
        from 1 down to 0 linearly; the density of Beta(3, 1) at that rank, over 3, is its square. The others: 0.

    Examples
    --------
    >>> debts = {"entite": list("abcd"), "code_ape_niveau3": "256", "dette": [9000, 800, 5, 400], "effectif": 10}
    >>> debt_log_odds(pd.DataFrame(debts)).to_dict()
    {'a': 1.0, 'b': 0.25, 'c': 0.0, 'd': 0.0}
    """
    _required(table, "entite", "code_ape_niveau3", "dette", "effectif")
    staff = table["effectif"].where(table["effectif"] > 0)
    owing = table[(table["dette"] / staff > 1).fillna(False).astype(bool)]
    groups = owing.groupby("code_ape_niveau3")["dette"]
    ranks = groups.rank(method="first", ascending=False) - 1
    steps = (groups.transform("size") - 1).clip(lower=1)
    found = pd.Series(0.0, index=table.index)
    found[owing.index] = (1 - ranks / steps) ** 2
    return pd.Series(found.to_numpy(), index=pd.Index(table["entite"], name="entite"))


def activity_log_odds(rates: pd.DataFrame, *, before: str = BEFORE) -> pd.Series:
    """Return how far the failures foreseen in each activity are from its usual ones.

    Parameters
    ----------
    rates
        ``activite, mois, taux``: share of failures foreseen (from surveys), a row an activity and a month.
    before
        See `BEFORE`.

    Returns
    -------
    pandas.Series
        By ``activite``: log-odds of the last month less their mean before; 0 where nothing is known before.

    Examples
    --------
    >>> rates = {"activite": "C", "mois": ["2017-01", "2018-01", "2020-10"], "taux": [0.5, 0.5, 0.75]}
    >>> activity_log_odds(pd.DataFrame(rates)).round(6).to_dict()
    {'C': 1.098612}
    """
    _required(rates, "activite", "mois", "taux")
    rows = rates.assign(
        cote=logit(rates["taux"].to_numpy(dtype=np.float64).clip(1e-6, 1 - 1e-6)), mois=rates["mois"].astype(str)
    )
    rows = rows.sort_values("mois", kind="stable")
    usual = rows[rows["mois"] < before].groupby("activite")["cote"].mean()
    last = rows.groupby("activite")["cote"].last()
    found: pd.Series = (last - usual).fillna(0.0)
    return found


def moved_levels(alerts: AlertList, shifts: pd.Series, *, reason: str = "correction_2020") -> Correction:
    """Return the steps that log-odds added to probabilities are worth, by the thresholds of a list's model.

    Parameters
    ----------
    alerts
        The list, before its second stage.
    shifts
        By company, log-odds added: the sum of `debt_log_odds` and of its activity's. Companies left out do not move.
    reason
        Code of the reason, for those that move.
    """
    added = shifts.reindex(alerts.entities).fillna(0.0).to_numpy(dtype=np.float64)
    moved = expit(logit(alerts.probabilities) + added)
    steps = alerts.detector.thresholds.ranks(moved) - alerts.first_ranks
    named = {str(entity): int(step) for entity, step in zip(alerts.entities, steps, strict=True) if step}
    return Correction(named, dict.fromkeys(named, (reason,)))

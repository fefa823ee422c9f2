"""The second stage of 2021 to 2023: rules of experts that move a level by one step, after the thresholds.

A rule reads facts that models were not given or not told to heed: debts frozen in 2020, partial activity, accounts.
Each gives steps by company with a reason; steps add up, are cut at one either way, and a level moves by that much
(specification 6.6, and 6.3 for `covid_debt`). Nothing is applied unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration, Variable
from workbench.signaux_faibles.detection.source import read_table
from workbench.signaux_faibles.detection.values import numbers_of, texts_of

__all__ = [
    "CONFIDENTIAL",
    "Correction",
    "corrected",
    "covid_debt",
    "financial_steps",
    "first_alerts",
    "partial_activity_steps",
    "read_corrections",
    "shown_reasons",
    "urssaf_steps",
]

CONFIDENTIAL = frozenset({"solvabilite_faible", "k_propres_negatifs", "rentabilite_faible"})
"""Reasons drawn from tax data, which a person reads only where the accounts are public."""


@dataclass(frozen=True)
class Correction:
    """What a rule found.

    Parameters
    ----------
    steps
        By company, how many steps up or down.
    reasons
        By company, codes of reasons.
    """

    steps: Mapping[str, int]
    reasons: Mapping[str, tuple[str, ...]]


def corrected(
    ranks: np.ndarray, entities: np.ndarray, corrections: Sequence[Correction]
) -> tuple[np.ndarray, dict[str, tuple[str, ...]]]:
    """Move ranks by the steps of all the rules, one at the most either way.

    Returns
    -------
    tuple
        Ranks (0, 1, 2) and, by company, the reasons.

    Examples
    --------
    >>> rule = Correction({"800000001": 2, "800000002": -1}, {"800000001": ("dette_urssaf_macro_preponderante",)})
    >>> corrected(np.array([0, 1, 2]), np.array(["800000001", "800000002", "800000003"]), [rule])[0].tolist()
    [1, 0, 2]
    """
    if not corrections:
        return ranks, {}
    steps = np.array([sum(each.steps.get(entity, 0) for each in corrections) for entity in entities])
    moved = np.clip(ranks + np.clip(steps, -1, 1), 0, 2).astype(np.int8)
    reasons = {
        entity: tuple(code for each in corrections for code in each.reasons.get(entity, ())) for entity in entities
    }
    return moved, {entity: codes for entity, codes in reasons.items() if codes}


def _columns(table: pd.DataFrame, *names: str) -> list[np.ndarray]:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration="de la seconde étape")
    return [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]


def _correction(
    table: pd.DataFrame, rules: Sequence[tuple[str, np.ndarray, int]], steps: np.ndarray | None = None
) -> Correction:
    """Gather rules: a reason, the rows it applies to, its steps."""
    total = (
        sum((mask * step for _, mask, step in rules), np.zeros(len(table), dtype=np.int64)) if steps is None else steps
    )
    entities = table["siren"].astype(str).tolist()
    moved = {entity: int(step) for entity, step in zip(entities, total, strict=True) if step}
    reasons = {
        entity: tuple(code for code, mask, _ in rules if mask[place])
        for place, entity in enumerate(entities)
        if any(mask[place] for _, mask, _ in rules)
    }
    return Correction(moved, reasons)


def covid_debt(table: pd.DataFrame, *, limit: float = 0.2) -> Correction:
    """Raise a level where the debt grew by more than a fifth of the monthly contribution since July 2020 (6.3).

    Parameters
    ----------
    table
        ``siren, dette, dette_juillet_2020, cotisation_moy12m``, in euros.
    limit
        (debt now - debt then) / mean contribution, above which a level is raised.
    """
    debt, then, contribution = _columns(table, "dette", "dette_juillet_2020", "cotisation_moy12m")
    known = contribution > 0
    grown = np.where(known, (debt - then) / np.where(known, contribution, 1.0), 0.0) > limit
    return _correction(table, [("dette_urssaf_en_hausse_covid", grown, 1)])


def urssaf_steps(table: pd.DataFrame, *, share: float = 0.1) -> Correction:
    """Lower a level where a significant debt was paid back, raise it where debt rises and is not the main reason (6.6).

    Parameters
    ----------
    table
        ``siren, dette_ancienne_max`` (the highest debt of March 2020 to September 2021), ``dette_recente_min``,
        ``cotisation_annuelle``, in euros; ``dette_en_hausse`` and ``urssaf_principale`` (0 or 1: the debt is rising
        recently, Urssaf debts are the first theme of the explanation).
    share
        Of the annual contributions above which a debt is significant, and of the former debt below which it is paid.
    """
    highest, lowest, annual = _columns(table, "dette_ancienne_max", "dette_recente_min", "cotisation_annuelle")
    rising, main = _columns(table, "dette_en_hausse", "urssaf_principale")
    paid = (highest > share * annual) & (annual > 0) & (lowest < share * highest)
    return _correction(
        table,
        [("dette_urssaf_remboursee", paid, -1), ("dette_urssaf_en_hausse", (rising == 1) & (main != 1), 1)],
    )


def partial_activity_steps(table: pd.DataFrame, *, days: float = 240, share: float = 0.5) -> Correction:
    """Raise a level where partial activity was asked for long and for most of the staff (6.6).

    Parameters
    ----------
    table
        ``siren, ap_jours`` (days asked for), ``ap_part_effectif`` (share of the staff, 0 to 1).
    days
        240; a year in May 2022.
    share
        Of the staff.
    """
    asked, staff = _columns(table, "ap_jours", "ap_part_effectif")
    return _correction(table, [("recours_activite_partielle", (asked > days) & (staff > share), 1)])


def financial_steps(table: pd.DataFrame) -> Correction:
    """Raise a level where two of three signs of the accounts are bad, two levels where all are (6.6).

    Parameters
    ----------
    table
        ``siren, endettement_sur_caf, ebe, ca_sur_ca_2019, capitaux_propres``: debt over cash flow at least 4; negative
        gross operating surplus with at least 80 % of the turnover of 2019; negative equity.
    """
    ratio, surplus, turnover, equity = _columns(
        table, "endettement_sur_caf", "ebe", "ca_sur_ca_2019", "capitaux_propres"
    )
    rules = [
        ("solvabilite_faible", ratio >= 4, 0),
        ("rentabilite_faible", (surplus < 0) & (turnover >= 0.8), 0),
        ("k_propres_negatifs", equity < 0, 0),
    ]
    bad = sum((mask.astype(np.int64) for _, mask, _ in rules), np.zeros(len(table), dtype=np.int64))
    return _correction(table, rules, np.where(bad >= 3, 2, np.where(bad == 2, 1, 0)))


RULES: Mapping[frozenset[str], Callable[[pd.DataFrame], Correction]] = MappingProxyType(
    {
        frozenset({"dette", "dette_juillet_2020", "cotisation_moy12m"}): covid_debt,
        frozenset(
            {"dette_ancienne_max", "dette_recente_min", "cotisation_annuelle", "dette_en_hausse", "urssaf_principale"}
        ): urssaf_steps,
        frozenset({"ap_jours", "ap_part_effectif"}): partial_activity_steps,
        frozenset({"endettement_sur_caf", "ebe", "ca_sur_ca_2019", "capitaux_propres"}): financial_steps,
    }
)
"""By the columns that a rule reads beside `siren`."""


def read_corrections(path: str | Path) -> list[Correction]:
    """Apply the rules whose columns a file of facts has (parquet or CSV; a row a company, by its `siren`).

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``, ``detection_colonnes`` when no rule has all its columns, ``detection_doublons``.
    """
    names = sorted(frozenset().union(*RULES))
    declaration = Declaration(
        "de la seconde étape", tuple(Variable(name, "", operation="log", of=()) for name in names), periode=""
    )
    table = read_table(path, declaration, around=False)
    facts = pd.DataFrame({name: numbers_of(table, name, None) for name in names if name in table.column_names})
    facts["siren"] = texts_of(table, "siren")
    twice = sorted(set(facts.loc[facts["siren"].duplicated(), "siren"]))
    if twice:
        raise WorkbenchError("detection_doublons", nombre=len(twice), exemples=", ".join(twice[:3]))
    rules = [rule for columns, rule in RULES.items() if columns <= set(facts.columns)]
    if not rules:
        wanted = " ; ".join(", ".join(sorted(columns)) for columns in RULES)
        raise WorkbenchError("detection_colonnes", colonnes=f"d'une règle ({wanted})", declaration=declaration.name)
    return [rule(facts) for rule in rules]


def shown_reasons(reasons: Sequence[str], *, public_accounts: bool) -> list[str]:
    """Return the reasons that may be read: those of tax data are kept back unless the accounts are public.

    Examples
    --------
    >>> shown_reasons(["k_propres_negatifs", "dette_urssaf_en_hausse"], public_accounts=False)
    ['dette_urssaf_en_hausse']
    """
    return [code for code in reasons if public_accounts or code not in CONFIDENTIAL]


def first_alerts(ranks: Mapping[str, int], past: Sequence[Mapping[str, int]]) -> dict[str, bool]:
    """Say which companies have their first alert, or pass from moderate to high for the first time (6.6).

    Parameters
    ----------
    ranks
        Of the list, by company.
    past
        Ranks of the lists before it.
    """
    highest: dict[str, int] = {}
    for one in past:
        for entity, rank in one.items():
            highest[entity] = max(highest.get(entity, 0), rank)
    return {entity: rank > highest.get(entity, 0) for entity, rank in ranks.items() if rank}

"""Where ratios of a sector stand: quantiles of public accounts, by division of activity and class of revenue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import Select, Text, func, select

from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.kinds import constant

__all__ = ["CLASSES", "FEWEST", "RATIOS", "public_ratios", "revenue_class", "sector_quantiles"]

RATIOS = (
    "taux_d_endettement", "ratio_de_liquidite", "ratio_de_vetuste", "autonomie_financiere", "caf_sur_ca",
    "capacite_de_remboursement", "couverture_des_interets", "marge_ebe", "poids_bfr_exploitation_sur_ca",
    "rotation_des_stocks_jours", "credit_clients_jours", "credit_fournisseurs_jours",
)  # fmt: skip
"""Ratios of the accounts deposited, under their names."""

CLASSES = (
    (2_000.0, "moins de 2 M€"),
    (10_000.0, "2 à 10 M€"),
    (50_000.0, "10 à 50 M€"),
    (float("inf"), "plus de 50 M€"),
)
"""Classes of revenue: thousands of euros that they stop at, and what they are called."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

FEWEST = 11
"""Companies that a group has at least: of fewer, a quantile would be somebody's."""


def revenue_class(thousands: float | None) -> str | None:
    """Return the class of a revenue.

    Examples
    --------
    >>> revenue_class(1999.9), revenue_class(2000.0), revenue_class(None)
    ('moins de 2 M€', '2 à 10 M€', None)
    """
    return None if thousands is None else next(name for limit, name in CLASSES if thousands < limit)


def public_ratios(history: History, since: date, as_of: str | None = None) -> Select[Any]:
    """Return ``secteur, chiffre_d_affaires`` (euros) and the ratios: the last public accounts since a day."""
    rows = history.state("ratios_inpi", as_of).subquery("deposited")
    units = history.state("sirene_ul", as_of).subquery("units_known")
    place = (
        func.row_number().over(partition_by=rows.c.siren, order_by=rows.c.date_cloture_exercice.desc()).label("place")
    )
    kept = (
        select(rows, place)
        .where(rows.c.confidentialite == constant("Public"), rows.c.date_cloture_exercice >= constant(since))
        .subquery("kept")
    )
    sector = func.left(units.c.activite_principale, constant(2), type_=Text()).label("secteur")
    return (
        select(sector, kept.c.chiffre_d_affaires, *(kept.c[name] for name in RATIOS))
        .select_from(kept.join(units, units.c.siren == kept.c.siren))
        .where(kept.c.place == constant(1))
    )


def sector_quantiles(table: pa.Table) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return quantiles by sector and class, of what `public_ratios` selects.

    Returns
    -------
    mapping
        ``secteur``, ``classe``, ``entreprises`` (how many), and each ratio: its 10th, 25th, 50th, 75th and 90th
        centiles; one that fewer than eleven companies have is not there.

    Examples
    --------
    >>> rows = {"secteur": ["25"] * 11, "chiffre_d_affaires": [3e6] * 11, "marge_ebe": [float(n) for n in range(11)]}
    >>> sector_quantiles(pa.table(rows))["25", "2 à 10 M€"]["marge_ebe"]
    [1.0, 2.5, 5.0, 7.5, 9.0]
    """
    frame = table.to_pandas()
    frame["classe"] = [revenue_class(None if euros != euros else euros / 1000) for euros in frame["chiffre_d_affaires"]]
    names = [name for name in RATIOS if name in frame.columns]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (sector, class_), group in frame.groupby(["secteur", "classe"], sort=True):
        if len(group) < FEWEST:
            continue
        told: dict[str, Any] = {"secteur": sector, "classe": class_, "entreprises": len(group)}
        for name in names:
            values = group[name].dropna()
            if len(values) >= FEWEST:
                told[name] = [round(float(value), 4) for value in values.quantile(list(QUANTILES))]
        found[sector, class_] = told
    return found

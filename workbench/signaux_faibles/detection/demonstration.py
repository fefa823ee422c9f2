"""Fictitious French companies over six years, some of which fail of one known cause: to try everything without data.

SIREN begin with 8 and fail the check digit, as all fictitious ones here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from workbench.signaux_faibles.detection.french import french_declaration

__all__ = ["CAUSES", "companies_table", "write_companies"]

CAUSES = {
    "dette_urssaf": ("dette_sociale_patronale", "dette_sociale_ouvriere"),
    "sante_financiere": ("marge_ebe", "ratio_de_liquidite", "autonomie_financiere"),
    "paiement_fournisseurs": ("paydex_nb_jours",),
}
"""By theme, what moves in the months before a failure."""

START = "2017-01"
HORIZON = 18

LEAD = 15
"""Months before the event in which its cause shows."""


def companies_table(companies: int = 500, months: int = 72, *, seed: int = 0) -> pd.DataFrame:
    """Return fictitious companies: a row a company and a month.

    Parameters
    ----------
    companies, months
        How many; months begin in January 2017.
    seed
        Of all that is drawn.

    Returns
    -------
    pandas.DataFrame
        The columns of `workbench.signaux_faibles.detection.french.french_declaration`, and ``cause``, a key of
        `CAUSES` or empty: the theme of what leads to the failure, in its last fifteen months.

    Examples
    --------
    >>> companies_table(companies=4, months=12).shape[0]
    48
    """
    random = np.random.default_rng(seed)
    rows = companies * months
    owner = np.repeat(np.arange(companies), months)
    calendar = np.tile(np.arange(months), companies)
    troubled = random.random(companies) < 0.4
    # Some are in trouble after the last month: the last rows too have causes without a known event.
    trouble = np.where(troubled, random.integers(3, months + 12, companies), 10_000)
    cause = np.where(troubled, random.choice(list(CAUSES), companies), "")[owner]
    ahead = trouble[owner] - calendar
    depth = np.clip(1 - np.maximum(ahead, 0) / LEAD, 0, 1) * (ahead > -6) * random.uniform(0.4, 1, companies)[owner]
    # Three in four of them fail; one company in twenty fails without a sign.
    sudden = ~troubled & (random.random(companies) < 0.05)
    failing = (troubled & (random.random(companies) < 0.75)) | sudden
    event = np.where(failing, np.where(sudden, random.integers(0, months, companies), trouble), 10_000)
    left = event[owner] - calendar
    frame = pd.DataFrame(
        {
            each.name: 1 + random.normal(size=companies)[owner] * 0.4 + random.normal(size=rows) * 0.15
            for each in french_declaration(lags=False).variables
        }
    )
    staff = np.maximum(10, np.round(np.exp(random.normal(3.2, 0.6, companies))))[owner]
    contribution = staff * 1500 * (1 + random.normal(size=rows) * 0.03)
    late = np.abs(random.normal(size=rows)) * 0.02 * contribution
    debt = late + (cause == "dette_urssaf") * depth * contribution * random.uniform(1, 5, companies)[owner]
    health = (cause == "sante_financiere") * depth
    suppliers = (cause == "paiement_fournisseurs") * depth
    frame = frame.assign(
        effectif=staff,
        cotisation=contribution,
        dette_sociale_patronale=debt * 0.7,
        dette_sociale_ouvriere=debt * 0.3,
        dette_sur_cotisation_mean12m=debt / (staff * 1500),
        dette_par_effectif=debt / staff,
        marge_ebe=8 + random.normal(size=rows) * 4 - 40 * health,
        ratio_de_liquidite=120 + random.normal(size=rows) * 20 - 80 * health,
        autonomie_financiere=35 + random.normal(size=rows) * 6 - 30 * health,
        paydex_nb_jours=np.abs(random.normal(size=rows)) * 5 + 60 * suppliers,
        ap_heures_consommees=np.where(random.random(rows) < 0.05, random.uniform(10, 400, rows), 0.0),
        ap_heures_autorisees=0.0,
    )
    return frame.assign(
        siren=np.char.mod("8%08d", np.arange(companies))[owner],
        periode=(np.datetime64(START, "M") + calendar).astype("M8[s]"),
        failure=pd.Series(left <= HORIZON, dtype="boolean").mask(left <= 0),
        signal_fort=left <= 0,
        futur_connu=calendar + HORIZON < months,
        code_naf=random.choice(["C", "F", "G", "I"], companies)[owner],
        region=random.choice(["11", "27", "84", "93"], companies)[owner],
        statut_juridique="5710",
        cause=np.where(depth > 0, cause, ""),
    )


def write_companies(path: str | Path, companies: int = 500, months: int = 72, *, seed: int = 0) -> Path:
    """Write `companies_table` as parquet, for the commands."""
    companies_table(companies, months, seed=seed).to_parquet(path, index=False)
    return Path(path)

"""Declarations of companies that are not French: American firms 1999-2018 and Polish companies (see ../shared/data)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from workbench.signaux_faibles.detection.columns import Declaration, Variable

HEALTH = "sante_financiere"
ITEMS = {
    "actif_circulant": "Current assets",
    "cout_ventes": "Cost of goods sold",
    "amortissements": "Depreciation and amortization",
    "ebitda": "EBDITDA",
    "stocks": "Inventory",
    "resultat_net": "Net Income",
    "creances": "Total Receivable",
    "valeur_marche": "Market Value",
    "ca": "Net Sales",
    "actif": "Total Assets",
    "dette_long_terme": "Total Long-term Debt",
    "resultat_exploitation": "EBIT",
    "marge_brute": "Gross Profit",
    "passif_court_terme": "Total Current Liabilitie",
    "reports": "Retained Earnings",
    "dettes": "Total Liabilities",
    "charges": "Total Operating Expenses",
}


def _derived(name: str, operation: str, *of: str, months: int = 0, given: bool = True, sign: int = 0) -> Variable:
    return Variable(name, HEALTH, sign, operation=operation, of=of, months=months, given=given)


def american() -> Declaration:
    """Items of firms, as shares of their assets and of one another, and what became of them in one and two years."""
    items = [Variable(name, HEALTH, given=False) for name in ITEMS]
    shares = [_derived(f"{name}_sur_actif", "ratio", name, "actif") for name in ITEMS if name != "actif"]
    sums = [
        _derived("capitaux_propres", "difference", "actif", "dettes", given=False),
        _derived("fonds_roulement", "difference", "actif_circulant", "passif_court_terme", given=False),
        _derived("liquide", "difference", "actif_circulant", "stocks", given=False),
        _derived("moins_dettes", "difference", "valeur_marche", "valeur_marche", "dettes", given=False),
        _derived("valeur_totale", "difference", "valeur_marche", "moins_dettes", given=False),
        _derived("sous_resultat", "difference", "resultat_exploitation", "resultat_net", given=False),
    ]
    ratios = [
        _derived("fonds_roulement_sur_actif", "ratio", "fonds_roulement", "actif"),
        _derived("liquidite_generale", "ratio", "actif_circulant", "passif_court_terme"),
        _derived("liquidite_reduite", "ratio", "liquide", "passif_court_terme"),
        _derived("levier_marche", "ratio", "dettes", "valeur_totale", sign=1),
        _derived("rentabilite_marche", "ratio", "resultat_net", "valeur_totale"),
        _derived("marge_nette", "ratio", "resultat_net", "ca"),
        _derived("marge_ebitda", "ratio", "ebitda", "ca"),
        _derived("couverture", "ratio", "resultat_exploitation", "dettes"),
        _derived("interets_impots_sur_actif", "ratio", "sous_resultat", "actif"),
        _derived("valeur_sur_capitaux", "ratio", "valeur_marche", "capitaux_propres"),
    ]
    logs = [_derived(f"log_{name}", "log", name) for name in ("actif", "ca", "valeur_marche")]
    changed = [each.name for each in (*shares, *ratios)]
    changes = [_derived(f"{name}_diff12m", "diff", name, months=12) for name in changed]
    grown = ("ca", "actif", "valeur_marche", "passif_court_terme", "dettes", "dette_long_terme", "actif_circulant")
    growths = [
        _derived(f"{name}_croissance{months}m", "growth", name, months=months) for name in grown for months in (12, 24)
    ]
    memory = [_derived("pertes_36m", "negative", "resultat_net", months=36), _derived("anciennete", "age", "actif")]
    return Declaration(
        "entreprises américaines",
        (*items, *shares, *sums, *ratios, *logs, *changes, *growths, *memory),
        entity="company_name",
        periode="year",
        event="fin",
        horizon=12,
        groups={"taille": "actif"},
        bounds={"taille": (50, 500)},
        mapping=ITEMS,
    )


def american_firms(shared: Path) -> pd.DataFrame:
    """The firms, with the date of the event of those that failed: the year after their last one."""
    path = shared / "data" / "signaux_faibles" / "american_bankruptcy_77332of78682.parquet"
    firms = pd.read_parquet(path)
    last = firms.groupby("company_name")["year"].transform("max") + 1
    failed = firms["Company Status"] == "failed"
    firms["fin"] = pd.to_datetime(last.where(failed).astype("Int64").astype("string"), format="%Y")
    return firms


def polish() -> Declaration:
    """Sixty-four ratios of one year; a company is known by its ratios alone, so that its double is no other company."""
    return Declaration(
        "entreprises polonaises",
        tuple(Variable(f"Attr{place}", HEALTH) for place in range(1, 65)),
        entity="",
        periode="",
        target="faillite",
    )


def polish_companies(shared: Path) -> pd.DataFrame:
    return pd.read_parquet(shared / "data" / "signaux_faibles" / "polish_1year.parquet")


def made(rows: int = 3000, *, seed: int = 0, months: int = 6) -> pd.DataFrame:
    """Companies whose failure has one cause each, known: a debt, falling accounts, or late payments."""
    random = np.random.default_rng(seed)
    companies = rows // months
    siren = np.repeat([f"8{place:08d}" for place in range(companies)], months)
    periode = np.tile(np.arange("2018-01", "2019-01", dtype="M8[M]")[:: 12 // months][:months], companies)
    cause = np.repeat(random.choice(["", "dette", "comptes", "paiement"], companies, p=[0.7, 0.1, 0.1, 0.1]), months)
    noise = random.normal(size=(rows, 6))
    table = pd.DataFrame(
        {
            "siren": siren,
            "periode": periode.astype("M8[s]"),
            "dette_sur_cotisation": np.abs(noise[:, 0]) * 0.05 + (cause == "dette") * random.uniform(0.8, 2, rows),
            "ebe_sur_ca": 0.1 + noise[:, 1] * 0.03 - (cause == "comptes") * random.uniform(0.3, 0.6, rows),
            "paydex": np.abs(noise[:, 2]) * 4 + (cause == "paiement") * random.uniform(40, 90, rows),
            "ap_heures_consommees": np.abs(noise[:, 3]) * 10,
            "effectif": 10 + np.abs(noise[:, 4]) * 30,
            "region": np.repeat(random.choice(["11", "84", "93"], companies), months),
            "cause": cause,
        }
    )
    spared = np.repeat(random.random(companies) < 0.25, months)
    table["defaillance"] = ((cause != "") & ~spared | (np.repeat(random.random(companies), months) < 0.01)).astype(int)
    return table


def made_declaration() -> Declaration:
    """The declaration of `made`."""
    return Declaration(
        "entreprises fictives",
        (
            Variable("dette_sur_cotisation", "dette_urssaf", 1, 0.0, "la dette sociale", "cotisation"),
            Variable("ebe_sur_ca", HEALTH, -1, None, "l'excédent brut d'exploitation", "pourcentage"),
            Variable("paydex", "paiement_fournisseurs", 1, 0.0, "le retard de paiement des fournisseurs", "jours"),
            Variable("ap_heures_consommees", "activite_partielle", 0, 0.0, "l'activité partielle", "heures"),
            Variable("effectif", "effectif", 0, None, "l'effectif", "salaries"),
        ),
        target="defaillance",
        horizon=6,
        groups={"region": "region", "taille": "effectif"},
        effectif="effectif",
    )
